//! What the table allows is accepted, and what is one change away is refused.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{NEWEST, fields_of, generate, kinds_of};
use super::*;
use crate::ids::RecordId;

fn check(document: DocumentKind, edit: Edit) -> Result<(), SchemaError> {
    check_edits(NEWEST, document, &[edit])
}

fn document_of(kind: RecordKind) -> DocumentKind {
    let casework = DocumentKind::Casework("E08000032".parse().unwrap());
    let mut all = DocumentKind::OF_EACH.into_iter().chain([casework]);
    all.find(|d| kinds_of(*d).contains(&kind)).unwrap()
}

/// Values that this field must refuse: each type's wrong neighbours and its bounds
/// passed by one.
fn refused(accepts: FieldType) -> Vec<Value> {
    let mut out = match accepts {
        FieldType::Boolean => vec![Value::Integer(1)],
        _ => vec![Value::Boolean(true)],
    };
    match accepts {
        FieldType::Integer { min, max } => {
            out.extend([Value::Integer(min - 1), Value::Integer(max + 1)])
        }
        FieldType::Code(codes) => {
            out.extend([
                Value::Code(u8::try_from(codes.len()).unwrap()),
                Value::Integer(0),
            ]);
        }
        FieldType::CodeSet(codes) => {
            let beyond = u8::try_from(codes.len()).unwrap();
            let sets = [vec![], vec![1, 0], vec![0, 0], vec![beyond]];
            out.extend(sets.map(Value::Codes));
        }
        FieldType::Day => out.extend([
            Value::Day(Day(Day::MIN.0 - 1)),
            Value::Day(Day(Day::MAX.0 + 1)),
            Value::Week(Day::MIN.week()),
        ]),
        FieldType::Week => out.extend([
            Value::Week(crate::time::Week(Day::MIN.week().0 - 1)),
            Value::Week(crate::time::Week(Day::MAX.week().0 + 1)),
            Value::Day(Day(0)),
        ]),
        FieldType::Record(kind) => {
            let others = RecordKind::ALL.into_iter().filter(|k| *k != kind);
            out.extend(others.map(|k| Value::Record(RecordId::new(k, [0; 15]))));
        }
        FieldType::Instant => {
            out.push(Value::Instant(UnixSeconds(UnixSeconds::MAX.0 + 1)));
        }
        FieldType::RecordSet { kind, max } => {
            let id = |n: usize| RecordId::new(kind, [u8::try_from(n).unwrap(); 15]);
            let other = RecordKind::ALL.into_iter().find(|k| *k != kind).unwrap();
            let sets = [
                vec![],
                vec![id(2), id(1)],
                vec![id(1), id(1)],
                vec![RecordId::new(other, [0; 15])],
                (0..=max).map(id).collect(),
            ];
            out.extend(sets.map(Value::Records));
        }
        FieldType::CouncilSet { max } => {
            let code = |n: usize| format!("E{n:08}").parse().unwrap();
            let sets = [
                vec![],
                vec![code(2), code(1)],
                vec![code(1), code(1)],
                (0..=max).map(code).collect(),
            ];
            out.extend(sets.map(Value::Councils));
        }
        FieldType::LanguageSet { max } => {
            let code = |c: &str| super::super::Language::try_from(c.to_owned()).unwrap();
            let many = ["aa", "ab", "ae", "af", "ak", "am", "an", "ar", "as"];
            assert!(many.len() > max);
            let sets = [
                vec![],
                vec![code("uk"), code("en")],
                vec![code("uk"), code("uk")],
                many.map(code).to_vec(),
            ];
            out.extend(sets.map(Value::Languages));
        }
        FieldType::Boolean
        | FieldType::Outcode
        | FieldType::Council
        | FieldType::Mailbox
        | FieldType::Telephone => {}
    }
    out
}

fn set_field(edit: &mut Edit, id: FieldId, new: Value) {
    match edit {
        Edit::Create { fields, .. } => {
            fields.retain(|(other, _)| *other != id);
            fields.push((id, new));
            fields.sort_by_key(|(id, _)| *id);
        }
        Edit::Update { fields, .. } => *fields = vec![(id, Some(new))],
    }
}

fn swap_fields(edit: &mut Edit, a: usize, b: usize) {
    match edit {
        Edit::Create { fields, .. } => fields.swap(a, b),
        Edit::Update { fields, .. } => fields.swap(a, b),
    }
}

fn repeat_field(edit: &mut Edit, at: usize) {
    match edit {
        Edit::Create { fields, .. } => fields.insert(at, fields[at].clone()),
        Edit::Update { fields, .. } => fields.insert(at, fields[at].clone()),
    }
}

fn field_count(edit: &Edit) -> usize {
    match edit {
        Edit::Create { fields, .. } => fields.len(),
        Edit::Update { fields, .. } => fields.len(),
    }
}

#[test]
fn a_fact_of_casework_is_never_changed() {
    let record = RecordId::new(RecordKind::Release, [1; 15]);
    let at = Value::Instant(UnixSeconds(1));
    let fields = vec![(FieldId(1), Some(at))];
    let document = document_of(RecordKind::Release);
    let refusal = check(document, Edit::Update { record, fields });
    let record = RecordKind::Release;
    assert_eq!(refusal, Err(SchemaError::Immutable { record }));
}

proptest! {
    #[test]
    fn what_the_table_allows_is_accepted_in_its_document_alone(
        (document, edits) in generate::document()
            .prop_flat_map(|d| (Just(d), generate::edits(d))),
    ) {
        prop_assert_eq!(check_edits(NEWEST, document, &edits), Ok(()));
        for other in DocumentKind::OF_EACH.into_iter().filter(|d| *d != document) {
            let refusal = check_edits(NEWEST, other, &edits);
            let wrong_document = matches!(refusal, Err(SchemaError::WrongDocument { .. }));
            prop_assert!(wrong_document, "{:?}", refusal);
        }
    }

    #[test]
    fn one_change_away_is_refused(
        edits in generate::document().prop_flat_map(generate::edits),
        place in any::<Index>(),
        other in any::<Index>(),
    ) {
        let edit = place.get(&edits).clone();
        let record = edit.record().kind();
        let document = document_of(record);
        let count = field_count(&edit);

        let at = other.index(count);
        let mut repeated = edit.clone();
        repeat_field(&mut repeated, at);
        let refusal = check(document, repeated);
        let out_of_order = matches!(refusal, Err(SchemaError::FieldOrder { .. }));
        prop_assert!(out_of_order, "{:?}", refusal);

        if at > 0 {
            let mut swapped = edit.clone();
            swap_fields(&mut swapped, at - 1, at);
            let refusal = check(document, swapped);
            let out_of_order = matches!(refusal, Err(SchemaError::FieldOrder { .. }));
            prop_assert!(out_of_order, "{:?}", refusal);
        }

        let mut unknown = edit.clone();
        set_field(&mut unknown, FieldId(200), Value::Boolean(true));
        prop_assert_eq!(
            check(document, unknown),
            Err(SchemaError::UnknownField { record, field: FieldId(200) })
        );

        for field in fields_of(NEWEST, record) {
            for bad in refused(field.accepts) {
                let mut wrong = edit.clone();
                set_field(&mut wrong, field.id, bad);
                let expected = SchemaError::NotAccepted {
                    record,
                    field: field.name,
                    accepts: field.accepts,
                };
                prop_assert_eq!(check(document, wrong), Err(expected));
            }
        }
    }

    #[test]
    fn a_required_field_cannot_be_left_out_or_cleared(
        edit in generate::document().prop_flat_map(|document| {
            prop::sample::select(kinds_of(document)).prop_flat_map(generate::create)
        }),
    ) {
        let record = edit.record();
        let kind = record.kind();
        let Edit::Create { fields, .. } = edit else { unreachable!() };
        for required in fields_of(NEWEST, kind).filter(|f| f.required) {
            let mut without = fields.clone();
            without.retain(|(id, _)| *id != required.id);
            prop_assert_eq!(
                check(document_of(kind), Edit::Create { record, fields: without }),
                Err(SchemaError::Missing { record: kind, field: required.name })
            );
            let cleared = Edit::Update { record, fields: vec![(required.id, None)] };
            let refusal = match kind.is_casework() {
                true => SchemaError::Immutable { record: kind },
                false => SchemaError::Cleared { record: kind, field: required.name },
            };
            prop_assert_eq!(check(document_of(kind), cleared), Err(refusal));
        }
    }
}

#[test]
fn what_edits_nothing_or_too_much_or_names_another_version_is_refused() {
    let document = DocumentKind::HostRegister;
    let record = RecordId::new(RecordKind::Host, [7; 15]);
    let clear = Edit::Update {
        record,
        fields: vec![(FieldId(3), None)],
    };
    let check = |version, edits: &[Edit]| check_edits(version, document, edits);

    assert_eq!(check(NEWEST, std::slice::from_ref(&clear)), Ok(()));
    assert_eq!(check(NEWEST, &[]), Err(SchemaError::NoEdits));
    let empty = Edit::Update {
        record,
        fields: vec![],
    };
    assert_eq!(
        check(NEWEST, &[empty]),
        Err(SchemaError::NoFields {
            record: RecordKind::Host
        })
    );
    assert_eq!(check(NEWEST, &vec![clear.clone(); EDITS]), Ok(()));
    assert_eq!(
        check(NEWEST, &vec![clear.clone(); EDITS + 1]),
        Err(SchemaError::TooManyEdits {
            actual: EDITS + 1,
            limit: EDITS
        })
    );
    for version in [SchemaVersion(0), SchemaVersion(NEWEST.0 + 1)] {
        let refusal = check(version, std::slice::from_ref(&clear));
        assert_eq!(refusal, Err(SchemaError::UnknownVersion(version)));
    }
}

#[test]
fn the_smallest_edit_is_what_the_bound_on_their_number_says() {
    let record = RecordId::new(RecordKind::Host, [7; 15]);
    let clear = Edit::Update {
        record,
        fields: vec![(FieldId(3), None)],
    };
    assert_eq!(
        crate::codec::encode(&clear).len(),
        limits::ENTRY_BYTES / EDITS
    );
}

#[test]
fn an_error_names_the_kind_and_the_field() {
    let record = RecordId::new(RecordKind::Host, [7; 15]);
    let edit = Edit::Update {
        record,
        fields: vec![(FieldId(7), Some(Value::Integer(9_999)))],
    };
    let text = check(DocumentKind::HostRegister, edit)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("host") && text.contains("current_capacity"),
        "{text}"
    );
    assert!(
        text.contains("from 0 to 40") && !text.contains("9999"),
        "{text}"
    );
}
