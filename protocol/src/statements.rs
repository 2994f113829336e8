//! What a council's node says about its documents, signed, beside their entries.
//!
//! Two statements travel with a document: which readers its council accepts, and how it
//! stood at a time. Each is signed by one of the council's nodes, so whoever passes it on
//! can neither make nor alter it. A third goes by hand to the SMP admin: what a node holds
//! of a key, for the region to cut it.

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::crypto::{self, Signing, Tag};
use crate::document::{Place, Reach};
use crate::ids::{
    CouncilCode, DocumentKind, DocumentName, Hash, Incarnation, NodeId, RegionName, Signature,
};
use crate::limits;
use crate::roster::{Roster, ascending};
use crate::time::UnixSeconds;

/// The readers that a council accepts for one of its registers (P-10). A higher counter
/// replaces a lower one, so that an acceptance can be taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acceptance {
    /// What is signed.
    pub body: AcceptanceBody,
    /// By the node named in the body.
    pub signature: Signature,
}

/// See [`Acceptance`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcceptanceBody {
    /// The region.
    pub region: RegionName,
    /// The register.
    pub document: DocumentName,
    /// Counts up with each statement.
    pub counter: u64,
    /// All readers accepted, ascending.
    pub readers: Vec<CouncilCode>,
    /// When it was made.
    pub issued: UnixSeconds,
    /// The node of the owning council that signs.
    pub node: NodeId,
}

impl Acceptance {
    /// Signs a statement.
    pub fn sign(body: AcceptanceBody, key: &Signing) -> Self {
        let signature = key.sign(Tag::Acceptance, &codec::encode(&body));
        Self { body, signature }
    }

    /// Whether it is well formed and one of the owning council's nodes signed it.
    pub fn holds(&self, roster: &Roster) -> bool {
        let body = &self.body;
        body.region == roster.region
            && body.document.kind == DocumentKind::HostRegister
            && body.readers.len() <= limits::READERS_PER_DOCUMENT
            && ascending(&body.readers)
            && roster
                .signing_key(body.document, body.node)
                .is_some_and(|key| {
                    crypto::verify(&key, Tag::Acceptance, &codec::encode(body), &self.signature)
                })
    }

    /// Whether this one replaces `other`. Two of one counter are ordered by their bytes, so
    /// that all replicas keep the same one.
    pub fn replaces(&self, other: &Self) -> bool {
        let rank = |a: &Self| (a.body.counter, a.signature);
        rank(self) > rank(other)
    }
}

/// How a document stood at its owner at a time (P-32): lets a reader say how old a
/// council's word is, whoever passed it on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freshness {
    /// What is signed.
    pub body: FreshnessBody,
    /// By the node named in the body.
    pub signature: Signature,
}

/// See [`Freshness`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FreshnessBody {
    /// Region, document and generation.
    pub place: Place,
    /// The node of the owning council that signs.
    pub node: NodeId,
    /// When.
    pub at: UnixSeconds,
    /// Counts the statements, so that two of one second have an order.
    pub counter: u64,
    /// The digest of its frontier.
    pub frontier: Hash,
}

impl Freshness {
    /// Signs a statement.
    pub fn sign(body: FreshnessBody, key: &Signing) -> Self {
        let signature = key.sign(Tag::Freshness, &codec::encode(&body));
        Self { body, signature }
    }

    /// Whether one of the owning council's nodes signed it, not dated ahead of `now`.
    pub fn holds(&self, roster: &Roster, now: UnixSeconds) -> bool {
        let body = &self.body;
        body.place.region == roster.region
            && body.at <= now.plus(limits::CLOCK_SKEW_SECONDS)
            && roster
                .signing_key(body.place.document, body.node)
                .is_some_and(|key| {
                    crypto::verify(&key, Tag::Freshness, &codec::encode(body), &self.signature)
                })
    }

    /// Whether this one is later than `other`.
    pub fn is_later(&self, other: &Self) -> bool {
        let rank = |f: &Self| (f.body.at, f.body.counter, f.body.node);
        rank(self) > rank(other)
    }
}

/// What one node holds of another's entries in a document (P-48). The region's authority
/// compares several of these before it cuts the key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vouching {
    /// What is signed.
    pub body: VouchingBody,
    /// By the node named in the body.
    pub signature: Signature,
}

/// See [`Vouching`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VouchingBody {
    /// Region, document and generation.
    pub place: Place,
    /// The node whose entries these are.
    pub of: NodeId,
    /// The node that holds them, and signs.
    pub by: NodeId,
    /// When.
    pub at: UnixSeconds,
    /// Each chain, ascending, with some of its entries, ascending: the newest, those at
    /// marks, and as many of the last ones as there is room for.
    pub chains: Vec<(Incarnation, Vec<Reach>)>,
}

impl Vouching {
    /// Signs a statement.
    pub fn sign(body: VouchingBody, key: &Signing) -> Self {
        let signature = key.sign(Tag::Vouching, &codec::encode(&body));
        Self { body, signature }
    }

    /// The council whose node signed it, if it is well formed and that node is listed.
    pub fn holds(&self, roster: &Roster) -> Option<CouncilCode> {
        let body = &self.body;
        let (member, node) = roster.node(body.by)?;
        let rising = |points: &Vec<Reach>| {
            !points.is_empty() && ascending(points.iter().map(|point| point.entries))
        };
        let good = body.place.region == roster.region
            && ascending(body.chains.iter().map(|(chain, _)| *chain))
            && body.chains.iter().all(|(_, points)| rising(points))
            && crypto::verify(
                &node.signing,
                Tag::Vouching,
                &codec::encode(body),
                &self.signature,
            );
        good.then_some(member.council)
    }
}
