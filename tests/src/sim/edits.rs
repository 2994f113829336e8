//! What councils write: edits of registers, pools and lists that the schema accepts.

use smp_protocol::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, Field, FieldType, SchemaVersion, Value, kinds_of};
use smp_protocol::time::{Day, UnixSeconds};

use super::chance::Chance;

/// A first day for values that are days; which one does not matter.
const SOME_DAY: i32 = 20_000;

fn council(chance: &mut Chance) -> CouncilCode {
    let text = format!("E0600{:04}", chance.below(60) + 1);
    text.parse().expect("a GSS code")
}

/// A value that the field accepts.
fn value(accepts: FieldType, chance: &mut Chance) -> Value {
    let day = Day(SOME_DAY + chance.below(1000) as i32);
    let code = |count: usize, chance: &mut Chance| {
        u8::try_from(chance.below(count)).expect("codes are few")
    };
    match accepts {
        FieldType::Boolean => Value::Boolean(chance.one_in(2)),
        FieldType::Integer { min, max } => {
            Value::Integer(min + chance.below((max - min + 1) as usize) as i64)
        }
        FieldType::Code(codes) => Value::Code(code(codes.len(), chance)),
        FieldType::CodeSet(codes) => Value::Codes(vec![code(codes.len(), chance)]),
        FieldType::Day => Value::Day(day),
        FieldType::Week => Value::Week(day.week()),
        FieldType::Outcode => {
            let text = format!("LS{}", chance.below(29) + 1);
            Value::Outcode(text.try_into().expect("an outcode"))
        }
        FieldType::Instant => Value::Instant(UnixSeconds(chance.number() >> 34)),
        FieldType::Record(kind) => Value::Record(RecordId::new(kind, chance.bytes())),
        FieldType::RecordSet { kind, .. } => {
            Value::Records(vec![RecordId::new(kind, chance.bytes())])
        }
        FieldType::Council => Value::Council(council(chance)),
        FieldType::CouncilSet { .. } => Value::Councils(vec![council(chance)]),
        FieldType::LanguageSet { .. } => {
            let language = chance.pick(&["uk", "en", "fa", "ps"]).expect("a language");
            Value::Languages(vec![(*language).to_owned().try_into().expect("a language")])
        }
        FieldType::Mailbox => Value::Mailbox(
            "placements@example.org"
                .to_owned()
                .try_into()
                .expect("a mailbox"),
        ),
        FieldType::Telephone => {
            Value::Telephone("01632 960123".to_owned().try_into().expect("a telephone"))
        }
    }
}

/// Creates a record with all fields that it must have and some that it may.
pub(crate) fn create(version: SchemaVersion, kind: RecordKind, chance: &mut Chance) -> Edit {
    let record = RecordId::new(kind, chance.bytes());
    let fields: Vec<&Field> = schema::fields_of(version, kind).collect();
    Edit::Create {
        record,
        fields: fields
            .into_iter()
            .filter_map(|field| {
                let chosen = field.required || chance.one_in(2);
                chosen.then(|| (field.id, value(field.accepts, chance)))
            })
            .collect(),
    }
}

/// Changes one field of a record.
fn update(version: SchemaVersion, record: RecordId, chance: &mut Chance) -> Edit {
    let fields: Vec<&Field> = schema::fields_of(version, record.kind()).collect();
    let field = chance.pick(&fields).expect("every kind has fields");
    let value = match field.required || !chance.one_in(8) {
        true => Some(value(field.accepts, chance)),
        false => None,
    };
    Edit::Update {
        record,
        fields: vec![(field.id, value)],
    }
}

/// Edits of a document of this kind whose records are `known`, in a version of the schema.
pub(crate) fn some_edits(
    version: SchemaVersion,
    document: DocumentKind,
    known: &[RecordId],
    count: usize,
    chance: &mut Chance,
) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(count);
    for _ in 0..count {
        let edit = match chance.pick(known) {
            Some(record) if !chance.one_in(3) => update(version, *record, chance),
            _ => {
                let kind = chance.pick(kinds_of(document)).expect("a kind of record");
                create(version, *kind, chance)
            }
        };
        edits.push(edit);
    }
    edits
}
