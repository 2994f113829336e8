//! The transport: QUIC with mutual TLS. The only module that names quinn.
//!
//! It connects, moves frames between streams and the engine's queue, and understands none
//! of them. Whom it talks to is decided in the handshake (`gate`) and again by the member
//! at hello; everything here is bounded, and one slow or hostile peer costs its own
//! connection only.

mod connection;
mod dial;
mod drivers;
mod frame;
mod gate;
mod listen;
mod socket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use smp_certs::tls::TlsError;
use smp_protocol::ids::NodeId;
use smp_protocol::limits;
use smp_protocol::session::PeerId;
use tokio::task::JoinSet;

use crate::engine::EngineHandle;
use crate::shared::Shared;

use drivers::Drivers;
use gate::RosterGate;

/// How long a silent connection lives: three keep-alives.
const IDLE: Duration = Duration::from_secs(150);

/// How often a silent connection is kept alive: a home router forgets UDP after 30 to 120
/// seconds, but council nodes have fixed endpoints, and this is most of the idle traffic.
const KEEP_ALIVE: Duration = Duration::from_secs(50);

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long peers are waited for at the end: the goodbye is sent at once, and nobody has to
/// answer it.
const GOODBYE: Duration = Duration::from_millis(250);

/// Streams that a peer may have open: the control stream, its answers under way, and a few
/// more that are told to come back.
const STREAMS: u32 = limits::ANSWERS_PER_PEER as u32 + 8;

/// What a peer may have sent on one stream without its being read: two frames of entries.
const STREAM_WINDOW: u32 = 2 * limits::BATCH_FRAME_BYTES as u32;

/// The same over all streams of a connection.
const WINDOW: u32 = 4 * limits::BATCH_FRAME_BYTES as u32;

/// The transport could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on UDP {address}: {source}; check `listen` in the configuration and what else uses the port (`ss -ulpn`)"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The TLS configuration cannot be made.
    #[error("cannot set TLS up: {0}")]
    Tls(#[from] TlsError),
    /// QUIC needs a cipher suite that the TLS configuration does not have.
    #[error("cannot set QUIC up over TLS: {0}")]
    Quic(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
}

/// What every task of the transport shares.
struct Context {
    shared: Arc<Shared>,
    engine: EngineHandle,
    endpoint: quinn::Endpoint,
    ca: CertificateDer<'static>,
    /// What an incoming connection gets, its gate apart.
    server: quinn::ServerConfig,
    next_peer: AtomicU64,
    live: Arc<connection::Live>,
    drivers: Arc<Drivers>,
}

impl Context {
    fn next_peer(&self) -> PeerId {
        PeerId(self.next_peer.fetch_add(1, Ordering::Relaxed))
    }

    /// How to answer someone: with a gate that knows whom, so that a refusal says so.
    fn server_for(&self, from: SocketAddr) -> Result<quinn::ServerConfig, TransportError> {
        let mut server = self.server.clone();
        server.crypto = crypto_for(&self.shared, &self.ca, from.ip().to_string())?;
        Ok(server)
    }
}

fn crypto_for(
    shared: &Arc<Shared>,
    ca: &CertificateDer<'_>,
    who: String,
) -> Result<Arc<quinn::crypto::rustls::QuicServerConfig>, TransportError> {
    let gate = Arc::new(RosterGate::new(Arc::clone(shared), who));
    let tls = smp_certs::tls::server_config(shared.tls(), ca, gate)?;
    Ok(Arc::new(tls.try_into()?))
}

/// The running transport.
pub struct Transport {
    context: Arc<Context>,
    tasks: JoinSet<()>,
}

impl Transport {
    /// Listens, and begins to dial every node of the roster.
    ///
    /// # Errors
    /// [`TransportError`] where the address or the certificates cannot be used.
    pub fn start(
        listen: SocketAddr,
        ca: CertificateDer<'static>,
        shared: Arc<Shared>,
        engine: EngineHandle,
    ) -> Result<Self, TransportError> {
        let mut server =
            quinn::ServerConfig::with_crypto(crypto_for(&shared, &ca, listen.ip().to_string())?);
        server.transport_config(transport_config());
        server.max_incoming(listen::HANDSHAKES_WAITING);
        let drivers = Arc::new(Drivers::new());
        let endpoint = socket::endpoint(server.clone(), listen, &shared, &drivers);
        let endpoint = endpoint.map_err(|source| {
            let address = listen;
            TransportError::Bind { address, source }
        })?;
        let context = Arc::new(Context {
            shared,
            engine,
            endpoint,
            ca,
            server,
            next_peer: AtomicU64::new(1),
            live: Arc::default(),
            drivers,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listen::accept(Arc::clone(&context)));
        tasks.spawn(dial::dial_members(Arc::clone(&context)));
        Ok(Self { context, tasks })
    }

    /// Where it listens, with the port that the system chose if none was asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.context.endpoint.local_addr().ok()
    }

    /// Reads the traffic counters. It does not keep the transport's port.
    pub fn meter(&self) -> Meter {
        Meter {
            shared: Arc::clone(&self.context.shared),
            live: Arc::clone(&self.context.live),
        }
    }

    /// Tells every peer goodbye and stops. The port is free once the engine, which holds
    /// the connections, has stopped too.
    pub async fn stop(mut self) {
        self.context.endpoint.close(0u32.into(), b"stopping");
        self.tasks.shutdown().await;
        // Peers should hear of it; a peer that does not answer is not waited for.
        let idle = self.context.endpoint.wait_idle();
        let _ = tokio::time::timeout(GOODBYE, idle).await;
        self.context.live.end(&self.context.shared);
        self.context.drivers.stop().await;
    }
}

/// Reads the traffic counters.
#[derive(Clone)]
pub struct Meter {
    shared: Arc<Shared>,
    live: Arc<connection::Live>,
}

impl Meter {
    /// Bytes to and from a node since the start, UDP payload.
    pub fn traffic(&self, node: NodeId) -> (u64, u64) {
        let (sent, received) = self.live.traffic(node);
        let before = self.shared.reach(node);
        let (old_sent, old_received) = before.map_or((0, 0), |r| (r.sent, r.received));
        (
            sent.saturating_add(old_sent),
            received.saturating_add(old_received),
        )
    }
}

fn transport_config() -> Arc<quinn::TransportConfig> {
    let mut config = quinn::TransportConfig::default();
    config
        .max_concurrent_bidi_streams(STREAMS.into())
        .max_concurrent_uni_streams(0u32.into())
        .datagram_receive_buffer_size(None)
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(WINDOW.into())
        .send_window(WINDOW.into())
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(IDLE.try_into().ok());
    Arc::new(config)
}
