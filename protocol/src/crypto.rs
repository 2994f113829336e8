//! Hashes and signatures, each under a tag that says what was hashed or signed.
//!
//! A tag ends in a zero byte and no tag is a prefix of another, so bytes signed as one
//! thing never verify as another (P-3). Keys for signing are passed in; none is made here.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::ids::{Hash, NodeId, PublicKey, Signature};

/// What a hash or signature is over. The text is part of the bytes and never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    /// A node's name, from its signing key.
    NodeId,
    /// The header of an entry.
    EntryHeader,
    /// A node's signature over an entry's header.
    EntrySignature,
    /// The edits of an entry.
    EntryEdits,
    /// An automerge actor, from document, generation, node and incarnation.
    Actor,
    /// A document's frontier.
    Frontier,
    /// The automerge heads of a document.
    Heads,
    /// All frontiers that two peers may both read.
    Agreement,
    /// A signed roster.
    Roster,
    /// A council's statement of the readers that it accepts.
    Acceptance,
    /// A node's statement of how its document stands.
    Freshness,
    /// A node's statement of what it holds of a key.
    Vouching,
    /// An enrolment request.
    Enrolment,
    /// A region authority, for its fingerprint.
    Authority,
    /// The choice of readers to pass an entry on to.
    PassOn,
    /// The entries of which a node keeps a snapshot.
    Snapshot,
    /// What an officer is told of, for its name.
    Event,
}

impl Tag {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::NodeId => b"smp-sync/1 node id\0",
            Self::EntryHeader => b"smp-sync/1 entry header\0",
            Self::EntrySignature => b"smp-sync/1 entry signature\0",
            Self::EntryEdits => b"smp-sync/1 entry edits\0",
            Self::Actor => b"smp-sync/1 actor\0",
            Self::Frontier => b"smp-sync/1 frontier\0",
            Self::Heads => b"smp-sync/1 heads\0",
            Self::Agreement => b"smp-sync/1 agreement\0",
            Self::Roster => b"smp-sync/1 roster\0",
            Self::Acceptance => b"smp-sync/1 acceptance\0",
            Self::Freshness => b"smp-sync/1 freshness\0",
            Self::Vouching => b"smp-sync/1 vouching\0",
            Self::Enrolment => b"smp-sync/1 enrolment\0",
            Self::Authority => b"smp-sync/1 authority\0",
            Self::PassOn => b"smp-sync/1 pass on\0",
            Self::Snapshot => b"smp-sync/1 snapshot\0",
            Self::Event => b"smp-sync/1 event\0",
        }
    }
}

/// SHA-256 of the tag and the bytes.
pub fn hash(tag: Tag, bytes: &[u8]) -> Hash {
    let digest = Sha256::new()
        .chain_update(tag.bytes())
        .chain_update(bytes)
        .finalize();
    Hash(digest.into())
}

/// The node that a signing key names.
pub fn node_id(key: &PublicKey) -> NodeId {
    let mut id = [0u8; 16];
    for (slot, byte) in id.iter_mut().zip(hash(Tag::NodeId, &key.0).0) {
        *slot = byte;
    }
    NodeId(id)
}

/// An Ed25519 signing key; each copy is erased from memory when dropped.
#[derive(Clone)]
pub struct Signing(SigningKey);

impl Signing {
    /// From 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The node that this key names.
    pub fn node_id(&self) -> NodeId {
        node_id(&self.public())
    }

    /// Signs the tag and the bytes.
    pub fn sign(&self, tag: Tag, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(&tagged(tag, bytes)).to_bytes())
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signing({})", self.public().short())
    }
}

/// Whether `signature` is `key`'s over the tag and the bytes. Strict: keys and signatures
/// of small order, which verify for several messages, are refused.
pub fn verify(key: &PublicKey, tag: Tag, bytes: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else {
        return false;
    };
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&tagged(tag, bytes), &signature).is_ok()
}

fn tagged(tag: Tag, bytes: &[u8]) -> Vec<u8> {
    [tag.bytes(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_tag_and_bytes_alone() {
        let key = Signing::from_seed(&[7; 32]);
        let signature = key.sign(Tag::Roster, b"bytes");
        assert!(verify(&key.public(), Tag::Roster, b"bytes", &signature));
        assert!(!verify(&key.public(), Tag::Freshness, b"bytes", &signature));
        assert!(!verify(&key.public(), Tag::Roster, b"bytez", &signature));
        let other = Signing::from_seed(&[8; 32]);
        assert!(!verify(&other.public(), Tag::Roster, b"bytes", &signature));
        // The identity point verifies anything under a lax check.
        let mut low_order = [0u8; 32];
        low_order[0] = 1;
        assert!(!verify(
            &PublicKey(low_order),
            Tag::Roster,
            b"bytes",
            &signature
        ));
    }
}
