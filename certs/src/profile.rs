//! The certificate profile: what a node's certificate says, how one is made and read.
//!
//! A node's certificate has one name, `smp://<region>/<council>/<node>`, one P-256 key and
//! both TLS purposes. A certificate that says more or less is none of ours, whoever signed
//! it. Nothing here decides whether a node is a member: the roster does.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use smp_protocol::ids::{CouncilCode, Hash, NodeId, RegionName};
use smp_protocol::time::UnixSeconds;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{NoRandomness, random};

/// How long a node's certificate is valid: 27 months, two rosters and a month's grace. It
/// is renewed with the node's request, made again or the old one.
const LEAF_SECONDS: u64 = 822 * 86_400;

/// How long a region's CA is valid: longer than any contract for it, since replacing it
/// means a new bundle for every node.
const CA_SECONDS: u64 = 20 * 366 * 86_400;

/// How far before its making a certificate is valid from: a node whose clock is behind by
/// less than a day can use it at once.
const BACKDATED_SECONDS: u64 = 86_400;

/// The last second of the year 9999, where the calendar of certificates ends.
const CALENDAR_END: u64 = 253_402_300_799;

/// How a P-256 key begins as SubjectPublicKeyInfo: the algorithm, the curve, and the mark
/// of an uncompressed point. Only the point's 64 bytes follow, so one key has one hash.
const P256_SPKI_START: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// What a node's certificate says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerIdentity {
    /// Its region.
    pub region: RegionName,
    /// Its council.
    pub council: CouncilCode,
    /// Its name.
    pub node: NodeId,
    /// SHA-256 of its TLS key (SubjectPublicKeyInfo, DER).
    pub tls_key: Hash,
}

/// What is wrong with a certificate, beyond who signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// The bytes are no certificate.
    #[error("not an X.509 certificate")]
    Malformed,
    /// It has no name, several, or one of another form.
    #[error("its one name is not smp://<region>/<council>/<node>")]
    Name,
    /// Its key is not ECDSA on P-256.
    #[error("its key is not ECDSA on P-256")]
    Key,
    /// It is not for TLS in both directions, and that alone.
    #[error("it is not for TLS client and server use")]
    Purpose,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No serial number.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The library refused.
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// The one name of a node's certificate.
pub(crate) fn uri(region: &RegionName, council: CouncilCode, node: NodeId) -> String {
    format!("smp://{region}/{council}/{node}")
}

/// Reads that name back; nothing else than exactly it.
fn parse_uri(text: &str) -> Option<(RegionName, CouncilCode, NodeId)> {
    let mut parts = text.strip_prefix("smp://")?.split('/');
    let region = parts.next()?.parse().ok()?;
    let council = parts.next()?.parse().ok()?;
    let node = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((region, council, node))
}

/// The hash that the roster lists for a TLS key; `None` where it is not one of ours.
pub(crate) fn tls_key_hash(spki: &[u8]) -> Option<Hash> {
    let well_formed = spki.starts_with(&P256_SPKI_START) && spki.len() == 91;
    well_formed.then(|| sha256(spki))
}

/// Reads what a certificate says, and holds it against the profile. Says nothing about who
/// signed it, or when.
///
/// # Errors
/// [`BadCertificate`] where it is not of the profile.
pub fn peer_identity(certificate: &CertificateDer<'_>) -> Result<PeerIdentity, BadCertificate> {
    let (rest, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| BadCertificate::Malformed)?;
    if !rest.is_empty() {
        return Err(BadCertificate::Malformed);
    }
    let names = parsed
        .subject_alternative_name()
        .map_err(|_| BadCertificate::Name)?
        .ok_or(BadCertificate::Name)?;
    let [GeneralName::URI(name)] = names.value.general_names.as_slice() else {
        return Err(BadCertificate::Name);
    };
    let (region, council, node) = parse_uri(name).ok_or(BadCertificate::Name)?;
    let tls_key = tls_key_hash(parsed.public_key().raw).ok_or(BadCertificate::Key)?;
    let purpose = parsed
        .extended_key_usage()
        .map_err(|_| BadCertificate::Purpose)?
        .ok_or(BadCertificate::Purpose)?
        .value;
    let others = purpose.any
        || purpose.code_signing
        || purpose.email_protection
        || purpose.time_stamping
        || purpose.ocsp_signing
        || !purpose.other.is_empty();
    if !purpose.client_auth || !purpose.server_auth || others {
        return Err(BadCertificate::Purpose);
    }
    Ok(PeerIdentity {
        region,
        council,
        node,
        tls_key,
    })
}

/// What a request asks to be certified.
pub(crate) fn request_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::URI(name.try_into()?)];
    Ok(params)
}

/// Makes a region's CA certificate.
pub(crate) fn issue_ca(
    region: &RegionName,
    key: &KeyPair,
    now: UnixSeconds,
) -> Result<CertificateDer<'static>, IssueError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("smp-sync region {region}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    valid(&mut params, now, CA_SECONDS)?;
    Ok(params.self_signed(key)?.der().clone())
}

/// Makes a node's certificate.
pub(crate) fn issue_leaf(
    name: &str,
    node: NodeId,
    key: &impl PublicKeyData,
    ca: &Issuer<'_, KeyPair>,
    now: UnixSeconds,
) -> Result<CertificateDer<'static>, IssueError> {
    let mut params = request_params(name)?;
    params.distinguished_name = common_name(&node.to_string());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, now, LEAF_SECONDS)?;
    Ok(params.signed_by(key, ca)?.der().clone())
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

/// Sets a random serial number, and from when to when a certificate is valid.
fn valid(
    params: &mut CertificateParams,
    now: UnixSeconds,
    seconds: u64,
) -> Result<(), NoRandomness> {
    let mut serial = random::<16>()?;
    // RFC 5280 wants a positive number: the top bit clear, the next one set.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(serial.as_slice()));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |second: u64| epoch + Duration::from_secs(second.min(CALENDAR_END));
    params.not_before = at(now.0.saturating_sub(BACKDATED_SECONDS));
    params.not_after = at(now.plus(seconds).0);
    Ok(())
}
