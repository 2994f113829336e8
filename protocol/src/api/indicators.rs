//! Regional indicators, after disclosure control.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/indicators`: figures by month and council, and how they were made safe to show.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Indicators {
    /// The day as of which they are.
    pub on: String,
    /// The least count above 0 that is shown.
    pub threshold: u32,
    /// To what counts are rounded.
    pub round: u32,
    /// The figures, by month, indicator and council; those of the region after its councils.
    pub figures: Vec<RegionalFigure>,
}

/// One figure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RegionalFigure {
    /// The month, e.g. `2026-12`.
    pub month: String,
    /// The GSS code of the council; none for the region.
    pub council: Option<String>,
    /// The council's name, or the region's.
    pub council_name: String,
    /// `places`, `people`, `open_requests`, `median_days_to_placement` or `checks_in_time`.
    pub indicator: String,
    /// What a value is: `places`, `people`, `requests`, `days` or `percent`.
    pub unit: String,
    /// The value, rounded. None where `status` says why.
    pub value: Option<u64>,
    /// `shown`, `suppressed`, `not_submitted`, `not_readable`, `not_recorded` or
    /// `nothing_to_measure`.
    pub status: String,
}
