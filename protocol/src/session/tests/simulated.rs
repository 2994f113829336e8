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
