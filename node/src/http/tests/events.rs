//! The stream of events as a reader gets it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use smp_protocol::api::{ApiError, Event};
use smp_protocol::events;
use smp_protocol::limits::EVENT_STREAMS;
use smp_protocol::time::UnixSeconds;

use super::fake::Fake;
use crate::events::EventLog;

/// A log of which 10 to 12 are remembered.
fn log() -> Arc<EventLog> {
    let log = EventLog::default();
    log.load(9, 12, (10..=12).map(event).collect());
    Arc::new(log)
}

fn event(number: u64) -> Event {
    let now = UnixSeconds(1_800_000_000);
    let mut event = Event::new(number, &events::Event::gap(number, now), now);
    event.kind = "proposal_arrived".to_owned();
    event
}

async fn ask(log: &Arc<EventLog>, query: &str, last: Option<&str>) -> Response<Body> {
    let router = super::super::router(Fake(Arc::clone(log)));
    let mut request = Request::builder().uri(format!("/v1/events{query}"));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    let request = request.body(Body::empty()).unwrap();
    TowerToHyperService::new(router)
        .call(request)
        .await
        .unwrap()
}

/// All of a stream that ends.
async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    String::from_utf8(bytes.unwrap().into()).unwrap()
}

async fn refused(response: Response<Body>) -> (StatusCode, ApiError) {
    let status = response.status();
    (status, serde_json::from_str(&text(response).await).unwrap())
}

#[tokio::test]
async fn a_stream_says_where_it_begins_and_then_each_event() {
    let log = log();
    let response = ask(&log, "?once=true&after=10", None).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let said = text(response).await;
    let json = |number| serde_json::to_string(&event(number)).unwrap();
    let wanted = format!(
        ": events follow\nid: 10\n\nid: 11\ndata: {}\n\nid: 12\ndata: {}\n\n",
        json(11),
        json(12)
    );
    assert_eq!(said, wanted);
    // Without a number: nothing yet, and from where to read on.
    let said = text(ask(&log, "?once=true", None).await).await;
    assert_eq!(said, ": events follow\nid: 12\n\n");
}

#[tokio::test]
async fn the_header_goes_before_the_option_and_a_gap_has_a_name() {
    let log = log();
    let said = text(ask(&log, "?once=true&after=10", Some("11")).await).await;
    assert!(
        said.contains("\nid: 12\n") && !said.contains("id: 10"),
        "{said}"
    );
    let said = text(ask(&log, "?once=true", Some("3")).await).await;
    assert!(said.contains("\nevent: gap\n"), "{said}");
    assert!(
        said.contains("\"kind\":\"gap\"") && said.contains("\nid: 10\n"),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_no_number_or_one_reader_too_many_is_refused() {
    let log = log();
    for (query, header) in [("?after=x", None), ("?after=-1", None), ("", Some("soon"))] {
        let (status, error) = refused(ask(&log, query, header).await).await;
        assert_eq!((status.as_u16(), error.code.as_str()), (400, "bad_number"));
    }
    let mut readers = Vec::new();
    for _ in 0..EVENT_STREAMS {
        readers.push(ask(&log, "", None).await);
    }
    let (status, error) = refused(ask(&log, "", None).await).await;
    assert_eq!(
        (status.as_u16(), error.code.as_str()),
        (503, "too_many_streams")
    );
    // One that hangs up makes room.
    readers.pop();
    assert_eq!(ask(&log, "", None).await.status(), 200);
}

#[tokio::test]
async fn a_stream_goes_on_until_the_node_stops() {
    let log = log();
    let mut body = ask(&log, "?after=12", None).await.into_body();
    let mut next = async || {
        let limit = Duration::from_secs(30);
        let frame = tokio::time::timeout(limit, body.frame()).await;
        let frame = frame.expect("it goes on, or ends")?;
        let bytes = frame.unwrap().into_data().unwrap();
        Some(String::from_utf8(bytes.into()).unwrap())
    };
    assert_eq!(next().await.unwrap(), ": events follow\nid: 12\n\n");
    for number in 13..=15 {
        log.publish(9, vec![event(number)]);
        let said = next().await.unwrap();
        assert!(said.starts_with(&format!("id: {number}\n")), "{said}");
    }
    log.close();
    assert_eq!(next().await, None);
}
