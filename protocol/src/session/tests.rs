//! The conversation, end to end between members, without a network.

mod forks;
mod mended;
mod simulated;

use super::harness::*;
use super::message::{Control, Want};
use super::*;
use crate::document::Frontier;
use crate::ids::{DocumentKind, RecordKind};
use crate::limits;

fn pool(n: usize) -> DocumentName {
    DocumentKind::RematchingPool.of(council(n))
}

fn register(n: usize) -> DocumentName {
    DocumentKind::HostRegister.of(council(n))
}

fn places(from: u64, count: u64) -> Vec<crate::schema::Edit> {
    (from..from + count)
        .map(|n| create(RecordKind::Place, n))
        .collect()
}

fn hosts(from: u64, count: u64) -> Vec<crate::schema::Edit> {
    (from..from + count)
        .map(|n| create(RecordKind::Host, n))
        .collect()
}

fn net(members: usize, readers: &[(usize, usize)]) -> Net {
    let roster = signed(&roster(1, members, readers));
    Net::new(&vec![roster; members])
}

#[test]
fn what_was_written_before_and_after_connecting_reaches_every_reader() {
    let mut net = net(4, &[]);
    net.write(0, DocumentKind::RematchingPool, places(0, 500));
    net.connect_all();
    net.run();
    assert!(net.agree(pool(0), &[0, 1, 2, 3]));
    let receipt = net.write(1, DocumentKind::RematchingPool, places(1000, 1));
    net.run();
    assert!(net.agree(pool(1), &[0, 1, 2, 3]));
    assert_eq!(net.members[1].holders(&receipt), 3);
    assert_eq!(net.closed, []);
}

#[test]
fn after_a_change_peers_are_compared_soon() {
    let mut net = net(3, &[]);
    net.connect_all();
    net.run();
    net.tick(10 * limits::ROUND_SECONDS_UNSETTLED);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    net.run();
    net.tick(3 * limits::ROUND_SECONDS_UNSETTLED);
    for member in &net.members {
        for view in member.peer_views() {
            let agreed = |(_, c): &(DocumentName, Comparison)| matches!(c, Comparison::Agreed(_));
            assert!(view.documents.iter().all(agreed), "{view:?}");
        }
    }
}

#[test]
fn while_a_council_writes_on_its_peers_do_not_compare_and_then_they_do() {
    let mut net = net(4, &[]);
    net.connect_all();
    net.tick(10 * limits::ROUND_SECONDS_UNSETTLED);
    net.traffic.clear();
    let agreements = |net: &Net| {
        let frames = net.traffic.iter().filter(|(_, _, f)| f.first() == Some(&4));
        frames.count()
    };
    for n in 0..limits::ROUND_SECONDS - 5 {
        net.write(0, DocumentKind::RematchingPool, places(n, 1));
        net.tick(1);
    }
    assert_eq!(agreements(&net), 0, "no round in the middle of it");
    for n in 0..limits::ROUND_SECONDS {
        net.write(0, DocumentKind::RematchingPool, places(1000 + n, 1));
        net.tick(1);
    }
    assert!(agreements(&net) > 0, "but not put off for ever");
}

#[test]
fn after_a_change_a_dozen_peers_are_asked_and_not_all() {
    let mut net = net(40, &[]);
    net.connect_all();
    net.tick(20 * limits::ROUND_SECONDS);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    net.traffic.clear();
    // Rounds after 5, 15, 35 and 75 seconds.
    net.tick(76);
    let asks = |frame: &[u8]| {
        let said = Control::decode(frame);
        matches!(said, Ok(Control::Agreement(agreement)) if agreement.reply)
    };
    for n in 0..40 {
        let asked = net
            .traffic
            .iter()
            .filter(|(from, _, f)| *from == n && asks(f));
        let asked = asked.count();
        // And one that was due anyway.
        let most = 5 * limits::ROUND_PEERS;
        assert!(asked <= most, "member {n} asks {asked} peers");
    }
}

#[test]
fn news_travels_through_a_reader_in_between() {
    let mut net = net(3, &[]);
    net.connect(0, 1);
    net.connect(1, 2);
    net.run();
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    net.run();
    assert!(net.agree(pool(0), &[0, 1, 2]), "a push is passed on");
    net.write(0, DocumentKind::RematchingPool, places(1, 400));
    net.run();
    assert!(
        net.agree(pool(0), &[0, 1, 2]),
        "an announcement is passed on"
    );
}

#[test]
fn a_register_goes_to_accepted_readers_alone_and_no_byte_of_it_to_others() {
    let mut net = net(3, &[(0, 1)]);
    net.connect_all();
    net.run();
    net.write(0, DocumentKind::HostRegister, hosts(0, 50));
    net.tick(10);
    assert!(
        net.members[1].document(register(0)).is_none(),
        "named is not yet accepted"
    );
    net.members[0]
        .accept_reader(council(1), true, net.now)
        .unwrap();
    net.collect(0);
    net.tick(10);
    assert!(net.agree(register(0), &[0, 1]));
    // The third asks outright.
    let link = net.connect(0, 2);
    net.run();
    let want = Want {
        document: register(0),
        generation: 1,
        frontier: Frontier::default(),
        refused: Vec::new(),
    };
    for owner in [0, 1] {
        let link = if owner == 0 { link } else { net.connect(1, 2) };
        net.run();
        net.members[owner].asked(link, StreamId(1 << 40), &want.encode(), net.now);
        let outputs = net.members[owner].take_outputs();
        assert!(
            outputs
                .iter()
                .any(|o| matches!(o, Output::Note(Note::NotAReader { .. })))
        );
        for output in outputs {
            if let Output::Answer { frame, last, .. } = output {
                assert!(last && frame.len() < 8, "a refusal and nothing else");
            }
        }
    }
    let name = register(0).to_string();
    for (_, to, frame) in net.traffic.iter().filter(|(_, to, _)| *to == 2) {
        let found = frame.windows(name.len()).any(|w| w == name.as_bytes());
        assert!(!found || *to != 2, "not even its name");
    }
    assert!(net.members[2].document(register(0)).is_none());
}

#[test]
fn an_acceptance_can_be_taken_back_and_the_reader_is_told() {
    let mut net = net(3, &[(0, 1), (0, 2)]);
    net.connect_all();
    net.run();
    for reader in [1, 2] {
        net.members[0]
            .accept_reader(council(reader), true, net.now)
            .unwrap();
        net.collect(0);
    }
    net.write(0, DocumentKind::HostRegister, hosts(0, 3));
    net.tick(10);
    assert!(net.agree(register(0), &[0, 1, 2]));
    net.members[0]
        .accept_reader(council(2), false, net.now)
        .unwrap();
    net.collect(0);
    net.run();
    net.write(0, DocumentKind::HostRegister, hosts(10, 3));
    net.tick(70);
    assert!(net.agree(register(0), &[0, 1]));
    assert!(!net.agree(register(0), &[0, 2]));
    assert!(!net.members[2].may_read(register(0), council(2)));
}

#[test]
fn members_enrolled_one_after_another_find_each_other() {
    let rosters: Vec<SignedRoster> = (1..=3)
        .map(|n| signed(&roster(n, n as usize, &[])))
        .collect();
    let mut net = Net::new(&rosters);
    net.connect(2, 0);
    net.run();
    assert_eq!(net.members[0].roster().version, 3);
    net.connect(2, 1);
    net.connect(1, 0);
    net.run();
    assert_eq!(net.closed, []);
    net.write(0, DocumentKind::RematchingPool, places(0, 5));
    net.run();
    assert!(net.agree(pool(0), &[0, 1, 2]));
}

#[test]
fn who_is_not_in_the_roster_is_cut_off() {
    let old = signed(&roster(1, 3, &[]));
    let mut net = Net::new(&[old.clone(), old.clone(), old]);
    net.connect_all();
    net.run();
    let newer = signed(&roster(2, 2, &[]));
    net.members[0].offer_roster(newer, net.now).unwrap();
    net.collect(0);
    net.run();
    assert_eq!(net.members[1].roster().version, 2);
    assert!(
        net.closed
            .iter()
            .any(|(n, r)| *n == 0 && matches!(r, CloseReason::NotAMember(2)))
    );
    assert!(
        net.closed
            .iter()
            .any(|(n, r)| *n == 1 && matches!(r, CloseReason::NotAMember(2)))
    );
    let before = net.closed.len();
    net.connect(2, 0);
    net.run();
    assert!(net.closed.len() > before);
    net.write(0, DocumentKind::RematchingPool, places(0, 5));
    net.tick(80);
    assert!(net.agree(pool(0), &[0, 1]));
    assert!(
        net.members[2]
            .document(pool(0))
            .is_none_or(|d| d.entry_count() == 0)
    );
}

#[test]
fn an_expired_roster_stops_sync_but_not_local_work_until_a_newer_one_comes() {
    let mut net = net(2, &[]);
    net.connect_all();
    net.run();
    net.now = net.now.plus(86_400 * 301);
    net.tick(1);
    assert!(
        net.closed
            .iter()
            .any(|(_, r)| *r == CloseReason::RosterExpired)
    );
    net.write(0, DocumentKind::RematchingPool, places(0, 5));
    net.connect(0, 1);
    net.run();
    assert!(!net.agree(pool(0), &[0, 1]));
    let mut renewed = roster(2, 2, &[]);
    renewed.issued = net.now;
    renewed.expires = net.now.plus(86_400);
    net.members[0]
        .offer_roster(signed(&renewed), net.now)
        .unwrap();
    net.collect(0);
    net.connect(0, 1);
    net.run();
    assert!(net.agree(pool(0), &[0, 1]));
}

#[test]
fn a_restarted_member_has_all_it_acknowledged_and_goes_on_under_a_new_chain() {
    let roster = signed(&roster(1, 2, &[]));
    let mut net = Net::new(&[roster.clone(), roster.clone()]);
    net.connect_all();
    net.write(0, DocumentKind::RematchingPool, places(0, 300));
    net.run();
    let heads = net.members[0].document(pool(0)).unwrap().heads();
    net.restart(0, &roster, 2);
    assert_eq!(net.members[0].document(pool(0)).unwrap().heads(), heads);
    net.write(0, DocumentKind::RematchingPool, places(500, 3));
    net.connect(1, 0);
    net.run();
    assert!(net.agree(pool(0), &[0, 1]));
    let frontier = net.members[1].document(pool(0)).unwrap().frontier();
    assert_eq!(frontier.0.len(), 2, "one chain for each process start");
}

#[test]
fn of_two_connections_between_two_processes_one_is_kept() {
    for order in [[(0, 1), (1, 0)], [(1, 0), (0, 1)]] {
        let mut net = net(2, &[]);
        for (a, b) in order {
            net.connect(a, b);
        }
        net.run();
        assert_eq!(net.members[0].peer_views().len(), 1);
        assert_eq!(net.members[1].peer_views().len(), 1);
        assert_eq!(
            net.members[0].peer_views()[0].peer,
            net.members[1].peer_views()[0].peer
        );
    }
}

#[test]
fn what_is_no_message_or_out_of_turn_ends_that_connection_and_no_other() {
    let hello = |net: &Net| {
        Control::Hello(message::Hello {
            version: message::VERSION,
            region: region(),
            node: net.members[1].node(),
            boot: BootId([1; 8]),
            roster_version: 1,
            roster_hash: net.members[1].roster().hash(),
            schema: crate::schema::NEWEST,
        })
        .encode()
    };
    use crate::ids::BootId;
    let second_hello = hello;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("unknown kind", vec![99, 1, 2, 3]),
        ("empty", vec![]),
        ("garbage", vec![3, 255, 255, 255, 255]),
        ("a second hello", second_hello(&net(2, &[]))),
    ];
    for (what, frame) in cases {
        let mut net = net(3, &[]);
        net.connect_all();
        net.run();
        let link = net.members[0].peer_views()[0].peer;
        net.members[0].control(link, &frame, net.now);
        net.collect(0);
        net.run();
        assert_eq!(net.closed.len(), 1, "{what}");
        net.write(2, DocumentKind::RematchingPool, places(0, 2));
        net.run();
        assert!(net.agree(pool(2), &[0, 2]), "{what}: the others are served");
    }
}

#[test]
fn settled_members_say_little() {
    let mut net = net(4, &[]);
    net.connect_all();
    net.write(0, DocumentKind::RematchingPool, places(0, 200));
    net.tick(120);
    net.traffic.clear();
    net.tick(3600);
    let bytes: usize = net
        .traffic
        .iter()
        // Its length, and what QUIC adds to a frame that goes alone.
        .map(|(_, _, frame)| frame.len() + 4 + 70)
        .sum();
    let per_link_and_hour = bytes / 6;
    // With 72 keep-alives of about 60 bytes that is less than 10 KB.
    assert!(per_link_and_hour < 5_600, "{per_link_and_hour} bytes");
    for view in net.members.iter().flat_map(Member::peer_views) {
        assert!(
            view.documents
                .iter()
                .all(|(_, c)| matches!(c, Comparison::Agreed(_)))
        );
    }
}

#[test]
fn a_peer_that_does_not_answer_shows_since_when() {
    let mut net = net(2, &[]);
    net.connect_all();
    net.tick(10);
    let unanswered = |net: &Net| net.members[0].peer_views()[0].unanswered;
    assert_eq!(unanswered(&net), None);
    // Time passes for one of them alone.
    let since = net.now.plus(limits::AT_REST_SECONDS);
    for second in 0..10 * limits::ROUND_SECONDS {
        net.members[0].tick(net.now.plus(second));
    }
    assert!(unanswered(&net).is_some_and(|asked| asked <= since.plus(2 * limits::ROUND_SECONDS)));
    net.collect(0);
    net.run();
    assert_eq!(unanswered(&net), None, "it answers");
}

#[test]
fn equal_entries_merged_to_something_else_are_noticed_and_not_called_agreement() {
    let mut net = net(2, &[]);
    net.write(0, DocumentKind::RematchingPool, places(0, 3));
    net.connect_all();
    net.tick(10);
    assert!(
        !net.notes
            .iter()
            .any(|(_, n)| matches!(n, Note::Diverged { .. }))
    );
    let holding = net.members[1].holdings.get_mut(&pool(0)).unwrap();
    holding.heads = crate::ids::Hash([1; 32]);
    net.tick(limits::AT_REST_SECONDS + 90);
    for n in [0, 1] {
        let found = net.notes.iter().any(|(who, note)| {
            *who == n && matches!(note, Note::Diverged { document, .. } if *document == pool(0))
        });
        assert!(found, "member {n} has noticed");
    }
}
