//! What a cut in the roster does to a document (P-46, P-47).
//!
//! The gate asks here how much of a unit a cut lets in. When a roster with a cut is taken,
//! or entries show that what is held below a cut is the other history, the document is made
//! again from the entries that stay: nothing is undone inside the merged state.

use std::collections::BTreeMap;

use super::entry::{ChainId, Unit};
use super::refusal::Cause;
use super::{Document, Reach, ReplicaError};
use crate::ids::{Hash, Signature};
use crate::limits;
use crate::roster::Roster;

/// In the place of a signature: the unit ends at a hash that a cut names, which is proof
/// enough for whoever has the roster.
pub(super) const UNSIGNED: Signature = Signature([0; 64]);

/// A document made again without what fell away.
#[derive(Debug)]
pub struct Remade {
    /// The document.
    pub document: Document,
    /// Its entries, in batches as they are to be stored.
    pub batches: Vec<Vec<Unit>>,
    /// Entries that fell away.
    pub fell: u64,
}

/// Shortens a unit to what a cut at `reach` lets in. True where it then ends at the hash
/// that the cut names, and so needs no signature.
pub(super) fn fit(
    unit: &mut Unit,
    hashes: &mut Vec<Hash>,
    reach: Option<Reach>,
) -> Result<bool, Cause> {
    let reach = reach.ok_or(Cause::BeyondCut)?;
    let Some(room) = reach.entries.checked_sub(unit.first).filter(|n| *n > 0) else {
        return Err(Cause::BeyondCut);
    };
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if unit.steps.len() < room {
        return Ok(false);
    }
    if unit.steps.len() > room {
        unit.signature = UNSIGNED;
    }
    unit.steps.truncate(room);
    hashes.truncate(room);
    match hashes.last() {
        Some(last) if *last == reach.last => Ok(true),
        _ => Err(Cause::BeyondCut),
    }
}

impl Document {
    /// The chains that have to be shortened under this roster, and to how many entries:
    /// beyond a cut, on another branch than it names, or of a node that may not write.
    pub fn beyond(&self, roster: &Roster) -> BTreeMap<ChainId, u64> {
        let mut out = BTreeMap::new();
        for (id, chain) in &self.chains {
            let stays = match roster.bound(self.place.document, *id) {
                Some(None) => 0,
                Some(Some(reach)) => self.below(*id, reach),
                None if roster.entry_key(self.place.document, id.node).is_none() => 0,
                None => chain.len(),
            };
            if stays < chain.len() {
                out.insert(*id, stays);
            }
        }
        out
    }

    /// How much of a chain may stay below a cut: what leads to the hash that it names, or
    /// may still turn out to.
    fn below(&self, id: ChainId, reach: Reach) -> u64 {
        let held = self.entries_of(id);
        let at_cut = self.entry_at(id, reach.entries.saturating_sub(1));
        if held < reach.entries || at_cut == Some(reach.last) {
            return held.min(reach.entries);
        }
        let evidence = self.closed.get(&id.node);
        let parting = evidence
            .filter(|evidence| evidence.chain == id)
            .and_then(super::Evidence::parting);
        let other = reach.entries.saturating_sub(1);
        parting.map_or(other, |at| at.min(other))
    }

    /// The chains of which these units lead to the hash that a cut names, while something
    /// else is held below it, and from which entry on that has to go. It was signed, so the
    /// gate had let it in; only the end of a branch shows which one it is.
    pub fn disproved(&self, units: &[Unit], roster: &Roster) -> BTreeMap<ChainId, u64> {
        let mut runs: BTreeMap<ChainId, Vec<(u64, Hash)>> = BTreeMap::new();
        for unit in units.iter().take(limits::BATCH_UNITS) {
            if roster.cut(self.place.document, unit.chain.node).is_none() {
                continue;
            }
            let run = runs.entry(unit.chain).or_default();
            let follows = run
                .last()
                .is_some_and(|(at, hash)| *at + 1 == unit.first && *hash == unit.previous);
            if !follows {
                run.clear();
                let before = unit.first.checked_sub(1);
                run.extend(before.map(|at| (at, unit.previous)));
            }
            run.extend((unit.first..).zip(unit.hashes()));
        }
        let mut out = BTreeMap::new();
        for (id, run) in runs {
            let Some(Some(reach)) = roster.bound(self.place.document, id) else {
                continue;
            };
            let leads = run.contains(&(reach.entries.saturating_sub(1), reach.last));
            let differs = |(at, hash): &&(u64, Hash)| {
                *at < reach.entries && self.entry_at(id, *at).is_some_and(|mine| mine != *hash)
            };
            if let Some((at, _)) = run.iter().find(differs).filter(|_| leads) {
                out.insert(id, *at);
            }
        }
        out
    }

    /// Makes the document again with each chain of `ends` cut to so many entries, and
    /// without whatever depends on what falls away. Work is that of executing what stays.
    ///
    /// # Errors
    /// [`ReplicaError`] if the merge engine failed; this document is as it was.
    pub fn remake(
        &self,
        ends: &BTreeMap<ChainId, u64>,
        roster: &Roster,
    ) -> Result<Remade, ReplicaError> {
        let stays = self.what_stays(ends);
        let batches = super::author::in_rows(self.units_of(&stays));
        let mut document = Self::new(self.place.clone());
        for batch in &batches {
            let judged = document.judge_stored(batch.clone(), roster);
            document.execute(judged)?;
        }
        document.refused.clone_from(&self.refused);
        document.closed = self
            .closed
            .iter()
            .filter(|(node, _)| roster.cut(self.place.document, **node).is_none())
            .map(|(node, evidence)| (*node, evidence.clone()))
            .collect();
        let fell = (self.entry_count() - document.entry_count()) as u64;
        Ok(Remade {
            document,
            batches,
            fell,
        })
    }

    /// How many entries of each chain stay: an entry stays with its whole past or not at all.
    fn what_stays(&self, ends: &BTreeMap<ChainId, u64>) -> BTreeMap<ChainId, u64> {
        let mut stays: BTreeMap<ChainId, u64> = BTreeMap::new();
        let count = |stays: &BTreeMap<_, _>, id| stays.get(id).copied().unwrap_or(0);
        for (id, sequence) in self.merged.order() {
            let Some(held) = self.chains.get(id).and_then(|chain| chain.get(*sequence)) else {
                continue;
            };
            let past = &held.past.clock;
            let whole = count(&stays, id) == *sequence
                && past.iter().all(|(other, n)| count(&stays, other) >= *n);
            if whole && ends.get(id).is_none_or(|end| sequence < end) {
                stays.insert(*id, sequence + 1);
            }
        }
        stays
    }

    /// These entries as units, each after its past. A unit that ends where no signature is
    /// kept has none.
    fn units_of(&self, stays: &BTreeMap<ChainId, u64>) -> Vec<Unit> {
        let mut done: BTreeMap<ChainId, u64> = BTreeMap::new();
        let mut units = Vec::new();
        for (id, sequence) in self.merged.order() {
            let end = stays.get(id).copied().unwrap_or(0);
            let from = done.entry(*id).or_default();
            if *from > *sequence || *sequence >= end {
                continue;
            }
            let Some(mut unit) = self.unit_within(*id, *sequence) else {
                continue;
            };
            let room = usize::try_from(end - sequence).unwrap_or(usize::MAX);
            if unit.steps.len() > room {
                unit.steps.truncate(room);
                unit.signature = UNSIGNED;
            }
            *from = unit.end();
            units.push(unit);
        }
        units
    }

    /// The entries of a chain from `first` to the next signature, or without one to the end.
    fn unit_within(&self, id: ChainId, first: u64) -> Option<Unit> {
        if let Some((unit, _)) = self.unit_from(id, first) {
            return Some(unit);
        }
        let chain = self.chains.get(&id)?;
        let entries = chain.rest(first)?;
        Some(self.unit_with(id, first, entries, UNSIGNED))
    }
}
