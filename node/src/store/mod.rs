//! The node's store: a few named tables on disk, and one atomic, durable batch at a time.
//!
//! Two engines stand behind one small trait. Callers use [`Store`], which puts a checksum on every
//! value and verifies it on every read, so a damaged value is an error and never data. It must
//! never acknowledge what is not on disk, never go on after an engine has failed, never make a new
//! store where one has vanished, and never let keys or values reach a log in plain text (keys are
//! random ids and appear in errors in hex; values never appear).
//!
//! A store belongs to one thread. That thread drains its queue into one batch (group commit), since
//! a commit costs about the same whatever its size.

mod error;
mod open;
mod redb;
mod salvage;
mod seal;
#[cfg(feature = "sled")]
mod sled;
mod witness;

#[cfg(test)]
mod conformance;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::error::StoreError;
pub use self::open::{Open, location, open};
pub use self::salvage::{Salvaged, salvage};
pub use self::witness::{FILE as WITNESS, Lag};

use self::witness::{Mark, Witness};

/// Longest key. Keys are ids, hashes and sequence numbers put together, far below this; it keeps
/// an error with the key in hex readable.
pub const MAX_KEY_BYTES: usize = 1024;

/// Longest value: a snapshot of the largest document is a few MiB, so this leaves room, and it
/// keeps one value well inside the memory of a small server.
pub const MAX_VALUE_BYTES: usize = 64 * 1024 * 1024;

/// Memory that an engine may use as its cache: enough to keep a region's working set, and little
/// beside the documents that the node holds in memory anyway.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A table. Its name is on disk and never changes; a new table may be added at any time, and is
/// empty in a store that is older than it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// What the store says about itself: its format. Only `open` writes here.
    Store,
    /// What the node says about itself: roster, counters.
    Meta,
    /// Signed entries: the truth from which everything else can be rebuilt.
    Log,
    /// Signed statements of others and our own: acceptances, freshness, signature marks.
    Statements,
    /// Personal records. Nothing of this table ever leaves the node.
    Vault,
    /// Rows of imported files: which record each came from.
    Rows,
    /// Snapshots of documents beside the log: a cache, and nothing more.
    Snapshots,
    /// What this node told its officers, and that it did. It is nobody else's.
    Events,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 8] = [
        Table::Store,
        Table::Meta,
        Table::Log,
        Table::Statements,
        Table::Vault,
        Table::Rows,
        Table::Snapshots,
        Table::Events,
    ];

    /// The name on disk.
    pub const fn as_str(self) -> &'static str {
        match self {
            Table::Store => "store",
            Table::Meta => "meta",
            Table::Log => "log",
            Table::Statements => "statements",
            Table::Vault => "vault",
            Table::Rows => "rows",
            Table::Snapshots => "snapshots",
            Table::Events => "events",
        }
    }
}

/// One change of a batch. Changes apply in order: the last one to a key wins.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Set a key to a value, whether it is there or not.
    Put {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
        /// The value; it may be empty.
        value: Vec<u8>,
    },
    /// Remove a key, whether it is there or not.
    Delete {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
}

impl Change {
    /// The table that it changes.
    pub const fn table(&self) -> Table {
        match self {
            Change::Put { table, .. } | Change::Delete { table, .. } => *table,
        }
    }
}

/// Values may be personal, so only their size is shown.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = |key: &[u8]| data_encoding::HEXLOWER.encode(key);
        match self {
            Change::Put { table, key, value } => {
                write!(
                    f,
                    "Put({} {} = {} bytes)",
                    table.as_str(),
                    hex(key),
                    value.len()
                )
            }
            Change::Delete { table, key } => write!(f, "Delete({} {})", table.as_str(), hex(key)),
        }
    }
}

/// Rows of a scan: keys and values, in ascending order of the keys.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What every engine does. All calls come from one thread, and after an error there is no further
/// call: [`Store`] sees to both.
pub trait Engine: Send {
    /// The value at a key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Rows whose keys start with `prefix`, ascending, strictly after the key `after` if one is
    /// given, at most `limit` of them.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Rows, StoreError>;

    /// One atomic batch: on `Ok` all of it is on disk; after an error or a crash it is there whole
    /// or not at all.
    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError>;

    /// Gives space that deleted rows took back to the file system. It may take seconds.
    fn reclaim(&mut self) -> Result<(), StoreError>;

    /// What this engine promises and what it does not.
    fn promises(&self) -> Promises;
}

/// An engine's promises, in sentences for people: the node shows the second list at start, unless
/// it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// What it keeps.
    pub kept: &'static [&'static str],
    /// What it does not keep.
    pub not_kept: &'static [&'static str],
}

/// Which engine keeps the store: a line in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// redb 4, the default.
    #[default]
    Redb,
    /// sled 0.34, compiled in with the cargo feature `sled`.
    Sled,
}

impl EngineKind {
    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            EngineKind::Redb => "redb",
            EngineKind::Sled => "sled",
        }
    }
}

/// A store that is open. Closes when dropped.
pub struct Store {
    path: PathBuf,
    /// Empty once the engine has failed: then the store is dead until it is opened again.
    engine: RefCell<Option<Box<dyn Engine>>>,
    /// Says how far it has come; none while it is being made.
    witnessed: Option<(Mark, Witness)>,
    lag: Option<Lag>,
}

/// The row in [`Table::Store`] of the newest commit's mark.
const MARK_KEY: &[u8] = b"mark";

impl Store {
    fn new(path: PathBuf, engine: Box<dyn Engine>) -> Self {
        Store {
            path,
            engine: RefCell::new(Some(engine)),
            witnessed: None,
            lag: None,
        }
    }

    /// Has a witness beside the store follow its commits from here on.
    fn follow(&mut self, dir: &Path) -> Result<(), StoreError> {
        let held = self.get(Table::Store, MARK_KEY)?;
        let held = held.and_then(|bytes| Mark::from_bytes(&bytes));
        let (witness, seen) = Witness::open(dir)?;
        self.lag = match (held, seen) {
            (Some(held), Some(seen)) => held.lag(seen),
            // A store from before there were marks, put back.
            (None, Some(_)) => Some(Lag::OtherCopy),
            (_, None) => None,
        };
        let mark = match held {
            Some(mark) => mark,
            None => Mark::first().map_err(open::io_error("marking", &self.path))?,
        };
        self.witnessed = Some((mark, witness));
        Ok(())
    }

    /// What the store has lost since it was last open, by the witness beside it. Once something
    /// was committed, the witness follows this store again, and the next opening knows no more of
    /// it.
    pub fn lag(&self) -> Option<Lag> {
        self.lag
    }

    /// The file or directory that holds the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The value at a key, verified.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = self.with("reading", |engine| engine.get(table, key))?;
        sealed
            .map(|value| seal::open(table, key, value))
            .transpose()
    }

    /// Rows whose keys start with `prefix`, ascending, strictly after the key `after` if one is
    /// given, at most `limit` of them. One bad value fails the whole scan and is named, so nobody
    /// takes a list with a hole for a whole one.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let rows = self.with("reading", |engine| engine.scan(table, prefix, after, limit))?;
        rows.into_iter()
            .map(|(key, value)| seal::open(table, &key, value).map(|value| (key, value)))
            .collect()
    }

    /// One atomic batch: on `Ok` all of it is on disk, and may be acknowledged. After an error
    /// nothing of it may be; once the store is open again it is there whole or not at all.
    pub fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut sealed = batch
            .iter()
            .map(seal::change)
            .collect::<Result<Vec<_>, _>>()?;
        let Some((mark, _)) = &self.witnessed else {
            return self.with("writing", |engine| engine.commit(&sealed));
        };
        let next = mark.next().map_err(open::io_error("marking", &self.path))?;
        sealed.push(seal::change(&Change::Put {
            table: Table::Store,
            key: MARK_KEY.to_vec(),
            value: next.to_bytes(),
        })?);
        self.with("writing", |engine| engine.commit(&sealed))?;
        self.witness(next)
    }

    /// Notes a commit beside the store. Where that fails the commit is not acknowledged, and the
    /// store is closed as for any other failure.
    fn witness(&mut self, next: Mark) -> Result<(), StoreError> {
        let Some((mark, witness)) = &mut self.witnessed else {
            return Ok(());
        };
        *mark = next;
        let noted = witness.note(next);
        if noted.is_err() {
            discard(self.engine.get_mut().take());
        }
        noted
    }

    /// Gives space that deleted rows took back to the file system. It may take seconds.
    pub fn reclaim(&mut self) -> Result<(), StoreError> {
        self.with("reclaiming space in", |engine| engine.reclaim())
    }

    /// What the engine promises and what it does not.
    pub fn promises(&self) -> Result<Promises, StoreError> {
        self.with("reading", |engine| Ok(engine.promises()))
    }

    /// Runs one call on the engine. If it fails or panics the engine is dropped at once, and every
    /// later call is refused: what it holds in memory may differ from what is on disk.
    fn with<T>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&mut dyn Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.engine.borrow_mut();
        let Some(engine) = slot.as_mut() else {
            return Err(StoreError::Dead {
                path: self.path.clone(),
            });
        };
        let failure = match contain(|| call(engine.as_mut())) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => error,
            None => StoreError::Panicked {
                doing,
                path: self.path.clone(),
            },
        };
        discard(slot.take());
        Err(failure)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        discard(self.engine.get_mut().take());
    }
}

/// Runs a call into an engine; `None` if it panicked. Engines panic on files that they find
/// damaged, and that must not end the node. Unwinding is safe here since an engine that panicked
/// is dropped and never called again.
fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Drops an engine. Closing writes, so it can panic too; all that was acknowledged is on disk
/// already, so there is nothing to report.
fn discard(engine: Option<Box<dyn Engine>>) {
    let _closed_or_panicked = contain(move || drop(engine));
}
