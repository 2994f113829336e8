//! Which of the entries of a casework document count, and in which order (docs/BOOKING.md).
//!
//! A council's decider writes one thing after another. But its disk may be put back to an old
//! copy, and what was lost with it may still be on its way from a second node. So a process
//! begins its chain with an opening, which has in its past all that it holds of the chains
//! before; the counterpart answers once that is all that it holds of them as well. From then on
//! an earlier chain counts up to there, whatever arrives of it later. This follows from the
//! entries alone, without a clock, and comes out the same wherever the same entries are held;
//! instants only choose between two openings that both go on from the same one.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{self, Said, Written};
use super::remark::Noted;
use crate::document::{ChainId, Document};
use crate::ids::RecordId;
use crate::limits;
use crate::time::UnixSeconds;

/// An opening, where it stands, and how much it has in its past of each other chain.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) record: RecordId,
    pub(super) chain: ChainId,
    previous: Option<RecordId>,
    at: UnixSeconds,
    past: BTreeMap<ChainId, u64>,
}

/// All that is held of a casework document, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    openings: Vec<Opening>,
    /// The openings of the counterpart that are answered, and by which node's chain.
    answers: BTreeMap<RecordId, ChainId>,
    facts: BTreeMap<ChainId, Vec<(u64, Written)>>,
    remarks: BTreeMap<ChainId, Vec<(u64, Noted)>>,
    held: BTreeMap<ChainId, u64>,
}

/// What of it counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The opening that everything goes on from.
    pub(super) tip: Option<Opening>,
    /// The chain on which the counterpart has answered it, if it has.
    pub(super) answered_by: Option<ChainId>,
    /// What was written, in its order.
    pub(super) written: Vec<Written>,
    /// What was remarked, in its order.
    pub(super) remarks: Vec<Noted>,
    /// The chains from which another has gone on: what is added to them counts for nothing.
    pub(super) passed: BTreeSet<ChainId>,
}

impl Pages {
    /// Reads what is held of a document. Work grows with its entries. Of one that has more than
    /// an honest council ever gets through the gate, nothing counts.
    pub(super) fn of(document: Option<&Document>) -> Self {
        let mut pages = Self::default();
        let mut read = 0;
        for (chain, sequence, past, edits) in document.into_iter().flat_map(Document::entries) {
            let held = pages.held.entry(chain).or_default();
            *held = (*held).max(sequence.saturating_add(1));
            read += edits.len() as u64;
            if read > 2 * limits::FACTS_PER_CASEWORK {
                return Self::default();
            }
            for edit in &edits {
                match record::read(edit) {
                    Some((record, at, Said::Opening { previous })) => {
                        pages.openings.push(Opening {
                            record,
                            chain,
                            previous,
                            at,
                            past: past.clone(),
                        });
                    }
                    Some((_, _, Said::Comparison { opening })) => {
                        pages.answers.insert(opening, chain);
                    }
                    Some((_, _, Said::Fact(written))) => {
                        let facts = pages.facts.entry(chain).or_default();
                        facts.push((sequence, *written));
                    }
                    Some((_, _, Said::Remark(noted))) => {
                        let remarks = pages.remarks.entry(chain).or_default();
                        remarks.push((sequence, noted));
                    }
                    None => {}
                }
            }
        }
        pages
    }

    /// How many openings of the counterpart it answers.
    pub(super) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// What of it counts, by what the counterpart has answered in its own.
    pub(super) fn line(&self, counterpart: &Self) -> Line {
        let openings = self.line_of_openings(counterpart);
        let mut line = Line::default();
        let mut done = BTreeSet::new();
        for (at, opening) in openings.iter().enumerate() {
            let chain = opening.chain;
            if !done.insert(chain) {
                continue;
            }
            let after = openings.iter().skip(at).find(|later| later.chain != chain);
            line.passed.extend(after.map(|_| chain));
            let end = after.map_or(u64::MAX, |later| {
                later.past.get(&chain).copied().unwrap_or(0)
            });
            let facts = self.facts.get(&chain).into_iter().flatten();
            let counted = facts.filter(|(sequence, _)| *sequence < end);
            line.written.extend(counted.map(|(_, w)| w.clone()));
            let remarks = self.remarks.get(&chain).into_iter().flatten();
            let counted = remarks.filter(|(sequence, _)| *sequence < end);
            line.remarks.extend(counted.map(|(_, noted)| noted.clone()));
        }
        if let Some(tip) = openings.last() {
            line.answered_by = counterpart.answers.get(&tip.record).copied();
            line.tip = Some((*tip).clone());
        }
        line
    }

    /// The openings, each going on from the one before. Of those that go on from the same one, an
    /// answered one comes before others, and then the latest.
    fn line_of_openings(&self, counterpart: &Self) -> Vec<&Opening> {
        let mut after: BTreeMap<Option<RecordId>, Vec<&Opening>> = BTreeMap::new();
        for opening in &self.openings {
            after.entry(opening.previous).or_default().push(opening);
        }
        let is_answered = |o: &Opening| counterpart.answers.contains_key(&o.record);
        let mut line: Vec<&Opening> = Vec::new();
        let mut last = None;
        // Taken out of the map, no opening is met twice, whatever it says that it goes on from.
        while let Some(candidates) = after.remove(&last) {
            let candidates = candidates.into_iter();
            let ready = candidates.filter(|o| is_answered(o) || self.covers(o));
            let Some(next) = ready.max_by_key(|o| (is_answered(o), o.at, o.record)) else {
                break;
            };
            line.push(next);
            last = Some(next.record);
        }
        line
    }

    /// Whether an opening has in its past all that is held of other chains: what its author does
    /// not hold, it has lost, and it has to take it back before it goes on.
    fn covers(&self, opening: &Opening) -> bool {
        let held = self.held.iter().filter(|(id, _)| **id != opening.chain);
        let past = |id| opening.past.get(id).copied().unwrap_or(0);
        held.into_iter().all(|(id, entries)| past(id) >= *entries)
    }
}
