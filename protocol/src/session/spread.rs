//! Spreading new entries: the author to every reader, each reader to two more (P-37 to P-40).

use super::message::{Control, Push};
use super::{CloseReason, Member, PeerId};
use crate::codec;
use crate::crypto::{self, Tag};
use crate::document::{Cause, Unit};
use crate::ids::{DocumentName, Hash};
use crate::limits;

impl Member {
    /// Sends entries that were written here to every connected reader.
    pub(super) fn push_to_all(&mut self, document: DocumentName, units: &[Unit]) {
        let readers = self.connected_readers(document);
        self.push(document, units, &readers);
    }

    pub(super) fn connected_readers(&self, document: DocumentName) -> Vec<PeerId> {
        self.peers
            .iter()
            .filter(|(_, peer)| peer.is_active() && self.may_read(document, peer.who.council))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Small news is sent whole, larger news announced for the reader to pull.
    fn push(&mut self, document: DocumentName, units: &[Unit], to: &[PeerId]) {
        let weight: usize = units.iter().map(Unit::weight).sum();
        if weight > limits::PUSH_BYTES {
            for peer in to {
                self.announce(document, *peer);
            }
            return;
        }
        let freshness = self
            .holdings
            .get(&document)
            .and_then(|h| h.freshness.clone());
        let push = Control::Push(Push {
            units: units.to_vec(),
            freshness,
        });
        for peer in to {
            self.send(*peer, &push);
        }
    }

    pub(super) fn pushed(&mut self, peer: PeerId, push: Push) {
        let Some(document) = push.units.first().map(|unit| unit.place.document) else {
            return;
        };
        if push
            .units
            .iter()
            .any(|unit| unit.place.document != document)
        {
            return self.close(peer, CloseReason::OutOfTurn("a push of two documents"));
        }
        let Some(who) = self.peers.get(&peer).map(|p| p.who) else {
            return;
        };
        if !self.may_read(document, self.identity.council) || !self.may_read(document, who.council)
        {
            return;
        }
        if let Some(freshness) = push.freshness.filter(|f| f.body.place.document == document) {
            self.hear_freshness(peer, freshness);
        }
        let chains: Vec<_> = push.units.iter().map(|u| (u.chain, u.end())).collect();
        let (admitted, refused) = self.admit(document, push.units, Some(who.node));
        let blamed = crate::broken!(RelayBlamed) && !refused.is_empty();
        if blamed || refused.iter().any(|r| r.cause == Cause::BadSignature) {
            return self.close(peer, CloseReason::BadEntries);
        }
        self.shown(peer, document, chains);
        if !admitted.is_empty() {
            self.confirm(peer, document, &admitted);
            let to = self.pass_on_to(document, peer, &admitted);
            self.push(document, &admitted, &to);
        }
        if refused
            .iter()
            .any(crate::document::Refusal::is_for_want_of_more)
        {
            self.ask_for_more(peer, document);
        }
    }

    /// The peer has more of a document than it pushed: asks for it.
    fn ask_for_more(&mut self, peer: PeerId, document: DocumentName) {
        if crate::broken!(NothingAskedFor) {
            return;
        }
        let now = self.now;
        if let Some(state) = self.peers.get_mut(&peer) {
            let seen = state.seen.entry(document).or_default();
            // Whatever it said before, it stands elsewhere now.
            seen.says(Hash([0; 32]), seen.entries.max(1), now);
            seen.tried = None;
        }
        self.differing.insert(document);
        self.schedule_pulls();
    }

    /// Announces a document that was pulled to two readers that may not have it.
    pub(super) fn tell_others(&mut self, document: DocumentName, from: PeerId) {
        let to = self.pass_on_to(document, from, &[]);
        for peer in to {
            self.announce(document, peer);
        }
    }

    /// Two readers, other than the sender and the author, that have not shown that they
    /// hold the units; chosen by a hash, so that passers do not all choose the same.
    fn pass_on_to(&self, document: DocumentName, from: PeerId, units: &[Unit]) -> Vec<PeerId> {
        let me = self.node();
        let sender = self.peers.get(&from).map(|p| p.who.node);
        let topic = match units.last() {
            Some(unit) => codec::encode(&(unit.chain, unit.end())),
            None => codec::encode(&self.holdings.get(&document).map(|h| h.digest)),
        };
        let mut ranked: Vec<(Hash, PeerId)> = self
            .connected_readers(document)
            .into_iter()
            .filter_map(|id| Some((id, self.peers.get(&id)?)))
            .filter(|(_, peer)| Some(peer.who.node) != sender)
            .filter(|(_, peer)| {
                let seen = peer.seen.get(&document);
                let holds = |unit: &Unit| {
                    let reach = seen.and_then(|seen| seen.chains.get(&unit.chain));
                    unit.chain.node == peer.who.node || reach.is_some_and(|n| *n >= unit.end())
                };
                units.is_empty() || !units.iter().all(holds)
            })
            .map(|(id, peer)| {
                let choice = codec::encode(&(&topic, me, peer.who.node));
                (crypto::hash(Tag::PassOn, &choice), id)
            })
            .collect();
        ranked.sort_unstable();
        ranked
            .into_iter()
            .take(limits::PASS_ON_TO)
            .map(|(_, id)| id)
            .collect()
    }
}
