//! Writing: this council's own edits, and its word on readers and freshness.

use super::{Durable, Member, Output};
use crate::document::{Cause, ChainId, Judged, Unit, in_rows};
use crate::ids::{CouncilCode, DocumentKind, DocumentName, Incarnation, RecordId, RecordKind};
use crate::limits;
use crate::schema::Edit;
use crate::statements::{Acceptance, AcceptanceBody, Freshness, FreshnessBody};

use crate::time::UnixSeconds;

/// Where a write ended up: enough to ask who else holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The document.
    pub document: DocumentName,
    /// The chain that it continued.
    pub chain: ChainId,
    /// Entries of the chain with this write.
    pub entries: u64,
}

/// A write that was refused. Nothing was changed in any document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The gate refuses the edits.
    #[error("{document} does not take this write: {cause}")]
    Refused {
        /// The document.
        document: DocumentName,
        /// What the gate found.
        cause: Cause,
    },
    /// The roster does not list this node (any more).
    #[error(
        "the roster does not list this node, so what it writes counts nowhere; ask the SMP admin"
    )]
    NotListed,
    /// This node's key signed two histories of the document.
    #[error(
        "this node's key signed two histories of {0}, so nothing more is taken from it there: a copy of this node runs somewhere, or its key was stolen"
    )]
    KeyClosed(DocumentName),
    /// The region has cut this node's key from the document.
    #[error("the region has cut this node's key from {0}, so what it writes there counts nowhere")]
    KeyCut(DocumentName),
    /// A reader that is not a member.
    #[error("{0} is not a member of the region")]
    NotAMember(CouncilCode),
    /// More readers than a register may have.
    #[error("a register has at most {} readers", limits::READERS_PER_DOCUMENT)]
    TooManyReaders,
}

impl Member {
    /// Writes to this council's own documents: all of it, in one flush, or nothing.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn write(
        &mut self,
        edits: &[(DocumentKind, Vec<Edit>)],
        now: UnixSeconds,
    ) -> Result<Vec<Receipt>, WriteError> {
        self.at(now);
        if crate::broken!(AloneIsMute) && self.peers.is_empty() {
            return Err(WriteError::NotListed);
        }
        let mut judged = Vec::new();
        for (kind, edits) in edits.iter().filter(|(_, edits)| !edits.is_empty()) {
            let document = kind.of(self.identity.council);
            judged.push((document, self.judge_own(document, edits)?));
        }
        let mut receipts = Vec::new();
        for (document, units) in judged {
            let last = units.last().map(|unit| (unit.chain, unit.end()));
            let mut admitted = Vec::new();
            for part in in_rows(units) {
                admitted.extend(self.admit(document, part, None).0);
            }
            if let Some((chain, entries)) = last {
                receipts.push(Receipt {
                    document,
                    chain,
                    entries,
                });
            }
            self.state_freshness(document);
            self.push_to_all(document, &admitted);
        }
        Ok(receipts)
    }

    /// Signs the edits and has the gate judge them, without taking them in.
    fn judge_own(
        &mut self,
        document: DocumentName,
        edits: &[Edit],
    ) -> Result<Vec<Unit>, WriteError> {
        let node = self.node();
        self.may_sign(document)?;
        let fresh = Incarnation(self.dice.u64(..).to_be_bytes());
        let incarnation = *self.incarnations.entry(document).or_insert(fresh);
        let chain = ChainId { node, incarnation };
        let roster = self.roster.clone();
        let signing = self.identity.key.clone();
        let holding = self.holding(document);
        let units = holding
            .document
            .author(chain, edits, roster.schema, &signing);
        let Judged { refused, .. } = holding.document.judge(units.clone(), &roster);
        match refused.into_iter().next() {
            Some(refusal) => Err(WriteError::Refused {
                document,
                cause: refusal.cause,
            }),
            None => Ok(units),
        }
    }

    /// Whether what this node signs for a document counts.
    fn may_sign(&self, document: DocumentName) -> Result<(), WriteError> {
        let node = self.node();
        if self.roster.cut(document, node).is_some() {
            return Err(WriteError::KeyCut(document));
        }
        if self.roster.signing_key(document, node).is_none() {
            return Err(WriteError::NotListed);
        }
        let held = self.holdings.get(&document);
        if held.is_some_and(|holding| holding.document.closed(node).is_some()) {
            return Err(WriteError::KeyClosed(document));
        }
        Ok(())
    }

    /// The chain that this process writes on a document, once it has written to it.
    pub fn own_chain(&self, document: DocumentName) -> Option<ChainId> {
        let incarnation = *self.incarnations.get(&document)?;
        let node = self.node();
        Some(ChainId { node, incarnation })
    }

    /// What is written to a document from now on goes on a chain of its own, as after a restart.
    pub(crate) fn begin_chain(&mut self, document: DocumentName) {
        self.incarnations.remove(&document);
    }

    /// The name of a new record.
    pub(crate) fn draw_record(&mut self, kind: RecordKind) -> RecordId {
        let mut random = [0; 15];
        self.dice.fill(&mut random);
        RecordId::new(kind, random)
    }

    /// How many other nodes are known to hold a write.
    pub fn holders(&self, receipt: &Receipt) -> usize {
        let mut nodes: Vec<_> = self
            .peers
            .values()
            .filter(|peer| {
                let seen = peer.seen.get(&receipt.document);
                let reach = seen.and_then(|seen| seen.chains.get(&receipt.chain));
                reach.is_some_and(|entries| *entries >= receipt.entries)
            })
            .map(|peer| peer.who.node)
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.len()
    }

    /// Accepts a reader of this council's register, or takes that back.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn accept_reader(
        &mut self,
        reader: CouncilCode,
        accept: bool,
        now: UnixSeconds,
    ) -> Result<(), WriteError> {
        self.at(now);
        let document = DocumentKind::HostRegister.of(self.identity.council);
        let node = self.node();
        self.may_sign(document)?;
        if self.roster.member(reader).is_none() {
            return Err(WriteError::NotAMember(reader));
        }
        let held = self
            .holdings
            .get(&document)
            .and_then(|h| h.acceptance.as_ref());
        let counter = held.map_or(1, |held| held.body.counter.saturating_add(1));
        let mut readers = held
            .map(|held| held.body.readers.clone())
            .unwrap_or_default();
        match readers.binary_search(&reader) {
            Err(at) if accept && reader != document.council => readers.insert(at, reader),
            Ok(at) if !accept => drop(readers.remove(at)),
            _ => return Ok(()),
        }
        if readers.len() > limits::READERS_PER_DOCUMENT {
            return Err(WriteError::TooManyReaders);
        }
        let body = AcceptanceBody {
            region: self.identity.region.clone(),
            document,
            counter,
            readers,
            issued: self.now,
            node,
        };
        let acceptance = Acceptance::sign(body, &self.identity.key);
        self.keep_acceptance(acceptance);
        Ok(())
    }

    /// Says, signed, how one of this council's documents stands now.
    fn state_freshness(&mut self, document: DocumentName) {
        let Some(holding) = self.holdings.get(&document) else {
            return;
        };
        // A statement made while the clock was wrong is believed by nobody.
        let latest = self.now.plus(limits::CLOCK_SKEW_SECONDS);
        let before = holding
            .freshness
            .as_ref()
            .map(|f| (f.body.at, f.body.counter))
            .filter(|(at, _)| *at <= latest);
        let body = FreshnessBody {
            place: holding.document.place().clone(),
            node: self.node(),
            at: before.map_or(self.now, |(at, _)| at.max(self.now)),
            counter: before.map_or(0, |(_, counter)| counter.saturating_add(1)),
            frontier: holding.digest,
        };
        let freshness = Freshness::sign(body, &self.identity.key);
        if let Some(holding) = self.holdings.get_mut(&document) {
            holding.freshness = Some(freshness.clone());
        }
        self.out.push(Output::Store(Durable::Freshness(freshness)));
    }

    /// Says again how this council's documents stand, once an hour, to every reader.
    pub(super) fn refresh(&mut self) {
        if self.roster.node(self.node()).is_none() {
            return;
        }
        let (now, latest) = (self.now, self.now.plus(limits::CLOCK_SKEW_SECONDS));
        let own = self.identity.council;
        // A document of which each council has one stands somewhere too when it is empty.
        let each = DocumentKind::OF_EACH.map(|kind| kind.of(own));
        for document in each {
            if self.roster.signing_key(document, self.node()).is_none() {
                continue;
            }
            let said = self.holding(document).freshness.as_ref().map(|f| f.body.at);
            if said.is_some_and(|at| at <= latest && now.since(at) < limits::FRESHNESS_SECONDS) {
                continue;
            }
            self.state_freshness(document);
            for peer in self.active_peers() {
                self.announce(document, peer);
            }
        }
    }
}
