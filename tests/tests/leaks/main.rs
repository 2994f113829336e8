//! Promise 2: no direct identifier is shared, and nothing goes wider than its named readers.
//!
//! Three councils run as real processes. A imports hosts and homes, in both layouts, in which
//! every personal cell is a value that stands nowhere else; B is let into A's register, C is
//! not. Afterwards those values are looked for in every file of B's and C's, in the logs of
//! all three (A's too, written at level trace), in every answer of B's and C's local APIs,
//! and in every byte that went between the nodes.
//!
//! Bytes on the wire are encrypted, so a capture of them proves nothing, and a hook inside
//! the node would be a thing to leave open by mistake. Instead the test, which enrolled the
//! nodes and has their keys, stands between them as a genuine peer of each (`support/tap.rs`):
//! the roster names no address but those of its taps, so everything that a node hands to its
//! transport passes through, decrypted. Compressed frames are also searched decompressed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod casework;
mod markers;
mod outsider;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use markers::{File, STEMS};
use serde_json::{Value, json};
use smp_protocol::codec;
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, RecordId, RecordKind};
use smp_protocol::limits;
use smp_protocol::session::message::{Answer, Control, Want};
use support::identity::Identity;
use support::search::{Haystack, files_under};
use support::tap::{Tape, Taps};
use support::{A, B, C, configure};
use system_tests::harness::wait::{AGREEMENT, until};
use system_tests::harness::{Node, Region, free_ports};

/// A region whose nodes reach each other through taps only.
fn tapped_region() -> (Region, Arc<Taps>) {
    let mut region = Region::of(&[A, B, C]);
    let identities: Vec<Identity> = region.nodes.iter().map(Identity::of).collect();
    let taps = Taps::new(&identities);
    let behind = free_ports(identities.len());
    for ((node, identity), behind) in region.nodes.iter_mut().zip(&identities).zip(behind) {
        let listen = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
        configure(node, &listen(node.port), &listen(behind));
        configure(node, "level = \"info\"", "level = \"trace\"");
        taps.stand_in(identity, node.port, behind);
    }
    (region, taps)
}

fn import(node: &Node, file: &File) -> Value {
    let answer = node.api().import(file.kind, file.name, file.csv.as_bytes());
    let report = answer.unwrap().ok();
    assert_eq!(report["applied"], true, "{report:#}");
    report
}

/// Every record id of a kind that a node lists for a council.
fn ids(node: &Node, kind: &str, council: &str) -> BTreeSet<String> {
    let path = format!("/v1/records/{kind}?council={council}");
    let answer = node.api().get(&path).unwrap().ok();
    let records = answer.as_array().unwrap();
    records
        .iter()
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect()
}

fn assert_clean(what: &str, haystack: &Haystack) {
    for stem in STEMS {
        assert!(
            !haystack.has_text(stem),
            "a personal value ({stem}…) is in {what}"
        );
    }
}

/// The whole story at A: imports, a write by hand, a file with mistakes, newer imports.
fn work(region: &Region) -> Vec<File> {
    let a = &region[A];
    let first = [
        markers::by_template(RecordKind::Host, 1),
        markers::by_share(1),
        markers::by_template(RecordKind::Listing, 1),
    ];
    for file in &first {
        let report = import(a, file);
        assert_eq!(report["created"], report["rows"], "{report:#}");
    }
    region.wait_agreed(AGREEMENT);
    let host = ids(a, "host", A).first().unwrap().clone();
    let edit = json!({ "fields": { "hosting_duration": "9" } }).to_string();
    let path = format!("/v1/record/{host}");
    a.api()
        .send("PATCH", &path, "application/json", edit.as_bytes())
        .unwrap()
        .ok();
    // Personal values in the wrong columns: the report and the log name the place only.
    let slipped = "reference,accommodation_type,status,current_capacity,email\n\
                   zqmarker-host-1,zqmarker slipped,hosting,01632 960999,zqmarker@example.org\n";
    let answer = a.api().import("host", "slipped.csv", slipped.as_bytes());
    let report = answer.unwrap().ok();
    assert_eq!(
        report["problems"].as_array().unwrap().len(),
        2,
        "{report:#}"
    );
    assert_clean(
        "the report on a bad file",
        &Haystack::new(report.to_string().as_bytes()),
    );
    let second = [
        markers::by_template(RecordKind::Host, 2),
        markers::by_share(2),
        markers::by_template(RecordKind::Listing, 2),
    ];
    for file in &second {
        let report = import(a, file);
        assert_eq!(report["updated"], report["rows"], "{report:#}");
    }
    region.wait_agreed(AGREEMENT);
    first.into_iter().chain(second).collect()
}

/// Asks a node everything that its local API answers.
fn every_answer(node: &Node, foreign: &BTreeSet<String>) -> Vec<(String, Value)> {
    let mut paths: Vec<String> = [
        "status",
        "cases",
        "suggestions",
        "peers",
        "documents",
        "readers",
        "roster",
        "health",
    ]
    .map(|name| format!("/v1/{name}"))
    .into();
    for kind in RecordKind::EDITED {
        paths.push(format!("/v1/records/{kind}"));
    }
    for id in foreign {
        paths.push(format!("/v1/record/{id}"));
        paths.push(format!("/v1/record/{id}?personal=true"));
    }
    let ask = |path: String| {
        let answer = node.api().get(&path).unwrap();
        (path, answer.body)
    };
    paths.into_iter().map(ask).collect()
}

#[test]
fn no_personal_value_leaves_its_council() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let guard = runtime.enter();
    let (mut region, taps) = tapped_region();
    region.start_all();
    region.open_register(A, B);
    support::write_place(&region[C]);
    let files = work(&region);
    markers::check(&files);

    let hosts = ids(&region[A], "host", A);
    let listings = ids(&region[A], "listing", A);
    assert_eq!((hosts.len(), listings.len()), (6, 4));
    assert_eq!(ids(&region[B], "host", A), hosts);
    assert_eq!(ids(&region[C], "host", A), BTreeSet::new());
    assert_eq!(ids(&region[C], "listing", A), listings);
    let all = hosts.union(&listings).cloned().collect();
    for council in [B, C] {
        for (path, body) in every_answer(&region[council], &all) {
            let what = format!("{council}'s answer to {path}");
            assert_clean(&what, &Haystack::new(body.to_string().as_bytes()));
        }
    }
    wait_every_line(&taps);
    region.nodes.iter_mut().for_each(Node::stop);
    drop(guard);

    search_files(&region, &files, &hosts, &listings);
    search_tapes(&taps.tapes().all(), &hosts, &listings);
}

/// Waits until every node has spoken to every other: all may agree through A before B and C
/// have found each other.
fn wait_every_line(taps: &Taps) {
    until(AGREEMENT, "every node has spoken to every other", || {
        let tapes = taps.tapes().all();
        let lines: BTreeSet<_> = tapes.iter().map(|tape| (tape.from, tape.to)).collect();
        let told = (lines.len() == 6).then_some(());
        told.ok_or_else(|| format!("{lines:?}"))
    });
}

fn raw(id: &str) -> [u8; 16] {
    id.parse::<RecordId>().unwrap().to_bytes()
}

/// Files and logs, after the processes have ended.
fn search_files(
    region: &Region,
    files: &[File],
    hosts: &BTreeSet<String>,
    listings: &BTreeSet<String>,
) {
    let own: Vec<Haystack> = files_under(&region[A].dir.join("data"))
        .iter()
        .map(|path| Haystack::new(&fs::read(path).unwrap()))
        .collect();
    // The search finds what is there: A's vault has every value of the newest files.
    for value in files[3..].iter().flat_map(|file| &file.kept) {
        assert!(
            own.iter().any(|file| file.has_bytes(value.as_bytes())),
            "{value} is not at A"
        );
    }
    // Guests' columns of an export are kept nowhere, not even at A.
    for value in files.iter().flat_map(|file| &file.dropped) {
        assert!(
            !own.iter().any(|file| file.has_text(value)),
            "{value} was kept at A"
        );
    }
    assert_clean(
        "A's log",
        &Haystack::new(&fs::read(region[A].log_path()).unwrap()),
    );
    for council in [B, C] {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for path in files_under(&region[council].dir) {
            let file = Haystack::new(&fs::read(&path).unwrap());
            assert_clean(&path.display().to_string(), &file);
            let here = hosts.union(listings).filter(|id| file.has_bytes(&raw(id)));
            found.extend(here.map(String::as_str));
        }
        // And it finds A's shared records where they belong, and only there.
        assert!(
            listings.iter().all(|id| found.contains(id.as_str())),
            "{council}: {found:?}"
        );
        let expected = if council == B { hosts.len() } else { 0 };
        let seen = hosts
            .iter()
            .filter(|id| found.contains(id.as_str()))
            .count();
        assert_eq!(seen, expected, "hosts of A's in the files of {council}");
    }
    for node in &region.nodes {
        assert!(
            node.log().contains("TRACE"),
            "{} logged at trace",
            node.council
        );
    }
}

/// The frames of one direction of a stream; a last one that was cut off is left out.
fn frames(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut frames = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((frame, tail)) = tail.split_at_checked(length) else {
            break;
        };
        frames.push(frame);
        rest = tail;
    }
    frames
}

/// A frame as it would be read: decompressed where it is compressed.
fn opened(frame: &[u8]) -> Vec<u8> {
    match frame.split_first() {
        Some((17, packed)) => codec::decompress(packed, limits::BATCH_BYTES).unwrap(),
        _ => frame.to_vec(),
    }
}

/// The documents that a frame tells something of; a roster, which every member has, apart.
fn documents_of(frame: &[u8]) -> Vec<DocumentName> {
    if let Ok(control) = Control::decode(frame) {
        return match control {
            Control::Hello(_) | Control::Roster(_) | Control::Agreement(_) => Vec::new(),
            Control::Summary(said) => said.documents.iter().map(|item| item.document).collect(),
            Control::Push(push) => push.units.iter().map(|unit| unit.place.document).collect(),
            Control::Holds(holds) => vec![holds.document],
            Control::Evidence(evidence) => vec![evidence.place.document],
        };
    }
    if let Ok(want) = Want::decode(frame) {
        return vec![want.document];
    }
    match Answer::decode(frame).expect("a frame of the protocol") {
        Answer::Batch(units) => units.iter().map(|unit| unit.place.document).collect(),
        Answer::End(_) | Answer::No(_) => Vec::new(),
    }
}

fn search_tapes(tapes: &[Tape], hosts: &BTreeSet<String>, listings: &BTreeSet<String>) {
    let code = |council: &str| council.parse::<CouncilCode>().unwrap();
    let register = DocumentKind::HostRegister.of(code(A));
    let mut seen: BTreeSet<(CouncilCode, &str)> = BTreeSet::new();
    let mut lines: BTreeSet<(CouncilCode, CouncilCode)> = BTreeSet::new();
    for tape in tapes {
        let what = format!("what {} sent to {}", tape.from, tape.to);
        lines.insert((tape.from, tape.to));
        assert_clean(&what, &Haystack::new(&tape.bytes));
        for frame in frames(&tape.bytes) {
            let plain = Haystack::new(&opened(frame));
            assert_clean(&what, &plain);
            let here = hosts.union(listings).filter(|id| plain.has_bytes(&raw(id)));
            seen.extend(here.map(|id| (tape.to, id.as_str())));
            if tape.to == code(C) || tape.from == code(C) {
                assert!(
                    !documents_of(frame).contains(&register),
                    "{what}: {register}"
                );
            }
        }
    }
    // Every line was tapped in both directions, and what was shared did go over them.
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(
        hosts
            .iter()
            .all(|id| seen.contains(&(code(B), id.as_str())))
    );
    assert!(
        hosts
            .iter()
            .all(|id| !seen.contains(&(code(C), id.as_str())))
    );
    for reader in [B, C] {
        assert!(
            listings
                .iter()
                .all(|id| seen.contains(&(code(reader), id.as_str())))
        );
    }
}
