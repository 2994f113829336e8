//! Accepting connections: bounded handshakes, and proof of address under load.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Context, HANDSHAKE, connection};

/// Handshakes that may wait to be looked at; quinn drops more.
pub(super) const HANDSHAKES_WAITING: usize = 512;

/// Handshakes under way at once: each costs a signature and a key exchange.
const HANDSHAKES: usize = 64;

/// From so many under way on, a peer has to prove its address first (QUIC Retry), so that
/// a forged sender address costs us nothing.
const HANDSHAKES_BEFORE_RETRY: usize = 16;

/// Accepts until the endpoint closes.
pub(super) async fn accept(context: Arc<Context>) {
    let permits = Arc::new(Semaphore::new(HANDSHAKES));
    let mut connections = JoinSet::new();
    while let Some(incoming) = context.endpoint.accept().await {
        while connections.try_join_next().is_some() {}
        let under_way = HANDSHAKES - permits.available_permits();
        if under_way >= HANDSHAKES_BEFORE_RETRY && !incoming.remote_address_validated() {
            let _ = incoming.retry();
            continue;
        }
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        let context = Arc::clone(&context);
        connections.spawn(async move {
            let from = incoming.remote_address();
            let shaken = tokio::time::timeout(HANDSHAKE, incoming).await;
            drop(permit);
            match shaken {
                Ok(Ok(connection)) => connection::serve(context, connection, false).await,
                // The gate has counted and logged a certificate that it refused.
                Ok(Err(error)) => {
                    let who = from.ip().to_string();
                    let why = format!("a handshake failed: {error}");
                    context.shared.refused("handshake", &who, &why);
                }
                Err(_) => {
                    let who = from.ip().to_string();
                    context
                        .shared
                        .refused("handshake", &who, "a handshake took too long");
                }
            }
        });
    }
    connections.shutdown().await;
}
