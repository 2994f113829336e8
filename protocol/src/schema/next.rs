//! A schema version that no release has, so that the simulator can run nodes of two builds.
//!
//! Compiled in only with the feature `next-schema`, which the tests alone turn on. Until a
//! thread says that it runs such a build, it knows no more than a release does.

use std::cell::Cell;
use std::sync::LazyLock;

use super::{FIELDS_V1, Field, FieldId, FieldType, NEWEST, SchemaVersion};

/// The version after the newest.
pub const NEXT: SchemaVersion = SchemaVersion(NEWEST.0 + 1);

/// A field that every kind of record has in it.
const ADDED: FieldId = FieldId(200);

/// As version 1, but every kind of record has one field more, and whole numbers go further.
static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields: Vec<Field> = FIELDS_V1.to_vec();
    for field in &mut fields {
        if let FieldType::Integer { max, .. } = &mut field.accepts {
            *max += 10;
        }
    }
    let mut kinds: Vec<_> = fields.iter().map(|field| field.record).collect();
    kinds.dedup();
    fields.extend(kinds.into_iter().map(|record| Field {
        record,
        id: ADDED,
        name: "added_next",
        accepts: FieldType::Boolean,
        required: false,
        meaning: "for the simulator alone",
    }));
    fields
});

thread_local! {
    static BUILD: Cell<SchemaVersion> = const { Cell::new(NEWEST) };
}

/// From now on this thread runs a build that knows the versions up to this one.
pub fn run_as_build(newest: SchemaVersion) {
    BUILD.set(newest);
}

pub(super) fn build() -> SchemaVersion {
    BUILD.get()
}

pub(super) fn fields() -> &'static [Field] {
    match build() >= NEXT {
        true => &FIELDS,
        false => &[],
    }
}
