//! Promises 4 and 8 between real processes on a bad network: three councils in network
//! namespaces of their own, every datagram 40 ms late, one in twenty lost, and then one council
//! cut off. Both sides go on writing, `smp status` names on both what is wrong, since when and
//! what to do, and once the cable is back they agree without anybody's help.
//!
//! It needs root and `ip`. Where there is neither it says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod net;

use std::io::Write;
use std::time::Duration;

use net::Net;
use serde_json::{Value, json};
use system_tests::harness::{Client, Random, Region, agreed, name_of, until};

const COUNCILS: [&str; 3] = ["E08000021", "E08000037", "E08000024"];
/// The one that is cut off.
const CUT: usize = 2;

/// Until a round has repaired what was lost: a round, and its repetition.
const ROUNDS: Duration = Duration::from_secs(150);
/// Until a connection over which nothing comes is given up: QUIC's idle time and a dial.
const GIVEN_UP: Duration = Duration::from_secs(240);

/// A line that is shown whether the test passes or not.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "netns: {line}");
}

#[test]
fn a_council_that_is_cut_off_is_named_works_on_and_is_taken_back() {
    let seed = Random::seed("NETNS_SEED");
    let net = match Net::new(COUNCILS.len(), seed) {
        Ok(net) => net,
        Err(why) => return say(&format!("skipped: {why}")),
    };
    say(&format!("NETNS_SEED={seed}"));
    let mut region = region_on(&net);
    region.start_all();

    for council in COUNCILS {
        write(&region[council]);
    }
    region.wait_agreed(ROUNDS);
    for council in COUNCILS {
        wait_well(&region[council]);
    }

    net.set_cable(CUT, false);
    for council in COUNCILS {
        write(&region[council]);
    }
    let connected: Vec<&Client> = (0..CUT).map(|n| &*region[COUNCILS[n]]).collect();
    until(ROUNDS, "those that are connected agree", || {
        agreed(&connected)
    });
    for state in ["silent", "unreachable"] {
        for n in 0..CUT {
            wait_named(
                &region[COUNCILS[n]],
                COUNCILS[CUT],
                &net.endpoint(CUT).to_string(),
                state,
            );
            let endpoint = net.endpoint(n).to_string();
            wait_named(&region[COUNCILS[CUT]], COUNCILS[n], &endpoint, state);
        }
    }
    let alone = region[COUNCILS[CUT]].smp(&["status"]).exits(0).out;
    assert!(alone.contains("connected to 0 of 2 other nodes"), "{alone}");
    assert!(alone.contains("are on this node only"), "{alone}");
    write(&region[COUNCILS[CUT]]);

    net.set_cable(CUT, true);
    region.wait_agreed(ROUNDS);
    for council in COUNCILS {
        wait_well(&region[council]);
        assert_eq!(places(&region[council]), 2 * COUNCILS.len() + 1);
    }
}

/// Nodes that reach one another only over the slow network.
fn region_on(net: &Net) -> Region {
    let mut region = Region::empty();
    for (n, council) in COUNCILS.iter().enumerate() {
        let node = region.init_at(council, net.endpoint(n), net.listen(n));
        region
            .enrol_and_join(node)
            .enter_namespace(net.namespace(n));
    }
    region
}

/// A write is acknowledged by this node alone, whomever it reaches.
fn write(node: &Client) {
    let fields = json!({ "fields": { "rooms": "1", "people": "2", "state": "open" } });
    node.api().post("/v1/records/place", &fields).unwrap().ok();
}

fn places(node: &Client) -> usize {
    node.list(&["pool", "list"]).len()
}

/// Until nothing needs attention any more.
fn wait_well(node: &Client) {
    let what = "all is well";
    node.wait_status(ROUNDS, what, |status| {
        let connected = |peer: &Value| peer["state"] == "connected";
        let peers = status["peers"].as_array().unwrap().iter().all(connected);
        let advice = status["advice"].as_array().unwrap();
        (peers && advice.is_empty()).then_some(())
    });
}

/// Until the status of a node says of another which it is, since when, why and what next.
fn wait_named(node: &Client, other: &str, endpoint: &str, state: &str) {
    let what = format!("{other} is {state}");
    node.wait_status(GIVEN_UP, &what, |status| {
        let peers = status["peers"].as_array().unwrap();
        let peer = peers.iter().find(|peer| peer["council"] == other)?;
        (peer["state"] == state).then_some(())
    });
    let shown = node.smp(&["status"]).exits(0).out;
    // The lines are wrapped for the screen.
    let shown: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let named = format!("{} ({other}) is {state} since 20", name_of(other));
    assert!(shown.contains(&named), "no {named:?} in {shown}");
    let next = format!("UDP to {endpoint} is open both ways");
    assert!(shown.contains(&next), "no {next:?} in {shown}");
    node.smp(&["status", "--check"]).exits(5);
}
