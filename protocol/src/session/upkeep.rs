//! Keeping the memory of merged states within a limit, and snapshots of them beside the log.
//!
//! Both are a matter of this node alone: no frame, no entry and no acknowledgement depends on what
//! is done here. It works on few documents at a time, between events.

use super::{Durable, Member, Output};
use crate::ids::DocumentName;
use crate::limits;
use crate::time::UnixSeconds;

/// From when on states are put away and snapshots stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upkeep {
    /// Memory that merged states may take, in bytes.
    pub live_bytes: u64,
    /// How long a document must not have changed before a snapshot of it is stored.
    pub quiet_seconds: u64,
    /// What entries since the last snapshot must come to for another, in bytes.
    pub bytes: u64,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            live_bytes: limits::LIVE_BYTES,
            quiet_seconds: limits::SNAPSHOT_QUIET_SECONDS,
            bytes: limits::SNAPSHOT_BYTES,
        }
    }
}

impl Member {
    /// Sets when upkeep is done. Nothing else follows from it.
    pub fn set_upkeep(&mut self, upkeep: Upkeep) {
        self.upkeep = upkeep;
    }

    /// Memory that merged states take now, in bytes, as far as that can be told.
    pub fn live_bytes(&self) -> u64 {
        let documents = self.holdings.values().map(|h| h.document.live_bytes());
        documents.sum()
    }

    pub(super) fn upkeep(&mut self) {
        self.report_failures();
        for holding in self.holdings.values_mut() {
            if holding.document.was_looked_at() {
                holding.looked_at = self.now;
            }
        }
        self.let_go_of_states(limits::LET_GO_AT_ONCE);
        self.store_a_snapshot();
    }

    /// A merged state that cannot be made is not shown as an empty document for long.
    pub(super) fn report_failures(&mut self) {
        let failures = self.holdings.values().map(|h| h.document.take_failure());
        let failures: Vec<String> = failures.flatten().map(|e| e.to_string()).collect();
        self.out.extend(failures.into_iter().map(Output::Rebuild));
    }

    /// Puts away the states that were not needed for longest, `most` at once.
    pub(super) fn let_go_of_states(&mut self, most: usize) {
        let mut live = self.live_bytes();
        if live <= self.upkeep.live_bytes {
            return;
        }
        let states = self
            .holdings
            .iter()
            .filter(|(_, h)| h.document.live_bytes() > 0);
        let mut states: Vec<(UnixSeconds, DocumentName)> =
            states.map(|(name, h)| (h.looked_at, *name)).collect();
        states.sort_unstable();
        for (_, name) in states.into_iter().take(most) {
            if live <= self.upkeep.live_bytes {
                return;
            }
            if let Some(holding) = self.holdings.get_mut(&name) {
                live = live.saturating_sub(holding.document.live_bytes());
                holding.document.let_go();
            }
        }
    }

    /// Stores a snapshot of the document that needs one most, if one does.
    fn store_a_snapshot(&mut self) {
        let due = self.holdings.iter().filter(|(_, holding)| {
            let share = holding.document.bytes() / limits::SNAPSHOT_SHARE;
            holding.unsaved >= self.upkeep.bytes.max(share).max(1)
                && self.now.since(holding.changed) >= self.upkeep.quiet_seconds
        });
        let most = due.max_by_key(|(_, holding)| holding.unsaved);
        let Some(name) = most.map(|(name, _)| *name) else {
            return;
        };
        let Some(holding) = self.holdings.get_mut(&name) else {
            return;
        };
        match holding.document.snapshot() {
            Ok(snapshot) => {
                holding.unsaved = 0;
                if snapshot.weight() > limits::SNAPSHOT_LARGEST_BYTES {
                    return;
                }
                self.out.push(Output::Store(Durable::Snapshot {
                    document: name,
                    generation: holding.document.place().generation,
                    snapshot,
                }));
            }
            Err(error) => self.out.push(Output::Rebuild(error.to_string())),
        }
    }
}
