//! What is shown, and that nothing else can be worked out from it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::casework::{Fact, Happened};
use crate::checks::{Kind, Status};
use crate::ids::{RecordId, RecordKind};
use crate::matching::Urgency;

fn council(number: usize) -> CouncilCode {
    format!("E08{number:06}").parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn id(kind: RecordKind, number: u8) -> RecordId {
    RecordId::new(kind, [number; 15])
}

fn column(counts: &[u64]) -> BTreeMap<CouncilCode, Source<u64>> {
    let counts = counts.iter().enumerate();
    counts
        .map(|(n, count)| (council(n), Source::Here(*count)))
        .collect()
}

fn shown(profile: Profile, counts: &[u64]) -> (Vec<Shown>, Shown) {
    let (of_councils, total) = profile.counts(&column(counts));
    (of_councils.into_values().collect(), total)
}

/// What a shown number may stand for, as its reader knows it.
fn range(profile: Profile, shown: Shown) -> (u64, u64) {
    let round = u64::from(profile.round());
    match shown {
        Shown::Value(0) => (0, 0),
        Shown::Value(value) => {
            let least = (value - round / 2).max(u64::from(profile.threshold()));
            (least, value + (round - 1) / 2)
        }
        _ => (1, u64::MAX),
    }
}

fn profiles() -> impl Strategy<Value = Profile> {
    (5u32..=40, 5u32..=40).prop_filter_map("a profile that is allowed", |(threshold, round)| {
        Profile::new(threshold, round).ok()
    })
}

/// As councils are: many with none or a few, some with many.
fn tables() -> impl Strategy<Value = Vec<u64>> {
    let count = prop_oneof![Just(0u64), 1u64..=10, 1u64..=60, 100u64..=2000];
    prop::collection::vec(count, 1..=12)
}

proptest! {
    /// The reader subtracts what is shown from the total: each suppressed count may still be 1,
    /// and may still be as large as one that would be shown.
    #[test]
    fn no_suppressed_count_can_be_worked_out(profile in profiles(), counts in tables()) {
        let (cells, total) = shown(profile, &counts);
        let ranges: Vec<(u64, u64)> = cells.iter().map(|cell| range(profile, *cell)).collect();
        let (total_least, total_most) = range(profile, total);
        for (place, cell) in cells.iter().enumerate() {
            if *cell != Shown::Suppressed {
                continue;
            }
            let others = || ranges.iter().enumerate().filter(|(other, _)| *other != place);
            let least: u64 = others().map(|(_, range)| range.0).sum();
            let most = others().fold(0u64, |sum, (_, range)| sum.saturating_add(range.1));
            prop_assert!(total_least.saturating_sub(most) <= 1, "{:?} {:?}", cells, total);
            let highest = total_most.saturating_sub(least);
            let threshold = u64::from(profile.threshold());
            prop_assert!(highest >= threshold, "{:?} {:?}", cells, total);
        }
    }

    #[test]
    fn small_counts_are_never_shown_and_others_only_to_protect_them(
        profile in profiles(),
        counts in tables(),
    ) {
        let (cells, total) = shown(profile, &counts);
        let small = |count: u64| count > 0 && count < u64::from(profile.threshold());
        for (cell, count) in cells.iter().zip(&counts) {
            match cell {
                Shown::Value(value) => {
                    prop_assert!(!small(*count));
                    prop_assert_eq!(*value, profile.rounded(*count));
                    prop_assert_eq!(*value == 0, *count == 0, "0 is 0 and nothing else");
                }
                Shown::Suppressed => prop_assert!(*count > 0),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let hidden = cells.iter().filter(|cell| **cell == Shown::Suppressed).count();
        let few = counts.iter().filter(|count| small(**count)).count();
        match few {
            0 => prop_assert_eq!(hidden, 0),
            1 => prop_assert!(hidden <= 2),
            _ => prop_assert!(hidden <= few + 1),
        }
        if let Shown::Value(value) = total {
            prop_assert_eq!(value, profile.rounded(counts.iter().sum()));
        }
    }

    /// Who is asked first does not matter, and what a council without a word adds is nothing.
    #[test]
    fn the_order_of_councils_and_the_silent_ones_change_nothing(
        profile in profiles(),
        counts in tables(),
        silent in prop::collection::btree_set(20usize..40, 0..5),
    ) {
        let forwards = profile.counts(&column(&counts));
        let mut backwards = BTreeMap::new();
        for (number, count) in counts.iter().enumerate().rev() {
            backwards.insert(council(number), Source::Here(*count));
        }
        prop_assert_eq!(&profile.counts(&backwards), &forwards);
        let mut with_silent = column(&counts);
        with_silent.extend(silent.iter().map(|n| (council(*n), Source::NotSubmitted)));
        let (mut cells, total) = profile.counts(&with_silent);
        for number in &silent {
            prop_assert_eq!(cells.remove(&council(*number)), Some(Shown::NotSubmitted));
        }
        prop_assert_eq!((cells, total), forwards);
    }
}

/// A reader who knows this code and every table that there could be: those that look the same
/// have at least two counts in every suppressed place.
#[test]
fn nor_by_somebody_who_knows_the_rules() {
    for profile in [Profile::new(5, 5).unwrap(), Profile::default()] {
        let mut looks: BTreeMap<String, Vec<[u64; 3]>> = BTreeMap::new();
        let most = 2 * u64::from(profile.threshold()) + 4;
        for a in 0..=most {
            for b in 0..=most {
                for c in 0..=most {
                    let look = format!("{:?}", shown(profile, &[a, b, c]));
                    looks.entry(look).or_default().push([a, b, c]);
                }
            }
        }
        let mut hidden = 0;
        for tables in looks.values() {
            let (cells, _) = shown(profile, &tables[0]);
            for place in 0..3 {
                if cells[place] == Shown::Suppressed {
                    hidden += 1;
                    let counts: BTreeSet<u64> = tables.iter().map(|t| t[place]).collect();
                    assert!(counts.len() > 1, "{cells:?} is {tables:?}");
                }
            }
        }
        assert!(hidden > 20, "{hidden}");
    }
}

/// The same of four councils. Those that look like a table of small counts have some larger ones
/// among them, so more are looked at than are judged.
#[test]
fn nor_where_more_councils_hide_one_another() {
    let profile = Profile::new(5, 5).unwrap();
    let (looked_at, judged) = (17u64, 9u64);
    let mut looks: BTreeMap<(Vec<Shown>, Shown), [BTreeSet<u64>; 4]> = BTreeMap::new();
    let mut small = BTreeSet::new();
    for number in 0..looked_at.pow(4) {
        let digit = |place: u32| number / looked_at.pow(place) % looked_at;
        let counts = [digit(0), digit(1), digit(2), digit(3)];
        let look = shown(profile, &counts);
        if counts.iter().all(|count| *count < judged) {
            small.insert(look.clone());
        }
        let hidden = look.0.clone();
        let seen = looks.entry(look).or_default();
        for ((count, cell), seen) in counts.iter().zip(hidden).zip(seen) {
            if cell == Shown::Suppressed {
                seen.insert(*count);
            }
        }
    }
    assert!(small.len() > 20);
    for look in small {
        let seen = &looks[&look];
        assert!(
            seen.iter().all(|counts| counts.len() != 1),
            "{look:?} is {seen:?}"
        );
    }
}

/// The same of shares: no few can be told from a percentage.
#[test]
fn a_share_gives_away_neither_the_few_nor_the_rest() {
    let profile = Profile::default();
    let mut looks: BTreeMap<u64, BTreeSet<(u64, u64)>> = BTreeMap::new();
    for all in 1..=120u64 {
        for some in 0..=all {
            let few = |n: u64| (1..8).contains(&n);
            let shown = profile.share(some, all);
            let expected_hidden = few(all) || few(some) || few(all - some);
            assert_eq!(
                shown == Shown::Suppressed,
                expected_hidden,
                "{some} of {all}"
            );
            if let Shown::Value(percent) = shown {
                assert!(percent <= 100);
                looks.entry(percent).or_default().insert((some, all));
            }
        }
    }
    assert!(looks.values().all(|pairs| pairs.len() > 1));
    assert_eq!(profile.share(0, 0), Shown::NothingToMeasure);
    assert_eq!(profile.share(0, 30), Shown::Value(0));
    assert_eq!(profile.share(30, 30), Shown::Value(100));
    assert_eq!(profile.share(20, 30), Shown::Value(65));
    assert_eq!(profile.share(8, 16), Shown::Value(50));
    assert_eq!(profile.share(8, 800), Shown::Value(5), "not none");
    assert_eq!(profile.share(792, 800), Shown::Value(95), "not all");
}

#[test]
fn a_median_is_of_enough_and_in_the_middle() {
    let profile = Profile::default();
    assert_eq!(profile.median(Vec::new()), Shown::NothingToMeasure);
    assert_eq!(profile.median(vec![3; 7]), Shown::Suppressed);
    let eight = vec![90, 1, 2, 3, 14, 16, 40, 50];
    assert_eq!(profile.median(eight), Shown::Value(15));
    let nine = vec![1, 1, 1, 1, 22, 90, 90, 90, 90];
    assert_eq!(profile.median(nine), Shown::Value(20));
}

#[test]
fn counts_that_protect_one_another_and_a_total_that_would_tell() {
    use Shown::{Suppressed, Value};
    let profile = Profile::new(5, 5).unwrap();
    // Alone, it would follow from the total: the smallest other goes with it.
    let said = shown(profile, &[3, 12, 40, 0]);
    let cells = vec![Suppressed, Suppressed, Value(40), Value(0)];
    assert_eq!(said, (cells, Value(55)));
    // Two that protect each other.
    let said = shown(profile, &[3, 4, 40]);
    assert_eq!(said, (vec![Suppressed, Suppressed, Value(40)], Value(45)));
    // Two of which each must be 1.
    let said = shown(profile, &[1, 1, 40]);
    assert_eq!(said, (vec![Suppressed; 3], Value(40)));
    // Nobody to hide behind: the total goes.
    let said = shown(profile, &[3, 0, 0]);
    assert_eq!(said, (vec![Suppressed, Value(0), Value(0)], Suppressed));
    assert_eq!(
        shown(profile, &[0, 0]),
        (vec![Value(0), Value(0)], Value(0))
    );
}

#[test]
fn a_profile_cannot_be_loosened() {
    assert_eq!(Profile::new(4, 5), Err(BadProfile::TooLoose));
    assert_eq!(Profile::new(5, 4), Err(BadProfile::TooLoose));
    assert_eq!(Profile::new(0, 0), Err(BadProfile::TooLoose));
    assert_eq!(Profile::new(5, 11), Err(BadProfile::TooRough));
    assert_eq!(Profile::new(1001, 5), Err(BadProfile::TooMuch));
    assert!(Profile::new(5, 10).is_ok() && Profile::new(1000, 1000).is_ok());
    let standard = Profile::default();
    assert_eq!(
        Profile::new(standard.threshold(), standard.round()),
        Ok(standard)
    );
    assert_eq!([7, 8, 12, 13].map(|n| standard.rounded(n)), [5, 10, 10, 15]);
}

fn place(number: u8, people: u32, from: Option<&str>, until: Option<&str>) -> Place {
    Place {
        id: id(RecordKind::Place, number),
        council: council(0),
        is_open: true,
        rooms: 1,
        people,
        area: None,
        district: None,
        available_from: from.map(day),
        available_until: until.map(day),
        months: None,
        step_free: None,
        wheelchair: None,
        pets: None,
        children: None,
        emergency: false,
    }
}

fn request(number: u8) -> Request {
    Request {
        id: id(RecordKind::Request, number),
        council: council(0),
        is_open: true,
        people: 2,
        rooms: 1,
        with_children: false,
        step_free: false,
        wheelchair: false,
        pets: false,
        wanted_areas: Vec::new(),
        needed_by: None,
        not_before: None,
        urgency: Urgency::Soon,
        reserved_for: None,
    }
}

fn check(number: u8, status: Status, due: &str, done: Option<&str>) -> Check {
    Check {
        id: id(RecordKind::Check, number),
        council: council(0),
        host: id(RecordKind::Host, 1),
        kind: Kind::SponsorContact,
        status,
        is_in_conflict: false,
        is_enhanced: false,
        started_on: None,
        due_on: Some(day(due)),
        done_on: done.map(day),
        valid_until: None,
    }
}

fn of_one(of: OfCouncil, wanted: &str, on: &str) -> BTreeMap<&'static str, Shown> {
    let councils = BTreeMap::from([(council(0), of)]);
    let profile = Profile::new(5, 5).unwrap();
    let figures = figures(&councils, &[month(wanted)], day(on), profile);
    let of_council = figures.iter().filter(|figure| figure.council.is_some());
    of_council
        .map(|figure| (figure.indicator.as_str(), figure.shown))
        .collect()
}

#[test]
fn each_figure_is_of_its_month_and_says_why_where_there_is_none() {
    let mut places: Vec<Place> = (0..10).map(|n| place(n, 2, None, None)).collect();
    // Until a day of this month that is past, from a day of the next, and not open.
    places.push(place(20, 2, None, Some("2026-12-09")));
    places.push(place(21, 2, Some("2027-01-01"), None));
    let mut closed = place(22, 2, None, None);
    closed.is_open = false;
    places.push(closed);
    let mut requests: Vec<Request> = (0..20).map(request).collect();
    requests[0].is_open = false;
    let late = (0..5).map(|n| check(n, Status::InProgress, "2026-12-05", None));
    let timely = (5..20).map(|n| check(n, Status::Passed, "2026-12-05", Some("2026-12-05")));
    let told_nothing = [
        check(30, Status::InProgress, "2026-12-20", None),
        check(31, Status::NoLongerNeeded, "2026-12-05", None),
        check(32, Status::Passed, "2026-11-05", Some("2026-12-05")),
    ];
    let of = OfCouncil {
        pool: Source::Here(Pool { places, requests }),
        checks: Source::Here(late.chain(timely).chain(told_nothing).collect()),
        placed: Source::Here(vec![
            Placed {
                on: day("2026-12-03"),
                days: 10,
            };
            6
        ]),
    };
    let today = "2026-12-10";
    let now = of_one(of.clone(), "2026-12", today);
    assert_eq!(now["places"], Shown::Value(10));
    assert_eq!(now["people"], Shown::Value(20));
    assert_eq!(now["open_requests"], Shown::Value(20));
    assert_eq!(now["median_days_to_placement"], Shown::Value(10));
    assert_eq!(now["checks_in_time"], Shown::Value(75));
    let next = of_one(of.clone(), "2027-01", today);
    assert_eq!(next["people"], Shown::Value(20), "22, rounded");
    assert_eq!(next["open_requests"], Shown::NotRecorded);
    assert_eq!(next["median_days_to_placement"], Shown::NothingToMeasure);
    let before = of_one(of, "2026-11", today);
    assert_eq!(before["places"], Shown::NotRecorded);
    assert_eq!(before["open_requests"], Shown::NotRecorded);
    assert_eq!(before["checks_in_time"], Shown::Suppressed);

    let silent = OfCouncil {
        pool: Source::NotSubmitted,
        checks: Source::NotReadable,
        placed: Source::NotReadable,
    };
    let said = of_one(silent, "2026-12", today);
    assert_eq!(said["places"], Shown::NotSubmitted);
    assert_eq!(said["checks_in_time"], Shown::NotReadable);
    let empty = OfCouncil {
        pool: Source::Here(Pool::default()),
        checks: Source::Here(Vec::new()),
        placed: Source::NotReadable,
    };
    let said = of_one(empty, "2026-12", today);
    assert_eq!(said["places"], Shown::Value(0));
    assert_eq!(said["open_requests"], Shown::Value(0));
    assert_eq!(said["checks_in_time"], Shown::NothingToMeasure);
}

#[test]
fn the_region_is_counted_where_all_pools_can_be_read_and_nowhere_else() {
    let of = |pool| OfCouncil {
        pool,
        checks: Source::NotReadable,
        placed: Source::NotReadable,
    };
    let requests = (0..20).map(request).collect();
    let pool = Pool {
        places: Vec::new(),
        requests,
    };
    let councils = BTreeMap::from([
        (council(0), of(Source::Here(pool))),
        (council(1), of(Source::NotSubmitted)),
    ]);
    let all = figures(
        &councils,
        &[month("2026-12")],
        day("2026-12-10"),
        Profile::default(),
    );
    let region = all.iter().filter(|figure| figure.council.is_none());
    let region: Vec<(Indicator, Shown)> = region.map(|f| (f.indicator, f.shown)).collect();
    let wanted = [
        (Indicator::Places, Shown::Value(0)),
        (Indicator::People, Shown::Value(0)),
        (Indicator::OpenRequests, Shown::Value(20)),
    ];
    assert_eq!(region, wanted);
    assert_eq!(all.len(), 2 * 5 + 3);
}

#[test]
fn days_are_counted_from_the_first_proposal_for_the_request() {
    let at = |text: &str| format!("{text}T09:00:00Z").parse().unwrap();
    let (request, hold) = (id(RecordKind::Request, 1), id(RecordKind::Hold, 1));
    let one = |number, on: &str, is_own, fact: Fact<RecordId>, request| Happened {
        record: id(RecordKind::Proposal, number),
        fact,
        is_own,
        with: council(1),
        at: at(on),
        case: None,
        request: Some(request),
        place: None,
        ran_out: false,
    };
    let proposal = |number, on: &str, request| {
        let fact = Fact::Proposal {
            proposal: id(RecordKind::Proposal, number),
            request,
            places: Vec::new(),
        };
        one(number, on, true, fact, request)
    };
    let placement = |is_own| one(9, "2026-12-08", is_own, Fact::Placement { hold }, request);
    let happened = [
        proposal(1, "2026-12-01", request),
        proposal(2, "2026-12-04", request),
        proposal(3, "2026-12-02", id(RecordKind::Request, 2)),
        placement(false),
        // A placement of another council's household is none of these.
        placement(true),
    ];
    let of_december = Placed {
        on: day("2026-12-08"),
        days: 7,
    };
    assert_eq!(placed(&happened), [of_december]);
}
