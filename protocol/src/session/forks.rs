//! Two histories of one key: keeping the proof, passing it on, saying how things stand
//! (P-16), and what a node states of a key for the region to cut it (P-48).

use super::message::Control;
use super::peer::Peer;
use super::{CloseReason, Durable, Member, Note, Output, PeerId};
use crate::document::{ChainId, Evidence, Reach, Unit};
use crate::ids::{CouncilCode, DocumentName, Hash, NodeId};
use crate::limits;
use crate::statements::{Vouching, VouchingBody};
use crate::time::UnixSeconds;

/// A key that is closed in a document, because it signed two histories.
#[derive(Clone, Debug)]
pub struct ForkView {
    /// The document.
    pub document: DocumentName,
    /// The chain that has two histories; its node's key is closed.
    pub chain: ChainId,
    /// Since when this node knows.
    pub since: UnixSeconds,
    /// The sequence at which they part, and the entry of each there.
    pub parting: u64,
    /// The entries there, as the evidence orders them.
    pub entries: [Hash; 2],
    /// How far this node holds the chain.
    pub held: Option<Reach>,
    /// Which of `entries` it holds, if either.
    pub branch: Option<Hash>,
    /// Connected readers, with how far they showed the chain, and whether that is of the
    /// history held here, where either is known.
    pub peers: Vec<(NodeId, CouncilCode, Option<Reach>, Option<bool>)>,
}

/// Entries of this node's own that came from another: it had an older copy of its store, or
/// another process uses its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchedBack {
    /// How many.
    pub entries: u64,
    /// From whom the last came.
    pub from: NodeId,
    /// When.
    pub at: UnixSeconds,
}

impl Member {
    /// Units that were refused as a fork: what is held and they are evidence.
    pub(super) fn found_forks(&mut self, name: DocumentName, forks: &[Unit]) {
        for unit in forks {
            let holding = self.holdings.get(&name);
            let evidence = holding.and_then(|h| h.document.evidence_against(unit));
            if let Some(evidence) = evidence.filter(|_| self.is_open(name, unit.chain.node)) {
                self.keep_evidence(evidence, None);
            }
        }
    }

    /// Whether evidence against a node's key would change anything: none is held, and the
    /// region has not cut it.
    fn is_open(&self, name: DocumentName, node: NodeId) -> bool {
        let held = self.holdings.get(&name);
        self.roster.cut(name, node).is_none()
            && held.is_none_or(|holding| holding.document.closed(node).is_none())
    }

    pub(super) fn hear_evidence(&mut self, peer: PeerId, evidence: Evidence) {
        let (name, node) = (evidence.place.document, evidence.node());
        let Some(council) = self.peers.get(&peer).map(|p| p.who.council) else {
            return;
        };
        if !self.may_read(name, self.identity.council) || !self.may_read(name, council) {
            return;
        }
        if evidence.place != self.place(name) || !self.is_open(name, node) {
            return;
        }
        // A node of a roster that is newer than ours is none of ours yet.
        let Some(key) = self.roster.signing_key(name, node) else {
            return;
        };
        if !evidence.holds(&key) {
            return self.close(peer, CloseReason::BadEntries);
        }
        self.keep_evidence(evidence, Some(peer));
    }

    /// Closes the key, and tells every reader that may not know.
    fn keep_evidence(&mut self, evidence: Evidence, from: Option<PeerId>) {
        let (document, node, since) = (evidence.place.document, evidence.node(), self.now);
        let holding = self.holding(document);
        if !holding.document.close(evidence.clone()) {
            return;
        }
        holding.closed_since.insert(node, since);
        self.out.push(Output::Store(Durable::Evidence {
            evidence: evidence.clone(),
            since,
        }));
        let own = node == self.node();
        self.note(Note::Forked {
            document,
            node,
            own,
        });
        let message = Control::Evidence(evidence);
        for peer in self.connected_readers(document) {
            if Some(peer) != from {
                self.send(peer, &message);
            }
        }
    }

    /// Shows a peer all evidence about documents that both may read.
    pub(super) fn send_evidence(&mut self, peer: PeerId) {
        let Some(council) = self.peers.get(&peer).map(|p| p.who.council) else {
            return;
        };
        let mut found = Vec::new();
        for name in self.shared_with(council) {
            let held = self.holdings.get(&name);
            found.extend(
                held.into_iter()
                    .flat_map(|h| h.document.evidence().cloned()),
            );
        }
        for evidence in found {
            self.send(peer, &Control::Evidence(evidence));
        }
    }

    /// Remembers how far a peer showed the chains that have two histories.
    pub(super) fn showed_branches(
        &mut self,
        peer: PeerId,
        name: DocumentName,
        theirs: &crate::document::Frontier,
    ) {
        let Some(holding) = self.holdings.get(&name) else {
            return;
        };
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let seen = state.seen.entry(name).or_default();
        for evidence in holding.document.evidence() {
            if let Some(reach) = theirs.0.get(&evidence.chain) {
                seen.branches.insert(evidence.chain, *reach);
            }
        }
    }

    /// Every key that is closed in a document that this council may read.
    pub fn fork_views(&self) -> Vec<ForkView> {
        let own = self.identity.council;
        let held = self.holdings.iter();
        held.filter(|(name, _)| self.may_read(**name, own))
            .flat_map(|(name, holding)| {
                let evidence = holding.document.evidence();
                evidence.filter_map(|evidence| self.fork_view(*name, evidence))
            })
            .collect()
    }

    fn fork_view(&self, document: DocumentName, evidence: &Evidence) -> Option<ForkView> {
        let holding = self.holdings.get(&document)?;
        let chain = evidence.chain;
        let parting = evidence.parting()?;
        let [one, other] = &evidence.branches;
        let entry = |branch: &crate::document::Branch| {
            branch.proves(&evidence.place, chain).get(&parting).copied()
        };
        let peers = self.peers.values().filter(|peer| peer.is_active());
        let peers = peers.filter(|peer| self.may_read(document, peer.who.council));
        let showed = |peer: &Peer| {
            let seen = peer.seen.get(&document);
            let reach = seen.and_then(|seen| seen.branches.get(&chain)).copied();
            let same = reach.and_then(|reach| holding.document.agrees(chain, reach));
            (peer.who.node, peer.who.council, reach, same)
        };
        let since = holding.closed_since.get(&chain.node).copied();
        Some(ForkView {
            document,
            chain,
            since: since.unwrap_or(self.now),
            parting,
            entries: [entry(one)?, entry(other)?],
            held: holding.document.frontier().0.get(&chain).copied(),
            branch: holding.document.entry_at(chain, parting),
            peers: peers.map(showed).collect(),
        })
    }

    /// States, signed, what this node holds of another's entries in a document that this
    /// council may read. `None` where it may not, or does not hold the document.
    pub fn vouch(&self, document: DocumentName, of: NodeId, now: UnixSeconds) -> Option<Vouching> {
        let holding = self.holdings.get(&document)?;
        if !self.may_read(document, self.identity.council) {
            return None;
        }
        let body = VouchingBody {
            place: holding.document.place().clone(),
            of,
            by: self.node(),
            at: now.max(self.roster.issued),
            chains: holding.document.points(of, limits::VOUCHED_HASHES),
        };
        Some(Vouching::sign(body, &self.identity.key))
    }

    /// Entries of this node's own that it fetched back since it started, if any.
    pub fn fetched_back(&self) -> Option<FetchedBack> {
        self.fetched_back
    }

    /// Counts entries of this node's own that came from another and were not written by
    /// this process.
    pub(super) fn count_fetched_back(
        &mut self,
        document: DocumentName,
        admitted: &[Unit],
        from: Option<NodeId>,
    ) {
        let me = self.node();
        let writing = self.incarnations.get(&document).copied();
        let own = admitted.iter().filter(|unit| {
            unit.chain.node == me
                && Some(unit.chain.incarnation) != writing
                && self.roster.cut(document, me).is_none()
        });
        let entries: u64 = own.map(|unit| unit.steps.len() as u64).sum();
        let Some(from) = from.filter(|_| entries > 0) else {
            return;
        };
        let before = self.fetched_back.map_or(0, |back| back.entries);
        self.fetched_back = Some(FetchedBack {
            entries: before.saturating_add(entries),
            from,
            at: self.now,
        });
        self.note(Note::FetchedBack {
            document,
            entries,
            from,
        });
    }
}
