//! Filters, ranking and the regional assignment.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ids::{CouncilCode, RecordId, RecordKind};
use crate::time::Day;

fn council(n: usize) -> CouncilCode {
    format!("E0600{n:04}").parse().unwrap()
}

fn id(kind: RecordKind, n: u64) -> RecordId {
    let mut random = [0; 15];
    random[7..].copy_from_slice(&n.to_be_bytes());
    RecordId::new(kind, random)
}

fn place(n: u64) -> Place {
    Place {
        id: id(RecordKind::Place, n),
        council: council(1),
        is_open: true,
        rooms: 2,
        people: 4,
        area: None,
        district: None,
        available_from: None,
        available_until: None,
        months: None,
        step_free: None,
        wheelchair: None,
        pets: None,
        children: None,
        emergency: false,
    }
}

fn request(n: u64) -> Request {
    Request {
        id: id(RecordKind::Request, n),
        council: council(2),
        is_open: true,
        people: 3,
        rooms: 2,
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

/// Councils in a row, ten kilometres apart.
fn geography() -> Geography {
    let point = |n: i64| Point {
        north: 53_000_000 + n * 90_000,
        east: -1_500_000,
    };
    Geography {
        councils: (0..9).map(|n| (council(n as usize), point(n))).collect(),
        districts: Default::default(),
    }
}

#[test]
fn each_filter_says_why() {
    let (place, request) = (place(1), request(1));
    assert_eq!(exclusions(&request, &place), []);
    let said = |request: &Request, place: &Place| {
        let why = exclusions(request, place);
        let why: Vec<String> = why.iter().map(ToString::to_string).collect();
        why.join("; ")
    };
    let closed = Place {
        is_open: false,
        ..place.clone()
    };
    assert_eq!(said(&request, &closed), "it is not open");
    let many = Request {
        people: 5,
        rooms: 3,
        ..request.clone()
    };
    assert_eq!(
        said(&many, &place),
        "5 people, and room for 4; 3 rooms needed, and 2 there"
    );
    let needs = Request {
        pets: true,
        wheelchair: true,
        ..request.clone()
    };
    assert_eq!(exclusions(&needs, &place), []);
    assert_eq!(to_ask(&needs, &place), [Ask::Wheelchair, Ask::Pets]);
    let denies = Place {
        pets: Some(false),
        wheelchair: Some(true),
        ..place.clone()
    };
    assert_eq!(said(&needs, &denies), "pets are not welcome");
    let day = |text: &str| -> Day { text.parse().unwrap() };
    let late = Place {
        available_from: Some(day("2026-12-21")),
        ..place.clone()
    };
    let hurried = Request {
        needed_by: Some(day("2026-12-14").week()),
        ..request.clone()
    };
    assert_eq!(
        said(&hurried, &late),
        "needed by 2026-W51, and free from 2026-12-21"
    );
    let other = Request {
        reserved_for: Some(id(RecordKind::Place, 9)),
        ..request
    };
    assert_eq!(said(&other, &place), "it is kept for a named match");
}

#[test]
fn a_wanted_area_and_a_short_way_come_first() {
    let near = Place {
        council: council(3),
        ..place(1)
    };
    let far = Place {
        council: council(8),
        ..place(2)
    };
    let ranked = |request: &Request| -> Vec<RecordId> {
        let ranked = rank_places(request, &[near.clone(), far.clone()], &geography());
        ranked.iter().map(|scored| scored.place).collect()
    };
    assert_eq!(ranked(&request(1)), [near.id, far.id]);
    let elsewhere = Request {
        wanted_areas: vec![council(8)],
        ..request(1)
    };
    assert_eq!(ranked(&elsewhere), [far.id, near.id]);
}

#[test]
fn distances_are_those_of_the_map() {
    // Leeds and London, by their councils' points: 272 km as the crow flies.
    let leeds = Point {
        north: 53_797_400,
        east: -1_543_800,
    };
    let london = Point {
        north: 51_507_200,
        east: -127_600,
    };
    let km = leeds.metres_to(london) / 1000;
    assert!((270..=275).contains(&km), "{km}");
    assert_eq!(leeds.metres_to(leeds), 0);
}

#[test]
fn all_together_do_better_than_each_for_itself() {
    // The first would like either; the second fits into the large one alone.
    let small = Place {
        people: 3,
        ..place(1)
    };
    let large = place(2);
    let (first, second) = (
        request(1),
        Request {
            people: 4,
            ..request(2)
        },
    );
    let requests = [first.clone(), second.clone()];
    let assigned = assign(&requests, &[small.clone(), large.clone()], &geography());
    let pairs: Vec<_> = assigned
        .pairs
        .iter()
        .map(|p| (p.request, p.place))
        .collect();
    assert_eq!(pairs, [(first.id, small.id), (second.id, large.id)]);
    // With one place, the other household hears what keeps it out.
    let assigned = assign(&requests, std::slice::from_ref(&small), &geography());
    let but = vec![Exclusion::People { need: 4, has: 3 }];
    let nearly = Unmatched::Nearly {
        place: small.id,
        but,
    };
    assert_eq!(assigned.unmatched, [(second.id, nearly)]);
    let assigned = assign(
        &[first.clone(), request(3)],
        std::slice::from_ref(&small),
        &geography(),
    );
    assert_eq!(assigned.pairs.len(), 1);
    let (_, why) = &assigned.unmatched[0];
    let by = assigned.pairs[0].request;
    let outbid = Unmatched::Outbid {
        place: small.id,
        by,
        places: 1,
    };
    assert_eq!(*why, outbid);
    assert_eq!(
        assign(&[first], &[], &geography()).unmatched[0].1,
        Unmatched::NoPlaces
    );
}

fn some_place() -> impl Strategy<Value = Place> {
    (
        0u64..1000,
        0usize..9,
        1u32..4,
        1u32..6,
        any::<Option<bool>>(),
    )
        .prop_map(|(n, of, rooms, people, pets)| Place {
            council: council(of),
            rooms,
            people,
            pets,
            ..place(n)
        })
}

fn some_request() -> impl Strategy<Value = Request> {
    (0u64..1000, 0usize..9, 1u32..4, 1u32..6, any::<bool>()).prop_map(
        |(n, of, rooms, people, pets)| Request {
            council: council(of),
            rooms,
            people,
            pets,
            ..request(n)
        },
    )
}

proptest! {
    #[test]
    fn an_assignment_is_one_and_the_same_in_any_order_and_books_nothing_twice(
        requests in prop::collection::vec(some_request(), 0..9),
        places in prop::collection::vec(some_place(), 0..9),
    ) {
        let requests: BTreeMap<RecordId, Request> = requests.into_iter().map(|r| (r.id, r)).collect();
        let requests: Vec<Request> = requests.into_values().collect();
        let places: BTreeMap<RecordId, Place> = places.into_iter().map(|p| (p.id, p)).collect();
        let places: Vec<Place> = places.into_values().collect();
        let assigned = assign(&requests, &places, &geography());
        let reversed = |items: &[Place]| items.iter().rev().cloned().collect::<Vec<_>>();
        let turned: Vec<Request> = requests.iter().rev().cloned().collect();
        prop_assert_eq!(&assigned, &assign(&turned, &reversed(&places), &geography()));
        let mut taken: Vec<RecordId> = assigned.pairs.iter().map(|pair| pair.place).collect();
        taken.sort();
        taken.dedup();
        prop_assert_eq!(taken.len(), assigned.pairs.len());
        for pair in &assigned.pairs {
            let place = places.iter().find(|place| place.id == pair.place).unwrap();
            let request = requests.iter().find(|request| request.id == pair.request).unwrap();
            prop_assert_eq!(exclusions(request, place), []);
        }
    }
}
