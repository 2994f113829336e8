//! One document: its chains of signed entries, the gate, and the merged state.
//!
//! Entries come in through [`Document::judge`] and [`Document::execute`] alone. The chains
//! are the truth; the merged state follows from them and can be made again at any time.

mod admission;
mod author;
mod chain;
mod cut;
mod entry;
mod fork;
mod frontier;
mod merged;
mod refusal;
mod replica;
mod staging;

#[cfg(test)]
mod admission_tests;
#[cfg(test)]
mod convergence_tests;
#[cfg(test)]
mod fork_tests;

pub use admission::Judged;
pub(crate) use author::in_rows;
pub use cut::Remade;
pub use entry::{ChainId, Header, Place, Step, Unit};
pub use fork::{Branch, BranchStep, Evidence};
pub use frontier::{Frontier, Reach};
pub use merged::Snapshot;
pub use refusal::{Cause, Refusal};
pub use replica::{RecordFields, ReplicaError};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::codec;
use crate::crypto::{self, Tag};
use crate::ids::{Hash, NodeId, RecordId, Signature};
use crate::limits;
use crate::roster::Roster;
use crate::schema::Edit;
use chain::{Chain, Held};
use merged::Merged;
use replica::Replica;

/// A document as one node holds it.
pub struct Document {
    place: Place,
    chains: BTreeMap<ChainId, Chain>,
    /// Where each held entry is.
    index: HashMap<Hash, (ChainId, u64)>,
    merged: Merged,
    /// What it takes here, as [`limits::DOCUMENT_TOTAL_BYTES`] counts.
    total: u64,
    /// Entries whose own bytes prove that they are not admissible, newest last (P-19).
    refused: VecDeque<Hash>,
    /// The keys that signed two histories here, each with the proof (P-16).
    closed: BTreeMap<NodeId, Evidence>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Document({}, {} entries)",
            self.place.document,
            self.index.len()
        )
    }
}

impl Document {
    /// A document without entries.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            chains: BTreeMap::new(),
            index: HashMap::new(),
            merged: Merged::default(),
            total: 0,
            refused: VecDeque::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Region, name and generation.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Carries out what the gate admitted. The caller stores [`Judged::units`] first, or
    /// lets nobody see the outcome before it has.
    ///
    /// # Errors
    /// [`ReplicaError`] if the merge engine failed; the document must then be made again
    /// from its stored entries.
    pub fn execute(&mut self, judged: Judged) -> Result<(), ReplicaError> {
        if judged.admitted.is_empty() {
            self.take_in(judged, None)?;
            return Ok(());
        }
        let mut replica = self.take_live()?;
        self.take_in(judged, Some(&mut replica))?;
        replica.settle()?;
        self.put_live(replica);
        Ok(())
    }

    /// Takes back what the store held, and executes it when the merged state is needed.
    ///
    /// # Errors
    /// As [`Document::execute`].
    pub fn take_back(&mut self, judged: Judged) -> Result<(), ReplicaError> {
        self.let_go();
        self.take_in(judged, None)
    }

    /// Keeps what the gate admitted, executed if there is something to execute it in.
    fn take_in(
        &mut self,
        judged: Judged,
        mut replica: Option<&mut Replica>,
    ) -> Result<(), ReplicaError> {
        for refusal in &judged.refused {
            if let Some(entry) = refusal.proven {
                self.remember_refusal(entry);
            }
        }
        for admitted in judged.admitted {
            self.total = self.total.saturating_add(admitted.unit.total());
            let (id, first) = (admitted.unit.chain, admitted.unit.first);
            let mut entries = Vec::with_capacity(admitted.entries.len());
            for (sequence, (held, edits)) in (first..).zip(admitted.entries) {
                self.index.insert(held.hash, (id, sequence));
                if let Some(replica) = replica.as_deref_mut() {
                    let mut clock = held.past.clock.clone();
                    clock.insert(id, sequence);
                    replica.execute(&self.place, id, &clock, &edits)?;
                }
                self.merged.push(id, sequence);
                entries.push(held);
            }
            let chain = self.chains.entry(id).or_default();
            let signature = admitted.unit.signature;
            chain.append(entries, admitted.provable.then_some(signature));
        }
        Ok(())
    }

    fn remember_refusal(&mut self, entry: Hash) {
        if self.refused.contains(&entry) {
            return;
        }
        if self.refused.len() >= limits::REFUSALS_PER_DOCUMENT {
            self.refused.pop_front();
        }
        self.refused.push_back(entry);
    }

    /// The entries refused for good, to be told to a peer that is asked for more.
    pub fn refused(&self) -> Vec<Hash> {
        self.refused.iter().copied().collect()
    }

    /// What is held.
    pub fn frontier(&self) -> Frontier {
        let reach = |chain: &Chain| {
            Some(Reach {
                entries: chain.len(),
                last: chain.last()?.hash,
            })
        };
        let reaches = self
            .chains
            .iter()
            .filter_map(|(id, c)| Some((*id, reach(c)?)));
        Frontier(reaches.collect())
    }

    /// How many entries of a chain are held.
    pub fn entries_of(&self, chain: ChainId) -> u64 {
        self.chains.get(&chain).map_or(0, Chain::len)
    }

    /// The entry held at a sequence of a chain.
    pub fn entry_at(&self, chain: ChainId, sequence: u64) -> Option<Hash> {
        Some(self.chains.get(&chain)?.get(sequence)?.hash)
    }

    /// Whether a chain that reaches so far is the one held here, if that can be told.
    pub fn agrees(&self, chain: ChainId, reach: Reach) -> Option<bool> {
        let mine = self.entry_at(chain, reach.entries.checked_sub(1)?)?;
        Some(mine == reach.last)
    }

    /// Whether an entry is held.
    pub fn holds(&self, entry: &Hash) -> bool {
        self.index.contains_key(entry)
    }

    /// A digest of the automerge heads, for comparing with a peer's (P-31).
    pub fn heads_digest(&self) -> Hash {
        crypto::hash(Tag::Heads, &codec::encode(&self.heads()))
    }

    /// What it counts for in [`limits::DOCUMENT_TOTAL_BYTES`].
    pub(crate) fn bytes(&self) -> u64 {
        self.total
    }

    /// The document as automerge saves it.
    pub fn save(&self) -> Vec<u8> {
        self.live().map(Replica::save).unwrap_or_default()
    }

    /// One record.
    pub fn record(&self, id: RecordId) -> Option<RecordFields> {
        self.live().ok()?.record(id)
    }

    /// Every record, ascending by id.
    pub fn records(&self) -> impl Iterator<Item = (RecordId, RecordFields)> + '_ {
        self.live().into_iter().flat_map(Replica::records)
    }

    /// How many records it has.
    pub fn record_count(&self) -> usize {
        match self.merged.whole() {
            Some(packed) => packed.records(),
            None => self.live().map_or(0, Replica::record_count),
        }
    }

    /// Every entry: its chain, its place in it, how much of each other chain is in its past, and
    /// its edits. Work grows with the bytes of all entries, which are decoded.
    pub fn entries(
        &self,
    ) -> impl Iterator<Item = (ChainId, u64, &BTreeMap<ChainId, u64>, Vec<Edit>)> {
        self.chains.iter().flat_map(|(id, chain)| {
            let entries = (0..).zip(chain.rest(0).unwrap_or_default());
            entries.map(|(sequence, held)| {
                // They were decoded when they were admitted.
                let edits = held.step.decode_edits().unwrap_or_default();
                (*id, sequence, &held.past.clock, edits)
            })
        })
    }

    /// How many entries it has.
    pub fn entry_count(&self) -> usize {
        self.index.len()
    }

    /// The next batch for a peer that has shown `held` and refused `refused` (P-33): units
    /// in an order in which each follows its past, about [`limits::BATCH_TARGET_BYTES`] of
    /// them and at most one unit more; of a chain that is being shown up to a cut up to
    /// eight times as much, since only the end of it proves which history it is (P-47).
    /// `held` is moved on past what is returned; an empty batch says that nothing is left.
    pub fn batch_after(
        &self,
        held: &mut Frontier,
        refused: &BTreeSet<Hash>,
        roster: &Roster,
    ) -> Vec<Unit> {
        let mut batch = Vec::new();
        let mut weight = 0;
        let mut passed_over = BTreeSet::new();
        for (chain, sequence) in self.merged.order() {
            let full = weight >= limits::BATCH_TARGET_BYTES && !self.leads_to_cut(&batch, roster);
            if full || weight >= limits::BATCH_BYTES / 2 || batch.len() >= limits::BATCH_UNITS {
                break;
            }
            let first = held.entries(*chain);
            if first > *sequence || passed_over.contains(chain) {
                continue;
            }
            let Some((unit, entries)) = self.unit_from(*chain, first) else {
                continue;
            };
            let mut past = entries
                .first()
                .into_iter()
                .flat_map(|entry| &entry.past.clock);
            let follows = past.all(|(other, n)| held.entries(*other) >= *n);
            if !follows || entries.iter().any(|entry| refused.contains(&entry.hash)) {
                passed_over.insert(*chain);
                continue;
            }
            if let Some(last) = entries.last() {
                let reach = Reach {
                    entries: unit.end(),
                    last: last.hash,
                };
                held.0.insert(*chain, reach);
            }
            weight += unit.weight();
            batch.push(unit);
        }
        batch
    }

    /// Whether the last unit of a batch is on the way to a hash that a cut names.
    fn leads_to_cut(&self, batch: &[Unit], roster: &Roster) -> bool {
        batch.last().is_some_and(|unit| {
            let bound = roster.bound(self.place.document, unit.chain).flatten();
            bound.is_some_and(|reach| unit.end() < reach.entries)
        })
    }

    /// The entries of a chain from `first` to the next signature, as a unit.
    fn unit_from(&self, chain: ChainId, first: u64) -> Option<(Unit, &[Held])> {
        let (entries, signature) = self.chains.get(&chain)?.from(first)?;
        Some((self.unit_with(chain, first, entries, signature), entries))
    }

    fn unit_with(&self, chain: ChainId, first: u64, entries: &[Held], end: Signature) -> Unit {
        let before = first.checked_sub(1);
        let before = before.and_then(|at| self.chains.get(&chain)?.get(at));
        Unit {
            place: self.place.clone(),
            chain,
            first,
            previous: before.map_or(Hash([0; 32]), |entry| entry.hash),
            steps: entries.iter().map(|entry| entry.step.clone()).collect(),
            signature: end,
        }
    }

    /// Puts a peer's frontier back to the last mark on each chain whose newest entry there
    /// is not the one held here, so that it is shown this side's history (P-16).
    pub fn show_disagreements(&self, theirs: &mut Frontier) {
        for (chain, reach) in &mut theirs.0 {
            let Some(sequence) = reach.entries.checked_sub(1) else {
                continue;
            };
            let mine = self.chains.get(chain).and_then(|held| held.get(sequence));
            if mine.is_some_and(|entry| entry.hash != reach.last) {
                reach.entries = sequence - sequence % limits::UNIT_ENTRIES;
            }
        }
    }
}
