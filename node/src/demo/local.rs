//! The demo's nodes: the daemon itself, as `smp-node init`, `join` and `run` would have it.

use std::path::Path;

use smp_certs::{JoinBundle, NodeKeys};

use super::program::{Program, Site};
use crate::config::Config;
use crate::daemon::Daemon;
use crate::desk::Desk;
use crate::membership;
use crate::setup::NodeDir;

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
        Daemon::start(config_of(&site.dir)?).await.map_err(text)
    }

    fn service(&self, node: &Daemon) -> Desk {
        node.service()
    }

    async fn stop(&self, node: Daemon) {
        node.stop().await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use smp_protocol::time::UnixSeconds;

    use super::super::councils::choose;
    use super::super::region::make;
    use super::*;
    use crate::store::EngineKind;

    /// A peer that does not answer is still being waited for when the node stops, and its
    /// counters are still being read; the node starts again on the same port all the same.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_stopped_node_has_let_go_of_its_port() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = choose("North East", Some(2)).unwrap();
        let made_at = jiff::Timestamp::now().as_second();
        let made_at = UnixSeconds(u64::try_from(made_at).unwrap());
        let sites = make(&Local, dir.path(), &chosen, EngineKind::Redb, made_at).unwrap();
        let silent = UdpSocket::bind(sites[1].endpoint).unwrap();
        let node = Local.start(&sites[0]).await.unwrap();
        let desk = Local.service(&node);
        let dialled = tokio::task::spawn_blocking(move || silent.recv(&mut [0; 2048]));
        dialled.await.unwrap().unwrap();
        Local.stop(node).await;
        let again = Local.start(&sites[0]).await.unwrap();
        Local.stop(again).await;
        drop(desk);
    }
}
