//! The demo's nodes: the daemon itself, as `smp-node init`, `join` and `run` would have it.

use std::path::Path;
use std::time::Duration;

use smp_certs::{JoinBundle, NodeKeys};

use super::program::{Program, Site};
use crate::config::Config;
use crate::daemon::{Daemon, StartError};
use crate::desk::Desk;
use crate::membership;
use crate::setup::NodeDir;
use crate::transport::TransportError;

/// How long a port may take to be free again: a process gives it back when it ends, but
/// here QUIC keeps it until the last goodbye was heard or given up.
const PORT_IS_FREE: Duration = Duration::from_secs(20);

/// Runs nodes inside this process.
#[derive(Clone, Copy, Debug)]
pub struct Local;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn config_of(dir: &Path) -> Result<Config, String> {
    Config::load(&NodeDir::new(dir).config).map_err(text)
}

impl Program for Local {
    type Service = Desk;
    type Node = Daemon;

    fn install(&self, site: &Site, keys: &NodeKeys, bundle: &JoinBundle) -> Result<(), String> {
        let dir = NodeDir::new(&site.dir);
        dir.make(keys, site.endpoint, site.engine, None)
            .map_err(text)?;
        let version = bundle
            .roster
            .clone()
            .verify(&bundle.region, &bundle.authority)
            .map_err(text)?
            .version;
        membership::install(&dir.data, bundle, version).map_err(text)?;
        Ok(())
    }

    async fn start(&self, site: &Site) -> Result<Daemon, String> {
        let deadline = tokio::time::Instant::now() + PORT_IS_FREE;
        let mut tries = tokio::time::interval(Duration::from_millis(100));
        loop {
            tries.tick().await;
            match Daemon::start(config_of(&site.dir)?).await {
                Err(StartError::Transport(TransportError::Bind { .. }))
                    if tokio::time::Instant::now() < deadline => {}
                started => return started.map_err(text),
            }
        }
    }

    fn service(&self, node: &Daemon) -> Desk {
        node.service()
    }

    async fn stop(&self, node: Daemon) {
        node.stop().await;
    }
}
