//! Real TLS 1.3 handshakes in memory: who gets in, who does not, and why.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use common::{DAY, GATESHEAD, Home, NEWCASTLE, NOW};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, ServerConfig};
use rustls::{ProtocolVersion, ServerConnection};
use smp_certs::tls::{
    ALPN, Gate, Refusal, SERVER_NAME, TlsError, TlsIdentity, Verdict, client_config, judge,
    server_config,
};
use smp_certs::{BadCertificate, NodeKeys, PeerIdentity};
use smp_protocol::roster::Roster;
use smp_protocol::time::UnixSeconds;

/// Answers from a roster, and writes down what it was asked and told.
#[derive(Debug)]
struct Book {
    roster: Roster,
    now: UnixSeconds,
    barred: bool,
    asked: Mutex<Vec<(PeerIdentity, Verdict)>>,
    refused: Mutex<Vec<Refusal>>,
}

impl Gate for Book {
    fn judge(&self, peer: &PeerIdentity) -> Verdict {
        let verdict = match self.barred {
            true => Verdict::Refused(Refusal::Itself),
            false => judge(&self.roster, peer),
        };
        let mut asked = self.asked.lock().unwrap();
        asked.push((peer.clone(), verdict.clone()));
        verdict
    }
    fn now(&self) -> UnixSeconds {
        self.now
    }
    fn refused(&self, reason: Refusal) {
        self.refused.lock().unwrap().push(reason);
    }
}

/// A node with all that a handshake needs.
struct Node {
    keys: NodeKeys,
    identity: TlsIdentity,
    ca: CertificateDer<'static>,
    gate: Arc<Book>,
}

impl Node {
    fn new(home: &mut Home, council: &str) -> Self {
        Self::with(home, NodeKeys::generate().unwrap(), council, NOW)
    }

    /// A node whose clock says `now`.
    fn with(home: &mut Home, keys: NodeKeys, council: &str, now: UnixSeconds) -> Self {
        let bundle = home.enrol(&keys, council);
        let roster = bundle.verify(&keys, NOW).unwrap();
        Self {
            identity: bundle.identity(&keys).unwrap(),
            ca: bundle.ca(),
            gate: Arc::new(Book {
                roster: Roster::clone(&roster),
                now,
                barred: false,
                asked: Mutex::default(),
                refused: Mutex::default(),
            }),
            keys,
        }
    }

    fn server(&self) -> ServerConfig {
        server_config(&self.identity, &self.ca, self.gate.clone()).unwrap()
    }

    fn client(&self, to: &Self) -> ClientConfig {
        client_config(
            &self.identity,
            &self.ca,
            self.gate.clone(),
            to.keys.node_id(),
        )
        .unwrap()
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.gate.refused.lock().unwrap().clone()
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let asked = self.gate.asked.lock().unwrap();
        asked.iter().map(|(_, verdict)| verdict.clone()).collect()
    }
}

/// Two members of one region; the second knows both.
fn pair() -> (Node, Node) {
    let mut home = Home::new("north-east");
    (
        Node::new(&mut home, NEWCASTLE),
        Node::new(&mut home, GATESHEAD),
    )
}

struct Done {
    client: ClientConnection,
    server: ServerConnection,
    error: Option<rustls::Error>,
}

/// Carries bytes to and fro until neither side has any more to say.
fn shake(client: ClientConfig, server: ServerConfig) -> Done {
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    let mut done = Done {
        client: ClientConnection::new(Arc::new(client), name).unwrap(),
        server: ServerConnection::new(Arc::new(server)).unwrap(),
        error: None,
    };
    loop {
        let mut moved = false;
        let mut bytes = Vec::new();
        while done.client.wants_write() {
            done.client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && done.error.is_none() {
            moved = true;
            done.server.read_tls(&mut rest).unwrap();
            done.error = done.server.process_new_packets().err().or(done.error);
        }
        let mut bytes = Vec::new();
        while done.server.wants_write() {
            done.server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            moved = true;
            done.client.read_tls(&mut rest).unwrap();
            if let Err(error) = done.client.process_new_packets() {
                done.error = done.error.or(Some(error));
                return done;
            }
        }
        if !moved {
            return done;
        }
    }
}

fn is_up(done: &Done) -> bool {
    done.error.is_none() && !done.client.is_handshaking() && !done.server.is_handshaking()
}

/// A certificate that somebody else made, with its key.
fn resolver(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<SingleCertAndKey> {
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = aws_lc_rs::sign::any_ecdsa_type(&private).unwrap();
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(
        vec![certificate],
        key,
    )))
}

fn leaf_params(uri: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params
}

#[test]
fn two_members_talk_over_tls_1_3_and_the_hybrid_exchange() {
    let (a, b) = pair();
    let mut done = shake(b.client(&a), a.server());
    assert!(is_up(&done), "{:?}", done.error);
    assert_eq!(
        done.client.protocol_version(),
        Some(ProtocolVersion::TLSv1_3)
    );
    let group = done.client.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    assert_eq!(done.server.alpn_protocol(), Some(ALPN));
    assert_eq!(done.server.server_name(), None);
    // `a` was enrolled first: its roster does not list `b` yet.
    assert_eq!(a.verdicts(), [Verdict::Stranger]);
    assert_eq!(b.verdicts(), [Verdict::Listed]);
    let asked = b.gate.asked.lock().unwrap().first().unwrap().0.clone();
    assert_eq!(asked.node, a.keys.node_id());
    assert_eq!(asked.tls_key, a.keys.tls_key());
    assert!(a.refusals().is_empty() && b.refusals().is_empty());

    done.client.writer().write_all(b"hello").unwrap();
    let mut bytes = Vec::new();
    done.client.write_tls(&mut bytes).unwrap();
    done.server.read_tls(&mut bytes.as_slice()).unwrap();
    done.server.process_new_packets().unwrap();
    let mut heard = [0u8; 5];
    done.server.reader().read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
}

#[test]
fn the_roster_is_asked_anew_and_a_refusal_ends_the_handshake() {
    let (a, mut b) = pair();
    assert!(is_up(&shake(a.client(&b), b.server())));
    Arc::get_mut(&mut b.gate).unwrap().barred = true;
    let done = shake(a.client(&b), b.server());
    assert!(done.error.is_some());
    assert_eq!(b.verdicts().len(), 2);
    assert_eq!(b.refusals(), [Refusal::Itself]);
    // And as the dialler.
    assert!(shake(b.client(&a), a.server()).error.is_some());
    assert_eq!(b.refusals().len(), 2);
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let (a, b) = pair();
    let mut client = b.client(&a);
    client.client_auth_cert_resolver = Arc::new(NoCertificate);
    let done = shake(client, a.server());
    assert_eq!(done.error, Some(rustls::Error::NoCertificatesPresented));
    assert!(a.verdicts().is_empty());
}

#[derive(Debug)]
struct NoCertificate;

impl rustls::client::ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }
    fn has_certs(&self) -> bool {
        false
    }
}

#[test]
fn another_regions_ca_is_refused_in_both_directions() {
    let (a, _) = pair();
    let (_, foreign) = pair();
    assert!(shake(foreign.client(&a), a.server()).error.is_some());
    assert_eq!(foreign.refusals(), [Refusal::OtherAuthority]);
    // The foreign node does not look, as an attacker would not.
    let mut client = a.client(&a);
    client.client_auth_cert_resolver = foreign.client(&foreign).client_auth_cert_resolver;
    assert!(shake(client, a.server()).error.is_some());
    assert_eq!(a.refusals(), [Refusal::OtherAuthority]);
    let text = Refusal::OtherAuthority.to_string();
    assert!(text.contains("smp-node join"), "{text}");
}

/// A client of `a`'s region that shows `certificate` instead of its own.
fn shown(a: &Node, certificate: CertificateDer<'static>, key: &KeyPair) -> Vec<Refusal> {
    let mut client = a.client(a);
    client.client_auth_cert_resolver = resolver(certificate, key);
    let done = shake(client, a.server());
    assert!(done.error.is_some());
    let refusals = a.refusals();
    a.gate.refused.lock().unwrap().clear();
    refusals
}

#[test]
fn certificates_that_are_not_ours_are_refused_by_name() {
    let (a, _) = pair();
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let uri = format!("smp://north-east/{NEWCASTLE}/{}", a.keys.node_id());
    let own = leaf_params(&uri).self_signed(&key).unwrap();
    assert_eq!(shown(&a, own.der().clone(), &key), [Refusal::SelfSigned]);

    let junk = CertificateDer::from(vec![7u8; 300]);
    let malformed = Refusal::Certificate(BadCertificate::Malformed);
    assert_eq!(shown(&a, junk, &key), [malformed]);
}

#[test]
fn a_certificate_shown_without_its_key_is_refused() {
    let (a, b) = pair();
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut stolen = None;
    // What any server shows to whoever dials it.
    let done = shake(a.client(&b), b.server());
    if let Some([certificate]) = done.client.peer_certificates() {
        stolen = Some(certificate.clone().into_owned());
    }
    assert_eq!(shown(&a, stolen.unwrap(), &key), [Refusal::NotItsKey]);
}

#[test]
fn an_expired_certificate_is_refused_by_the_nodes_own_clock() {
    let mut home = Home::new("north-east");
    let late = Node::with(
        &mut home,
        NodeKeys::generate().unwrap(),
        NEWCASTLE,
        NOW.plus(830 * DAY),
    );
    let early = Node::with(
        &mut home,
        NodeKeys::generate().unwrap(),
        GATESHEAD,
        UnixSeconds(NOW.0 - 2 * DAY),
    );
    assert!(shake(early.client(&late), late.server()).error.is_some());
    assert!(matches!(
        early.refusals()[..],
        [Refusal::NotYetValid { .. }]
    ));
    let on_time = Node::new(&mut home, "E08000024");
    assert!(shake(on_time.client(&late), late.server()).error.is_some());
    let expired = Refusal::Expired {
        at: NOW.plus(822 * DAY),
    };
    assert_eq!(late.refusals(), std::slice::from_ref(&expired));
    assert!(
        expired.to_string().contains("smp member enrol"),
        "{expired}"
    );
}

#[test]
fn the_dialler_notices_that_it_reached_another_node() {
    let mut home = Home::new("north-east");
    let (a, b) = (
        Node::new(&mut home, NEWCASTLE),
        Node::new(&mut home, GATESHEAD),
    );
    let c = Node::new(&mut home, "E08000024");
    assert!(shake(c.client(&a), b.server()).error.is_some());
    let expected = Refusal::OtherNode {
        expected: a.keys.node_id(),
        found: b.keys.node_id(),
    };
    assert_eq!(c.refusals(), [expected]);
}

#[test]
fn nothing_is_left_to_resume() {
    let (a, b) = pair();
    let (client, server) = (b.client(&a), a.server());
    assert_eq!(server.send_tls13_tickets, 0);
    assert_eq!(server.max_early_data_size, 0);
    assert!(!server.session_storage.can_cache());
    assert!(!server.ticketer.enabled());
    // A client that would resume, and a server that is asked twice.
    let mut eager = client.clone();
    eager.resumption = rustls::client::Resumption::in_memory_sessions(8);
    eager.enable_early_data = true;
    for _ in 0..2 {
        let done = shake(eager.clone(), server.clone());
        assert!(is_up(&done), "{:?}", done.error);
        assert_eq!(done.client.tls13_tickets_received(), 0);
        assert_eq!(done.client.handshake_kind(), Some(HandshakeKind::Full));
        assert!(!done.client.is_early_data_accepted());
    }
    assert_eq!(a.verdicts().len(), 2, "the roster is asked each time");
    // And our client takes no ticket from a server that gives some.
    let mut generous = server;
    generous.send_tls13_tickets = 2;
    generous.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
    for _ in 0..2 {
        let done = shake(client.clone(), generous.clone());
        assert_eq!(done.client.handshake_kind(), Some(HandshakeKind::Full));
    }
}

/// The member's client with another key exchange.
fn with_groups(
    groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    b: &Node,
) -> ClientConfig {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = groups;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    config.client_auth_cert_resolver = b.client(b).client_auth_cert_resolver;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config
}

#[test]
fn a_key_exchange_without_the_hybrid_is_refused() {
    let (a, b) = pair();
    let classic = with_groups(
        vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
        &b,
    );
    let done = shake(classic, a.server());
    assert!(
        matches!(done.error, Some(rustls::Error::PeerIncompatible(_))),
        "{:?}",
        done.error
    );
    // With the hybrid among others, the hybrid it is; only then does the client object to
    // a CA that it does not know.
    let both = with_groups(
        vec![
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::X25519MLKEM768,
        ],
        &b,
    );
    let done = shake(both, a.server());
    assert!(
        matches!(done.error, Some(rustls::Error::InvalidCertificate(_))),
        "{:?}",
        done.error
    );
}

#[test]
fn quic_finds_the_cipher_suite_that_it_starts_with() {
    let (a, b) = pair();
    let suite = rustls::CipherSuite::TLS13_AES_128_GCM_SHA256;
    let (server, client) = (a.server(), b.client(&a));
    for provider in [server.crypto_provider(), client.crypto_provider()] {
        assert!(provider.cipher_suites.iter().any(|s| s.suite() == suite));
    }
    rustls::quic::ServerConnection::new(Arc::new(server), rustls::quic::Version::V1, vec![])
        .unwrap();
}

#[test]
fn tls_1_2_is_refused() {
    let (a, _) = pair();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let done = shake(client, a.server());
    assert!(
        matches!(done.error, Some(rustls::Error::PeerIncompatible(_))),
        "{:?}",
        done.error
    );
}

#[test]
fn another_protocol_name_is_refused() {
    let (a, b) = pair();
    let mut client = b.client(&a);
    client.alpn_protocols = vec![b"smp-sync/2".to_vec(), b"h3".to_vec()];
    let done = shake(client, a.server());
    assert_eq!(done.error, Some(rustls::Error::NoApplicationProtocol));
}

#[test]
fn a_certificate_serves_its_own_keys_alone() {
    let mut home = Home::new("north-east");
    let (keys, other) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    let bundle = home.enrol(&keys, NEWCASTLE);
    let error = bundle.identity(&other).unwrap_err();
    assert!(matches!(error, TlsError::OtherKeys { .. }));
    assert!(error.to_string().contains("smp-node join"), "{error}");
    let ca = TlsIdentity::new(bundle.ca(), &keys).unwrap_err();
    assert!(matches!(ca, TlsError::Certificate(BadCertificate::Name)));
}
