//! What reviews and measurements found, so that it stays mended.

use super::*;

#[test]
fn a_reader_that_was_away_when_it_was_taken_back_hears_of_it() {
    let mut net = net(2, &[(0, 1)]);
    let link = net.connect(0, 1);
    net.run();
    net.members[0]
        .accept_reader(council(1), true, net.now)
        .unwrap();
    net.write(0, DocumentKind::HostRegister, hosts(0, 3));
    net.tick(10);
    assert!(net.agree(register(0), &[0, 1]));
    net.disconnect(link);
    net.members[0]
        .accept_reader(council(1), false, net.now)
        .unwrap();
    net.collect(0);
    net.connect(0, 1);
    net.tick(10);
    assert!(!net.members[1].may_read(register(0), council(1)));
    net.traffic.clear();
    net.tick(600);
    let summaries = net.traffic.iter().filter(|(_, _, f)| f.first() == Some(&3));
    assert!(summaries.count() <= 12, "the two are settled again");
}

#[test]
fn a_word_given_under_a_wrong_clock_is_given_again_under_the_right_one() {
    let mut net = net(2, &[]);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    let right = net.now;
    net.now = right.plus(40 * 86_400);
    net.members[0].tick(net.now);
    net.write(0, DocumentKind::RematchingPool, places(1, 1));
    net.now = right.plus(5);
    net.connect_all();
    net.tick(60);
    let views = net.members[1].document_views();
    let view = views.iter().find(|view| view.name == pool(0)).unwrap();
    assert!(matches!(view.word, Some((at, true)) if at <= net.now));
}

#[test]
fn with_snapshots_a_member_has_all_its_documents_without_executing_them() {
    let roster = signed(&roster(1, 2, &[]));
    let mut net = Net::new(&[roster.clone(), roster.clone()]);
    net.connect_all();
    net.write(0, DocumentKind::RematchingPool, places(0, 600));
    net.write(1, DocumentKind::RematchingPool, places(0, 600));
    net.tick(limits::SNAPSHOT_QUIET_SECONDS + 5);
    let heads = |net: &Net| [0, 1].map(|n| net.members[0].document(pool(n)).unwrap().heads());
    let before = heads(&net);
    assert!(net.members[0].live_bytes() > 0);
    net.restart(0, &roster, 2);
    assert_eq!(net.members[0].live_bytes(), 0);
    assert_eq!(heads(&net), before);
    // And goes on from there, as before.
    net.write(0, DocumentKind::RematchingPool, places(900, 1));
    net.connect(1, 0);
    net.run();
    assert!(net.agree(pool(0), &[0, 1]));
    assert!(net.members[0].live_bytes() > 0);
}

#[test]
fn beyond_the_limit_states_are_put_away_and_answers_go_on() {
    let mut net = net(3, &[]);
    for member in &mut net.members {
        member.set_upkeep(Upkeep {
            live_bytes: 0,
            ..Upkeep::default()
        });
    }
    net.connect_all();
    for n in 0..3 {
        net.write(n, DocumentKind::RematchingPool, places(0, 30));
    }
    net.tick(5);
    for member in &net.members {
        assert_eq!(member.live_bytes(), 0);
    }
    net.write(0, DocumentKind::RematchingPool, places(100, 3));
    net.tick(5);
    assert!(net.agree(pool(0), &[0, 1, 2]));
    assert_eq!(net.members[1].document(pool(0)).unwrap().record_count(), 33);
}

#[test]
fn a_peers_word_makes_nothing_be_kept_that_is_not_held() {
    use crate::document::ChainId;
    use crate::ids::{Incarnation, NodeId};
    let mut net = net(2, &[]);
    let link = net.connect(0, 1);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    net.run();
    for n in 0..100u64 {
        let chain = ChainId {
            node: NodeId([9; 16]),
            incarnation: Incarnation(n.to_be_bytes()),
        };
        let holds = Control::Holds(message::Holds {
            document: pool(0),
            generation: 1,
            chains: vec![(chain, u64::MAX)],
            frontier: crate::ids::Hash([3; 32]),
            entries: u64::MAX,
        });
        net.members[0].control(link, &holds.encode(), net.now);
        net.collect(0);
    }
    net.run();
    assert_eq!(net.members[0].peers[&link].seen[&pool(0)].chains.len(), 1);
    assert!(net.agree(pool(0), &[0, 1]));
}

#[test]
fn a_node_has_few_connections_and_the_others_have_theirs() {
    let mut net = net(3, &[]);
    for _ in 0..limits::CONNECTIONS_PER_NODE + 3 {
        // None of them says hello.
        let who = Authenticated {
            node: net.members[1].node(),
            council: council(1),
            tls: crate::ids::Hash([1; 32]),
            dialled: false,
        };
        let n = 1000 + net.closed.len() as u64 + net.members[0].peers.len() as u64;
        let now = net.now;
        net.members[0].connected(PeerId(n), who, now);
        net.collect(0);
    }
    assert_eq!(net.members[0].peers.len(), limits::CONNECTIONS_PER_NODE);
    net.write(0, DocumentKind::RematchingPool, places(0, 1));
    net.connect(0, 2);
    net.run();
    assert!(net.agree(pool(0), &[0, 2]));
}

#[test]
fn news_that_overtakes_the_end_of_an_answer_is_not_lost() {
    let mut net = net(2, &[]);
    let link = net.connect(0, 1);
    net.run();
    let now = net.now;
    let write = |net: &mut Net, from| {
        let edits = [(DocumentKind::RematchingPool, places(from, 400))];
        net.members[0].write(&edits, now).unwrap();
        net.members[0].take_outputs()
    };
    let deliver = |net: &mut Net, outputs: Vec<Output>| {
        for output in outputs {
            if let Output::Send { frame, .. } = output {
                net.members[1].control(link, &frame, now);
            }
        }
        net.members[1].take_outputs()
    };
    let asked = |outputs: Vec<Output>| {
        let mut asks = outputs.into_iter().filter_map(|output| match output {
            Output::Ask { pull, frame, .. } => Some((pull, frame)),
            _ => None,
        });
        asks.next()
    };
    let first = write(&mut net, 0);
    let (pull, frame) = asked(deliver(&mut net, first)).unwrap();
    let stream = StreamId(pull.0);
    net.members[0].asked(link, stream, &frame, now);
    let mut answer = Vec::new();
    loop {
        let outputs = net.members[0].take_outputs();
        let Some((frame, last)) = outputs.into_iter().find_map(|output| match output {
            Output::Answer { frame, last, .. } => Some((frame, last)),
            _ => None,
        }) else {
            panic!("the answer does not end");
        };
        answer.push(frame);
        if last {
            break;
        }
        net.members[0].writable(link, stream, now);
    }
    // More is written, and the news of it comes before the end of the answer.
    let second = write(&mut net, 1000);
    let end = answer.pop().unwrap();
    for frame in answer {
        net.members[1].answered(pull, &frame, now);
    }
    deliver(&mut net, second);
    net.members[1].answered(pull, &end, now);
    let outputs = net.members[1].take_outputs();
    assert!(asked(outputs).is_some(), "the rest is asked for at once");
}
