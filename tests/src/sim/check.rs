//! What must hold at every step, asked of every output of every honest node.
//!
//! The checks keep books of their own: who signed what, which roster and which acceptances a
//! node made known. They never ask the member whether it was right.

use std::collections::{BTreeSet, HashSet};

use smp_protocol::document::Unit;
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, Hash, NodeId, Signature};
use smp_protocol::limits;
use smp_protocol::roster::VerifiedRoster;
use smp_protocol::session::message::{Answer, Control, Want};
use smp_protocol::session::{CloseReason, Durable, Note, Output, PeerId, Receipt};
use smp_protocol::statements::Acceptance;

use super::build;
use super::node::Node;
use super::world::World;

/// Something that must never happen.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    /// What it breaks.
    pub(crate) rule: &'static str,
    /// What happened.
    pub(crate) what: String,
}

/// An acknowledged write.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) node: usize,
    pub(super) receipt: Receipt,
    /// An old copy was brought back: its author may have to fetch it.
    pub(super) rolled_back: bool,
}

/// Who signed what, and what was promised.
#[derive(Default)]
pub(super) struct Ledger {
    entries: HashSet<Hash>,
    statements: HashSet<Signature>,
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Documents of which a key was cut.
    pub(super) cut: BTreeSet<DocumentName>,
    /// Nodes that took entries out of a document for a cut.
    pub(super) rewritten: BTreeSet<(usize, DocumentName)>,
}

impl Ledger {
    fn signed(&mut self, unit: &Unit) {
        self.entries.extend(unit.hashes());
    }

    pub(super) fn acknowledged(&mut self, node: usize, receipt: Receipt) {
        self.acknowledged.push(Acknowledged {
            node,
            receipt,
            rolled_back: false,
        });
    }

    /// Whether a node still owes a write: what a cut took out it does not, and what an old
    /// copy of its disk lacks only if others hold it.
    pub(super) fn owes(&self, ack: &Acknowledged) -> bool {
        let fell = self.rewritten.contains(&(ack.node, ack.receipt.document));
        !ack.rolled_back && !fell
    }
}

/// Whether a council may read a document, by a roster and by what its owner accepts.
pub(super) fn may_read(
    roster: &VerifiedRoster,
    acceptance: Option<&Acceptance>,
    document: DocumentName,
    council: CouncilCode,
) -> bool {
    let listed = |code| roster.members.iter().any(|member| member.council == code);
    if !listed(council) || !listed(document.council) {
        return false;
    }
    match document.kind {
        _ if council == document.council => return true,
        DocumentKind::RematchingPool | DocumentKind::HousingList => return true,
        DocumentKind::Casework(counterpart) => return council == counterpart,
        DocumentKind::HostRegister => {}
    }
    let mut named = roster.readers.iter().filter(|r| r.document == document);
    named.any(|readers| readers.councils.contains(&council))
        && acceptance.is_some_and(|accepted| accepted.body.readers.contains(&council))
}

impl Node {
    /// Whether a council may read a document, as far as this node knows.
    pub(super) fn knows_reader(&self, document: DocumentName, council: CouncilCode) -> bool {
        let acceptance = self.acceptances.get(&document);
        may_read(&self.roster, acceptance, document, council)
    }
}

impl World {
    /// Looks at one output of a node. `own`: what it stores in it, it signed itself.
    pub(super) fn watch(&mut self, n: usize, own: bool, output: &Output) {
        match output {
            Output::Store(durable) => self.watch_store(n, own, durable),
            Output::RosterChanged(roster) => {
                if roster.version <= self.nodes[n].roster.version && self.nodes[n].is_honest() {
                    let what = "takes a roster that is not newer than its own";
                    self.violate("P-7", self.told(n, what));
                }
                self.nodes[n].roster = roster.clone();
            }
            _ if !self.nodes[n].is_honest() => {}
            Output::Send { peer, frame } => self.watch_frame(n, *peer, frame),
            Output::Ask { peer, frame, .. } => match Want::decode(frame) {
                Ok(want) => self.reads(n, *peer, want.document, "a question"),
                Err(_) => self.violate("P-22", self.told(n, "asks what is no question")),
            },
            Output::Answer {
                peer,
                stream,
                frame,
                ..
            } => self.watch_answer(n, *peer, stream.0, frame),
            Output::Close { .. } | Output::GiveUp { .. } | Output::Note(_) | Output::Rebuild(_) => {
            }
        }
    }

    pub(super) fn told(&self, n: usize, what: &str) -> String {
        format!("{} {what}", self.nodes[n].name)
    }

    fn watch_store(&mut self, n: usize, own: bool, durable: &Durable) {
        match durable {
            Durable::Batch {
                document, units, ..
            } => self.watch_units(n, own, *document, units),
            Durable::Acceptance(statement) => {
                let body = &statement.body;
                self.watch_statement(n, own, body.document, body.node, statement.signature);
                let document = statement.body.document;
                self.nodes[n]
                    .acceptances
                    .insert(document, statement.clone());
            }
            Durable::Freshness(statement) => {
                let (document, node) = (statement.body.place.document, statement.body.node);
                self.watch_statement(n, own, document, node, statement.signature);
            }
            Durable::Rewritten { document, .. } => {
                self.ledger.rewritten.insert((n, *document));
            }
            Durable::Snapshot { .. } => self.tally.count("snapshots stored"),
            // Nothing of these is new: entries that were admitted, proofs that were checked.
            Durable::Roster(_) | Durable::Evidence { .. } | Durable::Fallen { .. } => {}
        }
    }

    /// Promise 1: an entry counts only if a node of its document's council signed it.
    fn watch_units(&mut self, n: usize, own: bool, document: DocumentName, units: &[Unit]) {
        if let Some(liar) = &mut self.nodes[n].liar {
            return liar.saw(units);
        }
        for unit in units {
            self.tally.admitted += unit.steps.len() as u64;
            self.trace.mix(&[n as u64, unit.first, unit.end()]);
            if own {
                self.ledger.signed(unit);
                self.watch_locks(n, document, std::slice::from_ref(unit));
                continue;
            }
            let by_liar = self.may_lie_about(document, unit.chain.node);
            let known = |hash: &Hash| self.ledger.entries.contains(hash);
            if !by_liar && !unit.hashes().iter().all(known) {
                let what = format!("takes in entries of {document} that its council never made");
                self.violate("promise 1", self.told(n, &what));
            }
        }
        if !self.nodes[n].knows_reader(document, self.nodes[n].council.code) {
            let what = format!("takes in entries of {document}, which it may not read");
            self.violate("promise 2", self.told(n, &what));
        }
    }

    fn watch_statement(
        &mut self,
        n: usize,
        own: bool,
        document: DocumentName,
        by: NodeId,
        signature: Signature,
    ) {
        if own && self.nodes[n].is_honest() {
            self.ledger.statements.insert(signature);
        } else if self.nodes[n].is_honest()
            && !self.may_lie_about(document, by)
            && !self.ledger.statements.contains(&signature)
        {
            let what = format!("believes a statement on {document} that its council never made");
            self.violate("promise 1", self.told(n, &what));
        }
    }

    /// Whether a liar of the document's own council signs as this node.
    fn may_lie_about(&self, document: DocumentName, by: NodeId) -> bool {
        self.node_of(by).is_some_and(|m| {
            !self.nodes[m].is_honest() && self.nodes[m].council.code == document.council
        })
    }

    fn watch_frame(&mut self, n: usize, peer: PeerId, frame: &[u8]) {
        let Ok(message) = Control::decode(frame) else {
            return self.violate("P-22", self.told(n, "sends what is no message"));
        };
        if frame.len() > limits::CONTROL_FRAME_BYTES {
            self.violate("limits", self.told(n, "sends a frame over the limit"));
        }
        match message {
            // What is said before the roster is settled.
            Control::Hello(_) | Control::Roster(_) => return,
            Control::Summary(summary) => {
                for item in summary.documents {
                    let farewell = item.generation == 0 && item.entries == 0;
                    if !farewell || item.freshness.is_some() {
                        self.reads(n, peer, item.document, "a summary");
                    }
                }
            }
            Control::Push(push) => {
                for unit in &push.units {
                    self.reads(n, peer, unit.place.document, "a push");
                }
            }
            Control::Holds(holds) => self.reads(n, peer, holds.document, "what it holds"),
            Control::Evidence(evidence) => {
                self.reads(n, peer, evidence.place.document, "evidence");
            }
            Control::Agreement(_) => {}
        }
        self.is_member(n, peer);
    }

    fn watch_answer(&mut self, n: usize, peer: PeerId, stream: u64, frame: &[u8]) {
        let Some(known) = self.nodes[n].peers.get(&peer) else {
            return;
        };
        let link = self.links.get(&known.link);
        let ask = link.and_then(|link| link.asks.get(&stream));
        let Some(document) = ask.and_then(|ask| ask.document) else {
            return;
        };
        match Answer::decode(frame) {
            Ok(Answer::No(_)) => {}
            Ok(Answer::End(frontier)) if frontier.0.is_empty() => {}
            Ok(_) => self.reads(n, peer, document, "an answer"),
            Err(_) => self.violate("P-22", self.told(n, "answers with what is no answer")),
        }
        self.is_member(n, peer);
    }

    /// Promise 2: nothing of a document goes to a node that may not read it.
    fn reads(&mut self, n: usize, peer: PeerId, document: DocumentName, what: &str) {
        let Some(known) = self.nodes[n].peers.get(&peer) else {
            return;
        };
        let council = self.nodes[known.node].council.code;
        if !self.nodes[n].knows_reader(document, council) {
            let to = &self.nodes[known.node].name;
            let what = format!("sends {what} of {document} to {to}, which may not read it");
            self.violate("promise 2", self.told(n, &what));
        }
    }

    /// Promise 6: a node talks to the members of its roster and to nobody else.
    fn is_member(&mut self, n: usize, peer: PeerId) {
        let Some(known) = self.nodes[n].peers.get(&peer) else {
            return;
        };
        let other = &self.nodes[known.node];
        let listed = self.nodes[n].roster.node(other.id);
        if !listed.is_some_and(|(member, node)| {
            member.council == other.council.code && node.tls == other.keys.tls
        }) {
            let what = format!(
                "talks to {}, which its roster does not list",
                self.nodes[known.node].name
            );
            self.violate("promise 6", self.told(n, &what));
        }
    }

    /// Promise 8: a council alone keeps working.
    pub(super) fn check_refused_write(&mut self, n: usize, why: &str) {
        let node = &self.nodes[n];
        if node.is_honest() && node.roster.node(node.id).is_some() {
            let what = format!("refuses its own council's write: {why}");
            self.violate("promise 8", self.told(n, &what));
        }
    }

    /// No honest node is held to be at fault by another.
    pub(super) fn closes(&mut self, n: usize, peer: PeerId, reason: &CloseReason) {
        self.tally.count(&format!("closed: {}", reason.word()));
        let Some(known) = self.nodes[n].peers.get(&peer) else {
            return;
        };
        let other = known.node;
        self.trace.say(self.now, || {
            let (name, to) = (&self.nodes[n].name, &self.nodes[other].name);
            format!("{name} closes on {to}: {reason}")
        });
        let blames = matches!(
            reason,
            CloseReason::Version { .. }
                | CloseReason::OtherRegion(_)
                | CloseReason::OtherNode(_)
                | CloseReason::BadRoster(_)
                | CloseReason::BadMessage(_)
                | CloseReason::OutOfTurn(_)
                | CloseReason::BadEntries
        );
        let is_new =
            matches!(reason, CloseReason::OldBuild(_)) && self.nodes[n].build == build::NEW;
        if (blames || is_new) && self.nodes[n].is_honest() && self.nodes[other].is_honest() {
            let what = format!("drops {}: {reason}", self.nodes[other].name);
            self.violate("no honest node dropped", self.told(n, &what));
        }
    }

    /// A frame that the transport does not take.
    pub(super) fn breaks_limits(&mut self, n: usize, by: usize) {
        self.tally.count("closed: frame");
        if self.nodes[by].is_honest() {
            let what = format!("is sent a frame over the limit by {}", self.nodes[by].name);
            self.violate("limits", self.told(n, &what));
        }
    }

    pub(super) fn noted(&mut self, n: usize, note: &Note) {
        let word = match note {
            Note::Joined { .. } => "noted: joined",
            Note::Refused { .. } => "noted: entries refused",
            Note::RosterRefused { .. } => "noted: roster refused",
            Note::RosterForked { .. } => "noted: roster forked",
            Note::Diverged { .. } => "noted: diverged",
            Note::BadStatement { .. } => "noted: bad statement",
            Note::Forked { .. } => "noted: forked",
            Note::Cut { .. } => "noted: cut",
            Note::FetchedBack { .. } => "noted: fetched back",
            Note::NotAReader { .. } => "noted: not a reader",
        };
        self.tally.count(word);
        self.trace.mix(&[n as u64, word.len() as u64]);
        if let Note::Diverged { document, with } = note
            && self.nodes[n].is_honest()
            && self
                .node_of(*with)
                .is_some_and(|m| self.nodes[m].is_honest())
        {
            let what = format!("merged the same entries of {document} to something else");
            self.violate("promise 4", self.told(n, &what));
        }
    }

    /// Memory and queues stay within their limits.
    pub(super) fn check_load(&mut self, n: usize) {
        let Some(member) = self.nodes[n].member.as_ref() else {
            return;
        };
        let load = member.load();
        self.tally.load(&load);
        if load.pulls > limits::PULLS
            || load.most_answers > limits::ANSWERS_PER_PEER
            || load.peers > limits::PEERS
            || load.most_refused > limits::REFUSALS_PER_DOCUMENT
            || load.most_chains_shown > limits::CHAINS_PER_DOCUMENT
        {
            let what = format!("is over its limits: {load:?}");
            self.violate("limits", self.told(n, &what));
        }
    }

    /// Promise 3, after a start: what was acknowledged is there.
    pub(super) fn check_acknowledged(&mut self, n: usize) {
        let Some(member) = self.nodes[n].member.as_ref() else {
            return;
        };
        // What a council wrote that the roster does not list any more stays on the disk alone.
        if member.roster().member(self.nodes[n].council.code).is_none() {
            return;
        }
        let mut all = self.ledger.acknowledged.iter();
        let lost = all.find(|ack| {
            let held = member
                .document(ack.receipt.document)
                .map_or(0, |document| document.entries_of(ack.receipt.chain));
            ack.node == n && self.ledger.owes(ack) && held < ack.receipt.entries
        });
        if let Some(lost) = lost {
            let what = format!(
                "has lost an acknowledged write of {} after a start",
                lost.receipt.document
            );
            self.violate("promise 3", self.told(n, &what));
        }
    }
}
