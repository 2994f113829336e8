//! What `smp` asks a node, what it prints of the answers, and how it fails.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use common::{FakeNode, run, smp};
use serde_json::{Value, json};

fn document(agreement: &str) -> Value {
    json!({
        "document": "host-register/E08000021", "council_name": "Newcastle upon Tyne",
        "role": "owner", "records": 12, "entries": 14, "generation": 0,
        "frontier": "ab", "heads": ["h1", "h2"], "agreement": agreement,
        "as_of": "2026-04-01T11:58:00Z", "unreplicated": 3,
        "peers": [{"council": "E08000037", "node": "0a", "agreement": "differs", "as_of": null}],
        "why": "Gateshead has not answered", "next": "smp peers"
    })
}

fn peer() -> Value {
    json!({
        "council": "E08000037", "council_name": "Gateshead\u{1b}[2J", "node": "0123456789abcdef",
        "endpoint": "192.0.2.7:7443", "state": "unreachable", "since": "2026-04-01T09:00:00Z",
        "shared": 4, "in_agreement": 3, "as_of": null, "why": "no answer",
        "next": "telephone its IT", "bytes_sent": 120, "bytes_received": 20000
    })
}

fn status(documents: &[Value], advice: &[Value]) -> Value {
    json!({
        "council": "E08000021", "council_name": "Newcastle upon Tyne", "region": "north-east",
        "node": "0011", "version": "0.1.0", "started": "2026-04-01T10:00:00Z",
        "now": "2026-04-01T12:00:00Z",
        "roster": {"version": 3, "state": "valid", "issued": "2026-03-30T12:00:00Z",
            "expires": "2027-04-30T12:00:00Z", "members": 12, "authority": "1234"},
        "store": {"engine": "redb", "caveats": []},
        "peers": [peer()], "documents": documents, "refused": {"bad_signature": 2},
        "advice": advice
    })
}

fn host() -> Value {
    json!({
        "id": "host-aebagbafaydqqcikbmga2dqp", "council": "E08000021",
        "council_name": "Newcastle upon Tyne",
        "fields": {"status": ["paused", "ready"], "accommodation_type": ["sponsor"]},
        "conflicts": ["status"]
    })
}

#[test]
fn status_says_how_it_is_then_what_to_do_then_the_rest() {
    let advice = json!({"problem": "the disk is nearly full", "next": "df -h"});
    let status = status(&[document("behind")], &[advice]);
    let node = FakeNode::new(&[("GET /v1/status", status)]);
    let text = node.smp(&["status"]).ok().out;
    let places = [
        "Newcastle upon Tyne: 1 of 1 documents are not in agreement, 1 thing needs attention",
        "roster version 3, valid, signed 2 days ago, expires in 394 days; 12 member councils",
        "the disk is nearly full",
        "next: df -h",
        "unreachable",
        "host-register/E08000021",
        "2 min ago",
        "bad_signature 2",
    ]
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}")));
    assert!(places.is_sorted(), "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "no colour, and none of a peer's codes: {text}"
    );
    let table = text.lines().skip_while(|line| !line.contains("State"));
    assert!(
        table.take(9).all(|line| line.chars().count() <= 120),
        "{text}"
    );
}

#[test]
fn check_is_for_monitoring() {
    let good = status(&[document("agreed")], &[]);
    let node = FakeNode::new(&[("GET /v1/status", good)]);
    assert!(
        node.smp(&["status", "--check"])
            .ok()
            .out
            .contains("all is well")
    );
    // A word that this build does not know is not taken for agreement.
    for agreement in ["behind", "not_confirmed", "never_heard", "of_the_future"] {
        let node = FakeNode::new(&[("GET /v1/status", status(&[document(agreement)], &[]))]);
        node.smp(&["status"]).ok();
        node.smp(&["status", "--check"]).failed(
            5,
            "1 of 1 documents are not in agreement",
            "smp status",
        );
    }
    let mut expired = status(&[], &[]);
    expired["roster"]["state"] = json!("expired");
    let node = FakeNode::new(&[("GET /v1/status", expired)]);
    node.smp(&["status", "--check"])
        .failed(5, "the roster is expired", "");
}

#[test]
fn json_is_the_api_as_it_is() {
    let status = status(&[document("agreed")], &[]);
    let peers = json!([peer()]);
    let documents = json!([document("behind")]);
    let hosts = json!([host()]);
    let node = FakeNode::new(&[
        ("GET /v1/status", status.clone()),
        ("GET /v1/peers", peers.clone()),
        ("GET /v1/documents", documents.clone()),
        ("GET /v1/records/host", hosts.clone()),
        ("GET /v1/records/place", json!([])),
        ("GET /v1/records/request", json!([])),
        ("GET /v1/record/host-aebagbafaydqqcikbmga2dqp", host()),
    ]);
    let id = "host-aebagbafaydqqcikbmga2dqp";
    for (words, expected) in [
        (vec!["status"], status),
        (vec!["peers"], peers),
        (vec!["documents"], documents),
        (vec!["hosts", "list"], hosts),
        (vec!["hosts", "show", id], host()),
        (vec!["pool", "list"], json!([])),
    ] {
        let words = [words, vec!["--output", "json"]].concat();
        assert_eq!(node.smp(&words).ok().json(), expected, "{words:?}");
    }
}

#[test]
fn csv_has_the_same_names_as_json() {
    let node = FakeNode::new(&[
        ("GET /v1/peers", json!([peer()])),
        ("GET /v1/documents", json!([document("behind")])),
        ("GET /v1/records/host?council=E08000021", json!([host()])),
        ("GET /v1/status", status(&[], &[])),
    ]);
    let done = node.smp(&["documents", "-o", "csv"]).ok();
    assert_eq!(
        done.out,
        "document,council_name,role,records,entries,generation,frontier,heads,agreement,as_of,\
         unreplicated,why,next\n\
         host-register/E08000021,Newcastle upon Tyne,owner,12,14,0,ab,h1;h2,behind,\
         2026-04-01T11:58:00Z,3,Gateshead has not answered,smp peers\n"
    );
    let item = peer();
    let heads = node.smp(&["peers", "-o", "csv"]).ok().out;
    let heads: Vec<&str> = heads.lines().next().unwrap().split(',').collect();
    assert_eq!(heads.len(), item.as_object().unwrap().len());
    assert!(
        heads.iter().all(|name| item.get(name).is_some()),
        "{heads:?}"
    );
    let words = ["hosts", "list", "--council", "E08000021", "-o", "csv"];
    let hosts = node.smp(&words).ok().out;
    assert!(hosts.contains("paused | ready"), "{hosts}");
    let status = node.smp(&["status", "-o", "csv"]).ok().out;
    assert!(status.contains("\nroster.version,3\n"), "{status}");
}

#[test]
fn a_conflict_is_shown_with_both_values() {
    let node = FakeNode::new(&[("GET /v1/records/host", json!([host()]))]);
    let text = node.smp(&["hosts", "list"]).ok().out;
    assert!(text.contains("paused | ready (!)"), "{text}");
    assert!(text.contains("1 with a conflict (!): settle it"), "{text}");
    let id = "host-aebagbafaydqqcikbmga2dqp";
    assert!(text.contains(id), "an id is never broken in two: {text}");
}

#[test]
fn a_place_is_made_from_options_named_like_its_fields() {
    let stored = json!({"records": ["place-aebagbafaydqqcikbmga2dqp"], "held_by": 0});
    let node = FakeNode::new(&[("POST /v1/records/place", stored)]);
    let line = "pool place --rooms 2 --people 4 --accommodation-type sponsor --area E08000021 \
                --available-from 2026-12-01 --step-free-access --allow-pet no --set \
                postcode-district=NE6";
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let text = node.smp(&words).ok().out;
    assert!(text.contains("place-aebagbafaydqqcikbmga2dqp"), "{text}");
    assert!(
        text.contains("no other node is known to hold it yet"),
        "{text}"
    );
    let sent: Value = serde_json::from_slice(&node.asked()[0].body).unwrap();
    let expected = json!({"replicated": false, "fields": {
        "rooms": "2", "people": "4", "accommodation_type": "sponsor", "area": "E08000021",
        "available_from": "2026-12-01", "step_free_access": "yes", "allow_pet": "no",
        "postcode_district": "NE6", "state": "open"
    }});
    assert_eq!(sent, expected);
    // Asked to be held elsewhere and not: stored, and still not what was asked for.
    node.smp(&[words, vec!["--replicated"]].concat()).failed(
        5,
        "no other node holds it yet",
        "smp peers",
    );
    let sent: Value = serde_json::from_slice(&node.asked()[1].body).unwrap();
    assert_eq!(sent["replicated"], json!(true));
}

#[test]
fn what_is_typed_wrongly_is_refused_before_the_node_is_asked() {
    let node = FakeNode::new(&[]);
    let id = "place-aebagbafaydqqcikbmga2dqp";
    node.smp(&["pool", "place", "--rooms", "1"]).failed(
        2,
        "a place also needs --people",
        "smp pool place --help",
    );
    let wrong = ["pool", "place", "--rooms", "1", "--people", "99"];
    let done = node
        .smp(&wrong)
        .failed(4, "people: expected a whole number", "people");
    assert!(
        !done.err.contains("99"),
        "never what was typed: {}",
        done.err
    );
    node.smp(&["pool", "edit", id, "--set", "colour=red"])
        .failed(4, "a place has no field of that name", "rooms, people");
    node.smp(&["pool", "edit", id, "--set", "rooms="]).failed(
        4,
        "rooms of a place cannot be cleared",
        "",
    );
    node.smp(&["hosts", "edit", id, "--set", "rooms=1"])
        .failed(4, "is a place", "smp pool");
    let set = ["pool", "request", "--people", "2", "--adults", "0"];
    node.smp(&set).failed(2, "--rooms-needed, --urgency", "");
    assert_eq!(node.smp(&["pool", "place", "--rooms"]).code, 2);
    assert_eq!(node.smp(&["hosts", "show", "nobody"]).code, 2);
    assert!(node.asked().is_empty());
}

#[test]
fn an_edit_clears_an_optional_field() {
    let stored = json!({"records": [], "held_by": 2});
    let id = "place-aebagbafaydqqcikbmga2dqp";
    let line = format!("PATCH /v1/record/{id}");
    let node = FakeNode::new(&[(line.as_str(), stored)]);
    let words = [
        "pool",
        "edit",
        id,
        "--set",
        "available_until=",
        "--set",
        "state=closed",
    ];
    assert!(node.smp(&words).ok().out.contains("Nothing changed"));
    let sent: Value = serde_json::from_slice(&node.asked()[0].body).unwrap();
    assert_eq!(
        sent["fields"],
        json!({"available_until": "", "state": "closed"})
    );
}

fn report(problems: Value, applied: bool) -> Value {
    json!({
        "file": "hosts 1.csv", "layout": "template", "rows": 3, "created": 2, "updated": 1,
        "unchanged": 0, "withdrawn": 0, "dropped_columns": ["sponsor_title"],
        "applied": applied, "problems": problems, "held_by": 1
    })
}

#[test]
fn an_import_sends_the_file_and_says_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hosts 1.csv");
    let contents = b"status\nready\n\xff\x00".to_vec();
    std::fs::write(&file, &contents).unwrap();
    let file = file.to_str().unwrap();
    let path = "POST /v1/import/host?file_name=hosts%201.csv";
    let all = format!("{path}&dry_run=true&complete=true&replicated=true");
    let node = FakeNode::new(&[
        (path, report(json!([]), true)),
        (all.as_str(), report(json!([]), false)),
    ]);
    let text = node.smp(&["hosts", "import", file]).ok().out;
    assert!(text.contains("2 created, 1 updated"), "{text}");
    assert!(text.contains("held by 1 other"), "{text}");
    assert_eq!(node.asked()[0].body, contents);
    let words = [
        "hosts",
        "import",
        file,
        "--dry-run",
        "--complete",
        "--replicated",
    ];
    let text = node.smp(&words).ok().out;
    assert!(text.contains("nothing was changed"), "{text}");
}

#[test]
fn an_import_with_problems_shows_them_all_and_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("homes.csv");
    std::fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let problems = json!([
        {"row": 7, "column": "bedrooms", "found": "text", "expected": "a whole number"},
        {"row": null, "column": null, "found": "no heading", "expected": "a heading"}
    ]);
    let path = "POST /v1/import/listing?file_name=homes.csv";
    let node = FakeNode::new(&[(path, report(problems.clone(), false))]);
    let done = node.smp(&["housing", "import", file]);
    let done = done.failed(4, "2 problems; nothing was changed", "smp housing template");
    let row = done
        .out
        .lines()
        .find(|line| line.contains("bedrooms"))
        .unwrap();
    assert!(row.contains('7') && row.contains("a whole number"), "{row}");
    let done = node.smp(&["housing", "import", file, "-o", "json"]);
    assert_eq!((done.code, &done.json()["problems"]), (4, &problems));
    let done = node.smp(&["housing", "import", file, "-o", "csv"]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (
            4,
            "row,column,found,expected\n7,bedrooms,text,a whole number\n,,no heading,a heading\n"
        )
    );
    node.smp(&["housing", "import", "no-such-file.csv"]).failed(
        4,
        "no-such-file.csv",
        "check the path",
    );
}

#[test]
fn readers_are_accepted_and_taken_back() {
    let reader = json!({
        "document": "host-register/E08000021", "council_name": "Newcastle upon Tyne",
        "reader": "E08000037", "reader_name": "Gateshead", "named": true, "accepted": false,
        "next": "smp readers accept E08000037"
    });
    let readers = json!([reader]);
    let node = FakeNode::new(&[
        ("GET /v1/readers", readers.clone()),
        ("POST /v1/readers", readers.clone()),
    ]);
    assert_eq!(
        node.smp(&["readers", "list", "-o", "json"]).ok().json(),
        readers
    );
    node.smp(&["readers", "accept", "E08000037"]).ok();
    node.smp(&["readers", "accept", "E08000037", "--withdraw"])
        .ok();
    let sent = node.asked()[1..].to_vec();
    let sent = sent
        .iter()
        .map(|asked| serde_json::from_slice(&asked.body).unwrap());
    let sent: Vec<Value> = sent.collect();
    assert_eq!(sent[0], json!({"reader": "E08000037", "accept": true}));
    assert_eq!(sent[1], json!({"reader": "E08000037", "accept": false}));
}

#[test]
fn the_nodes_own_words_are_passed_on_and_its_fault_told_from_ours() {
    let error = r#"{"code": "bad_value", "message": "rooms is too many", "next": "use fewer"}"#;
    for (status, code) in [
        (400, 4),
        (404, 4),
        (409, 4),
        (413, 4),
        (500, 1),
        (503, 1),
        (504, 1),
    ] {
        let node = FakeNode::failing("GET /v1/peers", status, error);
        node.smp(&["peers"])
            .failed(code, "rooms is too many", "use fewer");
    }
    for (status, body) in [(500, "<html>"), (200, "[{}]"), (200, "")] {
        let node = FakeNode::failing("GET /v1/peers", status, body);
        node.smp(&["peers"])
            .failed(1, "is not understood", "smp --version");
    }
}

#[test]
fn a_node_that_is_not_there_is_named_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.sock");
    let text = path.to_str().unwrap();
    let ask = || run(smp(&["status", "--socket", text]).env_remove("SMP_SOCKET"));
    ask().failed(3, text, "systemctl status smp-node");
    // A socket whose node died: the file stays, nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    ask().failed(3, text, "smp-node run --config");
    run(smp(&["status"]).env("SMP_SOCKET", text)).failed(3, text, "smp-node");
    // Something that listens and hangs up.
    std::fs::remove_file(&path).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let hang_up = std::thread::spawn(move || drop(listener.accept().unwrap()));
    ask().failed(3, "broke off", "journalctl -u smp-node");
    hang_up.join().unwrap();
}

#[test]
fn a_reader_that_hangs_up_early_is_not_an_error() {
    let node = FakeNode::new(&[("GET /v1/peers", json!([peer()]))]);
    let mut command = smp(&["peers", "--socket"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.arg(node.socket()).stdout(writer);
    let done = run(&mut command);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn a_template_is_printed_as_it_is() {
    let node = FakeNode::failing("GET /v1/template/host", 200, "status,ltla\r\n");
    let done = node.smp(&["hosts", "template"]).ok();
    assert_eq!(done.out, "status,ltla\r\n");
}
