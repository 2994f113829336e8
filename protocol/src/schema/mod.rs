//! The closed schema: what a shared record may hold, and nothing else.
//!
//! One table ([`FIELDS_V1`]) says for every kind of record which fields it has, of which type
//! and within which bounds. Validation of entries, documentation and import templates are
//! all fed from it. There is no free text and no way to add any: a value is one of the
//! variants of [`Value`], and a field accepts one of them within its bounds.
//!
//! An entry is judged by the bounds of the schema version that it names, for ever (P-20).

mod cell;
mod check;
#[cfg(test)]
pub(crate) mod generate;
mod named;
#[cfg(feature = "next-schema")]
pub mod next;
mod table;
mod text;
mod value;

pub use cell::{harmless, taken_back};
pub use check::{SchemaError, check_edits};
pub(crate) use named::Named;
pub use table::{FIELDS_V1, kinds_of};
pub use text::{BadValue, describe, format_value, parse_value};
pub use value::{Edit, FieldId, Language, Mailbox, Outcode, Telephone, Value};

use crate::ids::RecordKind;

/// The schema versions that this build understands: 1 to this.
pub const NEWEST: SchemaVersion = SchemaVersion(1);

/// The newest schema version that the running build understands.
pub(crate) fn newest() -> SchemaVersion {
    #[cfg(feature = "next-schema")]
    return next::build();
    #[cfg(not(feature = "next-schema"))]
    NEWEST
}

/// A version of the schema. The roster says which one may be written.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct SchemaVersion(pub u16);

/// What a field accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// True or false.
    Boolean,
    /// A whole number from `min` to `max`, both included.
    Integer {
        /// The lowest value accepted.
        min: i64,
        /// The highest value accepted.
        max: i64,
    },
    /// One of these codes; the index in the list is what is stored.
    Code(&'static [&'static str]),
    /// Any of these codes, each at most once.
    CodeSet(&'static [&'static str]),
    /// A day from 1900 to 2199.
    Day,
    /// A week, where a day would say too much.
    Week,
    /// A postcode district such as `LS6`.
    Outcode,
    /// A second of UTC, to the end of 2199.
    Instant,
    /// A record of this kind.
    Record(RecordKind),
    /// At most `max` records of this kind.
    RecordSet {
        /// Their kind.
        kind: RecordKind,
        /// The most that are accepted.
        max: usize,
    },
    /// A council.
    Council,
    /// At most `max` councils.
    CouncilSet {
        /// The most that are accepted.
        max: usize,
    },
    /// At most `max` ISO 639-1 languages.
    LanguageSet {
        /// The most that are accepted.
        max: usize,
    },
    /// A role mailbox of the council's, for `contact` alone.
    Mailbox,
    /// An office telephone of the council's, for `contact` alone.
    Telephone,
}

/// One field of one kind of record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The kind of record that has it.
    pub record: RecordKind,
    /// Its number within that kind; on the wire, never changed or used again.
    pub id: FieldId,
    /// Its name, as in Share Homes for Ukraine where that has the field.
    pub name: &'static str,
    /// What it accepts.
    pub accepts: FieldType,
    /// Whether a record must have it when it is created, and always.
    pub required: bool,
    /// What it means, in one line, for templates and documentation.
    pub meaning: &'static str,
}

/// All fields of the schema at `version`; empty where this build does not know it.
pub fn fields(version: SchemaVersion) -> &'static [Field] {
    match version.0 {
        1 => FIELDS_V1,
        #[cfg(feature = "next-schema")]
        2 => next::fields(),
        _ => &[],
    }
}

/// The fields of one kind of record at `version`, in the order of the table.
pub fn fields_of(version: SchemaVersion, kind: RecordKind) -> impl Iterator<Item = &'static Field> {
    fields(version).iter().filter(move |f| f.record == kind)
}

/// One field by its number.
pub fn field(version: SchemaVersion, kind: RecordKind, id: FieldId) -> Option<&'static Field> {
    fields_of(version, kind).find(|f| f.id == id)
}

/// One field by its name.
pub fn field_named(version: SchemaVersion, kind: RecordKind, name: &str) -> Option<&'static Field> {
    fields_of(version, kind).find(|f| f.name == name)
}
