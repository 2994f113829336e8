//! Proof that one key signed two histories (P-16).
//!
//! Only the last entry of a unit is signed, so one history is shown by a [`Branch`]: the
//! headers of a run of entries that ends in a signature, without their edits. Two branches
//! of one chain that prove different entries at one sequence are [`Evidence`]. It convinces
//! anyone who has the roster, whoever passes it on, and says nothing about any record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Document;
use super::Reach;
use super::entry::{ChainId, Link, Place, Unit, linked};
use crate::crypto::{self, Tag};
use crate::ids::{Hash, Incarnation, NodeId, PublicKey, Signature};
use crate::limits;
use crate::schema::SchemaVersion;

/// What a header says of one entry that does not follow from the branch around it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct BranchStep {
    /// See [`Header::dependencies`](super::Header::dependencies).
    pub dependencies: Vec<Hash>,
    /// The schema version by which the edits are judged.
    pub schema: SchemaVersion,
    /// Hash of the encoded edits.
    pub edits: Hash,
}

/// A run of one chain's headers that ends in a signature.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Branch {
    /// The sequence of the first entry.
    pub first: u64,
    /// Hash of the entry before the first; zeroes at 0.
    pub previous: Hash,
    /// The entries, at most [`limits::UNIT_ENTRIES`].
    pub steps: Vec<BranchStep>,
    /// The node's signature over the hash of the last entry.
    pub signature: Signature,
}

/// Two branches of one chain, both signed by its node, that part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Region, document and generation of both.
    pub place: Place,
    /// The chain of both.
    pub chain: ChainId,
    /// The branches, the lesser first, so that one pair is one evidence.
    pub branches: [Branch; 2],
}

impl Branch {
    fn of(unit: &Unit) -> Self {
        let step = |step: &super::Step| BranchStep {
            dependencies: step.dependencies.clone(),
            schema: step.schema,
            edits: crypto::hash(Tag::EntryEdits, &step.edits.0),
        };
        Self {
            first: unit.first,
            previous: unit.previous,
            steps: unit.steps.iter().map(step).collect(),
            signature: unit.signature,
        }
    }

    /// The hash of each entry that it proves, by sequence: those in it, and the one before.
    pub fn proves(&self, place: &Place, chain: ChainId) -> BTreeMap<u64, Hash> {
        let links = self.steps.iter().map(|step| Link {
            dependencies: &step.dependencies,
            schema: step.schema,
            edits: step.edits,
        });
        let before = self.first.checked_sub(1).map(|at| (at, self.previous));
        let within = linked(place, chain, self.first, self.previous, links);
        before
            .into_iter()
            .chain((self.first..).zip(within))
            .collect()
    }

    fn is_well_formed(&self) -> bool {
        let count = self.steps.len() as u64;
        let bounded = self
            .steps
            .iter()
            .all(|step| step.dependencies.len() <= limits::ENTRY_DEPENDENCIES);
        bounded
            && (1..=limits::UNIT_ENTRIES).contains(&count)
            && self.first < limits::ENTRIES_PER_CHAIN
    }
}

impl Evidence {
    fn between(place: Place, chain: ChainId, one: Branch, other: Branch) -> Self {
        let branches = if one < other {
            [one, other]
        } else {
            [other, one]
        };
        Self {
            place,
            chain,
            branches,
        }
    }

    /// The node whose key signed both.
    pub fn node(&self) -> NodeId {
        self.chain.node
    }

    /// The first sequence at which both prove an entry, and not the same one.
    pub fn parting(&self) -> Option<u64> {
        let [one, other] = &self.branches;
        let theirs = other.proves(&self.place, self.chain);
        one.proves(&self.place, self.chain)
            .into_iter()
            .find(|(at, hash)| theirs.get(at).is_some_and(|their| their != hash))
            .map(|(at, _)| at)
    }

    /// Whether `key` signed both and they part: nobody but who has the key can make one.
    /// Work: at most 512 hashes and two signature checks.
    pub fn holds(&self, key: &PublicKey) -> bool {
        let [one, other] = &self.branches;
        let signed = |branch: &Branch| {
            let last = branch
                .proves(&self.place, self.chain)
                .into_values()
                .next_back();
            last.is_some_and(|last| {
                crypto::verify(key, Tag::EntrySignature, last.as_bytes(), &branch.signature)
            })
        };
        one < other
            && self.branches.iter().all(Branch::is_well_formed)
            && crypto::node_id(key) == self.chain.node
            && self.parting().is_some()
            && self.branches.iter().all(signed)
    }
}

impl Document {
    /// What is held and a unit that its author signed, as evidence; `None` where the two do
    /// not part.
    pub fn evidence_against(&self, unit: &Unit) -> Option<Evidence> {
        let theirs = Branch::of(unit);
        let chain = self.chains.get(&unit.chain)?;
        let parting = theirs
            .proves(&self.place, unit.chain)
            .into_iter()
            .find(|(at, hash)| chain.get(*at).is_some_and(|mine| mine.hash != *hash))?;
        let (ours, _) = self.unit_from(unit.chain, parting.0)?;
        let ours = Branch::of(&ours);
        Some(Evidence::between(
            self.place.clone(),
            unit.chain,
            ours,
            theirs,
        ))
    }

    /// Closes the key that this evidence is against: from now on the gate takes nothing new
    /// of that node's here. What is held stays. False where it was closed before.
    pub fn close(&mut self, evidence: Evidence) -> bool {
        let free = !self.closed.contains_key(&evidence.node());
        self.closed.entry(evidence.node()).or_insert(evidence);
        free
    }

    /// The evidence against a node's key here, if there is any.
    pub fn closed(&self, node: NodeId) -> Option<&Evidence> {
        self.closed.get(&node)
    }

    /// All evidence held here, at most one for each node.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.closed.values()
    }

    /// What is held of a node's entries, for a statement: of each chain the newest, those
    /// at marks, and as many of the last as there is room for, `room` in all (P-48).
    pub fn points(&self, node: NodeId, room: usize) -> Vec<(Incarnation, Vec<Reach>)> {
        let own = || self.chains.iter().filter(|(id, _)| id.node == node);
        let each = (room / own().count().max(1)).max(1) as u64;
        let points = own().map(|(id, chain)| {
            let len = chain.len();
            let marks = len / limits::UNIT_ENTRIES;
            // The newest always; of the rest half for the last ones, half for marks.
            let recent = limits::UNIT_ENTRIES.min(each.div_ceil(2));
            let last = len.saturating_sub(recent);
            let oldest = marks.saturating_sub(each - recent.min(each));
            let at_marks = (oldest + 1..=marks).map(|mark| mark * limits::UNIT_ENTRIES);
            let at_marks = at_marks.filter(|entries| *entries <= last);
            let reaches = at_marks.chain(last + 1..=len).filter_map(|entries| {
                let last = chain.get(entries.checked_sub(1)?)?.hash;
                Some(Reach { entries, last })
            });
            (id.incarnation, reaches.collect())
        });
        points.collect()
    }
}
