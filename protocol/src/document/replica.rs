//! The merge engine: executes admitted entries in automerge. Nothing outside names it.
//!
//! What goes in is typed edits; no byte from a peer is ever parsed by automerge. Each
//! replica executes an entry's edits as the entry's author, at the entry's dependencies,
//! with time 0, and so makes the same automerge change as every other replica (P-21).

mod composer;
mod operations;
mod scalar;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use automerge::{ActorId, Automerge, AutomergeError, ChangeHash, ReadDoc};
use serde::{Deserialize, Serialize};

use super::chain::Clock;
use super::entry::{ChainId, Place};
use crate::codec::{self, Blob, CodecError};
use crate::crypto::{self, Tag};
use crate::ids::{Hash, RecordId};
use crate::limits;
use crate::schema::{Edit, FieldId, Value};
use composer::{Author, Composer};
use scalar::fields_of;

/// The merge engine did what it must never do; the replica has to be made again from the
/// entries. Not the fault of any peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the merge engine failed on admitted entries ({0}); restart the node to rebuild it")]
pub struct ReplicaError(String);

impl From<AutomergeError> for ReplicaError {
    fn from(error: AutomergeError) -> Self {
        Self(error.to_string())
    }
}

impl From<CodecError> for ReplicaError {
    fn from(error: CodecError) -> Self {
        Self(error.to_string())
    }
}

impl ReplicaError {
    /// The order of execution names an entry that is not held.
    pub(super) fn gap() -> Self {
        Self("an entry that is not held".to_owned())
    }
}

/// The fields of one record. More than one value in a field is a conflict for a person to
/// settle.
pub type RecordFields = BTreeMap<FieldId, Vec<Value>>;

/// A document's merged state.
pub(super) struct Replica {
    main: Composer,
    /// For authors on a branch: the document at the past of their newest entry.
    copies: HashMap<ChainId, Copy>,
    /// Which copy was used when; the least lately used goes first.
    uses: u64,
    /// The change that each entry made, in the order of execution; `None` where it changed
    /// nothing.
    changes: Vec<Option<ChangeHash>>,
    /// Entries executed of each chain, as indices into `changes`.
    positions: BTreeMap<ChainId, Vec<usize>>,
    /// Of each chain, how many changes it made and the newest of them.
    latest: BTreeMap<ChainId, (u64, ChangeHash)>,
}

/// A replica as it is put away: automerge's own bytes, and the change of each entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Packed {
    bytes: Blob,
    changes: Vec<Option<Hash>>,
    heads: Vec<Hash>,
    records: u64,
}

impl Packed {
    /// How many entries were executed.
    pub(super) fn entries(&self) -> usize {
        self.changes.len()
    }

    /// About how many bytes it takes encoded.
    pub(super) fn weight(&self) -> usize {
        self.bytes.0.len() + 33 * self.changes.len()
    }

    /// The automerge heads, ascending.
    pub(super) fn heads(&self) -> &[Hash] {
        &self.heads
    }

    /// How many records there are.
    pub(super) fn records(&self) -> usize {
        usize::try_from(self.records).unwrap_or(usize::MAX)
    }
}

struct Copy {
    doc: Composer,
    /// The entries that it holds, its own chain's among them.
    clock: Clock,
    used: u64,
}

impl Replica {
    /// An empty document. Its first change is the same everywhere.
    pub(super) fn new() -> Result<Self, ReplicaError> {
        Ok(Self::on(Composer::new()?))
    }

    fn on(main: Composer) -> Self {
        Self {
            main,
            copies: HashMap::new(),
            uses: 0,
            changes: Vec::new(),
            positions: BTreeMap::new(),
            latest: BTreeMap::new(),
        }
    }

    /// Executes one entry whose past, `clock`, was executed before. What it does is seen after
    /// [`Self::settle`].
    pub(super) fn execute(
        &mut self,
        place: &Place,
        chain: ChainId,
        clock: &Clock,
        edits: &[Edit],
    ) -> Result<(), ReplicaError> {
        let past: u64 = clock.values().sum();
        let author = Author {
            actor: actor(place, chain),
            latest: self.latest.get(&chain).copied(),
        };
        let at_head = past == self.changes.len() as u64 || crate::broken!(PastIgnored);
        let change = if at_head {
            let change = self.main.write(&author, edits)?;
            change.map(automerge::Change::hash)
        } else {
            self.execute_on_branch((chain, clock), &author, edits)?
        };
        self.note(chain, change);
        Ok(())
    }

    fn note(&mut self, chain: ChainId, change: Option<ChangeHash>) {
        let position = self.changes.len();
        self.positions.entry(chain).or_default().push(position);
        if let Some(change) = change {
            let made = self.latest.get(&chain).map_or(0, |(made, _)| *made);
            self.latest.insert(chain, (made + 1, change));
        }
        self.changes.push(change);
    }

    /// Has automerge apply what was executed.
    pub(super) fn settle(&mut self) -> Result<(), ReplicaError> {
        Ok(self.main.settle()?)
    }

    /// Executes on a copy of the document as the author saw it, and takes the change over.
    fn execute_on_branch(
        &mut self,
        (chain, clock): (ChainId, &Clock),
        author: &Author,
        edits: &[Edit],
    ) -> Result<Option<ChangeHash>, ReplicaError> {
        let mut copy = match self.copies.remove(&chain) {
            Some(copy) => copy,
            None => Copy {
                doc: Composer::new()?,
                clock: Clock::new(),
                used: 0,
            },
        };
        let missing = self.changes_between(&copy.clock, clock)?;
        copy.doc.take(missing)?;
        let made = copy.doc.write(author, edits)?.cloned();
        let change = made.as_ref().map(automerge::Change::hash);
        self.main.take(made)?;
        copy.clock = clock.clone();
        *copy.clock.entry(chain).or_default() += 1;
        self.uses += 1;
        copy.used = self.uses;
        self.copies.insert(chain, copy);
        if self.copies.len() > limits::WORKING_COPIES {
            let oldest = self
                .copies
                .iter()
                .min_by_key(|(_, copy)| copy.used)
                .map(|(id, _)| *id);
            oldest.and_then(|id| self.copies.remove(&id));
        }
        Ok(change)
    }

    /// The changes of the entries in `to` and not in `from`, causes first.
    fn changes_between(
        &mut self,
        from: &Clock,
        to: &Clock,
    ) -> Result<Vec<automerge::Change>, ReplicaError> {
        let mut wanted: Vec<usize> = Vec::new();
        for (chain, end) in to {
            let start = from.get(chain).copied().unwrap_or(0);
            let range = usize::try_from(start).unwrap_or(usize::MAX)
                ..usize::try_from(*end).unwrap_or(usize::MAX);
            if let Some(positions) = self.positions.get(chain).and_then(|p| p.get(range)) {
                wanted.extend(positions);
            }
        }
        if !wanted.is_empty() {
            self.settle()?;
        }
        wanted.sort_unstable();
        Ok(wanted
            .into_iter()
            .filter_map(|position| self.changes.get(position).copied().flatten())
            .filter_map(|hash| self.main.change(&hash))
            .collect())
    }

    /// Entries executed.
    pub(super) fn entries(&self) -> usize {
        self.changes.len()
    }

    /// Puts it away. What was kept for authors on a branch is made again when it is needed.
    pub(super) fn pack(&self) -> Packed {
        Packed {
            bytes: Blob(self.save()),
            changes: self.changes.iter().map(|c| c.map(|c| Hash(c.0))).collect(),
            heads: self.heads(),
            records: self.record_count() as u64,
        }
    }

    /// Takes out what [`Self::pack`] put away, of entries executed in this order. Bytes that
    /// come from this node's own store alone: what a peer sends never comes here.
    pub(super) fn unpack(
        packed: &Packed,
        order: impl Iterator<Item = ChainId>,
    ) -> Result<Self, ReplicaError> {
        let mut replica = Self::on(Composer::load(&packed.bytes.0)?);
        if replica.heads() != packed.heads {
            return Err(ReplicaError("a snapshot that is not what it says".into()));
        }
        for (change, chain) in packed.changes.iter().zip(order) {
            replica.note(chain, change.map(|hash| ChangeHash(hash.0)));
        }
        Ok(replica)
    }

    /// The automerge heads, ascending: equal wherever the same entries were executed.
    pub(super) fn heads(&self) -> Vec<Hash> {
        heads_of(self.main.doc())
    }

    /// The document as automerge saves it: for snapshots and measurements.
    pub(super) fn save(&self) -> Vec<u8> {
        self.main.doc().save()
    }

    /// The heads, ascending, of what is saved and then loaded.
    #[cfg(test)]
    pub(super) fn reloaded_heads(&self) -> Vec<Hash> {
        heads_of(&Automerge::load(&self.save()).unwrap())
    }

    /// One record.
    pub(super) fn record(&self, id: RecordId) -> Option<RecordFields> {
        let doc = self.main.doc();
        let held = doc.get(self.main.records(), id.to_string());
        let (_, object) = held.ok().flatten()?;
        Some(fields_of(doc, &object, id))
    }

    /// Every record, ascending by id, each once.
    pub(super) fn records(&self) -> impl Iterator<Item = (RecordId, RecordFields)> + '_ {
        let keys = self.main.doc().keys(self.main.records());
        keys.filter_map(|key| {
            let id: RecordId = key.parse().ok()?;
            Some((id, self.record(id)?))
        })
    }

    /// How many records there are.
    pub(super) fn record_count(&self) -> usize {
        self.main.doc().length(self.main.records())
    }
}

fn heads_of(doc: &Automerge) -> Vec<Hash> {
    let mut heads: Vec<Hash> = doc.get_heads().into_iter().map(|h| Hash(h.0)).collect();
    heads.sort_unstable();
    heads
}

/// The actor of a chain: the same on every replica, and its own in every generation.
fn actor(place: &Place, chain: ChainId) -> ActorId {
    let bytes = codec::encode(&(place.document, place.generation, chain));
    ActorId::from(&crypto::hash(Tag::Actor, &bytes).0[..])
}
