//! Remarks between deciders of whole members: who may make which when, and what follows.

use super::decider_tests::{Councils, HOST, hold, place, request};
use super::*;
use crate::ids::{DocumentKind, RecordId, RecordKind};
use crate::schema::{self, FieldId, Value};
use crate::session::harness::council;
use crate::time::{Day, UnixSeconds};

pub(super) fn say(case: RecordId, remark: Remark) -> Wish {
    Wish::Say {
        case,
        remark,
        again: false,
    }
}

fn ended(proposal: RecordId, on: Day) -> Remark {
    Remark::Ended {
        proposal,
        on,
        reason: None,
    }
}

fn field(name: &str) -> FieldId {
    let field = schema::field_named(schema::NEWEST, RecordKind::Request, name);
    field.unwrap().id
}

/// What `n` makes of the remarks on a case.
pub(super) fn told(region: &Councils, n: usize, case: RecordId) -> CaseView {
    let ledgers = region.deciders[n].ledgers(&region.net.members[n]);
    let cases = ledgers.cases(council(n)).into_iter();
    let mut found = cases.filter(|view| view.case.proposal == case);
    found.next().expect("the case is known")
}

/// A case in which a household has come.
pub(super) fn arrived() -> (Councils, RecordId) {
    let mut region = Councils::new();
    let case = region.propose(0);
    region.decide_surely(HOST, &hold(case)).unwrap();
    region.settle();
    region.decide_surely(0, &Wish::Confirm { case }).unwrap();
    region.settle();
    let arrival = Wish::Arrival {
        case,
        arrived: true,
    };
    region.decide(HOST, &arrival).unwrap();
    region.settle();
    assert_eq!(region.stage(0, case), Stage::Arrived);
    (region, case)
}

fn requests(region: &Councils) -> Vec<RecordId> {
    let pool = DocumentKind::RematchingPool.of(council(0));
    let records = region.net.members[0].document(pool).unwrap().records();
    let requests = records.filter(|(id, _)| id.kind() == RecordKind::Request);
    requests.map(|(id, _)| id).collect()
}

fn refused(error: RemarkRefusal) -> Result<RecordId, DecideError> {
    Err(DecideError::Remark(error))
}

#[test]
fn a_question_waits_for_the_other_council_until_it_is_answered() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let ask = say(
        case,
        Remark::Enquiry {
            proposal: case,
            question: 2,
        },
    );
    region.decide(0, &ask).unwrap();
    assert_eq!(region.decide(0, &ask), refused(RemarkRefusal::Asked));
    region.settle();
    let view = told(&region, HOST, case);
    assert!(
        view.remarks.wait_for(Side::Host, view.case.stage)
            && !view.remarks.wait_for(Side::Guest, view.case.stage)
    );
    let enquiry = view.remarks.questions[0].enquiry;
    let answer = say(case, Remark::Answer { enquiry, answer: 1 });
    // Nobody answers for the other.
    assert_eq!(
        region.decide(0, &answer),
        refused(RemarkRefusal::NoQuestion)
    );
    region.decide(HOST, &answer).unwrap();
    assert_eq!(
        region.decide(HOST, &answer),
        refused(RemarkRefusal::NoQuestion)
    );
    region.settle();
    for n in [0, HOST] {
        let view = told(&region, n, case);
        let answer = view.remarks.questions[0].answer.map(|(code, _)| code);
        assert_eq!(answer, Some(1), "at {n}");
        assert!(
            !view.remarks.wait_for(Side::Host, view.case.stage),
            "at {n}"
        );
        assert_eq!(view.case.stage, Stage::Proposed, "at {n}");
    }
    // The council that has no part in it holds nothing of it.
    let casework = DocumentKind::Casework(council(0)).of(council(HOST));
    let other = region.net.members[1].document(casework);
    assert!(other.is_none_or(|document| document.entry_count() == 0));
}

#[test]
fn there_is_an_end_to_questions() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let ask = |n: u8| Remark::Enquiry {
        proposal: case,
        question: n % 8,
    };
    for n in 0..crate::limits::QUESTIONS_OF_CASE {
        region.decide(0, &say(case, ask(n as u8))).unwrap();
        region.settle();
        let asked = told(&region, HOST, case).remarks.questions;
        let answer = Remark::Answer {
            enquiry: asked.last().unwrap().enquiry,
            answer: 0,
        };
        region.decide(HOST, &say(case, answer)).unwrap();
        region.settle();
    }
    let more = region.decide(0, &say(case, ask(0)));
    assert_eq!(more, refused(RemarkRefusal::TooMany));
}

#[test]
fn an_end_locks_and_unlocks_nothing_and_the_household_is_looked_for_once() {
    let (mut region, case) = arrived();
    let on = Day::of(region.net.now);
    let end = |again| Wish::Say {
        case,
        remark: ended(case, on),
        again,
    };
    assert_eq!(region.decide(HOST, &end(true)), Err(DecideError::NotGuest));
    region.decide(HOST, &end(false)).unwrap();
    region.settle();
    assert_eq!(told(&region, 0, case).remarks.ends[0].by, Side::Host);
    region.decide(0, &end(true)).unwrap();
    assert_eq!(
        region.decide(0, &end(true)),
        Err(DecideError::Continued(request(0)))
    );
    region.settle();
    assert_eq!(region.stage(HOST, case), Stage::Arrived, "it stands");
    let next = requests(&region);
    let next = next.iter().find(|id| **id != request(0)).copied().unwrap();
    assert_eq!(region.shown(0, next, 1), "open");
    assert_eq!(region.shown(0, request(0), 1), "taken");
    let pool = DocumentKind::RematchingPool.of(council(0));
    let fields = region.net.members[1].document(pool).unwrap().record(next);
    let fields = fields.unwrap();
    assert_eq!(fields[&field("continues")], [Value::Record(request(0))]);
    assert_eq!(fields[&field("needed_by")], [Value::Week(on.week())]);
    let withdraw = Wish::Withdraw { case, reason: None };
    region.decide(0, &withdraw).unwrap();
    region.settle();
    assert_eq!(
        region.shown(0, request(0), 1),
        "closed",
        "it goes on in the other"
    );
    assert_eq!(region.shown(0, next, 1), "open");
}

#[test]
fn a_household_that_needs_no_place_any_more_is_not_in_the_pool_again() {
    let field = schema::field_named(schema::NEWEST, RecordKind::Withdrawal, "reason").unwrap();
    let schema::FieldType::Code(codes) = field.accepts else {
        panic!("a reason is a code");
    };
    for (word, shown) in [
        ("private_accommodation", "closed"),
        ("relationship_breakdown", "open"),
    ] {
        let (mut region, case) = arrived();
        let reason = codes.iter().position(|code| *code == word).unwrap();
        let withdraw = Wish::Withdraw {
            case,
            reason: Some(reason as u8),
        };
        region.decide(0, &withdraw).unwrap();
        region.settle();
        assert_eq!(region.shown(0, request(0), 1), shown, "{word}");
    }
}

#[test]
fn the_responsibility_has_moved_once_both_have_said_the_same_day() {
    let (mut region, case) = arrived();
    let today = Day::of(region.net.now);
    let on = |day| {
        say(
            case,
            Remark::Transfer {
                proposal: case,
                on: day,
            },
        )
    };
    // The host council agrees to what was offered, and offers nothing itself.
    assert_eq!(
        region.decide(HOST, &on(today)),
        refused(RemarkRefusal::OtherDay)
    );
    region.decide(0, &on(today)).unwrap();
    region.settle();
    let view = told(&region, HOST, case);
    assert!(view.remarks.wait_for(Side::Host, view.case.stage));
    assert_eq!(view.responsible(today), council(0));
    let tomorrow = Day(today.0 + 1);
    assert_eq!(
        region.decide(HOST, &on(tomorrow)),
        refused(RemarkRefusal::OtherDay)
    );
    region.decide(HOST, &on(today)).unwrap();
    region.settle();
    for n in [0, HOST] {
        assert_eq!(
            told(&region, n, case).responsible(today),
            council(HOST),
            "at {n}"
        );
    }
    assert_eq!(region.stage(0, case), Stage::Arrived, "the booking stands");
    let withdraw = Wish::Withdraw { case, reason: None };
    region.decide(0, &withdraw).unwrap();
    assert_eq!(region.shown(0, request(0), 0), "closed");
}

#[test]
fn a_concern_is_told_once_and_taken_back_once() {
    let (mut region, case) = arrived();
    let raise = |region: &mut Councils, stopped: &[RecordId]| {
        let places = [place(7), place(8)];
        let stopped = places.map(|place| (place, stopped.contains(&place)));
        let now = region.net.now;
        let decider = &mut region.deciders[HOST];
        let told = decider.raise_concerns(&mut region.net.members[HOST], &stopped.into(), now);
        region.net.collect(HOST);
        region.settle();
        assert!(told.1.is_empty(), "{told:?}");
        told.0
    };
    assert_eq!(
        raise(&mut region, &[place(8)]),
        0,
        "it is not in that place"
    );
    assert_eq!(raise(&mut region, &[place(7)]), 1);
    assert_eq!(raise(&mut region, &[place(7)]), 0);
    assert!(told(&region, 0, case).remarks.concern.is_some());
    assert_eq!(raise(&mut region, &[]), 1);
    assert!(told(&region, 0, case).remarks.concern.is_none());
    for n in 0..2 * crate::limits::CONCERNS_OF_HOLD {
        raise(&mut region, &[place(7)][..(n % 2)]);
    }
    let casework = DocumentKind::Casework(council(0)).of(council(HOST));
    let document = region.net.members[HOST].document(casework).unwrap();
    let concerns = document
        .records()
        .filter(|(id, _)| id.kind() == RecordKind::Concern);
    assert_eq!(concerns.count(), crate::limits::CONCERNS_OF_HOLD);
}

#[test]
fn remarks_that_do_not_fit_are_refused_and_nothing_is_written() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let today = Day::of(region.net.now);
    let transfer = Remark::Transfer {
        proposal: case,
        on: today,
    };
    let consent = |on| Remark::Consent {
        proposal: case,
        on,
        method: 0,
        given: true,
    };
    let stage = RemarkRefusal::Stage(Stage::Proposed);
    let before = region.net.members[0].casework_reaches();
    for (remark, error) in [
        (ended(case, today), stage),
        (transfer, stage),
        (consent(Day(today.0 + 1)), RemarkRefusal::Future),
    ] {
        assert_eq!(region.decide(0, &say(case, remark)), refused(error));
    }
    assert_eq!(region.net.members[0].casework_reaches(), before);
    region.decide(0, &say(case, consent(today))).unwrap();
    region.settle();
    let view = told(&region, HOST, case);
    assert!(view.remarks.guest.is_some_and(|said| said.given));
    assert_eq!(view.remarks.host, None);
}

#[test]
fn nobody_of_a_household_that_is_split_is_lost_or_looked_for_twice() {
    let mut region = Councils::new();
    let case = region.propose(0);
    let part = |people, adults| {
        vec![
            (field("people"), Some(Value::Integer(people))),
            (field("adults"), Some(Value::Integer(adults))),
        ]
    };
    // A request of the harness is for one person.
    let grow = crate::schema::Edit::Update {
        record: request(0),
        fields: vec![
            (field("people"), Some(Value::Integer(4))),
            (field("adults"), Some(Value::Integer(2))),
        ],
    };
    region
        .net
        .write(0, DocumentKind::RematchingPool, vec![grow]);
    let split = |into: &[(i64, i64)]| Wish::Split {
        request: request(0),
        into: into.iter().map(|(p, a)| part(*p, *a)).collect(),
    };
    assert_eq!(region.decide(0, &split(&[(4, 2)])), Err(DecideError::Parts));
    for into in [[(3, 1), (2, 1)], [(2, 1), (1, 1)]] {
        let error = region.decide(0, &split(&into)).unwrap_err();
        assert!(matches!(error, DecideError::People { .. }), "{error}");
    }
    region.decide(0, &split(&[(3, 1), (1, 1)])).unwrap();
    region.settle();
    assert_eq!(
        region.stage(HOST, case),
        Stage::Over,
        "what was proposed has ended"
    );
    assert_eq!(region.shown(0, request(0), 1), "closed");
    let parts = requests(&region);
    let parts: Vec<_> = parts.iter().filter(|id| **id != request(0)).collect();
    assert_eq!(parts.len(), 2);
    for id in parts {
        assert_eq!(region.shown(0, *id, 1), "open");
    }
    let again = region.decide(0, &split(&[(3, 1), (1, 1)]));
    assert_eq!(again, Err(DecideError::NotOpen(request(0))));
}

#[test]
fn a_household_that_is_booked_is_not_split() {
    let (mut region, _) = arrived();
    let split = Wish::Split {
        request: request(0),
        into: vec![Vec::new(), Vec::new()],
    };
    let refusal = DecideError::Refused(Refusal::RequestLocked);
    assert_eq!(region.decide(0, &split), Err(refusal));
}

#[test]
fn what_the_wrong_side_remarks_says_nothing() {
    use super::remark::{Noted, edit};
    let (mut region, case) = arrived();
    let ask = Remark::Enquiry {
        proposal: case,
        question: 1,
    };
    region.decide(HOST, &say(case, ask)).unwrap();
    region.settle();
    let before = told(&region, 0, case);
    let enquiry = before.remarks.questions[0].enquiry;
    let today = Day::of(region.net.now);
    let (_, place) = before.case.hold.unwrap();
    let no_case = RecordId::new(RecordKind::Proposal, [9; 15]);
    let no_hold = RecordId::new(RecordKind::Hold, [9; 15]);
    let no_enquiry = RecordId::new(RecordKind::Enquiry, [9; 15]);
    let of = |proposal| Remark::Transfer {
        proposal,
        on: today,
    };
    let odd = [
        // Whoever asked answers; the answer to nothing; a concern about nothing; of no case.
        Remark::Answer { enquiry, answer: 1 },
        Remark::Answer {
            enquiry: no_enquiry,
            answer: 1,
        },
        Remark::Concern {
            hold: no_hold,
            stands: true,
        },
        ended(no_case, today),
        // Agreed to before it was offered.
        of(case),
    ];
    let at = UnixSeconds(u64::from(u32::MAX));
    let edits = (1u8..).zip(odd).map(|(n, remark)| {
        let record = RecordId::new(remark.kind(), [n; 15]);
        edit(&Noted { record, at, remark })
    });
    let casework = DocumentKind::Casework(council(0));
    region.net.write(HOST, casework, edits.collect());
    region.settle();
    let after = told(&region, 0, case);
    assert_eq!(after, before);
    assert_eq!(after.responsible(today), council(0));
    // The guest council raises no concern and takes no responsibility away.
    let (hold, _) = after.case.hold.unwrap();
    let concern = Remark::Concern { hold, stands: true };
    let record = RecordId::new(RecordKind::Concern, [7; 15]);
    let concern = edit(&Noted {
        record,
        at,
        remark: concern,
    });
    let casework = DocumentKind::Casework(council(HOST));
    region.net.write(0, casework, vec![concern]);
    region.settle();
    assert_eq!(told(&region, HOST, case), before);
    assert_eq!(region.shown(HOST, place, 1), "taken");
}
