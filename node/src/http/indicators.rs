//! The route of indicators.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::Uri;
use smp_protocol::api::{ApiError, Indicators};

use super::input::Parameters;
use super::problem::Problem;
use crate::service::{IndicatorQuery, Service};

/// Regional indicators by council and month. Small counts are suppressed, with what would give
/// them away; the others are rounded.
#[utoipa::path(get, path = "/v1/indicators",
    params(
        ("from" = Option<String>, Query, description = "The first month, such as 2026-12; this one if none is named"),
        ("until" = Option<String>, Query, description = "The last month; the first if none is named"),
        ("on" = Option<String>, Query, description = "As of this day (ISO); today if none is named"),
        ("threshold" = Option<String>, Query, description = "The least count above 0 that is shown; 8, and never below 5"),
        ("round" = Option<String>, Query, description = "To what counts are rounded; 5, and never less"),
    ),
    responses(
        (status = 200, body = Indicators),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn indicators<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Indicators>, Problem> {
    let names = ["from", "until", "on", "threshold", "round"];
    let parameters = Parameters::read(&uri, &names)?;
    let text = |name| parameters.text(name).map(str::to_owned);
    let query = IndicatorQuery {
        from: text("from"),
        until: text("until"),
        on: text("on"),
        threshold: text("threshold"),
        round: text("round"),
    };
    Ok(Answer(service.indicators(query).await?))
}
