//! A node that answers the least that the types allow.

mod homes;
mod indicators;

use std::sync::Arc;

use smp_protocol::api::{
    Alarm, Case, CaseDecision, CaseOutcome, CheckClock, FallenAction, FallenDecision, FallenField,
    FallenOutcome, Found, HostCheck, HostReadiness, ImportReport, Match, NewCase, Reader,
    ReaderDecision, Record, RecordChange, RecordEdit, RosterOffer, RosterOutcome, RosterStatus,
    RosterView, Search, Split, Status, StoreStatus, Stored, Suggestions,
};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use crate::events::EventLog;
use crate::service::{Answer, Failure, FailureKind, ImportOptions, Service};

/// A council of which the fake knows nothing.
pub(super) const STRANGER: &str = "E08000035";

#[derive(Clone)]
pub(super) struct Fake(pub(super) Arc<EventLog>);

impl Default for Fake {
    /// One that has nothing to tell, and whose streams end.
    fn default() -> Self {
        let log = EventLog::default();
        log.close();
        Self(Arc::new(log))
    }
}

fn roster() -> RosterStatus {
    RosterStatus {
        version: 3,
        state: "valid".into(),
        issued: "2026-04-01T00:00:00Z".into(),
        expires: "2027-05-01T00:00:00Z".into(),
        members: 1,
        authority: "0000 0000".into(),
    }
}

fn stored() -> Stored {
    Stored {
        records: Vec::new(),
        held_by: 0,
    }
}

impl Fake {
    async fn decided(&self, id: RecordId) -> Answer<CaseOutcome> {
        let case = self.case(id).await?;
        Ok(CaseOutcome {
            case,
            created: Vec::new(),
            held_by: 1,
        })
    }
}

impl Service for Fake {
    fn events(&self) -> Arc<EventLog> {
        Arc::clone(&self.0)
    }

    async fn status(&self) -> Answer<Status> {
        Ok(Status {
            council: "E08000021".into(),
            council_name: "Newcastle upon Tyne".into(),
            region: "north-east".into(),
            node: "00".repeat(16),
            version: "0.1.0".into(),
            started: "2026-04-01T00:00:00Z".into(),
            now: "2026-04-01T00:00:00Z".into(),
            roster: roster(),
            store: StoreStatus {
                engine: "redb".into(),
                caveats: Vec::new(),
            },
            peers: Vec::new(),
            documents: Vec::new(),
            refused: Default::default(),
            advice: Vec::new(),
        })
    }

    async fn records(&self, _: RecordKind, council: Option<CouncilCode>) -> Answer<Vec<Record>> {
        match council {
            Some(council) if council.as_str() == STRANGER => Err(Failure::new(
                FailureKind::NotFound,
                "not_a_member",
                format!("{council} is no member"),
                "run `smp roster show`",
            )),
            _ => Ok(Vec::new()),
        }
    }

    async fn record(&self, id: RecordId, personal: bool) -> Answer<Record> {
        Ok(Record {
            id: id.to_string(),
            council: "E08000021".into(),
            council_name: "Newcastle upon Tyne".into(),
            fields: Default::default(),
            conflicts: Vec::new(),
            personal: personal.then(Default::default),
        })
    }

    async fn create(&self, _: RecordKind, _: RecordEdit) -> Answer<Stored> {
        Ok(stored())
    }

    async fn update(&self, _: RecordId, _: RecordEdit) -> Answer<Stored> {
        Ok(stored())
    }

    async fn import(
        &self,
        _: RecordKind,
        options: ImportOptions,
        bytes: Vec<u8>,
    ) -> Answer<ImportReport> {
        Ok(ImportReport {
            file: options.file_name,
            layout: "template".into(),
            rows: bytes.len(),
            created: 0,
            updated: 0,
            unchanged: 0,
            withdrawn: 0,
            dropped_columns: Vec::new(),
            applied: !options.dry_run,
            problems: Vec::new(),
            held_by: usize::from(options.replicated) + 2 * usize::from(options.complete),
        })
    }

    async fn template(&self, _: RecordKind) -> Answer<String> {
        Ok("reference,bedrooms\n".into())
    }

    async fn history(&self, _: RecordId) -> Answer<Vec<RecordChange>> {
        Ok(Vec::new())
    }

    async fn cases(&self) -> Answer<Vec<Case>> {
        Ok(Vec::new())
    }

    async fn case(&self, id: RecordId) -> Answer<Case> {
        Ok(Case {
            id: id.to_string(),
            stage: "proposed".into(),
            turn: "host".into(),
            yours: false,
            guest: "E08000021".into(),
            guest_name: "Newcastle upon Tyne".into(),
            host: STRANGER.into(),
            host_name: "Leeds".into(),
            since: "2026-04-01T00:00:00Z".into(),
            silence: "nothing is locked".into(),
            ..Case::default()
        })
    }

    async fn new_case(&self, _: NewCase) -> Answer<CaseOutcome> {
        let id = RecordId::new(RecordKind::Proposal, [1; 15]);
        self.decided(id).await
    }

    async fn decide_case(&self, id: RecordId, _: CaseDecision) -> Answer<CaseOutcome> {
        self.decided(id).await
    }

    async fn split(&self, id: RecordId, _: Split) -> Answer<Stored> {
        Ok(Stored {
            records: vec![id.to_string()],
            held_by: 0,
        })
    }

    async fn search(&self, _: Search) -> Answer<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn suggest(&self, _: RecordId) -> Answer<Vec<Match>> {
        Ok(Vec::new())
    }

    async fn checks(&self, _: Option<String>) -> Answer<Vec<HostCheck>> {
        Ok(Vec::new())
    }

    async fn readiness(&self, _: Option<String>) -> Answer<Vec<HostReadiness>> {
        Ok(Vec::new())
    }

    async fn suggestions(&self) -> Answer<Suggestions> {
        Ok(Suggestions {
            matches: Vec::new(),
            unplaced: Vec::new(),
            left_out: 0,
        })
    }

    async fn readers(&self) -> Answer<Vec<Reader>> {
        Ok(Vec::new())
    }

    async fn decide_reader(&self, _: ReaderDecision) -> Answer<Vec<Reader>> {
        Ok(Vec::new())
    }

    async fn roster(&self) -> Answer<RosterView> {
        Ok(RosterView {
            region: "north-east".into(),
            title: "North East Migration Partnership".into(),
            status: roster(),
            schema: 1,
            members: Vec::new(),
            targets: CheckClock::all(&[]),
        })
    }

    async fn offer_roster(&self, _: RosterOffer) -> Answer<RosterOutcome> {
        Ok(RosterOutcome {
            installed: false,
            version: 3,
        })
    }

    async fn alarms(&self) -> Answer<Vec<Alarm>> {
        Ok(Vec::new())
    }

    async fn vouch(&self, document: String, node: String) -> Answer<String> {
        Ok(format!("{document} {node}"))
    }

    async fn fallen(&self) -> Answer<Vec<FallenField>> {
        Ok(Vec::new())
    }

    async fn decide_fallen(&self, decision: FallenDecision) -> Answer<FallenOutcome> {
        Ok(FallenOutcome {
            written: Vec::new(),
            conflicts: Vec::new(),
            applied: decision.action != FallenAction::Preview,
            held_by: 0,
        })
    }
}
