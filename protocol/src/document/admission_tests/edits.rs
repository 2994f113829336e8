//! Step 6: every edit fits the schema.

use super::fixture::*;
use crate::document::Cause;
use crate::ids::{RecordId, RecordKind};
use crate::schema::{self, Edit, FieldId, SchemaError, SchemaVersion, Value};

fn place_with(change: impl FnOnce(&mut Vec<(FieldId, Value)>)) -> Edit {
    match create(100) {
        Edit::Create { record, mut fields } => {
            change(&mut fields);
            Edit::Create { record, fields }
        }
        update @ Edit::Update { .. } => update,
    }
}

fn update(fields: Vec<(FieldId, Option<Value>)>) -> Edit {
    Edit::Update {
        record: record(1),
        fields,
    }
}

/// Signed, and proven by that to be the author's fault.
#[track_caller]
fn assert_proven(edits: &[Edit], error: &SchemaError) {
    let bad = unit(3, vec![step(edits)]);
    let expected = proven(Cause::Schema(error.clone()), last_hash(&bad));
    assert_refused(furnished().0, &bad, &expected);
    // As the last of two good entries, too: the unit ends in one signature.
    let bad = unit(3, vec![step(&[create(500)]), step(edits)]);
    let expected = proven(Cause::Schema(error.clone()), last_hash(&bad));
    assert_refused(furnished().0, &bad, &expected);
}

fn not_accepted(id: u8) -> SchemaError {
    let field = schema::field(schema::NEWEST, RecordKind::Place, FieldId(id)).unwrap();
    SchemaError::NotAccepted {
        record: RecordKind::Place,
        field: field.name,
        accepts: field.accepts,
    }
}

#[test]
fn a_value_of_the_wrong_type_or_out_of_bounds() {
    let wrong = [
        Value::Boolean(true),
        Value::Code(2),
        Value::Integer(0),
        Value::Integer(21),
        Value::Integer(i64::MIN),
        Value::Record(record(1)),
    ];
    for value in wrong {
        let in_create = place_with(|fields| fields[0].1 = value.clone());
        assert_proven(&[in_create], &not_accepted(1));
        let in_update = update(vec![(FieldId(1), Some(value))]);
        assert_proven(&[create(101), in_update], &not_accepted(1));
    }
    let no_such_code = update(vec![(FieldId(15), Some(Value::Code(4)))]);
    assert_proven(&[no_such_code], &not_accepted(15));
}

#[test]
fn a_field_that_there_is_not() {
    let error = SchemaError::UnknownField {
        record: RecordKind::Place,
        field: FieldId(200),
    };
    let value = Value::Integer(1);
    assert_proven(
        &[place_with(|f| f.push((FieldId(200), value.clone())))],
        &error,
    );
    assert_proven(&[update(vec![(FieldId(200), Some(value))])], &error);
}

#[test]
fn fields_missing_cleared_out_of_order_or_none() {
    let record = RecordKind::Place;
    assert_proven(
        &[place_with(|fields| drop(fields.pop()))],
        &SchemaError::Missing {
            record,
            field: "state",
        },
    );
    assert_proven(
        &[update(vec![(FieldId(15), None)])],
        &SchemaError::Cleared {
            record,
            field: "state",
        },
    );
    assert_proven(
        &[place_with(|fields| fields.swap(0, 1))],
        &SchemaError::FieldOrder {
            record,
            field: FieldId(1),
        },
    );
    assert_proven(&[update(Vec::new())], &SchemaError::NoFields { record });
    assert_proven(&[], &SchemaError::NoEdits);
}

#[test]
fn a_record_that_the_document_does_not_hold() {
    for kind in RecordKind::ALL {
        let document = place().document.kind;
        if schema::kinds_of(document).contains(&kind) {
            continue;
        }
        let foreign = Edit::Update {
            record: RecordId::new(kind, [1; 15]),
            fields: vec![(FieldId(1), None)],
        };
        let record = kind;
        assert_proven(&[foreign], &SchemaError::WrongDocument { record, document });
    }
}

#[test]
fn a_schema_version_that_is_not_known() {
    for version in [0, schema::NEWEST.0 + 1, u16::MAX] {
        let mut bad = unit(3, vec![step(&[create(100)])]);
        bad.steps[0].schema = SchemaVersion(version);
        let bad = signed(bad, 3);
        let error = SchemaError::UnknownVersion(SchemaVersion(version));
        let expected = proven(Cause::Schema(error), last_hash(&bad));
        assert_refused(furnished().0, &bad, &expected);
    }
}

#[test]
fn a_refusal_is_remembered_once_and_the_oldest_is_forgotten() {
    let (mut document, _) = furnished();
    let limit = crate::limits::REFUSALS_PER_DOCUMENT;
    let bad: Vec<_> = (0..=u8::try_from(limit).unwrap())
        .map(|n| {
            let mut unit = unit(3, vec![step(&[])]);
            unit.chain = chain(3, n + 50);
            signed(unit, 3)
        })
        .collect();
    let refuse = |document: &mut crate::document::Document, n: usize| {
        let judged = document.judge(vec![bad[n].clone()], &roster());
        document.execute(judged).unwrap();
    };
    refuse(&mut document, 0);
    refuse(&mut document, 0);
    assert_eq!(document.refused(), [last_hash(&bad[0])]);
    for n in 1..bad.len() {
        refuse(&mut document, n);
    }
    let newest: Vec<_> = bad[1..].iter().map(last_hash).collect();
    assert_eq!(document.refused(), newest);
}
