//! The OpenAPI document: built from the same list as the router, so that neither has a
//! route which the other lacks.

use axum::body::Bytes;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use smp_protocol::api;
use utoipa::openapi::path::Paths;
use utoipa::{OpenApi, Path};
use utoipa_axum::PathItemExt;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{Health, events, homes, indicators, routes};
use crate::service::Service;

/// The frame of the document: everything but the paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "smp-node local API",
        description = "JSON over the node's Unix socket, for `smp` and for scripts on the same \
                       machine. Whoever may open the socket may do everything. Records carry \
                       no personal data unless the request asks for it by name.",
        version = "1",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "http://localhost", description = "The Unix socket named in smp-node.toml")),
    components(schemas(
        api::Advice, api::Alarm, api::AlarmPeer, api::ApiError, api::Case, api::CaseAction,
        api::CaseConsent, api::CaseDecision, api::CaseEnding, api::CaseOutcome, api::CaseQuestion, api::Event, api::NewCase,
        api::Split, api::FallenAction, api::Found,
        api::Home, api::HomeAction, api::HomeDecision, api::HomeInterest,
        api::Indicators, api::RegionalFigure,
        api::CheckClock, api::HostCheck, api::HostReadiness, api::Match, api::Search, api::Suggestions,
        api::Unplaced,
        api::FallenDecision, api::FallenField, api::FallenOutcome, api::DocumentPeer, api::DocumentStatus, api::ImportProblem,
        api::ImportReport, api::PeerStatus, api::Reader, api::ReaderDecision, api::Record, api::RecordChange,
        api::RecordEdit, api::RosterMember, api::RosterOffer, api::RosterOutcome,
        api::RosterStatus, api::RosterView, api::Status, api::StoreStatus, api::Stored, Health,
    ))
)]
pub(super) struct Frame;

/// The document as text, for the route that answers it.
#[derive(Clone)]
pub(super) struct Document(pub(super) Bytes);

/// A handler with its entry in the document. `utoipa_axum::routes!` does the same, but
/// takes no generic handlers.
fn entry<P, H, T, S>(_: P, handler: H) -> UtoipaMethodRouter<S>
where
    P: Path,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let router = P::methods().iter().fold(MethodRouter::new(), |router, m| {
        router.on(m.to_method_filter(), handler.clone())
    });
    let mut paths = Paths::new();
    paths.add_path_operation(P::path(), P::methods(), P::operation());
    (Vec::new(), paths, router)
}

/// The routes that answer at once.
pub(super) fn quick<S: Service>() -> OpenApiRouter<S> {
    use super::cases::*;
    use routes::*;
    OpenApiRouter::with_openapi(Frame::openapi())
        .routes(entry(__path_health, health))
        .routes(entry(__path_openapi, openapi))
        .routes(entry(__path_status, status::<S>))
        .routes(entry(__path_peers, peers::<S>))
        .routes(entry(__path_documents, documents::<S>))
        .routes(entry(__path_records, records::<S>))
        .routes(entry(__path_record, record::<S>))
        .routes(entry(__path_history, history::<S>))
        .routes(entry(__path_template, template::<S>))
        .routes(entry(__path_cases, cases::<S>))
        .routes(entry(__path_new_case, new_case::<S>))
        .routes(entry(__path_case, case::<S>))
        .routes(entry(__path_decide_case, decide_case::<S>))
        .routes(entry(__path_split, split::<S>))
        .routes(entry(__path_search, search::<S>))
        .routes(entry(__path_suggestions, suggestions::<S>))
        .routes(entry(__path_checks, checks::<S>))
        .routes(entry(__path_readiness, readiness::<S>))
        .routes(entry(__path_suggest, suggest::<S>))
        .routes(entry(homes::__path_homes, homes::homes::<S>))
        .routes(entry(
            indicators::__path_indicators,
            indicators::indicators::<S>,
        ))
        .routes(entry(homes::__path_interests, homes::interests::<S>))
        .routes(entry(__path_readers, readers::<S>))
        .routes(entry(__path_decide_reader, decide_reader::<S>))
        .routes(entry(__path_roster, roster::<S>))
        .routes(entry(__path_offer_roster, offer_roster::<S>))
        .routes(entry(__path_alarms, alarms::<S>))
        .routes(entry(__path_vouching, vouching::<S>))
        .routes(entry(__path_fallen, fallen::<S>))
        .routes(entry(__path_decide_fallen, decide_fallen::<S>))
        .routes(entry(events::__path_events, events::events::<S>))
}

/// Those that may take as long as the caller waits: a large file, or a write that is to be
/// held by another node as well, which may be away for hours.
pub(super) fn slow<S: Service>() -> OpenApiRouter<S> {
    use routes::*;
    OpenApiRouter::new()
        .routes(entry(__path_create, create::<S>))
        .routes(entry(__path_update, update::<S>))
        .routes(entry(__path_import, import::<S>))
        .routes(entry(homes::__path_decide_home, homes::decide_home::<S>))
}
