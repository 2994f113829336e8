//! The Unix socket of the local API: made for the node's user and group alone, never in
//! the place of another that answers, and gone when the node stops.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The user and the group may connect: adding an officer to the group is how a council
/// lets them use `smp`.
const MODE: u32 = 0o660;

/// The longest path. The kernel takes 107 bytes, and the socket is made first in a
/// directory beside its place, whose name is longer by [`MAKING`].
pub(crate) const SOCKET_PATH_BYTES: usize = 100;

/// What is added to the path while the socket is made.
const MAKING: &str = ".new/s";

/// Why there is no socket. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon listens there.
    #[error(
        "another smp-node answers on {}; stop it first, or give this node a `socket` of its own \
         in its smp-node.toml",
        path.display()
    )]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else than a socket is there.
    #[error(
        "{} is there and is not a socket; it was left alone. Move it away, or set another \
         `socket` in smp-node.toml",
        path.display()
    )]
    NotASocket {
        /// What is there.
        path: PathBuf,
    },
    /// The kernel takes no such path.
    #[error(
        "the path of the socket, {}, has more than {SOCKET_PATH_BYTES} bytes; set a shorter \
         `socket` in smp-node.toml",
        path.display()
    )]
    TooLong {
        /// The socket.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error(
        "cannot {doing} the socket {}: {source}; check with `smp-node check-config`",
        path.display()
    )]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The API's socket; its file is removed when this is dropped.
#[derive(Debug)]
pub struct ApiSocket {
    pub(super) listener: UnixListener,
    _file: SocketFile,
}

/// The file, known again by its device and number, so that a successor's is never removed.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path);
        if found.is_ok_and(|m| (m.dev(), m.ino()) == self.id) {
            // Best effort: a file that stays is seen to be stale at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl ApiSocket {
    /// Makes the socket at `path`, in the place of one that nobody answers on.
    ///
    /// It is made in a directory of its own and renamed into place, so that it never
    /// stands there with another mode. Call it inside a Tokio runtime.
    ///
    /// # Errors
    /// [`SocketError`] naming the path.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        if path.as_os_str().len() > SOCKET_PATH_BYTES {
            return Err(SocketError::TooLong {
                path: path.to_owned(),
            });
        }
        refuse_occupied(path)?;
        let mut making = path.as_os_str().to_owned();
        making.push(MAKING);
        let making = PathBuf::from(making);
        let dir = making.parent().unwrap_or(path).to_owned();
        let bound = Self::bind_in(path, &making, &dir);
        // Left over where an earlier start was cut short, or this one failed.
        let _ = fs::remove_file(&making);
        let _ = fs::remove_dir(&dir);
        bound
    }

    fn bind_in(path: &Path, making: &Path, dir: &Path) -> Result<Self, SocketError> {
        let io = |doing| {
            move |source| SocketError::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        };
        let _ = fs::remove_file(making);
        let _ = fs::remove_dir(dir);
        let made = DirBuilder::new().mode(0o700).create(dir);
        made.map_err(io("make a directory for"))?;
        let listener = UnixListener::bind(making).map_err(io("make"))?;
        fs::set_permissions(making, Permissions::from_mode(MODE)).map_err(io("set the mode of"))?;
        let metadata = fs::symlink_metadata(making).map_err(io("look at"))?;
        fs::rename(making, path).map_err(io("put in place"))?;
        Ok(Self {
            listener,
            _file: SocketFile {
                path: path.to_owned(),
                id: (metadata.dev(), metadata.ino()),
            },
        })
    }
}

/// Refuses a path where something is that must stay.
fn refuse_occupied(path: &Path) -> Result<(), SocketError> {
    let owned = || path.to_owned();
    let io = |source| SocketError::Io {
        doing: "look at",
        path: owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::NotASocket { path: owned() });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(SocketError::InUse { path: owned() }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
    }
}
