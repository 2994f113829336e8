//! Everything that is listed goes into a file, and records come back from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, Region, free_ports};

const OWNER: &str = "E08000021";
const OTHER: &str = "E08000037";

/// Every command that lists, with its words.
const LISTS: [&[&str]; 15] = [
    &["hosts", "list"],
    &["pool", "list"],
    &["pool", "list", "places"],
    &["pool", "list", "requests"],
    &["pool", "list", "contacts"],
    &["pool", "suggest"],
    &["housing", "list"],
    &["housing", "homes"],
    &["housing", "interests"],
    &["cases", "list"],
    &["checks", "list"],
    &["checks", "due"],
    &["checks", "hosts"],
    &["documents"],
    &["peers"],
];

fn written() -> Region {
    let mut region = Region::of(&[OWNER, OTHER]);
    region.start_all();
    let hosts = "reference,accommodation_type,status,languages,availability_start_date,full_name\n\
                 N-1,sponsor,checking,uk;en,2026-12-01,Zebulon Fictional\n\
                 =N-2,sponsor,paused,,,\n";
    let homes = "reference,tenure,area,bedrooms,rent_pence_per_month,nominations_open_to,landlord\n\
                 H-1,private_rented,E08000021,2,65000,region,Zebulon Fictional\n";
    let places = "reference,rooms,people,area\nP-1,1,2,E08000021\nP-2,2,3,E08000021\n";
    let (owner, other) = (&region[OWNER], &region[OTHER]);
    let file = |name: &str, text: &str| region.file(name, text);
    owner
        .smp(&["hosts", "import", &file("hosts.csv", hosts)])
        .ok();
    owner
        .smp(&["housing", "import", &file("homes.csv", homes)])
        .ok();
    owner
        .smp(&["pool", "import", "place", &file("places.csv", places)])
        .ok();
    let host = owner.list(&["hosts", "list"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    owner
        .smp(&["checks", "start", &host, "dbs", "sponsor_contact"])
        .ok();
    owner
        .smp(&["pool", "contact", "--mailbox", "placements@example.org"])
        .ok();
    let request = [
        "--people",
        "1",
        "--adults",
        "1",
        "--rooms-needed",
        "1",
        "--urgency",
        "soon",
    ];
    other
        .smp(&[&["pool", "request"], &request[..]].concat())
        .ok();
    region.wait_agreed(AGREEMENT);
    let first = |list: &[&str]| other.list(list)[0]["id"].as_str().unwrap().to_owned();
    let (place, request) = (
        first(&["pool", "list", "places"]),
        first(&["pool", "list", "requests"]),
    );
    other.json(&["cases", "propose", &request, &place]);
    other.json(&[
        "housing",
        "interest",
        &first(&["housing", "list"]),
        "--households",
        "1",
    ]);
    region.wait_agreed(AGREEMENT);
    region
}

fn export(node: &Client, list: &[&str], file: &Path) -> String {
    node.smp(&[list, &["--to", file.to_str().unwrap(), "--force"]].concat())
        .ok();
    file.to_str().unwrap().to_owned()
}

#[test]
fn every_list_goes_into_a_file_for_its_owner_alone() {
    let region = written();
    let owner = &region[OWNER];
    let dir = region.dir().join("exports");
    fs::create_dir(&dir).unwrap();
    for list in LISTS {
        for ending in ["csv", "xlsx", "json"] {
            let file = dir.join(format!("{}.{ending}", list.join("-")));
            export(owner, list, &file);
            let metadata = fs::metadata(&file).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{list:?}");
            let bytes = fs::read(&file).unwrap();
            match ending {
                "xlsx" => assert!(bytes.starts_with(b"PK"), "{list:?}"),
                "json" => {
                    let file: Value = serde_json::from_slice(&bytes).unwrap();
                    assert_eq!(file.is_array(), list != ["pool", "suggest"], "{list:?}");
                }
                _ => {
                    let text = String::from_utf8(bytes).unwrap();
                    let rows = text.lines().count();
                    assert!(rows > 1, "{list:?} lists nothing: {text}");
                    assert!(!text.contains("Zebulon"), "{list:?}");
                }
            }
        }
    }
    let left = fs::read_dir(&dir).unwrap().count();
    assert_eq!(left, LISTS.len() * 3, "nothing else is left");
}

/// Imports a file, and gives how many were made, changed and left.
fn import(node: &Client, noun: &[&str], file: &str) -> [u64; 3] {
    let done = node.json(&[noun, &[file]].concat());
    assert_eq!(done["layout"], "export");
    ["created", "updated", "unchanged"].map(|key| done[key].as_u64().unwrap())
}

#[test]
fn an_export_of_records_is_imported_again() {
    let region = written();
    let (owner, other) = (&region[OWNER], &region[OTHER]);
    let at = |name: &str| region.dir().join(name);
    for (list, noun, count) in [
        (&["hosts", "list"][..], &["hosts", "import"][..], 2),
        (&["housing", "list"], &["housing", "import"], 1),
        (&["pool", "list", "places"], &["pool", "import", "place"], 2),
    ] {
        let own = [list, &["--council", OWNER]].concat();
        for ending in ["csv", "xlsx"] {
            let file = export(owner, &own, &at(&format!("round.{ending}")));
            assert_eq!(
                import(owner, noun, &file),
                [0, 0, count],
                "{list:?} {ending}"
            );
            let whole = [noun, &["--complete"]].concat();
            assert_eq!(
                import(owner, &whole, &file),
                [0, 0, count],
                "{list:?} {ending}"
            );
        }
    }
    let before = owner.list(&["hosts", "list"]);
    let personal = [
        "hosts",
        "show",
        before[0]["id"].as_str().unwrap(),
        "--personal",
    ];
    let personal = owner.json(&personal)["personal"].to_string();

    // A changed cell changes that field.
    let file = export(
        owner,
        &["housing", "list", "--council", OWNER],
        &at("homes-again.csv"),
    );
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(",65000,", ",64000,")).unwrap();
    assert_eq!(import(owner, &["housing", "import"], &file), [0, 1, 0]);
    let home = &owner.list(&["housing", "list"])[0];
    assert_eq!(home["fields"]["rent_pence_per_month"][0], "64000");
    let id = home["id"].as_str().unwrap();
    let shown = owner.json(&["housing", "show", id, "--personal"]);
    assert_eq!(
        shown["personal"]["landlord"], "Zebulon Fictional",
        "the vault is left alone"
    );
    let hosts = owner.list(&["hosts", "list"]);
    let again = [
        "hosts",
        "show",
        hosts[0]["id"].as_str().unwrap(),
        "--personal",
    ];
    assert_eq!(
        (hosts.len(), owner.json(&again)["personal"].to_string()),
        (2, personal)
    );

    // Nobody imports another council's records as their own.
    let refused = other
        .smp(&["housing", "import", &file, "-o", "json"])
        .exits(4)
        .json();
    assert_eq!(refused["problems"][0]["column"], "id");
    let own = other.list(&["housing", "list", "--council", OTHER]);
    assert!(own.is_empty(), "{own:?}");
}

#[test]
fn a_conflict_is_settled_by_either_value_that_a_file_names() {
    let mut region = Region::of(&[OWNER]);
    let second = Node::init(
        &region.dir().join("second"),
        "north-east",
        OWNER,
        free_ports(1)[0],
    );
    region.enrol_and_join(second);
    region.start_all();
    let text = "reference,tenure,bedrooms,rent_pence_per_month\nH-1,social_rented,2,50000\n";
    let file = region.file("homes.csv", text);
    region.nodes[0].smp(&["housing", "import", &file]).ok();
    region.wait_agreed(AGREEMENT);
    let id = region.nodes[1].list(&["housing", "list"])[0]["id"].clone();
    let id = id.as_str().unwrap();
    for (round, values) in [["61000", "62000"], ["63000", "64000"]]
        .into_iter()
        .enumerate()
    {
        let [first, last] = values;
        let named = values[round];
        // Each is changed while the other is down.
        for (number, rent) in values.into_iter().enumerate() {
            let running = region.nodes.iter_mut().filter(|node| node.pid().is_some());
            running.for_each(Node::stop);
            region.nodes[number].start();
            let rent = format!("rent_pence_per_month={rent}");
            region.nodes[number].json(&["housing", "edit", id, "--set", &rent]);
        }
        region.nodes[0].start();
        region.wait_agreed(AGREEMENT);
        let node = &region.nodes[round];
        let list = ["housing", "list"];
        let listed = node.list(&list);
        assert_eq!(listed[0]["conflicts"][0], "rent_pence_per_month");
        let file = export(node, &list, &region.dir().join("conflict.csv"));
        let refused = node.smp(&["housing", "import", &file, "-o", "json"]);
        let refused = refused.exits(4).json();
        let expected = refused["problems"][0]["expected"].as_str().unwrap();
        assert!(expected.contains("to settle it"), "{expected}");
        let text = fs::read_to_string(&file).unwrap();
        let both = [format!("{first} | {last}"), format!("{last} | {first}")];
        let settled = both
            .iter()
            .fold(text, |text, both| text.replace(both, named));
        fs::write(&file, settled).unwrap();
        assert_eq!(
            import(node, &["housing", "import"], &file),
            [0, 1, 0],
            "{named}"
        );
        let home = &node.list(&list)[0];
        assert_eq!(home["conflicts"], Value::Array(Vec::new()), "{named}");
        assert_eq!(home["fields"]["rent_pence_per_month"][0], *named);
        region.wait_agreed(AGREEMENT);
    }
}
