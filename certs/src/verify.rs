//! Whether the peer of a handshake is who it must be: chain, profile, then the roster.
//!
//! Asked at every handshake, in both directions, with the node's own clock. Nothing here
//! keeps an answer: the next handshake asks again, so a removed member is out at once.

use std::sync::Arc;
use std::time::Duration;

use rustls::DigitallySignedStruct;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DistinguishedName, OtherError, PeerIncompatible, SignatureScheme};
use smp_protocol::ids::{NodeId, RegionName};
use smp_protocol::roster::Roster;
use smp_protocol::time::UnixSeconds;
use webpki::aws_lc_rs::ECDSA_P256_SHA256;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::profile::{self, BadCertificate, PeerIdentity};
use crate::tls::TlsError;

/// What the verifier asks at every handshake; the node answers from its current roster.
pub trait Gate: Send + Sync + std::fmt::Debug {
    /// Whether a peer of this region may come in. Called in every handshake, in both
    /// directions, before the peer has proved that the certificate is its own.
    fn judge(&self, peer: &PeerIdentity) -> Verdict;
    /// The node's clock, never behind the newest roster that it has seen.
    fn now(&self) -> UnixSeconds;
    /// A peer was refused; the node counts and logs it.
    fn refused(&self, reason: Refusal);
}

/// What becomes of a peer with a certificate of this region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The roster lists it with this key.
    Listed,
    /// The right CA, not in the roster: it may show a newer roster and do nothing else.
    Stranger,
    /// Not let in.
    Refused(Refusal),
}

/// What a roster says of a peer: a [`Verdict::Stranger`] is one that a newer roster may
/// list.
pub fn judge(roster: &Roster, peer: &PeerIdentity) -> Verdict {
    match roster.node(peer.node) {
        Some((member, node))
            if member.council == peer.council
                && node.tls == peer.tls_key
                && roster.region == peer.region =>
        {
            Verdict::Listed
        }
        _ => Verdict::Stranger,
    }
}

/// Why a peer was refused. The text says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its certificate has expired.
    #[error(
        "the peer's certificate expired at {at}; its operator sends its request to the \
         region's admin, who runs `smp member enrol` on it again"
    )]
    Expired {
        /// When it ended.
        at: UnixSeconds,
    },
    /// Its certificate begins later than this node's clock says.
    #[error(
        "the peer's certificate is valid only from {from}; check the clock of this machine \
         (`timedatectl`), then that of the region's admin"
    )]
    NotYetValid {
        /// When it begins.
        from: UnixSeconds,
    },
    /// Another CA signed it.
    #[error(
        "the peer's certificate was not issued by this region's CA; if it should be a member, \
         its operator runs `smp-node join` with a bundle of this region"
    )]
    OtherAuthority,
    /// It signed itself.
    #[error(
        "the peer's certificate is signed by itself, not by this region's CA; if it should be \
         a member, it has to be enrolled with `smp member enrol`"
    )]
    SelfSigned,
    /// It is not of the profile.
    #[error(
        "the peer's certificate is not one of ours: {0}; have the region's admin issue it with \
         `smp member enrol`"
    )]
    Certificate(BadCertificate),
    /// It names another region.
    #[error(
        "the peer's certificate is for region {found}, and this node is in {ours}; its \
         operator runs `smp-node join` with a bundle of this region"
    )]
    OtherRegion {
        /// The region that it names.
        found: RegionName,
        /// This node's.
        ours: RegionName,
    },
    /// The dialled address belongs to another node.
    #[error(
        "dialled node {expected} and reached {found}; check that node's endpoints with \
         `smp member list` and have it enrolled again with the right ones"
    )]
    OtherNode {
        /// The node dialled.
        expected: NodeId,
        /// The node that answered.
        found: NodeId,
    },
    /// It showed a certificate without having its key.
    #[error("the peer does not have the key of the certificate that it showed; nothing to do")]
    NotItsKey,
    /// It is this node.
    #[error(
        "the peer is this node itself; check this node's endpoints with `smp member list`, \
         another node's may have been given its address"
    )]
    Itself,
}

/// The region's CA, ready to verify with.
#[derive(Debug)]
pub(crate) struct Anchor(TrustAnchor<'static>);

impl Anchor {
    pub(crate) fn new(ca: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let anchor = anchor_from_trusted_cert(ca).map_err(|_| TlsError::Ca)?;
        Ok(Self(anchor.to_owned()))
    }

    /// Whether this CA issued the certificate, for TLS, for now, and of the profile. A CA
    /// of ours issues to nodes directly, so no certificate between the two is looked at.
    pub(crate) fn identify(
        &self,
        certificate: &CertificateDer<'_>,
        now: UnixSeconds,
    ) -> Result<PeerIdentity, Refusal> {
        let parsed = EndEntityCert::try_from(certificate)
            .map_err(|_| Refusal::Certificate(BadCertificate::Malformed))?;
        let verified = parsed.verify_for_usage(
            &[ECDSA_P256_SHA256],
            std::slice::from_ref(&self.0),
            &[],
            UnixTime::since_unix_epoch(Duration::from_secs(now.0)),
            KeyUsage::client_auth(),
            None,
            None,
        );
        let self_signed = parsed.issuer() == parsed.subject();
        verified.map_err(|error| refusal(&error, self_signed))?;
        // The profile asks for both TLS purposes, so one check of the chain is enough. It is
        // read only now: the second parser never sees what this CA has not signed.
        profile::peer_identity(certificate).map_err(Refusal::Certificate)
    }
}

fn refusal(error: &webpki::Error, self_signed: bool) -> Refusal {
    use webpki::Error;
    match error {
        Error::CertExpired { not_after, .. } => Refusal::Expired {
            at: UnixSeconds(not_after.as_secs()),
        },
        Error::CertNotValidYet { not_before, .. } => Refusal::NotYetValid {
            from: UnixSeconds(not_before.as_secs()),
        },
        Error::RequiredEkuNotFoundContext(_) => Refusal::Certificate(BadCertificate::Purpose),
        Error::UnknownIssuer if self_signed => Refusal::SelfSigned,
        Error::UnknownIssuer
        | Error::InvalidSignatureForPublicKey
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
        | Error::UnsupportedSignatureAlgorithmContext(_) => Refusal::OtherAuthority,
        _ => Refusal::Certificate(BadCertificate::Malformed),
    }
}

/// The signatures that a handshake may be proved with: those of our one kind of key.
static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[ECDSA_P256_SHA256],
    mapping: &[(SignatureScheme::ECDSA_NISTP256_SHA256, &[ECDSA_P256_SHA256])],
};

/// Judges a peer, as server or as client.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    anchor: Anchor,
    region: RegionName,
    gate: Arc<dyn Gate>,
    /// Whom a dialler wants to reach.
    expected: Option<NodeId>,
}

impl PeerVerifier {
    pub(crate) fn new(
        anchor: Anchor,
        own: &PeerIdentity,
        gate: Arc<dyn Gate>,
        expected: Option<NodeId>,
    ) -> Self {
        Self {
            anchor,
            region: own.region.clone(),
            gate,
            expected,
        }
    }

    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<(), Refusal> {
        let peer = self.anchor.identify(certificate, self.gate.now())?;
        if peer.region != self.region {
            return Err(Refusal::OtherRegion {
                found: peer.region,
                ours: self.region.clone(),
            });
        }
        if let Some(expected) = self.expected.filter(|node| *node != peer.node) {
            return Err(Refusal::OtherNode {
                expected,
                found: peer.node,
            });
        }
        match self.gate.judge(&peer) {
            Verdict::Listed | Verdict::Stranger => Ok(()),
            Verdict::Refused(reason) => Err(reason),
        }
    }

    /// Tells the node, and ends the handshake.
    fn refuse(&self, reason: Refusal) -> rustls::Error {
        self.gate.refused(reason.clone());
        CertificateError::Other(OtherError(Arc::new(reason))).into()
    }

    fn proof(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &ALGORITHMS)
            .map_err(|_| self.refuse(Refusal::NotItsKey))
    }
}

fn not_tls13() -> rustls::Error {
    PeerIncompatible::Tls13RequiredForQuic.into()
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge(end_entity)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|reason| self.refuse(reason))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(not_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proof(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    /// No hints: a stranger learns nothing of whom this node trusts.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.judge(end_entity)
            .map(|()| ClientCertVerified::assertion())
            .map_err(|reason| self.refuse(reason))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(not_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.proof(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
