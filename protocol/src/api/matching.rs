//! Search and suggestions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/search`: what is looked for, in the fields of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Fields of a request by name, as text; at least `people`.
    pub fields: BTreeMap<String, String>,
    /// Also say of each place that will not do why not.
    #[serde(default)]
    pub with_excluded: bool,
}

/// One place of a search.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Whether it would do.
    pub does: bool,
    /// Why not, each reason in words.
    pub why_not: Vec<String>,
    /// The place, and how well it would do.
    #[serde(flatten)]
    pub of: Match,
}

/// A place that would do for a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Match {
    /// The request; empty in a search.
    pub request: String,
    /// The GSS code of the council whose request it is.
    pub guest: String,
    /// That council's name.
    pub guest_name: String,
    /// The place.
    pub place: String,
    /// The GSS code of the council whose place it is.
    pub host: String,
    /// That council's name.
    pub host_name: String,
    /// All points; more is better.
    pub points: i64,
    /// What they are for, each with its points.
    pub reasons: Vec<String>,
    /// What is to be asked of the host council first.
    pub ask: Vec<String>,
}

/// `GET /v1/suggestions`: the regional suggestion. It is the same at every node that holds the
/// same pools; an officer decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Suggestions {
    /// Who would go where, by request.
    pub matches: Vec<Match>,
    /// Who would go nowhere, by request.
    pub unplaced: Vec<Unplaced>,
    /// Open requests and places beyond what is worked out at once.
    pub left_out: usize,
}

/// A household for which there is no place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Unplaced {
    /// The request.
    pub request: String,
    /// The GSS code of its council.
    pub guest: String,
    /// That council's name.
    pub guest_name: String,
    /// What would have had to be different.
    pub why: String,
}
