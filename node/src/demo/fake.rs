//! A region in memory, for testing the demo itself: nodes that copy from each other a little
//! with each look, and can be told to fail at it.

mod homes;
mod indicators;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use smp_certs::{JoinBundle, NodeKeys};
use smp_protocol::api::{
    Alarm, Case, CaseAction, CaseDecision, CaseOutcome, DocumentStatus, FallenDecision,
    FallenField, FallenOutcome, Found, HostCheck, HostReadiness, ImportReport, Match, NewCase,
    PeerStatus, Reader, ReaderDecision, Record, RecordChange, RecordEdit, RosterOffer,
    RosterOutcome, RosterStatus, RosterView, Search, Split, Status, StoreStatus, Stored,
    Suggestions,
};
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, RecordId, RecordKind};
use smp_protocol::schema::kinds_of;
use smp_protocol::time::UnixSeconds;

use super::councils::{Council, nearest};
use super::program::{Program, Site};
use crate::events::EventLog;
use crate::import;
use crate::service::{Answer, Failure, FailureKind, ImportOptions, Service};

/// Entries that a node takes over from another with each look at it.
const STEP: usize = 100;

#[derive(Default)]
pub(super) struct World {
    /// Entries of each document, as its council has written them.
    written: BTreeMap<DocumentName, usize>,
    /// Hosts of each council.
    hosts: BTreeMap<CouncilCode, Vec<RecordId>>,
    /// Entries that a council holds of others' documents.
    copies: BTreeMap<(CouncilCode, DocumentName), usize>,
    /// Readers named by the roster and accepted by the council.
    named: BTreeSet<(DocumentName, CouncilCode)>,
    accepted: BTreeSet<(DocumentName, CouncilCode)>,
    members: BTreeSet<CouncilCode>,
    running: BTreeSet<CouncilCode>,
    /// Every node that was started, in order.
    pub(super) started: Vec<CouncilCode>,
    /// The one case, from when it was proposed.
    pub(super) case: Option<Case>,
    /// A copy that never comes to its reader.
    pub(super) withheld: Option<(CouncilCode, DocumentName)>,
    /// A copy whose heads are not its owner's.
    pub(super) wrong_heads: Option<(CouncilCode, DocumentName)>,
    /// A register that reaches a council which is no reader of it.
    pub(super) leaked: Option<(CouncilCode, DocumentName)>,
}

#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<Mutex<World>>);

#[derive(Clone)]
pub(super) struct FakeNode {
    world: Arc<Mutex<World>>,
    pub(super) council: CouncilCode,
    /// Counts who can still ask this node something.
    askers: Arc<()>,
}

impl Fake {
    pub(super) fn node(&self, council: CouncilCode) -> FakeNode {
        self.0.lock().unwrap().members.insert(council);
        self.0.lock().unwrap().running.insert(council);
        FakeNode {
            world: Arc::clone(&self.0),
            council,
            askers: Arc::default(),
        }
    }
}

impl Fake {
    /// Opens a council's register to its nearest.
    pub(super) fn allow(&self, council: &Council, councils: &[Council]) {
        let register = DocumentKind::HostRegister.of(council.code);
        let mut world = self.0.lock().unwrap();
        for near in nearest(council, councils) {
            world.named.insert((register, near.code));
            world.accepted.insert((register, near.code));
        }
    }
}

impl Program for Fake {
    type Service = FakeNode;
    type Node = FakeNode;

    fn install(&self, site: &Site, keys: &NodeKeys, bundle: &JoinBundle) -> Result<(), String> {
        let now = jiff::Timestamp::now().as_second();
        let now = UnixSeconds(u64::try_from(now).unwrap());
        let roster = bundle
            .verify(keys, now)
            .map_err(|error| error.to_string())?;
        assert!(roster.node(keys.node_id()).unwrap().1.endpoints == [site.endpoint.to_string()]);
        std::fs::create_dir(&site.dir).map_err(|error| error.to_string())?;
        let mut world = self.0.lock().unwrap();
        for readers in &roster.readers {
            let named = readers
                .councils
                .iter()
                .map(|council| (readers.document, *council));
            world.named.extend(named);
        }
        Ok(())
    }

    async fn start(&self, site: &Site) -> Result<FakeNode, String> {
        self.0.lock().unwrap().started.push(site.council);
        Ok(self.node(site.council))
    }

    fn service(&self, node: &FakeNode) -> FakeNode {
        node.clone()
    }

    async fn stop(&self, node: FakeNode) {
        // The real one would keep its port, and could not be started again.
        assert_eq!(Arc::strong_count(&node.askers), 1, "asked after it stopped");
        assert!(self.0.lock().unwrap().running.remove(&node.council));
    }
}

impl World {
    fn reads(&self, council: CouncilCode, document: DocumentName) -> bool {
        document.council == council
            || document.kind != DocumentKind::HostRegister
            || self.leaked == Some((council, document))
            || (self.named.contains(&(document, council))
                && self.accepted.contains(&(document, council)))
    }

    fn sync(&mut self, council: CouncilCode) {
        let documents: Vec<(DocumentName, usize)> = self
            .written
            .iter()
            .map(|(document, entries)| (*document, *entries))
            .collect();
        for (document, entries) in documents {
            let withheld = self.withheld == Some((council, document));
            if self.running.contains(&document.council)
                && self.reads(council, document)
                && !withheld
            {
                let held = self.copies.entry((council, document)).or_default();
                *held = (*held + STEP).min(entries);
            }
        }
    }

    fn document(&self, council: CouncilCode, document: DocumentName) -> DocumentStatus {
        let own = document.council == council;
        let copy = self.copies.get(&(council, document)).copied().unwrap_or(0);
        let entries = if own { self.written[&document] } else { copy };
        let wrong = self.wrong_heads == Some((council, document));
        DocumentStatus {
            document: document.to_string(),
            council_name: String::new(),
            role: if own { "owner" } else { "reader" }.to_owned(),
            records: entries,
            entries,
            generation: 1,
            frontier: format!("{document} {entries}"),
            heads: vec![format!("{entries} {wrong}")],
            agreement: "agreed".to_owned(),
            as_of: None,
            unreplicated: 0,
            peers: Vec::new(),
            why: None,
            next: None,
        }
    }
}

fn peer(council: CouncilCode) -> PeerStatus {
    PeerStatus {
        council: council.to_string(),
        council_name: String::new(),
        node: String::new(),
        endpoint: String::new(),
        state: "connected".to_owned(),
        since: String::new(),
        shared: 0,
        in_agreement: 0,
        as_of: None,
        why: None,
        next: None,
        bytes_sent: 1000,
        bytes_received: 500,
    }
}

fn case(new: NewCase) -> Case {
    Case {
        id: RecordId::new(RecordKind::Proposal, [2; 15]).to_string(),
        stage: "proposed".to_owned(),
        turn: "host".to_owned(),
        request: new.request,
        place: new.places.first().cloned(),
        places: new.places,
        ..Case::default()
    }
}

fn outcome(case: Case) -> CaseOutcome {
    CaseOutcome {
        case,
        created: Vec::new(),
        held_by: 0,
    }
}

fn place_of(case: &Case) -> Record {
    let state = if case.stage == "placed" {
        "taken"
    } else {
        "open"
    };
    Record {
        id: case.place.clone().unwrap(),
        council: String::new(),
        council_name: String::new(),
        fields: BTreeMap::from([("state".to_owned(), vec![state.to_owned()])]),
        conflicts: Vec::new(),
        personal: None,
    }
}

fn not_here<T>() -> Answer<T> {
    Err(Failure::new(
        FailureKind::NotFound,
        "not_found",
        "not in this fake",
        "use a node",
    ))
}

impl FakeNode {
    fn write(&self, kind: RecordKind, count: usize) {
        let document = DocumentKind::OF_EACH
            .into_iter()
            .find(|d| kinds_of(*d).contains(&kind));
        let mut world = self.world.lock().unwrap();
        assert!(world.running.contains(&self.council));
        *world
            .written
            .entry(document.unwrap().of(self.council))
            .or_default() += count;
    }
}

impl Service for FakeNode {
    fn events(&self) -> Arc<EventLog> {
        Arc::default()
    }

    async fn status(&self) -> Answer<Status> {
        let mut world = self.world.lock().unwrap();
        world.sync(self.council);
        let documents = world
            .written
            .keys()
            .filter(|d| world.reads(self.council, **d));
        let documents = documents.map(|document| world.document(self.council, *document));
        let others = world.running.iter().filter(|other| **other != self.council);
        Ok(Status {
            council: self.council.to_string(),
            council_name: String::new(),
            region: String::new(),
            node: String::new(),
            version: String::new(),
            started: String::new(),
            now: String::new(),
            roster: RosterStatus {
                version: 1,
                state: "valid".to_owned(),
                issued: String::new(),
                expires: String::new(),
                members: world.members.len(),
                authority: String::new(),
            },
            store: StoreStatus {
                engine: "redb".to_owned(),
                caveats: Vec::new(),
            },
            peers: others.map(|other| peer(*other)).collect(),
            documents: documents.collect(),
            refused: BTreeMap::new(),
            advice: Vec::new(),
        })
    }

    async fn records(&self, kind: RecordKind, _: Option<CouncilCode>) -> Answer<Vec<Record>> {
        let world = self.world.lock().unwrap();
        if kind == RecordKind::Place {
            return Ok(world.case.iter().map(place_of).collect());
        }
        let hosts = world.hosts.get(&self.council).into_iter().flatten();
        let record = |id: &RecordId| Record {
            id: id.to_string(),
            council: self.council.to_string(),
            council_name: String::new(),
            fields: BTreeMap::new(),
            conflicts: Vec::new(),
            personal: None,
        };
        Ok(hosts.map(record).collect())
    }

    async fn record(&self, _: RecordId, _: bool) -> Answer<Record> {
        not_here()
    }

    async fn create(&self, kind: RecordKind, _: RecordEdit) -> Answer<Stored> {
        self.write(kind, 1);
        Ok(Stored {
            records: Vec::new(),
            held_by: 0,
        })
    }

    async fn update(&self, id: RecordId, _: RecordEdit) -> Answer<Stored> {
        self.write(id.kind(), 1);
        Ok(Stored {
            records: Vec::new(),
            held_by: 0,
        })
    }

    async fn import(
        &self,
        kind: RecordKind,
        options: ImportOptions,
        bytes: Vec<u8>,
    ) -> Answer<ImportReport> {
        let rows = import::read(kind, &options.file_name, &bytes)
            .unwrap()
            .rows
            .len();
        self.write(kind, rows);
        let host = RecordId::new(RecordKind::Host, [1; 15]);
        self.world
            .lock()
            .unwrap()
            .hosts
            .insert(self.council, vec![host]);
        Ok(ImportReport {
            file: options.file_name,
            layout: "template".to_owned(),
            rows,
            created: rows,
            updated: 0,
            unchanged: 0,
            withdrawn: 0,
            dropped_columns: Vec::new(),
            applied: true,
            problems: Vec::new(),
            held_by: 0,
        })
    }

    async fn template(&self, _: RecordKind) -> Answer<String> {
        not_here()
    }

    async fn history(&self, _: RecordId) -> Answer<Vec<RecordChange>> {
        not_here()
    }

    async fn cases(&self) -> Answer<Vec<Case>> {
        Ok(self.world.lock().unwrap().case.iter().cloned().collect())
    }

    async fn case(&self, _: RecordId) -> Answer<Case> {
        not_here()
    }

    async fn new_case(&self, new: NewCase) -> Answer<CaseOutcome> {
        let case = case(new);
        self.world.lock().unwrap().case = Some(case.clone());
        Ok(outcome(case))
    }

    async fn decide_case(&self, _: RecordId, decision: CaseDecision) -> Answer<CaseOutcome> {
        let mut world = self.world.lock().unwrap();
        let case = world.case.as_mut().unwrap();
        case.stage = match (case.stage.as_str(), decision.action) {
            ("proposed", CaseAction::Hold) => "held".to_owned(),
            ("held", CaseAction::Confirm) => "placed".to_owned(),
            other => panic!("{other:?}"),
        };
        Ok(outcome(case.clone()))
    }

    async fn split(&self, _: RecordId, _: Split) -> Answer<Stored> {
        not_here()
    }

    async fn search(&self, _: Search) -> Answer<Vec<Found>> {
        not_here()
    }

    async fn suggest(&self, _: RecordId) -> Answer<Vec<Match>> {
        not_here()
    }

    async fn suggestions(&self) -> Answer<Suggestions> {
        let running = &self.world.lock().unwrap().running;
        let mut councils = running.iter().map(ToString::to_string);
        let (guest, host) = (councils.next().unwrap(), councils.next().unwrap());
        let of = |kind| RecordId::new(kind, [2; 15]).to_string();
        let suggested = Match {
            request: of(RecordKind::Request),
            guest,
            guest_name: String::new(),
            place: of(RecordKind::Place),
            host,
            host_name: String::new(),
            points: 1,
            reasons: Vec::new(),
            ask: Vec::new(),
        };
        Ok(Suggestions {
            matches: vec![suggested],
            unplaced: Vec::new(),
            left_out: 0,
        })
    }

    async fn checks(&self, _: Option<String>) -> Answer<Vec<HostCheck>> {
        not_here()
    }

    async fn readiness(&self, _: Option<String>) -> Answer<Vec<HostReadiness>> {
        not_here()
    }

    async fn readers(&self) -> Answer<Vec<Reader>> {
        not_here()
    }

    async fn decide_reader(&self, decision: ReaderDecision) -> Answer<Vec<Reader>> {
        let register = DocumentKind::HostRegister.of(self.council);
        let reader = decision.reader.parse().unwrap();
        let mut world = self.world.lock().unwrap();
        assert!(decision.accept && world.named.contains(&(register, reader)));
        world.accepted.insert((register, reader));
        Ok(Vec::new())
    }

    async fn roster(&self) -> Answer<RosterView> {
        not_here()
    }

    async fn offer_roster(&self, _: RosterOffer) -> Answer<RosterOutcome> {
        not_here()
    }

    async fn alarms(&self) -> Answer<Vec<Alarm>> {
        not_here()
    }

    async fn vouch(&self, _: String, _: String) -> Answer<String> {
        not_here()
    }

    async fn fallen(&self) -> Answer<Vec<FallenField>> {
        not_here()
    }

    async fn decide_fallen(&self, _: FallenDecision) -> Answer<FallenOutcome> {
        not_here()
    }
}
