//! `smp-node run`: the daemon, from start to orderly stop.
//!
//! The order matters. Starting: what a person must mend first, then the socket (so that a
//! second daemon is refused before it touches the store), then the node. Stopping: no new
//! requests, those under way finished, then the node.

use anyhow::{Context, anyhow};
use smp_certs::{BundleError, KeyError, NodeKeys};
use smp_node::config::Config;
use smp_node::daemon::{Daemon, StartError};
use smp_node::http::{self, ApiSocket};
use smp_node::service::Service;
use smp_node::transport::TransportError;
use smp_node::{logging, membership};
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigArgs, Exit, Failed};

pub(super) fn run(args: ConfigArgs) -> Result<(), Failed> {
    let config = super::load(&args)?;
    logging::start(config.log.format, config.log.level)
        .map_err(|error| Exit::Refused.with(error))?;
    refuse_unready(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(config))
}

/// Says what is missing, or does not belong together, before anything is opened.
pub(super) fn refuse_unready(config: &Config) -> Result<(), Failed> {
    let joined = membership::load(&config.data_dir);
    let keys = NodeKeys::load(&config.keys_dir).map_err(|error| match (error, &joined) {
        (KeyError::Missing { path }, Ok(Some(bundle))) => Exit::NotReady.with(anyhow!(
            "this node is a member of region {}, but its keys are not at {}; put them back from \
             their backup. If there is none, make a new node with `smp-node init` in a new \
             directory and have it enrolled in the place of this one",
            bundle.region,
            path.display()
        )),
        (error @ KeyError::Missing { .. }, _) => Exit::NotReady.with(error),
        (error, _) => Exit::Refused.with(error),
    })?;
    match joined {
        Ok(Some(bundle)) => match bundle.verify(&keys, super::now()?) {
            Err(BundleError::OtherNode { found, here }) => Err(Exit::Refused.with(anyhow!(
                "the keys at {} are those of node {here}, and it was node {found} that joined the \
                 region with the data at {}; put that node's keys back from their backup",
                config.keys_dir.display(),
                config.data_dir.display()
            ))),
            // Anything else is said by what uses it.
            _ => Ok(()),
        },
        Ok(None) => Err(Exit::NotReady.with(anyhow!(
            "this node has not joined its region yet: {}",
            membership::next_step(&config.file)
        ))),
        Err(error) => Err(Exit::NotReady.with(anyhow!(
            "{error}; run `smp-node join` again with the bundle of the region's admin"
        ))),
    }
}

async fn serve(config: Config) -> Result<(), Failed> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
    };
    let socket = ApiSocket::bind(&config.socket).map_err(|e| Exit::Unreachable.with(e))?;
    let path = config.socket.display().to_string();
    let daemon = Daemon::start(config).await.map_err(explain)?;
    tracing::info!(socket = path, "the local API answers");
    let mut failed = false;
    let end = async {
        tokio::select! {
            () = stop => {}
            () = daemon.failed() => failed = true,
        }
        // Streams have no end of their own.
        daemon.service().events().close();
    };
    http::serve(socket, http::router(daemon.service()), end).await;
    daemon.stop().await;
    if failed {
        return Err(Exit::Unexpected.with(anyhow!(
            "the engine stopped by a defect; nothing that was acknowledged is lost. Start the \
             node again, and report the log"
        )));
    }
    tracing::info!("stopped");
    Ok(())
}

fn explain(error: StartError) -> Failed {
    let exit = match &error {
        StartError::Transport(TransportError::Bind { .. }) => Exit::Unreachable,
        StartError::NotJoined { .. } | StartError::Membership(_) | StartError::Store(_) => {
            Exit::NotReady
        }
        StartError::Keys(_) | StartError::Bundle(_) | StartError::Tls(_) => Exit::Refused,
        StartError::Transport(_) => Exit::Unexpected,
    };
    exit.with(error)
}
