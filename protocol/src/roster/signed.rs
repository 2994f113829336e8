//! Signing a roster, and deciding whether to believe one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Roster, RosterError, check};
use crate::codec::{self, Blob};
use crate::crypto::{self, Signing, Tag};
use crate::ids::{Hash, PublicKey, RegionName, Signature};
use crate::limits;

/// A roster as it travels and is kept: its exact bytes, and the signature over them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedRoster {
    /// The encoded [`Roster`].
    pub bytes: Blob,
    /// The region authority's signature over those bytes.
    pub signature: Signature,
}

/// A roster that was verified, with the bytes that prove it. Cheap to copy.
#[derive(Clone, Debug)]
pub struct VerifiedRoster {
    roster: Arc<Roster>,
    signed: Arc<SignedRoster>,
    hash: Hash,
}

/// What became of a roster that was offered.
#[derive(Debug, Clone)]
pub enum Installed {
    /// It is newer: it now holds.
    Newer(VerifiedRoster),
    /// It is the one that is held.
    Same,
}

impl SignedRoster {
    /// Signs a roster, after the same check that every node will make.
    ///
    /// # Errors
    /// [`RosterError::NotWellFormed`] where a node would refuse it, or where `authority` is
    /// not the key that the roster names.
    pub fn sign(roster: &Roster, authority: &Signing) -> Result<Self, RosterError> {
        check::check(roster)?;
        if roster.authority != authority.public() {
            return Err(RosterError::BadSignature);
        }
        let bytes = codec::encode(roster);
        if bytes.len() > limits::ROSTER_BYTES {
            return Err(RosterError::NotWellFormed(format!(
                "{} bytes where at most {} are allowed",
                bytes.len(),
                limits::ROSTER_BYTES
            )));
        }
        let signature = authority.sign(Tag::Roster, &bytes);
        Ok(Self {
            bytes: Blob(bytes),
            signature,
        })
    }

    /// Believes these bytes if `authority` signed them for `region` and they hold together.
    /// Whether it has expired is asked where it is used, with the time.
    ///
    /// # Errors
    /// [`RosterError`] saying what is wrong with it.
    pub fn verify(
        self,
        region: &RegionName,
        authority: &PublicKey,
    ) -> Result<VerifiedRoster, RosterError> {
        let bytes = &self.bytes.0;
        if bytes.len() > limits::ROSTER_BYTES {
            return Err(RosterError::Encoding(codec::CodecError::TooLong {
                actual: bytes.len(),
                limit: limits::ROSTER_BYTES,
            }));
        }
        if !crypto::verify(authority, Tag::Roster, bytes, &self.signature) {
            return Err(RosterError::BadSignature);
        }
        let roster: Roster = codec::decode(bytes, limits::ROSTER_BYTES)?;
        if roster.region != *region {
            return Err(RosterError::OtherRegion {
                found: roster.region.to_string(),
            });
        }
        if roster.authority != *authority {
            return Err(RosterError::BadSignature);
        }
        check::check(&roster)?;
        let hash = crypto::hash(Tag::Roster, bytes);
        Ok(VerifiedRoster {
            roster: Arc::new(roster),
            signed: Arc::new(self),
            hash,
        })
    }
}

impl VerifiedRoster {
    /// The roster as it was signed.
    pub fn signed(&self) -> &SignedRoster {
        &self.signed
    }

    /// The hash of its exact bytes.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Judges a roster that a peer or an admin offers against this one, which is held
    /// (P-7): higher versions win, within a bounded jump; versions never go down. Which
    /// version came before does not matter: that is how the next one heals a fork.
    ///
    /// # Errors
    /// [`RosterError`] saying why this one goes on holding.
    pub fn consider(&self, offered: SignedRoster) -> Result<Installed, RosterError> {
        if offered == *self.signed {
            return Ok(Installed::Same);
        }
        let offered = offered.verify(&self.region, &self.authority)?;
        let (found, held) = (offered.version, self.version);
        if found == held {
            return Err(RosterError::Forked { version: held });
        }
        if found < held && !crate::broken!(RosterGoesBack) {
            return Err(RosterError::NotNewer { found, held });
        }
        if found > held.saturating_add(limits::ROSTER_VERSION_JUMP) {
            return Err(RosterError::TooFarAhead { found, held });
        }
        Ok(Installed::Newer(offered))
    }
}

impl std::ops::Deref for VerifiedRoster {
    type Target = Roster;
    fn deref(&self) -> &Roster {
        &self.roster
    }
}
