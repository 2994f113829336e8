//! The API against a fake node: routes and document, refusals, the socket.

mod events;
mod fake;
mod refusals;
mod routes;
mod socket;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use self::fake::Fake;

fn api() -> Router {
    super::router(Fake::default())
}

/// Sends one request and reads the whole answer.
async fn ask(method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(body.into()).unwrap();
    let response = TowerToHyperService::new(api()).call(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await;
    (status, String::from_utf8(bytes.unwrap().into()).unwrap())
}
