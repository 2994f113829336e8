//! What a node keeps of its region from the join bundle: certificate, CA, authority, roster.
//!
//! One file, so that there is all of it or none. Newer rosters live in the store; this one
//! is what the node started from. Nothing in it is secret, and nothing is believed here:
//! [`JoinBundle::verify`] does that, at every start.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use smp_certs::{BundleError, JoinBundle};

/// The directory inside `data_dir`.
const DIR: &str = "region";

/// The file inside it: the bundle's own text.
const FILE: &str = "membership.txt";

/// Longest text: a full roster of 384 KiB and certificates, as base 64.
pub const TEXT_BYTES: u64 = 1 << 20;

/// Why the membership could not be read or kept. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The file is there and damaged.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BundleError,
    },
    /// The node is a member of another region, or under another authority.
    #[error(
        "this node is a member of region {held} already, under another authority or name than \
         the bundle's ({offered}); nothing was changed. For another region, make a new node with \
         `smp-node init`"
    )]
    OtherRegion {
        /// The region that it is in.
        held: String,
        /// The region of the bundle.
        offered: String,
    },
    /// The roster in the bundle is older than what is held.
    #[error(
        "this node joined with roster version {held}, and the bundle has the older {offered}; \
         nothing was changed. Use the newest bundle, or ask the region's admin for one"
    )]
    Older {
        /// The version that it joined with.
        held: u64,
        /// The version in the bundle.
        offered: u64,
    },
    /// The file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What to do where a node has not joined yet.
pub fn next_step(config: &Path) -> String {
    format!(
        "send request.txt to the region's admin, who runs `smp member enrol` and sends a bundle \
         back; then run `smp-node join --config {} BUNDLE`",
        config.display()
    )
}

fn file_in(data_dir: &Path) -> PathBuf {
    data_dir.join(DIR).join(FILE)
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MembershipError {
    let path = path.to_owned();
    move |source| MembershipError::Io {
        doing,
        path,
        source,
    }
}

/// Reads a bundle's text from a file of any name.
///
/// # Errors
/// [`MembershipError`] naming the file.
pub fn read(path: &Path) -> Result<JoinBundle, MembershipError> {
    let mut text = String::new();
    let file = File::open(path).map_err(io_error("open", path))?;
    file.take(TEXT_BYTES)
        .read_to_string(&mut text)
        .map_err(io_error("read", path))?;
    JoinBundle::from_text(&text).map_err(|source| MembershipError::Damaged {
        path: path.to_owned(),
        source,
    })
}

/// What this node joined with; `None` where it has not joined yet. Unverified.
///
/// # Errors
/// [`MembershipError`] naming the file.
pub fn load(data_dir: &Path) -> Result<Option<JoinBundle>, MembershipError> {
    match read(&file_in(data_dir)) {
        Err(MembershipError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Keeps a verified bundle, in the place of an older one of the same region. False where
/// it is the one that is held.
///
/// # Errors
/// [`MembershipError`] where the node is in another region, or nothing could be written.
pub fn install(
    data_dir: &Path,
    bundle: &JoinBundle,
    version: u64,
) -> Result<bool, MembershipError> {
    if let Some(held) = load(data_dir)? {
        if held == *bundle {
            return Ok(false);
        }
        refuse_other(&held, bundle, version)?;
    }
    let path = file_in(data_dir);
    write_whole(&path, bundle.to_text().as_bytes())?;
    Ok(true)
}

/// A renewed certificate or a newer roster may replace what is held; another region, or an
/// older roster, may not.
fn refuse_other(
    held: &JoinBundle,
    bundle: &JoinBundle,
    version: u64,
) -> Result<(), MembershipError> {
    if held.region != bundle.region || held.authority != bundle.authority {
        return Err(MembershipError::OtherRegion {
            held: held.region.to_string(),
            offered: bundle.region.to_string(),
        });
    }
    let verified = held.roster.clone().verify(&held.region, &held.authority);
    match verified {
        Ok(roster) if roster.version > version => Err(MembershipError::Older {
            held: roster.version,
            offered: version,
        }),
        // A damaged one is what a new bundle is there to replace.
        _ => Ok(()),
    }
}

/// Writes a file that is there whole after a power cut, or as it was before.
fn write_whole(path: &Path, contents: &[u8]) -> Result<(), MembershipError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut maker = DirBuilder::new();
    let made = maker.recursive(true).mode(0o700).create(dir);
    made.map_err(io_error("make the directory", dir))?;
    let partial = path.with_extension("partial");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)
        .map_err(io_error("make", &partial))?;
    file.write_all(contents)
        .and_then(|()| file.sync_all())
        .map_err(io_error("write", &partial))?;
    fs::rename(&partial, path).map_err(io_error("put in place", path))?;
    for flushed in [Some(dir), dir.parent()].into_iter().flatten() {
        let synced = File::open(flushed).and_then(|dir| dir.sync_all());
        synced.map_err(io_error("flush", flushed))?;
    }
    Ok(())
}
