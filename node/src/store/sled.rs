//! The second engine: sled 0.34, a directory. Compiled in with the cargo feature `sled`.
//!
//! What it does not promise, and the default engine does:
//! - `flush` asks for `sync_file_range` only, which is no barrier for file sizes or the disk's own
//!   cache. So every commit here flushes and then syncs the files itself. With that, nearly all
//!   power cuts are survived, and not all.
//! - Damage to its files can lose rows without a word (a page is forgotten, its neighbours stay).
//!   Values that are returned are right all the same: they carry checksums.
//! - On damage it may panic, hang, or ask for so much memory that the process aborts. Panics are
//!   contained by [`super::Store`]; the other two cannot be.
//! - On a full disk a commit may hang.
//! - Space that deleted rows took is used again, but hardly ever given back.
//!
//! This file must never answer `Ok` to a commit before its files are synced.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sled::transaction::{
    ConflictableTransactionError, TransactionError, TransactionalTree, UnabortableTransactionError,
};
use sled::{Db, Transactional as _, Tree};

use super::open::io_error;
use super::{CACHE_BYTES, Change, Engine, Open, Promises, Rows, StoreError, Table};

/// sled's own file names inside its directory.
const DATA_FILE: &str = "db";
const CONFIG_FILE: &str = "conf";
/// Large values are files of their own, named by their place in the log.
const BLOBS: &str = "blobs";

/// How often sled's own thread tidies up. Durability does not depend on it, since every commit
/// flushes; but sled frees segments of its file in that thread only.
const TIDY_EVERY_MS: u64 = 500;

const PROMISES: Promises = Promises {
    kept: &[
        "an acknowledged write survives a kill",
        "a value that is read is the one written",
    ],
    not_kept: &[
        "a power cut may damage the store, though every commit is synced",
        "damage to its files may lose rows unnoticed, end the process or hang it",
        "a full disk may hang the node",
        "the space of deleted rows is not given back to the file system",
    ],
};

struct SledEngine {
    path: PathBuf,
    database: Db,
    /// The data file, opened a second time to sync it.
    data: File,
    /// The large values that have been synced.
    synced_blobs: HashSet<OsString>,
    /// Dropped last: fields are dropped in their order.
    _released: Released,
}

/// Its drop waits until sled has let go of its lock. Threads of sled's own may hold the file a
/// moment longer than the last handle, and whoever opened the store again at once would be told
/// that another process has it.
struct Released(PathBuf);

/// Far longer than those threads take. If sled never lets go, closing must not hang: the next
/// opening says that the store is in use.
const RELEASED_WITHIN: Duration = Duration::from_secs(10);

impl Drop for Released {
    fn drop(&mut self) {
        let Ok(file) = File::open(&self.0) else {
            return;
        };
        let give_up = Instant::now() + RELEASED_WITHIN;
        // The lock that this takes ends with `file`.
        while matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Opens the directory, or makes it.
pub(super) fn start(path: &Path, mode: Open) -> Result<Box<dyn Engine>, StoreError> {
    match mode {
        Open::Create => DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map_err(io_error("creating", path))?,
        Open::Existing => must_have_files(path)?,
    }
    let database = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES as u64)
        .flush_every_ms(Some(TIDY_EVERY_MS))
        .open()
        .map_err(|error| failed_to_open(path, error))?;
    for table in Table::ALL {
        database
            .open_tree(table.as_str())
            .map_err(|error| failed_to_open(path, error))?;
    }
    let data = File::open(path.join(DATA_FILE)).map_err(io_error("opening", path))?;
    let mut engine = SledEngine {
        path: path.to_path_buf(),
        database,
        data,
        synced_blobs: HashSet::new(),
        _released: Released(path.join(DATA_FILE)),
    };
    engine.flush()?;
    Ok(Box::new(engine))
}

/// sled makes whatever is not there, so we look first.
fn must_have_files(path: &Path) -> Result<(), StoreError> {
    for name in [DATA_FILE, CONFIG_FILE] {
        let file = path.join(name);
        let size = match fs::metadata(&file) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(io_error("opening", &file)(error)),
        };
        if size == 0 {
            return Err(StoreError::Damaged {
                path: path.to_path_buf(),
                detail: format!("its file {name} is missing or empty"),
            });
        }
    }
    Ok(())
}

impl SledEngine {
    fn tree(&self, table: Table) -> Result<Tree, StoreError> {
        self.database
            .open_tree(table.as_str())
            .map_err(|e| self.failed("reading", e))
    }

    fn failed(&self, doing: &'static str, error: sled::Error) -> StoreError {
        failure(doing, &self.path, error)
    }

    /// Flushes sled, then syncs what it wrote.
    fn flush(&mut self) -> Result<(), StoreError> {
        self.database
            .flush()
            .map_err(|e| self.failed("writing", e))?;
        self.sync_files().map_err(io_error("syncing", &self.path))
    }

    fn sync_files(&mut self) -> io::Result<()> {
        let blobs = self.path.join(BLOBS);
        let mut present = HashSet::new();
        let mut new_blob = false;
        for entry in fs::read_dir(&blobs)? {
            let name = entry?.file_name();
            if !self.synced_blobs.contains(&name) {
                // sled may remove a blob at any time: one that has gone needs no syncing.
                match File::open(blobs.join(&name)).and_then(|blob| blob.sync_all()) {
                    Ok(()) => new_blob = true,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
            }
            present.insert(name);
        }
        if new_blob {
            File::open(&blobs)?.sync_all()?;
        }
        self.synced_blobs = present;
        self.data.sync_all()
    }
}

fn apply(view: &TransactionalTree, change: &Change) -> Result<(), UnabortableTransactionError> {
    match change {
        Change::Put { key, value, .. } => view.insert(key.as_slice(), value.as_slice())?,
        Change::Delete { key, .. } => view.remove(key.as_slice())?,
    };
    Ok(())
}

impl Engine for SledEngine {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self
            .tree(table)?
            .get(key)
            .map_err(|e| self.failed("reading", e))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut rows = Rows::new();
        for row in self
            .tree(table)?
            .range::<&[u8], _>((from, Bound::Unbounded))
            .take(limit)
        {
            let (key, value) = row.map_err(|e| self.failed("reading", e))?;
            if !key.starts_with(prefix) {
                break;
            }
            rows.push((key.to_vec(), value.to_vec()));
        }
        Ok(rows)
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        let touched: Vec<Table> = Table::ALL
            .into_iter()
            .filter(|table| batch.iter().any(|change| change.table() == *table))
            .collect();
        let trees = touched
            .iter()
            .map(|table| self.tree(*table))
            .collect::<Result<Vec<Tree>, _>>()?;
        let written = trees.as_slice().transaction(|views| {
            for (table, view) in touched.iter().zip(views) {
                for change in batch.iter().filter(|change| change.table() == *table) {
                    apply(view, change)?;
                }
            }
            Ok::<(), ConflictableTransactionError<()>>(())
        });
        match written {
            Ok(()) => self.flush(),
            Err(TransactionError::Storage(error)) => Err(self.failed("writing", error)),
            Err(TransactionError::Abort(())) => Err(StoreError::Engine {
                doing: "writing",
                path: self.path.clone(),
                detail: "the transaction was aborted".to_owned(),
            }),
        }
    }

    /// sled has no way to do this.
    fn reclaim(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn promises(&self) -> Promises {
        PROMISES
    }
}

fn failed_to_open(path: &Path, error: sled::Error) -> StoreError {
    match error {
        // sled reports the lock as an error of no particular kind.
        sled::Error::Io(source) if source.to_string().contains("could not acquire lock") => {
            StoreError::InUse {
                path: path.to_path_buf(),
            }
        }
        // Its file was there, as we looked: what it misses is a part of it.
        sled::Error::Io(source)
            if matches!(
                source.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound
            ) =>
        {
            StoreError::Damaged {
                path: path.to_path_buf(),
                detail: source.to_string(),
            }
        }
        other => failure("opening", path, other),
    }
}

fn failure(doing: &'static str, path: &Path, error: sled::Error) -> StoreError {
    let path = path.to_path_buf();
    match error {
        sled::Error::Io(source) => StoreError::Io {
            doing,
            path,
            source,
        },
        sled::Error::Corruption { at, .. } => StoreError::Damaged {
            path,
            detail: match at {
                Some(place) => format!("at {place:?}"),
                None => "no place given".to_owned(),
            },
        },
        other => StoreError::Engine {
            doing,
            path,
            detail: other.to_string(),
        },
    }
}
