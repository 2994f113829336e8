//! Deciders of whole members, joined by queues: what officers of two and three councils see.

use super::*;
use crate::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use crate::roster::SignedRoster;
use crate::schema::{self, Edit, Value};
use crate::session::harness::{Net, council, record, roster, signed};

/// Two guest councils with a household each, 0 and 1, and the host council, 2, with places.
pub(super) struct Councils {
    pub(super) net: Net,
    roster: SignedRoster,
    pub(super) deciders: Vec<Decider>,
}

pub(super) const HOST: usize = 2;

pub(super) fn place(n: u64) -> RecordId {
    record(RecordKind::Place, n)
}

pub(super) fn request(n: u64) -> RecordId {
    record(RecordKind::Request, n)
}

/// A record of the pool with the least that it must have, open.
pub(super) fn open(id: RecordId) -> Edit {
    let fields = schema::fields_of(schema::NEWEST, id.kind()).filter(|field| field.required);
    let one = |accepts| match accepts {
        schema::FieldType::Code(_) => Value::Code(0),
        _ => Value::Integer(1),
    };
    Edit::Create {
        record: id,
        fields: fields.map(|field| (field.id, one(field.accepts))).collect(),
    }
}

impl Councils {
    pub(super) fn new() -> Self {
        let roster = signed(&roster(1, 3, &[]));
        let mut net = Net::new(&vec![roster.clone(); 3]);
        net.connect_all();
        net.run();
        let pool = DocumentKind::RematchingPool;
        net.write(0, pool, vec![open(request(0))]);
        net.write(1, pool, vec![open(request(1))]);
        net.write(HOST, pool, vec![open(place(7)), open(place(8))]);
        net.run();
        let deciders = (0..3).map(|_| Decider::new()).collect();
        Self {
            net,
            roster,
            deciders,
        }
    }

    /// Everything arrives, and every node does what follows.
    pub(super) fn settle(&mut self) {
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

    pub(super) fn decide(&mut self, n: usize, wish: &Wish) -> Result<RecordId, DecideError> {
        let now = self.net.now;
        let decided = self.deciders[n].decide(&mut self.net.members[n], wish, now);
        self.net.collect(n);
        decided.map(|done| done.case)
    }

    /// Decides, and again once the other councils have answered.
    pub(super) fn decide_surely(&mut self, n: usize, wish: &Wish) -> Result<RecordId, DecideError> {
        match self.decide(n, wish) {
            Err(DecideError::Unsure(_)) => {
                self.settle();
                self.decide(n, wish)
            }
            other => other,
        }
    }

    pub(super) fn propose(&mut self, guest: usize) -> RecordId {
        let wish = Wish::Propose {
            request: request(guest as u64),
            places: vec![place(7)],
        };
        let case = self.decide(guest, &wish).unwrap();
        self.settle();
        case
    }

    pub(super) fn stage(&self, n: usize, case: RecordId) -> Stage {
        let ledgers = self.deciders[n].ledgers(&self.net.members[n]);
        let cases = ledgers.cases(council(n));
        let found = cases.iter().find(|view| view.case.proposal == case);
        found.expect("the case is known").case.stage
    }

    /// What a third council sees of a record of the pool.
    pub(super) fn shown(&self, of: usize, id: RecordId, by: usize) -> &'static str {
        let name = DocumentKind::RematchingPool.of(council(of));
        let field = schema::field_named(schema::NEWEST, id.kind(), "state").unwrap();
        let fields = self.net.members[by].document(name).unwrap().record(id);
        match fields.unwrap()[&field.id].as_slice() {
            [Value::Code(0)] => "open",
            [Value::Code(1)] => "held",
            [Value::Code(2)] => "taken",
            [Value::Code(3)] => "closed",
            other => panic!("{other:?}"),
        }
    }

    /// The disk is put back to `disk`, and the process starts again.
    fn restart_with(&mut self, n: usize, disk: crate::session::harness::Disk, boot: u8) {
        self.net.disks[n] = disk;
        self.net.restart(n, &self.roster, boot);
        self.deciders[n] = Decider::new();
    }

    fn connect(&mut self, n: usize) {
        for other in (0..3).filter(|other| *other != n) {
            self.net.connect(n, other);
        }
    }
}

pub(super) fn hold(case: RecordId) -> Wish {
    Wish::Hold {
        case,
        place: None,
        hours: 24,
        by_phone: false,
    }
}

#[test]
fn a_place_goes_to_one_of_two_councils_and_the_pool_shows_no_more_than_that() {
    let mut region = Councils::new();
    let (first, second) = (region.propose(0), region.propose(1));
    assert_eq!(region.shown(HOST, place(7), 0), "open");
    // Both have asked the host council, and been asked.
    region.decide(HOST, &hold(first)).unwrap();
    region.settle();
    assert_eq!(region.shown(HOST, place(7), 1), "held");
    assert_eq!(
        region.decide(HOST, &hold(second)),
        Err(DecideError::Refused(Refusal::PlaceLocked))
    );
    assert_eq!(region.stage(0, first), Stage::Held);
    region
        .decide_surely(0, &Wish::Confirm { case: first })
        .unwrap();
    assert_eq!(region.shown(0, request(0), 0), "held");
    region.settle();
    // The host's node has placed, and the guest's has heard it.
    for n in [0, HOST] {
        assert_eq!(region.stage(n, first), Stage::Placed, "at {n}");
    }
    assert_eq!(region.shown(HOST, place(7), 1), "taken");
    assert_eq!(region.shown(0, request(0), 1), "taken");
    let decline = Wish::Decline {
        case: second,
        reason: None,
    };
    region.decide(HOST, &decline).unwrap();
    region.settle();
    assert_eq!(region.stage(1, second), Stage::Declined);
    let nothing = DocumentKind::Casework(council(0)).of(council(HOST));
    let of_others = region.net.members[1].document(nothing);
    assert!(of_others.is_none_or(|document| document.entry_count() == 0));
}

#[test]
fn confirming_one_case_withdraws_the_others_in_the_same_flush() {
    let mut region = Councils::new();
    region
        .net
        .write(1, DocumentKind::RematchingPool, vec![open(place(3))]);
    region.settle();
    let first = region.propose(0);
    let wish = Wish::Propose {
        request: request(0),
        places: vec![place(3)],
    };
    let other = region.decide(0, &wish).unwrap();
    region.settle();
    region.decide_surely(HOST, &hold(first)).unwrap();
    region.settle();
    region.decide_surely(1, &hold(other)).unwrap();
    region.settle();
    region
        .decide_surely(0, &Wish::Confirm { case: other })
        .unwrap();
    assert_eq!(region.stage(0, first), Stage::Withdrawn);
    region.settle();
    assert_eq!(region.stage(1, other), Stage::Placed);
    assert_eq!(region.stage(HOST, first), Stage::Withdrawn);
    let wish = Wish::Release {
        case: first,
        reason: None,
    };
    region.decide(HOST, &wish).unwrap();
    region.settle();
    assert_eq!(region.stage(HOST, first), Stage::Over);
    assert_eq!(region.shown(HOST, place(7), 1), "open");
}

#[test]
fn a_hold_that_nobody_confirms_is_released_by_its_node_when_its_time_is_up() {
    let mut region = Councils::new();
    let case = region.propose(0);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    region.net.now = region.net.now.plus(24 * 3600 - 1);
    region.settle();
    assert_eq!(region.stage(0, case), Stage::Held);
    region.net.now = region.net.now.plus(1);
    region.settle();
    assert_eq!(region.stage(0, case), Stage::Released);
    assert_eq!(region.shown(HOST, place(7), 0), "open");
}

#[test]
fn a_host_council_put_back_to_before_the_hold_takes_it_back_before_it_decides() {
    let mut region = Councils::new();
    let (first, second) = (region.propose(0), region.propose(1));
    let before = region.net.disks[HOST].clone();
    region.decide_surely(HOST, &hold(first)).unwrap();
    region.settle();
    region
        .decide_surely(0, &Wish::Confirm { case: first })
        .unwrap();
    region.settle();
    assert_eq!(region.stage(0, first), Stage::Placed);

    region.restart_with(HOST, before, 9);
    // Nobody is connected: it knows of no hold, and decides nothing.
    assert_eq!(region.stage(HOST, second), Stage::Proposed);
    assert!(matches!(
        region.decide(HOST, &hold(second)),
        Err(DecideError::Unsure(_))
    ));
    region.connect(HOST);
    region.settle();
    region.settle();
    assert_eq!(region.stage(HOST, first), Stage::Placed);
    assert_eq!(
        region.decide_surely(HOST, &hold(second)),
        Err(DecideError::Refused(Refusal::PlaceLocked))
    );
    assert_eq!(region.shown(HOST, place(7), 1), "taken");
}

#[test]
fn what_both_lost_counts_for_nothing_when_it_comes_back_later() {
    let mut region = Councils::new();
    let (first, second) = (region.propose(0), region.propose(1));
    let before: Vec<_> = region.net.disks.clone();
    region.decide_surely(HOST, &hold(first)).unwrap();
    region.settle();
    let late = region.net.disks[HOST].clone();
    for (n, disk) in before.iter().enumerate() {
        region.restart_with(n, disk.clone(), 9);
    }
    region.net.connect_all();
    region.settle();
    region.decide_surely(HOST, &hold(second)).unwrap();
    region.settle();
    assert_eq!(region.stage(1, second), Stage::Held);
    let lost = DocumentKind::Casework(council(0)).of(council(HOST));
    // A second node of the host council had it all the time.
    let held = |region: &Councils, n: usize| {
        let document = region.net.members[n].document(lost).unwrap();
        document.entry_count()
    };
    let held_before = held(&region, HOST);
    for durable in late.iter().skip(before[HOST].len()) {
        let crate::session::Durable::Batch {
            document, units, ..
        } = durable
        else {
            continue;
        };
        if *document == lost {
            for n in [0, HOST] {
                region.net.members[n].admit(lost, units.clone(), None);
                region.net.collect(n);
            }
        }
    }
    assert!(held(&region, HOST) > held_before, "it has come");
    region.settle();
    for n in [0, HOST] {
        assert_eq!(region.stage(n, first), Stage::Proposed, "at {n}");
    }
    region
        .decide_surely(1, &Wish::Confirm { case: second })
        .unwrap();
    region.settle();
    assert_eq!(region.stage(HOST, second), Stage::Placed);
}

#[test]
fn a_council_that_is_gone_can_be_gone_on_without() {
    let mut region = Councils::new();
    let case = region.propose(0);
    region.restart_with(HOST, region.net.disks[HOST].clone(), 9);
    region.net.connect(HOST, 0);
    let gone: CouncilCode = council(1);
    assert!(region.decide(HOST, &hold(case)).is_err());
    region.settle();
    assert_eq!(
        region.decide(HOST, &hold(case)),
        Err(DecideError::Unsure(vec![gone]))
    );
    let (member, now) = (&mut region.net.members[HOST], region.net.now);
    region.deciders[HOST]
        .go_on_without(member, &[gone], now)
        .unwrap();
    region.net.collect(HOST);
    region.decide(HOST, &hold(case)).unwrap();
    region.settle();
    assert_eq!(region.stage(0, case), Stage::Held);
}

#[test]
fn a_counterpart_with_which_nothing_more_can_be_written_holds_up_nobody_else() {
    let mut region = Councils::new();
    let (first, second) = (region.propose(0), region.propose(1));
    region.decide_surely(HOST, &hold(first)).unwrap();
    region.settle();
    // The host council's casework with the second comes to its quota.
    let full = DocumentKind::Casework(council(1));
    let answer = |n: u64| Edit::Create {
        record: record(RecordKind::Comparison, n),
        fields: vec![
            (
                schema::FieldId(1),
                Value::Instant(crate::time::UnixSeconds(n)),
            ),
            (
                schema::FieldId(2),
                Value::Record(record(RecordKind::Opening, n)),
            ),
        ],
    };
    let held = region.net.members[HOST].document(full.of(council(HOST)));
    let held = held.unwrap().record_count() as u64;
    let fill = (held..crate::limits::FACTS_PER_CASEWORK).map(answer);
    region.net.write(HOST, full, fill.collect());
    region.settle();
    // The second starts again and asks; to this it cannot be answered.
    region.restart_with(1, region.net.disks[1].clone(), 9);
    region.connect(1);
    let withdraw = Wish::Withdraw {
        case: second,
        reason: None,
    };
    region.decide(1, &withdraw).unwrap();
    region
        .decide_surely(0, &Wish::Confirm { case: first })
        .unwrap();
    region.settle();
    assert_eq!(region.stage(0, first), Stage::Placed);
}

#[test]
fn a_place_that_its_officers_have_closed_is_not_held() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let state = schema::field_named(schema::NEWEST, RecordKind::Place, "state").unwrap();
    let close = Edit::Update {
        record: place(7),
        fields: vec![(state.id, Some(Value::Code(3)))],
    };
    region
        .net
        .write(HOST, DocumentKind::RematchingPool, vec![close]);
    let refused = region.decide_surely(HOST, &hold(case));
    assert_eq!(refused, Err(DecideError::NotOpen(place(7))));
}

#[test]
fn each_council_is_told_what_the_other_wrote_however_seldom_it_looks() {
    use crate::events::{Kind, Memory, of_cases, of_stopped};
    let mut region = Councils::new();
    let since = region.net.now;
    let mut memories = [0, HOST].map(|n| (n, Memory::new(since, []), Vec::new()));
    let mut case = None;
    for step in 0..5 {
        let wish = match (step, case) {
            (0, _) => {
                case = Some(region.propose(0));
                None
            }
            (1, Some(case)) => Some((HOST, hold(case))),
            (2, Some(case)) => Some((0, Wish::Confirm { case })),
            (3, Some(case)) => {
                let arrived = true;
                Some((HOST, Wish::Arrival { case, arrived }))
            }
            (_, Some(case)) => Some((0, Wish::Withdraw { case, reason: None })),
            (_, None) => None,
        };
        if let Some((n, wish)) = wish {
            region.decide_surely(n, &wish).unwrap();
            region.settle();
        }
        for (n, memory, told) in &mut memories {
            let ledgers = region.deciders[*n].ledgers(&region.net.members[*n]);
            let (own, now) = (council(*n), region.net.now);
            let holding = of_cases(&ledgers.happened(), &ledgers.cases(own), own, now);
            // A place is named while a case locks it, and never with its host.
            let locked = of_stopped(&[place(7), place(8)], &ledgers, now);
            let is_locked = *n == HOST && step > 0;
            assert_eq!(locked.len(), usize::from(is_locked), "{n} {step}");
            for event in locked {
                assert_eq!((event.about.case, event.about.host), (case, None));
                assert_eq!(event.about.place, Some(place(7)));
            }
            for event in memory.news(&holding).0 {
                assert_eq!(event.about.case, case);
                assert_eq!(event.about.council, Some(council(HOST - *n)));
                assert!(event.about.request.is_some());
                memory.told(event.id, now);
                told.push(event.kind);
            }
            if step == 4 {
                let at_once = Memory::new(since, []);
                let mut at_once: Vec<Kind> =
                    at_once.news(&holding).0.iter().map(|e| e.kind).collect();
                at_once.sort_unstable();
                let mut by_step = told.clone();
                by_step.sort_unstable();
                assert_eq!(at_once, by_step);
            }
        }
    }
    let [(_, _, guest), (_, _, host)] = memories;
    assert_eq!(guest, [Kind::Held, Kind::Placed, Kind::Arrived]);
    use Kind::{Confirmed, Placed, ProposalArrived, Withdrawn};
    let mut host = host;
    // Confirmed and placed are heard at one look, in the same second.
    host[1..3].sort_unstable();
    assert_eq!(host, [ProposalArrived, Confirmed, Placed, Withdrawn]);
}
