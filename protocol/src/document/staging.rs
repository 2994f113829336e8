//! Whether a batch's units follow their pasts, and in which order: admission step 5 and the
//! quota of 6 (P-17, P-18, P-20).
//!
//! Only the first entry of a unit names dependencies (P-12), so a unit follows its past as
//! a whole or not at all, and units of a batch that wait for one another come to an order.
//! A unit that is refused takes nothing with it but what stands on it.

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
    /// Whether it ends in a signature, or at a cut.
    pub(super) provable: bool,
}

/// Returns the candidates that follow their pasts, each after what it stands on; adds the
/// rest to `refused`.
pub(super) fn stage(
    document: &Document,
    candidates: Vec<Candidate>,
    refused: &mut Vec<Refusal>,
) -> Vec<Admitted> {
    let mut staging = Staging {
        document,
        entries: HashMap::new(),
        places: HashMap::new(),
        heads: BTreeMap::new(),
    };
    let mut admitted = Vec::new();
    let mut waiting = candidates;
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for candidate in waiting {
            match staging.take(&candidate) {
                Ok(Some(held)) => admitted.push(Admitted {
                    entries: held.into_iter().zip(candidate.edits).collect(),
                    unit: candidate.unit,
                    provable: candidate.provable,
                }),
                Ok(None) => later.push(candidate),
                Err(refusal) => refused.push(refusal),
            }
        }
        if later.len() == before {
            refused.extend(
                later
                    .iter()
                    .map(|candidate| staging.wanting(&candidate.unit)),
            );
            break;
        }
        waiting = later;
    }
    admitted
}

struct Staging<'a> {
    document: &'a Document,
    entries: HashMap<Hash, (ChainId, u64, Held)>,
    places: HashMap<(ChainId, u64), Hash>,
    /// Entries of a chain that are held or staged, where any are staged.
    heads: BTreeMap<ChainId, u64>,
}

impl Staging<'_> {
    fn head(&self, chain: ChainId) -> u64 {
        let staged = self.heads.get(&chain).copied();
        staged.unwrap_or_else(|| self.document.head(chain).0)
    }

    /// What a unit that found no past is refused for.
    fn wanting(&self, unit: &Unit) -> Refusal {
        let held = self.head(unit.chain);
        let cause = if unit.first > held {
            Cause::Gap { held }
        } else {
            Cause::MissingDependency
        };
        Refusal::unproven(unit.chain, cause)
    }

    /// Stages the entries of a unit; `Ok(None)` while its predecessor or a dependency is
    /// not there.
    fn take(&mut self, candidate: &Candidate) -> Result<Option<Vec<Held>>, Refusal> {
        let unit = &candidate.unit;
        let chain = unit.chain;
        if self.head(chain) != unit.first {
            return Ok(None);
        }
        let before = self.find(&unit.previous);
        let (mut past, mut usage) = before
            .map(|(_, _, held)| (Arc::clone(&held.past), held.usage))
            .unwrap_or_default();
        let dependencies = unit
            .steps
            .first()
            .map_or(&[][..], |step| &step.dependencies);
        if !dependencies.is_empty() {
            match self.past_with(chain, &past, dependencies) {
                Ok(Some(wider)) => past = Arc::new(wider),
                Ok(None) => return Ok(None),
                Err(cause) => return Err(Refusal::unproven(chain, cause)),
            }
        }
        let mut out = Vec::with_capacity(unit.steps.len());
        let parts = unit
            .steps
            .iter()
            .zip(&candidate.hashes)
            .zip(&candidate.edits);
        for ((step, hash), edits) in parts {
            let created = edits
                .iter()
                .filter(|e| matches!(e, Edit::Create { .. }))
                .count();
            usage = usage.plus(Usage {
                records: created as u64,
                bytes: step.edits.0.len() as u64,
            });
            if !usage
                .plus(past.usage)
                .within_quota(self.document.place.document.kind)
            {
                return Err(Refusal::proven(chain, Cause::Quota, *hash));
            }
            out.push(Held {
                hash: *hash,
                step: step.clone(),
                past: Arc::clone(&past),
                usage,
            });
        }
        for (sequence, held) in (unit.first..).zip(&out) {
            self.places.insert((chain, sequence), held.hash);
            self.entries
                .insert(held.hash, (chain, sequence, held.clone()));
        }
        self.heads.insert(chain, unit.end());
        Ok(Some(out))
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
}
