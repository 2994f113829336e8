//! What `smp … list` wrote, edited or not, and read again.

use smp_protocol::ids::RecordId;

use super::*;

fn id(number: u8) -> RecordId {
    RecordId::new(RecordKind::Listing, [number; 15])
}

/// An export of one listing with every column.
fn export(id: &str, state: &str, rent: &str, conflicts: &str) -> Result<Import, Vec<Problem>> {
    let names = schema::fields_of(NEWEST, RecordKind::Listing).map(|field| field.name);
    let names: Vec<&str> = names.collect();
    let cells = names.iter().map(|name| match *name {
        "tenure" => "social_rented",
        "bedrooms" => "2",
        "state" => state,
        "rent_pence_per_month" => rent,
        _ => "",
    });
    let cells: Vec<&str> = cells.collect();
    let text = format!(
        "id,council,council_name,conflicts,{}\n{id},E08000021,Newcastle upon Tyne,{conflicts},{}\n",
        names.join(","),
        cells.join(",")
    );
    read(RecordKind::Listing, "homes.csv", text.as_bytes())
}

fn known() -> BTreeMap<String, RecordId> {
    BTreeMap::from([(id(1).to_string(), id(1))])
}

fn planned(import: &Import, before: &Import) -> Plan {
    let existing = |text: &str| Some((*known().get(text)?, before.rows[0].fields.clone()));
    let all: Vec<(String, RecordId)> = known().into_iter().collect();
    plan(import, &existing, true, &all, &mut |_| {
        panic!("an export makes no record")
    })
}

#[test]
fn an_export_changes_nothing_until_a_cell_is_changed() {
    let text = id(1).to_string();
    let before = export(&text, "available", "90000", "").unwrap();
    assert_eq!(before.layout, Layout::Export);
    assert_eq!(
        before.dropped_columns,
        ["council", "council_name", "conflicts"]
    );
    assert!(strangers(&before, &known()).is_empty());
    let same = planned(&before, &before);
    assert_eq!(
        (same.edits.len(), same.unchanged, same.withdrawn),
        (0, 1, 0)
    );

    let dearer = export(&text, "available", "95000", "").unwrap();
    let changed = planned(&dearer, &before);
    let rent = schema::field_named(NEWEST, RecordKind::Listing, "rent_pence_per_month").unwrap();
    let fields = vec![(rent.id, Some(Value::Integer(95_000)))];
    let record = id(1);
    assert_eq!(changed.edits, [schema::Edit::Update { record, fields }]);
}

#[test]
fn a_row_of_another_council_is_a_problem_and_makes_nothing() {
    let import = export(&id(2).to_string(), "available", "", "").unwrap();
    let problems = strangers(&import, &known());
    assert_eq!(problems.len(), 1);
    let said = problems[0].to_string();
    assert!(said.contains("row 2, column id"), "{said}");
    assert!(said.contains("own listing records"), "{said}");
    // With the council's own ids, new rows are what a file is for.
    let text = "reference,tenure,bedrooms\nL-1,social_rented,2\n";
    let import = read(RecordKind::Listing, "homes.csv", text.as_bytes()).unwrap();
    assert!(strangers(&import, &known()).is_empty());
}

#[test]
fn a_conflict_is_settled_by_naming_one_value_and_not_by_naming_both() {
    let text = id(1).to_string();
    let problem = only(export(&text, "available | let", "", "state"));
    assert!(problem.to_string().contains("to settle it"), "{problem}");
    assert!(export(&text, "let", "", "state").is_ok());
}

#[test]
fn a_cell_that_was_made_harmless_is_read_as_it_was() {
    let text = "reference,accommodation_type,phone_number,comments\n\
                '=A1,sponsor,'+44 1632 960000,'tis fine\n";
    let import = hosts(text).unwrap();
    let row = &import.rows[0];
    assert_eq!(row.reference, "=A1");
    assert_eq!(row.vault["phone_number"], "+44 1632 960000");
    assert_eq!(row.vault["comments"], "'tis fine");
}
