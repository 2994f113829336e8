//! Two histories of one key shown to two peers: the proof reaches everyone, the key is
//! closed and nothing is dropped; a cut ends it; what fell away is written again. And a
//! node that comes back from an old copy.

use super::*;
use crate::document::{ChainId, Unit};
use crate::ids::RecordId;
use crate::roster::{Ground, MemberNode, Roster, SealingKey, cut_from};
use crate::schema::{Edit, FieldId, SchemaVersion, Value};
use crate::statements::Vouching;

/// The second node of council 0, as the last member of the net.
const STANDBY: usize = 4;

fn place_id(n: u64) -> RecordId {
    match create(RecordKind::Place, n) {
        Edit::Create { record, .. } | Edit::Update { record, .. } => record,
    }
}

fn rooms(n: u64, rooms: i64) -> Edit {
    Edit::Update {
        record: place_id(n),
        fields: vec![(FieldId(1), Some(Value::Integer(rooms)))],
    }
}

/// Four councils, the first of which has two nodes.
fn region_with_standby(version: u64) -> Roster {
    let mut roster = roster(version, 4, &[]);
    let key = node_key(STANDBY);
    roster.members[0].nodes.push(MemberNode {
        id: key.node_id(),
        signing: key.public(),
        tls: crate::ids::Hash([STANDBY as u8; 32]),
        sealing: SealingKey::try_from(vec![0; SealingKey::BYTES]).unwrap(),
        endpoints: vec!["127.0.0.1:7400".to_owned()],
        decider: false,
    });
    roster.members[0].nodes.sort_unstable_by_key(|node| node.id);
    roster
}

fn standby(roster: &SignedRoster, boot: u8) -> Member {
    let identity = Identity {
        region: region(),
        council: council(0),
        key: node_key(STANDBY),
        boot: crate::ids::BootId([boot; 8]),
    };
    let roster = roster.clone().verify(&region(), &authority().public());
    Member::new(identity, roster.unwrap(), 77, START)
}

/// The net of that region, connected but for the links named.
fn forked_net() -> Net {
    let signed_roster = signed(&region_with_standby(1));
    let mut net = Net::new(&vec![signed_roster.clone(); 5]);
    net.members[STANDBY] = standby(&signed_roster, 1);
    net
}

/// Shows units to a member over a link as if the peer at its other end had.
fn show(net: &mut Net, to: usize, link: PeerId, units: Vec<Unit>) {
    let push = Control::Push(message::Push {
        units,
        freshness: None,
    });
    let now = net.now;
    net.members[to].control(link, &push.encode(), now);
    net.collect(to);
}

/// What the holder of node 0's key would sign next, going by what `n` holds.
fn second_history(net: &Net, n: usize, chain: ChainId, edits: &[Edit]) -> Vec<Unit> {
    let held = net.members[n].document(pool(0)).unwrap();
    held.author(chain, edits, SchemaVersion(1), &node_key(0))
}

/// Places 0 to 2 everywhere. Then node 0 sets the rooms of place 0 where only its standby
/// hears it, and the standby builds on that; the other history goes to members 1 to 3.
fn parted() -> Net {
    let mut net = forked_net();
    let links: Vec<PeerId> = (1..4).map(|n| net.connect(0, n)).collect();
    let receipt = net.write(0, DocumentKind::RematchingPool, places(0, 3));
    net.connect(0, STANDBY);
    net.tick(5);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    for link in links {
        net.disconnect(link);
    }
    net.write(
        0,
        DocumentKind::RematchingPool,
        vec![rooms(0, 2), rooms(1, 4)],
    );
    net.run();
    net.write(STANDBY, DocumentKind::RematchingPool, places(10, 1));
    net.run();
    assert!(net.agree(pool(0), &[0, STANDBY]));
    let other = second_history(&net, 1, receipt.chain, &[rooms(1, 3)]);
    // Any member may pass on what was signed; so the other history goes round.
    let links = [net.connect(1, 2), net.connect(2, 3)];
    net.run();
    show(&mut net, 1, links[0], other);
    net.tick(10);
    assert!(net.agree(pool(0), &[1, 2, 3]));
    assert!(!net.agree(pool(0), &[0, 1]));
    for link in links {
        net.disconnect(link);
    }
    net
}

/// Why connections were closed, but for those of which another was kept.
fn faults(net: &Net) -> Vec<&(usize, CloseReason)> {
    let closed = net.closed.iter();
    closed
        .filter(|(_, reason)| *reason != CloseReason::Duplicate)
        .collect()
}

fn all_know(net: &Net) {
    for (n, member) in net.members.iter().enumerate() {
        let views = member.fork_views();
        assert_eq!(views.len(), 1, "member {n}");
        assert_eq!(views[0].document, pool(0));
        assert_eq!(views[0].chain.node, node_key(0).node_id());
    }
}

fn statements(net: &Net, of: &[usize]) -> Vec<Vouching> {
    let node = node_key(0).node_id();
    let vouch = |n: &usize| net.members[*n].vouch(pool(0), node, net.now).unwrap();
    of.iter().map(vouch).collect()
}

fn cut_roster(statements: &[Vouching], ground: Ground<'_>) -> SignedRoster {
    let mut next = region_with_standby(2);
    let node = node_key(0).node_id();
    let cut = cut_from(&next, pool(0), node, statements, ground).unwrap();
    next.cuts = vec![cut];
    signed(&next)
}

fn install(net: &mut Net, n: usize, roster: &SignedRoster) {
    let now = net.now;
    assert_eq!(net.members[n].offer_roster(roster.clone(), now), Ok(true));
    net.collect(n);
}

fn rooms_at(net: &Net, n: usize, place: u64) -> Vec<Value> {
    let record = net.members[n].document(pool(0)).unwrap();
    record.record(place_id(place)).unwrap()[&FieldId(1)].clone()
}

#[test]
fn the_proof_reaches_every_reader_and_the_key_is_closed_without_a_loss() {
    let mut net = parted();
    let held: Vec<usize> = net
        .members
        .iter()
        .map(|m| m.document(pool(0)).unwrap().entry_count())
        .collect();
    net.connect_all();
    net.tick(30);
    all_know(&net);
    let now: Vec<usize> = net
        .members
        .iter()
        .map(|m| m.document(pool(0)).unwrap().entry_count())
        .collect();
    assert!(now.iter().zip(&held).all(|(now, before)| now >= before));
    // Each says of the connected readers which history they show, where it knows.
    let views = net.members[1].fork_views();
    assert!(views[0].peers.iter().any(|peer| peer.3 == Some(false)));
    assert!(
        views[0]
            .branch
            .is_some_and(|b| views[0].entries.contains(&b))
    );
    // The node whose key it is writes there no more; its other documents go on.
    let edits = [(DocumentKind::RematchingPool, places(50, 1))];
    let closed = net.members[0].write(&edits, net.now).unwrap_err();
    assert_eq!(closed, WriteError::KeyClosed(pool(0)));
    let own = net
        .notes
        .iter()
        .any(|(n, note)| *n == 0 && matches!(note, Note::Forked { own: true, .. }));
    assert!(own);
    // So does the council's other node, there as well.
    net.write(
        STANDBY,
        DocumentKind::HousingList,
        vec![create(RecordKind::Listing, 1)],
    );
    net.write(STANDBY, DocumentKind::RematchingPool, places(20, 1));
    net.run();
    assert_eq!(faults(&net), Vec::<&(usize, CloseReason)>::new());
    // It is said once, and again only at a new connection.
    net.traffic.clear();
    net.tick(300);
    assert!(net.traffic.iter().all(|(_, _, f)| f.first() != Some(&7)));
}

#[test]
fn evidence_that_does_not_hold_ends_the_connection_that_brought_it() {
    let mut net = parted();
    let link = net.connect(1, 2);
    net.run();
    net.disconnect(link);
    net.connect_all();
    net.run();
    let holding = &net.members[1].holdings[&pool(0)];
    let good = holding.document.evidence().next().unwrap().clone();
    let mut fresh = forked_net();
    let link = fresh.connect(1, 2);
    fresh.run();
    let mut bad = good.clone();
    bad.branches[0].signature.0[3] ^= 1;
    let now = fresh.now;
    fresh.members[2].control(link, &Control::Evidence(bad).encode(), now);
    fresh.collect(2);
    assert_eq!(fresh.closed, [(2, CloseReason::BadEntries)]);
    let link = fresh.connect(1, 2);
    fresh.run();
    fresh.members[2].control(link, &Control::Evidence(good).encode(), now);
    fresh.collect(2);
    assert_eq!(fresh.members[2].fork_views().len(), 1);
}

#[test]
fn a_cut_ends_it_and_what_fell_away_is_written_again_by_the_other_node() {
    let mut net = parted();
    net.connect_all();
    net.tick(30);
    let roster = cut_roster(&statements(&net, &[1, 2]), Ground::Two);
    install(&mut net, 3, &roster);
    net.tick(120);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    assert!(net.members.iter().all(|m| m.fork_views().is_empty()));
    assert_eq!(faults(&net), Vec::<&(usize, CloseReason)>::new());
    assert_eq!(rooms_at(&net, 2, 1), [Value::Integer(3)]);

    let edits = [(DocumentKind::RematchingPool, places(50, 1))];
    let cut = net.members[0].write(&edits, net.now).unwrap_err();
    assert_eq!(cut, WriteError::KeyCut(pool(0)));
    let fallen = net.members[STANDBY].fallen(pool(0));
    let records: Vec<RecordId> = fallen.keys().copied().collect();
    let mut expected = vec![place_id(0), place_id(1), place_id(10)];
    expected.sort_unstable();
    assert_eq!(records, expected);
    let now = net.now;
    let dry = net.members[STANDBY]
        .write_again(pool(0), true, now)
        .unwrap();
    let again = net.members[STANDBY]
        .write_again(pool(0), false, now)
        .unwrap();
    assert_eq!(
        (&dry.written, &dry.conflicts),
        (&again.written, &again.conflicts)
    );
    // The rooms of place 1 were set by the history that stayed: for a person.
    assert_eq!(again.conflicts, [(place_id(1), FieldId(1))]);
    net.collect(STANDBY);
    net.tick(60);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    assert_eq!(rooms_at(&net, 3, 0), [Value::Integer(2)]);
    assert_eq!(rooms_at(&net, 3, 1), [Value::Integer(3)]);
    let document = net.members[2].document(pool(0)).unwrap();
    assert!(document.record(place_id(10)).is_some());
    net.members[STANDBY].forget_fallen(pool(0), now);
    assert!(net.members[STANDBY].fallen(pool(0)).is_empty());
}

#[test]
fn what_was_cut_stays_cut_after_a_restart_with_an_old_store_and_a_new_roster() {
    let mut net = parted();
    let old = net.disks.clone();
    let roster = cut_roster(&statements(&net, &[1, 2]), Ground::Two);
    for (n, disk) in old.iter().enumerate().take(4) {
        // The store as it was before the cut; the roster came with a bundle.
        net.disks[n] = disk.clone();
        net.restart(n, &roster, 9);
        let held = net.members[n].document(pool(0)).unwrap();
        assert!(
            held.beyond(net.members[n].roster()).is_empty(),
            "member {n}"
        );
        // And again with what it stored at that.
        net.restart(n, &roster, 10);
    }
    net.connect_all();
    net.tick(120);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    assert_eq!(faults(&net), Vec::<&(usize, CloseReason)>::new());
}

#[test]
fn the_history_of_one_statement_may_stay() {
    let mut net = parted();
    let both = statements(&net, &[STANDBY, 1]);
    let roster = cut_roster(&both, Ground::One(&both[0]));
    install(&mut net, 1, &roster);
    net.connect_all();
    net.tick(120);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    assert_eq!(rooms_at(&net, 3, 0), [Value::Integer(2)]);
    // Nothing of its council's fell away: the standby built on what stayed.
    let document = net.members[2].document(pool(0)).unwrap();
    assert!(document.record(place_id(10)).is_some());
    assert!(net.members[STANDBY].fallen(pool(0)).is_empty());
}

#[test]
fn a_thief_that_goes_on_after_the_cut_changes_nothing() {
    let mut net = parted();
    let roster = cut_roster(&statements(&net, &[1, 2]), Ground::Two);
    let chain = net.members[0].document(pool(0)).unwrap().frontier();
    let chain = *chain
        .0
        .keys()
        .find(|c| c.node == node_key(0).node_id())
        .unwrap();
    let more = second_history(&net, 1, chain, &[rooms(2, 4)]);
    let fresh = ChainId {
        incarnation: crate::ids::Incarnation([3; 8]),
        ..chain
    };
    let elsewhere = second_history(&net, 1, fresh, &[rooms(2, 4)]);
    net.connect_all();
    install(&mut net, 1, &roster);
    net.tick(120);
    for n in 1..4 {
        for units in [&more, &elsewhere] {
            let link = net.connect(0, n);
            net.run();
            show(&mut net, n, link, units.clone());
        }
    }
    net.tick(120);
    assert!(net.agree(pool(0), &[1, 2, 3, STANDBY]));
    assert!(net.members.iter().all(|m| m.fork_views().is_empty()));
}

#[test]
fn statements_that_do_not_suffice_are_refused_by_name() {
    use crate::roster::CutError;
    let net = parted();
    let roster = region_with_standby(2);
    let node = node_key(0).node_id();
    let cut = |statements: &[Vouching]| cut_from(&roster, pool(0), node, statements, Ground::Two);
    let one = statements(&net, &[1]);
    assert_eq!(cut(&one), Err(CutError::TooFew { found: 1 }));
    // Its own word does not count, nor an altered one.
    let own = statements(&net, &[0, 1]);
    assert_eq!(cut(&own), Err(CutError::Statement { by: node }));
    let mut altered = statements(&net, &[1, 2]);
    altered[1].body.chains[0].1[0].last = crate::ids::Hash([1; 32]);
    let by = altered[1].body.by;
    assert_eq!(cut(&altered), Err(CutError::Statement { by }));
    // Two histories that part after the first entries: what both show stays.
    let parted = cut(&statements(&net, &[1, STANDBY])).unwrap();
    assert_eq!(parted.chains.len(), 1);
}

#[test]
fn a_node_back_from_an_old_copy_fetches_its_own_and_goes_on_under_another_chain() {
    let mut net = forked_net();
    net.connect_all();
    let before = net.write(0, DocumentKind::RematchingPool, places(0, 2));
    net.run();
    let copy = net.disks[0].clone();
    net.write(0, DocumentKind::RematchingPool, places(5, 3));
    net.run();
    net.disks[0] = copy;
    net.restart(0, &signed(&region_with_standby(1)), 7);
    // It writes before it has heard from anybody.
    let after = net.write(0, DocumentKind::RematchingPool, places(30, 1));
    assert_ne!(before.chain, after.chain);
    for n in 1..5 {
        net.connect(0, n);
    }
    net.tick(60);
    assert!(net.agree(pool(0), &[0, 1, 2, 3, STANDBY]));
    let back = net.members[0].fetched_back().unwrap();
    assert!(back.entries > 0);
    let said = |(n, note): &(usize, Note)| *n == 0 && matches!(note, Note::FetchedBack { .. });
    assert!(net.notes.iter().any(said));
    let others = net.members.iter().skip(1);
    assert!(others.into_iter().all(|m| m.fetched_back().is_none()));
    assert!(net.members.iter().all(|m| m.fork_views().is_empty()));
    assert_eq!(faults(&net), Vec::<&(usize, CloseReason)>::new());
}
