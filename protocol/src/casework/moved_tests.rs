//! A council whose deciding node is another than before, and one that decides again.

use std::collections::BTreeMap;

use super::decider_tests::{HOST, hold, open, place, request};
use super::*;
use crate::ids::{BootId, DocumentKind, Hash, RecordId, RecordKind};
use crate::roster::{Roster, SignedRoster};
use crate::schema::{self, Edit, Value};
use crate::session::harness::{Net, START, authority, council, node_key, region, roster, signed};
use crate::session::{Identity, Member};

/// Node 3 is a second one of the host council's.
const OTHER: usize = 3;

fn roster_of(version: u64, decides: usize) -> SignedRoster {
    let mut made: Roster = roster(version, 3, &[]);
    let mut second = made.members[HOST].nodes[0].clone();
    let key = node_key(OTHER);
    second.id = key.node_id();
    second.signing = key.public();
    second.tls = Hash([3; 32]);
    made.members[HOST].nodes.push(second);
    let decider = node_key(decides).node_id();
    for node in &mut made.members[HOST].nodes {
        node.decider = node.id == decider;
    }
    made.members[HOST].nodes.sort_by_key(|node| node.id);
    signed(&made)
}

struct Two {
    net: Net,
    deciders: Vec<Decider>,
    version: u64,
}

fn second_node(roster: &SignedRoster, boot: u8) -> Member {
    let identity = Identity {
        region: region(),
        council: council(HOST),
        key: node_key(OTHER),
        boot: BootId([boot; 8]),
    };
    let roster = roster.clone();
    let roster = roster.verify(&region(), &authority().public()).unwrap();
    Member::new(identity, roster, 3 << 8 | u64::from(boot), START)
}

impl Two {
    fn new() -> Self {
        let first = roster_of(1, HOST);
        let mut net = Net::new(&vec![first.clone(); 4]);
        net.members[OTHER] = second_node(&first, 1);
        net.connect_all();
        net.run();
        let pool = DocumentKind::RematchingPool;
        net.write(0, pool, vec![open(request(0))]);
        net.write(1, pool, vec![open(request(1))]);
        net.write(HOST, pool, vec![open(place(7)), open(place(8))]);
        net.run();
        Self {
            net,
            deciders: (0..4).map(|_| Decider::new()).collect(),
            version: 1,
        }
    }

    fn settle(&mut self) {
        for _ in 0..50 {
            self.net.run();
            let mut writes = 0;
            for (n, decider) in self.deciders.iter_mut().enumerate() {
                writes += decider.tend(&mut self.net.members[n], self.net.now);
                self.net.collect(n);
            }
            if writes == 0 {
                return;
            }
        }
        panic!("nodes go on answering each other");
    }

    fn decider_moves(&mut self, to: usize, told_at: usize) {
        self.version += 1;
        let next = roster_of(self.version, to);
        self.net.members[told_at]
            .offer_roster(next, self.net.now)
            .unwrap();
        self.net.collect(told_at);
    }

    fn decide(&mut self, n: usize, wish: &Wish) -> Result<RecordId, DecideError> {
        let now = self.net.now;
        let decided = self.deciders[n].decide(&mut self.net.members[n], wish, now);
        self.net.collect(n);
        decided.map(|done| done.case)
    }

    fn decide_surely(&mut self, n: usize, wish: &Wish) -> Result<RecordId, DecideError> {
        match self.decide(n, wish) {
            Err(DecideError::Unsure(_)) => {
                self.settle();
                self.decide(n, wish)
            }
            other => other,
        }
    }

    fn propose(&mut self, guest: usize, places: &[RecordId]) -> RecordId {
        let wish = Wish::Propose {
            request: request(guest as u64),
            places: places.to_vec(),
        };
        let case = self.decide(guest, &wish).unwrap();
        self.settle();
        case
    }

    fn view(&self, n: usize, case: RecordId) -> CaseView {
        let ledgers = self.deciders[n].ledgers(&self.net.members[n]);
        let own = self.net.members[n].identity().council;
        let cases = ledgers.cases(own).into_iter();
        let mut found = cases.filter(|view| view.case.proposal == case);
        found.next().expect("the case is known")
    }

    fn shown(&self, of: usize, id: RecordId, by: usize) -> Vec<Value> {
        let name = DocumentKind::RematchingPool.of(council(of));
        let field = schema::field_named(schema::NEWEST, id.kind(), "state").unwrap();
        let fields = self.net.members[by].document(name).unwrap().record(id);
        fields.unwrap()[&field.id].clone()
    }
}

#[test]
fn a_decider_that_comes_back_without_a_restart_decides() {
    let mut region = Two::new();
    let case = region.propose(0, &[place(7)]);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    assert_eq!(region.view(0, case).case.stage, Stage::Held);
    region.decider_moves(OTHER, 0);
    region.settle();
    // The other node decides something, so it opens.
    let other = region.propose(1, &[place(8)]);
    region.decide_surely(OTHER, &hold(other)).unwrap();
    region.settle();
    assert_eq!(region.view(1, other).case.stage, Stage::Held);
    assert_eq!(region.view(0, case).case.stage, Stage::Held);
    // And back.
    region.decider_moves(HOST, 0);
    region.settle();
    let release = Wish::Release { case, reason: None };
    region.decide_surely(HOST, &release).unwrap();
    region.settle();
    for n in [0, HOST] {
        let stage = region.view(n, case).case.stage;
        assert_eq!(stage, Stage::Released, "at {n}");
    }
}

#[test]
fn a_decider_that_comes_back_without_a_restart_holds() {
    let mut region = Two::new();
    let case = region.propose(0, &[place(7)]);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    region.decider_moves(OTHER, 0);
    region.settle();
    let release = Wish::Release { case, reason: None };
    region.decide_surely(OTHER, &release).unwrap();
    region.settle();
    assert_eq!(region.view(0, case).case.stage, Stage::Released);
    region.decider_moves(HOST, 0);
    region.settle();
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    for n in [0, HOST] {
        let stage = region.view(n, case).case.stage;
        assert_eq!(stage, Stage::Held, "at {n}");
    }
}

#[test]
fn a_decider_that_came_back_does_not_fill_the_casework() {
    let mut region = Two::new();
    let case = region.propose(0, &[place(7)]);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    region.decider_moves(OTHER, 0);
    region.settle();
    let other = region.propose(1, &[place(8)]);
    region.decide_surely(OTHER, &hold(other)).unwrap();
    region.settle();
    region.decider_moves(HOST, 0);
    region.settle();
    let casework = DocumentKind::Casework(council(0)).of(council(HOST));
    let held = |region: &Two| {
        region.net.members[HOST]
            .document(casework)
            .unwrap()
            .record_count()
    };
    let before = held(&region);
    // The time of both holds is up.
    region.net.now = region.net.now.plus(25 * 3600);
    for _ in 0..20 {
        region.net.now = region.net.now.plus(1);
        let decider = &mut region.deciders[HOST];
        decider.tend(&mut region.net.members[HOST], region.net.now);
        region.net.collect(HOST);
        region.net.run();
    }
    let grown = held(&region) - before;
    assert!(grown <= 3, "{grown} records in twenty seconds");
    assert_eq!(region.view(0, case).case.stage, Stage::Released);
}

#[test]
fn what_an_old_decider_held_in_vain_is_open_again() {
    let mut region = Two::new();
    let (case, second) = (
        region.propose(0, &[place(7)]),
        region.propose(1, &[place(8)]),
    );
    // So that the old one is sure of all.
    region.decide_surely(HOST, &hold(second)).unwrap();
    region.settle();
    let release = Wish::Release {
        case: second,
        reason: None,
    };
    region.decide(HOST, &release).unwrap();
    region.settle();
    // The old node is cut off for a while.
    let roster = roster_of(1, HOST);
    region.net.restart(HOST, &roster, 1);
    // (the same process, without its links)
    region.deciders[HOST] = Decider::new();
    region.deciders[HOST]
        .go_on_without(
            &mut region.net.members[HOST],
            &[council(0), council(1)],
            region.net.now,
        )
        .unwrap();
    region.net.collect(HOST);
    region.decider_moves(OTHER, 0);
    region.settle();
    region.decide_surely(OTHER, &hold(second)).unwrap();
    region.settle();
    assert_eq!(region.view(1, second).case.stage, Stage::Held);
    // It holds in vain.
    region.decide(HOST, &hold(case)).unwrap();
    for n in [0, 1, OTHER] {
        region.net.connect(HOST, n);
    }
    region.settle();
    region.settle();
    assert_eq!(region.view(0, case).case.stage, Stage::Proposed);
    assert_eq!(region.view(OTHER, case).case.stage, Stage::Proposed);
    assert_eq!(region.shown(HOST, place(7), 0), [Value::Code(0)], "open");
}

#[test]
fn a_state_that_two_nodes_have_written_is_settled_by_the_case() {
    let mut region = Two::new();
    let case = region.propose(0, &[place(7)]);
    let roster = roster_of(1, HOST);
    region.net.restart(HOST, &roster, 1);
    region.deciders[HOST] = Decider::new();
    let close = pool::closing(&region.net.members[HOST], place(7)).unwrap();
    region
        .net
        .write(HOST, DocumentKind::RematchingPool, vec![close]);
    region.decider_moves(OTHER, 0);
    region.settle();
    region.decide_surely(OTHER, &hold(case)).unwrap();
    region.settle();
    for n in [0, 1, OTHER] {
        region.net.connect(HOST, n);
    }
    region.settle();
    let release = Wish::Release { case, reason: None };
    region.decide(OTHER, &release).unwrap();
    region.settle();
    assert_eq!(
        region.shown(HOST, place(7), 0).len(),
        1,
        "{:?}",
        region.shown(HOST, place(7), 0)
    );
}

#[test]
fn another_node_that_knows_no_hosts_gives_no_all_clear() {
    let mut region = Two::new();
    let case = region.propose(0, &[place(7)]);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    let now = region.net.now;
    let stopped: BTreeMap<RecordId, bool> = [(place(7), true)].into();
    region.deciders[HOST].raise_concerns(&mut region.net.members[HOST], &stopped, now);
    region.net.collect(HOST);
    region.settle();
    assert!(region.view(0, case).remarks.concern.is_some());
    region.decider_moves(OTHER, 0);
    region.settle();
    // What the engine of the other node calls: its vault says of no place whose it is.
    region.deciders[OTHER].raise_concerns(&mut region.net.members[OTHER], &BTreeMap::new(), now);
    region.net.collect(OTHER);
    region.settle();
    assert!(
        region.view(0, case).remarks.concern.is_some(),
        "the check has still failed"
    );
}

#[test]
fn a_request_of_which_two_nodes_say_different_people_is_not_split() {
    let mut region = Two::new();
    let field = |name| {
        schema::field_named(schema::NEWEST, RecordKind::Request, name)
            .unwrap()
            .id
    };
    // The second node is the host council's; so its request.
    region
        .net
        .write(HOST, DocumentKind::RematchingPool, vec![open(request(9))]);
    region.net.run();
    let grow = |people, adults| Edit::Update {
        record: request(9),
        fields: vec![
            (field("people"), Some(Value::Integer(people))),
            (field("adults"), Some(Value::Integer(adults))),
        ],
    };
    for (n, people) in [(HOST, 4), (OTHER, 6)] {
        region
            .net
            .write(n, DocumentKind::RematchingPool, vec![grow(people, 2)]);
    }
    region.net.run();
    let part = |people| {
        vec![
            (field("people"), Some(Value::Integer(people))),
            (field("adults"), Some(Value::Integer(1))),
        ]
    };
    let split = |people| Wish::Split {
        request: request(9),
        into: vec![part(people), part(people)],
    };
    let (few, many) = (
        region.decide(HOST, &split(2)),
        region.decide(HOST, &split(3)),
    );
    assert!(few.is_err() && many.is_err(), "{few:?} {many:?}");
}
