//! The socket, and datagrams that are nobody's: counted and dropped before QUIC looks at
//! them, which would drop them without a word.
//!
//! A datagram is somebody's if it is of this version of QUIC and begins a connection, or if
//! it carries a connection id that this process made. Nothing is ever answered from here.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use quinn::udp::{RecvMeta, Transmit};
use quinn::{
    AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, Endpoint, EndpointConfig, Runtime,
    ServerConfig, UdpPoller,
};

use super::drivers::Drivers;
use crate::shared::Shared;

/// From so many on they are worth a line in the log. A node that was killed and started
/// again gets some from its own peers, who do not know yet that their connections are gone.
const TOLD_FROM: u64 = 1000;

/// QUIC version 1 (RFC 9000), and 0, by which a peer says that it speaks other versions.
const VERSIONS: [[u8; 4]; 2] = [[0, 0, 0, 1], [0; 4]];

/// Half of an id is random, the other half proves that this process made it.
const HALF: usize = 4;

/// An endpoint on `listen` whose socket counts what is nobody's.
pub(super) fn endpoint(
    server: ServerConfig,
    listen: SocketAddr,
    shared: &Arc<Shared>,
    drivers: &Arc<Drivers>,
) -> io::Result<Endpoint> {
    let runtime = Arc::clone(drivers);
    let ids = Ids::default();
    let mut config = EndpointConfig::default();
    let made_by = ids.clone();
    config.cid_generator(move || Box::new(made_by.clone()));
    let socket = Watched {
        inner: runtime.wrap_udp_socket(UdpSocket::bind(listen)?)?,
        ids,
        shared: Arc::clone(shared),
        dropped: AtomicU64::new(0),
    };
    Endpoint::new_with_abstract_socket(config, Some(server), Arc::new(socket), runtime)
}

/// Makes connection ids that it knows again.
#[derive(Clone, Default)]
struct Ids(RandomState);

impl Ids {
    fn proof(&self, random: [u8; HALF]) -> [u8; HALF] {
        let [a, b, c, d, ..] = self.0.hash_one(random).to_be_bytes();
        [a, b, c, d]
    }

    fn made(&self, id: &[u8]) -> bool {
        match id.split_first_chunk::<HALF>() {
            Some((random, rest)) => rest.starts_with(&self.proof(*random)),
            None => false,
        }
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut random = [0; HALF];
        // Without randomness ids repeat, and QUIC asks again; TLS would have failed before.
        let _ = getrandom::fill(&mut random);
        ConnectionId::new(&[random, self.proof(random)].concat())
    }

    fn cid_len(&self) -> usize {
        2 * HALF
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

struct Watched {
    inner: Arc<dyn AsyncUdpSocket>,
    ids: Ids,
    shared: Arc<Shared>,
    dropped: AtomicU64,
}

impl Watched {
    fn is_somebodys(&self, datagram: &[u8]) -> bool {
        match datagram.split_first() {
            Some((first, rest)) if first & 0x80 != 0 => {
                VERSIONS.iter().any(|version| rest.starts_with(version))
            }
            Some((_, rest)) => self.ids.made(rest),
            None => false,
        }
    }

    /// Datagrams of one sender that came together. They are dropped only if all of them are
    /// nobody's.
    fn watch(&self, bytes: &[u8], meta: &mut RecvMeta) {
        let mut nobodys: u64 = 0;
        for datagram in bytes.chunks(meta.stride.max(1)) {
            if self.is_somebodys(datagram) {
                return;
            }
            nobodys = nobodys.saturating_add(1);
        }
        meta.len = 0;
        self.shared.refused_quietly("datagram", nobodys);
        let before = self.dropped.fetch_add(nobodys, Ordering::Relaxed);
        if before < TOLD_FROM && before.saturating_add(nobodys) >= TOLD_FROM {
            tracing::warn!(
                refused = "datagram",
                peer = %meta.addr.ip(),
                "{TOLD_FROM} datagrams were dropped that belong to no connection; this is the \
                 sender of the last. If the number in `smp status` goes on growing, have the \
                 firewall let only the members' addresses through"
            );
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl AsyncUdpSocket for Watched {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.inner.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = ready!(self.inner.poll_recv(cx, bufs, meta))?;
        for (bytes, meta) in bufs.iter().zip(meta.iter_mut()).take(received) {
            if let Some(bytes) = bytes.get(..meta.len) {
                self.watch(bytes, meta);
            }
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
