//! The daemon: engine, transport and desk, started and stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smp_certs::tls::TlsError;
use smp_certs::{BundleError, KeyError, NodeKeys};
use smp_protocol::limits;

use crate::config::Config;
use crate::desk::Desk;
use crate::engine::{Core, Engine, EngineHandle, Event, OpenError, StoreLocation, clock};
use crate::events::{Deliveries, HookCommand};
use crate::membership::{self, MembershipError};
use crate::shared::Shared;
use crate::transport::{Meter, Transport, TransportError};

/// Why the node does not start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It has not joined a region yet.
    #[error("this node has not joined a region yet; {next}")]
    NotJoined {
        /// What to do.
        next: String,
    },
    /// What it joined with cannot be read.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// Its keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What it joined with is not for it.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// It cannot listen.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// A running node.
pub struct Daemon {
    engine: Engine,
    transport: Transport,
    ticker: tokio::task::JoinHandle<()>,
    hook: Option<tokio::task::JoinHandle<()>>,
    desk: Desk,
}

impl Daemon {
    /// Starts the node that the configuration describes.
    ///
    /// # Errors
    /// [`StartError`] naming what is missing or wrong, and what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let Some(bundle) = membership::load(&config.data_dir)? else {
            return Err(StartError::NotJoined {
                next: membership::next_step(&config.file),
            });
        };
        let keys = NodeKeys::load(&config.keys_dir)?;
        let roster = bundle.verify(&keys, clock())?;
        let tls = bundle.identity(&keys)?;
        let shared = Arc::new(Shared::new(keys, tls, roster));
        let location = StoreLocation {
            dir: config.data_dir.clone(),
            engine: config.store.engine,
        };
        let known = Arc::clone(&shared);
        // Taking the log back may take seconds; other nodes of this process go on.
        let opened = tokio::task::spawn_blocking(move || Engine::start(location, known));
        let engine = opened.await.map_err(|_| OpenError::Row("log"))??;
        for caveat in shared.caveats() {
            tracing::warn!(engine = config.store.engine.as_str(), "the store: {caveat}");
        }
        let handle = engine.handle();
        let transport = Transport::start(config.listen, bundle.ca(), Arc::clone(&shared), handle);
        let transport = match transport {
            Ok(transport) => transport,
            Err(error) => {
                engine.stop().await;
                return Err(error.into());
            }
        };
        let hook = match config.hook() {
            Some(hook) => Some(tokio::spawn(run_hook(
                hook,
                engine.handle(),
                Arc::clone(&shared),
            ))),
            None => {
                // Where that cannot be written now, a hook set later has more to catch up with.
                let _ = engine.handle().write(Core::forget_hook).await;
                None
            }
        };
        let desk = Desk::new(
            engine.handle(),
            shared,
            transport.meter(),
            config.store.engine,
        );
        let ticks = engine.handle();
        let ticker = tokio::spawn(async move {
            let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
            second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                second.tick().await;
                if !ticks.tell(Event::Tick).await {
                    return;
                }
            }
        });
        Ok(Self {
            engine,
            transport,
            ticker,
            hook,
            desk,
        })
    }

    /// What answers the local API.
    pub fn service(&self) -> Desk {
        self.desk.clone()
    }

    /// How its engine is asked from inside this process: for measurements.
    pub fn engine(&self) -> EngineHandle {
        self.engine.handle()
    }

    /// Reads the traffic counters.
    pub fn meter(&self) -> Meter {
        self.transport.meter()
    }

    /// Where it listens for peers.
    pub fn address(&self) -> Option<SocketAddr> {
        self.transport.address()
    }

    /// Returns once the engine has ended by a defect: the process is of no use any more, and
    /// whoever watches it should start it again.
    pub async fn failed(&self) {
        let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
        while !self.engine.has_ended() {
            look.tick().await;
        }
    }

    /// Says goodbye to peers, flushes, closes the store. The port is free afterwards.
    pub async fn stop(self) {
        self.ticker.abort();
        if let Some(hook) = self.hook {
            // It is killed where it runs, and what it had not done is told again.
            hook.abort();
            let _ = hook.await;
        }
        self.transport.stop().await;
        self.engine.stop().await;
    }
}

/// How often the engine is asked where the hook stood, until it answers.
const HOOK_LOOK: Duration = Duration::from_secs(5);

/// Hands each event to the hook. Where its place cannot be kept, the next start tells again.
async fn run_hook(hook: HookCommand, engine: EngineHandle, shared: Arc<Shared>) {
    let mut look = tokio::time::interval(HOOK_LOOK);
    let after = loop {
        look.tick().await;
        // Not while the disk has no room, or the store is opened again.
        if let Ok(Ok(after)) = engine.write(|core: &mut Core| core.hook_is_behind()).await {
            break after;
        }
    };
    let deliveries = Deliveries {
        hook,
        log: Arc::clone(shared.events()),
        after,
        seconds: limits::HOOK_SECONDS,
        pauses: limits::HOOK_PAUSES.map(Duration::from_secs).to_vec(),
    };
    let keep = |number| {
        let kept = engine.write(move |core: &mut Core| core.hook_delivered(number));
        async move {
            let _ = kept.await;
        }
    };
    deliveries.run(keep).await;
}
