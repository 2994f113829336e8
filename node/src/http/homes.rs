//! The routes of move-on homes.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::Uri;
use smp_protocol::api::{ApiError, Home, HomeDecision, HomeInterest, Stored};
use smp_protocol::ids::RecordId;

use super::input::{Json, Named, Parameters};
use super::problem::Problem;
use crate::service::Service;

type Result<T> = std::result::Result<T, Problem>;

/// Every listing of the region: its rent against the local housing allowance, who is interested,
/// and whether it is open to this council.
#[utoipa::path(get, path = "/v1/homes", responses(
    (status = 200, body = Vec<Home>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn homes<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<Home>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.homes().await?))
}

/// Every interest of a council in another's listing that has not ended.
#[utoipa::path(get, path = "/v1/interests", responses(
    (status = 200, body = Vec<HomeInterest>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn interests<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<HomeInterest>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.interests().await?))
}

/// Decides of one of this council's own listings: offer, let, withdraw, reopen.
#[utoipa::path(post, path = "/v1/home/{id}",
    params(("id" = String, Path, description = "The listing's id")),
    request_body = HomeDecision,
    responses(
        (status = 200, description = "On this node's disk", body = Stored),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn decide_home<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
    Json(decision): Json<HomeDecision>,
) -> Result<Answer<Stored>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.decide_home(id, decision).await?))
}
