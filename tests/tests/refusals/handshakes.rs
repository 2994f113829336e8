//! Who does not get through the TLS handshake, and what a session leaves behind: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, ConnectionError, Endpoint};
use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Resumption,
};
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use smp_certs::tls::SERVER_NAME;
use smp_protocol::ids::Hash;
use smp_protocol::session::message::Control;

use super::support::identity::Identity;
use super::support::peer::{Scripted, at, connect, endpoint, framed, in_time, quic};
use super::support::{C, add_puppet};
use super::*;

#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }
    fn has_certs(&self) -> bool {
        false
    }
}

/// The handshake fails: at once, or, since TLS 1.3 lets the client believe that it is
/// through, as soon as the node has looked at the client's certificate.
async fn is_shut_out(tls: rustls::ClientConfig, port: u16) {
    let endpoint = endpoint();
    let why = match connect(&endpoint, tls, at(port)).await {
        Ok(connection) => in_time("the node closes", connection.closed()).await,
        Err(why) => why,
    };
    assert!(matches!(why, ConnectionError::ConnectionClosed(_)), "{why}");
}

#[test]
fn who_is_not_certified_by_the_region_is_shut_out() {
    let (scene, puppet) = Scene::with(|region| add_puppet(region, C));
    let mut foreign = Region::empty();
    let stranger = add_puppet(&mut foreign, C);
    let (to, port) = (scene.node.node, scene.port);

    scene.offend("handshake", "peer sent no certificates", || {
        let mut tls = puppet.client(to);
        tls.client_auth_cert_resolver = Arc::new(NoCertificate);
        is_shut_out(tls, port)
    });
    // The stranger does not look whom it dialled, as an attacker would not.
    scene.offend("certificate", "not issued by this region's CA", || {
        let mut tls = puppet.client(to);
        tls.client_auth_cert_resolver = stranger.client(to).client_auth_cert_resolver;
        is_shut_out(tls, port)
    });
    scene.offend("handshake", "known protocol", || {
        let mut tls = puppet.client(to);
        tls.alpn_protocols = vec![b"smp-sync/2".to_vec()];
        is_shut_out(tls, port)
    });
    // Nobody else was refused for anything, and nothing was counted twice.
    let expected = [("certificate", 2), ("handshake", 4)].map(|(w, n)| (w.to_owned(), n));
    assert_eq!(counts(&scene.region[A]), expected.into());
}

/// A certificate of the region's own CA for a node that the roster does not list: enrolled
/// in a copy of the region's directory.
fn unlisted(region: &Region) -> Identity {
    let copy = region.dir().join("copy");
    let dir = region.authority();
    for path in support::search::files_under(&dir) {
        let to = copy.join(path.strip_prefix(&dir).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&path, to).unwrap();
    }
    let passphrase = smp_certs::Passphrase::new(system_tests::harness::PASSPHRASE);
    let opened = smp_certs::Region::open(&copy).unwrap();
    let keys = smp_certs::NodeKeys::generate().unwrap();
    let name = opened.name().clone();
    let endpoints = vec!["127.0.0.1:9".to_owned()];
    let code = C.parse().unwrap();
    let request = smp_certs::EnrolmentRequest::new(&keys, name, code, endpoints).unwrap();
    let mut unlocked = opened.unlock(&passphrase).unwrap();
    let now = support::identity::now();
    let bundle = unlocked
        .enrol(&request, "A council that is none", now)
        .unwrap();
    Identity::from_bundle(&keys, &bundle)
}

#[test]
fn who_is_certified_and_not_in_the_roster_may_not_stay() {
    let (scene, stranger) = Scene::with(|region| unlisted(region));
    let (to, port) = (&scene.node, scene.port);
    scene.offend("not_a_member", "does not list it", || async {
        let hello = Control::Hello(stranger.hello(1, Hash([0; 32])));
        let peer = Scripted::open(&stranger, to, port, &framed(&hello.encode())).await;
        assert_eq!(peer.closed().await, 4);
        // It was told nothing but who answered: no summary, and not the roster either.
        for frame in peer.frames() {
            assert!(
                matches!(Control::decode(&frame), Ok(Control::Hello(_))),
                "{frame:?}"
            );
        }
    });
}

/// Keeps tickets as any client does, and counts what it is given and asked for.
#[derive(Debug)]
struct Tickets {
    cache: ClientSessionMemoryCache,
    given: AtomicUsize,
    used: AtomicUsize,
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.cache.set_kx_hint(server, group);
    }
    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.cache.kx_hint(server)
    }
    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.given.fetch_add(1, Ordering::Relaxed);
        self.cache.insert_tls13_ticket(server, ticket);
    }
    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let ticket = self.cache.take_tls13_ticket(server)?;
        self.used.fetch_add(1, Ordering::Relaxed);
        Some(ticket)
    }
}

/// A server that gives tickets for early data, with A's certificate: so a client takes its
/// tickets for A's.
fn generous_server(identity: &Identity) -> Endpoint {
    let mut tls = identity.server();
    tls.send_tls13_tickets = 4;
    tls.max_early_data_size = u32::MAX;
    tls.session_storage = rustls::server::ServerSessionMemoryCache::new(64);
    let config = QuicServerConfig::try_from(tls).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    Endpoint::server(config, at(0)).unwrap()
}

/// Takes connections, and holds them.
async fn hold(server: Endpoint) {
    let mut held = Vec::new();
    while let Some(incoming) = server.accept().await {
        if let Ok(connection) = incoming.await {
            held.push(connection);
        }
    }
}

/// Connects with early data if the client has a ticket for it; says whether it had one, and
/// whether the server took it.
async fn resume(
    endpoint: &Endpoint,
    tls: &rustls::ClientConfig,
    port: u16,
) -> (Connection, bool, bool) {
    let connecting = endpoint
        .connect_with(quic(tls.clone()), at(port), SERVER_NAME)
        .unwrap();
    match connecting.into_0rtt() {
        Ok((connection, accepted)) => {
            let (mut early, answer) = connection.open_bi().await.unwrap();
            // If the handshake was over before, the stream is one like any other, and read.
            if answer.is_0rtt() {
                let _ = early.write_all(&framed(&[99])).await;
            }
            let accepted = in_time("the handshake", accepted).await;
            (connection, true, accepted)
        }
        Err(connecting) => (
            in_time("the handshake", connecting).await.unwrap(),
            false,
            false,
        ),
    }
}

#[test]
fn no_session_is_resumed_and_no_early_data_taken() {
    let (scene, puppet) = Scene::with(|region| add_puppet(region, C));
    let tickets = Arc::new(Tickets {
        cache: ClientSessionMemoryCache::new(16),
        given: AtomicUsize::new(0),
        used: AtomicUsize::new(0),
    });
    let mut tls = puppet.client(scene.node.node);
    let store: Arc<dyn ClientSessionStore> = tickets.clone();
    tls.resumption = Resumption::store(store);
    tls.enable_early_data = true;
    scene.runtime.block_on(async {
        let endpoint = endpoint();
        // A gives no ticket, however often it is asked.
        for _ in 0..2 {
            let (connection, early, _) = resume(&endpoint, &tls, scene.port).await;
            assert!(!early);
            answers(&puppet, &connection).await;
        }
        assert_eq!(tickets.given.load(Ordering::Relaxed), 0);

        // The client does resume, with early data, where it is let.
        let server = generous_server(&scene.node);
        let port = server.local_addr().unwrap().port();
        let holding = tokio::spawn(hold(server));
        let mut held = Vec::new();
        for expected in [(false, false), (true, true), (true, true)] {
            let (connection, early, accepted) = resume(&endpoint, &tls, port).await;
            assert_eq!((early, accepted), expected);
            in_time("tickets", async {
                let before = tickets.used.load(Ordering::Relaxed);
                while tickets.given.load(Ordering::Relaxed) < 4 * (before + 1) {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            held.push(connection);
        }

        // With such a ticket in hand, A makes it shake hands in full and drops what came early.
        let used = tickets.used.load(Ordering::Relaxed);
        let (_connection, early, accepted) = resume(&endpoint, &tls, scene.port).await;
        assert_eq!((early, accepted), (true, false));
        assert_eq!(tickets.used.load(Ordering::Relaxed), used + 1);
        // What becomes of this connection is not asked: the stream that the client opened
        // early is thrown away, and now and then it ends the first that comes after it.
        holding.abort();
    });
    // The kind of message that came early, 99, would have been refused had it been read.
    assert_eq!(counts(&scene.region[A]), BTreeMap::new());
    write_place(&scene.region[B]);
}

/// The connection works: A answers a hello with its own.
async fn answers(me: &Identity, connection: &Connection) {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    let hello = Control::Hello(me.hello(1, Hash([0; 32])));
    send.write_all(&framed(&hello.encode())).await.unwrap();
    let heard = in_time("a hello", support::peer::read_frame(&mut receive))
        .await
        .unwrap();
    assert!(matches!(Control::decode(&heard), Ok(Control::Hello(_))));
}
