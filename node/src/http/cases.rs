//! The routes of cases and of the requests that they are about, as in `routes`.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use smp_protocol::api::{ApiError, Case, CaseDecision, CaseOutcome, NewCase, Split, Stored};
use smp_protocol::ids::RecordId;

use super::input::{Json, Named, Parameters};
use super::routes::Result;
use crate::service::Service;

/// Every case that this council has with another, newest change last.
#[utoipa::path(get, path = "/v1/cases", responses(
    (status = 200, body = Vec<Case>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn cases<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<Case>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.cases().await?))
}

/// Proposes places of another council for a request of this one.
#[utoipa::path(post, path = "/v1/cases", request_body = NewCase, responses(
    (status = 201, description = "On this node's disk", body = CaseOutcome),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn new_case<S: Service>(
    State(service): State<S>,
    uri: Uri,
    Json(new): Json<NewCase>,
) -> Result<(StatusCode, Answer<CaseOutcome>)> {
    Parameters::read(&uri, &[])?;
    let outcome = service.new_case(new).await?;
    Ok((StatusCode::CREATED, Answer(outcome)))
}

/// One case.
#[utoipa::path(get, path = "/v1/case/{id}",
    params(("id" = String, Path, description = "The case's id")),
    responses(
        (status = 200, body = Case),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn case<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
) -> Result<Answer<Case>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.case(id).await?))
}

/// Decides of a case: hold, confirm, withdraw, release, decline, arrived, did_not_arrive; or says
/// something beside: end, transfer, ask, answer, consent.
#[utoipa::path(post, path = "/v1/case/{id}",
    params(("id" = String, Path, description = "The case's id")),
    request_body = CaseDecision,
    responses(
        (status = 200, description = "On this node's disk", body = CaseOutcome),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn decide_case<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
    Json(decision): Json<CaseDecision>,
) -> Result<Answer<CaseOutcome>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.decide_case(id, decision).await?))
}

/// Makes several requests of one, whose people they have between them; what was proposed for it ends.
#[utoipa::path(post, path = "/v1/record/{id}/split",
    params(("id" = String, Path, description = "The request's id")),
    request_body = Split,
    responses(
        (status = 201, description = "On this node's disk", body = Stored),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn split<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
    Json(split): Json<Split>,
) -> Result<(StatusCode, Answer<Stored>)> {
    Parameters::read(&uri, &[])?;
    let stored = service.split(id, split).await?;
    Ok((StatusCode::CREATED, Answer(stored)))
}
