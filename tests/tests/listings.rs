//! What scripts rely on: `smp … --output json` parses and keeps its shape, for every command
//! that lists, with real nodes. A changed key here is a change for whoever reads the JSON.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;
use system_tests::harness::{Node, Region, wait};

const NEWCASTLE: &str = "E08000021";
const GATESHEAD: &str = "E08000037";

const RECORD: &str = "conflicts council council_name fields id";
const STORED: &str = "held_by records";
const IMPORTED: &str = "applied created dropped_columns file held_by layout problems rows \
                        unchanged updated withdrawn";
const ROSTER: &str = "authority expires issued members state version";
const ROSTER_VIEW: &str = "members region schema status targets title";
const MEMBER: &str = "council council_name decider endpoints node";
const READER: &str = "accepted council_name document named next reader reader_name";
const PEER: &str = "as_of bytes_received bytes_sent council council_name endpoint in_agreement \
                    next node shared since state why";
const DOCUMENT: &str = "agreement as_of council_name document entries frontier generation heads \
                        next peers records role unreplicated why";
const HOME: &str = "above_allowance_pence_per_month area available_from available_until bedrooms \
                    council council_name households id interested \
                    local_housing_allowance_pence_per_month nominations offered_to open_to_you own \
                    rent_pence_per_month state tenure why_not";
const INDICATORS: &str = "figures on round threshold";
const FIGURE: &str = "council council_name indicator month status unit value";
const STATUS: &str = "advice council council_name documents node now peers refused region roster \
                      started store version";

/// The keys of an object, in order.
#[track_caller]
fn keys(value: &Value) -> String {
    let object = value.as_object();
    let object = object.unwrap_or_else(|| panic!("not an object: {value:#}"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys.join(" ")
}

/// Insists that a list has elements, and each these keys.
#[track_caller]
fn rows(list: &Value, wanted: &str) {
    let rows = list.as_array();
    let rows = rows.unwrap_or_else(|| panic!("not an array: {list:#}"));
    assert!(!rows.is_empty(), "an empty list shows no shape");
    for row in rows {
        assert_eq!(keys(row), wanted, "{row:#}");
    }
}

/// Writes one record of each kind, and looks at what is said of that.
fn write(region: &Region, node: &Node) {
    let hosts = "reference,accommodation_type,status,full_name\nN-1,sponsor,checking,Ada Example\n";
    let hosts = region.file("hosts.csv", hosts);
    let homes = "reference,tenure,area,bedrooms,maximum_household,state\n\
                 H-1,social_rented,E08000021,2,4,available\n";
    let homes = region.file("homes.csv", homes);
    assert_eq!(
        keys(&node.json(&["hosts", "import", &hosts, "--dry-run"])),
        IMPORTED
    );
    assert_eq!(keys(&node.json(&["hosts", "import", &hosts])), IMPORTED);
    assert_eq!(keys(&node.json(&["housing", "import", &homes])), IMPORTED);
    let place = ["pool", "place", "--rooms", "1", "--people", "2"];
    let request = [
        "pool",
        "request",
        "--people",
        "3",
        "--adults",
        "1",
        "--rooms-needed",
        "2",
    ];
    let request = [&request[..], &["--urgency", "soon"]].concat();
    let contact = ["pool", "contact", "--mailbox", "placements@example.org"];
    for written in [&place[..], &request, &contact] {
        assert_eq!(keys(&node.json(written)), STORED);
    }

    let bad = region.file(
        "bad.csv",
        "reference,accommodation_type,status\nN-1,castle,checking\n",
    );
    let refused = node
        .smp(&["hosts", "import", &bad, "--output", "json"])
        .exits(4)
        .json();
    assert_eq!(keys(&refused), IMPORTED);
    rows(&refused["problems"], "column expected found row");
}

#[test]
fn json_of_a_node_keeps_its_shape() {
    let mut region = Region::of(&[NEWCASTLE, GATESHEAD]);
    region.start_all();
    for list in [
        ["hosts", "list"],
        ["pool", "list"],
        ["housing", "list"],
        ["readers", "list"],
    ] {
        assert_eq!(
            region[NEWCASTLE].json(&list),
            Value::Array(Vec::new()),
            "{list:?}"
        );
    }
    region.open_register(NEWCASTLE, GATESHEAD);
    write(&region, &region[NEWCASTLE]);
    region.wait_agreed(wait::AGREEMENT);

    for node in &region.nodes {
        for kind in ["places", "requests", "contacts"] {
            rows(&node.json(&["pool", "list", kind]), RECORD);
        }
        for list in [["hosts", "list"], ["pool", "list"], ["housing", "list"]] {
            rows(&node.json(&list), RECORD);
        }
        rows(&node.json(&["housing", "homes"]), HOME);
        let indicators = node.json(&["indicators"]);
        assert_eq!(keys(&indicators), INDICATORS);
        rows(&indicators["figures"], FIGURE);
        let host = &node.json(&["hosts", "list"])[0];
        let id = host["id"].as_str().unwrap();
        assert_eq!(node.json(&["hosts", "show", id]), *host);
        for (field, values) in host["fields"].as_object().unwrap() {
            let values = values.as_array().unwrap();
            assert!(values.iter().all(Value::is_string), "{field}: {values:?}");
        }
        rows(&node.json(&["readers", "list"]), READER);
        rows(&node.json(&["peers"]), PEER);
        rows(&node.json(&["documents"]), DOCUMENT);
        let status = node.json(&["status"]);
        assert_eq!(keys(&status), STATUS);
        assert_eq!(keys(&status["roster"]), ROSTER);
        assert_eq!(keys(&status["store"]), "caveats engine");
        rows(&status["peers"], PEER);
        rows(&status["documents"], DOCUMENT);
        let roster = node.json(&["roster", "show"]);
        assert_eq!(keys(&roster), ROSTER_VIEW);
        assert_eq!(keys(&roster["status"]), ROSTER);
        rows(&roster["members"], MEMBER);
        rows(&roster["targets"], "by check days done_by");
    }
    let host = &region[NEWCASTLE].json(&["hosts", "list"])[0];
    let show = ["hosts", "show", host["id"].as_str().unwrap(), "--personal"];
    let with_personal = region[NEWCASTLE].json(&show);
    assert_eq!(with_personal["personal"]["full_name"], "Ada Example");
}

#[test]
fn json_of_the_region_directory_keeps_its_shape() {
    let region = Region::of(&[NEWCASTLE, GATESHEAD]);
    let json = |args: &[&str]| {
        region
            .admin(&[args, &["--output", "json"]].concat())
            .ok()
            .json()
    };
    for view in [json(&["region", "show"]), json(&["roster", "verify"])] {
        assert_eq!(keys(&view), ROSTER_VIEW);
        assert_eq!(keys(&view["status"]), ROSTER);
        rows(&view["members"], MEMBER);
    }
    rows(&json(&["member", "list"]), MEMBER);
    let out = region.dir().join("next.roster");
    let renewed = json(&["roster", "renew", "--out", out.to_str().unwrap()]);
    assert_eq!(keys(&renewed), ROSTER_VIEW);
}
