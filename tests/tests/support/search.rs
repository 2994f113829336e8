//! Searching bytes for what must not be there.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes made ready to be searched many times: as they are, and in lower case.
pub(crate) struct Haystack {
    /// One character for each byte, so that text search finds any bytes.
    exact: String,
    lower: String,
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

impl Haystack {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let exact = characters(bytes);
        let lower = exact.to_ascii_lowercase();
        Self { exact, lower }
    }

    /// Whether exactly these bytes are in it.
    pub(crate) fn has_bytes(&self, bytes: &[u8]) -> bool {
        self.exact.contains(&characters(bytes))
    }

    /// Whether this text is in it, in whatever case, as UTF-8 or UTF-16.
    pub(crate) fn has_text(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.lower.contains(&characters(text.as_bytes())) || self.lower.contains(&characters(&wide))
    }
}

/// Every file under a directory.
pub(crate) fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                dirs.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found
}
