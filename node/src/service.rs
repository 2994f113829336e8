//! What the local API can ask of a node.
//!
//! The HTTP routes know this trait and nothing behind it, so they are tested against a fake
//! and the engine never sees a request. An answer carries no personal data unless the
//! question asks for it by name; a failure never does.

mod homes;
mod indicators;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use smp_protocol::api::{
    Alarm, ApiError, Case, CaseDecision, CaseOutcome, FallenDecision, FallenField, FallenOutcome,
    Found, HostCheck, HostReadiness, ImportReport, Match, NewCase, Reader, ReaderDecision, Record,
    RecordChange, RecordEdit, RosterOffer, RosterOutcome, RosterView, Search, Split, Status,
    Stored, Suggestions,
};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use crate::events::EventLog;
pub use homes::Homes;
pub use indicators::{IndicatorQuery, Indicators};

/// Whose fault a failure is, and so which HTTP status it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// What was sent is not acceptable, whenever it is sent.
    BadRequest,
    /// There is no such thing here.
    NotFound,
    /// It does not fit what is here now.
    Conflict,
    /// The node cannot do it now: starting, stopping, no room, or not its turn.
    Unavailable,
    /// A defect of ours, or a damaged store.
    Internal,
}

/// Why the node did not do what it was asked. Nothing was changed unless it says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// What is wrong and what to do next.
    pub error: ApiError,
}

impl Failure {
    /// A failure from its three parts: a stable word, what is wrong, what to do.
    pub fn new(
        kind: FailureKind,
        code: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            error: ApiError {
                code: code.to_owned(),
                message: message.into(),
                next: next.into(),
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.error.message, self.error.next)
    }
}

impl std::error::Error for Failure {}

/// What became of a question.
pub type Answer<T> = Result<T, Failure>;

/// How a file is to be imported.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportOptions {
    /// The file's name; its ending says what it is.
    pub file_name: String,
    /// Say what it would do, and do nothing.
    pub dry_run: bool,
    /// The file is the whole list: what it does not mention is withdrawn.
    pub complete: bool,
    /// Wait until another node holds it as well.
    pub replicated: bool,
}

/// A running node, as the local API sees it.
///
/// A future may be dropped before it is ready (the caller hung up, or took too long): a
/// write then happens whole or not at all.
pub trait Service: Homes + Indicators + Clone + Send + Sync + 'static {
    /// The whole state of the node.
    fn status(&self) -> impl Future<Output = Answer<Status>> + Send;

    /// Every shared record of a kind that this council may read, or one council's.
    fn records(
        &self,
        kind: RecordKind,
        council: Option<CouncilCode>,
    ) -> impl Future<Output = Answer<Vec<Record>>> + Send;

    /// One record; `personal` adds what this council's own vault has about it.
    fn record(&self, id: RecordId, personal: bool) -> impl Future<Output = Answer<Record>> + Send;

    /// What became of a record that this council may read, the first change first; of a host also of
    /// its checks.
    fn history(&self, id: RecordId) -> impl Future<Output = Answer<Vec<RecordChange>>> + Send;

    /// Writes a new record into this council's own document.
    fn create(
        &self,
        kind: RecordKind,
        edit: RecordEdit,
    ) -> impl Future<Output = Answer<Stored>> + Send;

    /// Changes fields of one of this council's own records.
    fn update(&self, id: RecordId, edit: RecordEdit)
    -> impl Future<Output = Answer<Stored>> + Send;

    /// Imports a file, all of it or nothing.
    fn import(
        &self,
        kind: RecordKind,
        options: ImportOptions,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Answer<ImportReport>> + Send;

    /// The import template of a kind, as CSV.
    fn template(&self, kind: RecordKind) -> impl Future<Output = Answer<String>> + Send;

    /// Every case that this council has with another.
    fn cases(&self) -> impl Future<Output = Answer<Vec<Case>>> + Send;

    /// One case.
    fn case(&self, id: RecordId) -> impl Future<Output = Answer<Case>> + Send;

    /// Proposes places for a request of this council.
    fn new_case(&self, new: NewCase) -> impl Future<Output = Answer<CaseOutcome>> + Send;

    /// Carries out what an officer decided of a case.
    fn decide_case(
        &self,
        id: RecordId,
        decision: CaseDecision,
    ) -> impl Future<Output = Answer<CaseOutcome>> + Send;

    /// Makes several requests of one, and ends what was proposed for it.
    fn split(&self, id: RecordId, split: Split) -> impl Future<Output = Answer<Stored>> + Send;

    /// The places that would do for what is looked for, best first.
    fn search(&self, search: Search) -> impl Future<Output = Answer<Vec<Found>>> + Send;

    /// The places for a request, or the requests for a place, best first.
    fn suggest(&self, id: RecordId) -> impl Future<Output = Answer<Vec<Match>>> + Send;

    /// Which household would go where, for the whole region.
    fn suggestions(&self) -> impl Future<Output = Answer<Suggestions>> + Send;

    /// Every check of hosts that this council may read, with its clock as of a day (ISO); today if
    /// none is named.
    fn checks(&self, on: Option<String>) -> impl Future<Output = Answer<Vec<HostCheck>>> + Send;

    /// What the checks of each host come to, as of a day.
    fn readiness(
        &self,
        on: Option<String>,
    ) -> impl Future<Output = Answer<Vec<HostReadiness>>> + Send;

    /// Who may or could read the region's registers.
    fn readers(&self) -> impl Future<Output = Answer<Vec<Reader>>> + Send;

    /// Accepts a reader of this council's register, or takes it back.
    fn decide_reader(
        &self,
        decision: ReaderDecision,
    ) -> impl Future<Output = Answer<Vec<Reader>>> + Send;

    /// The roster that the node holds.
    fn roster(&self) -> impl Future<Output = Answer<RosterView>> + Send;

    /// Offers the node a roster that came by hand.
    fn offer_roster(
        &self,
        offer: RosterOffer,
    ) -> impl Future<Output = Answer<RosterOutcome>> + Send;

    /// Every key that signed two histories of a document that this council may read.
    fn alarms(&self) -> impl Future<Output = Answer<Vec<Alarm>>> + Send;

    /// This node's signed statement of what it holds of a node's entries, as armoured text.
    fn vouch(&self, document: String, node: String) -> impl Future<Output = Answer<String>> + Send;

    /// What fell away of this council's documents with a cut.
    fn fallen(&self) -> impl Future<Output = Answer<Vec<FallenField>>> + Send;

    /// What this council's officers are told.
    fn events(&self) -> Arc<EventLog>;

    /// Writes what fell away of a document again, or takes it off the list.
    fn decide_fallen(
        &self,
        decision: FallenDecision,
    ) -> impl Future<Output = Answer<FallenOutcome>> + Send;
}
