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

/// A summary of one document of which the peer says that it holds so many entries.
fn claims(document: DocumentName, entries: u64) -> Vec<u8> {
    let item = DocumentSummary {
        document,
        generation: 1,
        frontier: Hash([7; 32]),
        heads: Hash([7; 32]),
        entries,
        freshness: None,
        acceptance: None,
    };
    let (reply, documents) = (false, vec![item]);
    Control::Summary(Summary { reply, documents }).encode()
}

#[test]
fn what_a_reader_gave_that_is_none_any_more_is_not_confirmed_to_it() {
    let mut net = net(2, &[(0, 1)]);
    net.members[0]
        .accept_reader(council(1), true, net.now)
        .unwrap();
    net.write(0, DocumentKind::HostRegister, hosts(0, 3));
    let old = net.disks[0].clone();
    net.write(0, DocumentKind::HostRegister, hosts(3, 3));
    net.connect_all();
    net.run();
    assert!(net.agree(register(0), &[0, 1]));
    // An old copy is brought back: the owner asks its reader for what it wrote, and takes its
    // acceptance back before the answer is there.
    net.disks[0] = old;
    let roster = net.members[0].roster().signed().clone();
    net.restart(0, &roster, 2);
    let link = net.connect(0, 1);
    net.deliver_until(|net| net.answer_is_under_way_to(0));
    net.members[0]
        .accept_reader(council(1), false, net.now)
        .unwrap();
    net.collect(0);
    net.traffic.clear();
    net.run();
    assert_eq!(
        net.members[0].document(register(0)).unwrap().entry_count(),
        2
    );
    let confirms = |frame: &[u8]| matches!(Control::decode(frame), Ok(Control::Holds(_)));
    let from_owner = net.traffic.iter().filter(|(from, _, _)| *from == 0);
    for (_, _, frame) in from_owner {
        assert!(!confirms(frame), "says over {link:?} what it holds");
    }
}

#[test]
fn a_roster_that_came_while_the_peer_was_to_show_its_own_is_shown_to_it() {
    // Member 0 has roster 1, member 1 roster 2; member 0 is handed roster 3 when it has read
    // the other's hello and waits for its roster.
    let [first, second, third] = [1, 2, 3].map(|version| signed(&roster(version, 2, &[])));
    let mut net = Net::new(&[first, second]);
    let link = net.connect(0, 1);
    net.deliver_until(|net| net.members[0].peers[&link].greeted().is_some());
    net.members[0].offer_roster(third, net.now).unwrap();
    net.collect(0);
    net.run();
    assert_eq!(net.members[1].roster().version, 3);
    assert_eq!(net.closed, []);
}

#[test]
fn peers_that_do_not_answer_are_asked_after_one_that_does() {
    // Members 0 and 1 say that they have the most and never answer; member 2 has an entry.
    let mut net = net(4, &[]);
    net.write(2, DocumentKind::RematchingPool, places(0, 1));
    let silent = [net.connect(3, 0), net.connect(3, 1)];
    net.run();
    net.silence(&[0, 1]);
    for link in silent {
        net.members[3].control(link, &claims(pool(2), 9), net.now);
    }
    net.connect(3, 2);
    net.tick(4 * (limits::PULL_STALL_SECONDS + 1));
    assert!(net.agree(pool(2), &[2, 3]));
}

#[test]
fn a_pull_that_goes_on_and_on_gives_way_to_another() {
    let mut net = net(3, &[]);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    let link = net.connect(2, 0);
    net.silence(&[0]);
    net.run();
    net.members[2].control(link, &claims(pool(1), 900), net.now);
    let asked = net.members[2].take_outputs();
    let pull = asked.iter().find_map(|output| match output {
        Output::Ask { pull, .. } => Some(*pull),
        _ => None,
    });
    let pull = pull.expect("the pull");
    let mut writer = member(1, net.members[1].roster().signed(), 9);
    let began = net.now;
    for n in 0..limits::PULL_SECONDS {
        // An entry each time, just before it would be given up.
        let now = began.plus(n * (limits::PULL_STALL_SECONDS - 1));
        let edits = vec![create(RecordKind::Place, n)];
        writer
            .write(&[(DocumentKind::RematchingPool, edits)], now)
            .unwrap();
        let stored = writer.take_outputs().into_iter();
        let units = stored.filter_map(|output| match output {
            Output::Store(Durable::Batch { units, .. }) => Some(units),
            _ => None,
        });
        let batch = message::Answer::Batch(units.flatten().collect());
        net.members[2].answered(pull, &batch.encode(), now);
        net.members[2].tick(now);
        let outputs = net.members[2].take_outputs();
        let given_up = |o: &Output| matches!(o, Output::GiveUp { pull: other } if *other == pull);
        if outputs.iter().any(given_up) {
            assert!(now.since(began) > limits::PULL_SECONDS, "not before");
            return;
        }
    }
    panic!("it is not given up");
}
