//! Pulling what another member has and this one lacks (P-33 to P-36).
//!
//! One pull at a time per document, from the peer most likely to have all of it, so that a
//! cold start fetches everything once and not once per peer.

use std::cmp::Reverse;

use super::message::{Answer, Control, Holds, NoAnswer, Want};
use super::{CloseReason, Member, Output, PeerId, PullId};
use crate::document::{Cause, ChainId, Frontier, Unit};
use crate::ids::{DocumentName, Hash, NodeId};
use crate::limits;
use crate::time::UnixSeconds;

/// One document being pulled from one peer.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) peer: PeerId,
    pub(super) document: DocumentName,
    pub(super) began: UnixSeconds,
    /// When it last brought something new.
    pub(super) moved: UnixSeconds,
    /// Whether anything new came of it.
    fruitful: bool,
    /// How often the peer had said how the document stands when it was asked.
    said: u64,
}

impl Member {
    /// Starts as many pulls as there is room for, for documents in which a peer differs.
    pub(super) fn schedule_pulls(&mut self) {
        let names: Vec<DocumentName> = self.differing.iter().copied().collect();
        for name in names {
            if self.pulls.len() >= limits::PULLS && !crate::broken!(PullsUnbounded) {
                return;
            }
            if self.pulls.values().any(|pull| pull.document == name) {
                continue;
            }
            match self.source_for(name) {
                Source::Peer(peer) => self.pull(name, peer),
                Source::Later => {}
                Source::None => {
                    self.differing.remove(&name);
                }
            }
        }
    }

    /// The peer to pull from: those that did not leave questions unanswered lately, of them
    /// the council's own nodes first, then whoever holds the most. A question says what is
    /// held, so it goes to readers alone (P-30), whatever a peer that is none, or is none any
    /// more, has shown.
    fn source_for(&self, name: DocumentName) -> Source {
        if !self.may_read(name, self.identity.council) {
            return Source::None;
        }
        let Some(mine) = self.holdings.get(&name).map(|holding| holding.digest) else {
            return Source::None;
        };
        let mut best: Option<(Rank, PeerId)> = None;
        let mut later = false;
        for (id, peer) in self.peers.iter().filter(|(_, peer)| peer.is_active()) {
            if !self.may_read(name, peer.who.council) {
                continue;
            }
            let under_way = self.pulls.values().filter(|pull| pull.peer == *id);
            if under_way.count() >= limits::PULLS_PER_PEER && !crate::broken!(PullsUnbounded) {
                later = true;
                continue;
            }
            let Some(seen) = peer.seen.get(&name) else {
                continue;
            };
            let Some(theirs) = seen.frontier.filter(|theirs| *theirs != mine) else {
                continue;
            };
            if seen.entries == 0 || seen.tried == Some((theirs, mine)) {
                continue;
            }
            if seen.not_before > self.now {
                later = true;
                continue;
            }
            let stalls = Reverse(self.stalls_of(peer.who.node));
            let rank = (stalls, peer.who.council == name.council, seen.entries);
            if best.is_none_or(|(highest, _)| rank > highest) {
                best = Some((rank, *id));
            }
        }
        match best {
            Some((_, peer)) => Source::Peer(peer),
            None if later => Source::Later,
            None => Source::None,
        }
    }

    fn pull(&mut self, document: DocumentName, peer: PeerId) {
        let Some(holding) = self.holdings.get(&document) else {
            return;
        };
        let mut refused = holding.document.refused();
        refused.sort_unstable();
        let want = Want {
            document,
            generation: holding.document.place().generation,
            frontier: holding.document.frontier(),
            refused,
        };
        let seen = self.peers.get(&peer).and_then(|p| p.seen.get(&document));
        let said = seen.map_or(0, |seen| seen.said);
        let pull = PullId(self.next_pull);
        self.next_pull += 1;
        self.pulls.insert(
            pull,
            Pull {
                peer,
                document,
                began: self.now,
                moved: self.now,
                fruitful: false,
                said,
            },
        );
        let frame = want.encode();
        self.out.push(Output::Ask { peer, pull, frame });
    }

    /// A frame of an answer came.
    pub fn answered(&mut self, pull: PullId, frame: &[u8], now: UnixSeconds) {
        self.at(now);
        let Some(state) = self.pulls.get_mut(&pull) else {
            return;
        };
        let (peer, document) = (state.peer, state.document);
        match Answer::decode(frame) {
            Ok(Answer::Batch(units)) => self.batch(pull, units),
            Ok(Answer::End(frontier)) => {
                self.pull_ended(pull, &frontier);
                self.out.push(Output::GiveUp { pull });
            }
            Ok(Answer::No(NoAnswer::Busy { retry_after })) => {
                let wait = retry_after.clamp(1, limits::PULL_STALL_SECONDS);
                self.put_off(pull, wait);
                self.out.push(Output::GiveUp { pull });
            }
            Ok(Answer::No(NoAnswer::NotAReader | NoAnswer::OtherGeneration)) => {
                self.settle(peer, document, None);
                self.pulls.remove(&pull);
                self.out.push(Output::GiveUp { pull });
            }
            Err(error) => self.close(peer, CloseReason::BadMessage(error)),
        }
        self.schedule_pulls();
    }

    /// The stream of an answer broke before its last frame.
    pub fn pull_failed(&mut self, pull: PullId, now: UnixSeconds) {
        self.at(now);
        self.put_off(pull, limits::BUSY_SECONDS);
        self.schedule_pulls();
    }

    fn batch(&mut self, pull: PullId, units: Vec<Unit>) {
        let Some((peer, document)) = self.pulls.get(&pull).map(|p| (p.peer, p.document)) else {
            return;
        };
        if units.iter().any(|unit| unit.place.document != document) {
            return self.close(peer, CloseReason::OutOfTurn("entries of another document"));
        }
        if !self.may_read(document, self.identity.council) {
            self.pulls.remove(&pull);
            self.out.push(Output::GiveUp { pull });
            return;
        }
        let from = self.peers.get(&peer).map(|p| p.who.node);
        let (admitted, refused) = self.admit(document, units, from);
        if refused.iter().any(|r| r.cause == Cause::BadSignature) {
            return self.close(peer, CloseReason::BadEntries);
        }
        if admitted.is_empty() {
            return;
        }
        if let Some(state) = self.pulls.get_mut(&pull) {
            state.fruitful = true;
            state.moved = self.now;
        }
        self.confirm(peer, document, &admitted);
    }

    /// Tells a peer that what it gave is stored here.
    pub(super) fn confirm(&mut self, peer: PeerId, document: DocumentName, admitted: &[Unit]) {
        let Some(holding) = self.holdings.get(&document) else {
            return;
        };
        let mut chains: Vec<(ChainId, u64)> = admitted.iter().map(|u| (u.chain, u.end())).collect();
        chains.sort_unstable();
        let holds = Control::Holds(Holds {
            document,
            generation: holding.document.place().generation,
            chains,
            frontier: holding.digest,
            entries: holding.entries(),
        });
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let seen = state.seen.entry(document).or_default();
        for unit in admitted {
            seen.holds(unit.chain, unit.end());
        }
        let council = state.who.council;
        // It may have been asked as a reader and be none any more (P-30).
        if self.may_read(document, council) {
            self.send(peer, &holds);
        }
    }

    pub(super) fn peer_holds(&mut self, peer: PeerId, holds: &Holds) {
        let name = holds.document;
        let council = self.peers.get(&peer).map(|p| p.who.council);
        if !council.is_some_and(|council| self.may_read(name, council)) {
            return;
        }
        let Some(mine) = self.holdings.get(&name).map(|holding| holding.digest) else {
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            let seen = state.seen.entry(name).or_default();
            seen.says(holds.frontier, holds.entries, self.now);
        }
        self.shown(peer, name, holds.chains.iter().copied());
        if mine != holds.frontier {
            self.differing.insert(name);
        }
    }

    /// A peer has shown that it holds entries. Only what is held here too is remembered, so
    /// that its word cannot make this node keep more.
    pub(super) fn shown(
        &mut self,
        peer: PeerId,
        document: DocumentName,
        chains: impl IntoIterator<Item = (ChainId, u64)>,
    ) {
        let Some(holding) = self.holdings.get(&document) else {
            return;
        };
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let seen = state.seen.entry(document).or_default();
        for (chain, entries) in chains.into_iter().take(limits::CHAINS_PER_DOCUMENT) {
            let held = holding.document.entries_of(chain);
            if held > 0 {
                seen.holds(chain, entries.min(held));
            }
        }
    }

    fn pull_ended(&mut self, pull: PullId, theirs: &Frontier) {
        let Some(state) = self.pulls.remove(&pull) else {
            return;
        };
        let place = self.place(state.document);
        let digest = theirs.digest(&place);
        let entries = theirs.0.values().map(|reach| reach.entries).sum();
        let now = self.now;
        if let Some(peer) = self.peers.get_mut(&state.peer) {
            let seen = peer.seen.entry(state.document).or_default();
            // What it said meanwhile, on another stream, is newer than the end of its answer.
            if seen.said == state.said {
                seen.says(digest, entries, now);
            }
        }
        let chains = theirs
            .0
            .iter()
            .map(|(chain, reach)| (*chain, reach.entries));
        self.shown(state.peer, state.document, chains);
        self.showed_branches(state.peer, state.document, theirs);
        self.settle(state.peer, state.document, Some(digest));
        if state.fruitful {
            self.tell_others(state.document, state.peer);
        }
    }

    /// Remembers that pulling from this peer is of no use until it or we move on.
    fn settle(&mut self, peer: PeerId, document: DocumentName, digest: Option<Hash>) {
        let Some(mine) = self.holdings.get(&document).map(|holding| holding.digest) else {
            return;
        };
        if let Some(state) = self.peers.get_mut(&peer) {
            let seen = state.seen.entry(document).or_default();
            if let Some(theirs) = digest.or(seen.frontier) {
                seen.tried = Some((theirs, mine));
            }
        }
    }

    fn put_off(&mut self, pull: PullId, seconds: u64) {
        let Some(state) = self.pulls.remove(&pull) else {
            return;
        };
        let not_before = self.now.plus(seconds);
        if let Some(peer) = self.peers.get_mut(&state.peer) {
            peer.seen.entry(state.document).or_default().not_before = not_before;
        }
    }

    /// Gives up what does not move, and what moves so slowly that another may do better.
    pub(super) fn give_up_stalled(&mut self) {
        let stalled: Vec<(PullId, PeerId)> = self
            .pulls
            .iter()
            .filter(|(_, pull)| {
                self.now.since(pull.moved) > limits::PULL_STALL_SECONDS
                    || self.now.since(pull.began) > limits::PULL_SECONDS
            })
            .map(|(id, pull)| (*id, pull.peer))
            .collect();
        for (pull, peer) in stalled {
            self.put_off(pull, limits::PULL_STALL_SECONDS);
            self.out.push(Output::GiveUp { pull });
            if let Some(node) = self.peers.get(&peer).map(|p| p.who.node) {
                let (count, last) = self.stalls.entry(node).or_default();
                *count = count.saturating_add(1);
                *last = self.now;
            }
        }
        let now = self.now;
        self.stalls
            .retain(|_, (_, last)| now.since(*last) < limits::STALL_MEMORY_SECONDS);
    }

    /// How often a node left a question unanswered, of late. It is remembered beyond the
    /// connection, so that a peer that answers nobody is not first again when it comes back.
    fn stalls_of(&self, node: NodeId) -> u32 {
        self.stalls.get(&node).map_or(0, |(count, _)| *count)
    }
}

/// Which peer is asked first, the highest: stalls, of the document's own council, entries.
type Rank = (Reverse<u32>, bool, u64);

enum Source {
    Peer(PeerId),
    /// Somebody differs, but is not to be asked yet.
    Later,
    None,
}
