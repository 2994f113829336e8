//! Checks of hosts, and what they come to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::checks::{Kind, Targets};
use crate::roster::CheckTarget;

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

/// By when a check of a host should be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckClock {
    /// The check, as a code.
    pub check: String,
    /// Days from the one on which its clock begins; absent where there is no target.
    pub days: Option<u16>,
    /// Who said so: `region`, or `lancashire` for the published pathway.
    pub by: String,
    /// Who does it where there are two tiers of council: `county` or `district`.
    pub done_by: String,
}

impl CheckClock {
    /// All of them, in a region that has set these itself.
    pub fn all(own: &[CheckTarget]) -> Vec<Self> {
        let targets = Targets::of(own);
        let clock = |(code, kind): (u8, Kind)| {
            let is_own = own.iter().any(|target| target.check == code);
            Self {
                check: kind.as_str().to_owned(),
                days: targets.days(kind),
                by: if is_own { "region" } else { "lancashire" }.to_owned(),
                done_by: kind.done_by().to_owned(),
            }
        };
        (0..).zip(Kind::ALL).map(clock).collect()
    }
}
