//! The region authority's commands, on a real region directory.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use std::path::Path;

use common::{Done, FakeNode, run, smp, smp_in};
use serde_json::json;
use smp_certs::{
    EnrolmentRequest, JoinBundle, NodeKeys, Passphrase, Region, WorkFactor, roster_from_text,
};
use smp_protocol::ids::CouncilCode;
use smp_protocol::time::UnixSeconds;

const PASSPHRASE: &str = "quite a long passphrase";

fn in_region(dir: &Path, words: &[&str]) -> Done {
    smp_in(dir, PASSPHRASE, &[words, &["--region-dir", "ne"]].concat())
}

/// A region whose passphrase protects nothing, so that each command is quick.
fn init(dir: &Path) {
    let name = "north-east".parse().unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Region::init(
        &dir.join("ne"),
        name,
        "North East Migration Partnership",
        &Passphrase::new(PASSPHRASE),
        WorkFactor::NONE,
        UnixSeconds(now.as_secs()),
    )
    .unwrap();
}

/// Writes a node's request, and says its fingerprint.
fn request(dir: &Path, council: &str) -> (NodeKeys, String) {
    let keys = NodeKeys::generate().unwrap();
    let council: CouncilCode = council.parse().unwrap();
    let region = "north-east".parse().unwrap();
    let endpoints = vec!["192.0.2.7:7443".to_owned()];
    let request = EnrolmentRequest::new(&keys, region, council, endpoints).unwrap();
    std::fs::write(dir.join(format!("{council}.request")), request.to_text()).unwrap();
    (keys, request.fingerprint().to_string())
}

fn enrol(dir: &Path, council: &str, name: &str) -> NodeKeys {
    let (keys, fingerprint) = request(dir, council);
    let file = format!("{council}.request");
    let bundle = format!("{council}.bundle");
    let words = [
        "member",
        "enrol",
        &file,
        "--name",
        name,
        "--fingerprint",
        &fingerprint,
    ];
    let done = in_region(dir, &[&words[..], &["--out", &bundle]].concat()).ok();
    assert!(
        done.out
            .contains(&format!("smp-node join --config FILE {bundle}")),
        "{}",
        done.out
    );
    keys
}

#[test]
fn a_region_from_its_beginning_to_a_published_reader() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    init(dir);
    let keys = enrol(dir, "E08000021", "Newcastle upon Tyne");
    enrol(dir, "E08000037", "Gateshead");
    let text = std::fs::read_to_string(dir.join("E08000021.bundle")).unwrap();
    let bundle = JoinBundle::from_text(&text).unwrap();
    let roster = bundle.verify(&keys, bundle_time(&bundle)).unwrap();
    assert_eq!(roster.version, 2);

    let members = in_region(dir, &["member", "list", "-o", "json"])
        .ok()
        .json();
    let rows = members.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["council_name"], json!("Newcastle upon Tyne"));
    assert_eq!(rows[0]["node"], json!(keys.node_id().to_string()));
    assert_eq!(rows[0]["endpoints"], json!(["192.0.2.7:7443"]));
    assert_eq!(rows[0]["decider"], json!(true));
    let show = in_region(dir, &["region", "show", "-o", "json"])
        .ok()
        .json();
    assert_eq!(show["members"], members);
    assert_eq!(show["status"]["version"], json!(3));
    assert_eq!(show["status"]["state"], json!("valid"));

    let propose = ["readers", "propose", "E08000021", "E08000037"];
    let done = in_region(dir, &propose).ok();
    assert!(
        done.out.contains("smp roster publish north-east-4.roster"),
        "{}",
        done.out
    );
    assert!(
        done.out.contains("smp readers accept E08000037"),
        "{}",
        done.out
    );
    in_region(dir, &propose).failed(4, "has those readers already", "smp roster publish");
    let text = std::fs::read_to_string(dir.join("north-east-4.roster")).unwrap();
    let roster = roster_from_text(&text).unwrap();
    let roster = roster.verify(&bundle.region, &bundle.authority).unwrap();
    assert_eq!(roster.readers.len(), 1);

    let outcome = json!({"installed": true, "version": 4});
    let node = FakeNode::new(&[("POST /v1/roster", outcome.clone())]);
    let file = dir.join("north-east-4.roster");
    let file = file.to_str().unwrap();
    let done = node.smp(&["roster", "publish", file, "-o", "json"]).ok();
    assert_eq!(done.json(), outcome);
    let region = dir.join("ne");
    node.smp(&[
        "roster",
        "publish",
        "--region-dir",
        region.to_str().unwrap(),
    ])
    .ok();
    for asked in node.asked() {
        let sent: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(sent, json!({"text": text}));
    }

    in_region(
        dir,
        &["readers", "propose", "E08000021", "E08000037", "--remove"],
    )
    .ok();
    in_region(dir, &["roster", "renew"]).ok();
    let done = in_region(dir, &["roster", "verify", "north-east-4.roster"]).ok();
    assert!(
        done.out.contains("genuine, and older: the newest is 6"),
        "{}",
        done.out
    );
    let done = in_region(dir, &["roster", "verify", "north-east-6.roster"]).ok();
    assert!(done.out.contains("the region's newest"), "{}", done.out);
}

fn bundle_time(bundle: &JoinBundle) -> UnixSeconds {
    let roster = bundle.roster.clone();
    let roster = roster.verify(&bundle.region, &bundle.authority);
    roster.unwrap().issued
}

#[test]
fn nobody_is_enrolled_unless_the_fingerprint_was_compared() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    init(dir);
    let (_, right) = request(dir, "E08000021");
    let file = "E08000021.request";
    let other = "0000 ".repeat(10);
    let enrol = ["member", "enrol", file, "--name", "Newcastle upon Tyne"];
    let done = in_region(dir, &enrol).failed(2, "nobody is there to compare", "--fingerprint");
    assert!(done.err.contains(&right), "{}", done.err);
    in_region(dir, &[&enrol[..], &["--fingerprint", &other]].concat()).failed(
        4,
        "nothing was changed",
        "do not enrol this one",
    );
    let done = in_region(dir, &[&enrol[..], &["--fingerprint", "1234"]].concat());
    assert_eq!(done.code, 2, "{}", done.err);
    let words = ["member", "enrol", file, "--yes"];
    in_region(dir, &words).failed(2, "has no name for people", "--name");
    assert_eq!(
        in_region(dir, &["member", "list", "-o", "json"])
            .ok()
            .json(),
        json!([])
    );
    // Nothing but the request and the region is there.
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 2);

    let spoken = right.replace(' ', "-");
    in_region(
        dir,
        &[&enrol[..], &["--fingerprint", &spoken, "--out", "b"]].concat(),
    )
    .ok();
    in_region(dir, &[&words[..], &["--out", "b"]].concat()).failed(
        4,
        "b is there already; nothing was changed",
        "--out",
    );
    // The same request again, for a bundle that was lost: no name needed, no new roster.
    let again = in_region(dir, &[&words[..], &["--out", "c"]].concat()).ok();
    assert!(again.out.contains("roster version 2"), "{}", again.out);
}

#[test]
fn a_request_that_was_tampered_with_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    init(dir);
    request(dir, "E08000021");
    let file = dir.join("E08000021.request");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("E08000021", "E08000022")).unwrap();
    let words = [
        "member",
        "enrol",
        "E08000021.request",
        "--name",
        "X",
        "--yes",
    ];
    let done = in_region(dir, &words);
    done.failed(
        4,
        "E08000021.request: the enrolment request cannot be read",
        "",
    );
    let words = ["member", "enrol", "absent", "--name", "X", "--yes"];
    in_region(dir, &words).failed(4, "absent", "check the path");
}

#[test]
fn the_passphrase_comes_from_a_file_or_the_environment_and_must_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = dir.join("passphrase.txt");
    std::fs::write(&file, format!("{PASSPHRASE}\r\nanother line\n")).unwrap();
    let init = [
        "region",
        "init",
        "north-east",
        "--title",
        "NE",
        "--region-dir",
        "ne",
    ];
    run(smp(&init).current_dir(dir)).failed(2, "no terminal to ask on", "SMP_PASSPHRASE");
    smp_in(dir, "short", &init).failed(4, "at least 12 characters", "");
    assert!(!dir.join("ne").exists());
    let from_file = [&init[..], &["--passphrase-file", "passphrase.txt"]].concat();
    let made = run(smp(&from_file).current_dir(dir)).ok();
    assert!(made.out.contains("next: smp member enrol"), "{}", made.out);
    smp_in(dir, PASSPHRASE, &init).failed(4, "not empty; nothing was changed", "");
    let renew = ["roster", "renew", "--region-dir", "ne"];
    smp_in(dir, "not the passphrase", &renew).failed(
        4,
        "not the one that it was encrypted with",
        "smp region init",
    );
    smp_in(dir, PASSPHRASE, &renew).ok();
}

#[test]
fn what_is_not_a_region_or_a_roster_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    in_region(dir, &["region", "show"]).failed(4, "there is no region in ne", "");
    assert_eq!(smp_in(dir, PASSPHRASE, &["region", "show"]).code, 2);
    init(dir);
    std::fs::write(dir.join("junk"), "junk").unwrap();
    in_region(dir, &["roster", "verify", "junk"]).failed(4, "junk: ", "sent again");
    let node = FakeNode::new(&[]);
    let junk = dir.join("junk");
    node.smp(&["roster", "publish", junk.to_str().unwrap()])
        .failed(4, "junk: ", "");
    assert!(node.asked().is_empty());
    let readers = ["readers", "propose", "E08000021", "E08000037"];
    in_region(dir, &readers).failed(4, "E08000021 is not a member", "smp member list");
    let pool = [
        "readers",
        "propose",
        "rematching-pool/E08000021",
        "E08000037",
    ];
    assert_eq!(in_region(dir, &pool).code, 2);
}
