//! What an import changes: new rows, changed ones, and nothing the second time.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smp_protocol::ids::{DocumentKind, RecordId};
use smp_protocol::schema::{Edit, check_edits, field_named};

use super::*;

/// A register as the planner sees one, with what came of earlier plans.
#[derive(Default)]
struct Register {
    records: BTreeMap<RecordId, BTreeMap<FieldId, Value>>,
    references: BTreeMap<String, RecordId>,
    random: u64,
}

impl Register {
    fn plan(&mut self, import: &Import, complete: bool) -> Plan {
        let known: Vec<(String, RecordId)> = self
            .references
            .iter()
            .map(|(reference, record)| (reference.clone(), *record))
            .collect();
        let existing = |reference: &str| {
            let record = *self.references.get(reference)?;
            let fields = self.records.get(&record)?;
            Some((
                record,
                fields
                    .iter()
                    .map(|(id, value)| (*id, value.clone()))
                    .collect(),
            ))
        };
        let mut state = self.random;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *byte = state.to_le_bytes()[7];
            }
        };
        let plan = plan(import, &existing, complete, &known, &mut random);
        self.random = state.wrapping_add(1);
        plan
    }

    fn import(&mut self, text: &str, complete: bool) -> Plan {
        let import = hosts(text).unwrap();
        let plan = self.plan(&import, complete);
        for edit in &plan.edits {
            let edits = std::slice::from_ref(edit);
            assert_eq!(
                check_edits(NEWEST, DocumentKind::HostRegister, edits),
                Ok(())
            );
            match edit {
                Edit::Create { record, fields } => {
                    self.records
                        .insert(*record, fields.iter().cloned().collect());
                }
                Edit::Update { record, fields } => {
                    let known = self.records.get_mut(record).unwrap();
                    for (id, value) in fields {
                        known.remove(id);
                        known.extend(value.clone().map(|value| (*id, value)));
                    }
                }
            }
        }
        self.references.extend(plan.references.clone());
        plan
    }

    fn text(&self, reference: &str, name: &str) -> Option<String> {
        let field = field_named(NEWEST, RecordKind::Host, name).unwrap();
        let value = self.records[&self.references[reference]].get(&field.id)?;
        Some(schema::format_value(field, value))
    }
}

fn counts(plan: &Plan) -> (usize, usize, usize, usize) {
    (plan.creates, plan.updates, plan.unchanged, plan.withdrawn)
}

const THREE: &str = "reference,accommodation_type,current_capacity,allow_pet\n\
    A,sponsor,2,yes\nB,sponsor,3,no\nC,temporary,4,\n";

#[test]
fn importing_a_file_twice_changes_nothing() {
    let mut register = Register::default();
    assert_eq!(counts(&register.import(THREE, false)), (3, 0, 0, 0));
    let again = register.import(THREE, true);
    assert_eq!(counts(&again), (0, 0, 3, 0));
    assert!(again.edits.is_empty());
    assert_eq!(register.records.len(), 3);
    assert_eq!(register.text("A", "status").as_deref(), Some("prospective"));
}

#[test]
fn a_reimport_updates_the_fields_that_changed_and_no_other() {
    let mut register = Register::default();
    register.import(THREE, false);
    let plan = register.import(&THREE.replace("B,sponsor,3,no", "B,sponsor,1,"), false);
    assert_eq!(counts(&plan), (0, 1, 2, 0));
    let id = |name| field_named(NEWEST, RecordKind::Host, name).unwrap().id;
    let changes = vec![
        (id("current_capacity"), Some(Value::Integer(1))),
        (id("allow_pet"), None),
    ];
    assert_eq!(
        plan.edits,
        [Edit::Update {
            record: register.references["B"],
            fields: changes
        }]
    );
}

#[test]
fn a_column_that_is_not_there_is_left_alone_and_an_empty_cell_clears() {
    let mut register = Register::default();
    register.import(THREE, false);
    let narrow = "reference,accommodation_type\nA,sponsor\n";
    assert_eq!(counts(&register.import(narrow, false)), (0, 0, 1, 0));
    assert_eq!(register.text("A", "current_capacity").as_deref(), Some("2"));
    let empty = "reference,accommodation_type,current_capacity,status\nA,sponsor,,\n";
    assert_eq!(counts(&register.import(empty, false)), (0, 1, 0, 0));
    assert_eq!(register.text("A", "current_capacity"), None);
    assert_eq!(register.text("A", "status").as_deref(), Some("prospective"));
}

#[test]
fn absence_means_nothing_unless_the_file_is_everything() {
    let mut register = Register::default();
    register.import(THREE, false);
    let one = "reference,accommodation_type\nA,sponsor\n";
    assert_eq!(counts(&register.import(one, false)), (0, 0, 1, 0));
    assert_eq!(register.text("B", "status").as_deref(), Some("prospective"));
    assert_eq!(counts(&register.import(one, true)), (0, 0, 1, 2));
    assert_eq!(register.text("A", "status").as_deref(), Some("prospective"));
    assert_eq!(register.text("B", "status").as_deref(), Some("withdrawn"));
    assert_eq!(counts(&register.import(one, true)), (0, 0, 1, 0));
}

#[test]
fn listings_are_available_at_first_and_withdrawn_when_gone() {
    let text = "reference,tenure,bedrooms,landlord\nL1,social_rented,2,Fictional Homes\n";
    let import = read(RecordKind::Listing, "l.csv", text.as_bytes()).unwrap();
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    let first = plan(&import, &|_| None, false, &[], &mut random);
    let Edit::Create { record, fields } = &first.edits[0] else {
        panic!("{first:?}")
    };
    let state = field_named(NEWEST, RecordKind::Listing, "state").unwrap();
    assert!(fields.contains(&(state.id, Value::Code(0))));
    assert_eq!(
        check_edits(NEWEST, DocumentKind::HousingList, &first.edits),
        Ok(())
    );

    let other = read(
        RecordKind::Listing,
        "l.csv",
        text.replace("L1", "L2").as_bytes(),
    )
    .unwrap();
    let known = [("L1".to_owned(), *record)];
    let existing = |name: &str| (name == "L1").then(|| (*record, fields.clone()));
    let second = plan(&other, &existing, true, &known, &mut random);
    let withdrawn = schema::parse_value(state, "withdrawn").unwrap();
    let gone = Edit::Update {
        record: *record,
        fields: vec![(state.id, Some(withdrawn))],
    };
    assert!(second.edits.contains(&gone));
    assert_eq!(counts(&second), (1, 0, 0, 1));
}

#[test]
fn the_order_of_edits_is_not_the_order_of_the_file() {
    let mut text = "reference,accommodation_type,current_capacity\n".to_owned();
    for n in 0..40 {
        text.push_str(&format!("R{n},sponsor,{n}\n"));
    }
    let mut register = Register::default();
    let created = register.import(&text, false);
    let in_file: Vec<RecordId> = created
        .references
        .iter()
        .map(|(_, record)| *record)
        .collect();
    let in_plan: Vec<RecordId> = created.edits.iter().map(Edit::record).collect();
    assert_ne!(in_plan, in_file);
    assert_eq!(
        in_plan.iter().collect::<BTreeSet<_>>(),
        in_file.iter().collect()
    );
    let updated = register.import(&text.replace(",sponsor,", ",temporary,"), false);
    assert_eq!(counts(&updated), (0, 40, 0, 0));
    assert_ne!(
        updated.edits.iter().map(Edit::record).collect::<Vec<_>>(),
        in_file
    );
}

#[test]
fn the_vault_keeps_what_the_file_does_not_cover() {
    let text = "reference,accommodation_type,email,comments\nA,sponsor,new@example.org,\n";
    let before = [
        ("email", "old@example.org"),
        ("comments", "to go"),
        ("uprn", "1"),
    ];
    let before = before
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into_iter()
        .collect();
    let after = hosts(text).unwrap().rows[0].vault_after(&before);
    let after: Vec<(&str, &str)> = after
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(after, [("email", "new@example.org"), ("uprn", "1")]);
}

proptest! {
    #[test]
    fn whatever_was_there_a_second_import_of_the_same_file_changes_nothing(
        before in prop::collection::btree_map(0u8..12, (0u8..4, prop::option::of(any::<bool>())), 0..10),
        after in prop::collection::btree_map(0u8..12, (0u8..4, prop::option::of(any::<bool>())), 1..10),
        complete in any::<bool>(),
    ) {
        let file = |rows: &BTreeMap<u8, (u8, Option<bool>)>| {
            let mut text = "reference,accommodation_type,current_capacity,allow_pet\n".to_owned();
            for (reference, (people, pet)) in rows {
                let pet = pet.map(|p| p.to_string()).unwrap_or_default();
                text.push_str(&format!("R{reference},sponsor,{people},{pet}\n"));
            }
            text
        };
        let mut register = Register::default();
        if !before.is_empty() {
            register.import(&file(&before), false);
        }
        let first = register.import(&file(&after), complete);
        let created = after.keys().filter(|key| !before.contains_key(key)).count();
        prop_assert_eq!(first.creates, created);
        prop_assert_eq!(first.creates + first.updates + first.unchanged, after.len());
        let second = register.import(&file(&after), complete);
        prop_assert!(second.edits.is_empty());
        prop_assert_eq!(second.unchanged, after.len());
    }
}

#[test]
fn a_region_of_hosts_is_read_and_planned_whole() {
    let mut text = String::from_utf8(template(RecordKind::Host)).unwrap();
    let columns = text.split(',').count();
    for n in 0..12_000 {
        let mut cells = vec![String::new(); columns];
        cells[0] = format!("R{n}");
        cells[2] = "sponsor".to_owned();
        cells[21] = format!("Person {n} Fictional");
        text.push_str(&(cells.join(",") + "\r\n"));
    }
    let mut register = Register::default();
    assert_eq!(counts(&register.import(&text, false)), (12_000, 0, 0, 0));
    assert_eq!(counts(&register.import(&text, true)), (0, 0, 12_000, 0));
}
