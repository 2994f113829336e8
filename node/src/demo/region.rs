//! Makes the region: an authority, a roster, a node for every council.
//!
//! Everything is real (keys, certificates, rosters) except what protects the authority's
//! key: it belongs to nobody and protects nothing, so its passphrase is written here. Never
//! use a demo's region for anything else.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use smp_certs::{EnrolmentRequest, JoinBundle, NodeKeys, Passphrase, Region, Unlocked, WorkFactor};
use smp_protocol::ids::{CouncilCode, DocumentKind};
use smp_protocol::time::UnixSeconds;

use super::councils::{Chosen, Council, nearest};
use super::error::DemoError;
use super::program::{Program, Site};
use crate::store::EngineKind;

/// What "protects" the authority's key of a demo.
pub(super) const PASSPHRASE: &str = "a demo is no secret";

/// The directory of the region's authority, beside those of the councils.
pub(super) const AUTHORITY_DIR: &str = "region-authority";

/// The directory of the files that are imported.
pub(super) const FILES_DIR: &str = "files";

/// Where a demo lives, and whether it stays.
pub(super) enum Home {
    /// Thrown away at the end.
    Temporary(tempfile::TempDir),
    /// Kept.
    Kept(PathBuf),
}

impl Home {
    /// A directory of its own: the one named, which must be new or empty, or a temporary.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, DemoError> {
        let Some(dir) = keep else {
            let made = tempfile::Builder::new().prefix("smp-demo-").tempdir();
            let path = std::env::temp_dir();
            return made
                .map(Self::Temporary)
                .map_err(|source| DemoError::File { path, source });
        };
        let file = |source| DemoError::File {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(file)?;
        if fs::read_dir(dir).map_err(file)?.next().is_some() {
            return Err(DemoError::NotEmpty {
                dir: dir.to_owned(),
            });
        }
        // Sockets and commands are named by it, wherever they are run.
        Ok(Self::Kept(fs::canonicalize(dir).map_err(file)?))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::Kept(dir) => dir,
        }
    }
}

/// Makes the authority, enrols every council, names its nearest as readers of its register
/// and sets up its node. Gives the sites in the order of the councils.
pub(super) fn make<P: Program>(
    program: &P,
    home: &Path,
    chosen: &Chosen,
    engine: EngineKind,
    now: UnixSeconds,
) -> Result<Vec<Site>, DemoError> {
    let passphrase = Passphrase::new(PASSPHRASE);
    let dir = home.join(AUTHORITY_DIR);
    let name = chosen.name.clone();
    let mut region = Region::init(
        &dir,
        name,
        &chosen.title,
        &passphrase,
        WorkFactor::NONE,
        now,
    )?;
    let endpoints = free_endpoints(chosen.councils.len())?;
    let mut joining = Vec::new();
    for (council, endpoint) in chosen.councils.iter().zip(endpoints) {
        let site = Site {
            council: council.code,
            dir: home.join(&council.slug),
            endpoint,
            engine,
        };
        let (keys, bundle) = enrol(&mut region, council, endpoint, now)?;
        joining.push((site, keys, bundle));
    }
    name_readers(&mut region, &chosen.councils, now)?;
    let mut sites = Vec::new();
    for ((site, keys, mut bundle), council) in joining.into_iter().zip(&chosen.councils) {
        // The bundle that `smp member enrol` would write if it were run again now.
        bundle.roster = region.region().roster().signed().clone();
        program
            .install(&site, &keys, &bundle)
            .map_err(|why| DemoError::Start {
                council: council.name.clone(),
                why,
            })?;
        sites.push(site);
    }
    Ok(sites)
}

fn enrol(
    region: &mut Unlocked,
    council: &Council,
    endpoint: SocketAddr,
    now: UnixSeconds,
) -> Result<(NodeKeys, JoinBundle), DemoError> {
    let keys = NodeKeys::generate()?;
    let name = region.region().name().clone();
    let endpoints = vec![endpoint.to_string()];
    let request = EnrolmentRequest::new(&keys, name, council.code, endpoints)?;
    let bundle = region.enrol(&request, &council.name, now)?;
    Ok((keys, bundle))
}

fn name_readers(
    region: &mut Unlocked,
    councils: &[Council],
    now: UnixSeconds,
) -> Result<(), DemoError> {
    for council in councils {
        let near: Vec<CouncilCode> = nearest(council, councils).iter().map(|c| c.code).collect();
        let register = DocumentKind::HostRegister.of(council.code);
        region.propose_readers(register, &near, now)?;
    }
    Ok(())
}

/// Ports for the nodes: below those that the system gives to sockets that name none, so that
/// a port does not go to a stranger while its node is stopped.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// Ports that are free on loopback, all different: they are held until the last is had.
fn free_endpoints(count: usize) -> Result<Vec<SocketAddr>, DemoError> {
    // Where the search begins is left to chance, so that demos side by side do not meet.
    let mut chance = [0; 2];
    getrandom::fill(&mut chance).map_err(|error| DemoError::Port(io::Error::other(error)))?;
    let begin = usize::from(u16::from_be_bytes(chance)) % PORTS.len();
    let ports = PORTS.cycle().skip(begin).take(PORTS.len());
    let held = ports.filter_map(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let held: Vec<UdpSocket> = held.take(count).collect();
    if held.len() < count {
        return Err(DemoError::Port(io::ErrorKind::AddrInUse.into()));
    }
    let addresses: Result<Vec<SocketAddr>, io::Error> =
        held.iter().map(UdpSocket::local_addr).collect();
    addresses.map_err(DemoError::Port)
}
