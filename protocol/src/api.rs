//! What the node's local API says and is told, as JSON over its Unix socket.
//!
//! These are plain words for people and scripts: ids and times are text, and nothing here
//! is signed or stored. Records carry no personal data unless the route says so.

mod cases;
mod checks;
mod events;
mod history;
mod housing;
mod indicators;
mod matching;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use cases::{
    Case, CaseAction, CaseConsent, CaseDecision, CaseEnding, CaseOutcome, CaseQuestion, NewCase,
    Split,
};
pub use checks::{CheckClock, HostCheck, HostReadiness};
pub use events::Event;
pub use history::RecordChange;
pub use housing::{Home, HomeAction, HomeDecision, HomeInterest};
pub use indicators::{Indicators, RegionalFigure};
pub use matching::{Found, Match, Search, Suggestions, Unplaced};

/// An error, with what to do next. Every non-2xx answer has this body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    /// A stable word for scripts, e.g. `not_found`.
    pub code: String,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to do about it: a command to run, or whom to ask.
    pub next: String,
}

/// Something to look after, with what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Advice {
    /// What is wrong, naming the thing.
    pub problem: String,
    /// What to do about it.
    pub next: String,
}

/// `GET /v1/status`: the whole state of the node in one answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The council's GSS code.
    pub council: String,
    /// The council's name.
    pub council_name: String,
    /// The region's name.
    pub region: String,
    /// This node's id.
    pub node: String,
    /// The program's version.
    pub version: String,
    /// When the process started (RFC 3339).
    pub started: String,
    /// The time now at the node (RFC 3339).
    pub now: String,
    /// The roster that it holds.
    pub roster: RosterStatus,
    /// The store's engine, and what it does not promise.
    pub store: StoreStatus,
    /// Every other node of the region.
    pub peers: Vec<PeerStatus>,
    /// Every document that this council may read.
    pub documents: Vec<DocumentStatus>,
    /// Things refused since the start, by reason: peers, rosters, entries.
    pub refused: BTreeMap<String, u64>,
    /// What needs somebody's attention, most urgent first; empty when all is well.
    pub advice: Vec<Advice>,
}

/// The roster that a node holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RosterStatus {
    /// Its version.
    pub version: u64,
    /// `valid`, `expires_soon` or `expired`.
    pub state: String,
    /// When it was signed (RFC 3339).
    pub issued: String,
    /// When it expires (RFC 3339).
    pub expires: String,
    /// Member councils.
    pub members: usize,
    /// Fingerprint of the region authority's key, for comparing by telephone.
    pub authority: String,
}

/// The store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// `redb` or `sled`.
    pub engine: String,
    /// What the engine does not promise; empty for the default.
    pub caveats: Vec<String>,
}

/// One other node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PeerStatus {
    /// Its council's GSS code.
    pub council: String,
    /// Its council's name.
    pub council_name: String,
    /// Its id.
    pub node: String,
    /// Where it is dialled.
    pub endpoint: String,
    /// `connected`, `connecting`, `silent` (connected, and it does not answer) or
    /// `unreachable`.
    pub state: String,
    /// Since when (RFC 3339).
    pub since: String,
    /// Documents that both may read.
    pub shared: usize,
    /// Of those, in agreement when they were last compared.
    pub in_agreement: usize,
    /// When they were last compared (RFC 3339); absent if never.
    pub as_of: Option<String>,
    /// Why it is not connected or not in agreement.
    pub why: Option<String>,
    /// What to do about it.
    pub next: Option<String>,
    /// Bytes sent to it since the start, UDP payload.
    pub bytes_sent: u64,
    /// Bytes received from it since the start, UDP payload.
    pub bytes_received: u64,
}

/// One document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentStatus {
    /// Its name, e.g. `host-register/E08000035`.
    pub document: String,
    /// Its writing council's name.
    pub council_name: String,
    /// `owner` or `reader`.
    pub role: String,
    /// Records in it.
    pub records: usize,
    /// Entries in it.
    pub entries: usize,
    /// Its generation.
    pub generation: u64,
    /// Digest of what is held; equal at two nodes that hold the same.
    pub frontier: String,
    /// The automerge heads; equal wherever the frontier is.
    pub heads: Vec<String>,
    /// `agreed` (this node holds what the owning council last said it holds, or every
    /// connected reader of ours does), `behind`, `not_confirmed` or `never_heard`.
    pub agreement: String,
    /// When the owner last said how it stands (RFC 3339).
    pub as_of: Option<String>,
    /// Entries of this node that no other node is known to hold.
    pub unreplicated: u64,
    /// How each peer that may read it stood when last compared.
    pub peers: Vec<DocumentPeer>,
    /// Why it is not in agreement.
    pub why: Option<String>,
    /// What to do about it.
    pub next: Option<String>,
}

/// One document at one peer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentPeer {
    /// The peer's council.
    pub council: String,
    /// The peer.
    pub node: String,
    /// `agreed`, `differs` or `unknown`.
    pub agreement: String,
    /// When it was last compared (RFC 3339).
    pub as_of: Option<String>,
}

/// One shared record. More than one value in a field is a conflict for a person to settle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// The council whose document it is in.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// Each field's values as text, in the notation of the templates.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Fields with more than one value.
    pub conflicts: Vec<String>,
    /// Personal fields from this council's own vault; only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub personal: Option<BTreeMap<String, String>>,
}

/// `POST /v1/records/{kind}` and `PATCH /v1/record/{id}`: fields by name, as text. An empty
/// text clears an optional field.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordEdit {
    /// Fields by name.
    pub fields: BTreeMap<String, String>,
    /// Wait until another node holds it as well.
    #[serde(default)]
    pub replicated: bool,
    /// Of a new place: the id of the host whose place it is. It stays in this council's vault, and a
    /// failed check of the host closes the place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
}

/// A write that is on this node's disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Stored {
    /// The records written; empty where nothing changed.
    pub records: Vec<String>,
    /// How many other nodes are known to hold it by now.
    pub held_by: usize,
}

/// `POST /v1/import/{kind}`: what a file did, or would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// The file's name.
    pub file: String,
    /// `template`, `share` or `export`.
    pub layout: String,
    /// Rows that stand for a record.
    pub rows: usize,
    /// Records that are new.
    pub created: usize,
    /// Records that changed.
    pub updated: usize,
    /// Records that are as they were.
    pub unchanged: usize,
    /// Records withdrawn because the file, said to be complete, does not mention them.
    pub withdrawn: usize,
    /// Columns that were read and left out.
    pub dropped_columns: Vec<String>,
    /// False for a dry run and where there are problems: nothing was changed.
    pub applied: bool,
    /// Everything that is wrong with the file; nothing was changed.
    pub problems: Vec<ImportProblem>,
    /// How many other nodes are known to hold it by now.
    pub held_by: usize,
}

/// One thing that is wrong with a file. Never holds the value that was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportProblem {
    /// The row in the file, from 1 with the heading; absent for the file as a whole.
    pub row: Option<u32>,
    /// The column's heading.
    pub column: Option<String>,
    /// The kind of value found, e.g. `text`, `empty`.
    pub found: String,
    /// What is expected there.
    pub expected: String,
}

/// `GET /v1/readers`: one council that may or could read one of the region's registers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reader {
    /// The register.
    pub document: String,
    /// The owning council's name.
    pub council_name: String,
    /// The reader's GSS code.
    pub reader: String,
    /// The reader's name.
    pub reader_name: String,
    /// Whether the region's roster names it.
    pub named: bool,
    /// Whether the owning council accepts it, as far as this node knows.
    pub accepted: bool,
    /// What is missing, if anything, and the command that mends it.
    pub next: Option<String>,
}

/// `POST /v1/readers`: this council accepts a reader of its register, or takes it back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderDecision {
    /// The reader's GSS code.
    pub reader: String,
    /// True accepts, false takes it back.
    pub accept: bool,
}

/// `GET /v1/roster`: the roster in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RosterView {
    /// The region's name.
    pub region: String,
    /// The region's name for people.
    pub title: String,
    /// How it stands.
    pub status: RosterStatus,
    /// The schema version that may be written.
    pub schema: u16,
    /// The members.
    pub members: Vec<RosterMember>,
    /// By when each check of a host should be done.
    pub targets: Vec<CheckClock>,
}

/// One node of a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RosterMember {
    /// The council's GSS code.
    pub council: String,
    /// The council's name.
    pub council_name: String,
    /// The node.
    pub node: String,
    /// Where it is dialled.
    pub endpoints: Vec<String>,
    /// Whether it takes its council's exclusive decisions.
    pub decider: bool,
}

/// `POST /v1/roster`: a signed roster as the armoured text that `smp` writes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterOffer {
    /// The armoured text.
    pub text: String,
}

/// What became of a roster that was offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RosterOutcome {
    /// Whether it is newer than the one that was held and holds now.
    pub installed: bool,
    /// The version that holds now.
    pub version: u64,
}

/// `GET /v1/alarms`: a key that signed two histories of a document, and is closed there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Alarm {
    /// The document.
    pub document: String,
    /// The GSS code of the council whose node it is.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// The node whose key it is.
    pub node: String,
    /// Whether that is this node.
    pub own: bool,
    /// Since when this node knows (RFC 3339).
    pub since: String,
    /// Entries of the chain before the two histories part.
    pub common: u64,
    /// The first entry of each history after they part.
    pub histories: Vec<String>,
    /// Which of the two this node holds; absent if neither.
    pub held_here: Option<String>,
    /// Entries of the chain that this node holds.
    pub entries: u64,
    /// What connected readers hold.
    pub peers: Vec<AlarmPeer>,
    /// What to do, in order.
    pub next: Vec<String>,
}

/// Which history a connected reader holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlarmPeer {
    /// Its council's GSS code.
    pub council: String,
    /// The node.
    pub node: String,
    /// `same` as here, `other`, or `unknown`.
    pub history: String,
    /// Entries of the chain that it last showed.
    pub entries: Option<u64>,
}

/// `GET /v1/fallen`: a field of this council's whose value fell away with a cut.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FallenField {
    /// The document.
    pub document: String,
    /// The record.
    pub record: String,
    /// The field.
    pub field: String,
    /// Its value before; more than one were in conflict.
    pub was: Vec<String>,
    /// Its value now.
    pub is: Vec<String>,
}

/// What to do with what fell away of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FallenAction {
    /// Say what writing it again would do, and do nothing.
    Preview,
    /// Write it again wherever the field still has the value that it had after the cut.
    WriteAgain,
    /// Take it off the list: what is there now is right.
    Forget,
}

/// `POST /v1/fallen`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FallenDecision {
    /// The document.
    pub document: String,
    /// What to do.
    pub action: FallenAction,
}

/// What became of what had fallen away.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FallenOutcome {
    /// Fields written again, or that would be.
    pub written: Vec<FallenField>,
    /// Fields that somebody changed since, or that had two values: for a person to settle.
    pub conflicts: Vec<FallenField>,
    /// False for a preview: nothing was changed.
    pub applied: bool,
    /// How many other nodes are known to hold it by now.
    pub held_by: usize,
}
