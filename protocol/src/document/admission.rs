//! The one gate through which entries reach a replica (P-13 to P-20).
//!
//! Entries made here, pulled, pushed or read from the store all come through
//! [`Document::judge`]. It changes nothing; what it admits is carried out by
//! [`Document::execute`] once the caller has seen to its storing. The answer depends on the
//! entries, their ancestors and the roster alone, never on merged state, a clock or
//! the order of arrival, so that every replica gives the same one. The one refusal that
//! depends on what was heard is that of a closed key (P-16); a cut ends it.

use std::collections::BTreeMap;

use super::Document;
use super::chain::{Chain, Held};
use super::cut::{UNSIGNED, fit};
use super::entry::{ChainId, Unit};
use super::refusal::{Cause, Refusal};
use super::staging::{Candidate, stage};
use crate::ids::{Hash, PublicKey};
use crate::limits;
use crate::roster::Roster;
use crate::schema::{self, Edit};

/// What the gate let through, ready to be stored and executed; can be made by
/// [`Document::judge`] alone.
#[derive(Debug)]
pub struct Judged {
    pub(super) admitted: Vec<Admitted>,
    /// What was refused, one per unit at most. The rest of the batch is not touched by it.
    pub refused: Vec<Refusal>,
    /// Of the units refused as a fork, the first of each node: once the rest is carried
    /// out, [`Document::evidence_against`] makes evidence of it.
    pub forks: Vec<Unit>,
}

impl Judged {
    /// The admitted units, cut to the entries that were not held: these are to be stored,
    /// in one atomic and flushed write.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.admitted.iter().map(|admitted| &admitted.unit)
    }

    /// Whether anything new was admitted.
    pub fn is_empty(&self) -> bool {
        self.admitted.is_empty()
    }
}

/// The hash and the edits of each entry that is new, and whether they end in a proof.
type Examined = (Vec<Hash>, Vec<Vec<Edit>>, bool);

#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) unit: Unit,
    pub(super) entries: Vec<(Held, Vec<Edit>)>,
    /// Whether it ends in a signature, or at a cut.
    pub(super) provable: bool,
}

/// By which rules a batch is judged.
#[derive(Clone, Copy)]
struct Rules<'a> {
    roster: &'a Roster,
    /// What this node admitted before: closed keys and cuts are looked at afterwards.
    stored: bool,
}

impl Document {
    /// Judges a batch of units. Units of one chain stand in the order of their sequences.
    ///
    /// Work: one signature check per unit, two hashes per entry, and a look at each unit
    /// again for every one that it waits for.
    pub fn judge(&self, units: Vec<Unit>, roster: &Roster) -> Judged {
        let stored = false;
        self.judge_by(units, Rules { roster, stored })
    }

    /// Judges what this node's own store holds. It was admitted under the roster and the
    /// evidence of its time, so neither a closed key nor a cut keeps it out here;
    /// [`Document::beyond`] says afterwards what has to go.
    pub fn judge_stored(&self, units: Vec<Unit>, roster: &Roster) -> Judged {
        let stored = true;
        self.judge_by(units, Rules { roster, stored })
    }

    fn judge_by(&self, units: Vec<Unit>, rules: Rules<'_>) -> Judged {
        let mut refused = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        // For each chain, the hashes of the entries that this batch adds to it.
        let mut ahead: BTreeMap<ChainId, Vec<Hash>> = BTreeMap::new();
        let mut chains = self.chains.len();
        let mut total = self.total;
        let mut forks: Vec<Unit> = Vec::new();
        for mut unit in units.into_iter().take(limits::BATCH_UNITS) {
            let chain = unit.chain;
            let known = self.chains.contains_key(&chain) || ahead.contains_key(&chain);
            if !known && chains >= limits::CHAINS_PER_DOCUMENT {
                refused.push(Refusal::unproven(chain, Cause::Chains));
                continue;
            }
            total = total.saturating_add(unit.total());
            if total > limits::DOCUMENT_TOTAL_BYTES {
                refused.push(Refusal::unproven(chain, Cause::Full));
                continue;
            }
            let before = ahead.get(&chain).map_or(&[][..], Vec::as_slice);
            match self.examine(&mut unit, before, rules) {
                Ok(Some((hashes, edits, provable))) => {
                    chains += usize::from(!known);
                    ahead.entry(chain).or_default().extend(&hashes);
                    candidates.push(Candidate {
                        unit,
                        hashes,
                        edits,
                        provable,
                    });
                }
                Ok(None) => {}
                Err(refusal) => {
                    let is_first = !forks.iter().any(|fork| fork.chain.node == chain.node);
                    if matches!(refusal.cause, Cause::Fork { .. }) && is_first {
                        forks.push(unit);
                    }
                    refused.push(refusal);
                }
            }
        }
        let admitted = stage(self, candidates, &mut refused);
        Judged {
            admitted,
            refused,
            forks,
        }
    }

    pub(super) fn head(&self, chain: ChainId) -> (u64, Option<Hash>) {
        let held = self.chains.get(&chain);
        (
            held.map_or(0, Chain::len),
            held.and_then(|c| c.last()).map(|entry| entry.hash),
        )
    }

    /// Steps 1 to 4, and of step 6 what the edits alone decide. `Ok(None)`: held already,
    /// or `ahead` in this batch. Cuts the entries that are held off the unit.
    fn examine(
        &self,
        unit: &mut Unit,
        ahead: &[Hash],
        rules: Rules<'_>,
    ) -> Result<Option<Examined>, Refusal> {
        let chain = unit.chain;
        let bare = |cause| Refusal::unproven(chain, cause);
        check_sizes(unit).map_err(bare)?;
        let mut hashes = unit.hashes();
        let key = rules
            .roster
            .entry_key(self.place.document, chain.node)
            .ok_or_else(|| bare(Cause::NotAWriter))?;
        if unit.place != self.place {
            return Err(misplaced(unit, &self.place, &hashes, &key));
        }
        let bound = rules.roster.bound(self.place.document, chain);
        let at_cut = match bound {
            Some(reach) if !rules.stored => fit(unit, &mut hashes, reach).map_err(bare)?,
            Some(Some(reach)) => unit.end() == reach.entries && hashes.last() == Some(&reach.last),
            _ => false,
        };
        let held = self.head(chain).0.saturating_add(ahead.len() as u64);
        // Step 3. Entries that are held already must be the same ones.
        if unit.first > held {
            return Err(bare(Cause::Gap { held }));
        }
        let repeated = usize::try_from(held.min(unit.end()) - unit.first).unwrap_or(usize::MAX);
        let before = unit
            .first
            .checked_sub(1)
            .map_or(Some(Hash([0; 32])), |s| self.hash_at(chain, s, ahead));
        let same_so_far = before.is_none_or(|hash| hash == unit.previous)
            && (unit.first..)
                .zip(hashes.iter().take(repeated))
                .all(|(sequence, hash)| {
                    self.hash_at(chain, sequence, ahead)
                        .is_none_or(|mine| mine == *hash)
                });
        // What is held of a closed key stays; nothing is added to it (P-16).
        if self.closed.contains_key(&chain.node) && bound.is_none() && !rules.stored {
            let is_held = same_so_far && repeated >= unit.steps.len();
            return is_held.then_some(None).ok_or(bare(Cause::Closed));
        }
        // Step 4 comes before anything is said of the author.
        let signed = hashes
            .last()
            .is_some_and(|last| unit.is_signed(*last, &key) || crate::broken!(SignatureUnchecked));
        if !signed && unit.signature != UNSIGNED && !at_cut {
            return Err(bare(Cause::BadSignature));
        }
        if !signed && !at_cut && !rules.stored {
            return Err(bare(Cause::Unsigned));
        }
        if !signed {
            // Whoever this is passed on to has to know it for what it is.
            unit.signature = UNSIGNED;
        }
        if !same_so_far {
            return Err(bare(Cause::Fork {
                sequence: unit.first,
            }));
        }
        if repeated >= unit.steps.len() {
            return Ok(None);
        }
        if let Some(known) = repeated.checked_sub(1).and_then(|i| hashes.get(i)) {
            unit.previous = *known;
        }
        unit.first += repeated as u64;
        unit.steps.drain(..repeated);
        hashes.drain(..repeated);
        let edits = self.check_edits(unit, &hashes)?;
        Ok(Some((hashes, edits, signed || at_cut)))
    }

    /// The hash at a sequence of a chain, with what this batch adds to it.
    fn hash_at(&self, chain: ChainId, sequence: u64, ahead: &[Hash]) -> Option<Hash> {
        let chain = self.chains.get(&chain);
        match sequence.checked_sub(chain.map_or(0, Chain::len)) {
            None => chain?.get(sequence).map(|entry| entry.hash),
            Some(beyond) => ahead.get(usize::try_from(beyond).ok()?).copied(),
        }
    }

    /// Step 6, as far as the edits alone decide it.
    fn check_edits(&self, unit: &Unit, hashes: &[Hash]) -> Result<Vec<Vec<Edit>>, Refusal> {
        let kind = self.place.document.kind;
        unit.steps
            .iter()
            .zip(hashes)
            .map(|(step, hash)| {
                let proven = |cause| Refusal::proven(unit.chain, cause, *hash);
                let edits = step
                    .decode_edits()
                    .map_err(|e| proven(Cause::Encoding(e)))?;
                schema::check_edits(step.schema, kind, &edits)
                    .map_err(|e| proven(Cause::Schema(e)))?;
                Ok(edits)
            })
            .collect()
    }
}

/// Step 1: sizes, and the bounds of a unit.
fn check_sizes(unit: &Unit) -> Result<(), Cause> {
    let Some(last) = unit.end().checked_sub(1).filter(|last| *last >= unit.first) else {
        return Err(Cause::Size("no entries"));
    };
    if last >= limits::ENTRIES_PER_CHAIN {
        return Err(Cause::Size("the chain is too long"));
    }
    if unit.first / limits::UNIT_ENTRIES != last / limits::UNIT_ENTRIES {
        return Err(Cause::Size("it crosses a mark"));
    }
    if unit
        .steps
        .iter()
        .skip(1)
        .any(|step| !step.dependencies.is_empty())
    {
        return Err(Cause::Size(
            "an entry with dependencies is not the first of its unit",
        ));
    }
    for step in &unit.steps {
        if step.edits.0.len() > limits::ENTRY_BYTES {
            return Err(Cause::Size("an entry is too long"));
        }
        if step.dependencies.len() > limits::ENTRY_DEPENDENCIES {
            return Err(Cause::Size("too many dependencies"));
        }
    }
    if unit.first == 0 && unit.previous != Hash([0; 32]) {
        return Err(Cause::Size("the first entry names one before it"));
    }
    Ok(())
}

/// Step 2: an entry that its author signed for another place proves that by itself.
fn misplaced(unit: &Unit, here: &super::Place, hashes: &[Hash], key: &PublicKey) -> Refusal {
    let last = hashes.last().filter(|last| unit.is_signed(**last, key));
    let Some(last) = last.copied() else {
        return Refusal::unproven(unit.chain, Cause::BadSignature);
    };
    let cause = if unit.place.region != here.region {
        Cause::OtherRegion
    } else if unit.place.document != here.document {
        Cause::OtherDocument
    } else {
        Cause::OtherGeneration {
            found: unit.place.generation,
            held: here.generation,
        }
    };
    Refusal::proven(unit.chain, cause, last)
}
