//! What is sent by mail to join a region: requests, bundles, rosters as text, certificates.

use std::sync::OnceLock;

use rustls::pki_types::CertificateDer;
use smp_certs::{
    EnrolmentRequest, JoinBundle, NodeKeys, Passphrase, Region, WorkFactor, peer_identity,
    roster_from_text, roster_to_text, vouching_from_text, vouching_to_text,
};
use smp_protocol::codec;
use smp_protocol::crypto::Tag;
use smp_protocol::limits;

use super::common::{START, council, key, region, signed_roster};
use super::{Seeds, bounded};

/// A byte that says what it is: a text (0), the contents of a request (1) or of a bundle (2),
/// or a certificate (3); then that.
pub(super) fn enrolment(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else {
        return;
    };
    let bound = (4 << 20) + 100 * bytes.len();
    bounded(bound, "enrolment", || match what % 4 {
        0 => text(&String::from_utf8_lossy(bytes)),
        1 => {
            if let Ok(request) = codec::decode(bytes, limits::CONTROL_FRAME_BYTES) {
                as_sent(&request);
                signed_again(request);
            }
        }
        2 => {
            if let Ok(bundle) = codec::decode(bytes, limits::CONTROL_FRAME_BYTES) {
                join(&bundle);
            }
        }
        _ => certificate(bytes),
    });
}

/// A text is read as one thing only, and what is read is written so that it is read again.
fn text(text: &str) {
    let request = EnrolmentRequest::from_text(text);
    if let Ok(request) = &request {
        as_sent(request);
    }
    let bundle = JoinBundle::from_text(text);
    if let Ok(bundle) = &bundle {
        assert_eq!(
            JoinBundle::from_text(&bundle.to_text()).ok().as_ref(),
            Some(bundle)
        );
    }
    let roster = roster_from_text(text);
    if let Ok(roster) = &roster {
        assert_eq!(
            roster_from_text(&roster_to_text(roster)).as_ref(),
            Ok(roster)
        );
    }
    let statement = vouching_from_text(text);
    if let Ok(statement) = &statement {
        assert_eq!(
            vouching_from_text(&vouching_to_text(statement)).as_ref(),
            Ok(statement)
        );
    }
    let errors = [
        statement.err().map(|error| error.to_string()),
        request.err().map(|error| error.to_string()),
        bundle.err().map(|error| error.to_string()),
        roster.err().map(|error| error.to_string()),
    ];
    for error in errors.into_iter().flatten() {
        assert!(!error.is_empty() && error.len() < 2000, "{error}");
    }
}

fn as_sent(request: &EnrolmentRequest) {
    // What is longer than a request may be is not read back.
    if codec::encode(request).len() <= 8192 {
        let again = EnrolmentRequest::from_text(&request.to_text());
        assert_eq!(again.ok().as_ref(), Some(request));
    }
    if let Err(error) = request.verify() {
        assert!(!error.to_string().is_empty());
    }
}

/// As somebody sends it who has a signing key, and means harm with the rest.
fn signed_again(mut request: EnrolmentRequest) {
    let key = key(0);
    request.signing = key.public();
    let mut bytes = codec::encode(&request);
    bytes.truncate(bytes.len() - request.signature.as_bytes().len());
    request.signature = key.sign(Tag::Enrolment, &bytes);
    as_sent(&request);
}

fn join(bundle: &JoinBundle) {
    static KEYS: OnceLock<NodeKeys> = OnceLock::new();
    let keys = KEYS.get_or_init(|| NodeKeys::generate().expect("keys"));
    let outcome = bundle.verify(keys, START);
    assert!(outcome.is_err(), "no input holds keys made just now");
    assert!(bundle.identity(keys).is_err());
}

fn certificate(bytes: &[u8]) {
    let certificate = CertificateDer::from(bytes);
    if let Ok(identity) = peer_identity(&certificate) {
        let again = peer_identity(&certificate);
        assert_eq!(again.ok(), Some(identity));
    }
}

pub(super) fn seeds() -> Seeds {
    let dir = tempfile::TempDir::new().expect("a directory");
    let mut authority = Region::init(
        &dir.path().join("region"),
        region(),
        "A region for tests",
        &Passphrase::new("only for trying things out"),
        WorkFactor::NONE,
        START,
    )
    .expect("a region");
    let keys = NodeKeys::generate().expect("keys");
    let endpoints = vec!["node.example.org:7400".to_owned()];
    let request = EnrolmentRequest::new(&keys, region(), council(0), endpoints).expect("a request");
    let bundle = authority.enrol(&request, "Council 0", START);
    let bundle = bundle.expect("a bundle");
    let cases = [
        ("request text", 0, request.to_text().into_bytes()),
        ("bundle text", 0, bundle.to_text().into_bytes()),
        (
            "roster text",
            0,
            roster_to_text(&signed_roster()).into_bytes(),
        ),
        ("request", 1, codec::encode(&request)),
        ("bundle", 2, codec::encode(&bundle)),
        ("node certificate", 3, bundle.certificate.clone()),
        ("ca certificate", 3, bundle.ca.clone()),
    ];
    cases
        .into_iter()
        .map(|(name, what, bytes)| (name.to_owned(), [&[what], bytes.as_slice()].concat()))
        .collect()
}
