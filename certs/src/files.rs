//! Files that are there whole after a power cut, or not at all.
//!
//! Everything is written beside its place, flushed, renamed, and the directory flushed.
//! Nothing here replaces a file that exists.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file or directory that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is one already. Nothing was changed.
    #[error("{} exists already; nothing was changed", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The file is larger than anything that belongs there.
    #[error("{} is larger than the {limit} bytes that it may have", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that it may have.
        limit: u64,
    },
}

pub(crate) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        doing,
        path: path.clone(),
        source,
    }
}

/// Reads a text file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<zeroize::Zeroizing<String>, FileError> {
    let file = File::open(path).map_err(io("open", path))?;
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(io("read", path))?;
    if text.len() as u64 > limit {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(text)
}

/// Makes a directory that only its owner may enter, and its parents; one that is there is
/// left as it is.
pub(crate) fn private_dir(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io("make the directory", path))
}

/// Writes a new file that only its owner may read. The temporary file left by an earlier,
/// interrupted write is replaced: it never had its name, so nobody was told of it.
pub(crate) fn write_new(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists {
            path: path.to_owned(),
        });
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io("remove", &partial)(e)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(io("make", &partial))?;
    file.write_all(contents)
        .and_then(|()| file.sync_all())
        .map_err(io("write", &partial))?;
    fs::rename(&partial, path).map_err(io("make", path))?;
    flush_parent(path)
}

/// Flushes the directory that holds `path`, so that its name is there after a power cut.
pub(crate) fn flush_parent(path: &Path) -> Result<(), FileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(io("flush", parent))
}
