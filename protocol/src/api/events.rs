//! Events: what a node tells its council's officers, one at a time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events;
use crate::time::UnixSeconds;

/// `GET /v1/events`: one event, as it is streamed, printed and handed to the hook. Ids and codes
/// alone; what is absent does not apply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Where it stands in the node's log. Numbers grow, with gaps, and never start again; to read on,
    /// say the last one seen.
    pub number: u64,
    /// What it is known by, the same whenever and by whichever node of the council it is told.
    pub id: String,
    /// What happened, as a code, e.g. `proposal_arrived`.
    pub kind: String,
    /// The same in words.
    pub what: String,
    /// When it happened (RFC 3339).
    pub at: String,
    /// When this node told it (RFC 3339).
    pub told: String,
    /// The other council (GSS code).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub council: Option<String>,
    /// The case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// When a hold's or a roster's time is up (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The command that shows more.
    pub next: String,
}

impl Event {
    /// An event as it is told.
    pub fn new(number: u64, event: &events::Event, told: UnixSeconds) -> Self {
        fn text<T: ToString>(value: Option<T>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        let about = &event.about;
        Self {
            number,
            id: event.id.to_string(),
            kind: event.kind.as_str().to_owned(),
            what: event.kind.what().to_owned(),
            at: event.at.to_string(),
            told: told.to_string(),
            council: text(about.council),
            case: text(about.case),
            request: text(about.request),
            place: text(about.place),
            host: text(about.host),
            check: text(about.check),
            node: text(about.node),
            document: text(about.document),
            until: text(about.until),
            next: event.next(),
        }
    }
}
