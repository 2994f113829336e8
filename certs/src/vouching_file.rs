//! A node's statement of what it holds of a key (P-48) as text: how council IT sends it to
//! the SMP admin by mail.
//!
//! Reading a text believes nothing: the cut that rests on it checks its signature.

use smp_protocol::statements::Vouching;
use smp_protocol::{codec, limits};

use crate::armour::{self, ArmourError};

/// What a statement is called inside its file.
const KIND: &str = "SMP-SYNC STATEMENT";

/// The lines for people: what it is about, and who says it.
fn headers(statement: &Vouching) -> [(&'static str, String); 3] {
    let body = &statement.body;
    [
        ("Document", body.place.document.to_string()),
        ("Of-Node", body.of.to_string()),
        ("By-Node", body.by.to_string()),
    ]
}

/// As text.
pub fn vouching_to_text(statement: &Vouching) -> String {
    armour::encode(KIND, &headers(statement), &codec::encode(statement))
}

/// Reads the text back, unverified.
///
/// # Errors
/// [`ArmourError`] saying where it is damaged, or which of its lines for people says
/// something else than its contents.
pub fn vouching_from_text(text: &str) -> Result<Vouching, ArmourError> {
    let limit = limits::VOUCHING_BYTES;
    let armoured = armour::decode(KIND, text, limit)?;
    let statement: Vouching = codec::decode(&armoured.bytes, limit)
        .map_err(|_| ArmourError::NotContents { expected: KIND })?;
    armoured.says(&headers(&statement))?;
    Ok(statement)
}
