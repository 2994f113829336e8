//! Accepting connections: bounded handshakes, and proof of address under load.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::{Connection, ConnectionError, Incoming, TransportErrorCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Context, HANDSHAKE, TransportError, connection};

/// Handshakes that may wait to be looked at; quinn drops more.
pub(super) const HANDSHAKES_WAITING: usize = 512;

/// Handshakes under way at once: each costs a signature and a key exchange.
const HANDSHAKES: usize = 64;

/// From so many under way on, a peer has to prove its address first (QUIC Retry), so that
/// a forged sender address costs us nothing.
const HANDSHAKES_BEFORE_RETRY: usize = 16;

/// TLS alerts (RFC 8446, RFC 7301) whose cause is known.
const CERTIFICATE_UNKNOWN: u8 = 46;
const CERTIFICATE_REQUIRED: u8 = 116;
const NO_PROTOCOL: u8 = 120;

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
            let shaken = tokio::time::timeout(HANDSHAKE, shake(&context, incoming)).await;
            drop(permit);
            match shaken {
                Ok(Ok(connection)) => connection::serve(context, connection, false).await,
                Ok(Err(error)) => refuse(&context, from, &error),
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

/// Shakes hands with whoever came.
async fn shake(context: &Context, incoming: Incoming) -> Result<Connection, Failed> {
    let server = context.server_for(incoming.remote_address())?;
    Ok(incoming.accept_with(Arc::new(server))?.await?)
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("a handshake failed: {0}")]
    Handshake(#[from] ConnectionError),
    #[error(transparent)]
    Own(#[from] TransportError),
}

/// Counts and logs a handshake that failed.
fn refuse(context: &Context, from: SocketAddr, error: &Failed) {
    let alert = |number| TransportErrorCode::crypto(number);
    let next = match error {
        Failed::Handshake(ConnectionError::TransportError(found)) => match found.code {
            // The gate has counted and logged it.
            code if code == alert(CERTIFICATE_UNKNOWN) => return,
            code if code == alert(CERTIFICATE_REQUIRED) => {
                "a node has a certificate from `smp member enrol`: see what else is at that address"
            }
            code if code == alert(NO_PROTOCOL) => {
                "it speaks something else than smp-sync/1: if it is a member, upgrade the older \
                 of the two, else see what is at that address"
            }
            _ => "if it goes on, see what is at that address",
        },
        _ => "if it goes on, see what is at that address",
    };
    let why = format!("{error}; {next}");
    let who = from.ip().to_string();
    context.shared.refused("handshake", &who, &why);
}
