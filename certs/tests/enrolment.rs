//! From request to bundle: each proof, and what each refusal leaves as it was.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use common::{DAY, GATESHEAD, Home, NEWCASTLE, NOW, code, request};
use rcgen::{CertificateParams, KeyPair, SanType};
use smp_certs::{
    BundleError, EnrolError, EnrolmentRequest, JoinBundle, NodeKeys, RegionError, RequestError,
    peer_identity,
};
use smp_protocol::codec;
use smp_protocol::crypto::{Signing, Tag};
use smp_protocol::ids::Signature;
use smp_protocol::roster::{Member, Roster, SealingKey, SignedRoster};

/// Signs a request again with `keys`, as somebody who alters one would.
fn sign_again(request: &mut EnrolmentRequest, keys: &NodeKeys) {
    let mut bytes = codec::encode(request);
    bytes.truncate(bytes.len() - 64);
    request.signature = keys.signing().sign(Tag::Enrolment, &bytes);
}

#[test]
fn a_node_joins_with_what_the_admin_sends_back() {
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    let text = home.request(&keys, NEWCASTLE).to_text();
    let request = EnrolmentRequest::from_text(&text).unwrap();
    let bundle = home.unlocked.enrol(&request, "Newcastle", NOW).unwrap();
    let bundle = JoinBundle::from_text(&bundle.to_text()).unwrap();
    let roster = bundle.verify(&keys, NOW).unwrap();
    assert_eq!(roster.version, 2);
    let (member, node) = roster.node(keys.node_id()).unwrap();
    assert_eq!(member.name, "Newcastle");
    assert!(node.decider);
    assert_eq!(bundle.fingerprint(), home.unlocked.region().fingerprint());
    let identity = bundle.identity(&keys).unwrap();
    assert_eq!(identity.peer().council, code(NEWCASTLE));
    assert_eq!(identity.peer().node, keys.node_id());
}

#[test]
fn a_certificate_says_what_the_profile_says_for_27_months() {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    let (a, b) = (home.enrol(&keys, NEWCASTLE), home.enrol(&keys, NEWCASTLE));
    let certificate = a.certificate.into();
    let identity = peer_identity(&certificate).unwrap();
    assert_eq!(identity.region.as_str(), "north-east");
    assert_eq!(identity.tls_key, keys.tls_key());
    let (_, first) = X509Certificate::from_der(&certificate).unwrap();
    let (_, second) = X509Certificate::from_der(&b.certificate).unwrap();
    assert_ne!(first.raw_serial(), second.raw_serial());
    assert!(!first.is_ca());
    let until = u64::try_from(first.validity().not_after.timestamp()).unwrap();
    assert_eq!(until - NOW.0, 822 * DAY);
    let (_, ca) = X509Certificate::from_der(&a.ca).unwrap();
    let constraints = ca.basic_constraints().unwrap().unwrap().value;
    assert_eq!(
        (constraints.ca, constraints.path_len_constraint),
        (true, Some(0))
    );
    let until = u64::try_from(ca.validity().not_after.timestamp()).unwrap();
    assert!(until - NOW.0 > 10 * 365 * DAY);
}

#[test]
fn each_byte_of_a_request_is_under_its_proofs() {
    let keys = NodeKeys::generate().unwrap();
    let good = request(&keys, "north-east", NEWCASTLE);
    good.verify().unwrap();
    let bytes = codec::encode(&good);
    let mut decoded = 0;
    for index in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[index] ^= 1;
        if let Ok(altered) = codec::decode::<EnrolmentRequest>(&altered, 8192) {
            decoded += 1;
            assert!(
                matches!(altered.verify(), Err(RequestError::SigningProof)),
                "byte {index}"
            );
        }
    }
    assert!(decoded > 1500, "only {decoded} altered requests decoded");
}

#[test]
fn each_key_needs_its_own_proof() {
    let (keys, thief) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let good = request(&keys, "north-east", NEWCASTLE);

    // Somebody else's signing key, without having it.
    let mut stolen = request(&thief, "north-east", NEWCASTLE);
    stolen.signing = good.signing;
    sign_again(&mut stolen, &thief);
    assert!(matches!(stolen.verify(), Err(RequestError::SigningProof)));

    // Somebody else's TLS key: their certificate request asks for their node.
    let mut stolen = request(&thief, "north-east", NEWCASTLE);
    stolen.csr = good.csr.clone();
    sign_again(&mut stolen, &thief);
    assert!(matches!(stolen.verify(), Err(RequestError::Profile { .. })));

    // A certificate request altered after the TLS key signed it.
    let mut altered = good.clone();
    let last = altered.csr.len() - 1;
    altered.csr[last] ^= 1;
    sign_again(&mut altered, &keys);
    assert!(matches!(altered.verify(), Err(RequestError::TlsProof)));

    // A foreign sealing key, put in on the way.
    let mut altered = good.clone();
    altered.sealing = thief.sealing().clone();
    assert!(matches!(altered.verify(), Err(RequestError::SigningProof)));

    // The certificate request of the same node for another council.
    let mut altered = good;
    altered.council = code(GATESHEAD);
    sign_again(&mut altered, &keys);
    assert!(matches!(
        altered.verify(),
        Err(RequestError::Profile { .. })
    ));
}

#[test]
fn a_request_for_another_region_is_refused() {
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    let request = request(&keys, "yorkshire", NEWCASTLE);
    let error = home.unlocked.enrol(&request, "N", NOW).unwrap_err();
    assert!(matches!(error, EnrolError::OtherRegion { .. }));
    assert!(error.to_string().contains("smp-node init"), "{error}");
    assert_eq!(home.unlocked.region().roster().version, 1);
}

#[test]
fn an_unproved_request_changes_nothing() {
    let mut home = Home::new("north-east");
    let mut request = home.request(&NodeKeys::generate().unwrap(), NEWCASTLE);
    request.signature = Signature([7; 64]);
    let error = home.unlocked.enrol(&request, "N", NOW).unwrap_err();
    assert!(matches!(
        error,
        EnrolError::Request(RequestError::SigningProof)
    ));
    assert_eq!(home.unlocked.region().roster().version, 1);
}

#[test]
fn the_same_request_again_lists_the_node_once() {
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    let request = home.request(&keys, NEWCASTLE);
    home.unlocked.enrol(&request, "N", NOW).unwrap();
    home.enrol(&NodeKeys::generate().unwrap(), GATESHEAD);
    let later = NOW.plus(800 * DAY);
    let again = home.unlocked.enrol(&request, "N", later).unwrap();
    assert_eq!(again.verify(&keys, later).unwrap().version, 3);
    // The certificate is a new one: valid where the first has expired.
    again.verify(&keys, NOW.plus(1500 * DAY)).unwrap();
}

#[test]
fn new_endpoints_replace_the_old_ones() {
    let mut home = Home::new("north-east");
    let keys = NodeKeys::generate().unwrap();
    home.enrol(&keys, NEWCASTLE);
    let moved = EnrolmentRequest::new(
        &keys,
        "north-east".parse().unwrap(),
        code(NEWCASTLE),
        vec!["192.0.2.7:4433".to_owned()],
    )
    .unwrap();
    let bundle = home.unlocked.enrol(&moved, "N", NOW).unwrap();
    let roster = bundle.verify(&keys, NOW).unwrap();
    assert_eq!(roster.version, 3);
    let (_, node) = roster.node(keys.node_id()).unwrap();
    assert_eq!(node.endpoints, ["192.0.2.7:4433"]);
    assert!(node.decider);
}

#[test]
fn keys_that_are_listed_are_not_listed_again() {
    let mut home = Home::new("north-east");
    let (keys, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    home.enrol(&keys, NEWCASTLE);

    let elsewhere = home.request(&keys, GATESHEAD);
    let error = home.unlocked.enrol(&elsewhere, "G", NOW).unwrap_err();
    assert!(matches!(error, EnrolError::NodeListed { .. }), "{error}");

    let mut rekeyed = home.request(&keys, NEWCASTLE);
    rekeyed.sealing = other.sealing().clone();
    sign_again(&mut rekeyed, &keys);
    let error = home.unlocked.enrol(&rekeyed, "N", NOW).unwrap_err();
    assert!(matches!(error, EnrolError::NodeListed { .. }), "{error}");

    let mut borrowed = home.request(&other, GATESHEAD);
    borrowed.sealing = keys.sealing().clone();
    sign_again(&mut borrowed, &other);
    let error = home.unlocked.enrol(&borrowed, "G", NOW).unwrap_err();
    assert!(
        matches!(error, EnrolError::KeyListed { key: "sealing", .. }),
        "{error}"
    );
    assert_eq!(home.unlocked.region().roster().version, 2);
}

/// The request of a node with this TLS key; everything else follows from `keys`.
fn request_with(tls: &KeyPair, keys: &NodeKeys, council: &str) -> EnrolmentRequest {
    let mut request = request(keys, "north-east", council);
    let name = format!("smp://north-east/{council}/{}", keys.node_id());
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(name.as_str().try_into().unwrap())];
    request.csr = params.serialize_request(tls).unwrap().der().to_vec();
    sign_again(&mut request, keys);
    request
}

#[test]
fn two_nodes_do_not_share_a_tls_key_and_it_is_on_p256() {
    let mut home = Home::new("north-east");
    let (keys, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let tls = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let first = request_with(&tls, &keys, NEWCASTLE);
    home.unlocked.enrol(&first, "N", NOW).unwrap();
    let second = request_with(&tls, &other, GATESHEAD);
    second.verify().unwrap();
    let error = home.unlocked.enrol(&second, "G", NOW).unwrap_err();
    assert!(
        matches!(error, EnrolError::KeyListed { key: "TLS", .. }),
        "{error}"
    );

    let larger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let third = request_with(&larger, &other, GATESHEAD);
    assert!(matches!(third.verify(), Err(RequestError::Profile { .. })));
}

#[test]
fn a_second_node_decides_once_it_is_told_to_and_a_bad_endpoint_is_named() {
    let mut home = Home::new("north-east");
    let (first, second) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    home.enrol(&first, NEWCASTLE);
    let roster = home.enrol(&second, NEWCASTLE).verify(&second, NOW).unwrap();
    assert_eq!(roster.members.len(), 1);
    assert!(roster.node(first.node_id()).unwrap().1.decider);
    assert!(!roster.node(second.node_id()).unwrap().1.decider);
    let code_of = code(NEWCASTLE);
    let made = home.unlocked.make_decider(code_of, second.node_id(), NOW);
    let made = made.unwrap();
    assert!(!made.node(first.node_id()).unwrap().1.decider);
    assert!(made.node(second.node_id()).unwrap().1.decider);

    let third = NodeKeys::generate().unwrap();
    let region = "north-east".parse().unwrap();
    let bad = EnrolmentRequest::new(&third, region, code(NEWCASTLE), vec!["here".into()]);
    let error = home.unlocked.enrol(&bad.unwrap(), "N", NOW).unwrap_err();
    assert!(matches!(error, EnrolError::Region(RegionError::Roster(_))));
    assert!(error.to_string().contains("host:port"), "{error}");
    assert_eq!(home.unlocked.region().roster().version, 4);
}

#[test]
fn a_bundle_fits_one_node_and_hangs_together() {
    let (mut home, mut foreign) = (Home::new("north-east"), Home::new("north-east"));
    let (keys, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let good = home.enrol(&keys, NEWCASTLE);
    let theirs = foreign.enrol(&keys, NEWCASTLE);
    good.verify(&keys, NOW).unwrap();
    assert_ne!(good.fingerprint(), theirs.fingerprint());

    let refused = |bundle: &JoinBundle| bundle.verify(&keys, NOW).unwrap_err();
    let error = good.verify(&other, NOW).unwrap_err();
    assert!(matches!(error, BundleError::OtherNode { .. }), "{error}");

    let mut bundle = good.clone();
    bundle.roster = theirs.roster.clone();
    assert!(matches!(refused(&bundle), BundleError::Roster(_)));
    let mut bundle = good.clone();
    bundle.roster.bytes.0[20] ^= 1;
    assert!(matches!(refused(&bundle), BundleError::Roster(_)));
    let mut bundle = good.clone();
    bundle.authority = theirs.authority;
    assert!(matches!(refused(&bundle), BundleError::Roster(_)));
    let mut bundle = good.clone();
    bundle.ca = theirs.ca.clone();
    assert!(matches!(refused(&bundle), BundleError::OtherCa));
    let mut bundle = good.clone();
    bundle.certificate = theirs.certificate.clone();
    assert!(matches!(refused(&bundle), BundleError::Certificate(_)));
    let error = good.verify(&keys, NOW.plus(900 * DAY)).unwrap_err();
    assert!(error.to_string().contains("smp member enrol"), "{error}");
}

#[test]
fn a_bundle_whose_roster_does_not_list_the_node_is_refused() {
    let mut home = Home::new("north-east");
    let first_roster = home.unlocked.region().roster().signed().clone();
    let keys = NodeKeys::generate().unwrap();
    let mut bundle = home.enrol(&keys, NEWCASTLE);
    bundle.roster = first_roster;
    assert!(matches!(
        bundle.verify(&keys, NOW),
        Err(BundleError::NotListed)
    ));
}

#[test]
fn a_bundle_lists_exactly_this_nodes_keys() {
    let mut home = Home::new("north-east");
    let (keys, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let good = home.enrol(&keys, NEWCASTLE);
    // An authority of the test's own, so that it can sign what it likes.
    let authority = Signing::from_seed(&[9; 32]);
    let with = |alter: &dyn Fn(&mut Member)| {
        let mut roster = Roster::clone(home.unlocked.region().roster());
        roster.authority = authority.public();
        alter(&mut roster.members[0]);
        let mut bundle = good.clone();
        bundle.authority = authority.public();
        bundle.roster = SignedRoster::sign(&roster, &authority).unwrap();
        bundle.verify(&keys, NOW).map(|_| ())
    };
    with(&|_| {}).unwrap();
    for refused in [
        with(&|member| member.nodes[0].sealing = other.sealing().clone()),
        with(&|member| member.nodes[0].tls = other.tls_key()),
        with(&|member| member.council = code(GATESHEAD)),
    ] {
        assert!(matches!(refused, Err(BundleError::NotListed)));
    }
}

#[test]
fn a_sealing_key_has_one_length() {
    let keys = NodeKeys::generate().unwrap();
    assert_eq!(keys.sealing().as_bytes().len(), SealingKey::BYTES);
}
