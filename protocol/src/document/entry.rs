//! Entries: the signed steps of a document, and the units in which they travel.
//!
//! An entry is its [`Header`] and its edits. The header is what is hashed and signed; what
//! travels and is stored is a [`Unit`], which says once what all its entries share and
//! leaves out what the receiver works out for itself (P-11, P-12).

use serde::{Deserialize, Serialize};

use crate::codec::{self, Blob, CodecError};
use crate::crypto::{self, Signing, Tag};
use crate::ids::{DocumentName, Hash, Incarnation, NodeId, PublicKey, RegionName, Signature};
use crate::limits;
use crate::schema::{Edit, SchemaVersion};

/// The entries of one node and one incarnation on one document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ChainId {
    /// The node that writes it.
    pub node: NodeId,
    /// The process start in which it was written.
    pub incarnation: Incarnation,
}

/// Where an entry belongs: all that keeps it from being replayed elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The region.
    pub region: RegionName,
    /// The document.
    pub document: DocumentName,
    /// The document's generation.
    pub generation: u64,
}

/// What is hashed and signed of an entry. The order of the fields is part of the hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Region, document and generation.
    pub place: Place,
    /// The chain that it continues.
    pub chain: ChainId,
    /// Its place in the chain, from 0.
    pub sequence: u64,
    /// Hash of the chain's previous header; zeroes at 0.
    pub previous: Hash,
    /// Hashes of the heads of other chains that the author had seen and that no earlier
    /// entry of this chain covers; ascending, none an ancestor of another.
    pub dependencies: Vec<Hash>,
    /// The schema version by which the edits are judged.
    pub schema: SchemaVersion,
    /// Hash of the encoded edits.
    pub edits: Hash,
}

impl Header {
    /// The entry's hash: its name in dependencies, frontiers and refusals.
    pub fn hash(&self) -> Hash {
        crypto::hash(Tag::EntryHeader, &codec::encode(self))
    }
}

/// What travels of one entry: the rest of its header follows from the unit around it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// See [`Header::dependencies`].
    pub dependencies: Vec<Hash>,
    /// See [`Header::schema`].
    pub schema: SchemaVersion,
    /// The encoded edits, kept as they were hashed.
    pub edits: Blob,
}

impl Step {
    /// A step of these edits.
    pub fn new(dependencies: Vec<Hash>, schema: SchemaVersion, edits: &[Edit]) -> Self {
        Self {
            dependencies,
            schema,
            edits: Blob(codec::encode(&edits)),
        }
    }

    /// The edits.
    ///
    /// # Errors
    /// [`CodecError`] where the author signed something that is no list of edits.
    pub fn decode_edits(&self) -> Result<Vec<Edit>, CodecError> {
        codec::decode(&self.edits.0, limits::ENTRY_BYTES)
    }
}

/// Consecutive entries of one chain that end in a signature. Only the first may name
/// dependencies (P-12), so that a unit follows its past as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Region, document and generation of every entry in it.
    pub place: Place,
    /// The chain.
    pub chain: ChainId,
    /// The sequence of the first entry.
    pub first: u64,
    /// Hash of the entry before the first; zeroes at 0.
    pub previous: Hash,
    /// The entries.
    pub steps: Vec<Step>,
    /// The node's signature over the hash of the last entry, which vouches for all before.
    pub signature: Signature,
}

/// What a header says beyond its place in a chain.
pub(super) struct Link<'a> {
    pub(super) dependencies: &'a [Hash],
    pub(super) schema: SchemaVersion,
    pub(super) edits: Hash,
}

/// The hashes of consecutive entries of a chain, in order, from the one after `previous`.
pub(super) fn linked<'a>(
    place: &'a Place,
    chain: ChainId,
    first: u64,
    mut previous: Hash,
    links: impl Iterator<Item = Link<'a>> + 'a,
) -> impl Iterator<Item = Hash> + 'a {
    (0..).zip(links).map(move |(ahead, link)| {
        let header = Header {
            place: place.clone(),
            chain,
            sequence: first.saturating_add(ahead),
            previous,
            dependencies: link.dependencies.to_vec(),
            schema: link.schema,
            edits: link.edits,
        };
        previous = header.hash();
        previous
    })
}

impl Unit {
    /// The sequence after the last entry.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.steps.len() as u64)
    }

    /// The hash of each entry, in order. Work grows with the bytes of the unit.
    pub fn hashes(&self) -> Vec<Hash> {
        let links = self.steps.iter().map(|step| Link {
            dependencies: &step.dependencies,
            schema: step.schema,
            edits: crypto::hash(Tag::EntryEdits, &step.edits.0),
        });
        linked(&self.place, self.chain, self.first, self.previous, links).collect()
    }

    /// The signature that belongs at the end of a unit whose last entry has this hash.
    pub fn sign(last: Hash, key: &Signing) -> Signature {
        key.sign(Tag::EntrySignature, last.as_bytes())
    }

    /// Whether the signature is `key`'s over the entry of this hash.
    pub(super) fn is_signed(&self, last: Hash, key: &PublicKey) -> bool {
        crypto::verify(key, Tag::EntrySignature, last.as_bytes(), &self.signature)
    }

    /// What it counts for in [`limits::DOCUMENT_TOTAL_BYTES`].
    pub(crate) fn total(&self) -> u64 {
        let edits = self.steps.iter().map(|step| step.edits.0.len() as u64);
        let entries = self.steps.len() as u64;
        edits
            .sum::<u64>()
            .saturating_add(entries.saturating_mul(limits::ENTRY_OVERHEAD_BYTES))
    }

    /// About how many bytes it takes encoded; for filling batches and pushes.
    pub fn weight(&self) -> usize {
        let steps: usize = self
            .steps
            .iter()
            .map(|step| step.edits.0.len() + 32 * step.dependencies.len() + 8)
            .sum();
        steps + 192
    }
}
