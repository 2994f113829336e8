//! Values as text: how templates, exports and the command line write and read them.

use super::{Field, Value};

/// Text that is not a value of its field. Says what is expected, never what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct BadValue {
    /// What the field accepts, in words.
    pub expected: String,
}

/// Reads a value from text.
///
/// # Errors
/// [`BadValue`] where the text is not a value that the field accepts.
pub fn parse_value(field: &Field, text: &str) -> Result<Value, BadValue> {
    let _ = (field, text);
    Err(BadValue {
        expected: String::new(),
    })
}

/// Writes a value as text that [`parse_value`] reads back.
pub fn format_value(field: &Field, value: &Value) -> String {
    let _ = (field, value);
    String::new()
}
