//! The desk: what the local API asks, answered from the engine.
//!
//! Questions run on the engine's thread between two flushes, so they see only what is on
//! disk, and a write is acknowledged only after its flush. Nothing here logs a field.

mod cases;
mod checks;
mod events;
mod forks;
mod history;
mod homes;
mod imports;
mod indicators;
mod matching;
mod records;
mod region;
mod remarks;
mod status;

use std::sync::Arc;
use std::time::Duration;

use smp_protocol::api::{
    self, Alarm, Case, CaseDecision, CaseOutcome, FallenDecision, FallenField, FallenOutcome,
    Found, Home, HomeDecision, HomeInterest, HostCheck, HostReadiness, ImportReport, Match,
    NewCase, Reader, ReaderDecision, Record, RecordChange, RecordEdit, RosterOffer, RosterOutcome,
    RosterView, Search, Split, Status, Stored, Suggestions,
};
use smp_protocol::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use smp_protocol::schema;
use smp_protocol::session::{Receipt, WriteError};

use crate::engine::{Core, EngineGone, EngineHandle};
use crate::events::EventLog;
use crate::service::{
    Answer, Failure, FailureKind, Homes, ImportOptions, IndicatorQuery, Indicators, Service,
};
use crate::shared::Shared;
use crate::store::EngineKind;
use crate::transport::Meter;

/// How long `--replicated` waits before it answers that no other node holds the write yet.
const REPLICATION: Duration = Duration::from_secs(30);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

/// Answers the local API. Cheap to copy.
#[derive(Clone)]
pub struct Desk {
    engine: EngineHandle,
    shared: Arc<Shared>,
    meter: Meter,
    store: EngineKind,
}

impl Desk {
    /// A desk in front of a running engine.
    pub fn new(engine: EngineHandle, shared: Arc<Shared>, meter: Meter, store: EngineKind) -> Self {
        Self {
            engine,
            shared,
            meter,
            store,
        }
    }

    /// Works something out on the engine's thread that changes nothing.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Answer<T> {
        let answer = self.engine.ask(work).await;
        answer.map_err(|gone| self.not_ready(gone))
    }

    /// Writes something on the engine's thread.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Answer<T> {
        let answer = self.engine.write(work).await;
        answer.map_err(|gone| self.not_ready(gone))
    }

    fn not_ready(&self, gone: EngineGone) -> Failure {
        let why = self.shared.trouble().unwrap_or_else(|| gone.to_string());
        Failure::new(
            FailureKind::Unavailable,
            "not_ready",
            format!("the node is not ready for that: {why}"),
            "nothing of the request was kept; look at the node's log (`journalctl -u smp-node`) and try again",
        )
    }

    /// How many other nodes hold these writes, waiting a while for the first if that was
    /// asked for. None is no failure: the write is stored here.
    async fn held_by(&self, receipts: Vec<Receipt>, wait: bool) -> usize {
        let deadline = tokio::time::Instant::now() + REPLICATION;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            let asked = receipts.clone();
            // The write is stored; that the engine cannot be asked now does not undo it.
            let count = self
                .ask(move |core| asked.iter().map(|r| core.member.holders(r)).min())
                .await
                .ok()
                .flatten()
                .unwrap_or(0);
            let over = tokio::time::Instant::now() >= deadline;
            if count > 0 || !wait || over || receipts.is_empty() {
                return count;
            }
        }
    }
}

/// The kind of document that holds a kind of record.
fn document_of(kind: RecordKind) -> Option<DocumentKind> {
    DocumentKind::OF_EACH
        .into_iter()
        .find(|document| schema::kinds_of(*document).contains(&kind))
}

/// A refused write, for people.
fn refused(error: &WriteError) -> Failure {
    let (kind, next) = match error {
        WriteError::Refused { .. } => (
            FailureKind::BadRequest,
            "nothing was changed; mend the values and try again",
        ),
        WriteError::NotListed => (
            FailureKind::Conflict,
            "ask the SMP admin to enrol this node (`smp member enrol`)",
        ),
        WriteError::KeyClosed(_) => (
            FailureKind::Conflict,
            "nothing was changed; `smp documents --alarms` says what is known and what to do",
        ),
        WriteError::KeyCut(_) => (
            FailureKind::Conflict,
            "nothing was changed; write at another node of this council, or enrol one with keys \
             of its own (`smp-node init`, `smp member enrol`)",
        ),
        WriteError::NotAMember(_) | WriteError::TooManyReaders => (
            FailureKind::BadRequest,
            "`smp roster show` lists the members of the region",
        ),
    };
    Failure::new(kind, "refused", error.to_string(), next)
}

impl Indicators for Desk {
    async fn indicators(&self, query: IndicatorQuery) -> Answer<api::Indicators> {
        self.count(query).await
    }
}

impl Homes for Desk {
    async fn homes(&self) -> Answer<Vec<Home>> {
        self.ask(homes::list).await?
    }

    async fn interests(&self) -> Answer<Vec<HomeInterest>> {
        self.ask(homes::interests).await
    }

    async fn decide_home(&self, id: RecordId, decision: HomeDecision) -> Answer<Stored> {
        self.decide_of_home(id, decision).await
    }
}

impl Service for Desk {
    async fn status(&self) -> Answer<Status> {
        Ok(self.with_hook(self.status_now().await?))
    }

    fn events(&self) -> Arc<EventLog> {
        Arc::clone(self.shared.events())
    }

    async fn records(&self, kind: RecordKind, council: Option<CouncilCode>) -> Answer<Vec<Record>> {
        self.ask(move |core| records::list(core, kind, council))
            .await
    }

    async fn record(&self, id: RecordId, personal: bool) -> Answer<Record> {
        self.ask(move |core| records::show(core, id, personal))
            .await?
    }

    async fn history(&self, id: RecordId) -> Answer<Vec<RecordChange>> {
        self.ask(move |core| history::of(core, id)).await?
    }

    async fn create(&self, kind: RecordKind, edit: RecordEdit) -> Answer<Stored> {
        self.create_record(kind, edit).await
    }

    async fn update(&self, id: RecordId, edit: RecordEdit) -> Answer<Stored> {
        self.update_record(id, edit).await
    }

    async fn import(
        &self,
        kind: RecordKind,
        options: ImportOptions,
        bytes: Vec<u8>,
    ) -> Answer<ImportReport> {
        self.import_file(kind, options, bytes).await
    }

    async fn template(&self, kind: RecordKind) -> Answer<String> {
        String::from_utf8(crate::import::template(kind)).map_err(|_| {
            Failure::new(
                FailureKind::Internal,
                "template",
                "the template is not text",
                "report this as a defect",
            )
        })
    }

    async fn cases(&self) -> Answer<Vec<Case>> {
        self.ask(cases::list).await
    }

    async fn case(&self, id: RecordId) -> Answer<Case> {
        self.ask(move |core| cases::show(core, id)).await?
    }

    async fn new_case(&self, new: NewCase) -> Answer<CaseOutcome> {
        self.propose(new).await
    }

    async fn decide_case(&self, id: RecordId, decision: CaseDecision) -> Answer<CaseOutcome> {
        Desk::decide_case(self, id, decision).await
    }

    async fn split(&self, id: RecordId, split: Split) -> Answer<Stored> {
        self.split_request(id, split).await
    }

    async fn search(&self, search: Search) -> Answer<Vec<Found>> {
        self.search_places(search).await
    }

    async fn suggest(&self, id: RecordId) -> Answer<Vec<Match>> {
        self.suggest_for(id).await
    }

    async fn suggestions(&self) -> Answer<Suggestions> {
        self.suggest_all().await
    }

    async fn checks(&self, on: Option<String>) -> Answer<Vec<HostCheck>> {
        let day = checks::day(on.as_deref())?;
        self.ask(move |core| checks::list(core, day)).await
    }

    async fn readiness(&self, on: Option<String>) -> Answer<Vec<HostReadiness>> {
        let day = checks::day(on.as_deref())?;
        self.ask(move |core| checks::readiness(core, day)).await
    }

    async fn readers(&self) -> Answer<Vec<Reader>> {
        self.ask(region::readers).await
    }

    async fn decide_reader(&self, decision: ReaderDecision) -> Answer<Vec<Reader>> {
        self.decide(decision).await
    }

    async fn roster(&self) -> Answer<RosterView> {
        Ok(region::roster_view(&self.shared))
    }

    async fn offer_roster(&self, offer: RosterOffer) -> Answer<RosterOutcome> {
        self.take_roster(offer).await
    }

    async fn alarms(&self) -> Answer<Vec<Alarm>> {
        self.ask(forks::alarms).await
    }

    async fn vouch(&self, document: String, node: String) -> Answer<String> {
        self.vouch_for(document, node).await
    }

    async fn fallen(&self) -> Answer<Vec<FallenField>> {
        self.fallen_fields().await
    }

    async fn decide_fallen(&self, decision: FallenDecision) -> Answer<FallenOutcome> {
        self.decide_about_fallen(decision).await
    }
}
