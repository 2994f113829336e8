//! Random values, records and edits that the table allows, for property tests alone.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{
    Edit, Field, FieldId, FieldType, Language, Mailbox, NEWEST, Outcode, Telephone, Value,
};
use super::{fields, fields_of, kinds_of};
use crate::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use crate::time::{Day, UnixSeconds, Week};

fn council() -> impl Strategy<Value = CouncilCode> {
    "[EWSN][0-9]{8}".prop_map(|code| code.parse().unwrap())
}

fn language() -> impl Strategy<Value = Language> {
    select(vec![
        "uk", "en", "fa", "ps", "ar", "pl", "ro", "fr", "cy", "so",
    ])
    .prop_map(|code| Language::try_from(code.to_owned()).unwrap())
}

fn code(codes: &'static [&'static str]) -> impl Strategy<Value = u8> {
    (0..codes.len()).prop_map(|place| u8::try_from(place).unwrap())
}

/// A record id of this kind.
pub(crate) fn record(kind: RecordKind) -> impl Strategy<Value = RecordId> {
    any::<[u8; 15]>().prop_map(move |random| RecordId::new(kind, random))
}

/// A value that a field of this type accepts.
pub(crate) fn value(accepts: FieldType) -> BoxedStrategy<Value> {
    let set = |set: std::collections::BTreeSet<CouncilCode>| set.into_iter().collect();
    match accepts {
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::Integer { min, max } => (min..=max).prop_map(Value::Integer).boxed(),
        FieldType::Code(codes) => code(codes).prop_map(Value::Code).boxed(),
        FieldType::CodeSet(codes) => prop::collection::btree_set(code(codes), 1..=codes.len())
            .prop_map(|set| Value::Codes(set.into_iter().collect()))
            .boxed(),
        FieldType::Day => (Day::MIN.0..=Day::MAX.0)
            .prop_map(|n| Value::Day(Day(n)))
            .boxed(),
        FieldType::Week => (Day::MIN.week().0..=Day::MAX.week().0)
            .prop_map(|n| Value::Week(Week(n)))
            .boxed(),
        FieldType::Outcode => "[A-Z]{1,2}[0-9]{1,2}"
            .prop_map(|text| Value::Outcode(Outcode::try_from(text).unwrap()))
            .boxed(),
        FieldType::Instant => (0..=UnixSeconds::MAX.0)
            .prop_map(|n| Value::Instant(UnixSeconds(n)))
            .boxed(),
        FieldType::RecordSet { kind, max } => prop::collection::btree_set(record(kind), 1..=max)
            .prop_map(|set| Value::Records(set.into_iter().collect()))
            .boxed(),
        FieldType::Record(kind) => record(kind).prop_map(Value::Record).boxed(),
        FieldType::Council => council().prop_map(Value::Council).boxed(),
        FieldType::CouncilSet { max } => prop::collection::btree_set(council(), 1..=max)
            .prop_map(move |councils| Value::Councils(set(councils)))
            .boxed(),
        FieldType::LanguageSet { max } => prop::collection::btree_set(language(), 1..=max)
            .prop_map(|set| Value::Languages(set.into_iter().collect()))
            .boxed(),
        FieldType::Mailbox => "[a-z]{1,12}@[a-z]{1,9}\\.example\\.org"
            .prop_map(|text| Value::Mailbox(Mailbox::try_from(text).unwrap()))
            .boxed(),
        FieldType::Telephone => "01632 960[0-9]{3}"
            .prop_map(|text| Value::Telephone(Telephone::try_from(text).unwrap()))
            .boxed(),
    }
}

/// A field of any kind of record, and a value that it accepts.
pub(crate) fn field_and_value() -> impl Strategy<Value = (&'static Field, Value)> {
    select(fields(NEWEST)).prop_flat_map(|field| {
        let field = fields_of(NEWEST, field.record)
            .find(|f| f.id == field.id)
            .unwrap();
        (Just(field), value(field.accepts))
    })
}

/// Every field of a kind, each with a value and a number from 0 to 3 to choose by.
fn record_fields(kind: RecordKind) -> impl Strategy<Value = Vec<(&'static Field, Value, u8)>> {
    fields_of(NEWEST, kind)
        .map(|field| (Just(field), value(field.accepts), 0u8..4))
        .collect::<Vec<_>>()
}

/// The creation of a record with all that it must have and some of what it may.
pub(crate) fn create(kind: RecordKind) -> impl Strategy<Value = Edit> {
    (record(kind), record_fields(kind)).prop_map(|(record, all)| Edit::Create {
        record,
        fields: all
            .into_iter()
            .filter(|(field, _, choice)| field.required || *choice > 0)
            .map(|(field, value, _)| (field.id, value))
            .collect(),
    })
}

/// The update of at least one field; some optional fields are cleared.
pub(crate) fn update(kind: RecordKind) -> impl Strategy<Value = Edit> {
    (record(kind), record_fields(kind), any::<Index>()).prop_map(|(record, all, always)| {
        let always = always.index(all.len());
        let choose = |(place, (field, value, choice)): (usize, (&Field, Value, u8))| {
            let value = if choice == 1 && !field.required {
                None
            } else {
                Some(value)
            };
            (choice < 2 || place == always).then_some((field.id, value))
        };
        let fields: Vec<(FieldId, Option<Value>)> =
            all.into_iter().enumerate().filter_map(choose).collect();
        Edit::Update { record, fields }
    })
}

/// One to eight edits of records that a document of this kind holds.
pub(crate) fn edits(document: DocumentKind) -> impl Strategy<Value = Vec<Edit>> {
    let one = select(kinds_of(document)).prop_flat_map(|kind| match kind.is_casework() {
        true => create(kind).boxed(),
        false => prop_oneof![create(kind).boxed(), update(kind).boxed()].boxed(),
    });
    prop::collection::vec(one, 1..=8)
}

/// One of the kinds of document.
pub(crate) fn document() -> impl Strategy<Value = DocumentKind> {
    let casework = DocumentKind::Casework("E08000032".parse().unwrap());
    select([&DocumentKind::OF_EACH[..], &[casework]].concat())
}
