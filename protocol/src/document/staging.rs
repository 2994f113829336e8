//! Finding the order in which a batch's entries follow their pasts: admission steps 5 and
//! the quota of 6 (P-17, P-18, P-20).
//!
//! Units of one batch may depend on one another, entry by entry, and a unit is admitted
//! whole or not at all, because only its last entry is signed. So entries are staged as
//! their pasts come together; a unit that fails takes back what it staged and what was
//! staged on top of it, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Document;
use super::admission::Admitted;
use super::chain::{Clock, Held, Past, Usage};
use super::entry::{ChainId, Unit};
use super::refusal::{Cause, Refusal};
use crate::ids::Hash;
use crate::roster::ascending;
use crate::schema::Edit;

/// A unit that stands in itself and continues its chain; its past is still to be found.
pub(super) struct Candidate {
    pub(super) unit: Unit,
    pub(super) hashes: Vec<Hash>,
    pub(super) edits: Vec<Vec<Edit>>,
}

/// Returns the candidates whose entries all follow their pasts; adds the rest to `refused`.
pub(super) fn stage(
    document: &Document,
    candidates: Vec<Candidate>,
    refused: &mut Vec<Refusal>,
) -> Vec<Admitted> {
    let mut staging = Staging {
        document,
        slots: candidates.into_iter().map(Slot::new).collect(),
        entries: HashMap::new(),
        places: HashMap::new(),
        heads: BTreeMap::new(),
    };
    staging.run(refused);
    staging.into_admitted()
}

struct Slot {
    candidate: Candidate,
    /// Entries of it that are staged.
    staged: usize,
    alive: bool,
}

impl Slot {
    fn new(candidate: Candidate) -> Self {
        Self {
            candidate,
            staged: 0,
            alive: true,
        }
    }

    fn is_waiting(&self) -> bool {
        self.alive && self.staged < self.candidate.hashes.len()
    }
}

struct Staging<'a> {
    document: &'a Document,
    slots: Vec<Slot>,
    entries: HashMap<Hash, (ChainId, u64, Held)>,
    places: HashMap<(ChainId, u64), Hash>,
    /// Entries of a chain that are held or staged, where any are staged.
    heads: BTreeMap<ChainId, u64>,
}

impl Staging<'_> {
    fn run(&mut self, refused: &mut Vec<Refusal>) {
        loop {
            let mut moved = false;
            for index in 0..self.slots.len() {
                loop {
                    match self.stage_next(index) {
                        Ok(true) => moved = true,
                        Ok(false) => break,
                        Err(refusal) => {
                            self.take_back(index);
                            refused.push(refusal);
                            moved = true;
                            break;
                        }
                    }
                }
            }
            if moved {
                continue;
            }
            let waiting: Vec<usize> = (0..self.slots.len())
                .filter(|index| self.slots.get(*index).is_some_and(Slot::is_waiting))
                .collect();
            if waiting.is_empty() {
                return;
            }
            for index in waiting {
                if let Some(slot) = self.slots.get(index).filter(|slot| slot.alive) {
                    let chain = slot.candidate.unit.chain;
                    refused.push(Refusal::unproven(chain, Cause::MissingDependency));
                    self.take_back(index);
                }
            }
        }
    }

    /// Stages the next entry of one candidate. `Ok(false)`: there is none, or its
    /// predecessor or a dependency is not there.
    fn stage_next(&mut self, index: usize) -> Result<bool, Refusal> {
        let Some(slot) = self.slots.get(index).filter(|slot| slot.is_waiting()) else {
            return Ok(false);
        };
        let (unit, at) = (&slot.candidate.unit, slot.staged);
        let (chain, sequence) = (unit.chain, unit.first + at as u64);
        let (Some(step), Some(edits), Some(hash)) = (
            unit.steps.get(at),
            slot.candidate.edits.get(at),
            slot.candidate.hashes.get(at),
        ) else {
            return Ok(false);
        };
        let head = self.heads.get(&chain).copied();
        if head.unwrap_or_else(|| self.document.head(chain).0) != sequence {
            return Ok(false);
        }
        let previous = at.checked_sub(1).and_then(|i| slot.candidate.hashes.get(i));
        let before = self.find(previous.unwrap_or(&unit.previous));
        let (before, usage) = before
            .map(|(_, _, held)| (Arc::clone(&held.past), held.usage))
            .unwrap_or_default();
        let past = if step.dependencies.is_empty() {
            before
        } else {
            match self.past_with(chain, &before, &step.dependencies) {
                Ok(Some(past)) => Arc::new(past),
                Ok(None) => return Ok(false),
                Err(cause) => return Err(Refusal::unproven(chain, cause)),
            }
        };
        let created = edits
            .iter()
            .filter(|e| matches!(e, Edit::Create { .. }))
            .count();
        let usage = usage.plus(Usage {
            records: created as u64,
            bytes: step.edits.0.len() as u64,
        });
        let hash = *hash;
        if !usage.plus(past.usage).within_quota() {
            return Err(Refusal::proven(chain, Cause::Quota, hash));
        }
        let step = step.clone();
        let held = Held {
            hash,
            step,
            past,
            usage,
        };
        self.entries.insert(hash, (chain, sequence, held));
        self.places.insert((chain, sequence), hash);
        self.heads.insert(chain, sequence + 1);
        if let Some(slot) = self.slots.get_mut(index) {
            slot.staged += 1;
        }
        Ok(true)
    }

    /// Gives a candidate up, with what follows on its chain, and unstages every entry that
    /// has one of its entries in its past.
    fn take_back(&mut self, index: usize) {
        let Some(slot) = self.slots.get(index) else {
            return;
        };
        let (chain, first) = (slot.candidate.unit.chain, slot.candidate.unit.first);
        for slot in &mut self.slots {
            let unit = &slot.candidate.unit;
            if unit.chain == chain && unit.first >= first {
                slot.alive = false;
            }
        }
        let gone: Vec<(Hash, ChainId, u64)> = self
            .entries
            .iter()
            .filter(|(_, (own, sequence, held))| {
                let reach = held.past.clock.get(&chain).copied().unwrap_or(0);
                (*own == chain && *sequence >= first) || reach > first
            })
            .map(|(hash, (own, sequence, _))| (*hash, *own, *sequence))
            .collect();
        for (hash, own, sequence) in gone {
            self.entries.remove(&hash);
            self.places.remove(&(own, sequence));
            if let Some(head) = self.heads.get_mut(&own) {
                *head = (*head).min(sequence);
            }
        }
        for slot in &mut self.slots {
            let hashes = slot.candidate.hashes.iter();
            slot.staged = hashes.take_while(|h| self.entries.contains_key(h)).count();
        }
    }

    fn find(&self, hash: &Hash) -> Option<(ChainId, u64, &Held)> {
        if let Some((chain, sequence, held)) = self.entries.get(hash) {
            return Some((*chain, *sequence, held));
        }
        let (chain, sequence) = self.document.index.get(hash)?;
        let held = self.document.chains.get(chain)?.get(*sequence)?;
        Some((*chain, *sequence, held))
    }

    fn at(&self, chain: ChainId, sequence: u64) -> Option<&Held> {
        if let Some(hash) = self.places.get(&(chain, sequence)) {
            return self.entries.get(hash).map(|(_, _, held)| held);
        }
        self.document.chains.get(&chain)?.get(sequence)
    }

    /// The past of an entry with these dependencies beside its predecessor's; `Ok(None)`
    /// while one of them is not there.
    fn past_with(
        &self,
        own: ChainId,
        before: &Past,
        dependencies: &[Hash],
    ) -> Result<Option<Past>, Cause> {
        if !ascending(dependencies) {
            return Err(Cause::Dependencies("they are not ascending"));
        }
        let found: Option<Vec<_>> = dependencies.iter().map(|hash| self.find(hash)).collect();
        let Some(found) = found else {
            return Ok(None);
        };
        let covers = |clock: &Clock, chain: ChainId, sequence: u64| {
            clock.get(&chain).is_some_and(|entries| *entries > sequence)
        };
        for (chain, sequence, held) in &found {
            if *chain == own {
                return Err(Cause::Dependencies("one is of the same chain"));
            }
            let by_another = found.iter().any(|(other, _, by)| {
                by.hash != held.hash
                    && (other == chain || covers(&by.past.clock, *chain, *sequence))
            });
            if by_another || covers(&before.clock, *chain, *sequence) {
                return Err(Cause::Dependencies("one is an ancestor of another"));
            }
        }
        let mut clock = before.clock.clone();
        for (chain, sequence, held) in &found {
            let past = held.past.clock.iter().map(|(c, n)| (*c, *n));
            let itself = (*chain, sequence + 1);
            for (other, entries) in past.chain([itself]).filter(|(c, _)| *c != own) {
                let reach = clock.entry(other).or_default();
                *reach = (*reach).max(entries);
            }
        }
        let usage = clock
            .iter()
            .filter_map(|(chain, entries)| self.at(*chain, entries.checked_sub(1)?))
            .fold(Usage::default(), |sum, held| sum.plus(held.usage));
        Ok(Some(Past { clock, usage }))
    }

    /// The candidates that are whole, each with its entries, and the order of execution:
    /// every entry after its past.
    fn into_admitted(mut self) -> Vec<Admitted> {
        let slots = std::mem::take(&mut self.slots);
        slots
            .into_iter()
            .filter(|slot| slot.alive)
            .map(|slot| {
                let Candidate {
                    unit,
                    hashes,
                    edits,
                } = slot.candidate;
                let held = hashes
                    .iter()
                    .filter_map(|hash| self.entries.remove(hash).map(|(_, _, held)| held));
                Admitted {
                    entries: held.zip(edits).collect(),
                    unit,
                }
            })
            .collect()
    }
}
