//! The node's local API: JSON over HTTP on a Unix socket.
//!
//! Whoever may open the socket may do everything, so the file's mode is the access control
//! and there is no other. Every answer that is not a success is an
//! [`ApiError`](smp_protocol::api::ApiError). Neither bodies nor queries are ever logged.

mod cases;
mod document;
mod events;
mod homes;
mod indicators;
mod input;
mod problem;
mod routes;
mod server;
pub(crate) mod socket;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::document::Document;
use self::problem::Problem;
use crate::service::Service;

pub use self::server::serve;
pub use self::socket::{ApiSocket, SocketError};

/// How long a route may take that neither imports a file nor may wait for another node:
/// they take milliseconds, so something is stuck.
const REQUEST_SECONDS: u64 = 60;

/// `GET /v1/health`: the process runs and answers. How the node is, `/v1/status` says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The program's version.
    pub version: String,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            status: "ok".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The API of a node as a router.
pub fn router<S: Service>(service: S) -> Router {
    let (quick, mut document) = document::quick::<S>().split_for_parts();
    let (slow, writes) = document::slow::<S>().split_for_parts();
    document.merge(writes);
    // Only a defect in the types could stop it; then the route answers an empty document.
    let text = document.to_pretty_json().unwrap_or_default() + "\n";
    quick
        .route_layer(from_fn(within_time))
        .merge(slow)
        .fallback(|uri: Uri| async move { Problem::unknown_route(uri.path()) })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            Problem::method_not_allowed(method.as_str(), uri.path())
        })
        .layer(from_fn(log))
        .layer(Extension(Document(text.into())))
        .with_state(service)
}

/// Gives a request up that takes too long.
async fn within_time(request: Request, next: Next) -> Response {
    let limit = Duration::from_secs(REQUEST_SECONDS);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out(REQUEST_SECONDS).into_response(),
    }
}

/// One line for each request: the route as documented, never what was asked or answered.
async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        route = route.as_ref().map_or("unknown", MatchedPath::as_str),
        status = response.status().as_u16(),
        milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        "api request"
    );
    response
}
