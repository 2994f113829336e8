//! The simulator: the real members of a region in one process, over a network, disks and
//! clocks that go wrong as a seed says.
//!
//! Every node is the real [`Member`](smp_protocol::session::Member) with the real gate and
//! replica, driven as the daemon's engine drives it. All else is a model: one queue of
//! events in virtual time, one source of chance. So a seed is a history, and the same seed
//! is the same history, byte for byte. Nothing here may look at a clock, draw from the
//! operating system, or go through a map in an order that is not its keys'.
//!
//! What is checked, and when, is in `check` (at every step) and `verdict` (once all faults
//! have stopped). docs/SIMULATOR.md says how to read a failing seed.

mod admin;
mod build;
mod chance;
mod check;
mod cuts;
mod describe;
mod disk;
mod edits;
mod faults;
mod flights;
mod growth;
mod liar;
mod lies;
mod link;
mod node;
mod officers;
mod plan;
mod queue;
mod region;
mod report;
mod trace;
mod verdict;
mod wire;
mod world;

pub use growth::{Growth, MOST_WITH_TIME, Spread, WithTime, grow, most_nodes};
pub use report::{Report, Tally};

use chance::Chance;
use plan::Plan;
use world::World;

/// What a simulation turns on beyond what the seed draws.
#[derive(Clone, Copy, Debug, Default)]
pub struct Switches {
    /// No liars, whatever the seed.
    pub honest: bool,
    /// Keep a history for people.
    pub readable: bool,
    /// A broken node: sends and acknowledges before the flush is over.
    pub performs_before_flush: bool,
}

/// The command that shows the history of a seed.
pub fn replay(seed: u64) -> String {
    let features = match build::TWO {
        true => " --features next-schema",
        false => "",
    };
    format!("cargo run --release -p system-tests{features} --bin simulate -- --seed {seed} --trace")
}

/// Runs one seed to its end.
pub fn run(seed: u64, switches: Switches) -> Report {
    let mut chance = Chance::new(seed);
    let plan = Plan::draw(&mut chance, !switches.honest);
    let mut world = World::new(plan, switches, chance, switches.readable);
    build::run_as(build::NEW, || world.run());
    world.tally.seeds = 1;
    let World {
        tally,
        trace,
        violation,
        ..
    } = world;
    let digest = trace.digest();
    Report::new(seed, digest, tally, violation, trace.into_lines())
}
