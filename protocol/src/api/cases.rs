//! Cases with other councils, and what officers decide of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Match;

/// `GET /v1/cases`: one case that this council has with another (docs/BOOKING.md).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Case {
    /// Its id: that of its proposal.
    pub id: String,
    /// What it has come to: `proposed`, `declined`, `held`, `released`, `confirmed`, `placed`,
    /// `arrived`, `did_not_arrive`, `lost`, `withdrawn` or `over`.
    pub stage: String,
    /// Whose turn it is: `guest`, `host` or `nobody`.
    pub turn: String,
    /// Whether that is this council.
    pub yours: bool,
    /// The GSS code of the council that has the household.
    pub guest: String,
    /// That council's name.
    pub guest_name: String,
    /// The GSS code of the council that has the places.
    pub host: String,
    /// That council's name.
    pub host_name: String,
    /// The request.
    pub request: String,
    /// The places that were proposed.
    pub places: Vec<String>,
    /// The place that it is about now.
    pub place: Option<String>,
    /// Since when it is so (RFC 3339).
    pub since: String,
    /// Until when the place is kept for it, while it is held (RFC 3339).
    pub until: Option<String>,
    /// What happens if nobody does anything.
    pub silence: String,
    /// Why it was last declined, released or withdrawn.
    pub reason: Option<String>,
    /// Whether its hold was agreed by telephone and written down later.
    pub agreed_by_phone: bool,
    /// The commands that this council may run for it now.
    pub next: Vec<String>,
    /// Of a case of this council's household whose place is lost: other places that would do, best
    /// first. Only where one case is asked for, and only the best few.
    pub fits: Vec<Match>,
}

/// `POST /v1/cases`: a request of this council would fit one of these places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// The request's id.
    pub request: String,
    /// The places' ids, all of one council.
    pub places: Vec<String>,
}

/// What an officer decides of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseAction {
    /// The host council locks a place.
    Hold,
    /// The guest council takes it.
    Confirm,
    /// The guest council ends the case.
    Withdraw,
    /// The host council lets go of the place.
    Release,
    /// The host council has no place.
    Decline,
    /// The host council says that the household came.
    Arrived,
    /// The host council says that it did not come.
    DidNotArrive,
}

/// `POST /v1/case/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseDecision {
    /// What is decided.
    pub action: CaseAction,
    /// Of a hold: the place, where more than one was proposed.
    #[serde(default)]
    pub place: Option<String>,
    /// Of a hold: for how many hours; 48 if it is not said.
    #[serde(default)]
    pub hours: Option<u64>,
    /// Of a hold: it was agreed by telephone.
    #[serde(default)]
    pub agreed_by_phone: bool,
    /// Of what ends something: why, as a code.
    #[serde(default)]
    pub reason: Option<String>,
    /// Councils (GSS codes) to go on without that cannot be asked, until the node starts again.
    #[serde(default)]
    pub without: Vec<String>,
}

impl CaseDecision {
    /// What is decided, with nothing else said.
    pub fn of(action: CaseAction) -> Self {
        Self {
            action,
            place: None,
            hours: None,
            agreed_by_phone: false,
            reason: None,
            without: Vec::new(),
        }
    }
}

/// A decision that is on this node's disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseOutcome {
    /// The case as it is now.
    pub case: Case,
    /// How many other nodes are known to hold the decision by now.
    pub held_by: usize,
}
