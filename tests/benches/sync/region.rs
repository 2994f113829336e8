//! The region under measurement: sixty-four councils with real keys, certificates and one
//! signed roster, of which two run as whole nodes.
//!
//! The other councils write their registers here too, in memory, and hand them to the first
//! node over [`super::feed`]; they listen nowhere.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use smp_certs::{EnrolmentRequest, JoinBundle, NodeKeys, Passphrase, WorkFactor};
use smp_node::config::Config;
use smp_node::daemon::Daemon;
use smp_node::engine::clock;
use smp_node::membership;
use smp_node::setup::NodeDir;
use smp_node::store::EngineKind;
use smp_protocol::ids::{BootId, CouncilCode, DocumentKind, DocumentName, NodeId};
use smp_protocol::roster::VerifiedRoster;
use smp_protocol::session::{Authenticated, Identity, Member};
use system_tests::harness::free_ports;

use crate::data::Council;

/// An address that no node here dials: they listen on IPv4.
const NOWHERE: &str = "[::1]:1";

/// The council whose node holds everything.
pub(crate) const HOLDER: usize = 0;
/// The council whose node starts empty.
pub(crate) const EMPTY: usize = 1;

/// See the module's documentation.
pub(crate) struct Region {
    dir: PathBuf,
    keys: Vec<NodeKeys>,
    bundles: Vec<JoinBundle>,
    ports: Vec<u16>,
    roster: VerifiedRoster,
}

impl Region {
    /// Makes authority, keys, certificates and the roster: both nodes read every register.
    pub(crate) fn make(dir: &Path, councils: &[Council]) -> Self {
        let now = clock();
        let mut region = smp_certs::Region::init(
            &dir.join("authority"),
            "south-east".parse().unwrap(),
            "South East Strategic Partnership for Migration",
            &Passphrase::new("a benchmark is no secret"),
            WorkFactor::NONE,
            now,
        )
        .unwrap();
        let name = region.region().name().clone();
        let ports = free_ports(2);
        let (mut keys, mut bundles) = (Vec::new(), Vec::new());
        for (index, council) in councils.iter().enumerate() {
            let key = NodeKeys::generate().unwrap();
            let endpoint = match ports.get(index) {
                Some(port) => format!("127.0.0.1:{port}"),
                None => NOWHERE.to_owned(),
            };
            let request =
                EnrolmentRequest::new(&key, name.clone(), council.code, vec![endpoint]).unwrap();
            bundles.push(region.enrol(&request, &council.name, now).unwrap());
            keys.push(key);
        }
        let readers = [councils[HOLDER].code, councils[EMPTY].code];
        for council in councils {
            let others: Vec<CouncilCode> = readers
                .into_iter()
                .filter(|reader| *reader != council.code)
                .collect();
            let register = DocumentKind::HostRegister.of(council.code);
            region.propose_readers(register, &others, now).unwrap();
        }
        let roster = region.region().roster().clone();
        for bundle in &mut bundles {
            bundle.roster = roster.signed().clone();
        }
        Self {
            dir: dir.to_owned(),
            keys,
            bundles,
            ports,
            roster,
        }
    }

    /// A fresh directory for the node of a council, as `init` and `join` leave it.
    pub(crate) fn node_dir(&self, index: usize, name: &str) -> PathBuf {
        let dir = NodeDir::new(&self.dir.join(name));
        let listen: SocketAddr = ([127, 0, 0, 1], self.ports[index]).into();
        dir.make(&self.keys[index], listen, EngineKind::Redb, None)
            .unwrap();
        membership::install(&dir.data, &self.bundles[index], self.roster.version).unwrap();
        dir.dir
    }

    /// A directory that was made before.
    pub(crate) fn existing(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The state machine of a council's node, without anything around it.
    pub(crate) fn member(&self, index: usize) -> Member {
        let identity = Identity {
            region: self.bundles[index].region.clone(),
            council: self.council(index),
            key: self.keys[index].signing().clone(),
            boot: BootId([1; 8]),
        };
        Member::new(identity, self.roster.clone(), index as u64, clock())
    }

    /// What TLS would have proved of a council's node.
    pub(crate) fn proven(&self, index: usize, dialled: bool) -> Authenticated {
        let node = self.node(index);
        let (member, listed) = self.roster.node(node).unwrap();
        Authenticated {
            node,
            council: member.council,
            tls: listed.tls,
            dialled,
        }
    }

    pub(crate) fn node(&self, index: usize) -> NodeId {
        self.keys[index].node_id()
    }

    fn council(&self, index: usize) -> CouncilCode {
        self.roster.node(self.node(index)).unwrap().0.council
    }

    /// The registers of all councils.
    pub(crate) fn registers(&self) -> Vec<DocumentName> {
        let members = self.roster.members.iter();
        members
            .map(|member| DocumentKind::HostRegister.of(member.council))
            .collect()
    }
}

/// Starts the node of a directory.
pub(crate) async fn start(dir: &Path) -> Daemon {
    let config = Config::load(&NodeDir::new(dir).config).unwrap();
    Daemon::start(config).await.unwrap()
}
