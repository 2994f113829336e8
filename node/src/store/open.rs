//! Making a store and opening one, which are different things.
//!
//! A store is made once, by the node at its first start: beside its final name, complete, flushed, and only
//! then renamed. So whatever has the final name was whole once. Opening must never create: a store
//! that has vanished is an error, and not an empty store under a node that forgot what it signed.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{Change, Engine, EngineKind, Store, StoreError, Table, contain, redb};

/// The key in [`Table::Store`] that every store has. An engine that lost everything, and opens all
/// the same, is found out by its absence.
const FORMAT_KEY: &[u8] = b"format";

/// What is stored there. A later format has another value, and older programs refuse it.
const FORMAT: &[u8] = b"smp-sync store 1";

/// Whether a store is to be made or must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Make a new store; refused if there is one.
    Create,
    /// Open the store that is there; refused, creating nothing, if there is none.
    Existing,
}

/// Opens the store in the directory `dir`.
pub fn open(engine: EngineKind, dir: &Path, mode: Open) -> Result<Store, StoreError> {
    if engine == EngineKind::Sled && !cfg!(feature = "sled") {
        return Err(StoreError::NotBuiltIn {
            engine: engine.as_str(),
        });
    }
    if mode == Open::Create {
        create(engine, dir)?;
    }
    existing(engine, dir)
}

/// Where the engine keeps a store: a file for redb, a directory for sled.
pub fn location(engine: EngineKind, dir: &Path) -> PathBuf {
    dir.join(format!("store.{}", engine.as_str()))
}

fn existing(engine: EngineKind, dir: &Path) -> Result<Store, StoreError> {
    let path = location(engine, dir);
    if !path.try_exists().map_err(io_error("looking for", &path))? {
        let found = [EngineKind::Redb, EngineKind::Sled]
            .into_iter()
            .find(|other| location(*other, dir).exists());
        return Err(match found {
            None => StoreError::Missing { path },
            Some(other) => StoreError::OtherEngine {
                path: location(other, dir),
                found: other.as_str(),
                wanted: engine.as_str(),
            },
        });
    }
    let mut store = Store::new(path.clone(), start(engine, &path, Open::Existing)?);
    match store.get(Table::Store, FORMAT_KEY)? {
        Some(format) if format == FORMAT => {
            store.follow(dir)?;
            Ok(store)
        }
        Some(_) => Err(StoreError::UnknownFormat { path }),
        None => Err(StoreError::Damaged {
            path,
            detail: "it has lost its contents".to_owned(),
        }),
    }
}

fn create(engine: EngineKind, dir: &Path) -> Result<(), StoreError> {
    for other in [EngineKind::Redb, EngineKind::Sled] {
        let path = location(other, dir);
        if path.try_exists().map_err(io_error("looking for", &path))? {
            return Err(StoreError::AlreadyThere { path });
        }
    }
    make_private_dir(dir).map_err(io_error("creating", dir))?;
    let path = location(engine, dir);
    let half_made = dir.join(format!("store.{}.new", engine.as_str()));
    remove(&half_made).map_err(io_error("removing the half-made", &half_made))?;

    let mut store = Store::new(half_made.clone(), start(engine, &half_made, Open::Create)?);
    store.commit(&[Change::Put {
        table: Table::Store,
        key: FORMAT_KEY.to_vec(),
        value: FORMAT.to_vec(),
    }])?;
    drop(store);

    sync_tree(&half_made)
        .and_then(|()| fs::rename(&half_made, &path))
        .and_then(|()| File::open(dir)?.sync_all())
        .and_then(|()| match dir.canonicalize()?.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        })
        .map_err(io_error("creating", &path))
}

/// Starts the engine on its file. `Existing` has been checked to be there.
fn start(engine: EngineKind, path: &Path, mode: Open) -> Result<Box<dyn Engine>, StoreError> {
    let started = contain(|| match engine {
        EngineKind::Redb => redb::start(path, mode),
        #[cfg(feature = "sled")]
        EngineKind::Sled => super::sled::start(path, mode),
        #[cfg(not(feature = "sled"))]
        EngineKind::Sled => Err(StoreError::NotBuiltIn {
            engine: engine.as_str(),
        }),
    });
    started.unwrap_or_else(|| {
        Err(StoreError::Panicked {
            doing: "opening",
            path: path.to_path_buf(),
        })
    })
}

/// Makes a directory that only this user can enter: the store holds personal data.
fn make_private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Removes what an interrupted `Create` left. Nothing in it was ever acknowledged.
fn remove(half_made: &Path) -> io::Result<()> {
    match fs::symlink_metadata(half_made) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(half_made),
        Ok(_) => fs::remove_file(half_made),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Flushes a file, or a directory with all that is in it, to disk.
pub(super) fn sync_tree(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

/// Names the file and what was being done to it.
pub(super) fn io_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Io {
        doing,
        path: path.to_path_buf(),
        source,
    }
}
