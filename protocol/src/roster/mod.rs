//! The roster: the region's signed list of members, keys, endpoints, documents, readers.
//!
//! The region authority signs the exact bytes of one version after another; nodes pass the
//! newest to each other and a higher version always wins (P-5 to P-8). Nothing here
//! believes a roster that was not verified: a [`Roster`] to act on comes out of
//! [`SignedRoster::verify`] alone.

mod check;
mod cut;
mod signed;

pub use check::RosterError;
pub(crate) use check::ascending;
pub use cut::{Cut, CutError, Ground, cut_from};
pub use signed::{Installed, SignedRoster, VerifiedRoster};

use serde::{Deserialize, Serialize};

use crate::codec::Blob;
use crate::ids::{CouncilCode, DocumentName, Hash, NodeId, PublicKey, RegionName};
use crate::limits;
use crate::schema::SchemaVersion;
use crate::time::UnixSeconds;

/// One version of a region's roster. The order of the fields is on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Roster {
    /// The region that it is of.
    pub region: RegionName,
    /// The region's name for people, e.g. `North East Migration Partnership`.
    pub title: String,
    /// Counts up from 1.
    pub version: u64,
    /// Hash of the signed bytes of the version before; zeroes in version 1.
    pub previous: Hash,
    /// When it was signed.
    pub issued: UnixSeconds,
    /// From when sync stops until a newer one arrives.
    pub expires: UnixSeconds,
    /// The region authority's key.
    pub authority: PublicKey,
    /// SHA-256 of the region CA's certificate (DER).
    pub ca: Hash,
    /// The schema version that may be written.
    pub schema: SchemaVersion,
    /// The members, ascending by council code.
    pub members: Vec<Member>,
    /// Readers named beyond the kind's own rule, ascending by document.
    pub readers: Vec<NamedReaders>,
    /// The keys that were ended in a document, ascending by document and node. What was cut
    /// stays cut in every later version.
    pub cuts: Vec<Cut>,
    /// The region's own targets for checks of hosts, ascending by check. What is not here has that of
    /// Lancashire's pathway.
    pub targets: Vec<CheckTarget>,
}

/// By when a check of a host should be done, in this region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckTarget {
    /// The check, as the schema numbers its codes.
    pub check: u8,
    /// Days from the one on which its clock begins; `None` where there is to be no target.
    pub days: Option<u16>,
}

/// A member council.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its GSS code.
    pub council: CouncilCode,
    /// Its name for people.
    pub name: String,
    /// Its nodes, ascending by id.
    pub nodes: Vec<MemberNode>,
}

/// One node of a member, with the public halves of its keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MemberNode {
    /// Its name, which follows from its signing key.
    pub id: NodeId,
    /// The key that signs its entries.
    pub signing: PublicKey,
    /// SHA-256 of its TLS key (SubjectPublicKeyInfo, DER).
    pub tls: Hash,
    /// The key that handovers are sealed to (X-Wing: X25519 with ML-KEM-768).
    pub sealing: SealingKey,
    /// Where it can be dialled, `host:port`, in order of preference.
    pub endpoints: Vec<String>,
    /// Whether it takes its council's exclusive decisions. At most one per council.
    pub decider: bool,
}

/// A public sealing key; opaque here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Blob", into = "Blob")]
pub struct SealingKey(Vec<u8>);

impl SealingKey {
    /// Bytes of an X-Wing encapsulation key.
    pub const BYTES: usize = 1216;

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Vec<u8>> for SealingKey {
    type Error = crate::ids::BadName;
    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        if bytes.len() == Self::BYTES {
            Ok(Self(bytes))
        } else {
            Err(crate::ids::BadName {
                what: "sealing key",
                expected: "the 1216 bytes of an X-Wing key",
            })
        }
    }
}

impl TryFrom<Blob> for SealingKey {
    type Error = crate::ids::BadName;
    fn try_from(blob: Blob) -> Result<Self, Self::Error> {
        Self::try_from(blob.0)
    }
}

impl From<SealingKey> for Blob {
    fn from(key: SealingKey) -> Self {
        Self(key.0)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

/// The councils that the region names as readers of a register. Each is served only once
/// the owning council has accepted it (P-10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedReaders {
    /// The register.
    pub document: DocumentName,
    /// The readers named, ascending; never the owner.
    pub councils: Vec<CouncilCode>,
}

impl Roster {
    /// The member of that code.
    pub fn member(&self, council: CouncilCode) -> Option<&Member> {
        // Members stand in ascending order: `check` sees to it. The right to read is asked here all the time.
        let at = self.members.binary_search_by_key(&council, |m| m.council);
        at.ok().and_then(|at| self.members.get(at))
    }

    /// The node of that name, with its council.
    pub fn node(&self, id: NodeId) -> Option<(&Member, &MemberNode)> {
        self.members
            .iter()
            .find_map(|m| m.nodes.iter().find(|n| n.id == id).map(|n| (m, n)))
    }

    /// The key that signs for `document` as `node`; `None` where that node is not one of
    /// the document's council (P-1), or was cut from it (P-46).
    pub fn signing_key(&self, document: DocumentName, node: NodeId) -> Option<PublicKey> {
        if self.cut(document, node).is_some() {
            return None;
        }
        let member = self.member(document.council)?;
        member
            .nodes
            .iter()
            .find(|n| n.id == node)
            .map(|n| n.signing)
    }

    /// The documents that every member has, three of each. Casework comes as it is written.
    pub fn documents(&self) -> impl Iterator<Item = DocumentName> + '_ {
        self.members.iter().flat_map(|member| {
            crate::ids::DocumentKind::OF_EACH
                .into_iter()
                .map(|kind| kind.of(member.council))
        })
    }

    /// The readers that the region names for one register.
    pub fn named_readers(&self, document: DocumentName) -> &[CouncilCode] {
        self.readers
            .iter()
            .find(|r| r.document == document)
            .map_or(&[], |r| &r.councils)
    }

    /// Whether it has expired at `now`.
    pub fn is_expired(&self, now: UnixSeconds) -> bool {
        now >= self.expires
    }

    /// Whether it is near enough to its expiry to warn about.
    pub fn expires_soon(&self, now: UnixSeconds) -> bool {
        now.plus(limits::ROSTER_WARNING_SECONDS) >= self.expires
    }
}
