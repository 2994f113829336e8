//! A signed roster as text: how the region directory keeps it and how it is sent by mail.
//!
//! Reading a text believes nothing: [`SignedRoster::verify`] does, with a key that came
//! from elsewhere.

use smp_protocol::roster::SignedRoster;
use smp_protocol::{codec, limits};

use crate::armour::{self, ArmourError};

/// What a roster is called inside its file.
const KIND: &str = "SMP-SYNC ROSTER";

/// A roster's bytes, its signature and the lengths before them.
const BYTES: usize = limits::ROSTER_BYTES + 128;

/// As text.
pub fn roster_to_text(roster: &SignedRoster) -> String {
    armour::encode(KIND, &[], &codec::encode(roster))
}

/// Reads the text back, unverified.
///
/// # Errors
/// [`ArmourError`] saying where it is damaged.
pub fn roster_from_text(text: &str) -> Result<SignedRoster, ArmourError> {
    let armoured = armour::decode(KIND, text, BYTES)?;
    armoured.says(&[])?;
    codec::decode(&armoured.bytes, BYTES).map_err(|_| ArmourError::NotContents { expected: KIND })
}
