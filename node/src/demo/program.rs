//! What the demo asks of the program that runs a node: the seam between the two.
//!
//! The demo makes a region and uses it as councils would; how a node is set up, started and
//! stopped is the node's own affair. Nothing here knows a store, a socket or a connection.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use smp_certs::{JoinBundle, NodeKeys};
use smp_protocol::ids::CouncilCode;

use crate::service::Service;
use crate::store::EngineKind;

/// Where one node of the demo lives.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its council.
    pub council: CouncilCode,
    /// Its own directory: configuration, keys, store and socket.
    pub dir: PathBuf,
    /// Its QUIC endpoint, on loopback; the roster names the same.
    pub endpoint: SocketAddr,
    /// Which engine keeps its store.
    pub engine: EngineKind,
}

/// The program that runs nodes.
pub trait Program: Send + Sync {
    /// What a running node answers to.
    type Service: Service;
    /// A running node.
    type Node: Send;

    /// Leaves in the node's directory what `smp-node init` and `smp-node join` leave there.
    ///
    /// # Errors
    /// What stood in the way, and what to do.
    fn install(&self, site: &Site, keys: &NodeKeys, bundle: &JoinBundle) -> Result<(), String>;

    /// Starts the node of a directory, as `smp-node run` does.
    fn start(&self, site: &Site) -> impl Future<Output = Result<Self::Node, String>> + Send;

    /// What a running node answers to.
    fn service(&self, node: &Self::Node) -> Self::Service;

    /// Stops a node in an orderly way.
    fn stop(&self, node: Self::Node) -> impl Future<Output = ()> + Send;
}
