//! A node's request to be enrolled, with proof of each key.
//!
//! The TLS key signs the certificate request, which carries the node's name; the signing
//! key, from which that name follows, signs everything. So neither can be taken from
//! somebody else's request. The sealing key can only decrypt, not sign: the signing key
//! vouches for it, and whoever put a foreign one in could not read what is sealed to it.
//!
//! Nothing in a request is secret, and nothing in it is proof of *who* made it: that is
//! the fingerprint, compared by telephone.

use rcgen::{CertificateSigningRequestParams, PublicKeyData, SanType};
use rustls::pki_types::CertificateSigningRequestDer;
use serde::{Deserialize, Serialize};
use smp_protocol::codec;
use smp_protocol::crypto::{self, Tag};
use smp_protocol::ids::{CouncilCode, Hash, NodeId, PublicKey, RegionName, Signature};
use smp_protocol::roster::SealingKey;

use crate::armour::{self, ArmourError};
use crate::fingerprint::Fingerprint;
use crate::keys::NodeKeys;
use crate::profile;

/// What a request is called inside its file.
const KIND: &str = "SMP-SYNC ENROLMENT REQUEST";

/// The most bytes of a request; one has about 2 KB, most of it the sealing key.
const REQUEST_BYTES: usize = 8192;

/// Why a request is not believed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The text is damaged.
    #[error("the enrolment request cannot be read: {0}")]
    Armour(#[from] ArmourError),
    /// The TLS key did not sign the certificate request in it.
    #[error(
        "the certificate request in it is not signed by its own TLS key: altered or badly \
         made; have the node's operator run `smp-node init` again"
    )]
    TlsProof,
    /// The certificate request is for another node, region or council, or for more.
    #[error(
        "the certificate request in it does not ask for {expected}, and that alone; have the \
         node's operator run `smp-node init` again"
    )]
    Profile {
        /// The name that it should ask for.
        expected: String,
    },
    /// The signing key did not sign it.
    #[error(
        "it is not signed by the signing key that it names: altered on the way, or somebody \
         else's key; have the node's operator send it again and compare the fingerprint"
    )]
    SigningProof,
    /// The library could not make it.
    #[error("the certificate request could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// A node's request to be enrolled. The order of the fields is in the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EnrolmentRequest {
    /// The region that it wants to join.
    pub region: RegionName,
    /// The council that it is for.
    pub council: CouncilCode,
    /// Where it can be dialled, `host:port`, in order of preference.
    pub endpoints: Vec<String>,
    /// The certificate request (PKCS#10, DER).
    pub csr: Vec<u8>,
    /// The key that will sign its entries.
    pub signing: PublicKey,
    /// The key that handovers will be sealed to.
    pub sealing: SealingKey,
    /// The signing key's signature over all fields above.
    pub signature: Signature,
}

impl EnrolmentRequest {
    /// Asks for the node of these keys to be enrolled.
    ///
    /// # Errors
    /// [`RequestError::Certificate`] where the library cannot make the request.
    pub fn new(
        keys: &NodeKeys,
        region: RegionName,
        council: CouncilCode,
        endpoints: Vec<String>,
    ) -> Result<Self, RequestError> {
        let name = profile::uri(&region, council, keys.node_id());
        let csr = profile::request_params(&name)?.serialize_request(keys.tls())?;
        let mut request = Self {
            region,
            council,
            endpoints,
            csr: csr.der().to_vec(),
            signing: keys.signing().public(),
            sealing: keys.sealing().clone(),
            signature: Signature([0; 64]),
        };
        request.signature = keys.signing().sign(Tag::Enrolment, &request.signed_bytes());
        Ok(request)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        codec::encode(&(
            &self.region,
            self.council,
            &self.endpoints,
            &self.csr,
            self.signing,
            &self.sealing,
        ))
    }

    /// The node that asks.
    pub fn node_id(&self) -> NodeId {
        crypto::node_id(&self.signing)
    }

    /// The name that its certificate is to have.
    pub(crate) fn uri(&self) -> String {
        profile::uri(&self.region, self.council, self.node_id())
    }

    /// Checks the proofs of the keys in it. Whether the region wants the node is for its
    /// admin to say.
    ///
    /// # Errors
    /// [`RequestError`] naming the key whose proof fails.
    pub fn verify(&self) -> Result<(), RequestError> {
        self.verified_tls_key().map(|_| ())
    }

    /// Checks the proofs, and gives the TLS key to be certified with its hash.
    pub(crate) fn verified_tls_key(&self) -> Result<(rcgen::PublicKey, Hash), RequestError> {
        let signed = self.signed_bytes();
        if !crypto::verify(&self.signing, Tag::Enrolment, &signed, &self.signature) {
            return Err(RequestError::SigningProof);
        }
        let csr = CertificateSigningRequestDer::from(self.csr.as_slice());
        let csr =
            CertificateSigningRequestParams::from_der(&csr).map_err(|_| RequestError::TlsProof)?;
        let profile = || RequestError::Profile {
            expected: self.uri(),
        };
        let asked = csr.params.subject_alt_names.as_slice();
        let ours = matches!(asked, [SanType::URI(uri)] if uri.as_str() == self.uri());
        let spki = csr.public_key.subject_public_key_info();
        match profile::tls_key_hash(&spki) {
            Some(hash) if ours => Ok((csr.public_key, hash)),
            _ => Err(profile()),
        }
    }

    /// The digits that the node's operator reads to the admin. They stand for the whole
    /// request: keys, council and endpoints.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(crypto::hash(Tag::Enrolment, &codec::encode(self)))
    }

    fn lines(&self) -> [(&'static str, String); 4] {
        [
            ("Region", self.region.to_string()),
            ("Council", self.council.to_string()),
            ("Node", self.node_id().to_string()),
            ("Fingerprint", self.fingerprint().to_string()),
        ]
    }

    /// As text to send.
    pub fn to_text(&self) -> String {
        armour::encode(KIND, &self.lines(), &codec::encode(self))
    }

    /// Reads the text back. The proofs are not checked here: see [`Self::verify`].
    ///
    /// # Errors
    /// [`RequestError::Armour`] saying where it is damaged.
    pub fn from_text(text: &str) -> Result<Self, RequestError> {
        let armoured = armour::decode(KIND, text, REQUEST_BYTES)?;
        let request: Self = codec::decode(&armoured.bytes, REQUEST_BYTES)
            .map_err(|_| ArmourError::NotContents { expected: KIND })?;
        armoured.says(&request.lines())?;
        Ok(request)
    }
}
