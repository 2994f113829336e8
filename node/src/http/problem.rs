//! What the API answers when it does not do what it was asked: always the same JSON.
//!
//! A problem names the route, parameter or place in the body, and never repeats a value
//! from it: it may be personal, and answers end up in scripts' logs.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use smp_protocol::api::ApiError;

use crate::service::{Failure, FailureKind};

/// Where to look the API up.
const SEE_DOCUMENT: &str = "look the API up with GET /v1/openapi.json";

/// A non-2xx answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: ApiError,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: ApiError {
                code: code.to_owned(),
                message: message.into(),
                next: next.into(),
            },
        }
    }

    pub(super) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message, SEE_DOCUMENT)
    }

    pub(super) fn unknown_route(path: &str) -> Self {
        let path: String = path.chars().take(80).collect();
        let message = format!("there is no {path:?} in this API");
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_route",
            message,
            SEE_DOCUMENT,
        )
    }

    pub(super) fn method_not_allowed(method: &str, path: &str) -> Self {
        let message = format!("{path} does not take {method}");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "method_not_allowed", message, SEE_DOCUMENT)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than the {limit} bytes that this route takes");
        let next = "send less at once: split the file, and nothing was changed so far";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, next)
    }

    pub(super) fn upload_too_slow(seconds: u64) -> Self {
        let message = format!("the body was not sent whole within {seconds} seconds");
        let next = "nothing was changed; send it again";
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "upload_too_slow",
            message,
            next,
        )
    }

    pub(super) fn timed_out(seconds: u64) -> Self {
        let message = format!(
            "the node did not answer within {seconds} seconds; a change may have been made, \
             whole, or not at all"
        );
        let next = "run `smp status` to see how the node is, and list the record before you \
                    send a change again";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", message, next)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = match failure.kind {
            FailureKind::BadRequest => StatusCode::BAD_REQUEST,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::Conflict => StatusCode::CONFLICT,
            FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            FailureKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            error: failure.error,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}
