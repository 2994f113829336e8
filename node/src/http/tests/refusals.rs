//! What is refused is answered with code, message and next step, and without the values
//! that were sent.

use axum::body::Body;
use smp_protocol::api::ApiError;

use super::{ask, fake};
use crate::http::input::{FILE_BYTES, JSON_BYTES};

/// A value that must come back nowhere.
const MARKER: &str = "Q7MARKER";

async fn refused(method: &str, path: &str, body: impl Into<Body>) -> (u16, ApiError) {
    let (status, text) = ask(method, path, body).await;
    assert!(!text.contains(MARKER), "{method} {path}: {text}");
    let error: ApiError = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"));
    assert!(
        !error.message.is_empty() && !error.next.is_empty(),
        "{text}"
    );
    (status.as_u16(), error)
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let id = "/v1/record/host-aaaaaaaaaaaaaaaaaaaaaaaa";
    let edit = r#"{"fields":{}}"#;
    let cases = [
        ("GET", "/", "", 404, "unknown_route"),
        ("GET", "/v1/nothing", "", 404, "unknown_route"),
        ("GET", "/v2/status", "", 404, "unknown_route"),
        ("GET", "/v1/status/", "", 404, "unknown_route"),
        ("DELETE", id, "", 405, "method_not_allowed"),
        ("GET", "/v1/records/Q7MARKER", "", 400, "unknown_kind"),
        ("GET", "/v1/template/hosts", "", 400, "unknown_kind"),
        ("GET", "/v1/records/%ff", "", 400, "bad_path"),
        ("GET", "/v1/record/host-Q7MARKER", "", 400, "bad_id"),
        ("PATCH", "/v1/record/Q7MARKER", edit, 400, "bad_id"),
        (
            "GET",
            "/v1/records/host?council=Q7MARKER",
            "",
            400,
            "bad_query",
        ),
        (
            "GET",
            "/v1/records/host?councli=E08000021",
            "",
            400,
            "bad_query",
        ),
        ("GET", "/v1/status?verbose=true", "", 400, "bad_query"),
        ("POST", "/v1/import/host", "", 400, "bad_query"),
        ("POST", "/v1/import/host?file_name=", "", 400, "bad_query"),
        (
            "POST",
            "/v1/import/host?file_name=a&dryrun=true",
            "",
            400,
            "bad_query",
        ),
        (
            "POST",
            "/v1/import/host?file_name=a&dry_run=Q7MARKER",
            "",
            400,
            "bad_query",
        ),
        (
            "POST",
            "/v1/import/host?file_name=a&file_name=b",
            "",
            400,
            "bad_query",
        ),
        ("POST", "/v1/records/host", "", 400, "bad_body"),
        ("POST", "/v1/records/host", "{Q7MARKER", 400, "bad_body"),
        (
            "POST",
            "/v1/records/host",
            "[\"Q7MARKER\"]",
            400,
            "bad_body",
        ),
        (
            "POST",
            "/v1/records/host",
            r#"{"fields":"Q7MARKER"}"#,
            400,
            "bad_body",
        ),
        (
            "POST",
            "/v1/records/host",
            r#"{"fields":{"a":["Q7MARKER"]}}"#,
            400,
            "bad_body",
        ),
        (
            "PATCH",
            id,
            r#"{"fields":{},"replicated":"Q7MARKER"}"#,
            400,
            "bad_body",
        ),
        (
            "POST",
            "/v1/readers",
            r#"{"reader":"Q7MARKER"}"#,
            400,
            "bad_body",
        ),
        ("POST", "/v1/roster", "{}", 400, "bad_body"),
    ];
    for (method, path, body, status, code) in cases {
        let (found, error) = refused(method, path, body).await;
        assert_eq!(
            (found, error.code.as_str()),
            (status, code),
            "{method} {path} {body}"
        );
    }
}

#[tokio::test]
async fn a_failure_of_the_node_comes_through_whole() {
    let path = format!("/v1/records/host?council={}", fake::STRANGER);
    let (status, error) = refused("GET", &path, "").await;
    assert_eq!((status, error.code.as_str()), (404, "not_a_member"));
    assert_eq!(error.next, "run `smp roster show`");
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_and_one_at_it_is_not() {
    let file = "/v1/import/host?file_name=hosts.csv";
    let (status, _) = ask("POST", file, vec![b'x'; FILE_BYTES]).await;
    assert_eq!(status, 200);
    let (status, error) = refused("POST", file, vec![b'x'; FILE_BYTES + 1]).await;
    assert_eq!((status, error.code.as_str()), (413, "too_large"));
    let (status, error) = refused("POST", "/v1/roster", vec![b' '; JSON_BYTES + 1]).await;
    assert_eq!((status, error.code.as_str()), (413, "too_large"));
}

#[tokio::test]
async fn an_unknown_parameter_is_named_with_those_that_are_taken() {
    let path = "/v1/import/host?file_name=a&dryrun=true";
    let (_, error) = refused("POST", path, "").await;
    for part in ["\"dryrun\"", "file_name, dry_run, complete, replicated"] {
        assert!(error.message.contains(part), "{}", error.message);
    }
}
