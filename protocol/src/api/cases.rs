//! Cases with other councils, and what officers decide of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Match;

/// `GET /v1/cases`: one case that this council has with another (docs/BOOKING.md).
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
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
    /// The GSS code of the council that is responsible for the household.
    pub responsible: String,
    /// The last day of the booking, where a side has said that it ends (a date), the earlier of both.
    /// No lock ends by it.
    pub ends_on: Option<String>,
    /// What each side said of that last.
    pub endings: Vec<CaseEnding>,
    /// From when the host council is responsible (a date), by the guest council.
    pub transfer_on: Option<String>,
    /// Whether the host council has said so too.
    pub transferred: bool,
    /// Since when a check of the place's host has failed or run out (RFC 3339). Which one, the host
    /// council knows.
    pub concern_since: Option<String>,
    /// What the household said of it, as its council wrote it down.
    pub guest_consent: Option<CaseConsent>,
    /// What the host said of it.
    pub host_consent: Option<CaseConsent>,
    /// What the councils have asked each other.
    pub questions: Vec<CaseQuestion>,
    /// The commands that this council may run for it now.
    pub next: Vec<String>,
    /// Of a case of this council's household whose place is lost: other places that would do, best
    /// first. Only where one case is asked for, and only the best few.
    pub fits: Vec<Match>,
}

/// When a booking ends, by one side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseEnding {
    /// Who says so: `guest` or `host`.
    pub by: String,
    /// The last day (a date).
    pub on: String,
    /// Why, as a code.
    pub reason: Option<String>,
}

/// What a household or a host said of a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseConsent {
    /// When (a date).
    pub on: String,
    /// How, as a code.
    pub method: String,
    /// Whether they agreed, or took it back.
    pub given: bool,
}

/// A question of one council to the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseQuestion {
    /// What is asked, as a code.
    pub question: String,
    /// Who asks: `guest` or `host`.
    pub by: String,
    /// Since when (RFC 3339).
    pub at: String,
    /// What the other answered, as a code.
    pub answer: Option<String>,
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
    /// Either council says when the booking ends.
    End,
    /// The guest council offers that the responsibility moves, or the host council agrees.
    Transfer,
    /// Either council asks the other something.
    Ask,
    /// Either council answers.
    Answer,
    /// Either council writes down what its own people said.
    Consent,
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
    /// Of an end, a transfer or a consent: the day (a date); of a consent today if it is not said.
    #[serde(default)]
    pub on: Option<String>,
    /// Of an end: the household looks for its next place from now on.
    #[serde(default)]
    pub again: bool,
    /// Of what is asked or answered: the question, as a code.
    #[serde(default)]
    pub question: Option<String>,
    /// Of an answer: what is answered, as a code.
    #[serde(default)]
    pub answer: Option<String>,
    /// Of a consent: how it was said, as a code.
    #[serde(default)]
    pub method: Option<String>,
    /// Of a consent: it was refused, or taken back.
    #[serde(default)]
    pub refused: bool,
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
            on: None,
            again: false,
            question: None,
            answer: None,
            method: None,
            refused: false,
            without: Vec::new(),
        }
    }
}

/// A decision that is on this node's disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseOutcome {
    /// The case as it is now.
    pub case: Case,
    /// Requests that were made by it.
    pub created: Vec<String>,
    /// How many other nodes are known to hold the decision by now.
    pub held_by: usize,
}

/// `POST /v1/record/{id}/split`: a household becomes several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Of each part what differs from the request, by field. People and adults must come to those
    /// of the request.
    pub into: Vec<BTreeMap<String, String>>,
}
