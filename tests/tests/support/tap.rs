//! A tap on every line between nodes.
//!
//! The roster gives each node the address of its tap. The tap answers there with that node's
//! own certificate, connects onward to the node with the caller's, and passes every stream on
//! byte by byte in both directions, keeping a copy. It can because the test enrolled the
//! nodes and has their keys; to the nodes it is their peer. What it keeps is therefore what
//! one node's transport was handed and the other's gave out, before encryption and after it,
//! without a hook in the node that somebody could leave open.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, ConnectionError, Endpoint, ReadError, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use smp_protocol::ids::{CouncilCode, NodeId};
use tokio::task::JoinSet;

use super::identity::Identity;
use super::peer::{at, connect};

/// What went over one stream in one direction.
#[derive(Clone)]
pub(crate) struct Tape {
    pub(crate) from: CouncilCode,
    pub(crate) to: CouncilCode,
    pub(crate) bytes: Vec<u8>,
}

/// All tapes, in the order in which the streams were opened.
#[derive(Clone, Default)]
pub(crate) struct Tapes(Arc<Mutex<Vec<Tape>>>);

impl Tapes {
    fn begin(&self, from: CouncilCode, to: CouncilCode) -> usize {
        let mut tapes = self.0.lock().unwrap();
        let bytes = Vec::new();
        tapes.push(Tape { from, to, bytes });
        tapes.len() - 1
    }

    fn keep(&self, tape: usize, bytes: &[u8]) {
        self.0.lock().unwrap()[tape].bytes.extend_from_slice(bytes);
    }

    /// A copy of what was kept so far.
    pub(crate) fn all(&self) -> Vec<Tape> {
        self.0.lock().unwrap().clone()
    }
}

/// The nodes of a region, and what goes between them.
pub(crate) struct Taps {
    members: BTreeMap<NodeId, Identity>,
    tapes: Tapes,
}

impl Taps {
    pub(crate) fn new(members: &[Identity]) -> Arc<Self> {
        let members = members.iter().map(|one| (one.node, one.clone()));
        Arc::new(Self {
            members: members.collect(),
            tapes: Tapes::default(),
        })
    }

    pub(crate) fn tapes(&self) -> Tapes {
        self.tapes.clone()
    }

    /// Stands in for a node at `port`; the node itself listens at `behind`.
    pub(crate) fn stand_in(self: &Arc<Self>, node: &Identity, port: u16, behind: u16) {
        let crypto = QuicServerConfig::try_from(node.server()).unwrap();
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        let mut transport = quinn::TransportConfig::default();
        transport.max_idle_timeout(None);
        config.transport_config(Arc::new(transport));
        let endpoint = Endpoint::server(config, at(port)).unwrap();
        let (taps, node) = (Arc::clone(self), node.clone());
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let (taps, node) = (Arc::clone(&taps), node.clone());
                let endpoint = endpoint.clone();
                tokio::spawn(async move {
                    if let Ok(outer) = incoming.await {
                        taps.carry(&endpoint, outer, &node, at(behind)).await;
                    }
                });
            }
        });
    }

    /// Carries one connection for as long as both ends stand.
    async fn carry(&self, endpoint: &Endpoint, outer: Connection, to: &Identity, at: SocketAddr) {
        let chain = outer.peer_identity().unwrap();
        let chain = chain.downcast::<Vec<CertificateDer<'static>>>().unwrap();
        let caller = smp_certs::peer_identity(chain.first().unwrap()).unwrap();
        let caller = &self.members[&caller.node];
        let Ok(inner) = connect(endpoint, caller.client(to.node), at).await else {
            outer.close(0u32.into(), b"the node is not there");
            return;
        };
        let mut tasks = JoinSet::new();
        let (from, to) = (caller.council, to.council);
        tasks.spawn(streams(
            outer.clone(),
            inner.clone(),
            from,
            to,
            self.tapes(),
        ));
        tasks.spawn(streams(
            inner.clone(),
            outer.clone(),
            to,
            from,
            self.tapes(),
        ));
        tokio::select! {
            why = outer.closed() => close_like(&inner, &why),
            why = inner.closed() => close_like(&outer, &why),
        }
    }
}

fn close_like(other: &Connection, why: &ConnectionError) {
    match why {
        ConnectionError::ApplicationClosed(close) => {
            other.close(close.error_code, &close.reason);
        }
        _ => other.close(0u32.into(), b"the other end is gone"),
    }
}

/// Passes on every stream that `near` opens, in the order in which it opens them.
async fn streams(
    near: Connection,
    far: Connection,
    from: CouncilCode,
    to: CouncilCode,
    tapes: Tapes,
) {
    while let Ok((near_send, near_receive)) = near.accept_bi().await {
        let Ok((far_send, far_receive)) = far.open_bi().await else {
            return;
        };
        let (there, back) = (tapes.begin(from, to), tapes.begin(to, from));
        tokio::spawn(pass(near_receive, far_send, tapes.clone(), there));
        tokio::spawn(pass(far_receive, near_send, tapes.clone(), back));
    }
}

/// Passes one direction of a stream on, keeping it first.
async fn pass(mut from: RecvStream, mut to: SendStream, tapes: Tapes, tape: usize) {
    loop {
        tokio::select! {
            chunk = from.read_chunk(1 << 16, true) => match chunk {
                Ok(Some(chunk)) => {
                    tapes.keep(tape, &chunk.bytes);
                    if to.write_all(&chunk.bytes).await.is_err() {
                        let _ = from.stop(0u32.into());
                        return;
                    }
                }
                Ok(None) => {
                    let _ = to.finish();
                    return;
                }
                Err(ReadError::Reset(code)) => {
                    let _ = to.reset(code);
                    return;
                }
                Err(_) => return,
            },
            Ok(Some(code)) = to.stopped() => {
                let _ = from.stop(code);
                return;
            }
        }
    }
}
