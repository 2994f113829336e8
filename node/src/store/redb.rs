//! The default engine: redb 4, one file.
//!
//! Every commit is flushed before it returns, and the whole file is checked at every opening
//! (about 0.3 s per 100 MB): without that check a flipped bit in a cleanly closed file is read
//! back as data. It must never create a file except for [`Open::Create`].

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase as _, TableDefinition, TableError,
};

use super::open::io_error;
use super::{CACHE_BYTES, Change, Engine, Open, Promises, Rows, StoreError, Table};

type Bytes = &'static [u8];

const PROMISES: Promises = Promises {
    kept: &[
        "an acknowledged write survives a kill and a power cut",
        "damage to its file is noticed when it is opened",
        "a full disk is an error, and nothing acknowledged is lost by it",
    ],
    not_kept: &[],
};

struct RedbEngine {
    path: PathBuf,
    database: Database,
}

/// Opens the file, or makes it.
pub(super) fn start(path: &Path, mode: Open) -> Result<Box<dyn Engine>, StoreError> {
    let mut builder = Database::builder();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true);
    let database = match mode {
        Open::Existing => builder.open(path),
        Open::Create => {
            // Made here, empty, so that only this user can ever read it; redb fills an empty file.
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(io_error("creating", path))?;
            builder.create(path)
        }
    };
    let database = database.map_err(|error| failed_to_open(path, error.into()))?;
    Ok(Box::new(RedbEngine {
        path: path.to_path_buf(),
        database,
    }))
}

/// Opens a file that is known to be damaged, to read what can be read.
pub(super) fn start_unchecked(path: &Path) -> Result<Box<dyn Engine>, StoreError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let database = builder.open(path);
    let database = database.map_err(|error| failed_to_open(path, error.into()))?;
    Ok(Box::new(RedbEngine {
        path: path.to_path_buf(),
        database,
    }))
}

const fn definition(table: Table) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.as_str())
}

impl RedbEngine {
    /// The table as it stands, or nothing if no row was ever put into it.
    fn table(&self, table: Table) -> Result<Option<ReadOnlyTable<Bytes, Bytes>>, StoreError> {
        let snapshot = self
            .database
            .begin_read()
            .map_err(|e| self.failed("reading", e))?;
        match snapshot.open_table(definition(table)) {
            Ok(found) => Ok(Some(found)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed("reading", error)),
        }
    }

    fn failed(&self, doing: &'static str, error: impl Into<redb::Error>) -> StoreError {
        failure(doing, &self.path, error.into())
    }

    fn write(&mut self, batch: &[Change]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        for table in Table::ALL {
            let mut changes = batch
                .iter()
                .filter(|change| change.table() == table)
                .peekable();
            if changes.peek().is_none() {
                continue;
            }
            let mut open = transaction.open_table(definition(table))?;
            for change in changes {
                match change {
                    Change::Put { key, value, .. } => {
                        open.insert(key.as_slice(), value.as_slice())?;
                    }
                    Change::Delete { key, .. } => {
                        open.remove(key.as_slice())?;
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

impl Engine for RedbEngine {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(open) = self.table(table)? else {
            return Ok(None);
        };
        let found = open.get(key).map_err(|e| self.failed("reading", e))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Rows, StoreError> {
        let Some(open) = self.table(table)? else {
            return Ok(Rows::new());
        };
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = open
            .range::<&[u8]>((from, Bound::Unbounded))
            .map_err(|e| self.failed("reading", e))?;
        let mut rows = Rows::new();
        for row in range.take(limit) {
            let (key, value) = row.map_err(|e| self.failed("reading", e))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            rows.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(rows)
    }

    fn commit(&mut self, batch: &[Change]) -> Result<(), StoreError> {
        self.write(batch).map_err(|e| self.failed("writing", e))
    }

    fn reclaim(&mut self) -> Result<(), StoreError> {
        match self.database.compact() {
            Ok(_something_moved) => Ok(()),
            Err(error) => Err(self.failed("reclaiming space in", error)),
        }
    }

    fn promises(&self) -> Promises {
        PROMISES
    }
}

fn failed_to_open(path: &Path, error: redb::Error) -> StoreError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        // Too short, or not a redb file at all.
        redb::Error::Io(source)
            if matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) =>
        {
            StoreError::Damaged {
                path: path.to_path_buf(),
                detail: source.to_string(),
            }
        }
        other => failure("opening", path, other),
    }
}

fn failure(doing: &'static str, path: &Path, error: redb::Error) -> StoreError {
    let path = path.to_path_buf();
    match error {
        redb::Error::DatabaseAlreadyOpen => StoreError::InUse { path },
        redb::Error::Corrupted(detail) => StoreError::Damaged { path, detail },
        redb::Error::Io(source) => StoreError::Io {
            doing,
            path,
            source,
        },
        other => StoreError::Engine {
            doing,
            path,
            detail: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use redb::StorageBackend;
    use redb::backends::FileBackend;

    use super::*;
    use crate::store::{EngineKind, Store, open};

    /// A disk that fills up when told to.
    #[derive(Debug)]
    struct Disk {
        file: FileBackend,
        full: Arc<AtomicBool>,
    }

    impl Disk {
        fn has_room(&self) -> io::Result<()> {
            match self.full.load(Ordering::SeqCst) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        }
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.file.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.has_room().and_then(|()| self.file.set_len(len))
        }
        fn sync_data(&self) -> io::Result<()> {
            self.has_room().and_then(|()| self.file.sync_data())
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.has_room().and_then(|()| self.file.write(offset, data))
        }
    }

    fn put(key: &[u8]) -> [Change; 1] {
        [Change::Put {
            table: Table::Log,
            key: key.to_vec(),
            value: vec![1; 5000],
        }]
    }

    #[test]
    fn a_full_disk_closes_the_store_and_loses_nothing_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let made = open(EngineKind::Redb, dir.path(), Open::Create).unwrap();
        let path = made.path().to_path_buf();
        drop(made);

        let full = Arc::new(AtomicBool::new(false));
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let disk = Disk {
            file: FileBackend::new(file).unwrap(),
            full: full.clone(),
        };
        let database = Database::builder().create_with_backend(disk).unwrap();
        let mut store = Store::new(
            path.clone(),
            Box::new(RedbEngine {
                path: path.clone(),
                database,
            }),
        );
        store.commit(&put(b"before")).unwrap();
        full.store(true, Ordering::SeqCst);
        let failed = store.commit(&put(b"during")).unwrap_err();
        assert!(
            matches!(
                failed,
                StoreError::Io {
                    doing: "writing",
                    ..
                }
            ),
            "{failed}"
        );
        assert!(
            failed.to_string().contains(path.to_str().unwrap()),
            "{failed}"
        );
        // Room comes back, and still nothing is written or read with the failed handle.
        full.store(false, Ordering::SeqCst);
        assert!(matches!(
            store.commit(&put(b"after")),
            Err(StoreError::Dead { .. })
        ));
        assert!(matches!(
            store.get(Table::Log, b"before"),
            Err(StoreError::Dead { .. })
        ));

        let mut store = open(EngineKind::Redb, dir.path(), Open::Existing).unwrap();
        assert_eq!(
            store.get(Table::Log, b"before").unwrap(),
            Some(vec![1; 5000])
        );
        assert_eq!(store.get(Table::Log, b"during").unwrap(), None);
        store.commit(&put(b"after")).unwrap();
    }
}
