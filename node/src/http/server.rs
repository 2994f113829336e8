//! Serves connections on the API's socket, each within its limits, until told to stop.
//!
//! A slow or silent caller holds one connection and nothing else. Requests under way when
//! the node stops are finished, for a while.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::socket::ApiSocket;

/// Connections at once. Callers are `smp` and scripts on this machine; more than this is a
/// script gone wrong, and the next caller waits.
const CONNECTIONS: usize = 64;

/// The request line and the headers together. A query has a file's name at most.
const HEADER_BYTES: usize = 16 << 10;

/// Headers of one request; `smp` sends three.
const HEADERS: usize = 32;

/// How long a connection may take to send the head of its next request.
const HEADER_SECONDS: u64 = 15;

/// How long requests under way may take once the node is told to stop. Less than the 90
/// seconds after which systemd kills it, with room for closing the store.
const DRAIN_SECONDS: u64 = 30;

/// A failed accept means that the process is out of file descriptors, as a rule: wait for
/// some to close, and do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves `router` on the socket until `stop` is ready, finishes what is under way and
/// removes the socket.
pub async fn serve(socket: ApiSocket, router: Router, stop: impl Future<Output = ()> + Send) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let next = accept(&socket, &room);
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = next => accepted,
        };
        if let Some((stream, permit)) = accepted {
            let connection = connection(stream, permit, router.clone(), graceful.watcher());
            tokio::spawn(connection);
        }
    }
    // New callers find nothing from here on, and are not left waiting.
    drop(socket);
    let drained = tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS), graceful.shutdown());
    if drained.await.is_err() {
        tracing::warn!("requests to the local API took over {DRAIN_SECONDS} s to end; cut off");
    }
}

async fn accept(
    socket: &ApiSocket,
    room: &Arc<Semaphore>,
) -> Option<(UnixStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match socket.listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection to the local API");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: UnixStream,
    permit: OwnedSemaphorePermit,
    router: Router,
    watcher: Watcher,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECONDS))
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES);
    let service = TowerToHyperService::new(router);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(%error, "a connection to the local API ended early");
    }
    drop(permit);
}
