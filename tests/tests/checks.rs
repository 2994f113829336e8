//! A host's check fails while one of its places is open and another is held for a household.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use serde_json::Value;
use smp_protocol::ids::RecordId;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, Region, until};

const HOST: &str = "E08000021";
const GUEST: &str = "E08000037";

fn new(node: &Client, what: &[&str]) -> String {
    let stored = node.json(what);
    stored["records"][0].as_str().unwrap().to_owned()
}

fn until_state(node: &Client, place: &str, wanted: &str) {
    until(AGREEMENT, &format!("{place} is {wanted}"), || {
        let place = node.json(&["pool", "show", place]);
        let is = place["fields"]["state"][0] == *wanted;
        is.then_some(()).ok_or_else(|| place.to_string())
    });
}

fn advice(node: &Client) -> Vec<Value> {
    node.json(&["status"])["advice"].as_array().unwrap().clone()
}

#[test]
fn a_failed_check_closes_what_is_open_and_names_what_is_held() {
    let mut region = Region::of(&[HOST, GUEST]);
    region.start_all();
    region.wait_agreed(AGREEMENT);
    let file = region.file("hosts.csv", "reference,accommodation_type\nH-1,sponsor\n");
    let (hosts, guests) = (&region[HOST], &region[GUEST]);
    hosts.smp(&["hosts", "import", &file]).ok();
    let host = hosts.list(&["hosts", "list"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let place = ["pool", "place", "--rooms", "1", "--people", "2"];
    let of_host = [&place[..], &["--host", &host]].concat();
    let (open, held) = (new(hosts, &of_host), new(hosts, &of_host));
    let of_nobody = new(hosts, &place);
    let request = ["pool", "request", "--people", "1", "--adults", "1"];
    let request = [&request[..], &["--rooms-needed", "1", "--urgency", "soon"]].concat();
    let request = new(guests, &request);
    region.wait_agreed(AGREEMENT);
    let case = guests.json(&["cases", "propose", &request, &held]);
    let case = case["case"]["id"].as_str().unwrap();
    until(AGREEMENT, "the proposal arrives", || {
        let cases = hosts.list(&["cases", "list"]);
        (cases.len() == 1)
            .then_some(())
            .ok_or_else(|| format!("{cases:?}"))
    });
    hosts.json(&["cases", "hold", case]);

    let check = new(hosts, &["checks", "start", &host, "accommodation_exists"]);
    for place in [&open, &of_nobody] {
        until_state(hosts, place, "open");
    }
    hosts.smp(&["checks", "record", &check, "failed"]).ok();
    until_state(guests, &open, "closed");
    until_state(hosts, &held, "held");
    until_state(hosts, &of_nobody, "open");
    let said = advice(hosts);
    let named = |one: &&Value| one["problem"].as_str().unwrap().contains(&held);
    let one = said
        .iter()
        .find(named)
        .unwrap_or_else(|| panic!("{said:#?}"));
    let next = one["next"].as_str().unwrap();
    assert!(next.contains("Gateshead") && next.contains(&host), "{next}");

    // Once it is let go it is not offered again.
    hosts.json(&["cases", "release", case, "--reason", "unsuitable_sponsor"]);
    until_state(guests, &held, "closed");
    assert!(!advice(hosts).iter().any(|one| named(&one)));

    // A new check settles nothing before it has come to something; one made in error counts for nothing.
    let lacks = || hosts.list(&["checks", "hosts", &host])[0]["lacks"].to_string();
    new(hosts, &["checks", "start", &host, "accommodation_exists"]);
    assert!(
        lacks().contains("accommodation_exists failed"),
        "{}",
        lacks()
    );
    hosts.smp(&["checks", "withdraw", &check]).ok();
    assert!(!lacks().contains("failed"), "{}", lacks());

    // Of a host that is not there neither a check nor a place is made.
    let nobody = format!("host-{}", "a".repeat(24));
    for wrong in [
        vec!["checks", "hosts", &nobody],
        vec!["checks", "start", &nobody, "dbs"],
        [&place[..], &["--host", &nobody]].concat(),
    ] {
        let refused = hosts.smp(&wrong).exits(4).err;
        let said = refused.contains(&nobody) && refused.contains("smp hosts list");
        assert!(said, "{refused}");
    }

    // Whose the places are, this council's vault says and nothing else.
    let shown = hosts.smp(&["pool", "show", &open, "--personal"]).ok().out;
    assert!(shown.contains(&host), "{shown}");
    let id = host.parse::<RecordId>().unwrap();
    let holds = |dir: &Path| {
        let files = fs::read_dir(dir.join("data"))
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut bytes = files
            .filter(|path| path.is_file())
            .map(|path| fs::read(path).unwrap());
        let has = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
        bytes.any(|bytes| has(&bytes, host.as_bytes()) || has(&bytes, &id.to_bytes()))
    };
    let dirs = [HOST, GUEST].map(|council| region[council].dir.clone());
    region.nodes.iter_mut().for_each(Node::stop);
    assert!(holds(&dirs[0]), "the search finds nothing where it is");
    assert!(!holds(&dirs[1]));
}

#[test]
fn a_region_sets_by_when_a_check_should_be_done() {
    let mut region = Region::of(&[HOST]);
    region.start_all();
    let file = region.file("hosts.csv", "reference,accommodation_type\nH-1,sponsor\n");
    region[HOST].smp(&["hosts", "import", &file]).ok();
    let host = region[HOST].list(&["hosts", "list"])[0]["id"].clone();
    let host = host.as_str().unwrap();
    let due_on = |check: &str| {
        let start = ["checks", "start", host, check, "--on", "2026-12-01"];
        let id = new(&region[HOST], &start);
        let checks = region[HOST].list(&["checks", "list"]);
        let found = checks.iter().find(|one| one["id"] == *id).unwrap();
        found["due_on"].clone()
    };
    let kinds = ["accommodation_exists", "sponsor_contact", "welfare_visit"];
    assert_eq!(
        kinds.map(due_on),
        ["2026-12-08".into(), "2026-12-03".into(), Value::Null]
    );

    let roster = region.dir().join("targets.roster");
    let roster = roster.to_str().unwrap();
    let wrong = ["region", "targets", "--set", "welfare_visit=400"];
    let wrong = region.admin(&wrong).exits(2).err;
    assert!(wrong.contains("1 to 366 days"), "{wrong}");
    let set = [
        "--set",
        "accommodation_exists=14",
        "--set",
        "welfare_visit=90",
    ];
    let none = ["--none", "sponsor_contact", "--out", roster];
    region
        .admin(&[&["region", "targets"], &set[..], &none].concat())
        .ok();
    region[HOST].smp(&["roster", "publish", roster]).ok();
    assert_eq!(
        kinds.map(due_on),
        ["2026-12-15".into(), Value::Null, "2027-03-01".into()]
    );
    let shown = region[HOST].json(&["checks", "targets"]);
    let own = shown
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["by"] == "region");
    assert_eq!(own.count(), 3, "{shown}");
}

#[test]
fn what_became_of_a_host_is_shown_with_who_and_when_also_of_a_neighbour() {
    let mut region = Region::of(&[HOST, GUEST]);
    region.start_all();
    region.wait_agreed(AGREEMENT);
    region.open_register(HOST, GUEST);
    let file = region.file("hosts.csv", "reference,accommodation_type\nH-1,sponsor\n");
    region[HOST].smp(&["hosts", "import", &file]).ok();
    let host = region[HOST].list(&["hosts", "list"])[0]["id"].clone();
    let host = host.as_str().unwrap();
    let capacity = |to: &str| {
        let set = format!("current_capacity={to}");
        region[HOST]
            .smp(&["hosts", "edit", host, "--set", &set])
            .ok();
    };
    capacity("4");
    let check = new(&region[HOST], &["checks", "start", host, "dbs"]);
    capacity("");
    region.wait_agreed(AGREEMENT);
    let history = |council: &str| region[council].list(&["hosts", "history", host]);
    let told = history(HOST);
    let what = |one: &Value| (one["what"].clone(), one["record"].clone());
    let (created, changed) = (Value::from("created"), Value::from("changed"));
    let steps: Vec<_> = told.iter().map(what).collect();
    let (host_id, check_id) = (Value::from(host), Value::from(check));
    let wanted = [
        (created.clone(), host_id.clone()),
        (changed.clone(), host_id.clone()),
        (created, check_id),
        (changed, host_id),
    ];
    assert_eq!(steps, wanted);
    assert_eq!(told[1]["fields"]["current_capacity"], "4");
    assert_eq!(told[3]["fields"]["current_capacity"], Value::Null);
    assert!(
        told.iter()
            .all(|one| one["council"] == HOST && one["came"].is_string())
    );
    // A reader has the same, with when it came there; after a start as before.
    let same = |council: &str| {
        let mut all = history(council);
        for one in &mut all {
            one["came"] = Value::Null;
        }
        all
    };
    assert_eq!(same(GUEST), same(HOST));
    region[HOST].stop();
    region[HOST].start();
    assert_eq!(region[HOST].list(&["hosts", "history", host]), told);
    // It may read of the host, and offers no place at it.
    let place = [
        "pool", "place", "--rooms", "1", "--people", "1", "--host", host,
    ];
    let theirs = region[GUEST].smp(&place).exits(4).err;
    assert!(theirs.contains("register of Newcastle"), "{theirs}");
    let nobody = format!("host-{}", "a".repeat(24));
    let unknown = region[GUEST]
        .smp(&["hosts", "history", &nobody])
        .exits(4)
        .err;
    assert!(unknown.contains("smp hosts list"), "{unknown}");
}
