//! A document that says which test shows something names one that is there.
#![allow(clippy::unwrap_used, reason = "a test fails where it does")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words in a name from which on it can only be a test's: shorter ones are fields and codes.
const WORDS: usize = 5;

/// The documents that name tests.
const DOCUMENTS: [&str; 4] = [
    "SECURITY.md",
    "docs/ARCHITECTURE.md",
    "docs/PROTOCOL.md",
    "docs/THREAT-MODEL.md",
];

/// Every file below a directory with this ending.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let skipped = ["target", ".git", "corpora"]
            .iter()
            .any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(plain) && text.split('_').count() >= WORDS
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    files(root, ".rs", &mut sources);
    let mut functions = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let after = text.split("fn ").skip(1);
        functions.extend(after.map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            rest.get(..end.unwrap_or(rest.len()))
                .unwrap_or_default()
                .to_owned()
        }));
    }
    let (mut named, mut missing) = (0, Vec::new());
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            // "smp-protocol: name", or the name alone.
            let name = quoted.rsplit([' ', ':', '\n']).next().unwrap_or_default();
            if is_name(name) {
                named += 1;
                if !functions.contains(name) {
                    missing.push(format!("{document}: {name}"));
                }
            }
        }
    }
    assert!(named > 60, "only {named} names were found");
    assert_eq!(missing, Vec::<String>::new());
}
