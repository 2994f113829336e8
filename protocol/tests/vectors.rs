//! Frozen bytes: one message of each kind, an entry, its hash and signature, the statements,
//! a roster, and the automerge heads that entries lead to.
//!
//! Two builds that write other bytes than these do not understand each other, or end with
//! other documents. So a change here is a decision: `UPDATE_VECTORS=1 cargo test -p
//! smp-protocol --test vectors` writes the file, and what changed goes into PROTOCOL.md and
//! the CHANGELOG in the same commit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails where these do"
)]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::*;
use data_encoding::HEXLOWER;
use smp_protocol::codec;
use smp_protocol::crypto::{self, Tag};
use smp_protocol::document::{Document, Unit};
use smp_protocol::ids::Hash;
use smp_protocol::session::message::{Answer, Control, Want};

const ADVICE: &str = "a new byte on the wire needs a vector, PROTOCOL.md and CHANGELOG";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/wire.txt")
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Every vector, by name, as this build makes it.
fn made() -> BTreeMap<String, Vec<u8>> {
    let mut made = BTreeMap::new();
    let mut put = |name: &str, bytes: Vec<u8>| {
        assert!(
            made.insert(name.to_owned(), bytes).is_none(),
            "{name} twice"
        );
    };
    for (name, message) in controls() {
        put(&format!("frame {name}"), message.encode());
    }
    for (name, answer) in answers() {
        // How well a batch is compressed is not on the wire for good; what it holds is.
        match &answer {
            Answer::Batch(units) => put("frame answer batch, decompressed", codec::encode(units)),
            _ => put(&format!("frame {name}"), answer.encode()),
        }
    }
    put("frame want", want().encode());

    let header = header();
    let key = key(0);
    put("entry header", codec::encode(&header));
    put("entry hash", header.hash().0.to_vec());
    put(
        "entry signature",
        Unit::sign(header.hash(), &key).0.to_vec(),
    );
    put("entry edits", codec::encode(&other_edits()));
    let edits = codec::encode(&other_edits());
    put(
        "entry edits hash",
        crypto::hash(Tag::EntryEdits, &edits).0.to_vec(),
    );
    put("unit", codec::encode(&unit()));
    put("unit hashes", joined(&unit().hashes()));

    put("node id", key.node_id().0.to_vec());
    put("signing key, public", key.public().0.to_vec());
    put("frontier", codec::encode(&frontier()));
    let digest = frontier().digest(&place(pool(0)));
    put("frontier digest", digest.0.to_vec());
    put("acceptance", codec::encode(&acceptance()));
    put("freshness", codec::encode(&freshness()));
    put("vouching", codec::encode(&vouching()));
    put("roster", codec::encode(&roster()));
    put("roster, signed", codec::encode(&signed_roster()));

    let empty = Document::new(place(pool(0)));
    put("automerge heads of genesis", joined(&empty.heads()));
    put("automerge heads of the units", joined(&document().heads()));
    made
}

fn written(vectors: &BTreeMap<String, Vec<u8>>) -> String {
    let mut text = String::from(
        "# Frozen bytes of smp-sync/1, one vector per line: name, colon, hexadecimal.\n\
         # Made by `UPDATE_VECTORS=1 cargo test -p smp-protocol --test vectors`.\n",
    );
    for (name, bytes) in vectors {
        writeln!(text, "{name}: {}", HEXLOWER.encode(bytes)).unwrap();
    }
    text
}

fn read(text: &str) -> BTreeMap<String, Vec<u8>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, hex) = line.split_once(": ").expect("name, colon, hexadecimal");
            let bytes = HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal");
            (name.to_owned(), bytes)
        })
        .collect()
}

/// Says which vectors differ and from which byte on.
fn differences(
    frozen: &BTreeMap<String, Vec<u8>>,
    made: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = frozen.keys().chain(made.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (frozen.get(name), made.get(name)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => {
                let at = old.iter().zip(new).take_while(|(a, b)| a == b).count();
                Some(format!("{name}: differs from byte {at} on"))
            }
            (None, _) => Some(format!("{name}: not frozen yet")),
            (_, None) => Some(format!("{name}: no longer made")),
        })
        .collect()
}

#[test]
fn the_bytes_are_the_frozen_ones() {
    let made = made();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::create_dir_all(path().parent().unwrap()).unwrap();
        std::fs::write(path(), written(&made)).unwrap();
    }
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let differences = differences(&read(&text), &made);
    assert!(
        differences.is_empty(),
        "{ADVICE}; run UPDATE_VECTORS=1 cargo test -p smp-protocol --test vectors.\n{}",
        differences.join("\n")
    );
    assert_eq!(written(&made), text, "{ADVICE}");
}

#[test]
fn a_changed_byte_is_noticed() {
    let made = made();
    assert!(differences(&read(&written(&made)), &made).is_empty());
    for name in made.keys() {
        let mut changed = made.clone();
        let bytes = changed.get_mut(name).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(
            differences(&made, &changed),
            [format!("{name}: differs from byte {last} on")]
        );
        changed.remove(name);
        assert_eq!(differences(&made, &changed).len(), 1);
        assert_eq!(differences(&changed, &made).len(), 1);
    }
}

/// The frozen bytes are read by this build as the messages that they were made from.
#[test]
fn the_frozen_bytes_are_understood() {
    let frozen = read(&std::fs::read_to_string(path()).unwrap_or_default());
    let bytes = |name: &str| frozen.get(name).map(Vec::as_slice).unwrap_or_default();
    for (name, message) in controls() {
        let frame = bytes(&format!("frame {name}"));
        assert_eq!(Control::decode(frame), Ok(message), "{name}");
    }
    for (name, answer) in answers() {
        let frame = match &answer {
            Answer::Batch(_) => {
                let body = codec::compress(bytes("frame answer batch, decompressed"));
                [&[17], &body[..]].concat()
            }
            _ => bytes(&format!("frame {name}")).to_vec(),
        };
        assert_eq!(Answer::decode(&frame), Ok(answer), "{name}");
    }
    assert_eq!(Want::decode(bytes("frame want")), Ok(want()));
}
