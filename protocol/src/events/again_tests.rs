//! What comes again: news where it is news, and not once for every word of a council.

use super::*;
use crate::casework::{Case, CaseView, Ending, Remarks, Side, Stage};
use crate::ids::RecordKind;

const OWN: &str = "E08000021";
const OTHER: &str = "E08000037";
const START: UnixSeconds = UnixSeconds(1_800_000_000);

/// Looks once; how many events are told.
fn look(memory: &mut Memory, holding: &[Event], now: UnixSeconds) -> usize {
    let news: Vec<EventId> = memory.news(holding).0.iter().map(|e| e.id).collect();
    news.iter().for_each(|id| memory.told(*id, now));
    news.len()
}

#[test]
fn a_council_whose_clock_is_slow_is_not_told_of_for_each_of_its_words() {
    let mut memory = Memory::new(START, []);
    let told = (0..360u64).map(|n| {
        let now = START.plus(86_400 + n * 10);
        let slow = UnixSeconds(now.0 - 90_000);
        let state = NodeState {
            started: START,
            words: vec![(OTHER.parse().unwrap(), slow), (OWN.parse().unwrap(), now)],
            roster: (1, UnixSeconds::MAX),
            ..NodeState::default()
        };
        look(&mut memory, &of_node(&state, now), now)
    });
    let told: usize = told.sum();
    assert!((1..=2).contains(&told), "{told} events in an hour");
}

#[test]
fn a_last_day_that_is_taken_back_is_told() {
    let id = |kind| RecordId::new(kind, [1; 15]);
    let mut memory = Memory::new(UnixSeconds(0), []);
    let mut told = |at: UnixSeconds, on: &str| {
        let ends = Ending {
            record: RecordId::new(RecordKind::Ended, [u8::try_from(at.0 % 251).unwrap(); 15]),
            by: Side::Host,
            at,
            on: on.parse().unwrap(),
            reason: None,
        };
        let view = CaseView {
            case: Case {
                proposal: id(RecordKind::Proposal),
                request: id(RecordKind::Request),
                hold: None,
                stage: Stage::Placed,
            },
            guest: OWN.parse().unwrap(),
            host: OTHER.parse().unwrap(),
            places: Vec::new(),
            since: at,
            until: None,
            agreed_by_phone: false,
            reason: None,
            remarks: Remarks {
                ends: vec![ends],
                ..Remarks::default()
            },
        };
        let holding = of_cases(&[], &[view], OWN.parse().unwrap(), at);
        look(&mut memory, &holding, at)
    };
    assert_eq!(told(START, "2026-12-20"), 1);
    assert_eq!(told(START.plus(1), "2026-12-27"), 1);
    assert_eq!(told(START.plus(2), "2026-12-20"), 1);
    assert_eq!(told(START.plus(2), "2026-12-20"), 0);
}
