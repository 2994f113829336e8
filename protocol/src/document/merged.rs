//! The merged state of a document, for as long as somebody needs it.
//!
//! It follows from the entries. So it may be let go at any time, and is made again when it is
//! looked at: from a snapshot of the first entries, where there is one that fits, and the entries
//! after these. Nothing that a peer is told may depend on whether it is there.

use std::cell::Cell;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::chain::Held;
use super::entry::ChainId;
use super::replica::{Packed, Replica, ReplicaError};
use super::{Document, limits};
use crate::codec;
use crate::crypto::{self, Tag};
use crate::ids::Hash;

/// What is there of the merged state.
#[derive(Default)]
pub(super) struct Merged {
    /// Entries in the order of execution, in which every entry follows its past.
    order: Vec<(ChainId, u64)>,
    /// After all of them.
    live: OnceLock<Replica>,
    /// After the first of them.
    packed: Option<Packed>,
    looked_at: Cell<bool>,
    /// Why it could not be made when somebody looked.
    failure: Cell<Option<ReplicaError>>,
}

/// A document's merged state as a node keeps it beside the log, to be made again from it faster.
/// Good for nothing but the very entries that it was made of, in the order of that log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// A digest of these entries.
    of: Hash,
    packed: Packed,
}

impl Snapshot {
    /// About how many bytes it takes encoded.
    pub fn weight(&self) -> usize {
        self.packed.weight()
    }
}

impl Merged {
    pub(super) fn order(&self) -> &[(ChainId, u64)] {
        &self.order
    }

    pub(super) fn push(&mut self, chain: ChainId, sequence: u64) {
        self.order.push((chain, sequence));
    }

    /// The put-away state, where it is that after all entries.
    pub(super) fn whole(&self) -> Option<&Packed> {
        let packed = self.packed.as_ref();
        packed.filter(|packed| packed.entries() == self.order.len())
    }
}

impl Document {
    /// The merged state, made again if it was let go.
    pub(super) fn live(&self) -> Result<&Replica, ReplicaError> {
        self.merged.looked_at.set(true);
        if let Some(replica) = self.merged.live.get() {
            return Ok(replica);
        }
        match self.make() {
            Ok(replica) => Ok(self.merged.live.get_or_init(|| replica)),
            Err(error) => {
                self.merged.failure.set(Some(error.clone()));
                Err(error)
            }
        }
    }

    /// Why the merged state could not be made, if somebody looked at it in vain since this was
    /// last asked: what they saw was empty and not true.
    pub fn take_failure(&self) -> Option<ReplicaError> {
        self.merged.failure.take()
    }

    /// Takes the merged state out, to be changed and put back.
    pub(super) fn take_live(&mut self) -> Result<Replica, ReplicaError> {
        self.live()?;
        self.merged.packed = None;
        match self.merged.live.take() {
            Some(replica) => Ok(replica),
            None => Replica::new(),
        }
    }

    pub(super) fn put_live(&mut self, replica: Replica) {
        self.merged.live = OnceLock::from(replica);
    }

    fn make(&self) -> Result<Replica, ReplicaError> {
        let order = &self.merged.order;
        let chains = || order.iter().map(|(chain, _)| *chain);
        let unpack = |packed| Replica::unpack(packed, chains()).ok();
        let mut replica = match self.merged.packed.as_ref().and_then(unpack) {
            Some(replica) => replica,
            None => Replica::new()?,
        };
        let after = order.get(replica.entries()..).unwrap_or_default();
        for (chain, sequence) in after {
            let held = self.held(*chain, *sequence)?;
            let edits = held.step.decode_edits()?;
            let mut clock = held.past.clock.clone();
            clock.insert(*chain, *sequence);
            replica.execute(&self.place, *chain, &clock, &edits)?;
        }
        replica.settle()?;
        Ok(replica)
    }

    fn held(&self, chain: ChainId, sequence: u64) -> Result<&Held, ReplicaError> {
        let held = self.chains.get(&chain).and_then(|c| c.get(sequence));
        held.ok_or_else(ReplicaError::gap)
    }

    /// The automerge heads, ascending: equal wherever the same entries are held.
    pub fn heads(&self) -> Vec<Hash> {
        match self.merged.whole() {
            Some(packed) => packed.heads().to_vec(),
            // Not kept: a node holds many documents that nobody has written in yet.
            None if self.merged.order.is_empty() => {
                self.make().map(|empty| empty.heads()).unwrap_or_default()
            }
            None => self.live().map(Replica::heads).unwrap_or_default(),
        }
    }

    /// About how much memory the merged state takes now, in bytes.
    pub fn live_bytes(&self) -> u64 {
        match self.merged.live.get() {
            Some(_) => self.total.saturating_mul(limits::LIVE_FACTOR),
            None => 0,
        }
    }

    /// Whether the merged state was needed since this was last asked.
    pub fn was_looked_at(&self) -> bool {
        self.merged.looked_at.replace(false)
    }

    /// Lets go of the merged state. Work is that of saving it, once after each change.
    pub fn let_go(&mut self) {
        if self.merged.live.get().is_some() && self.merged.whole().is_none() {
            self.merged.packed = self.merged.live.get().map(Replica::pack);
        }
        self.merged.live.take();
    }

    /// A snapshot of the document as it is. Work is that of saving it.
    ///
    /// # Errors
    /// [`ReplicaError`] if the merge engine failed.
    pub fn snapshot(&self) -> Result<Snapshot, ReplicaError> {
        let packed = match self.merged.whole() {
            Some(packed) => packed.clone(),
            None => self.live()?.pack(),
        };
        let of = self.digest_of(packed.entries())?;
        Ok(Snapshot { of, packed })
    }

    /// Keeps a snapshot for when the merged state is needed, if it is of entries that are held
    /// here in this order. Returns of how many.
    pub fn offer_snapshot(&mut self, snapshot: Snapshot) -> Option<usize> {
        let entries = snapshot.packed.entries();
        let of = self.digest_of(entries).ok()?;
        if of != snapshot.of {
            return None;
        }
        if self.merged.live.get().is_none() {
            self.merged.packed = Some(snapshot.packed);
        }
        Some(entries)
    }

    /// What the entries after the first so many count for in [`limits::DOCUMENT_TOTAL_BYTES`].
    pub(crate) fn bytes_after(&self, entries: usize) -> u64 {
        let after = self.merged.order.get(entries..).unwrap_or_default();
        let held = after
            .iter()
            .filter_map(|(chain, n)| self.held(*chain, *n).ok());
        let bytes = held.map(|h| h.step.edits.0.len() as u64 + limits::ENTRY_OVERHEAD_BYTES);
        bytes.sum()
    }

    /// The digest of the first entries in the order of execution.
    fn digest_of(&self, entries: usize) -> Result<Hash, ReplicaError> {
        let first = self
            .merged
            .order
            .get(..entries)
            .ok_or_else(ReplicaError::gap)?;
        let mut hashes = Vec::with_capacity(first.len());
        for (chain, sequence) in first {
            hashes.push(self.held(*chain, *sequence)?.hash);
        }
        let place = &self.place;
        Ok(crypto::hash(
            Tag::Snapshot,
            &codec::encode(&(place, hashes)),
        ))
    }
}
