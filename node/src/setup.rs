//! Makes a node's directory: configuration, keys, data directory, enrolment request.
//!
//! What is there is never overwritten, and what a failed run made is taken away again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use smp_certs::{KeyError, NodeKeys};

use crate::store::EngineKind;

/// The node's directory: its group goes through it to the socket.
const DIR_MODE: u32 = 0o750;
/// The data are the node's user's alone.
const DATA_MODE: u32 = 0o700;
/// Configuration and request: nothing in them is secret.
const FILE_MODE: u32 = 0o640;

/// Why there is no new node.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is one already. Nothing was changed.
    #[error(
        "{} is there already; nothing was changed. To go on with that node, run \
         `smp-node check-config --config {}`; for a new one, name another --dir. If an earlier \
         init was cut short, remove {} and run it again",
        path.display(), config.display(), dir.display()
    )]
    Exists {
        /// What is there.
        path: PathBuf,
        /// The configuration that belongs to it.
        config: PathBuf,
        /// The node's directory.
        dir: PathBuf,
    },
    /// The operating system refused. What was made was taken away again.
    #[error("cannot make {}: {source}; no node was made", path.display())]
    Io {
        /// What could not be made.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The keys could not be kept. What was made was taken away again.
    #[error("{0}; no node was made")]
    Keys(#[from] KeyError),
}

/// Where the parts of a node are inside its directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeDir {
    /// The directory.
    pub dir: PathBuf,
    /// `smp-node.toml`.
    pub config: PathBuf,
    /// The directory of the private keys.
    pub keys: PathBuf,
    /// The directory of the store and the membership.
    pub data: PathBuf,
    /// The enrolment request.
    pub request: PathBuf,
}

impl NodeDir {
    /// The places inside `dir`. Makes nothing.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            config: dir.join("smp-node.toml"),
            keys: dir.join("keys"),
            data: dir.join("data"),
            request: dir.join("request.txt"),
        }
    }

    /// Makes them all: the whole of it, or nothing. `request` is the text to send to the
    /// region's admin, where there is one to send.
    ///
    /// # Errors
    /// [`SetupError`] naming what is in the way.
    pub fn make(
        &self,
        keys: &NodeKeys,
        listen: SocketAddr,
        engine: EngineKind,
        request: Option<&str>,
    ) -> Result<(), SetupError> {
        for path in [&self.config, &self.keys, &self.data, &self.request] {
            if fs::symlink_metadata(path).is_ok() {
                return Err(SetupError::Exists {
                    path: path.clone(),
                    config: self.config.clone(),
                    dir: self.dir.clone(),
                });
            }
        }
        // Making `data` is what makes the place this run's own: a second run at the same
        // moment fails here, and takes nothing away.
        make_dir(&self.dir, DIR_MODE, true)?;
        make_dir(&self.data, DATA_MODE, false)?;
        let filled = self.fill(keys, listen, engine, request);
        if filled.is_err() {
            self.remove();
        }
        filled
    }

    fn fill(
        &self,
        keys: &NodeKeys,
        listen: SocketAddr,
        engine: EngineKind,
        request: Option<&str>,
    ) -> Result<(), SetupError> {
        keys.save(&self.keys)?;
        write_new(&self.config, &configuration(listen, engine))?;
        request.map_or(Ok(()), |text| write_new(&self.request, text))
    }

    /// Takes away what this run made; none of it was there before, and nobody was told.
    fn remove(&self) {
        let _ = fs::remove_file(&self.request);
        let _ = fs::remove_file(&self.config);
        let _ = fs::remove_dir_all(&self.keys);
        let _ = fs::remove_dir(&self.data);
        // Only if it is empty.
        let _ = fs::remove_dir(&self.dir);
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> SetupError {
    let path = path.to_owned();
    move |source| SetupError::Io { path, source }
}

fn make_dir(path: &Path, mode: u32, with_parents: bool) -> Result<(), SetupError> {
    let mut maker = DirBuilder::new();
    let made = maker.recursive(with_parents).mode(mode).create(path);
    made.map_err(io_error(path))
}

fn write_new(path: &Path, text: &str) -> Result<(), SetupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(io_error(path))
}

fn configuration(listen: SocketAddr, engine: EngineKind) -> String {
    let engine = engine.as_str();
    format!(
        "# Configuration of this smp-sync node. Paths are relative to this file.\n\
         # After a change: smp-node check-config --config FILE, then restart the node.\n\
         \n\
         data_dir = \"data\"\n\
         # Never inside data_dir, so that a copy of the data carries no keys.\n\
         keys_dir = \"keys\"\n\
         # Whoever may open this socket may do everything with `smp`.\n\
         socket = \"smp-node.sock\"\n\
         # UDP. Other nodes come in here; open it in the firewall.\n\
         listen = \"{listen}\"\n\
         \n\
         [store]\n\
         engine = \"{engine}\"\n\
         \n\
         [log]\n\
         # text or json; error, warn, info, debug or trace.\n\
         format = \"text\"\n\
         level = \"info\"\n\
         \n\
         # A command that is run for each event, such as a proposal that arrived: docs/EVENTS.md.\n\
         # [events]\n\
         # hook = [\"/etc/smp/on-event\"]\n"
    )
}
