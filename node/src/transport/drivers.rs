//! QUIC's own tasks, owned, so that they end when the transport does.
//!
//! Left to themselves they live on until every connection has drained, three probe timeouts
//! after its end (RFC 9000, 10.2.1). A peer that answered late in a busy minute makes that
//! twenty seconds, and for as long as they live, they hold the port.

use std::future::Future;
use std::io;
use std::net::UdpSocket;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

/// Tasks that end with the transport, whoever began them.
#[derive(Debug)]
pub(super) struct Drivers {
    runtime: Handle,
    tasks: Mutex<JoinSet<()>>,
}

impl Drivers {
    /// Owns nothing yet; its tasks run on the runtime that it is made on.
    pub(super) fn new() -> Self {
        Self {
            runtime: Handle::current(),
            tasks: Mutex::default(),
        }
    }

    /// Begins a task, from any thread.
    pub(super) fn begin(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.runtime)
    }

    /// Ends them all, and waits until what they held is let go.
    pub(super) async fn stop(&self) {
        let mut tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        tasks.shutdown().await;
    }
}

impl Runtime for Drivers {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, driver: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.begin(driver);
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }
}
