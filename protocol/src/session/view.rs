//! How things stand, for status: read-only, and without any text of its own.

use super::peer::{Peer, Phase};
use super::{Member, PeerId};
use crate::ids::{CouncilCode, DocumentKind, DocumentName, Hash, NodeId};
use crate::time::UnixSeconds;

/// How one document stands at one peer, as last compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// It showed the state that is held here now.
    Agreed(UnixSeconds),
    /// It showed another one.
    Differs(UnixSeconds),
    /// It has not shown any.
    Unknown,
}

/// One connected peer.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// The connection.
    pub peer: PeerId,
    /// The node.
    pub node: NodeId,
    /// Its council.
    pub council: CouncilCode,
    /// Since when it is connected.
    pub connected: UnixSeconds,
    /// How far the conversation is.
    pub phase: PeerPhase,
    /// When all that both may read was last compared.
    pub compared: Option<UnixSeconds>,
    /// When it was first asked since it was last heard; `None` where it owes no answer.
    pub unanswered: Option<UnixSeconds>,
    /// How each document that both may read and that either holds stands there.
    pub documents: Vec<(DocumentName, Comparison)>,
    /// Whether its build does not understand the schema that the roster wants written.
    pub schema_is_old: bool,
}

/// How far a conversation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerPhase {
    /// Saying hello.
    Greeting,
    /// Waiting for a newer roster.
    AwaitingRoster,
    /// In sync.
    Active,
}

/// One document.
#[derive(Clone, Debug)]
pub struct DocumentView {
    /// Its name.
    pub name: DocumentName,
    /// Records in it.
    pub records: usize,
    /// Entries in it.
    pub entries: u64,
    /// Its generation.
    pub generation: u64,
    /// Digest of its frontier.
    pub frontier: Hash,
    /// The automerge heads.
    pub heads: Vec<Hash>,
    /// When its council last said how it stands, and whether that is what is held here.
    pub word: Option<(UnixSeconds, bool)>,
    /// Entries of this node that no connected peer has shown.
    pub unreplicated: u64,
    /// Whether it is being pulled.
    pub pulling: bool,
    /// Other nodes of the roster that may read it.
    pub readers: usize,
}

/// What a member keeps for its peers, to be held against the limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Connections.
    pub peers: usize,
    /// Pulls under way.
    pub pulls: usize,
    /// The most answers under way to one peer.
    pub most_answers: usize,
    /// The most refusals remembered for one document.
    pub most_refused: usize,
    /// The most chains that one peer has shown of one document.
    pub most_chains_shown: usize,
}

impl Member {
    /// What is kept for peers now.
    pub fn load(&self) -> Load {
        let answers_to = |id: &PeerId| self.answers.keys().filter(|(to, _)| to == id).count();
        let refused = |holding: &super::member::Holding| holding.document.refused().len();
        let seen = self.peers.values().flat_map(|peer| peer.seen.values());
        Load {
            peers: self.peers.len(),
            pulls: self.pulls.len(),
            most_answers: self.peers.keys().map(answers_to).max().unwrap_or(0),
            most_refused: self.holdings.values().map(refused).max().unwrap_or(0),
            most_chains_shown: seen.map(|seen| seen.chains.len()).max().unwrap_or(0),
        }
    }

    /// Every connection.
    pub fn peer_views(&self) -> Vec<PeerView> {
        self.peers
            .iter()
            .map(|(id, peer)| self.peer_view(*id, peer))
            .collect()
    }

    fn peer_view(&self, id: PeerId, peer: &Peer) -> PeerView {
        let documents = self
            .shared_with(peer.who.council)
            .into_iter()
            .filter_map(|name| Some((name, self.compare(name, peer)?)))
            .collect();
        PeerView {
            peer: id,
            node: peer.who.node,
            council: peer.who.council,
            connected: peer.connected,
            phase: match peer.phase {
                Phase::AwaitingHello => PeerPhase::Greeting,
                Phase::AwaitingRoster(_) => PeerPhase::AwaitingRoster,
                Phase::Active(_) => PeerPhase::Active,
            },
            compared: peer.compared,
            unanswered: peer.unanswered,
            documents,
            schema_is_old: peer
                .greeted()
                .is_some_and(|g| g.schema < self.roster.schema),
        }
    }

    /// `None` where neither side holds anything.
    fn compare(&self, name: DocumentName, peer: &Peer) -> Option<Comparison> {
        let mine = self.holdings.get(&name).filter(|h| h.entries() > 0);
        let seen = peer.seen.get(&name);
        let theirs = seen.and_then(|seen| Some((seen.frontier?, seen)));
        match (mine, theirs) {
            (None, None) => None,
            (None, Some((_, seen))) if seen.entries == 0 => None,
            (Some(mine), Some((frontier, seen))) if frontier == mine.digest => {
                Some(Comparison::Agreed(seen.at))
            }
            (_, Some((_, seen))) => Some(Comparison::Differs(seen.at)),
            (Some(_), None) => Some(Comparison::Unknown),
        }
    }

    /// How far everything goes that a decider's own steps follow from: all casework, this
    /// council's pool, and the roster.
    pub(crate) fn casework_reaches(&self) -> (u64, Vec<(DocumentName, Hash)>) {
        let pool = DocumentKind::RematchingPool.of(self.identity.council);
        let held = self
            .holdings
            .iter()
            .filter(|(name, _)| **name == pool || matches!(name.kind, DocumentKind::Casework(_)));
        let reaches = held.map(|(name, holding)| (*name, holding.digest));
        (self.roster.version, reaches.collect())
    }

    /// When each other council last said, signed, how its pool stands: all that did.
    pub fn words(&self) -> Vec<(CouncilCode, UnixSeconds)> {
        let own = self.identity.council;
        let pools = self
            .holdings
            .iter()
            .filter(|(name, _)| name.kind == DocumentKind::RematchingPool && name.council != own);
        let is_member = |council| self.roster.member(council).is_some();
        let words = pools.filter_map(|(name, holding)| {
            Some((name.council, holding.freshness.as_ref()?.body.at))
        });
        words.filter(|(council, _)| is_member(*council)).collect()
    }

    /// Every document that this council may read; of casework what was ever written.
    pub fn document_views(&self) -> Vec<DocumentView> {
        let own = self.identity.council;
        let begun = |held: &&DocumentName| matches!(held.kind, DocumentKind::Casework(_));
        let casework = self.holdings.keys().filter(begun).copied();
        let all = self.roster.documents().chain(casework);
        let readable = all.filter(|name| self.may_read(*name, own));
        readable.map(|name| self.document_view(name)).collect()
    }

    fn document_view(&self, name: DocumentName) -> DocumentView {
        let Some(holding) = self.holdings.get(&name) else {
            return DocumentView {
                name,
                records: 0,
                entries: 0,
                generation: 1,
                frontier: Hash([0; 32]),
                heads: Vec::new(),
                word: None,
                unreplicated: 0,
                pulling: false,
                readers: self.reader_nodes(name),
            };
        };
        let word = holding.freshness.as_ref();
        DocumentView {
            name,
            records: holding.document.record_count(),
            entries: holding.entries(),
            generation: holding.document.place().generation,
            frontier: holding.digest,
            heads: holding.document.heads(),
            word: word.map(|f| (f.body.at, f.body.frontier == holding.digest)),
            unreplicated: self.unreplicated(name),
            pulling: self.pulls.values().any(|pull| pull.document == name),
            readers: self.reader_nodes(name),
        }
    }

    fn reader_nodes(&self, name: DocumentName) -> usize {
        let me = self.node();
        let members = self.roster.members.iter();
        let readers = members.filter(|member| self.may_read(name, member.council));
        readers
            .flat_map(|member| &member.nodes)
            .filter(|node| node.id != me)
            .count()
    }

    /// Entries of this council's node that no connected peer has shown that it holds.
    fn unreplicated(&self, name: DocumentName) -> u64 {
        let Some(holding) = self.holdings.get(&name) else {
            return 0;
        };
        let me = self.node();
        let frontier = holding.document.frontier();
        let own = frontier.0.iter().filter(|(chain, _)| chain.node == me);
        own.map(|(chain, reach)| {
            let elsewhere = self
                .peers
                .values()
                .filter_map(|peer| peer.seen.get(&name).and_then(|seen| seen.chains.get(chain)));
            reach
                .entries
                .saturating_sub(elsewhere.copied().max().unwrap_or(0))
        })
        .sum()
    }
}
