//! What a council may write that no officer's command would, households that are settled, and
//! transfers that are agreed.

use std::collections::BTreeMap;

use super::decider_tests::{Councils, HOST, hold, place, request};
use super::remark_tests::{arrived, say, told};
use super::*;
use crate::ids::{DocumentKind, RecordId, RecordKind};
use crate::schema::{self, Edit, Value};
use crate::session::harness::{council, node_key, record, roster, signed};
use crate::time::{Day, UnixSeconds};

fn fact(kind: RecordKind, n: u64, at: UnixSeconds, rest: Vec<(u8, Value)>) -> Edit {
    let mut fields = vec![(schema::FieldId(1), Value::Instant(at))];
    fields.extend(
        rest.into_iter()
            .map(|(id, value)| (schema::FieldId(id), value)),
    );
    Edit::Create {
        record: record(kind, n),
        fields,
    }
}

#[test]
fn a_booking_that_ends_before_the_responsibility_moves_leaves_its_household_in_the_pool() {
    let (mut region, case) = arrived();
    let on = Day(Day::of(region.net.now).0 + 90);
    for n in [0, HOST] {
        region
            .decide(n, &say(case, Remark::Transfer { proposal: case, on }))
            .unwrap();
        region.settle();
    }
    let release = Wish::Release { case, reason: None };
    region.decide(HOST, &release).unwrap();
    region.settle();
    let withdraw = Wish::Withdraw { case, reason: None };
    region.decide(0, &withdraw).unwrap();
    region.settle();
    assert_eq!(region.shown(0, request(0), 1), "open");
}

#[test]
fn a_host_council_cannot_undo_an_agreed_transfer_alone() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    for n in [0, HOST] {
        region
            .decide(n, &say(case, Remark::Transfer { proposal: case, on }))
            .unwrap();
        region.settle();
    }
    assert!(told(&region, 0, case).remarks.is_agreed());
    // Signed properly, written by no officer's command.
    let later = Value::Day(Day(on.0 + 1));
    let edit = fact(
        RecordKind::Transfer,
        99,
        region.net.now.plus(1),
        vec![(2, Value::Record(case)), (3, later)],
    );
    region
        .net
        .write(HOST, DocumentKind::Casework(council(0)), vec![edit]);
    region.settle();
    assert_eq!(
        told(&region, 0, case).responsible(Day::of(region.net.now)),
        council(HOST)
    );
}

#[test]
fn a_guest_council_cannot_take_back_an_agreed_transfer_by_a_new_offer() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    for n in [0, HOST] {
        region
            .decide(n, &say(case, Remark::Transfer { proposal: case, on }))
            .unwrap();
        region.settle();
    }
    let on = Day(on.0 + 300);
    let _ = region.decide(0, &say(case, Remark::Transfer { proposal: case, on }));
    region.settle();
    assert_eq!(
        told(&region, 0, case).responsible(Day::of(region.net.now)),
        council(HOST)
    );
}

#[test]
fn what_cannot_be_agreed_any_more_is_nobodys_turn() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    region
        .decide(0, &say(case, Remark::Transfer { proposal: case, on }))
        .unwrap();
    region.settle();
    region
        .decide(0, &Wish::Withdraw { case, reason: None })
        .unwrap();
    region
        .decide(HOST, &Wish::Release { case, reason: None })
        .unwrap();
    region.settle();
    let view = told(&region, HOST, case);
    assert_eq!(view.case.stage, Stage::Over);
    assert!(!view.remarks.wait_for(Side::Host, view.case.stage));
}

#[test]
fn a_council_with_which_nothing_can_be_written_keeps_no_concern_from_another() {
    let mut region = Councils::new();
    let (first, second) = (region.propose(0), region.propose(1));
    region.decide_surely(HOST, &hold(first)).unwrap();
    region.settle();
    let other = Wish::Propose {
        request: request(1),
        places: vec![place(8)],
    };
    let other = region.decide(1, &other).unwrap();
    let _ = second;
    region.settle();
    region.decide_surely(HOST, &hold(other)).unwrap();
    region.settle();
    let full = DocumentKind::Casework(council(1));
    let held = region.net.members[HOST].document(full.of(council(HOST)));
    let held = held.unwrap().record_count() as u64;
    let fill = (held..crate::limits::FACTS_PER_CASEWORK).map(|n| {
        fact(
            RecordKind::Comparison,
            n,
            UnixSeconds(n),
            vec![(2, Value::Record(record(RecordKind::Opening, n)))],
        )
    });
    region.net.write(HOST, full, fill.collect());
    region.settle();
    let stopped: BTreeMap<RecordId, bool> = [(place(7), true), (place(8), true)].into();
    let now = region.net.now;
    let _ = region.deciders[HOST].raise_concerns(&mut region.net.members[HOST], &stopped, now);
    region.net.collect(HOST);
    region.settle();
    assert!(told(&region, 0, first).remarks.concern.is_some());
}

#[test]
fn a_household_that_needs_no_place_is_closed_though_nothing_was_locked() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let field = schema::field_named(schema::NEWEST, RecordKind::Withdrawal, "reason").unwrap();
    let schema::FieldType::Code(codes) = field.accepts else {
        panic!()
    };
    let reason = codes
        .iter()
        .position(|code| *code == "returned_to_ukraine")
        .unwrap();
    let withdraw = Wish::Withdraw {
        case,
        reason: Some(reason as u8),
    };
    region.decide(0, &withdraw).unwrap();
    region.settle();
    assert_eq!(region.shown(0, request(0), 1), "closed");
}

#[test]
fn a_peer_asks_no_more_than_it_may() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let asks = (0..5000).map(|n| {
        fact(
            RecordKind::Enquiry,
            n,
            region.net.now,
            vec![(2, Value::Record(case)), (3, Value::Code(2))],
        )
    });
    let asks: Vec<Edit> = asks.collect();
    region
        .net
        .write(0, DocumentKind::Casework(council(HOST)), asks);
    region.settle();
    let view = told(&region, HOST, case);
    assert!(view.remarks.questions.len() <= crate::limits::QUESTIONS_OF_CASE);
}

#[test]
fn a_guest_council_cannot_silence_a_concern() {
    let mut region = Councils::new();
    let (case, now) = (region.propose(0), region.net.now);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    let (held, _) = told(&region, HOST, case).case.hold.unwrap();
    let Edit::Create { fields, .. } = fact(
        RecordKind::Hold,
        1,
        now,
        vec![
            (2, Value::Record(record(RecordKind::Proposal, 77))),
            (3, Value::Record(place(1))),
            (4, Value::Integer(1)),
            (5, Value::Instant(now)),
        ],
    ) else {
        panic!()
    };
    region.net.write(
        0,
        DocumentKind::Casework(council(HOST)),
        vec![Edit::Create {
            record: held,
            fields,
        }],
    );
    region.settle();
    let stopped: BTreeMap<RecordId, bool> = [(place(7), true)].into();
    let mut said = 0;
    for _ in 0..5 {
        said += region.deciders[HOST]
            .raise_concerns(&mut region.net.members[HOST], &stopped, now)
            .0;
        region.net.collect(HOST);
        region.settle();
    }
    assert_eq!(said, 1);
}

#[test]
fn a_clock_in_the_far_future_takes_nobodys_word_away() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    let edit = fact(
        RecordKind::Ended,
        99,
        UnixSeconds::MAX,
        vec![(2, Value::Record(case)), (3, Value::Day(Day(1)))],
    );
    let _written = region.net.members[HOST].write(
        &[(DocumentKind::Casework(council(0)), vec![edit])],
        region.net.now,
    );
    region.net.collect(HOST);
    region.settle();
    region
        .decide(
            0,
            &say(
                case,
                Remark::Ended {
                    proposal: case,
                    on,
                    reason: None,
                },
            ),
        )
        .unwrap();
    region.settle();
    let ends = told(&region, 0, case).remarks.ends;
    // Each council has its own word, whatever the other's clock says.
    let own = ends.iter().find(|ends| ends.by == Side::Guest);
    assert_eq!(own.unwrap().on, on);
}

#[test]
fn what_a_disk_lost_of_the_pool_does_not_bring_a_household_back_that_has_gone() {
    let (mut region, case) = arrived();
    let before = region.net.disks[0].clone();
    let field = schema::field_named(schema::NEWEST, RecordKind::Withdrawal, "reason").unwrap();
    let schema::FieldType::Code(codes) = field.accepts else {
        panic!()
    };
    let reason = codes
        .iter()
        .position(|code| *code == "returned_to_ukraine")
        .unwrap();
    let withdraw = Wish::Withdraw {
        case,
        reason: Some(reason as u8),
    };
    region.decide(0, &withdraw).unwrap();
    // Only the host council has heard, and only of the casework.
    let casework = DocumentKind::Casework(council(HOST)).of(council(0));
    let late = region.net.disks[0].clone();
    let roster = signed(&roster(1, 3, &[]));
    region.net.disks[0] = before.clone();
    region.net.restart(0, &roster, 9);
    region.deciders[0] = Decider::new();
    for durable in late.iter().skip(before.len()) {
        if let crate::session::Durable::Batch {
            document, units, ..
        } = durable
            && *document == casework
        {
            region.net.members[0].admit(casework, units.clone(), None);
            region.net.collect(0);
        }
    }
    for n in [1, HOST] {
        region.net.connect(0, n);
    }
    region.settle();
    let stage = told(&region, 0, case).case.stage;
    assert_eq!(stage, Stage::Withdrawn);
    assert_eq!(region.shown(0, request(0), 1), "closed");
}

#[test]
fn a_next_request_that_was_closed_as_a_mistake_hides_no_household() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    let end = Wish::Say {
        case,
        remark: Remark::Ended {
            proposal: case,
            on,
            reason: None,
        },
        again: true,
    };
    region.decide(0, &end).unwrap();
    let next = {
        let name = DocumentKind::RematchingPool.of(council(0));
        let records = region.net.members[0].document(name).unwrap().records();
        let mut ids = records
            .map(|(id, _)| id)
            .filter(|id| id.kind() == RecordKind::Request && *id != request(0));
        ids.next().unwrap()
    };
    let close = pool::closing(&region.net.members[0], next).unwrap();
    region
        .net
        .write(0, DocumentKind::RematchingPool, vec![close]);
    region
        .decide(0, &Wish::Withdraw { case, reason: None })
        .unwrap();
    region.settle();
    assert_eq!(region.shown(0, request(0), 1), "open");
}

#[test]
fn a_place_whose_proposal_fell_away_with_a_cut_can_be_let_go_of() {
    let mut region = Councils::new();
    let case = region.propose(0);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    let mut cut = roster(2, 3, &[]);
    cut.cuts.push(crate::roster::Cut {
        document: DocumentKind::Casework(council(HOST)).of(council(0)),
        generation: 1,
        node: node_key(0).node_id(),
        signing: node_key(0).public(),
        chains: Vec::new(),
    });
    region.net.members[HOST]
        .offer_roster(signed(&cut), region.net.now)
        .unwrap();
    region.net.collect(HOST);
    region.settle();
    let _ = region.decide(HOST, &Wish::Release { case, reason: None });
    // Its time is up as well.
    region.net.now = region.net.now.plus(25 * 3600);
    region.settle();
    assert_eq!(region.shown(HOST, place(7), 1), "open");
    let ledgers = region.deciders[HOST].ledgers(&region.net.members[HOST]);
    assert_eq!(ledgers.book().lock_of_place(place(7)), None);
}
