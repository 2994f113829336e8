//! One document: its chains of signed entries, the gate, and the merged state.
//!
//! Entries come in through [`Document::judge`] and [`Document::execute`] alone. The chains
//! are the truth; the merged state follows from them and can be made again at any time.

mod admission;
mod author;
mod chain;
mod entry;
mod frontier;
mod refusal;
mod replica;
mod staging;

#[cfg(test)]
mod admission_tests;
#[cfg(test)]
mod convergence_tests;

pub use admission::Judged;
pub use entry::{ChainId, Header, Place, Step, Unit};
pub use frontier::{Frontier, Reach};
pub use refusal::{Cause, Refusal};
pub use replica::{RecordFields, ReplicaError};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::ids::{Hash, RecordId};
use crate::limits;
use crate::schema::Edit;
use chain::{Chain, Clock, Held};
use replica::Replica;

/// An admitted entry that waits for its past to be executed.
struct Waiting {
    hash: Hash,
    /// Entries of each chain in its past, its own chain's among them.
    clock: Clock,
    edits: Vec<Edit>,
}

/// A document as one node holds it.
pub struct Document {
    place: Place,
    chains: BTreeMap<ChainId, Chain>,
    /// Where each held entry is.
    index: HashMap<Hash, (ChainId, u64)>,
    replica: Replica,
    /// Entries whose own bytes prove that they are not admissible, newest last (P-19).
    refused: VecDeque<Hash>,
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
    ///
    /// # Errors
    /// [`ReplicaError`] if the merge engine cannot make an empty document.
    pub fn new(place: Place) -> Result<Self, ReplicaError> {
        Ok(Self {
            place,
            chains: BTreeMap::new(),
            index: HashMap::new(),
            replica: Replica::new()?,
            refused: VecDeque::new(),
        })
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
        for refusal in &judged.refused {
            if let Some(entry) = refusal.proven {
                self.remember_refusal(entry);
            }
        }
        let mut waiting: Vec<(ChainId, VecDeque<Waiting>)> = Vec::new();
        for admitted in judged.admitted {
            let (id, first) = (admitted.unit.chain, admitted.unit.first);
            let mut entries = Vec::with_capacity(admitted.entries.len());
            let mut queue = VecDeque::with_capacity(admitted.entries.len());
            for (sequence, (held, edits)) in (first..).zip(admitted.entries) {
                self.index.insert(held.hash, (id, sequence));
                let mut clock = held.past.clock.clone();
                clock.insert(id, sequence);
                let hash = held.hash;
                queue.push_back(Waiting { hash, clock, edits });
                entries.push(held);
            }
            let chain = self.chains.entry(id).or_default();
            chain.append(entries, admitted.unit.signature);
            waiting.push((id, queue));
        }
        self.execute_in_causal_order(waiting)
    }

    /// Units may wait for one another, entry by entry; each round takes every unit as far
    /// as what was executed allows.
    fn execute_in_causal_order(
        &mut self,
        mut waiting: Vec<(ChainId, VecDeque<Waiting>)>,
    ) -> Result<(), ReplicaError> {
        while !waiting.is_empty() {
            let mut moved = false;
            for (chain, queue) in &mut waiting {
                while let Some(next) = queue
                    .front()
                    .filter(|next| self.replica.has_executed(&next.clock))
                {
                    self.replica.execute(
                        &self.place,
                        *chain,
                        &next.clock,
                        next.hash,
                        &next.edits,
                    )?;
                    queue.pop_front();
                    moved = true;
                }
            }
            if !moved {
                return Err(ReplicaError::without_past());
            }
            waiting.retain(|(_, queue)| !queue.is_empty());
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

    /// Whether an entry is held.
    pub fn holds(&self, entry: &Hash) -> bool {
        self.index.contains_key(entry)
    }

    /// The automerge heads, ascending: equal wherever the same entries are held.
    pub fn heads(&self) -> Vec<Hash> {
        self.replica.heads()
    }

    /// The document as automerge saves it.
    pub fn save(&self) -> Vec<u8> {
        self.replica.save()
    }

    /// One record.
    pub fn record(&self, id: RecordId) -> Option<RecordFields> {
        self.replica.record(id)
    }

    /// Every record, ascending by id.
    pub fn records(&self) -> impl Iterator<Item = (RecordId, RecordFields)> + '_ {
        self.replica.records()
    }

    /// How many records it has.
    pub fn record_count(&self) -> usize {
        self.replica.record_count()
    }

    /// How many entries it has.
    pub fn entry_count(&self) -> usize {
        self.index.len()
    }

    /// The next batch for a peer that has shown `held` and refused `refused` (P-33): whole
    /// units, with all that they depend on, about [`limits::BATCH_TARGET_BYTES`] of them.
    /// `held` is moved on past what is returned; an empty batch says that nothing is left.
    pub fn batch_after(&self, held: &mut Frontier, refused: &BTreeSet<Hash>) -> Vec<Unit> {
        let mut batch = Vec::new();
        let mut weight = 0;
        for (chain, sequence, _) in self.replica.order() {
            if weight >= limits::BATCH_TARGET_BYTES || batch.len() >= limits::BATCH_UNITS / 2 {
                break;
            }
            if held.entries(*chain) > *sequence {
                continue;
            }
            let mut units = Vec::new();
            let mut with_these = held.clone();
            if self.gather(*chain, *sequence, &mut with_these, refused, &mut units) {
                weight += units.iter().map(Unit::weight).sum::<usize>();
                batch.append(&mut units);
                *held = with_these;
            }
        }
        batch
    }

    /// Collects the unit that holds one entry and, first, whatever its entries depend on.
    /// False where the peer has refused one of them.
    fn gather(
        &self,
        chain: ChainId,
        sequence: u64,
        held: &mut Frontier,
        refused: &BTreeSet<Hash>,
        units: &mut Vec<Unit>,
    ) -> bool {
        let mut wanted = vec![(chain, sequence)];
        let mut taken = Vec::new();
        while let Some((chain, sequence)) = wanted.pop() {
            let first = held.entries(chain);
            if first > sequence {
                continue;
            }
            let Some((unit, entries)) = self.unit_from(chain, first) else {
                return false;
            };
            if entries.iter().any(|entry| refused.contains(&entry.hash)) {
                return false;
            }
            if let Some(last) = entries.last() {
                let reach = Reach {
                    entries: unit.end(),
                    last: last.hash,
                };
                held.0.insert(chain, reach);
            }
            if unit.end() <= sequence {
                wanted.push((chain, sequence));
            }
            // The last entry's past contains those of all before it.
            let past = entries
                .last()
                .into_iter()
                .flat_map(|entry| &entry.past.clock);
            wanted.extend(past.filter_map(|(c, n)| Some((*c, n.checked_sub(1)?))));
            taken.push(unit);
        }
        units.extend(taken);
        // Units of one chain in the order of their sequences, as the gate asks for.
        units.sort_by_key(|unit| (unit.chain, unit.first));
        true
    }

    /// The entries of a chain from `first` to the next signature, as a unit.
    fn unit_from(&self, chain: ChainId, first: u64) -> Option<(Unit, &[Held])> {
        let held = self.chains.get(&chain)?;
        let (entries, signature) = held.from(first)?;
        let previous = match first.checked_sub(1) {
            Some(before) => held.get(before)?.hash,
            None => Hash([0; 32]),
        };
        let unit = Unit {
            place: self.place.clone(),
            chain,
            first,
            previous,
            steps: entries.iter().map(|entry| entry.step.clone()).collect(),
            signature,
        };
        Some((unit, entries))
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
