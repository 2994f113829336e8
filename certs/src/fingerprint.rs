//! Fingerprints made to be read over the telephone.
//!
//! Forty digits in ten groups of four. Digits, since they are read out and typed the same
//! in every accent and on every keyboard. Forty, since that is 132 bits: whoever swaps a
//! file in the post must find another one with the very same digits. It takes half a
//! minute to read, once for each node.

use std::fmt;
use std::str::FromStr;

use smp_protocol::ids::Hash;

/// How many groups of four digits.
const GROUPS: usize = 10;

/// The digits that stand for an enrolment request or a region's authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u16; GROUPS]);

/// What was typed has not the form of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 40 digits (spaces and hyphens do not matter); this has {digits}")]
pub struct BadFingerprint {
    /// Digits found before anything else than a digit, space or hyphen.
    pub digits: usize,
}

impl Fingerprint {
    /// Three bytes of the hash make one group: the uneven remainder favours some groups by
    /// less than one part in a thousand.
    pub(crate) fn of(hash: Hash) -> Self {
        let mut groups = [0u16; GROUPS];
        for (group, bytes) in groups.iter_mut().zip(hash.0.chunks_exact(3)) {
            let number = bytes
                .iter()
                .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
            *group = u16::try_from(number % 10_000).unwrap_or_default();
        }
        Self(groups)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<String> = self.0.iter().map(|g| format!("{g:04}")).collect();
        f.pad(&groups.join(" "))
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let skipped = |c: &char| !(c.is_whitespace() || matches!(c, '-' | '–' | '.'));
        let digits: Vec<u16> = text
            .chars()
            .filter(skipped)
            .map_while(|c| c.to_digit(10))
            .filter_map(|d| u16::try_from(d).ok())
            .collect();
        let bad = BadFingerprint {
            digits: digits.len(),
        };
        if digits.len() != GROUPS * 4 || digits.len() != text.chars().filter(skipped).count() {
            return Err(bad);
        }
        let mut groups = [0u16; GROUPS];
        for (group, four) in groups.iter_mut().zip(digits.chunks_exact(4)) {
            *group = four.iter().fold(0, |number, digit| number * 10 + digit);
        }
        Ok(Self(groups))
    }
}
