//! Comparing: summaries, agreement, and the rounds that repair what was lost (P-30 to P-32).

use super::message::{Agreement, Control, DocumentSummary, Summary};
use super::{CloseReason, Durable, Member, Note, Output, PeerId};
use crate::ids::{CouncilCode, DocumentName, Hash};
use crate::limits;
use crate::roster::ascending;
use crate::statements::{Acceptance, Freshness};
use crate::time::UnixSeconds;

impl Member {
    /// Time passed; to be called about once a second.
    pub fn tick(&mut self, now: UnixSeconds) {
        self.at(now);
        self.end_overdue();
        self.give_up_stalled();
        self.refresh();
        self.upkeep();
        if self.now >= self.next_round {
            self.round();
        }
        self.schedule_pulls();
    }

    /// Asks the peers that were asked longest ago whether all is equal, those apart that
    /// said so lately with nothing changed since. Rounds come closer together after a change,
    /// and then further and further apart: to ask everybody after each change would be as many
    /// questions as there are pairs of members.
    fn round(&mut self) {
        if crate::broken!(NothingAskedFor) {
            return;
        }
        self.unsettled_since = None;
        let mut due: Vec<(Option<UnixSeconds>, u64, PeerId)> = Vec::new();
        for (id, peer) in &self.peers {
            let at_rest = peer.compared.is_some_and(|at| {
                at > self.changed && self.now.since(at) < limits::AT_REST_SECONDS
            });
            if peer.is_active() && !at_rest {
                due.push((peer.asked, self.dice.u64(..), *id));
            }
        }
        due.sort_unstable();
        let active = self.peers.values().filter(|peer| peer.is_active());
        let settled = active
            .map(|peer| peer.compared)
            .all(|at| at.is_some_and(|at| at > self.changed));
        for (_, _, peer) in due.into_iter().take(limits::ROUND_PEERS) {
            let Some(state) = self.peers.get_mut(&peer) else {
                continue;
            };
            state.asked = Some(self.now);
            state.unanswered.get_or_insert(self.now);
            let council = state.who.council;
            let digest = self.agreement_with(council);
            self.send(
                peer,
                &Control::Agreement(Agreement {
                    reply: true,
                    digest,
                }),
            );
        }
        self.pace = self.pace.saturating_mul(2).min(limits::ROUND_SECONDS);
        let pause = if settled || self.pace == limits::ROUND_SECONDS {
            limits::ROUND_SECONDS + self.dice.u64(0..=limits::ROUND_SECONDS / 4)
        } else {
            self.pace
        };
        self.next_round = self.now.plus(pause);
    }

    /// How a document stands here, for a peer that may read it.
    fn summary_of(&self, name: DocumentName) -> Option<DocumentSummary> {
        let holding = self.holdings.get(&name)?;
        Some(DocumentSummary {
            document: name,
            generation: holding.document.place().generation,
            frontier: holding.digest,
            heads: holding.heads,
            entries: holding.entries(),
            freshness: holding.freshness.clone(),
            acceptance: holding.acceptance.clone(),
        })
    }

    /// The documents that `council` may read and that are held here: held by a reader, so
    /// readable by this council too.
    fn summaries_for(&self, council: CouncilCode) -> Vec<DocumentSummary> {
        self.shared_with(council)
            .into_iter()
            .filter_map(|name| self.summary_of(name))
            .collect()
    }

    pub(super) fn send_summary(&mut self, peer: PeerId, reply: bool) {
        let Some(council) = self.peers.get(&peer).map(|p| p.who.council) else {
            return;
        };
        let documents = self.summaries_for(council);
        self.send(peer, &Control::Summary(Summary { reply, documents }));
    }

    /// Tells one peer how one document stands, if it may read it.
    pub(super) fn announce(&mut self, name: DocumentName, peer: PeerId) {
        let Some(council) = self.peers.get(&peer).map(|p| p.who.council) else {
            return;
        };
        if !self.may_read(name, council) {
            return;
        }
        let documents: Vec<DocumentSummary> = self.summary_of(name).into_iter().collect();
        if !documents.is_empty() {
            let reply = false;
            self.send(peer, &Control::Summary(Summary { reply, documents }));
        }
    }

    pub(super) fn summary(&mut self, peer: PeerId, summary: Summary) {
        if !ascending(summary.documents.iter().map(|item| item.document)) {
            return self.close(peer, CloseReason::OutOfTurn("a summary out of order"));
        }
        for item in summary.documents {
            self.summarised(peer, item);
        }
        if let Some(state) = self.peers.get_mut(&peer) {
            state.compared = Some(self.now);
        }
        if summary.reply {
            self.send_summary(peer, false);
        }
        self.schedule_pulls();
    }

    fn summarised(&mut self, peer: PeerId, item: DocumentSummary) {
        let name = item.document;
        if self.roster.member(name.council).is_none() {
            return;
        }
        if let Some(acceptance) = item.acceptance.filter(|a| a.body.document == name) {
            self.hear_acceptance(peer, acceptance);
        }
        if !self.may_read(name, self.identity.council) {
            return;
        }
        if let Some(freshness) = item.freshness.filter(|f| f.body.place.document == name) {
            self.hear_freshness(peer, freshness);
        }
        let holding = self.holding(name);
        if item.generation != holding.document.place().generation {
            return;
        }
        let same = holding.digest == item.frontier;
        let diverged = same && holding.heads != item.heads;
        let mine = holding.document.frontier();
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let seen = state.seen.entry(name).or_default();
        if diverged {
            // No agreement, whatever the frontiers say.
            seen.frontier = None;
            let with = state.who.node;
            return self.note(Note::Diverged {
                document: name,
                with,
            });
        }
        seen.says(item.frontier, item.entries, self.now);
        if same {
            seen.covers(&mine);
        } else {
            self.differing.insert(name);
        }
    }

    /// Keeps a council's statement of its readers if it is newer, and passes it on: the
    /// right to read follows from it at once.
    fn hear_acceptance(&mut self, peer: PeerId, acceptance: Acceptance) {
        let name = acceptance.body.document;
        let held = self.holdings.get(&name).and_then(|h| h.acceptance.clone());
        if let Some(held) = held.filter(|held| !acceptance.replaces(held)) {
            // It may not have heard that it is no longer accepted, or is the owner itself with
            // an old copy of its disk and we are the ones who are not: no summary would say so.
            let council = self.peers.get(&peer).map(|p| p.who.council);
            let own = self.identity.council;
            let cut_off = |c| !self.may_read(name, c) || !self.may_read(name, own);
            if held != acceptance && council.is_some_and(cut_off) {
                self.take_leave(&held, peer);
            }
            return;
        }
        if !acceptance.holds(&self.roster) {
            return self.bad_statement(peer, name);
        }
        self.keep_acceptance(acceptance);
    }

    pub(super) fn keep_acceptance(&mut self, acceptance: Acceptance) {
        let name = acceptance.body.document;
        let before = self.accepted(name).to_vec();
        self.holding(name).acceptance = Some(acceptance.clone());
        self.out
            .push(Output::Store(Durable::Acceptance(acceptance.clone())));
        for peer in self.active_peers() {
            self.announce(name, peer);
            let council = self.peers.get(&peer).map(|p| p.who.council);
            if council.is_some_and(|c| before.contains(&c) && !self.may_read(name, c)) {
                self.take_leave(&acceptance, peer);
            }
        }
    }

    /// Tells a council that it is no longer accepted: the statement, and nothing of the
    /// document.
    fn take_leave(&mut self, acceptance: &Acceptance, peer: PeerId) {
        let item = DocumentSummary {
            document: acceptance.body.document,
            generation: 0,
            frontier: Hash([0; 32]),
            heads: Hash([0; 32]),
            entries: 0,
            freshness: None,
            acceptance: Some(acceptance.clone()),
        };
        let documents = vec![item];
        let reply = false;
        self.send(peer, &Control::Summary(Summary { reply, documents }));
    }

    pub(super) fn hear_freshness(&mut self, peer: PeerId, freshness: Freshness) {
        let name = freshness.body.place.document;
        let held = self.holdings.get(&name).and_then(|h| h.freshness.as_ref());
        if held.is_some_and(|held| !freshness.is_later(held)) {
            return;
        }
        if !freshness.holds(&self.roster, self.now) && !crate::broken!(StatementUnchecked) {
            return self.bad_statement(peer, name);
        }
        self.holding(name).freshness = Some(freshness.clone());
        self.out.push(Output::Store(Durable::Freshness(freshness)));
    }

    fn bad_statement(&mut self, peer: PeerId, document: DocumentName) {
        if let Some(from) = self.peers.get(&peer).map(|p| p.who.node) {
            self.note(Note::BadStatement { document, from });
        }
    }

    pub(super) fn agreement(&mut self, peer: PeerId, theirs: &Agreement) {
        let Some(council) = self.peers.get(&peer).map(|p| p.who.council) else {
            return;
        };
        let digest = self.agreement_with(council);
        if digest != theirs.digest {
            return self.send_summary(peer, true);
        }
        if theirs.reply {
            let reply = false;
            self.send(peer, &Control::Agreement(Agreement { reply, digest }));
        }
        let now = self.now;
        for name in self.shared_with(council) {
            let Some(holding) = self.holdings.get(&name).filter(|h| h.entries() > 0) else {
                continue;
            };
            let (frontier, entries) = (holding.digest, holding.entries());
            let reaches = holding.document.frontier();
            if let Some(state) = self.peers.get_mut(&peer) {
                let seen = state.seen.entry(name).or_default();
                seen.says(frontier, entries, now);
                seen.covers(&reaches);
            }
        }
        if let Some(state) = self.peers.get_mut(&peer) {
            state.compared = Some(now);
        }
    }

    pub(super) fn active_peers(&self) -> Vec<PeerId> {
        let active = self.peers.iter().filter(|(_, peer)| peer.is_active());
        active.map(|(id, _)| *id).collect()
    }
}
