//! The history of a simulation: a digest of all of it, and lines for people if asked for.

use super::queue::{Micros, SECOND};

/// What happened.
pub(crate) struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(readable: bool) -> Self {
        Self {
            digest: 0,
            lines: readable.then(Vec::new),
        }
    }

    /// Takes numbers into the digest: equal histories have equal digests.
    pub(crate) fn mix(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.digest = (self.digest ^ number)
                .rotate_left(23)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// Takes bytes into the digest.
    pub(crate) fn mix_bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(&[u64::from_le_bytes(*word)]);
        }
        for byte in rest {
            self.mix(&[u64::from(*byte)]);
        }
    }

    /// Adds a line; `text` is not made unless lines are kept.
    pub(crate) fn say(&mut self, now: Micros, text: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let (seconds, micros) = (now / SECOND, now % SECOND);
            lines.push(format!("{seconds:5}.{micros:06}  {}", text()));
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
