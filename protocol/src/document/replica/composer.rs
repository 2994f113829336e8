//! Makes an entry's edits into an automerge change, and has automerge apply many at once.
//!
//! automerge's own way to edit, the transaction, puts one operation after another into its
//! columns. Here the change is composed from what the document holds, which takes no more than
//! looking up what each edit overwrites, and automerge takes over a whole batch of changes in
//! one pass. The change is the very one that a transaction would have made (a test holds them
//! against each other).

use std::num::NonZeroU64;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId, Automerge, AutomergeError, Change, ChangeHash, ExpandedChange, ObjId, ObjType, ROOT,
    ReadDoc,
};

use super::operations::{Operations, Written};
use crate::limits;
use crate::schema::Edit;

/// The map of records in the root of every document.
const RECORDS: &str = "records";

/// An automerge document that changes are composed on.
pub(super) struct Composer {
    doc: Automerge,
    records: ObjId,
    /// Not applied yet.
    waiting: Vec<Change>,
    /// What the waiting changes that were composed here leave behind.
    written: Written,
    /// Whether changes wait that were composed elsewhere: nothing is known of what is in them.
    others: bool,
    /// Of the document with all that waits, ascending.
    heads: Vec<ChangeHash>,
    max_op: u64,
}

/// Who makes a change.
pub(super) struct Author {
    pub(super) actor: ActorId,
    /// How many changes it made before, and the last of them.
    pub(super) latest: Option<(u64, ChangeHash)>,
}

impl Composer {
    /// An empty document. Its first change is the same everywhere.
    pub(super) fn new() -> Result<Self, AutomergeError> {
        let mut doc = Automerge::new().with_actor(ActorId::from(&[0u8; 16][..]));
        let mut genesis = doc.transaction();
        genesis.put_object(ROOT, RECORDS, ObjType::Map)?;
        genesis.commit_with(CommitOptions::default().with_time(0));
        Self::on(doc)
    }

    /// Goes on with a document that automerge saved.
    pub(super) fn load(bytes: &[u8]) -> Result<Self, AutomergeError> {
        Self::on(Automerge::load(bytes)?)
    }

    fn on(doc: Automerge) -> Result<Self, AutomergeError> {
        let records = match doc.get(ROOT, RECORDS)? {
            Some((_, object)) => object,
            None => return Err(AutomergeError::InvalidObjId(RECORDS.to_owned())),
        };
        let heads = doc.get_heads();
        let changes = heads.iter().filter_map(|hash| doc.get_change_by_hash(hash));
        let max_op = changes.map(|change| change.max_op()).max().unwrap_or(0);
        Ok(Self {
            doc,
            records,
            waiting: Vec::new(),
            written: Written::default(),
            others: false,
            heads,
            max_op,
        })
    }

    /// The document, without what still waits.
    pub(super) fn doc(&self) -> &Automerge {
        &self.doc
    }

    /// How many changes wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The map of records in it.
    pub(super) fn records(&self) -> &ObjId {
        &self.records
    }

    /// A change that was applied here.
    pub(super) fn change(&self, hash: &ChangeHash) -> Option<Change> {
        self.doc.get_change_by_hash(hash)
    }

    /// Composes the change of these edits after everything that is here; `None` where they
    /// change nothing.
    pub(super) fn write(
        &mut self,
        author: &Author,
        edits: &[Edit],
    ) -> Result<Option<&Change>, AutomergeError> {
        if self.others || self.is_full() {
            self.settle()?;
        }
        let first = NonZeroU64::MIN.saturating_add(self.max_op);
        let mut operations = Operations::new(&self.doc, &self.records, &author.actor, first);
        for edit in edits {
            operations.add(edit, &mut self.written)?;
        }
        let operations = operations.into_list();
        if operations.is_empty() {
            return Ok(None);
        }
        // automerge has a change name its author's last one, whether that is a head or not.
        let mut causes = self.heads.clone();
        let last = author.latest.map(|(_, last)| last);
        causes.extend(last.filter(|last| !self.heads.contains(last)));
        let change = ExpandedChange {
            operations,
            actor_id: author.actor.clone(),
            hash: None,
            seq: author.latest.map_or(1, |(made, _)| made + 1),
            start_op: first,
            time: 0,
            message: None,
            deps: causes,
            extra_bytes: Vec::new(),
            author: None,
        };
        self.add(change.into());
        Ok(self.waiting.last())
    }

    /// Takes over changes whose causes are here, made by other composers.
    pub(super) fn take(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<(), AutomergeError> {
        for change in changes {
            if self.is_full() {
                self.settle()?;
            }
            self.others = true;
            self.add(change);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= limits::WAITING_CHANGES
    }

    fn add(&mut self, change: Change) {
        self.heads.retain(|head| !change.deps().contains(head));
        self.heads.push(change.hash());
        self.heads.sort_unstable();
        self.max_op = self.max_op.max(change.max_op());
        self.waiting.push(change);
    }

    /// Applies what waits. Work is about that of reading through the objects that are touched.
    pub(super) fn settle(&mut self) -> Result<(), AutomergeError> {
        self.written = Written::default();
        self.others = false;
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.doc.apply_changes(std::mem::take(&mut self.waiting))
    }
}
