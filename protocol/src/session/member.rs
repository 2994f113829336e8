//! The member itself: its documents, its peers, and the right to read.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answering;
use super::forks::FetchedBack;
use super::peer::Peer;
use super::pull::Pull;
use super::settle::FallenFields;
use super::upkeep::Upkeep;
use super::{Durable, Note, Output, PeerId, PullId, StreamId};
use crate::codec;
use crate::crypto::{self, Signing, Tag};
use crate::document::{Cause, Document, Frontier, Place, Refusal, ReplicaError, Snapshot, Unit};
use crate::ids::{
    BootId, CouncilCode, DocumentKind, DocumentName, Hash, Incarnation, NodeId, RecordId,
    RegionName,
};
use crate::limits;
use crate::roster::VerifiedRoster;
use crate::statements::{Acceptance, Freshness};
use crate::time::UnixSeconds;

/// Who this member is.
#[derive(Debug)]
pub struct Identity {
    /// Its region.
    pub region: RegionName,
    /// Its council.
    pub council: CouncilCode,
    /// Its signing key, which names its node.
    pub key: Signing,
    /// New at each process start.
    pub boot: BootId,
}

/// What the store held could not be taken back. Nothing was changed in the store.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Stored entries do not pass the gate.
    #[error("stored entries of {document} are refused: {}", .refusal.cause)]
    Refused {
        /// The document.
        document: DocumentName,
        /// What was found.
        refusal: Box<Refusal>,
    },
    /// The merge engine failed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// A document that is held, with what its council says of it.
pub(super) struct Holding {
    pub(super) document: Document,
    /// The digest of its frontier, kept because it is asked for all the time.
    pub(super) digest: Hash,
    /// The digest of its automerge heads.
    pub(super) heads: Hash,
    /// Batches stored.
    pub(super) batches: u64,
    pub(super) freshness: Option<Freshness>,
    pub(super) acceptance: Option<Acceptance>,
    /// Since when a key is closed here (P-16).
    pub(super) closed_since: BTreeMap<NodeId, UnixSeconds>,
    /// The store holds entries of it that were not taken back: the roster lists their
    /// node no longer.
    pub(super) has_holes: bool,
    /// What fell away of it with a cut; only of this council's own (P-49).
    pub(super) fallen: BTreeMap<RecordId, FallenFields>,
    /// When the merged state was last needed, to the second.
    pub(super) looked_at: UnixSeconds,
    /// When entries last came in.
    pub(super) changed: UnixSeconds,
    /// What entries came to since the last snapshot, as the document's total is counted.
    pub(super) unsaved: u64,
}

impl Holding {
    fn new(place: Place) -> Self {
        let document = Document::new(place);
        Self {
            digest: Frontier::default().digest(document.place()),
            heads: document.heads_digest(),
            document,
            batches: 0,
            freshness: None,
            acceptance: None,
            closed_since: BTreeMap::new(),
            has_holes: false,
            fallen: BTreeMap::new(),
            looked_at: UnixSeconds(0),
            changed: UnixSeconds(0),
            unsaved: 0,
        }
    }

    /// After entries were executed.
    pub(super) fn moved(&mut self) {
        self.digest = self.document.frontier().digest(self.document.place());
        self.heads = self.document.heads_digest();
    }

    pub(super) fn entries(&self) -> u64 {
        self.document.entry_count() as u64
    }
}

/// A member of a region. See the module's documentation.
pub struct Member {
    pub(super) identity: Identity,
    pub(super) roster: VerifiedRoster,
    /// What the machine's clock last showed.
    pub(super) clock: UnixSeconds,
    /// What that counts as (P-8).
    pub(super) now: UnixSeconds,
    pub(super) dice: fastrand::Rng,
    pub(super) holdings: BTreeMap<DocumentName, Holding>,
    pub(super) peers: BTreeMap<PeerId, Peer>,
    pub(super) pulls: BTreeMap<PullId, Pull>,
    pub(super) next_pull: u64,
    /// Nodes that left questions unanswered of late: how many, and when the last.
    pub(super) stalls: BTreeMap<NodeId, (u32, UnixSeconds)>,
    /// Documents of which some peer showed another state than ours.
    pub(super) differing: BTreeSet<DocumentName>,
    pub(super) answers: BTreeMap<(PeerId, StreamId), Answering>,
    /// The chain that this process writes on each document.
    pub(super) incarnations: BTreeMap<DocumentName, Incarnation>,
    /// When a document last changed here.
    pub(super) changed: UnixSeconds,
    /// When it first did since the last round.
    pub(super) unsettled_since: Option<UnixSeconds>,
    pub(super) next_round: UnixSeconds,
    /// Seconds from the newest change, or from the round after it, to the next round.
    pub(super) pace: u64,
    /// Entries of this node's own that came from others.
    pub(super) fetched_back: Option<FetchedBack>,
    pub(super) upkeep: Upkeep,
    /// Snapshots that the store held, until all entries are taken back.
    pub(super) snapshots: BTreeMap<DocumentName, Snapshot>,
    pub(super) out: Vec<Output>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Member({}, {} peers)",
            self.identity.council,
            self.peers.len()
        )
    }
}

impl Member {
    /// A member that holds nothing yet. `seed` feeds its choices of peers and the names of
    /// its chains, and must be new at every process start.
    pub fn new(identity: Identity, roster: VerifiedRoster, seed: u64, now: UnixSeconds) -> Self {
        let mut member = Self {
            identity,
            clock: now,
            now: roster.issued,
            roster,
            next_pull: seed >> 1,
            dice: fastrand::Rng::with_seed(seed),
            holdings: BTreeMap::new(),
            peers: BTreeMap::new(),
            pulls: BTreeMap::new(),
            stalls: BTreeMap::new(),
            differing: BTreeSet::new(),
            answers: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            changed: UnixSeconds(0),
            unsettled_since: None,
            next_round: now,
            pace: limits::ROUND_SECONDS_UNSETTLED,
            fetched_back: None,
            upkeep: Upkeep::default(),
            snapshots: BTreeMap::new(),
            out: Vec::new(),
        };
        member.at(now);
        member
    }

    /// Takes back what the store held; rosters before the documents, batches by ordinal.
    /// Entries pass the same gate as any others, but for cuts and closed keys. When all is
    /// given, [`Member::restored`] sees to those.
    ///
    /// # Errors
    /// [`RestoreError`] where the store holds what is not admissible: it is damaged.
    pub fn restore(&mut self, durable: Durable) -> Result<(), RestoreError> {
        match durable {
            Durable::Batch {
                document, units, ..
            } => self.restore_batch(document, units)?,
            Durable::Rewritten {
                document, batches, ..
            } => {
                let place = self.place(document);
                let holding = self.holding(document);
                holding.document = Document::new(place);
                holding.batches = 0;
                for units in batches {
                    self.restore_batch(document, units)?;
                }
            }
            Durable::Roster(signed) => {
                if let Ok(crate::roster::Installed::Newer(newer)) = self.roster.consider(signed) {
                    self.roster = newer;
                    self.at(self.clock);
                }
            }
            Durable::Acceptance(acceptance) => {
                let document = acceptance.body.document;
                self.holding(document).acceptance = Some(acceptance);
            }
            Durable::Freshness(freshness) => {
                let document = freshness.body.place.document;
                self.holding(document).freshness = Some(freshness);
            }
            Durable::Evidence { evidence, since } => {
                let holding = self.holding(evidence.place.document);
                holding.closed_since.insert(evidence.node(), since);
                holding.document.close(evidence);
            }
            Durable::Fallen {
                document,
                record,
                fields,
            } => {
                let fallen = &mut self.holding(document).fallen;
                fallen.insert(record, fields);
                fallen.retain(|_, fields| !fields.is_empty());
            }
            Durable::Snapshot {
                document, snapshot, ..
            } => drop(self.snapshots.insert(document, snapshot)),
        }
        Ok(())
    }

    fn restore_batch(
        &mut self,
        document: DocumentName,
        units: Vec<Unit>,
    ) -> Result<(), RestoreError> {
        let roster = self.roster.clone();
        let holding = self.holding(document);
        let judged = holding.document.judge_stored(units, &roster);
        // What a node wrote that the roster lists no longer is not taken in, nor what
        // stands on it.
        holding.has_holes |= judged
            .refused
            .iter()
            .any(|refusal| refusal.cause == Cause::NotAWriter);
        let missed = |r: &Refusal| r.cause == Cause::NotAWriter || r.is_for_want_of_more();
        let has_holes = holding.has_holes;
        let bad = judged.refused.iter().find(|r| !(has_holes && missed(r)));
        if let Some(refusal) = bad.cloned() {
            let refusal = Box::new(refusal);
            return Err(RestoreError::Refused { document, refusal });
        }
        holding.document.take_back(judged)?;
        holding.batches += 1;
        Ok(())
    }

    /// What to do, in order; empty until the next event.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// The roster that holds.
    pub fn roster(&self) -> &VerifiedRoster {
        &self.roster
    }

    /// Who this member is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// This member's node.
    pub fn node(&self) -> NodeId {
        self.identity.key.node_id()
    }

    /// A document that is held.
    pub fn document(&self, name: DocumentName) -> Option<&Document> {
        self.holdings.get(&name).map(|holding| &holding.document)
    }

    pub(super) fn place(&self, document: DocumentName) -> Place {
        Place {
            region: self.identity.region.clone(),
            document,
            generation: 1,
        }
    }

    pub(super) fn holding(&mut self, document: DocumentName) -> &mut Holding {
        let place = self.place(document);
        let held = self.holdings.entry(document);
        held.or_insert_with(|| Holding::new(place))
    }

    /// Whether `council` may read `document` (P-9, P-10), as far as this node knows.
    pub fn may_read(&self, document: DocumentName, council: CouncilCode) -> bool {
        if self.roster.member(council).is_none() || self.roster.member(document.council).is_none() {
            return false;
        }
        if council == document.council {
            return true;
        }
        match document.kind {
            DocumentKind::RematchingPool | DocumentKind::HousingList => true,
            DocumentKind::Casework(_) if crate::broken!(CaseworkIsOpen) => true,
            DocumentKind::Casework(counterpart) => council == counterpart,
            DocumentKind::HostRegister if crate::broken!(EveryoneReads) => true,
            DocumentKind::HostRegister => {
                self.roster.named_readers(document).contains(&council)
                    && self.accepted(document).contains(&council)
            }
        }
    }

    /// The readers that the document's council accepts, as far as this node knows.
    pub fn accepted(&self, document: DocumentName) -> &[CouncilCode] {
        self.holdings
            .get(&document)
            .and_then(|holding| holding.acceptance.as_ref())
            .map_or(&[], |acceptance| &acceptance.body.readers)
    }

    /// The documents held here that this council and `other` may both read, ascending.
    pub(super) fn shared_with(&self, other: CouncilCode) -> Vec<DocumentName> {
        let own = self.identity.council;
        let held = self.holdings.keys().copied();
        held.filter(|d| self.may_read(*d, own) && self.may_read(*d, other))
            .collect()
    }

    /// One digest over all that this council and `other` may both read and that has
    /// entries (P-31).
    pub(super) fn agreement_with(&self, other: CouncilCode) -> Hash {
        let states: Vec<(DocumentName, u64, Hash, Hash)> = self
            .shared_with(other)
            .into_iter()
            .filter_map(|name| {
                let holding = self.holdings.get(&name).filter(|h| h.entries() > 0)?;
                let generation = holding.document.place().generation;
                Some((name, generation, holding.digest, holding.heads))
            })
            .collect();
        crypto::hash(Tag::Agreement, &codec::encode(&states))
    }

    /// The way of every entry into a document: through the gate, into the store, executed.
    /// Returns the units that were new.
    pub(crate) fn admit(
        &mut self,
        document: DocumentName,
        units: Vec<Unit>,
        from: Option<NodeId>,
    ) -> (Vec<Unit>, Vec<Refusal>) {
        let roster = self.roster.clone();
        if let Some(holding) = self.holdings.get(&document) {
            let disproved = holding.document.disproved(&units, &roster);
            if !disproved.is_empty() {
                self.settle_document(document, &disproved);
            }
        }
        let now = self.now;
        let holding = self.holding(document);
        let judged = holding.document.judge(units, &roster);
        let refused = judged.refused.clone();
        let forks = judged.forks.clone();
        let admitted: Vec<Unit> = judged.units().cloned().collect();
        let mut stored = None;
        if !admitted.is_empty() {
            stored = Some(Durable::Batch {
                document,
                generation: holding.document.place().generation,
                ordinal: holding.batches,
                units: admitted.clone(),
            });
            holding.batches += 1;
            holding.changed = now;
            holding.unsaved += admitted.iter().map(Unit::total).sum::<u64>();
        }
        let executed = holding.document.execute(judged);
        holding.moved();
        if let Some(batch) = stored {
            self.out.push(Output::Store(batch));
            self.changed = self.now;
            // A round is due once it is quiet again: in the middle of an import, peers that
            // compare would only exchange long lists of what is on its way. But it is not put
            // off for longer than rounds are apart.
            let since = *self.unsettled_since.get_or_insert(self.now);
            let quiet = self.now.plus(limits::ROUND_SECONDS_UNSETTLED);
            self.next_round = quiet.min(since.plus(limits::ROUND_SECONDS));
            self.pace = limits::ROUND_SECONDS_UNSETTLED;
        }
        if let Err(error) = executed {
            self.out.push(Output::Rebuild(error.to_string()));
        }
        self.count_fetched_back(document, &admitted, from);
        self.found_forks(document, &forks);
        for refusal in &refused {
            self.note(Note::Refused {
                document,
                from,
                refusal: refusal.clone(),
            });
        }
        (admitted, refused)
    }

    pub(super) fn note(&mut self, note: Note) {
        self.out.push(Output::Note(note));
    }
}
