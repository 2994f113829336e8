//! One connection: how far its conversation is, and what the peer has shown that it holds.

use std::collections::BTreeMap;

use super::Authenticated;
use crate::document::{ChainId, Frontier, Reach};
use crate::ids::{BootId, DocumentName, Hash};
use crate::schema::SchemaVersion;
use crate::time::UnixSeconds;

/// How far the conversation is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing was heard yet.
    AwaitingHello,
    /// The peer has a newer roster and is to show it.
    AwaitingRoster(Greeted),
    /// Both hold rosters that list the other.
    Active(Greeted),
}

/// What the peer's hello said that matters later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Greeted {
    pub(super) boot: BootId,
    pub(super) roster_version: u64,
    pub(super) schema: SchemaVersion,
}

/// What a peer has shown of one document.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The digest of its frontier, and entries held, when it last said.
    pub(super) frontier: Option<Hash>,
    pub(super) entries: u64,
    /// When that was.
    pub(super) at: UnixSeconds,
    /// How often it has said.
    pub(super) said: u64,
    /// Entries of each chain that it is known to hold.
    pub(super) chains: BTreeMap<ChainId, u64>,
    /// How far it showed the chains that have two histories.
    pub(super) branches: BTreeMap<ChainId, Reach>,
    /// Its digest and ours after a pull: no use asking again until one of them changes.
    pub(super) tried: Option<(Hash, Hash)>,
    /// Not to be asked before.
    pub(super) not_before: UnixSeconds,
}

impl Seen {
    /// Takes in what the peer says that it holds.
    pub(super) fn says(&mut self, frontier: Hash, entries: u64, now: UnixSeconds) {
        self.frontier = Some(frontier);
        self.entries = entries;
        self.at = now;
        self.said = self.said.wrapping_add(1);
    }

    /// Takes in that the peer holds so many entries of a chain.
    pub(super) fn holds(&mut self, chain: ChainId, entries: u64) {
        let reach = self.chains.entry(chain).or_default();
        *reach = (*reach).max(entries);
    }

    /// Takes in that the peer holds all of this.
    pub(super) fn covers(&mut self, frontier: &Frontier) {
        for (chain, reach) in &frontier.0 {
            self.holds(*chain, reach.entries);
        }
    }
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) who: Authenticated,
    pub(super) phase: Phase,
    pub(super) connected: UnixSeconds,
    /// When all that both may read was last compared, equal or not.
    pub(super) compared: Option<UnixSeconds>,
    /// When it was last asked in a round.
    pub(super) asked: Option<UnixSeconds>,
    /// When it was first asked since it was last heard.
    pub(super) unanswered: Option<UnixSeconds>,
    pub(super) seen: BTreeMap<DocumentName, Seen>,
}

impl Peer {
    pub(super) fn new(who: Authenticated, now: UnixSeconds) -> Self {
        Self {
            who,
            phase: Phase::AwaitingHello,
            connected: now,
            compared: None,
            asked: None,
            unanswered: None,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn greeted(&self) -> Option<&Greeted> {
        match &self.phase {
            Phase::AwaitingHello => None,
            Phase::AwaitingRoster(greeted) | Phase::Active(greeted) => Some(greeted),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active(_))
    }
}
