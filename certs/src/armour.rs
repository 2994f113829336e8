//! Bytes as text that survives email: a frame, lines for people, base 64.
//!
//! The lines for people are checked against the contents by whoever decodes them, so that
//! nobody acts on a line that says something else. The digest line tells damage on the way
//! from a forgery; it proves nothing about who wrote the text, and nothing here does.

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

/// Why a text was not read. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmourError {
    /// There is no such frame in it.
    #[error("there is no line `-----BEGIN {expected}-----` in it; is it the right file?")]
    NoBegin {
        /// What was looked for.
        expected: &'static str,
    },
    /// The frame is not closed.
    #[error("it has no line `-----END {expected}-----`: cut short on the way; have it sent again")]
    NoEnd {
        /// What was looked for.
        expected: &'static str,
    },
    /// It is longer than anything of its kind.
    #[error("it is too long to be one {expected}: at most {limit} bytes")]
    TooLong {
        /// What was looked for.
        expected: &'static str,
        /// The most that one may have.
        limit: usize,
    },
    /// A line is neither `Name: value` nor base 64.
    #[error("line {line} of it is damaged; have it sent again, as an attachment")]
    BadLine {
        /// Counted from the BEGIN line, which is line 1.
        line: usize,
    },
    /// The contents are not those that were written.
    #[error("its contents do not match its Digest line: damaged on the way; have it sent again")]
    Damaged,
    /// A line for people says something else than the contents.
    #[error("its `{name}` line does not say what its contents say; do not use it, ask its sender")]
    WrongHeader {
        /// The line.
        name: String,
    },
    /// The contents are whole, but not what the frame says.
    #[error("its contents are not a {expected} of this version; update the older of the two sides")]
    NotContents {
        /// What was looked for.
        expected: &'static str,
    },
}

/// Base 64 characters in a line: what PEM uses, and short enough for any mailer.
const LINE: usize = 64;

/// The line that carries the digest.
const DIGEST: &str = "Digest";

/// Bytes of SHA-256 in the digest line: against damage, not against malice.
const DIGEST_BYTES: usize = 8;

/// What a frame held: the lines for people, and the contents.
pub(crate) struct Armoured {
    headers: Vec<(String, String)>,
    pub(crate) bytes: zeroize::Zeroizing<Vec<u8>>,
}

impl Armoured {
    /// Holds the lines for people against what the contents say.
    pub(crate) fn says(&self, expected: &[(&str, String)]) -> Result<(), ArmourError> {
        let wrong = |name: &str| ArmourError::WrongHeader { name: name.into() };
        for (name, value) in expected {
            let found = self.headers.iter().find(|(n, _)| n == name);
            if found.map(|(_, v)| v) != Some(value) {
                return Err(wrong(name));
            }
        }
        let mut seen: Vec<&String> = Vec::new();
        for (name, _) in &self.headers {
            if seen.contains(&name) || !expected.iter().any(|(n, _)| n == name) {
                return Err(wrong(name));
            }
            seen.push(name);
        }
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    HEXLOWER.encode(digest.get(..DIGEST_BYTES).unwrap_or_default())
}

/// Frames bytes as text.
pub(crate) fn encode(kind: &str, headers: &[(&str, String)], bytes: &[u8]) -> String {
    // Room for all of it from the start: a text that grows leaves copies of a secret behind.
    let mut out = String::with_capacity(bytes.len() / 2 * 3 + 1024);
    out.push_str(&format!("-----BEGIN {kind}-----\n"));
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\n"));
    }
    out.push_str(&format!("{DIGEST}: {}\n\n", digest(bytes)));
    for chunk in bytes.chunks(LINE / 4 * 3) {
        BASE64.encode_append(chunk, &mut out);
        out.push('\n');
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// Reads the first frame of that kind; text around it, as mail adds, is passed over.
pub(crate) fn decode(
    kind: &'static str,
    text: &str,
    limit: usize,
) -> Result<Armoured, ArmourError> {
    let begin = format!("-----BEGIN {kind}-----");
    let end = format!("-----END {kind}-----");
    let mut lines = text.lines().map(str::trim).skip_while(|l| *l != begin);
    if lines.next().is_none() {
        return Err(ArmourError::NoBegin { expected: kind });
    }
    let mut headers = Vec::new();
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let mut in_headers = true;
    for (line, number) in lines.zip(2usize..) {
        let bad = ArmourError::BadLine { line: number };
        if line == end {
            return finish(headers, bytes);
        } else if line.is_empty() {
            in_headers = false;
        } else if in_headers {
            let (name, value) = line.split_once(':').ok_or(bad)?;
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        } else {
            let part = BASE64.decode(line.as_bytes()).map_err(|_| bad)?;
            bytes.extend_from_slice(&zeroize::Zeroizing::new(part));
        }
        if bytes.len() > limit || headers.len() > 16 {
            return Err(ArmourError::TooLong {
                expected: kind,
                limit,
            });
        }
    }
    Err(ArmourError::NoEnd { expected: kind })
}

fn finish(
    mut headers: Vec<(String, String)>,
    bytes: zeroize::Zeroizing<Vec<u8>>,
) -> Result<Armoured, ArmourError> {
    match headers.pop() {
        Some((name, value)) if name == DIGEST && value == digest(&bytes) => {
            Ok(Armoured { headers, bytes })
        }
        _ => Err(ArmourError::Damaged),
    }
}
