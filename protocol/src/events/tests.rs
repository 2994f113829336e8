//! What is told: once, whatever came in between, and of what concerns this council alone.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::casework::{
    Case, CaseView, Ending, Fact, Happened, Question, Remarks, Side, Stage, Transfer,
};
use crate::checks::{Check, Kind as CheckKind, Status};
use crate::ids::{DocumentKind, RecordKind};
use crate::limits;
use crate::time::Day;

const OWN: &str = "E08000021";
const OTHER: &str = "E08000037";
const THIRD: &str = "E08000024";

fn council(code: &str) -> CouncilCode {
    code.parse().unwrap()
}

fn id(kind: RecordKind, number: u8) -> RecordId {
    RecordId::new(kind, [number; 15])
}

const START: UnixSeconds = UnixSeconds(1_800_000_000);

/// A fact of some case, the `number`th.
fn happened(number: u8) -> Happened {
    let (hold, proposal) = (id(RecordKind::Hold, 1), id(RecordKind::Proposal, 1));
    let (place, request) = (id(RecordKind::Place, 1), id(RecordKind::Request, 1));
    let fact = match number % 8 {
        0 => Fact::Proposal {
            proposal,
            request,
            places: vec![place],
        },
        1 => Fact::Hold {
            hold,
            proposal,
            place,
            number: 1,
        },
        2 => Fact::Confirmation {
            hold,
            proposal,
            request,
            number: 1,
        },
        3 => Fact::Placement { hold },
        4 => Fact::Arrival {
            hold,
            arrived: number < 100,
        },
        5 => Fact::Release { hold },
        6 => Fact::Withdrawal { proposal },
        _ => Fact::Decline { proposal },
    };
    Happened {
        record: id(RecordKind::Hold, number),
        fact,
        is_own: number.is_multiple_of(3),
        with: council(OTHER),
        at: START.plus(u64::from(number)),
        case: Some(proposal),
        request: Some(request),
        place: Some(place),
        ran_out: number % 2 == 1,
    }
}

fn of_facts(facts: &[Happened]) -> Vec<Event> {
    of_cases(facts, &[], council(OWN), START)
}

/// Looks once, and tells all that is new.
fn look(memory: &mut Memory, holding: &[Event], now: UnixSeconds) -> Vec<EventId> {
    let mut told = Vec::new();
    loop {
        let (news, more) = memory.news(holding);
        let ids: Vec<EventId> = news.iter().map(|event| event.id).collect();
        ids.iter().for_each(|id| memory.told(*id, now));
        told.extend(ids);
        if !more {
            return told;
        }
    }
}

proptest! {
    /// Facts are only added; how many of them lie between two looks, and how often the memory was
    /// written down and read, changes nothing.
    #[test]
    fn step_by_step_and_at_once_the_same_is_told_and_nothing_twice(
        facts in proptest::collection::vec(0u8..=255, 0..60),
        steps in proptest::collection::vec(0usize..60, 0..12),
    ) {
        let facts: Vec<Happened> = facts.into_iter().map(happened).collect();
        let mut ends: Vec<usize> = steps.into_iter().map(|end| end.min(facts.len())).collect();
        ends.sort_unstable();
        ends.push(facts.len());
        let mut memory = Memory::new(START, []);
        let mut told = Vec::new();
        for (n, end) in (0..).zip(ends) {
            let now = START.plus(n);
            told.extend(look(&mut memory, &of_facts(&facts[..end]), now));
            // Restarted.
            let kept: Vec<(EventId, UnixSeconds)> = told.iter().map(|id| (*id, now)).collect();
            memory = Memory::new(START, kept);
        }
        let once: BTreeSet<EventId> = told.iter().copied().collect();
        prop_assert_eq!(once.len(), told.len());
        let mut at_once = Memory::new(START, []);
        let all: BTreeSet<EventId> =
            look(&mut at_once, &of_facts(&facts), START).into_iter().collect();
        prop_assert_eq!(once, all);
    }
}

#[test]
fn officers_are_told_what_others_wrote_and_what_their_node_did_by_itself() {
    let kinds = |is_own: bool| {
        let facts = (0..8u8).map(|number| Happened {
            is_own,
            ran_out: false,
            ..happened(number)
        });
        let facts: Vec<Happened> = facts.collect();
        of_facts(&facts).iter().map(|e| e.kind).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(false),
        [
            Kind::ProposalArrived,
            Kind::Held,
            Kind::Confirmed,
            Kind::Placed,
            Kind::Arrived,
            Kind::HoldReleased,
            Kind::Withdrawn,
            Kind::Declined,
        ]
    );
    assert_eq!(kinds(true), [Kind::Placed]);
    for is_own in [true, false] {
        let ran_out = Happened {
            is_own,
            ran_out: true,
            ..happened(5)
        };
        assert_eq!(of_facts(&[ran_out])[0].kind, Kind::HoldRanOut);
    }
    let stayed_away = Happened {
        is_own: false,
        ..happened(100)
    };
    assert_eq!(of_facts(&[stayed_away])[0].kind, Kind::DidNotArrive);
}

/// A case in which a place of OWN is held for a household of OTHER.
fn held(until: UnixSeconds) -> CaseView {
    CaseView {
        case: Case {
            proposal: id(RecordKind::Proposal, 1),
            request: id(RecordKind::Request, 1),
            hold: Some((id(RecordKind::Hold, 1), id(RecordKind::Place, 1))),
            stage: Stage::Held,
        },
        guest: council(OTHER),
        host: council(OWN),
        places: vec![id(RecordKind::Place, 1)],
        since: START,
        until: Some(until),
        agreed_by_phone: false,
        reason: None,
        remarks: Remarks::default(),
    }
}

#[test]
fn a_hold_is_told_of_in_its_last_hour_at_both_councils_and_not_after() {
    let until = START.plus(48 * 3600);
    let view = held(until);
    let at = |own: &str, now: u64| {
        let views = std::slice::from_ref(&view);
        of_cases(&[], views, council(own), UnixSeconds(now))
    };
    for (own, other) in [(OWN, OTHER), (OTHER, OWN)] {
        assert_eq!(at(own, until.0 - 3601), []);
        let first = at(own, until.0 - 3600);
        assert_eq!(first[0].about.council, Some(council(other)));
        assert_eq!(first[0].about.until, Some(until));
        assert_eq!(first[0].id, at(own, until.0 - 1)[0].id);
        assert_eq!(at(own, until.0), []);
    }
    let confirmed = CaseView {
        until: None,
        ..view.clone()
    };
    assert_eq!(of_cases(&[], &[confirmed], council(OWN), until), []);
}

#[test]
fn what_one_side_says_beside_the_other_is_told() {
    let asked = |by, number, answer: Option<u64>| Question {
        enquiry: id(RecordKind::Enquiry, number),
        by,
        at: START,
        question: 0,
        answer: answer.map(|after| (0, START.plus(after))),
    };
    let remarks = Remarks {
        ends: vec![Ending {
            record: id(RecordKind::Ended, 1),
            by: Side::Host,
            at: START.plus(3),
            on: day(12, 20),
            reason: None,
        }],
        transfer: Some(Transfer {
            offer: id(RecordKind::Transfer, 1),
            on: day(12, 24),
            offered: START.plus(4),
            agreed: None,
        }),
        questions: vec![asked(Side::Guest, 1, None), asked(Side::Host, 2, Some(2))],
        concern: Some(START.plus(5)),
        ..Remarks::default()
    };
    let told = |council_of: &str, remarks: &Remarks| {
        let view = CaseView {
            until: None,
            remarks: remarks.clone(),
            ..held(START)
        };
        let events = of_cases(&[], &[view], council(council_of), START);
        assert!(events.iter().all(|event| event.about.case.is_some()));
        let told = events
            .iter()
            .map(|event| (event.kind, event.at.0 - START.0));
        told.collect::<Vec<_>>()
    };
    let host = [
        (Kind::QuestionAsked, 0),
        (Kind::Answered, 2),
        (Kind::TransferOffered, 4),
    ];
    assert_eq!(told(OWN, &remarks), host);
    let guest = [
        (Kind::QuestionAsked, 0),
        (Kind::BookingEnds, 3),
        (Kind::Concern, 5),
    ];
    assert_eq!(told(OTHER, &remarks), guest);
    let agreed = Remarks {
        transfer: remarks.transfer.map(|one| Transfer {
            agreed: Some((START.plus(9), id(RecordKind::Transfer, 2))),
            ..one
        }),
        ..Remarks::default()
    };
    assert_eq!(told(OTHER, &agreed), [(Kind::TransferAgreed, 9)]);
}

fn day(month: i8, day: i8) -> Day {
    Day::from_ymd(2026, month, day).unwrap()
}

fn check(number: u8, by: &str, kind: CheckKind, status: Status) -> Check {
    Check {
        id: id(RecordKind::Check, number),
        council: council(by),
        host: id(RecordKind::Host, 1),
        kind,
        status,
        is_in_conflict: false,
        is_enhanced: true,
        started_on: Some(day(3, i8::try_from(number).unwrap())),
        due_on: Some(day(3, 10)),
        done_on: (!status.is_open()).then(|| day(3, 4)),
        valid_until: None,
    }
}

fn kinds_of(checks: &[Check], own: &str, today: Day) -> Vec<(Kind, RecordId)> {
    let hosts = [(id(RecordKind::Host, 1), council(OTHER))];
    let told = of_checks(checks, &hosts, council(own), today);
    told.iter()
        .map(|event| (event.kind, event.about.check.unwrap()))
        .collect()
}

#[test]
fn a_check_is_overdue_from_the_day_after_it_was_due() {
    let begun = check(1, OWN, CheckKind::SponsorContact, Status::InProgress);
    let of = |own, today| kinds_of(std::slice::from_ref(&begun), own, today);
    assert_eq!(of(OWN, day(3, 10)), []);
    let overdue = [(Kind::CheckOverdue, begun.id)];
    // At the council that recorded it and at the one whose host it is, and at no neighbour.
    assert_eq!(of(OWN, day(3, 11)), overdue);
    assert_eq!(of(OTHER, day(3, 11)), overdue);
    assert_eq!(of(THIRD, day(3, 11)), []);
    let id_of = |today| {
        let hosts = [(begun.host, council(OTHER))];
        of_checks(std::slice::from_ref(&begun), &hosts, council(OWN), today)[0].id
    };
    assert_eq!(id_of(day(3, 11)), id_of(day(9, 1)));
    let later = Check {
        due_on: Some(day(3, 12)),
        ..begun.clone()
    };
    let hosts = [(begun.host, council(OTHER))];
    let moved = of_checks(&[later], &hosts, council(OWN), day(9, 1))[0].id;
    assert_ne!(moved, id_of(day(9, 1)));
}

#[test]
fn an_outcome_is_told_while_it_counts() {
    let kind = CheckKind::AccommodationExists;
    let failed = check(1, OWN, kind, Status::Failed);
    let today = day(6, 1);
    let told = [(Kind::CheckFailed, failed.id)];
    assert_eq!(kinds_of(std::slice::from_ref(&failed), OWN, today), told);
    // To begin again settles nothing; a newer outcome does.
    let begun = Check {
        due_on: None,
        ..check(6, OWN, kind, Status::InProgress)
    };
    assert_eq!(kinds_of(&[failed.clone(), begun], OWN, today), told);
    let passed = Check {
        done_on: Some(day(3, 9)),
        ..check(7, OWN, kind, Status::Passed)
    };
    assert_eq!(kinds_of(&[failed, passed], OWN, today), []);
    let ends = Check {
        valid_until: Some(day(5, 31)),
        ..check(2, OWN, CheckKind::Dbs, Status::Passed)
    };
    let of = |today| kinds_of(std::slice::from_ref(&ends), OWN, today);
    assert_eq!(of(day(5, 31)), []);
    assert_eq!(of(today), [(Kind::CheckRanOut, ends.id)]);
    // A visit after arrival stops nobody.
    let visit = check(3, OWN, CheckKind::WelfareVisit, Status::Failed);
    assert_eq!(kinds_of(&[visit], OWN, today), []);
}

fn state(words: &[(&str, u64)]) -> NodeState {
    let words = words
        .iter()
        .map(|(code, at)| (council(code), UnixSeconds(*at)));
    NodeState {
        words: words.collect(),
        roster: (3, UnixSeconds(START.0 * 2)),
        ..NodeState::default()
    }
}

fn told_of(state: &NodeState, now: u64) -> Vec<(Kind, Option<CouncilCode>)> {
    let events = of_node(state, UnixSeconds(now));
    events.iter().map(|e| (e.kind, e.about.council)).collect()
}

#[test]
fn one_council_that_is_away_is_silent_and_if_all_are_it_is_this_node() {
    let now = START.0;
    let day = limits::SILENT_COUNCIL_SECONDS;
    let one_away = state(&[(OTHER, now - day), (THIRD, now - 60)]);
    let silent = [(Kind::CouncilSilent, Some(council(OTHER)))];
    assert_eq!(told_of(&one_away, now), silent);
    assert_eq!(told_of(&one_away, now - 1), []);
    let all_away = state(&[
        (OTHER, now - 2 * day),
        (THIRD, now - limits::CUT_OFF_SECONDS),
    ]);
    assert_eq!(told_of(&all_away, now), [(Kind::CutOff, None)]);
    assert_eq!(told_of(&state(&[]), now), []);
    // A node that was away itself listens first.
    let started = NodeState {
        started: UnixSeconds(now - limits::LISTENING_SECONDS + 1),
        ..all_away
    };
    assert_eq!(told_of(&started, now), []);
    assert_eq!(told_of(&started, now + 1), [(Kind::CutOff, None)]);
}

#[test]
fn what_needs_an_officer_is_told_with_its_ids() {
    let document = DocumentKind::RematchingPool.of(council(OTHER));
    let node = NodeId([7; 16]);
    let now = START.0;
    let forked = NodeState {
        forks: vec![(document, node, START)],
        lost: vec![START],
        set_aside: vec![START],
        roster: (3, UnixSeconds(now + limits::ROSTER_WARNING_SECONDS)),
        ..NodeState::default()
    };
    let events = of_node(&forked, START);
    let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
    let all = [
        Kind::KeyForked,
        Kind::StoreLost,
        Kind::StoreSetAside,
        Kind::RosterExpires,
    ];
    assert_eq!(kinds, all);
    assert_eq!(events[0].about.node, Some(node));
    assert_eq!(events[0].about.document, Some(document));
    let ids: BTreeSet<EventId> = events.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), events.len());
    let expired = told_of(&forked, now + limits::ROSTER_WARNING_SECONDS);
    assert!(
        expired.contains(&(Kind::RosterExpired, None)),
        "{expired:?}"
    );
    assert_eq!(expired.len(), events.len());
}

#[test]
fn history_is_not_told_and_what_is_late_is() {
    let facts = [happened(1)];
    let holding = of_facts(&facts);
    let at = facts[0].at;
    let since = |seconds: u64| Memory::new(UnixSeconds(seconds), []);
    let told = |memory: Memory| memory.news(&holding).0.len();
    assert_eq!(told(since(at.0 + limits::EVENT_HISTORY_SECONDS + 1)), 0);
    assert_eq!(told(since(at.0 + limits::EVENT_HISTORY_SECONDS)), 1);
    // However late it comes to a node that was there at the time.
    assert_eq!(told(since(at.0 - 900 * 86_400)), 1);
}

#[test]
fn what_is_so_is_never_forgotten_and_the_rest_is_bounded() {
    let mut memory = Memory::new(START, []);
    let number = |n: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        EventId(id)
    };
    let count = limits::EVENTS_TOLD as u64 + 10;
    for n in 0..count {
        memory.told(number(n), START.plus(n));
    }
    let holding = BTreeSet::from([number(3)]);
    let forgotten = memory.forget(&holding, START.plus(count));
    assert_eq!(forgotten.len(), 9);
    assert!(!forgotten.contains(&number(3)) && forgotten.contains(&number(0)));
    let later = START.plus(count + limits::EVENT_MEMORY_SECONDS + 1);
    assert_eq!(memory.forget(&holding, later).len(), limits::EVENTS_TOLD);
    assert_eq!(memory.forget(&BTreeSet::new(), later), [number(3)]);
}

#[test]
fn what_comes_all_at_once_is_told_in_parts_and_whole() {
    let facts: Vec<Event> = (0..2 * limits::EVENTS_AT_ONCE as u64 + 1)
        .map(|n| Event::gap(n, START.plus(n)))
        .collect();
    let memory = Memory::new(START, []);
    let (news, more) = memory.news(&facts);
    assert_eq!((news.len(), more), (limits::EVENTS_AT_ONCE, true));
    assert_eq!(news[0].at, START);
    let mut memory = memory;
    assert_eq!(look(&mut memory, &facts, START).len(), facts.len());
    assert_eq!(memory.news(&facts), (Vec::new(), false));
}

#[test]
fn codes_are_told_apart_and_each_has_a_next_command() {
    let codes: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(codes.len(), Kind::ALL.len());
    let subjects = ["a".to_owned()];
    let ids: BTreeSet<EventId> = Kind::ALL
        .iter()
        .map(|kind| EventId::of(*kind, &subjects))
        .collect();
    assert_eq!(ids.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let event = Event::new(*kind, &[&1], START, About::default());
        assert!(event.next().starts_with("smp "), "{kind:?}");
        // Scripts put it between quotation marks (docs/EVENTS.md).
        assert!(!kind.what().contains(['"', '\\', '\n']), "{kind:?}");
    }
    // Receivers drop repeats by it, also after an upgrade.
    let id = EventId::of(Kind::ProposalArrived, &subjects);
    assert_eq!(id.to_string(), "bdf543c62ae774060cebf0357d944741");
}
#[test]
fn the_document_has_every_kind_that_there_is() {
    let document = include_str!("../../../docs/EVENTS.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let names = rows.filter_map(|row| row.split('|').nth(1));
    let listed: BTreeSet<&str> = names
        .flat_map(|names| names.split('`').skip(1).step_by(2))
        .collect();
    let there: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(listed, there);
}
