//! The routes: what each takes, calls and answers, with its entry in the OpenAPI document.
//!
//! No decision is taken here; the node behind [`Service`] takes them all.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::{Extension, Json as Answer};
use smp_protocol::api::{
    Alarm, ApiError, DocumentStatus, FallenDecision, FallenField, FallenOutcome, Found, HostCheck,
    HostReadiness, ImportReport, Match, PeerStatus, Reader, ReaderDecision, Record, RecordChange,
    RecordEdit, RosterOffer, RosterOutcome, RosterView, Search, Status, Stored, Suggestions,
};
use smp_protocol::ids::{RecordId, RecordKind};

use super::Health;
use super::document::Document;
use super::input::{File, Json, Named, Parameters};
use super::problem::Problem;
use crate::service::{ImportOptions, Service};

pub(super) type Result<T> = std::result::Result<T, Problem>;

/// The node answers.
#[utoipa::path(get, path = "/v1/health", responses(
    (status = 200, body = Health),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn health(uri: Uri) -> Result<Answer<Health>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(Health::default()))
}

/// The whole state of the node.
#[utoipa::path(get, path = "/v1/status", responses(
    (status = 200, body = Status),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn status<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Status>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.status().await?))
}

/// Every other node of the region, and how it stands.
#[utoipa::path(get, path = "/v1/peers", responses(
    (status = 200, body = Vec<PeerStatus>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn peers<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<PeerStatus>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.status().await?.peers))
}

/// Every document that this council may read, and how it stands.
#[utoipa::path(get, path = "/v1/documents", responses(
    (status = 200, body = Vec<DocumentStatus>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn documents<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<DocumentStatus>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.status().await?.documents))
}

/// The shared records of a kind, of all councils that this one may read or of one.
#[utoipa::path(get, path = "/v1/records/{kind}",
    params(
        ("kind" = String, Path, description = "host, check, place, request, contact, listing or interest"),
        ("council" = Option<String>, Query, description = "Only the records of this council (GSS code)"),
    ),
    responses(
        (status = 200, body = Vec<Record>),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn records<S: Service>(
    State(service): State<S>,
    Named(kind): Named<RecordKind>,
    uri: Uri,
) -> Result<Answer<Vec<Record>>> {
    let council = Parameters::read(&uri, &["council"])?.council("council")?;
    Ok(Answer(service.records(kind, council).await?))
}

/// Writes a new record into this council's own document.
#[utoipa::path(post, path = "/v1/records/{kind}",
    params(("kind" = String, Path, description = "host, check, place, request, contact, listing or interest")),
    request_body = RecordEdit,
    responses(
        (status = 201, description = "On this node's disk", body = Stored),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn create<S: Service>(
    State(service): State<S>,
    Named(kind): Named<RecordKind>,
    uri: Uri,
    Json(edit): Json<RecordEdit>,
) -> Result<(StatusCode, Answer<Stored>)> {
    Parameters::read(&uri, &[])?;
    let stored = service.create(kind, edit).await?;
    Ok((StatusCode::CREATED, Answer(stored)))
}

/// One record; with `personal=true` also what this council's own vault has about it.
#[utoipa::path(get, path = "/v1/record/{id}",
    params(
        ("id" = String, Path, description = "The record's id"),
        ("personal" = Option<bool>, Query, description = "Add the personal fields"),
    ),
    responses(
        (status = 200, body = Record),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn record<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
) -> Result<Answer<Record>> {
    let personal = Parameters::read(&uri, &["personal"])?.flag("personal")?;
    Ok(Answer(service.record(id, personal).await?))
}

/// What became of a record, the first change first; of a host also of its checks.
#[utoipa::path(get, path = "/v1/history/{id}",
    params(("id" = String, Path, description = "The record's id")),
    responses(
        (status = 200, body = Vec<RecordChange>),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn history<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
) -> Result<Answer<Vec<RecordChange>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.history(id).await?))
}

/// Changes fields of one of this council's own records.
#[utoipa::path(patch, path = "/v1/record/{id}",
    params(("id" = String, Path, description = "The record's id")),
    request_body = RecordEdit,
    responses(
        (status = 200, description = "On this node's disk", body = Stored),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn update<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
    Json(edit): Json<RecordEdit>,
) -> Result<Answer<Stored>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.update(id, edit).await?))
}

/// Imports a CSV or XLSX file, all of it or nothing.
///
/// A file with problems is answered 200 with the list of them and `applied: false`.
#[utoipa::path(post, path = "/v1/import/{kind}",
    params(
        ("kind" = String, Path, description = "host, place, request, listing or another kind that has a template"),
        ("file_name" = String, Query, description = "The file's name; its ending says what it is"),
        ("dry_run" = Option<bool>, Query, description = "Say what it would do, and do nothing"),
        ("complete" = Option<bool>, Query, description = "Withdraw what the file does not mention"),
        ("replicated" = Option<bool>, Query, description = "Wait until another node holds it as well"),
    ),
    request_body(content = inline(File), content_type = "application/octet-stream",
        description = "The file as it is, at most 16 MiB"),
    responses(
        (status = 200, body = ImportReport),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn import<S: Service>(
    State(service): State<S>,
    Named(kind): Named<RecordKind>,
    uri: Uri,
    File(bytes): File,
) -> Result<Answer<ImportReport>> {
    let names = ["file_name", "dry_run", "complete", "replicated"];
    let parameters = Parameters::read(&uri, &names)?;
    let file_name = parameters.text("file_name").filter(|name| !name.is_empty());
    let options = ImportOptions {
        file_name: file_name
            .ok_or_else(|| {
                let message = "the parameter file_name is missing: the file's name, such as \
                               hosts.csv";
                Problem::bad_request("bad_query", message)
            })?
            .to_owned(),
        dry_run: parameters.flag("dry_run")?,
        complete: parameters.flag("complete")?,
        replicated: parameters.flag("replicated")?,
    };
    Ok(Answer(service.import(kind, options, bytes).await?))
}

/// The import template of a kind.
#[utoipa::path(get, path = "/v1/template/{kind}",
    params(("kind" = String, Path, description = "host, place, request, listing or another kind that has a template")),
    responses(
        (status = 200, description = "CSV with the headings, one line", body = String, content_type = "text/csv"),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn template<S: Service>(
    State(service): State<S>,
    Named(kind): Named<RecordKind>,
    uri: Uri,
) -> Result<impl IntoResponse> {
    Parameters::read(&uri, &[])?;
    let csv = service.template(kind).await?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv))
}

/// The places of the region that would do for what is looked for, best first.
#[utoipa::path(post, path = "/v1/search", request_body = Search, responses(
    (status = 200, body = Vec<Found>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn search<S: Service>(
    State(service): State<S>,
    uri: Uri,
    Json(search): Json<Search>,
) -> Result<Answer<Vec<Found>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.search(search).await?))
}

/// Which household would go where, for the whole region; and who would go nowhere, and why.
#[utoipa::path(get, path = "/v1/suggestions", responses(
    (status = 200, body = Suggestions),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn suggestions<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Suggestions>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.suggestions().await?))
}

/// The places for a request, or the requests for a place, best first.
#[utoipa::path(get, path = "/v1/suggestions/{id}",
    params(("id" = String, Path, description = "The id of a request or of a place")),
    responses(
        (status = 200, body = Vec<Match>),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn suggest<S: Service>(
    State(service): State<S>,
    Named(id): Named<RecordId>,
    uri: Uri,
) -> Result<Answer<Vec<Match>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.suggest(id).await?))
}

/// Every check of hosts that this council may read, with its clock.
#[utoipa::path(get, path = "/v1/checks",
    params(("on" = Option<String>, Query, description = "As of this day (ISO); today if none is named")),
    responses(
        (status = 200, body = Vec<HostCheck>),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn checks<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<HostCheck>>> {
    let parameters = Parameters::read(&uri, &["on"])?;
    let on = parameters.text("on").map(str::to_owned);
    Ok(Answer(service.checks(on).await?))
}

/// What the checks of each host come to, in all registers that this council may read.
#[utoipa::path(get, path = "/v1/readiness",
    params(("on" = Option<String>, Query, description = "As of this day (ISO); today if none is named")),
    responses(
        (status = 200, body = Vec<HostReadiness>),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn readiness<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<HostReadiness>>> {
    let parameters = Parameters::read(&uri, &["on"])?;
    let on = parameters.text("on").map(str::to_owned);
    Ok(Answer(service.readiness(on).await?))
}

/// Who may or could read the region's registers.
#[utoipa::path(get, path = "/v1/readers", responses(
    (status = 200, body = Vec<Reader>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn readers<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<Reader>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.readers().await?))
}

/// Accepts a reader of this council's register, or takes it back.
#[utoipa::path(post, path = "/v1/readers", request_body = ReaderDecision, responses(
    (status = 200, body = Vec<Reader>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn decide_reader<S: Service>(
    State(service): State<S>,
    uri: Uri,
    Json(decision): Json<ReaderDecision>,
) -> Result<Answer<Vec<Reader>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.decide_reader(decision).await?))
}

/// The roster that the node holds.
#[utoipa::path(get, path = "/v1/roster", responses(
    (status = 200, body = RosterView),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn roster<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<RosterView>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.roster().await?))
}

/// Offers the node a roster that came by hand.
#[utoipa::path(post, path = "/v1/roster", request_body = RosterOffer, responses(
    (status = 200, body = RosterOutcome),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn offer_roster<S: Service>(
    State(service): State<S>,
    uri: Uri,
    Json(offer): Json<RosterOffer>,
) -> Result<Answer<RosterOutcome>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.offer_roster(offer).await?))
}

/// Every key that signed two histories of a document, and what to do about it.
#[utoipa::path(get, path = "/v1/alarms", responses(
    (status = 200, body = Vec<Alarm>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn alarms<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<Alarm>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.alarms().await?))
}

/// This node's signed statement of what it holds of a node's entries in a document, for the
/// SMP admin to cut that node's key.
#[utoipa::path(get, path = "/v1/vouching",
    params(
        ("document" = String, Query, description = "The document's name"),
        ("node" = String, Query, description = "The id of the node whose entries they are"),
    ),
    responses(
        (status = 200, description = "Armoured text", body = String, content_type = "text/plain"),
        (status = "default", description = "What is wrong and what to do next", body = ApiError),
    ))]
pub(super) async fn vouching<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<impl IntoResponse> {
    let parameters = Parameters::read(&uri, &["document", "node"])?;
    let named = |name| parameters.text(name).unwrap_or_default().to_owned();
    let text = service.vouch(named("document"), named("node")).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

/// What fell away of this council's documents with a cut, and is not settled.
#[utoipa::path(get, path = "/v1/fallen", responses(
    (status = 200, body = Vec<FallenField>),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn fallen<S: Service>(
    State(service): State<S>,
    uri: Uri,
) -> Result<Answer<Vec<FallenField>>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.fallen().await?))
}

/// Writes what fell away of a document again, or takes it off the list.
#[utoipa::path(post, path = "/v1/fallen", request_body = FallenDecision, responses(
    (status = 200, body = FallenOutcome),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn decide_fallen<S: Service>(
    State(service): State<S>,
    uri: Uri,
    Json(decision): Json<FallenDecision>,
) -> Result<Answer<FallenOutcome>> {
    Parameters::read(&uri, &[])?;
    Ok(Answer(service.decide_fallen(decision).await?))
}

/// This API as an OpenAPI document.
#[utoipa::path(get, path = "/v1/openapi.json", responses(
    (status = 200, description = "An OpenAPI 3.1 document"),
    (status = "default", description = "What is wrong and what to do next", body = ApiError),
))]
pub(super) async fn openapi(
    Extension(Document(text)): Extension<Document>,
    uri: Uri,
) -> Result<impl IntoResponse> {
    Parameters::read(&uri, &[])?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}
