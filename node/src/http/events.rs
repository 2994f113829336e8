//! `GET /v1/events`: the node's events as server-sent events, from wherever the reader was.
//!
//! Whoever reads slowly is not waited for: the log goes on without them, and a reader that it has
//! left behind is told so by an event of the kind `gap`.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::stream;
use smp_protocol::api::{ApiError, Event};
use smp_protocol::limits::EVENT_STREAMS;

use super::input::Parameters;
use super::problem::Problem;
use crate::events::Follower;
use crate::service::Service;

/// How often a comment shows that the connection stands: well within the minute after which `smp
/// watch`, and most of what stands between, takes it for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the header says by which an `EventSource` reads on.
const LAST_EVENT_ID: &str = "last-event-id";

/// What concerns this council, as server-sent events: `id` is the number, `data` the event. A gap has
/// the name `gap`, all others none. Comments come every 15 seconds.
#[utoipa::path(get, path = "/v1/events",
    params(
        ("after" = Option<u64>, Query, description = "The number of the last event seen; 0 for all that is \
          remembered. Without it, and without Last-Event-ID, what happens from now on"),
        ("once" = Option<bool>, Query, description = "End after what is remembered"),
        ("Last-Event-ID" = Option<u64>, Header, description = "As `after`, which it goes before"),
    ),
    responses(
        (status = 200, description = "A stream without an end", body = Event, content_type = "text/event-stream"),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn events<S: Service>(
    State(service): State<S>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<impl IntoResponse, Problem> {
    let parameters = Parameters::read(&uri, &["after", "once"])?;
    let once = parameters.flag("once")?;
    let header = headers.get(LAST_EVENT_ID);
    let header = header.map(|value| value.to_str().unwrap_or_default());
    let after = header.or(parameters.text("after"));
    let after = after.map(|text| text.parse::<u64>().map_err(|_| no_number()));
    let follower = service.events().follow(after.transpose()?);
    let follower = follower.ok_or_else(too_many)?;
    Ok(Sse::new(said(follower, once)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn no_number() -> Problem {
    Problem::bad_request(
        "bad_number",
        "after, or Last-Event-ID, is not the number of an event",
    )
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_streams",
        format!("{EVENT_STREAMS} readers follow this node's events already"),
        "end one of them (another `smp watch`, or a script), and try again",
    )
}

/// First where the reader stands, so that it can read on from there although nothing came; then each
/// event.
fn said(
    follower: Follower,
    once: bool,
) -> impl stream::Stream<Item = Result<Sent, Infallible>> + Send {
    let start = Sent::default()
        .comment("events follow")
        .id(follower.cursor().to_string());
    let events = stream::unfold(follower, move |mut follower| async move {
        let event = match once {
            true => follower.ready()?,
            false => follower.next().await?,
        };
        Some((Ok(sent(&event)), follower))
    });
    stream::StreamExt::chain(stream::once(async { Ok(start) }), events)
}

fn sent(event: &Event) -> Sent {
    // A map of texts and numbers cannot fail to be written, and JSON on one line has no line ends.
    let json = serde_json::to_string(event).unwrap_or_default();
    let sent = Sent::default().id(event.number.to_string()).data(json);
    match event.kind.as_str() {
        "gap" => sent.event("gap"),
        _ => sent,
    }
}
