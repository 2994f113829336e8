//! What the simulator found, each as small as it can be made.

use super::*;
use crate::ids::Hash;
use crate::session::message::{DocumentSummary, Summary};

#[test]
fn a_register_is_not_asked_of_a_peer_that_may_not_read_it() {
    let mut net = net(2, &[]);
    net.write(0, DocumentKind::HostRegister, hosts(0, 1));
    let link = net.connect(0, 1);
    net.run();
    // It says that it holds more of a register that is not open to it.
    let summary = Control::Summary(Summary {
        reply: false,
        documents: vec![DocumentSummary {
            document: register(0),
            generation: 1,
            frontier: Hash([7; 32]),
            heads: Hash([7; 32]),
            entries: 9,
            freshness: None,
            acceptance: None,
        }],
    });
    net.members[0].control(link, &summary.encode(), net.now);
    let outputs = net.members[0].take_outputs();
    let asks = |output: &Output| matches!(output, Output::Ask { .. });
    assert!(!outputs.iter().any(asks), "a question says what is held");
}

#[test]
fn an_owner_with_an_old_disk_hears_whom_it_no_longer_accepts() {
    let roster = signed(&roster(1, 2, &[(0, 1)]));
    let mut net = Net::new(&vec![roster.clone(); 2]);
    net.connect_all();
    net.run();
    let accept = |net: &mut Net, accept| {
        let now = net.now;
        net.members[0]
            .accept_reader(council(1), accept, now)
            .unwrap();
        net.collect(0);
        net.run();
    };
    accept(&mut net, true);
    let old = net.disks[0].clone();
    accept(&mut net, false);
    net.disks[0] = old;
    net.restart(0, &roster, 2);
    assert!(net.members[0].may_read(register(0), council(1)));
    net.connect_all();
    net.run();
    assert!(!net.members[0].may_read(register(0), council(1)));
    assert!(!net.members[1].may_read(register(0), council(1)));
}

const YEAR: u64 = 365 * 86_400;

/// Two members that agree, each with the other's frames delivered up to now.
fn settled_pair() -> (Net, PeerId) {
    let mut net = net(2, &[]);
    net.write(0, DocumentKind::RematchingPool, places(0, 3));
    let link = net.connect(0, 1);
    net.run();
    (net, link)
}

/// What member 0 says while so many seconds pass by a clock that shows `from` at first.
fn said_by(net: &mut Net, from: crate::time::UnixSeconds, seconds: u64) -> Vec<Output> {
    let ticks = (0..seconds).flat_map(|second| {
        net.members[0].tick(from.plus(second));
        net.members[0].take_outputs()
    });
    ticks.collect()
}

fn asks_whether_all_is_equal(outputs: &[Output]) -> bool {
    let asks = |output: &Output| matches!(output, Output::Send { frame, .. } if frame[0] == 4);
    outputs.iter().any(asks)
}

#[test]
fn rounds_go_on_when_a_clock_that_was_ahead_is_put_right() {
    let (mut net, _) = settled_pair();
    let now = net.now;
    said_by(&mut net, now.plus(YEAR / 2), 600);
    let outputs = said_by(&mut net, now, 2 * limits::AT_REST_SECONDS);
    assert!(asks_whether_all_is_equal(&outputs));
}

#[test]
fn rounds_go_on_under_a_clock_that_is_behind_the_roster() {
    let (mut net, _) = settled_pair();
    let behind = crate::time::UnixSeconds(net.now.0 - YEAR);
    said_by(&mut net, behind, 1);
    let outputs = said_by(&mut net, behind, 2 * limits::AT_REST_SECONDS);
    assert!(asks_whether_all_is_equal(&outputs));
}

#[test]
fn a_pull_that_began_under_a_clock_ahead_is_given_up_in_time() {
    let (mut net, link) = settled_pair();
    let now = net.now;
    said_by(&mut net, now.plus(YEAR / 2), 1);
    let summary = Control::Summary(Summary {
        reply: false,
        documents: vec![DocumentSummary {
            document: pool(1),
            generation: 1,
            frontier: Hash([7; 32]),
            heads: Hash([7; 32]),
            entries: 9,
            freshness: None,
            acceptance: None,
        }],
    });
    let ahead = now.plus(YEAR / 2);
    net.members[0].control(link, &summary.encode(), ahead);
    let asked = net.members[0].take_outputs();
    assert!(asked.iter().any(|o| matches!(o, Output::Ask { .. })));
    let outputs = said_by(&mut net, now, 2 * limits::PULL_STALL_SECONDS);
    assert!(outputs.iter().any(|o| matches!(o, Output::GiveUp { .. })));
}
