//! Checks of hosts, and what they come to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/checks`: one check, from any register that this council may read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HostCheck {
    /// Its id.
    pub id: String,
    /// The host that is checked.
    pub host: String,
    /// What is checked.
    pub check: String,
    /// Where it stands; of two in conflict the worse.
    pub status: String,
    /// The GSS code of the council that recorded it.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// Whether that is this council.
    pub own: bool,
    /// Which council does it in a two-tier area: `county` or `district`.
    pub done_by: String,
    /// When its clock began.
    pub started_on: Option<String>,
    /// By when it should be done.
    pub due_on: Option<String>,
    /// When it was done.
    pub done_on: Option<String>,
    /// The last day on which its outcome counts.
    pub valid_until: Option<String>,
    /// `settled`, `due`, `overdue` or `no_target`.
    pub standing: String,
    /// Days until it is due; below 0 so many too late. Only while it is not settled.
    pub in_days: Option<i64>,
}

/// `GET /v1/readiness`: what the checks of one host come to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HostReadiness {
    /// The host.
    pub host: String,
    /// The GSS code of the council in whose register it is.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// `ready`, `checking`, `conflict` or `blocked`.
    pub readiness: String,
    /// What is lacking, worst first.
    pub lacks: Vec<String>,
}
