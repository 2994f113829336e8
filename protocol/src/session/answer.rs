//! Answering: one batch at a time, as fast as the asker reads (P-33, P-34).

use std::collections::BTreeSet;

use super::message::{Answer, NoAnswer, Want};
use super::{CloseReason, Member, Note, Output, PeerId, StreamId};
use crate::document::Frontier;
use crate::ids::{DocumentName, Hash};
use crate::limits;
use crate::time::UnixSeconds;

/// An answer under way.
#[derive(Debug)]
pub(super) struct Answering {
    document: DocumentName,
    /// What the asker holds once it has read what was sent.
    held: Frontier,
    refused: BTreeSet<Hash>,
}

impl Member {
    /// A peer opened a stream, and this is its first frame.
    pub fn asked(&mut self, peer: PeerId, stream: StreamId, frame: &[u8], now: UnixSeconds) {
        self.at(now);
        let Some(state) = self.peers.get(&peer) else {
            return;
        };
        if !state.is_active() {
            return self.close(peer, CloseReason::OutOfTurn("a question before its hello"));
        }
        let want = match Want::decode(frame) {
            Ok(want) => want,
            Err(error) => return self.close(peer, CloseReason::BadMessage(error)),
        };
        let who = state.who;
        let name = want.document;
        if !self.may_read(name, who.council) || !self.may_read(name, self.identity.council) {
            self.note(Note::NotAReader {
                document: name,
                from: who.node,
            });
            return self.reply(peer, stream, &Answer::No(NoAnswer::NotAReader));
        }
        let under_way = self
            .answers
            .keys()
            .filter(|(asker, _)| *asker == peer)
            .count();
        if under_way >= limits::ANSWERS_PER_PEER {
            let retry_after = limits::BUSY_SECONDS;
            return self.reply(peer, stream, &Answer::No(NoAnswer::Busy { retry_after }));
        }
        let Some(holding) = self.holdings.get(&name) else {
            return self.reply(peer, stream, &Answer::End(Frontier::default()));
        };
        if want.generation != holding.document.place().generation {
            return self.reply(peer, stream, &Answer::No(NoAnswer::OtherGeneration));
        }
        let mut held = want.frontier;
        if held.0.len() > limits::CHAINS_PER_DOCUMENT {
            return self.close(
                peer,
                CloseReason::OutOfTurn("a frontier with too many chains"),
            );
        }
        let chains = held.0.iter().map(|(chain, reach)| (*chain, reach.entries));
        self.shown(peer, name, chains);
        self.showed_branches(peer, name, &held);
        if let Some(holding) = self.holdings.get(&name) {
            holding.document.show_disagreements(&mut held);
        }
        let refused = want
            .refused
            .into_iter()
            .take(limits::REFUSALS_PER_DOCUMENT)
            .collect();
        self.answers.insert(
            (peer, stream),
            Answering {
                document: name,
                held,
                refused,
            },
        );
        self.writable(peer, stream, now);
    }

    /// There is room on the stream for the next frame of the answer.
    pub fn writable(&mut self, peer: PeerId, stream: StreamId, now: UnixSeconds) {
        self.at(now);
        let Some(mut answering) = self.answers.remove(&(peer, stream)) else {
            return;
        };
        let name = answering.document;
        let council = self.peers.get(&peer).map(|p| p.who.council);
        // The right to read may have gone since the last frame.
        if !council.is_some_and(|council| self.may_read(name, council)) {
            return self.reply(peer, stream, &Answer::No(NoAnswer::NotAReader));
        }
        let Some(holding) = self.holdings.get(&name) else {
            return;
        };
        let batch =
            holding
                .document
                .batch_after(&mut answering.held, &answering.refused, &self.roster);
        if batch.is_empty() {
            let frontier = holding.document.frontier();
            return self.reply(peer, stream, &Answer::End(frontier));
        }
        self.answers.insert((peer, stream), answering);
        self.reply(peer, stream, &Answer::Batch(batch));
    }

    /// The asker does not read on.
    pub fn answer_stopped(&mut self, peer: PeerId, stream: StreamId) {
        self.answers.remove(&(peer, stream));
    }

    fn reply(&mut self, peer: PeerId, stream: StreamId, answer: &Answer) {
        self.out.push(Output::Answer {
            peer,
            stream,
            frame: answer.encode(),
            last: answer.is_last(),
        });
    }
}
