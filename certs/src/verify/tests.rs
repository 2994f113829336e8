//! Certificates that our own CA could be made to sign, and what is made of them.

use super::*;
use crate::profile::{issue_ca, issue_leaf, uri};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PublicKeyData, SanType, date_time_ymd,
};

const NOW: UnixSeconds = UnixSeconds(1_790_000_000);
const NODE: NodeId = NodeId([7; 16]);

#[derive(Debug)]
struct Open;

impl Gate for Open {
    fn judge(&self, _: &PeerIdentity) -> Verdict {
        Verdict::Listed
    }
    fn now(&self) -> UnixSeconds {
        NOW
    }
    fn refused(&self, _: Refusal) {}
}

struct Ca {
    anchor: Anchor,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn ca() -> Ca {
    let key = p256();
    let certificate = issue_ca(&region("north-east"), &key, NOW).unwrap();
    Ca {
        anchor: Anchor::new(&certificate).unwrap(),
        issuer: Issuer::from_ca_cert_der(&certificate, key).unwrap(),
        certificate,
    }
}

fn region(name: &str) -> RegionName {
    name.parse().unwrap()
}

fn name_in(region: &RegionName) -> String {
    uri(region, "E08000021".parse().unwrap(), NODE)
}

fn san(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

impl Ca {
    /// Signs whatever is asked, as an admin's mistake or another tool might.
    fn sign(
        &self,
        key: &impl PublicKeyData,
        names: Vec<SanType>,
        purposes: &[ExtendedKeyUsagePurpose],
    ) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.extended_key_usages = purposes.to_vec();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2028, 1, 1);
        params.signed_by(key, &self.issuer).unwrap().der().clone()
    }
}

const BOTH: [ExtendedKeyUsagePurpose; 2] = [
    ExtendedKeyUsagePurpose::ServerAuth,
    ExtendedKeyUsagePurpose::ClientAuth,
];

#[test]
fn our_own_ca_cannot_sign_what_is_not_of_the_profile() {
    let (ca, key) = (ca(), p256());
    let refused = |certificate: &CertificateDer<'_>| match ca.anchor.identify(certificate, NOW) {
        Err(Refusal::Certificate(bad)) => bad,
        other => panic!("{other:?}"),
    };
    let name = name_in(&region("north-east"));
    let good = ca.sign(&key, vec![san(&name)], &BOTH);
    assert_eq!(ca.anchor.identify(&good, NOW).unwrap().node, NODE);

    let dns = SanType::DnsName("node.example.org".try_into().unwrap());
    for names in [
        vec![],
        vec![dns.clone()],
        vec![san(&name), san(&name)],
        vec![san(&name), dns],
        vec![san(&format!("{name}/"))],
        vec![san(&name.to_uppercase())],
        vec![san(&name.replace("smp:", "https:"))],
        vec![san(&name.replace("E08000021", "E0800002"))],
        vec![san(&name.replace("0707", ""))],
    ] {
        let certificate = ca.sign(&key, names.clone(), &BOTH);
        assert_eq!(refused(&certificate), BadCertificate::Name, "{names:?}");
    }
    let all = [&BOTH[..], &[ExtendedKeyUsagePurpose::CodeSigning]].concat();
    for purposes in [&[][..], &BOTH[..1], &BOTH[1..], &all] {
        let certificate = ca.sign(&key, vec![san(&name)], purposes);
        assert_eq!(refused(&certificate), BadCertificate::Purpose);
    }
    let larger = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let certificate = ca.sign(&larger, vec![san(&name)], &BOTH);
    assert_eq!(refused(&certificate), BadCertificate::Key);
    assert_eq!(refused(&ca.certificate), BadCertificate::Malformed);
}

#[test]
fn a_node_cannot_act_as_a_ca() {
    let (ca, key) = (ca(), p256());
    let name = name_in(&region("north-east"));
    let leaf = issue_leaf(&name, NODE, &key, &ca.issuer, NOW).unwrap();
    let issuer = Issuer::from_ca_cert_der(&leaf, key).unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![san(&name)];
    params.extended_key_usages = BOTH.to_vec();
    params.is_ca = IsCa::NoCa;
    let below = params.signed_by(&p256(), &issuer).unwrap();
    let found = ca.anchor.identify(below.der(), NOW);
    assert_eq!(found, Err(Refusal::OtherAuthority));
}

#[test]
fn the_regions_ca_says_who_is_of_the_region_and_nothing_else_counts() {
    let (ca, key) = (ca(), p256());
    let own = PeerIdentity {
        region: region("north-east"),
        council: "E08000037".parse().unwrap(),
        node: NodeId([1; 16]),
        tls_key: smp_protocol::ids::Hash([1; 32]),
    };
    let verifier = PeerVerifier::new(ca.anchor, &own, Arc::new(Open), None);
    let other = region("yorkshire");
    let foreign = issue_leaf(&name_in(&other), NODE, &key, &ca.issuer, NOW).unwrap();
    let expected = Refusal::OtherRegion {
        found: other,
        ours: own.region.clone(),
    };
    assert!(expected.to_string().contains("yorkshire"), "{expected}");
    assert_eq!(verifier.judge(&foreign), Err(expected));
    let ours = issue_leaf(&name_in(&own.region), NODE, &key, &ca.issuer, NOW).unwrap();
    assert_eq!(verifier.judge(&ours), Ok(()));
}

#[test]
fn a_clock_at_the_end_of_time_makes_no_certificate_panic() {
    for now in [0, u64::MAX] {
        issue_ca(&region("north-east"), &p256(), UnixSeconds(now)).unwrap();
    }
}
