//! What a node gets back from the admin: certificate, CA, roster, authority key.
//!
//! Nothing in it is secret. A bundle proves that *some* authority enrolled the node; that
//! it is the region's own, the node's operator learns by comparing the authority's
//! fingerprint with the one that the admin reads out.

use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use smp_protocol::crypto::{self, Tag};
use smp_protocol::ids::{PublicKey, RegionName};
use smp_protocol::roster::{RosterError, SignedRoster, VerifiedRoster};
use smp_protocol::time::UnixSeconds;
use smp_protocol::{codec, limits};

use crate::armour::{self, ArmourError};
use crate::fingerprint::Fingerprint;
use crate::keys::NodeKeys;
use crate::profile;
use crate::tls::{Refusal, TlsError, TlsIdentity};
use crate::verify::Anchor;

/// What a bundle is called inside its file.
const KIND: &str = "SMP-SYNC JOIN BUNDLE";

/// A full roster, two certificates, and the rest.
const BUNDLE_BYTES: usize = limits::ROSTER_BYTES + (16 << 10);

/// Why a bundle is not used. The node stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The text is damaged.
    #[error("the join bundle cannot be read: {0}")]
    Armour(#[from] ArmourError),
    /// The roster in it does not hold.
    #[error(
        "the roster in the join bundle is not to be believed: {0}; ask the region's admin to \
         run `smp member enrol` again"
    )]
    Roster(#[from] RosterError),
    /// The CA in it is not the roster's.
    #[error(
        "the CA in the join bundle is not the one that its roster names; ask the region's \
         admin to run `smp member enrol` again"
    )]
    OtherCa,
    /// The certificate in it does not hold.
    #[error("the certificate in the join bundle is refused: {0}")]
    Certificate(Refusal),
    /// It was made for another node.
    #[error(
        "the join bundle is for node {found}, and this node is {here}: give it to the node \
         that asked, or send this node's request to the region's admin"
    )]
    OtherNode {
        /// The node in the certificate.
        found: String,
        /// This one.
        here: String,
    },
    /// The roster does not list this node with exactly its keys.
    #[error(
        "the roster in the join bundle does not list this node with its keys; ask the \
         region's admin to run `smp member enrol` on this node's request"
    )]
    NotListed,
}

/// A node's way into its region. The order of the fields is in the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JoinBundle {
    /// The region.
    pub region: RegionName,
    /// The region authority's key.
    pub authority: PublicKey,
    /// The node's certificate (DER).
    pub certificate: Vec<u8>,
    /// The region CA's certificate (DER).
    pub ca: Vec<u8>,
    /// The roster, with the node in it.
    pub roster: SignedRoster,
}

/// The digits of a region's authority.
pub fn authority_fingerprint(region: &RegionName, authority: &PublicKey) -> Fingerprint {
    let bytes = codec::encode(&(region, authority));
    Fingerprint::of(crypto::hash(Tag::Authority, &bytes))
}

impl JoinBundle {
    /// Checks that everything in it fits together and is for the node of these keys.
    ///
    /// # Errors
    /// [`BundleError`] saying what does not fit.
    pub fn verify(&self, keys: &NodeKeys, now: UnixSeconds) -> Result<VerifiedRoster, BundleError> {
        let roster = self.roster.clone().verify(&self.region, &self.authority)?;
        if roster.ca != profile::sha256(&self.ca) {
            return Err(BundleError::OtherCa);
        }
        let anchor = Anchor::new(&self.ca()).map_err(|_| BundleError::OtherCa)?;
        // A clock that is behind the roster is no reason to refuse what it came with.
        let now = now.max(roster.issued);
        let found = anchor
            .identify(&CertificateDer::from(self.certificate.as_slice()), now)
            .map_err(BundleError::Certificate)?;
        if found.node != keys.node_id() {
            return Err(BundleError::OtherNode {
                found: found.node.to_string(),
                here: keys.node_id().to_string(),
            });
        }
        let (member, node) = roster.node(found.node).ok_or(BundleError::NotListed)?;
        let same = member.council == found.council
            && self.region == found.region
            && node.signing == keys.signing().public()
            && node.tls == keys.tls_key()
            && node.tls == found.tls_key
            && node.sealing == *keys.sealing();
        if same {
            Ok(roster)
        } else {
            Err(BundleError::NotListed)
        }
    }

    /// The region CA's certificate.
    pub fn ca(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.ca.clone())
    }

    /// The node's certificate with its key, for TLS.
    ///
    /// # Errors
    /// [`TlsError`] where the certificate is not for these keys.
    pub fn identity(&self, keys: &NodeKeys) -> Result<TlsIdentity, TlsError> {
        TlsIdentity::new(CertificateDer::from(self.certificate.clone()), keys)
    }

    /// The digits of the region authority, for the node's operator to compare.
    pub fn fingerprint(&self) -> Fingerprint {
        authority_fingerprint(&self.region, &self.authority)
    }

    fn lines(&self) -> [(&'static str, String); 2] {
        [
            ("Region", self.region.to_string()),
            ("Authority", self.fingerprint().to_string()),
        ]
    }

    /// As text to send.
    pub fn to_text(&self) -> String {
        armour::encode(KIND, &self.lines(), &codec::encode(self))
    }

    /// Reads the text back, unverified: see [`Self::verify`].
    ///
    /// # Errors
    /// [`BundleError::Armour`] saying where it is damaged.
    pub fn from_text(text: &str) -> Result<Self, BundleError> {
        let armoured = armour::decode(KIND, text, BUNDLE_BYTES)?;
        let bundle: Self = codec::decode(&armoured.bytes, BUNDLE_BYTES)
            .map_err(|_| ArmourError::NotContents { expected: KIND })?;
        armoured.says(&bundle.lines())?;
        Ok(bundle)
    }
}
