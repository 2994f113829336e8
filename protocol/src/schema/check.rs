//! Whether edits fit the schema: the sixth step of admission (P-20).
//!
//! The answer depends on the edits and the version alone, never on what a document holds
//! or on the clock, so that every replica gives the same one. An error names the record's
//! kind and the field, and never a value.

use super::{Edit, Field, FieldId, FieldType, SchemaVersion, Value, describe, field, fields};
use crate::ids::{DocumentKind, RecordKind};
use crate::limits;
use crate::time::{Day, UnixSeconds};

/// Edits of one entry: what fits into its bytes when each is as small as an edit can be
/// (variant, record id, one field cleared).
const EDITS: usize = limits::ENTRY_BYTES / 20;

/// Why an edit does not fit. Names the field, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// This build does not know the schema version.
    #[error("schema version {} is not known to this build", .0.0)]
    UnknownVersion(SchemaVersion),
    /// An entry that edits nothing.
    #[error("there is no edit")]
    NoEdits,
    /// More edits than an entry may carry.
    #[error("{actual} edits where at most {limit} are allowed")]
    TooManyEdits {
        /// Edits there.
        actual: usize,
        /// Edits allowed.
        limit: usize,
    },
    /// A kind of record that this kind of document does not hold.
    #[error("a {document} holds no {record} records")]
    WrongDocument {
        /// The kind of record.
        record: RecordKind,
        /// The kind of document.
        document: DocumentKind,
    },
    /// A change of what is written once.
    #[error("a {record} is written once and never changed")]
    Immutable {
        /// The kind of record.
        record: RecordKind,
    },
    /// An update that names no field.
    #[error("an update of a {record} names no field")]
    NoFields {
        /// The kind of record.
        record: RecordKind,
    },
    /// Fields that do not ascend, or one that is named twice.
    #[error("field {} of a {record} is out of order or named twice", .field.0)]
    FieldOrder {
        /// The kind of record.
        record: RecordKind,
        /// The field after which the order breaks.
        field: FieldId,
    },
    /// A field that this kind of record does not have.
    #[error("a {record} has no field {} in this schema version", .field.0)]
    UnknownField {
        /// The kind of record.
        record: RecordKind,
        /// The field's number.
        field: FieldId,
    },
    /// A value of another type, out of its bounds, or a set that is empty, unsorted or too
    /// large.
    #[error("{field} of a {record} has a value that it does not accept: expected {}", describe(*.accepts))]
    NotAccepted {
        /// The kind of record.
        record: RecordKind,
        /// The field's name.
        field: &'static str,
        /// What it accepts.
        accepts: FieldType,
    },
    /// A record created without a field that it must have.
    #[error("a {record} is created without {field}, which it must have")]
    Missing {
        /// The kind of record.
        record: RecordKind,
        /// The field's name.
        field: &'static str,
    },
    /// An update that clears a field that the record must have.
    #[error("{field} of a {record} is cleared, but it must have one")]
    Cleared {
        /// The kind of record.
        record: RecordKind,
        /// The field's name.
        field: &'static str,
    },
}

/// Checks every edit of an entry against the schema at `version`, for a document of `kind`.
///
/// # Errors
/// [`SchemaError`] for the first edit that does not fit.
pub fn check_edits(
    version: SchemaVersion,
    kind: DocumentKind,
    edits: &[Edit],
) -> Result<(), SchemaError> {
    if fields(version).is_empty() {
        return Err(SchemaError::UnknownVersion(version));
    }
    if edits.is_empty() {
        return Err(SchemaError::NoEdits);
    }
    if edits.len() > EDITS {
        return Err(SchemaError::TooManyEdits {
            actual: edits.len(),
            limit: EDITS,
        });
    }
    edits
        .iter()
        .try_for_each(|edit| check_edit(version, kind, edit))
}

fn check_edit(
    version: SchemaVersion,
    document: DocumentKind,
    edit: &Edit,
) -> Result<(), SchemaError> {
    let record = edit.record().kind();
    if !super::kinds_of(document).contains(&record) {
        return Err(SchemaError::WrongDocument { record, document });
    }
    match edit {
        Edit::Create { fields, .. } => {
            check_order(record, fields.iter().map(|(id, _)| *id))?;
            for (id, value) in fields {
                check_value(known(version, record, *id)?, value)?;
            }
            check_complete(version, record, fields)
        }
        Edit::Update { .. } if record.is_casework() => Err(SchemaError::Immutable { record }),
        Edit::Update { fields, .. } => {
            if fields.is_empty() {
                return Err(SchemaError::NoFields { record });
            }
            check_order(record, fields.iter().map(|(id, _)| *id))?;
            for (id, value) in fields {
                let field = known(version, record, *id)?;
                match value {
                    Some(value) => check_value(field, value)?,
                    None if field.required => {
                        return Err(SchemaError::Cleared {
                            record,
                            field: field.name,
                        });
                    }
                    None => {}
                }
            }
            Ok(())
        }
    }
}

fn check_order(record: RecordKind, ids: impl Iterator<Item = FieldId>) -> Result<(), SchemaError> {
    let mut last: Option<FieldId> = None;
    for id in ids {
        if last.is_some_and(|last| last >= id) {
            return Err(SchemaError::FieldOrder { record, field: id });
        }
        last = Some(id);
    }
    Ok(())
}

fn known(
    version: SchemaVersion,
    record: RecordKind,
    id: FieldId,
) -> Result<&'static Field, SchemaError> {
    field(version, record, id).ok_or(SchemaError::UnknownField { record, field: id })
}

fn check_value(field: &Field, value: &Value) -> Result<(), SchemaError> {
    if accepts(field.accepts, value) {
        return Ok(());
    }
    Err(SchemaError::NotAccepted {
        record: field.record,
        field: field.name,
        accepts: field.accepts,
    })
}

fn check_complete(
    version: SchemaVersion,
    record: RecordKind,
    given: &[(FieldId, Value)],
) -> Result<(), SchemaError> {
    let missing = super::fields_of(version, record)
        .find(|field| field.required && !given.iter().any(|(id, _)| *id == field.id));
    match missing {
        Some(field) => Err(SchemaError::Missing {
            record,
            field: field.name,
        }),
        None => Ok(()),
    }
}

/// Whether a field of this type accepts the value. A set with nothing in it is not
/// accepted: nothing is said by leaving the field out, and in no second way.
pub(super) fn accepts(accepts: FieldType, value: &Value) -> bool {
    match (accepts, value) {
        (FieldType::Boolean, Value::Boolean(_))
        | (FieldType::Outcode, Value::Outcode(_))
        | (FieldType::Council, Value::Council(_))
        | (FieldType::Mailbox, Value::Mailbox(_))
        | (FieldType::Telephone, Value::Telephone(_)) => true,
        (FieldType::Integer { min, max }, Value::Integer(n)) => (min..=max).contains(n),
        (FieldType::Code(codes), Value::Code(code)) => usize::from(*code) < codes.len(),
        (FieldType::CodeSet(codes), Value::Codes(set)) => {
            is_set(set, codes.len()) && set.iter().all(|code| usize::from(*code) < codes.len())
        }
        (FieldType::Day, Value::Day(day)) => (Day::MIN..=Day::MAX).contains(day),
        (FieldType::Week, Value::Week(week)) => (Day::MIN.week()..=Day::MAX.week()).contains(week),
        (FieldType::Instant, Value::Instant(at)) => *at <= UnixSeconds::MAX,
        (FieldType::Record(kind), Value::Record(record)) => record.kind() == kind,
        (FieldType::RecordSet { kind, max }, Value::Records(set)) => {
            is_set(set, max) && set.iter().all(|record| record.kind() == kind)
        }
        (FieldType::CouncilSet { max }, Value::Councils(set)) => is_set(set, max),
        (FieldType::LanguageSet { max }, Value::Languages(set)) => is_set(set, max),
        _ => false,
    }
}

fn is_set<T: Ord>(items: &[T], max: usize) -> bool {
    !items.is_empty() && items.len() <= max && items.is_sorted_by(|a, b| a < b)
}

#[cfg(test)]
mod tests;
