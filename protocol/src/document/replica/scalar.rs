//! Values as automerge holds them, and back.

use automerge::{ObjId, ReadDoc, ScalarValue};

use super::RecordFields;
use crate::ids::{CouncilCode, RecordId};
use crate::schema::{self, FieldType, Language, Value};
use crate::time::{Day, UnixSeconds, Week};

/// The fields of a record that an object holds.
pub(super) fn fields_of(doc: &impl ReadDoc, object: &ObjId, id: RecordId) -> RecordFields {
    let mut out = RecordFields::new();
    for name in doc.keys(object) {
        let Some(field) = schema::field_named(schema::newest(), id.kind(), &name) else {
            continue;
        };
        let mut values: Vec<Value> = doc
            .get_all(object, name.as_str())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(value, _)| from_scalar(field.accepts, &value))
            .collect();
        values.sort_unstable();
        values.dedup();
        out.insert(field.id, values);
    }
    out
}

/// A value as automerge holds it. Sets are one scalar, so that two authors' sets conflict
/// whole and no set is merged into one that nobody chose.
pub(super) fn to_scalar(value: &Value) -> ScalarValue {
    let joined = |items: Vec<&str>| ScalarValue::Str(items.join(" ").into());
    match value {
        Value::Boolean(yes) => ScalarValue::Boolean(*yes),
        Value::Integer(n) => ScalarValue::Int(*n),
        Value::Code(code) => ScalarValue::Uint(u64::from(*code)),
        Value::Codes(codes) => ScalarValue::Bytes(codes.clone()),
        Value::Day(day) => ScalarValue::Int(i64::from(day.0)),
        Value::Week(week) => ScalarValue::Int(i64::from(week.0)),
        Value::Instant(at) => ScalarValue::Uint(at.0),
        Value::Record(id) => ScalarValue::Bytes(id.to_bytes().to_vec()),
        Value::Records(ids) => {
            ScalarValue::Bytes(ids.iter().flat_map(|id| id.to_bytes()).collect())
        }
        Value::Council(code) => ScalarValue::Str(code.as_str().into()),
        Value::Councils(codes) => joined(codes.iter().map(CouncilCode::as_str).collect()),
        Value::Languages(codes) => joined(codes.iter().map(Language::as_str).collect()),
        Value::Outcode(text) => ScalarValue::Str(text.as_str().into()),
        Value::Mailbox(text) => ScalarValue::Str(text.as_str().into()),
        Value::Telephone(text) => ScalarValue::Str(text.as_str().into()),
    }
}

/// Reads a value back by what its field accepts.
fn from_scalar(accepts: FieldType, value: &automerge::Value<'_>) -> Option<Value> {
    let automerge::Value::Scalar(scalar) = value else {
        return None;
    };
    let small = |n: i64| i32::try_from(n).ok();
    Some(match (accepts, scalar.as_ref()) {
        (FieldType::Boolean, ScalarValue::Boolean(yes)) => Value::Boolean(*yes),
        (FieldType::Integer { .. }, ScalarValue::Int(n)) => Value::Integer(*n),
        (FieldType::Code(_), ScalarValue::Uint(n)) => Value::Code(u8::try_from(*n).ok()?),
        (FieldType::CodeSet(_), ScalarValue::Bytes(codes)) => Value::Codes(codes.clone()),
        (FieldType::Day, ScalarValue::Int(n)) => Value::Day(Day(small(*n)?)),
        (FieldType::Week, ScalarValue::Int(n)) => Value::Week(Week(small(*n)?)),
        (FieldType::Instant, ScalarValue::Uint(seconds)) => Value::Instant(UnixSeconds(*seconds)),
        (FieldType::Record(_), ScalarValue::Bytes(bytes)) => {
            Value::Record(RecordId::from_bytes(bytes.as_slice().try_into().ok()?)?)
        }
        (FieldType::RecordSet { .. }, ScalarValue::Bytes(bytes)) => {
            let (ids, _) = bytes.as_chunks();
            Value::Records(ids.iter().filter_map(RecordId::from_bytes).collect())
        }
        (FieldType::Council, ScalarValue::Str(text)) => Value::Council(text.parse().ok()?),
        (FieldType::CouncilSet { .. }, ScalarValue::Str(text)) => Value::Councils(
            text.split_whitespace()
                .filter_map(|c| c.parse().ok())
                .collect(),
        ),
        (FieldType::LanguageSet { .. }, ScalarValue::Str(text)) => Value::Languages(
            text.split_whitespace()
                .filter_map(|code| Language::try_from(code.to_owned()).ok())
                .collect(),
        ),
        (FieldType::Outcode, ScalarValue::Str(t)) => Value::Outcode(t.to_string().try_into().ok()?),
        (FieldType::Mailbox, ScalarValue::Str(t)) => Value::Mailbox(t.to_string().try_into().ok()?),
        (FieldType::Telephone, ScalarValue::Str(t)) => {
            Value::Telephone(t.to_string().try_into().ok()?)
        }
        _ => return None,
    })
}
