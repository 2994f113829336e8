//! A node's certificate and keys, read from its directory.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use smp_certs::tls::{Gate, Refusal, TlsIdentity, Verdict, client_config, server_config};
use smp_certs::{JoinBundle, NodeKeys, PeerIdentity};
use smp_node::membership;
use smp_node::setup::NodeDir;
use smp_protocol::crypto::Signing;
use smp_protocol::ids::{BootId, CouncilCode, Hash, NodeId, RegionName};
use smp_protocol::roster::SignedRoster;
use smp_protocol::schema;
use smp_protocol::session::message::{Hello, VERSION};
use smp_protocol::time::UnixSeconds;
use system_tests::harness::Node;

/// The time now.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
}

/// Lets everyone in whom the region's CA certified: the test looks at the other side.
#[derive(Debug)]
pub(crate) struct Open;

impl Gate for Open {
    fn judge(&self, _: &PeerIdentity) -> Verdict {
        Verdict::Listed
    }
    fn now(&self) -> UnixSeconds {
        now()
    }
    fn refused(&self, _: Refusal) {}
}

/// All that a node needs to show itself to others.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) council: CouncilCode,
    pub(crate) node: NodeId,
    pub(crate) region: RegionName,
    pub(crate) tls: TlsIdentity,
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) signing: Signing,
    /// The roster that it joined with.
    pub(crate) roster: SignedRoster,
}

impl Identity {
    /// Of a node that has joined.
    pub(crate) fn of(node: &Node) -> Self {
        let dir = NodeDir::new(&node.dir);
        let keys = NodeKeys::load(&dir.keys).unwrap();
        let bundle = membership::load(&dir.data).unwrap().unwrap();
        Self::from_bundle(&keys, &bundle)
    }

    /// Of keys and the bundle that was made for them.
    pub(crate) fn from_bundle(keys: &NodeKeys, bundle: &JoinBundle) -> Self {
        let tls = bundle.identity(keys).unwrap();
        Self {
            council: tls.peer().council,
            node: keys.node_id(),
            region: bundle.region.clone(),
            ca: bundle.ca(),
            signing: keys.signing().clone(),
            roster: bundle.roster.clone(),
            tls,
        }
    }

    /// TLS towards a node.
    pub(crate) fn client(&self, to: NodeId) -> ClientConfig {
        client_config(&self.tls, &self.ca, Arc::new(Open), to).unwrap()
    }

    /// TLS as that node.
    pub(crate) fn server(&self) -> rustls::ServerConfig {
        server_config(&self.tls, &self.ca, Arc::new(Open)).unwrap()
    }

    /// What it says first, holding a roster of this version and hash.
    pub(crate) fn hello(&self, roster_version: u64, roster_hash: Hash) -> Hello {
        Hello {
            version: VERSION,
            region: self.region.clone(),
            node: self.node,
            boot: BootId(rand_bytes()),
            roster_version,
            roster_hash,
            schema: schema::NEWEST,
        }
    }
}

/// Bytes that no other start has used.
pub(crate) fn rand_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut bytes).unwrap();
    bytes
}
