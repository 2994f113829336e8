//! The head witness: a small file beside the store that says how far the store had come.
//!
//! A store that lost its newest commits opens like any other: nothing in it can tell. So every
//! commit leaves a mark in the store and then here, both on disk before it is acknowledged, and a
//! store whose mark is behind this one has lost something. The witness must never be ahead of the
//! commit that it vouches for, and never stop a store from opening: where it cannot be read, it
//! says nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::open::io_error;

/// The file beside the store.
pub const FILE: &str = "store.witness";

/// The two slots are written in turn, so that a torn write spoils only the older one; so far
/// apart that no disk writes both in one piece.
const SLOTS: [u64; 2] = [0, 4096];

/// Store, commits, head.
const MARK_BYTES: usize = 16 + 8 + 8;
/// A turn, a mark, and a checksum over both.
const SLOT_BYTES: usize = 8 + MARK_BYTES + 4;

/// Which commit of which store this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The store, by a random number from its making.
    store: [u8; 16],
    /// Commits since then.
    commits: u64,
    /// A random number of this commit: two histories of one store differ in it.
    head: [u8; 8],
}

/// The store is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// It lacks commits that were acknowledged: so many, if that can be told.
    Lost(u64),
    /// It is another copy than the one that was last written to.
    OtherCopy,
}

impl Mark {
    /// The first mark of a new store.
    pub(super) fn first() -> io::Result<Self> {
        let (mut store, mut head) = ([0; 16], [0; 8]);
        getrandom::fill(&mut store).map_err(io::Error::other)?;
        getrandom::fill(&mut head).map_err(io::Error::other)?;
        Ok(Self {
            store,
            commits: 0,
            head,
        })
    }

    /// The mark of the next commit.
    pub(super) fn next(self) -> io::Result<Self> {
        let mut head = [0; 8];
        getrandom::fill(&mut head).map_err(io::Error::other)?;
        Ok(Self {
            commits: self.commits.saturating_add(1),
            head,
            ..self
        })
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&self.store[..], &self.commits.to_be_bytes(), &self.head].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (store, rest) = bytes.split_first_chunk()?;
        let (commits, rest) = rest.split_first_chunk()?;
        Some(Self {
            store: *store,
            commits: u64::from_be_bytes(*commits),
            head: rest.try_into().ok()?,
        })
    }

    /// What a store with this mark has lost, by the witness. A witness that is itself behind says
    /// nothing: it was put back from a backup, or the machine stopped before it was written.
    pub(super) fn lag(self, witness: Self) -> Option<Lag> {
        if self.store != witness.store {
            return Some(Lag::OtherCopy);
        }
        match witness.commits.checked_sub(self.commits) {
            None => None,
            Some(0) => (self.head != witness.head).then_some(Lag::OtherCopy),
            Some(lost) => Some(Lag::Lost(lost)),
        }
    }
}

/// The file, open.
pub(super) struct Witness {
    path: PathBuf,
    file: File,
    turn: u64,
}

impl Witness {
    /// Opens the witness of a directory, or makes one; and what it says.
    pub(super) fn open(dir: &Path) -> Result<(Self, Option<Mark>), StoreError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(io_error("opening", &path))?;
        let newest = SLOTS
            .iter()
            .filter_map(|at| read_slot(&file, *at))
            .max_by_key(|(turn, _)| *turn);
        let (turn, mark) = match newest {
            Some((turn, mark)) => (turn, Some(mark)),
            None => (0, None),
        };
        Ok((Self { path, file, turn }, mark))
    }

    /// Notes a commit that is on disk.
    pub(super) fn note(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.turn = self.turn.saturating_add(1);
        let said = [&self.turn.to_be_bytes()[..], &mark.to_bytes()].concat();
        let checksum = crc32fast::hash(&said).to_le_bytes();
        let [first, second] = SLOTS;
        let at = if self.turn.is_multiple_of(2) {
            first
        } else {
            second
        };
        self.file
            .write_all_at(&[&said[..], &checksum].concat(), at)
            .and_then(|()| self.file.sync_data())
            .map_err(io_error("writing", &self.path))
    }
}

/// What a slot says; `None` where it was never written, or not whole.
fn read_slot(file: &File, at: u64) -> Option<(u64, Mark)> {
    let mut slot = [0; SLOT_BYTES];
    file.read_exact_at(&mut slot, at).ok()?;
    let (said, checksum) = slot.split_last_chunk::<4>()?;
    if crc32fast::hash(said).to_le_bytes() != *checksum {
        return None;
    }
    let (turn, mark) = said.split_first_chunk()?;
    Some((u64::from_be_bytes(*turn), Mark::from_bytes(mark)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Change, EngineKind, Open, Store, Table, open};

    fn put(store: &mut Store, key: &[u8]) {
        let change = Change::Put {
            table: Table::Meta,
            key: key.to_vec(),
            value: key.to_vec(),
        };
        store.commit(&[change]).unwrap();
    }

    fn opened(dir: &Path) -> Store {
        open(EngineKind::Redb, dir, Open::Existing).unwrap()
    }

    #[test]
    fn a_store_put_back_from_a_copy_is_found_to_lack_what_was_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(EngineKind::Redb, dir.path(), Open::Create).unwrap();
        put(&mut store, b"one");
        let path = store.path().to_owned();
        drop(store);
        let copy = std::fs::read(&path).unwrap();
        let mut store = opened(dir.path());
        assert_eq!(store.lag(), None);
        put(&mut store, b"two");
        put(&mut store, b"three");
        drop(store);
        std::fs::write(&path, &copy).unwrap();
        let mut store = opened(dir.path());
        assert_eq!(store.lag(), Some(Lag::Lost(2)));
        // From here on this copy is the store.
        put(&mut store, b"four");
        drop(store);
        assert_eq!(opened(dir.path()).lag(), None);
    }

    #[test]
    fn a_copy_that_was_written_to_elsewhere_is_not_taken_for_the_store() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut store = open(EngineKind::Redb, one.path(), Open::Create).unwrap();
        put(&mut store, b"one");
        let name = store.path().file_name().unwrap().to_owned();
        drop(store);
        std::fs::copy(one.path().join(&name), other.path().join(&name)).unwrap();
        for dir in [&one, &other] {
            put(&mut opened(dir.path()), b"two");
        }
        std::fs::copy(other.path().join(&name), one.path().join(&name)).unwrap();
        assert_eq!(opened(one.path()).lag(), Some(Lag::OtherCopy));
        // A store that was never seen here.
        let new = tempfile::tempdir().unwrap();
        drop(open(EngineKind::Redb, new.path(), Open::Create).unwrap());
        std::fs::copy(new.path().join(&name), one.path().join(&name)).unwrap();
        assert_eq!(opened(one.path()).lag(), Some(Lag::OtherCopy));
    }

    #[test]
    fn a_witness_that_is_torn_or_gone_or_old_accuses_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(EngineKind::Redb, dir.path(), Open::Create).unwrap();
        let file = dir.path().join(FILE);
        put(&mut store, b"one");
        let old = std::fs::read(&file).unwrap();
        for key in [b"two", b"six"] {
            put(&mut store, key);
        }
        drop(store);
        let whole = std::fs::read(&file).unwrap();
        for (n, _) in whole.iter().enumerate().step_by(7) {
            let mut torn = whole.clone();
            torn[n] ^= 0x55;
            std::fs::write(&file, &torn).unwrap();
            assert_eq!(opened(dir.path()).lag(), None, "byte {n}");
        }
        for bytes in [&old[..], b"", b"short"] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(opened(dir.path()).lag(), None);
        }
    }
}
