//! Indicators of a region with real nodes: what is suppressed, what is missing, and that nodes
//! agree about what all of them can read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use serde_json::Value;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Region, until};

const MANY: &str = "E08000021";
const FEW: &str = "E08000037";
const SILENT: &str = "E08000024";

/// Figures by council (`region` for none) and indicator: the value, or the word for why not.
fn figures(node: &Client, options: &[&str]) -> BTreeMap<(String, String), Value> {
    let all = node.json(&[&["indicators"], options].concat());
    let of = |figure: &Value| {
        let council = figure["council"].as_str().unwrap_or("region").to_owned();
        let indicator = figure["indicator"].as_str().unwrap().to_owned();
        let shown = match &figure["value"] {
            Value::Null => figure["status"].clone(),
            value => value.clone(),
        };
        ((council, indicator), shown)
    };
    all["figures"].as_array().unwrap().iter().map(of).collect()
}

fn places(count: usize) -> String {
    let rows = (0..count).map(|n| format!("P-{n},1,2\n"));
    format!("reference,rooms,people\n{}", rows.collect::<String>())
}

#[test]
fn suppressed_missing_and_none_are_three_things() {
    let mut region = Region::of(&[MANY, FEW, SILENT]);
    region.start_all();
    let import = |council: &str, text: &str| {
        let file = region.file(&format!("{council}.csv"), text);
        region[council]
            .smp(&["pool", "import", "place", &file])
            .ok();
    };
    import(MANY, &places(23));
    import(FEW, &places(3));
    let hosts = region.file("hosts.csv", "reference,accommodation_type\nH-1,sponsor\n");
    region[MANY].smp(&["hosts", "import", &hosts]).ok();
    region.wait_agreed(AGREEMENT);

    let all = figures(&region[MANY], &[]);
    let of =
        |council: &str, indicator: &str| all[&(council.to_owned(), indicator.to_owned())].clone();
    // The few, and the one council from which they would follow; the total stays.
    assert_eq!(of(FEW, "places"), "suppressed");
    assert_eq!(of(MANY, "places"), "suppressed");
    assert_eq!(of("region", "places"), 25);
    assert_eq!(of("region", "people"), 50);
    assert_eq!(of(SILENT, "places"), "not_submitted");
    assert_eq!(of(MANY, "open_requests"), 0);
    assert_eq!(of("region", "open_requests"), 0);
    assert_eq!(of(MANY, "median_days_to_placement"), "nothing_to_measure");
    assert_eq!(of(MANY, "checks_in_time"), "nothing_to_measure");
    assert_eq!(of(FEW, "median_days_to_placement"), "not_readable");
    assert_eq!(of(FEW, "checks_in_time"), "not_readable");

    // Nodes agree about pools, which all of them read.
    let pools = |council: &str| {
        let mut all = figures(&region[council], &["--threshold", "10", "--round", "10"]);
        all.retain(|(_, indicator), _| {
            ["places", "people", "open_requests"].contains(&indicator.as_str())
        });
        all
    };
    let seen = pools(MANY);
    assert_eq!(seen.len(), 12);
    for council in [FEW, SILENT] {
        assert_eq!(pools(council), seen, "{council}");
    }

    let words = region[MANY].smp(&["indicators"]).ok().out;
    for part in [
        "region, 2 of 3 councils",
        "not submitted",
        "not readable",
        "from 1 to 7",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
    for looser in [["--threshold", "4"], ["--round", "1"]] {
        let said = region[MANY]
            .smp(&[&["indicators"], &looser[..]].concat())
            .exits(4)
            .err;
        assert!(
            said.contains("show too much") && said.contains("docs/INDICATORS.md"),
            "{said}"
        );
    }
    let file = region.dir().join("indicators.csv");
    let to = ["indicators", "--to", file.to_str().unwrap()];
    region[MANY].smp(&to).ok();
    let csv = std::fs::read_to_string(&file).unwrap();
    assert!(csv.contains(",places,places,suppressed,8\n"), "{csv}");
    assert!(!csv.contains(",23,") && !csv.contains(",3,"), "{csv}");
}

#[test]
fn placements_and_checks_are_of_those_who_can_read_them() {
    let mut region = Region::of(&[MANY, FEW]);
    region.start_all();
    region.open_register(MANY, FEW);
    let hosts = region.file("hosts.csv", "reference,accommodation_type\nH-1,sponsor\n");
    let (owner, reader) = (&region[MANY], &region[FEW]);
    owner.smp(&["hosts", "import", &hosts]).ok();
    let host = owner.list(&["hosts", "list"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Sixteen checks due on one day: half of them done by it, half a day late.
    let mut checks = Vec::new();
    for _ in 0..16 {
        let start = [
            "checks",
            "start",
            &host,
            "sponsor_contact",
            "--on",
            "2026-03-02",
        ];
        let stored = owner.json(&start);
        checks.push(stored["records"][0].as_str().unwrap().to_owned());
    }
    for (number, check) in checks.iter().enumerate() {
        let on = if number < 8 {
            "2026-03-04"
        } else {
            "2026-03-05"
        };
        owner.json(&["checks", "record", check, "passed", "--on", on]);
    }
    let place = ["pool", "place", "--rooms", "1", "--people", "2"];
    let place = owner.json(&place)["records"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let request = [
        "pool",
        "request",
        "--people",
        "1",
        "--adults",
        "1",
        "--rooms-needed",
        "1",
    ];
    let request = reader.json(&[&request[..], &["--urgency", "soon"]].concat());
    let request = request["records"][0].as_str().unwrap().to_owned();
    region.wait_agreed(AGREEMENT);
    let month = |node: &Client| figures(node, &["--from", "2026-03", "--on", "2026-04-01"]);
    let share = (MANY.to_owned(), "checks_in_time".to_owned());
    for node in [owner, reader] {
        assert_eq!(month(node)[&share], 50, "{}", node.council);
    }

    let case = reader.json(&["cases", "propose", &request, &place]);
    let case = case["case"]["id"].as_str().unwrap().to_owned();
    let until_stage = |node: &Client, stage: &str| {
        until(AGREEMENT, &format!("{stage} at {}", node.council), || {
            let cases = node.list(&["cases", "list"]);
            let is = cases
                .iter()
                .any(|one| one["id"] == *case && one["stage"] == *stage);
            is.then_some(()).ok_or_else(|| format!("{cases:?}"))
        });
    };
    until_stage(owner, "proposed");
    owner.json(&["cases", "hold", &case]);
    until_stage(reader, "held");
    reader.json(&["cases", "confirm", &case]);
    until_stage(reader, "placed");
    // One placement is too few to say how long it took; its guest's council alone can count it.
    let days = (FEW.to_owned(), "median_days_to_placement".to_owned());
    assert_eq!(figures(reader, &[])[&days], "suppressed");
    assert_eq!(figures(owner, &[])[&days], "not_readable");
    let own = (MANY.to_owned(), days.1.clone());
    assert_eq!(figures(owner, &[])[&own], "nothing_to_measure");
}
