//! What the engine thread works on: the member, the store, and what waits for the flush.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use smp_protocol::casework::Decider;
use smp_protocol::document::Unit;
use smp_protocol::ids::DocumentName;
use smp_protocol::session::{CloseReason, Member, Note, Output, PeerId, PullId};
use smp_protocol::time::{Day, UnixSeconds};

use super::events::Watcher;
use super::restore::{self, OpenError, rows_of};
use super::{Event, Link, checks};
use crate::shared::Shared;
use crate::store::{Change, Store, StoreError};

/// The clock of this machine.
pub fn clock() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |elapsed| elapsed.as_secs()))
}

/// The member and the store, for as long as the store works.
pub struct Core {
    /// The member of the region. Its outputs are collected after every event.
    pub member: Member,
    /// What takes this council's decisions, for as long as this member is there.
    pub decider: Decider,
    /// Something came that the decider may have to answer or follow up.
    casework_moved: bool,
    /// Something came for which a place may have to be closed.
    checks_moved: bool,
    /// The day on which that was last looked at: outcomes run out as days pass.
    checked_on: Option<Day>,
    store: Store,
    shared: Arc<Shared>,
    links: HashMap<PeerId, Arc<dyn Link>>,
    pulls: HashMap<PullId, PeerId>,
    /// What has to be on disk before anything in `effects` is done.
    batch: Vec<Change>,
    effects: Vec<Output>,
    store_is_behind: bool,
    /// What there is to tell this council's officers.
    pub(super) watcher: Watcher,
    /// The merge engine failed: this member is not to be used any more.
    broken: Option<String>,
}

/// Why nothing of a batch was kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum FlushError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the merge engine failed: {0}")]
    Member(String),
}

impl Core {
    pub(super) fn new(
        member: Member,
        store: Store,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let (watcher, log, first) = Watcher::open(&store, clock())?;
        watcher.load(&shared, log);
        Ok(Self {
            member,
            decider: Decider::new(),
            casework_moved: true,
            checks_moved: true,
            checked_on: None,
            store,
            shared,
            links: HashMap::new(),
            pulls: HashMap::new(),
            batch: first,
            effects: Vec::new(),
            store_is_behind: false,
            watcher,
            broken: None,
        })
    }

    /// Reads the store. What this batch is about to write is not in it yet.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Has something written in the same flush as what the member writes.
    pub fn also_store(&mut self, changes: impl IntoIterator<Item = Change>) {
        let before = self.batch.len();
        self.batch.extend(changes);
        self.store_is_behind |= self.batch.len() > before;
    }

    /// Whether a question that reads the store has to wait for the flush: what was handed
    /// to [`Core::also_store`] is not in it yet.
    pub(super) fn store_is_behind(&self) -> bool {
        self.store_is_behind
    }

    /// What the rest of the node knows.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn handle(&mut self, event: Event) {
        let now = clock();
        match event {
            Event::Connected { peer, who, link } => {
                self.links.insert(peer, link);
                self.member.connected(peer, who, now);
            }
            Event::Disconnected(peer) => {
                self.links.remove(&peer);
                self.pulls.retain(|_, of| *of != peer);
                self.member.disconnected(peer, now);
            }
            Event::Control(peer, frame, _turn) => self.member.control(peer, &frame, now),
            Event::Asked(peer, stream, frame, _turn) => {
                self.member.asked(peer, stream, &frame, now)
            }
            Event::Writable(peer, stream) => self.member.writable(peer, stream, now),
            Event::AnswerStopped(peer, stream) => self.member.answer_stopped(peer, stream),
            Event::Answered(pull, frame, _turn) => self.member.answered(pull, &frame, now),
            Event::PullOver(pull) => {
                self.pulls.remove(&pull);
                self.member.pull_failed(pull, now);
            }
            Event::Tick => {
                self.member.tick(now);
                self.casework_moved = true;
            }
            Event::Job(_) | Event::Stop => {}
        }
    }

    /// Has the decider do what follows from what came in, and from the time.
    pub(super) fn tend(&mut self) {
        if std::mem::take(&mut self.casework_moved) {
            self.decider.tend(&mut self.member, clock());
            self.collect();
            // What it has written itself, it has seen.
            self.casework_moved = false;
        }
    }

    /// Has it looked at whose places are, although no register has moved.
    pub fn look_at_places(&mut self) {
        self.checks_moved = true;
        self.watcher.look_at_checks();
    }

    /// Has places closed whose host must take nobody. After the flush of what the vault is to say of
    /// them, which it reads.
    pub(super) fn tend_places(&mut self) {
        let today = Day::of(clock());
        let moved = self.checks_moved || self.checked_on != Some(today);
        if !moved || self.store_is_behind {
            return;
        }
        self.checks_moved = false;
        self.checked_on = Some(today);
        self.close_places(today);
        self.collect();
    }

    /// What this node holds of a document, batch by batch in the order in which it came, with when it
    /// came. Work grows with the document.
    ///
    /// # Errors
    /// [`OpenError`] where the store cannot be read.
    pub fn log_of(
        &self,
        document: DocumentName,
    ) -> Result<Vec<(UnixSeconds, Vec<Unit>)>, OpenError> {
        let log = restore::log_of(&self.store, document)?;
        Ok(log.into_iter().map(|row| (row.at, row.units)).collect())
    }

    /// Takes the member's outputs: what is to be stored into the batch, the rest behind it.
    pub(super) fn collect(&mut self) {
        for output in self.member.take_outputs() {
            match output {
                Output::Store(durable) => {
                    self.casework_moved |= Decider::is_moved_by(&durable);
                    self.checks_moved |= checks::is_moved_by(&durable);
                    self.watcher.moved(&durable);
                    self.batch.extend(rows_of(&durable, clock()));
                }
                Output::Rebuild(why) => self.broken = Some(why),
                other => self.effects.push(other),
            }
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), FlushError> {
        if let Some(why) = self.broken.take() {
            return Err(FlushError::Member(why));
        }
        if !self.batch.is_empty() {
            self.store.commit(&self.batch)?;
            self.batch.clear();
            self.store_is_behind = false;
        }
        Ok(())
    }

    /// Does what had to wait for the flush.
    pub(super) fn perform(&mut self) {
        self.publish_events();
        for output in std::mem::take(&mut self.effects) {
            match output {
                Output::Send { peer, frame } => {
                    if let Some(link) = self.links.get(&peer) {
                        link.control(frame);
                    }
                }
                Output::Ask { peer, pull, frame } => {
                    if let Some(link) = self.links.get(&peer) {
                        self.pulls.insert(pull, peer);
                        link.ask(pull, frame);
                    }
                }
                Output::GiveUp { pull } => {
                    let peer = self.pulls.remove(&pull);
                    if let Some(link) = peer.and_then(|peer| self.links.get(&peer)) {
                        link.give_up(pull);
                    }
                }
                Output::Answer {
                    peer,
                    stream,
                    frame,
                    last,
                } => {
                    if let Some(link) = self.links.get(&peer) {
                        link.answer(stream, frame, last);
                    }
                }
                Output::Close { peer, reason } => self.close(peer, &reason),
                Output::RosterChanged(roster) => self.shared.set_roster(roster),
                Output::Note(note) => self.note(&note),
                Output::Store(_) | Output::Rebuild(_) => {}
            }
        }
    }

    fn close(&mut self, peer: PeerId, reason: &CloseReason) {
        let Some(link) = self.links.remove(&peer) else {
            return;
        };
        link.close(reason.code(), reason.word());
        if *reason != CloseReason::Duplicate {
            self.shared
                .refused(reason.word(), &link.node().short(), &reason.to_string());
        }
    }

    pub(super) fn close_all(&mut self) {
        for (_, link) in self.links.drain() {
            link.close(0, "store");
        }
    }

    fn note(&self, note: &Note) {
        match note {
            Note::Joined { node, council } => {
                tracing::info!(%council, node = node.short(), "in contact");
            }
            Note::Refused {
                document,
                from,
                refusal,
            } => {
                // Entries that came before what they build on are asked for, not held
                // against anyone.
                if refusal.is_a_fault() {
                    let who = from.map_or("this node".to_owned(), |node| node.short());
                    let what = format!("entries of {document} refused: {}", refusal.cause);
                    self.shared.refused("entries", &who, &what);
                }
            }
            Note::RosterRefused { from, error } => {
                let what = format!(
                    "it showed a roster that is not taken: {error}; nothing to do, it is shown \
                     the newer one"
                );
                self.shared.refused("roster", &from.short(), &what);
            }
            Note::RosterForked { with, version } => {
                self.shared.set_forked(*version);
                let what = format!(
                    "two rosters of version {version} are in circulation; the SMP admin issues \
                     the next version to heal this"
                );
                self.shared.refused("roster_forked", &with.short(), &what);
            }
            Note::Diverged { document, with } => {
                let what = format!(
                    "it holds the same entries of {document} and merged them to something else; \
                     restart smp-node here and there, and report this as a defect"
                );
                self.shared.refused("diverged", &with.short(), &what);
            }
            Note::BadStatement { document, from } => {
                let what = format!("a statement about {document} does not hold");
                self.shared.refused("statement", &from.short(), &what);
            }
            Note::Forked {
                document,
                node,
                own,
            } => forked(&document.to_string(), &node.short(), *own),
            Note::Cut { document, entries } => tracing::warn!(
                %document,
                entries,
                "entries fell away with a cut in the roster"
            ),
            Note::FetchedBack {
                document,
                entries,
                from,
            } => tracing::warn!(
                %document,
                entries,
                from = from.short(),
                "entries of this node's own came back from another: its store is an older copy, \
                 or another process uses its key"
            ),
            Note::NotAReader { document, from } => {
                let what = format!("it asked for {document}, which it may not read");
                self.shared.refused("not_a_reader", &from.short(), &what);
            }
        }
    }
}

/// A key signed two histories of a document.
fn forked(document: &str, node: &str, own: bool) {
    if own {
        tracing::error!(
            document,
            "THIS NODE'S KEY signed two histories: a copy of this node runs somewhere, or its \
             key was stolen; replicas may differ. Stop every copy but one and tell the SMP admin"
        );
    } else {
        tracing::error!(
            document,
            node,
            "the key of this node signed two histories; it is closed for the document, and \
             replicas may differ until the region cuts it. Tell the SMP admin"
        );
    }
}
