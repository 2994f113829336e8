//! How long the regional suggestion takes, and how that grows.
//!
//! `cargo bench -p system-tests --bench matching`. Places and requests are made by chance with the
//! weights below, over the councils of `councils.csv`; no time is asserted anywhere.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark stops with the reason where anything goes wrong"
)]

use std::time::Instant;

use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::matching::{Geography, Place, Point, Request, Urgency, assign};
use system_tests::harness::Random;

/// Requests and places of each run: four places to a request.
const SIZES: [(usize, usize); 4] = [(125, 500), (250, 1000), (500, 2000), (1000, 4000)];
const ROUNDS: usize = 5;
const SEED: u64 = 20_261_127;

const COUNCILS: &str = include_str!("../../node/data/councils.csv");

fn id(kind: RecordKind, random: &mut Random) -> RecordId {
    let mut bytes = [0; 15];
    bytes[..8].copy_from_slice(&random.number().to_be_bytes());
    RecordId::new(kind, bytes)
}

/// The South East, as the largest region.
fn geography() -> Geography {
    let mut reader = csv::Reader::from_reader(COUNCILS.as_bytes());
    let mut geography = Geography::default();
    for row in reader.records() {
        let row = row.unwrap();
        let degrees = |at: usize| row[at].parse::<f64>().map(|of| (of * 1e6) as i64);
        if let (true, Ok(north), Ok(east)) = (&row[5] == "South East", degrees(9), degrees(10)) {
            geography
                .councils
                .insert(row[0].parse().unwrap(), Point { north, east });
        }
    }
    geography
}

fn one<T: Copy>(of: &[T], random: &mut Random) -> T {
    of[random.below(of.len() as u64) as usize]
}

fn place(councils: &[CouncilCode], random: &mut Random) -> Place {
    let council = one(councils, random);
    Place {
        id: id(RecordKind::Place, random),
        council,
        is_open: true,
        rooms: one(&[1, 1, 2, 2, 3], random),
        people: one(&[1, 2, 2, 3, 4, 5], random),
        area: Some(council),
        district: None,
        available_from: None,
        available_until: None,
        months: Some(one(&[6, 6, 12], random)),
        step_free: one(&[None, Some(false), Some(true)], random),
        wheelchair: one(&[None, Some(false), Some(false), Some(true)], random),
        pets: one(&[None, Some(false), Some(true)], random),
        children: one(&[None, Some(true), Some(true), Some(false)], random),
        emergency: random.below(10) == 0,
    }
}

fn request(councils: &[CouncilCode], random: &mut Random) -> Request {
    let wanted = random.below(3);
    Request {
        id: id(RecordKind::Request, random),
        council: one(councils, random),
        is_open: true,
        people: one(&[1, 1, 2, 2, 3, 4], random),
        rooms: one(&[1, 1, 1, 2, 2, 3], random),
        with_children: random.below(2) == 0,
        step_free: random.below(12) == 0,
        wheelchair: random.below(30) == 0,
        pets: random.below(8) == 0,
        wanted_areas: (0..wanted).map(|_| one(councils, random)).collect(),
        needed_by: None,
        not_before: None,
        urgency: one(
            &[
                Urgency::Planned,
                Urgency::Soon,
                Urgency::Soon,
                Urgency::Emergency,
            ],
            random,
        ),
        reserved_for: None,
    }
}

fn main() {
    let geography = geography();
    let councils: Vec<CouncilCode> = geography.councils.keys().copied().collect();
    println!(
        "{:>9} {:>7} {:>8} {:>20}",
        "requests", "places", "placed", "ms (least to most)"
    );
    for (requests, places) in SIZES {
        let mut random = Random::new(SEED);
        let requests: Vec<Request> = (0..requests)
            .map(|_| request(&councils, &mut random))
            .collect();
        let places: Vec<Place> = (0..places).map(|_| place(&councils, &mut random)).collect();
        let mut times = Vec::new();
        let mut placed = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            placed = assign(&requests, &places, &geography).pairs.len();
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let (least, most) = (times[0], times[ROUNDS - 1]);
        println!(
            "{:>9} {:>7} {placed:>8} {least:>9.1} to {most:.1}",
            requests.len(),
            places.len()
        );
    }
}
