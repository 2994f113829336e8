//! One node: its process with the real member, and its disk.
//!
//! The engine of the daemon is followed closely: what waits is handled as one batch, flushed
//! in one write, and only then performed. A failed flush drops the member and closes every
//! connection; each tick tries to make it again from the disk.

use std::collections::{BTreeMap, VecDeque};

use smp_protocol::casework::{Decider, Wish, check_pool_edits};
use smp_protocol::ids::{BootId, CouncilCode, DocumentKind, DocumentName, NodeId};
use smp_protocol::roster::{SignedRoster, VerifiedRoster};
use smp_protocol::schema::{Edit, SchemaVersion};
use smp_protocol::session::{
    Authenticated, Durable, Identity, Member, Output, PeerId, PullId, Receipt, StreamId, Upkeep,
};
use smp_protocol::statements::Acceptance;
use smp_protocol::time::UnixSeconds;

use super::build::{self, run_as};
use super::chance::Chance;
use super::disk::Disk;
use super::liar::Liar;
use super::link::LinkId;
use super::queue::{MILLI, Micros, SECOND};
use super::region::{Council, Keys, START, region};

/// Something that waits for the engine.
pub(super) enum In {
    Connected(PeerId, Authenticated, LinkId),
    Disconnected(PeerId),
    Control(PeerId, Vec<u8>, LinkId),
    Asked(PeerId, StreamId, Vec<u8>, LinkId),
    Writable(PeerId, StreamId),
    AnswerStopped(PeerId, StreamId),
    Answered(PullId, Vec<u8>, LinkId),
    PullOver(PullId),
    Tick,
    Write(DocumentKind, Vec<Edit>),
    Wish(Wish),
    /// An officer goes on without these councils.
    Without(Vec<CouncilCode>),
    Accept(CouncilCode, bool),
    Offer(SignedRoster),
    WriteAgain(DocumentName),
}

impl In {
    /// The connection whose turn it takes up.
    pub(super) fn turn(&self) -> Option<LinkId> {
        match self {
            Self::Control(.., link) | Self::Asked(.., link) | Self::Answered(.., link) => {
                Some(*link)
            }
            _ => None,
        }
    }
}

/// What was handled and waits for its flush.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) durables: Vec<Durable>,
    pub(super) effects: Vec<Output>,
    pub(super) receipts: Vec<Receipt>,
}

/// A connection as a process knows it.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) link: LinkId,
    /// The node at the other end.
    pub(super) node: usize,
    /// Whether this process dialled.
    pub(super) dialled: bool,
    pub(super) since: Micros,
}

/// How a node finds another.
pub(super) struct Dial {
    pub(super) pause: Micros,
    /// An attempt is scheduled or under way.
    pub(super) busy: bool,
}

/// The first and the longest pause between attempts, as in the daemon's transport.
pub(super) const SHORTEST_PAUSE: Micros = 500 * MILLI;
/// See [`SHORTEST_PAUSE`].
pub(super) const LONGEST_PAUSE: Micros = 30 * SECOND;

/// A node.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) council: Council,
    pub(super) keys: Keys,
    pub(super) id: NodeId,
    pub(super) liar: Option<Liar>,
    /// The newest schema version that its build knows.
    pub(super) build: SchemaVersion,
    pub(super) disk: Disk,
    /// Copies of the disk taken at some moments, to be brought back.
    pub(super) copies: Vec<Disk>,
    pub(super) disk_is_full: bool,
    /// How long a flush takes, at most.
    pub(super) flush: Micros,
    /// How far its clock is off.
    pub(super) skew: i64,
    pub(super) upkeep: Upkeep,
    /// Counts processes; what is meant for an earlier one is not heard by a later.
    pub(super) process: u64,
    pub(super) running: bool,
    pub(super) member: Option<Member>,
    pub(super) decider: Decider,
    /// An officer of this process went on without a council.
    pub(super) went_on_without: bool,
    pub(super) inbox: VecDeque<In>,
    pub(super) work_is_due: bool,
    pub(super) flushing: Option<Batch>,
    /// Frames of each connection in the inbox, and deliveries that wait for a turn.
    pub(super) turns: BTreeMap<LinkId, usize>,
    pub(super) parked: Vec<(LinkId, usize, super::link::Lane)>,
    pub(super) next_peer: u64,
    pub(super) peers: BTreeMap<PeerId, Known>,
    pub(super) pulls: BTreeMap<PullId, LinkId>,
    pub(super) dials: BTreeMap<usize, Dial>,
    /// The roster that came with its enrolment.
    pub(super) joined: VerifiedRoster,
    /// What the member made known, followed from its outputs: the checks believe these, not
    /// the member.
    pub(super) roster: VerifiedRoster,
    pub(super) acceptances: BTreeMap<DocumentName, Acceptance>,
}

impl Node {
    pub(super) fn new(name: String, council: Council, keys: Keys, joined: VerifiedRoster) -> Self {
        Self {
            name,
            council,
            id: keys.signing.node_id(),
            keys,
            liar: None,
            build: build::NEW,
            disk: Disk::default(),
            copies: Vec::new(),
            disk_is_full: false,
            flush: 5 * MILLI,
            skew: 0,
            upkeep: Upkeep::default(),
            process: 0,
            running: false,
            member: None,
            decider: Decider::new(),
            went_on_without: false,
            inbox: VecDeque::new(),
            work_is_due: false,
            flushing: None,
            turns: BTreeMap::new(),
            parked: Vec::new(),
            next_peer: 0,
            peers: BTreeMap::new(),
            pulls: BTreeMap::new(),
            dials: BTreeMap::new(),
            roster: joined.clone(),
            joined,
            acceptances: BTreeMap::new(),
        }
    }

    pub(super) fn is_honest(&self) -> bool {
        self.liar.is_none()
    }

    /// Its own clock.
    pub(super) fn clock(&self, now: Micros) -> UnixSeconds {
        UnixSeconds((START.0 + now / SECOND).saturating_add_signed(self.skew))
    }

    /// The process starts: nothing is known but what is on disk.
    pub(super) fn start(&mut self) {
        self.stop();
        self.running = true;
    }

    /// The process is gone, with all that it had in memory.
    pub(super) fn stop(&mut self) {
        self.process += 1;
        self.running = false;
        self.member = None;
        self.inbox.clear();
        self.work_is_due = false;
        self.flushing = None;
        self.turns.clear();
        self.parked.clear();
        self.peers.clear();
        self.pulls.clear();
        self.dials.clear();
    }

    /// Makes the member from the disk, as the daemon does when it opens its store.
    pub(super) fn open(&mut self, now: Micros, chance: &mut Chance) -> Result<(), String> {
        run_as(self.build, || self.make_member(now, chance))
    }

    fn make_member(&mut self, now: Micros, chance: &mut Chance) -> Result<(), String> {
        let identity = Identity {
            region: region(),
            council: self.council.code,
            key: self.keys.signing.clone(),
            boot: BootId(chance.bytes()),
        };
        let mut member = Member::new(
            identity,
            self.joined.clone(),
            chance.number(),
            self.clock(now),
        );
        member.set_upkeep(self.upkeep);
        self.acceptances.clear();
        for durable in self.disk.rows() {
            if let Durable::Acceptance(acceptance) = durable {
                self.acceptances
                    .insert(acceptance.body.document, acceptance.clone());
            }
            member
                .restore(durable.clone())
                .map_err(|error| error.to_string())?;
        }
        member.restored();
        self.roster = member.roster().clone();
        self.member = Some(member);
        self.decider = Decider::new();
        self.went_on_without = false;
        Ok(())
    }

    /// Has the decider do what follows.
    pub(super) fn tend(&mut self, now: UnixSeconds) {
        run_as(self.build, || {
            if let Some(member) = self.member.as_mut() {
                self.decider.tend(member, now);
            }
        });
    }

    /// Hands one event to the member; returns the receipts of a write, or why it was
    /// refused.
    pub(super) fn handle(&mut self, event: In, now: UnixSeconds) -> Result<Vec<Receipt>, String> {
        run_as(self.build, || self.hand_over(event, now))
    }

    fn hand_over(&mut self, event: In, now: UnixSeconds) -> Result<Vec<Receipt>, String> {
        let Some(member) = self.member.as_mut() else {
            return Ok(Vec::new());
        };
        match event {
            In::Connected(peer, who, _) => member.connected(peer, who, now),
            In::Disconnected(peer) => member.disconnected(peer, now),
            In::Control(peer, frame, _) => member.control(peer, &frame, now),
            In::Asked(peer, stream, frame, _) => member.asked(peer, stream, &frame, now),
            In::Writable(peer, stream) => member.writable(peer, stream, now),
            In::AnswerStopped(peer, stream) => member.answer_stopped(peer, stream),
            In::Answered(pull, frame, _) => member.answered(pull, &frame, now),
            In::PullOver(pull) => member.pull_failed(pull, now),
            In::Tick => member.tick(now),
            In::Write(kind, mut edits) => {
                // Officers are told that it cannot be; here they do not insist.
                let ledgers = self.decider.ledgers(member);
                edits.retain(|edit| {
                    check_pool_edits(ledgers.book(), std::slice::from_ref(edit)).is_ok()
                });
                return member
                    .write(&[(kind, edits)], now)
                    .map_err(|e| e.to_string());
            }
            In::Wish(wish) => {
                // What the rules do not allow, and what is not known yet, an officer is told.
                let decided = self.decider.decide(member, &wish, now);
                return Ok(decided.map_or(Vec::new(), |done| done.receipts));
            }
            In::Without(councils) => {
                self.went_on_without = true;
                let decider = &mut self.decider;
                drop(decider.go_on_without(member, &councils, now));
            }
            In::Accept(reader, accept) => {
                return member
                    .accept_reader(reader, accept, now)
                    .map(|()| Vec::new())
                    .map_err(|e| e.to_string());
            }
            In::WriteAgain(document) => {
                let written = member.write_again(document, false, now);
                // What is in conflict a person settles: the officer says that it is right.
                member.forget_fallen(document, now);
                return written
                    .map(|again| again.receipts)
                    .map_err(|e| e.to_string());
            }
            // An admin who hands in an old roster is told so; nothing comes of it.
            In::Offer(signed) => drop(member.offer_roster(signed, now)),
        }
        Ok(Vec::new())
    }
}
