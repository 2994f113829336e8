//! `--replicated`: done only once another node has it on its disk, and otherwise it says so.

use std::process::Stdio;
use std::time::{Duration, Instant};

use system_tests::harness::{Region, command, until, wait};

const NEWCASTLE: &str = "E08000021";
const GATESHEAD: &str = "E08000037";
const OFFER: [&str; 6] = ["pool", "place", "--rooms", "1", "--people", "2"];
const OFFER_REPLICATED: [&str; 7] = [
    "pool",
    "place",
    "--rooms",
    "1",
    "--people",
    "2",
    "--replicated",
];

fn places(region: &Region, council: &str) -> usize {
    region[council].list(&["pool", "list", "places"]).len()
}

#[test]
fn a_replicated_write_is_on_another_nodes_disk() {
    let mut region = Region::of(&[NEWCASTLE, GATESHEAD]);
    region[NEWCASTLE].start();
    let alone = region[NEWCASTLE].json(&OFFER);
    assert_eq!(alone["held_by"], 0, "{alone:#}");

    // With nobody there it waits; the write itself is done.
    let mut offer = command("smp", &["--output", "json", "--socket"]);
    offer.arg(&region[NEWCASTLE].socket).args(OFFER_REPLICATED);
    let mut offer = offer.stdout(Stdio::piped()).spawn().unwrap();
    until(wait::START, "both places are stored", || {
        let stored = places(&region, NEWCASTLE);
        (stored == 2).then_some(()).ok_or(format!("{stored}"))
    });
    assert!(offer.try_wait().unwrap().is_none(), "nobody holds it yet");

    region[GATESHEAD].start();
    let done = offer.wait_with_output().unwrap();
    // The author is lost in the same moment, and the other node with all that it had in memory.
    region[NEWCASTLE].kill();
    region[GATESHEAD].kill();
    assert!(done.status.success(), "{done:?}");
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["held_by"], 1, "{told:#}");
    region[GATESHEAD].start();
    assert_eq!(places(&region, GATESHEAD), 2);
}

#[test]
fn where_nobody_can_hold_it_that_is_said_and_the_write_stays() {
    let mut region = Region::of(&[NEWCASTLE, GATESHEAD]);
    region[NEWCASTLE].start();
    // Its bundle is older than Gateshead's enrolment, and Gateshead is not there to say so.
    let authority = region.authority();
    let publish = [
        "roster",
        "publish",
        "--region-dir",
        authority.to_str().unwrap(),
    ];
    region[NEWCASTLE].smp(&publish).ok();
    let begun = Instant::now();
    let ran = region[NEWCASTLE].smp(&OFFER_REPLICATED).exits(5);
    assert!(begun.elapsed() > Duration::from_secs(10), "it did not wait");
    for part in [
        "stored on this node",
        "no other node holds it yet",
        "smp peers",
    ] {
        assert!(ran.err.contains(part), "lacks {part}: {ran:#?}");
    }
    assert_eq!(places(&region, NEWCASTLE), 1);
    let status = region[NEWCASTLE].json(&["status"]);
    let pool = format!("rematching-pool/{NEWCASTLE}");
    let mut documents = status["documents"].as_array().unwrap().iter();
    let document = documents
        .find(|document| document["document"] == *pool)
        .unwrap();
    assert_eq!(document["unreplicated"], 1, "{document:#}");
    assert_eq!(document["agreement"], "not_confirmed", "{document:#}");
    let mut advice = status["advice"].as_array().unwrap().iter();
    let only_here = |advice: &serde_json::Value| {
        let problem = advice["problem"].as_str().unwrap();
        problem.contains(&pool) && problem.contains("on this node only")
    };
    assert!(advice.any(only_here), "{status:#}");
}
