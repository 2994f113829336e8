//! What came of simulations: counted, and added up over seeds.

use std::collections::BTreeMap;

use smp_protocol::session::Load;

use super::check::Violation;
use super::queue::{Micros, SECOND};

/// Counts of what happened.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Simulations.
    pub seeds: u64,
    /// Events of the queue.
    pub events: u64,
    /// Frames sent.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Entries that honest nodes took in.
    pub admitted: u64,
    /// The most outputs of one event.
    pub outputs: u64,
    /// The most that waited for one engine.
    pub inbox: u64,
    /// The most pulls of one member at once.
    pub pulls: u64,
    /// The longest time from the last fault to agreement, in seconds.
    pub slowest: u64,
    /// The sum of those times.
    pub settling: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn count(&mut self, what: &str) {
        match self.counts.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(what.to_owned(), 1);
            }
        }
    }

    pub(super) fn load(&mut self, load: &Load) {
        self.pulls = self.pulls.max(load.pulls as u64);
    }

    pub(super) fn settled(&mut self, after: Micros) {
        self.slowest = self.slowest.max(after / SECOND);
        self.settling += after / SECOND;
    }

    /// Adds what another simulation counted.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.events += other.events;
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.admitted += other.admitted;
        self.outputs = self.outputs.max(other.outputs);
        self.inbox = self.inbox.max(other.inbox);
        self.pulls = self.pulls.max(other.pulls);
        self.slowest = self.slowest.max(other.slowest);
        self.settling += other.settling;
        for (what, count) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
    }

    /// Every count, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .map(|(what, count)| (what.as_str(), *count))
    }
}

/// What came of one seed.
#[derive(Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// A digest of all that happened: equal for equal histories.
    pub digest: u64,
    /// What was counted.
    pub tally: Tally,
    /// What must not have happened, and the rule that it breaks.
    pub violation: Option<(String, String)>,
    /// The history, if it was asked for.
    pub history: Vec<String>,
}

impl Report {
    pub(super) fn new(
        seed: u64,
        digest: u64,
        tally: Tally,
        violation: Option<Violation>,
        history: Vec<String>,
    ) -> Self {
        Self {
            seed,
            digest,
            tally,
            violation: violation.map(|v| (v.rule.to_owned(), v.what)),
            history,
        }
    }
}
