//! What a seed stands for: which councils, how they are connected, what goes wrong, who lies.
//!
//! Each seed turns on some of the faults and some of the lies only: a few at a time reach
//! states that all of them together would hide.

use super::build;
use super::chance::Chance;
use super::faults::Trouble;
use super::liar::{Habit, Liar};
use super::queue::{MILLI, Micros, SECOND};
use super::region::{Council, some_councils};
use smp_protocol::session::Upkeep;

/// A node as it is planned.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// The council's place in [`Plan::councils`].
    pub(crate) council: usize,
    /// When it is enrolled, if not from the beginning.
    pub(crate) joins: Option<Micros>,
    /// How long its flushes take, at most.
    pub(crate) flush: Micros,
    /// How far its clock is off, in seconds.
    pub(crate) skew: i64,
    /// Until when it runs the older build, if not the newer from the beginning.
    pub(crate) old_until: Option<Micros>,
}

/// What happens in a simulation, as far as it is decided beforehand.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) councils: Vec<Council>,
    pub(crate) seats: Vec<Seat>,
    /// Who is named, and at first accepted, as a reader of whose register.
    pub(crate) readers: Vec<(usize, usize)>,
    /// Nodes that never reach each other.
    pub(crate) apart: Vec<(usize, usize)>,
    /// How long a frame takes, at most.
    pub(crate) latency: Micros,
    pub(crate) lossy: bool,
    /// When all faults stop.
    pub(crate) faults_end: Micros,
    pub(crate) troubles: Vec<Trouble>,
    /// The longest time between two troubles.
    pub(crate) trouble_pause: Micros,
    /// Whether the admin and the officers change who is in and who reads.
    pub(crate) administration: bool,
    /// How often the busiest council writes.
    pub(crate) pace: Micros,
    /// When the admin has records written in the newer schema.
    pub(crate) raise: Option<Micros>,
    /// Whether that does not wait until every node runs a build that knows it.
    pub(crate) careless: bool,
    /// When nodes put merged states away and store snapshots.
    pub(crate) upkeep: Upkeep,
    liars: Vec<(usize, Vec<Habit>)>,
}

impl Plan {
    /// Draws a plan.
    pub(crate) fn draw(chance: &mut Chance, with_liars: bool) -> Self {
        let count = match chance.below(12) {
            0 => chance.between(7, 11),
            1 => 2,
            _ => chance.between(3, 5),
        } as usize;
        let councils = some_councils(chance, count);
        let faults_end = chance.between(60, 260) * SECOND;
        let mut seats = draw_seats(chance, count, faults_end);
        let raise = draw_builds(chance, &mut seats, faults_end);
        let readers = draw_readers(chance, count);
        let all: Vec<usize> = (0..seats.len()).collect();
        let liars = match with_liars && chance.one_in(2) {
            true => draw_liars(chance, &all),
            false => Vec::new(),
        };
        Self {
            apart: draw_apart(chance, seats.len()),
            councils,
            seats,
            readers,
            latency: *chance
                .pick(&[2 * MILLI, 20 * MILLI, 120 * MILLI, 900 * MILLI])
                .expect("a latency"),
            lossy: chance.one_in(2),
            faults_end,
            troubles: chance.some(&Trouble::ALL),
            trouble_pause: chance.between(3, 30) * SECOND,
            administration: chance.one_in(2),
            raise,
            careless: raise.is_some() && chance.one_in(4),
            pace: chance.between(6, 24) * SECOND,
            upkeep: draw_upkeep(chance),
            liars,
        }
    }

    /// The liar at this seat, if there is one.
    pub(super) fn liar(&self, n: usize) -> Option<Liar> {
        let liar = self.liars.iter().find(|(seat, _)| *seat == n);
        liar.map(|(_, habits)| Liar::new(habits.clone()))
    }

    /// When a node next writes, and how many edits: busier councils more often.
    pub(super) fn next_write(&self, n: usize, chance: &mut Chance) -> (Micros, usize) {
        let arrivals = |council: &Council| council.arrivals;
        let busiest = self.councils.iter().map(arrivals).max().unwrap_or(1);
        let own = arrivals(&self.councils[self.seats[n].council]);
        let pause = (self.pace * busiest / own).min(90 * SECOND);
        let count = match chance.below(80) {
            0 => chance.between(60, 250),
            1..6 => chance.between(5, 30),
            _ => chance.between(1, 3),
        };
        (chance.between(pause / 4, pause * 7 / 4), count as usize)
    }
}

/// Often far more of it than a node does.
fn draw_upkeep(chance: &mut Chance) -> Upkeep {
    let mut pick = |of: [u64; 3]| *chance.pick(&of).expect("one of three");
    Upkeep {
        live_bytes: pick([0, 100_000, u64::MAX]),
        quiet_seconds: pick([0, 5, 60]),
        bytes: pick([1, 4 << 10, 16 << 10]),
    }
}

fn draw_seats(chance: &mut Chance, councils: usize, faults_end: Micros) -> Vec<Seat> {
    let mut seats = Vec::new();
    let joiners = chance.one_in(3);
    let skewed = chance.one_in(3);
    for council in 0..councils {
        let nodes = if chance.one_in(4) { 2 } else { 1 };
        for node in 0..nodes {
            let late = joiners && (council > 1 || node > 0) && chance.one_in(3);
            seats.push(Seat {
                council,
                joins: late.then(|| chance.between(10 * SECOND, faults_end / 2)),
                flush: *chance
                    .pick(&[MILLI, 5 * MILLI, 5 * MILLI, 40 * MILLI, 900 * MILLI])
                    .expect("a time"),
                skew: match skewed {
                    true => chance.between(0, 400) as i64 - 200,
                    false => 0,
                },
                old_until: None,
            });
        }
    }
    seats
}

/// In half of the simulations in which there are two builds: who runs the older one and until
/// when, and when the newer schema is to be written.
fn draw_builds(chance: &mut Chance, seats: &mut [Seat], faults_end: Micros) -> Option<Micros> {
    if !build::TWO || chance.one_in(2) {
        return None;
    }
    for seat in seats {
        let old = chance.one_in(2);
        seat.old_until = old.then(|| chance.between(5 * SECOND, faults_end));
    }
    Some(chance.between(5 * SECOND, faults_end))
}

fn draw_readers(chance: &mut Chance, councils: usize) -> Vec<(usize, usize)> {
    let mut readers = Vec::new();
    for owner in 0..councils {
        for reader in 0..councils {
            if owner != reader && chance.one_in(2) {
                readers.push((owner, reader));
            }
        }
    }
    readers
}

/// Pairs that never reach each other, in one simulation of four; node 0 reaches all, so
/// that others can be reached through it.
fn draw_apart(chance: &mut Chance, nodes: usize) -> Vec<(usize, usize)> {
    let mut apart = Vec::new();
    if chance.one_in(4) {
        for a in 1..nodes {
            for b in a + 1..nodes {
                if chance.one_in(3) {
                    apart.push((a, b));
                }
            }
        }
    }
    apart
}

fn draw_liars(chance: &mut Chance, nodes: &[usize]) -> Vec<(usize, Vec<Habit>)> {
    let most = if nodes.len() > 4 && chance.one_in(4) {
        2
    } else {
        1
    };
    let mut seats = nodes.to_vec();
    chance.shuffle(&mut seats);
    seats.truncate(most);
    seats
        .into_iter()
        .map(|seat| {
            let mut habits = Habit::ALL.to_vec();
            chance.shuffle(&mut habits);
            let count = chance.between(1, 5) as usize;
            habits.truncate(count);
            (seat, habits)
        })
        .collect()
}
