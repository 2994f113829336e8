//! Members in good standing that do not keep to the rules.
//!
//! A liar runs the real member, so that it is listened to. On the way out its frames are
//! altered or withheld here; what it makes up, signed with its own node's real keys, is in
//! `lies`.

use std::collections::VecDeque;

use smp_protocol::document::{Frontier, Unit};
use smp_protocol::session::PeerId;
use smp_protocol::session::message::{Answer, Control};

use super::world::World;

/// What a liar does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Habit {
    /// Passes on entries of others with a byte changed.
    Alter,
    /// Passes nothing on, and answers that it holds nothing.
    Withhold,
    /// Never answers.
    Stall,
    /// Makes entries for other councils.
    Forge,
    /// Shows entries in another document, region or generation.
    Replay,
    /// Shows two histories to its peers.
    Fork,
    /// Shows an entry to one peer alone.
    Select,
    /// Sends entries that lack what they build on.
    Orphans,
    /// Signs what the schema does not have.
    BadEdits,
    /// Sends what is no message, or too much of it.
    Junk,
    /// Asks for everything, again and again, whether it may read it or not.
    Storm,
    /// Says that it holds what nobody has.
    FalseSummaries,
    /// Confirms what it was never given.
    FalseHolds,
    /// Dates its word wrongly, and speaks for others.
    FalseFreshness,
    /// Accepts readers of registers that are not its own.
    FalseAcceptance,
    /// Shows rosters that are old, made up, or far ahead.
    Rosters,
}

impl Habit {
    pub(crate) const ALL: [Self; 16] = [
        Self::Alter,
        Self::Withhold,
        Self::Stall,
        Self::Forge,
        Self::Replay,
        Self::Fork,
        Self::Select,
        Self::Orphans,
        Self::BadEdits,
        Self::Junk,
        Self::Storm,
        Self::FalseSummaries,
        Self::FalseHolds,
        Self::FalseFreshness,
        Self::FalseAcceptance,
        Self::Rosters,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Alter => "lie: entries altered",
            Self::Withhold => "lie: entries withheld",
            Self::Stall => "lie: questions not answered",
            Self::Forge => "lie: entries forged",
            Self::Replay => "lie: entries replayed elsewhere",
            Self::Fork => "lie: two histories",
            Self::Select => "lie: shown to one alone",
            Self::Orphans => "lie: orphans",
            Self::BadEdits => "lie: edits out of schema",
            Self::Junk => "lie: junk",
            Self::Storm => "lie: storms of questions",
            Self::FalseSummaries => "lie: false summaries",
            Self::FalseHolds => "lie: false confirmations",
            Self::FalseFreshness => "lie: false freshness",
            Self::FalseAcceptance => "lie: false acceptance",
            Self::Rosters => "lie: rosters",
        }
    }
}

/// A node that lies.
pub(super) struct Liar {
    pub(super) habits: Vec<Habit>,
    /// Entries that it has seen, newest last.
    pub(super) seen: VecDeque<Unit>,
}

impl Liar {
    pub(super) fn new(habits: Vec<Habit>) -> Self {
        Self {
            habits,
            seen: VecDeque::new(),
        }
    }

    /// Keeps the newest of what it takes in, to do something with it.
    pub(super) fn saw(&mut self, units: &[Unit]) {
        self.seen.extend(units.iter().cloned());
        while self.seen.len() > 64 {
            self.seen.pop_front();
        }
    }
}

impl World {
    fn lies_by(&self, n: usize, habit: Habit) -> bool {
        let liar = self.nodes[n].liar.as_ref();
        liar.is_some_and(|liar| liar.habits.contains(&habit))
    }

    /// Changes a byte of one entry of another node's.
    fn altered(&mut self, n: usize, mut units: Vec<Unit>) -> Vec<Unit> {
        let me = self.nodes[n].id;
        for unit in &mut units {
            let which = self.chance.below(unit.steps.len());
            if unit.chain.node == me {
                continue;
            }
            if let Some(step) = unit.steps.get_mut(which) {
                let at = self.chance.below(step.edits.0.len());
                if let Some(byte) = step.edits.0.get_mut(at) {
                    *byte ^= 1;
                }
                self.tally.count(Habit::Alter.word());
            }
        }
        units
    }

    /// What a node really sends where its member wants this sent.
    pub(super) fn as_sent(&mut self, n: usize, _to: PeerId, frame: Vec<u8>) -> Option<Vec<u8>> {
        if self.nodes[n].is_honest() {
            return Some(frame);
        }
        let Ok(Control::Push(mut push)) = Control::decode(&frame) else {
            return Some(frame);
        };
        if self.lies_by(n, Habit::Withhold) {
            self.tally.count(Habit::Withhold.word());
            return None;
        }
        if self.lies_by(n, Habit::Alter) && self.chance.one_in(4) {
            push.units = self.altered(n, push.units);
            return Some(Control::Push(push).encode());
        }
        Some(frame)
    }

    /// What a node really answers, if anything.
    pub(super) fn as_answered(&mut self, n: usize, _to: PeerId, frame: Vec<u8>) -> Option<Vec<u8>> {
        if self.nodes[n].is_honest() {
            return Some(frame);
        }
        if self.lies_by(n, Habit::Stall) {
            self.tally.count(Habit::Stall.word());
            return None;
        }
        let Ok(Answer::Batch(units)) = Answer::decode(&frame) else {
            return Some(frame);
        };
        if self.lies_by(n, Habit::Withhold) {
            self.tally.count(Habit::Withhold.word());
            return Some(Answer::End(Frontier::default()).encode());
        }
        if self.lies_by(n, Habit::Alter) && self.chance.one_in(4) {
            return Some(Answer::Batch(self.altered(n, units)).encode());
        }
        Some(frame)
    }
}
