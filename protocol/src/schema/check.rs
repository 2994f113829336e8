//! Whether edits fit the schema: the sixth step of admission (P-20).

use super::{Edit, SchemaVersion};
use crate::ids::DocumentKind;

/// Why an edit does not fit. Names the field, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// This build does not know the schema version.
    #[error("schema version {} is not known to this build", .0.0)]
    UnknownVersion(SchemaVersion),
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
    let _ = (kind, edits);
    Err(SchemaError::UnknownVersion(version))
}
