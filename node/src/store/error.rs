//! What can go wrong with the store, and what to do next.
//!
//! An error names the file, or the table and the key in hex. It must never hold a value.

use std::io;
use std::path::PathBuf;

/// Why the store refused. Unless it says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store where one was to be opened.
    #[error(
        "there is no store at {path}, and none was made. If this node has never run, run \
         `smp-node init`. If it has, its data have vanished: check that the disk is mounted and \
         `data_dir` is right, or restore {path} from a backup, then run `smp-node run`"
    )]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
    /// There is a store where a new one was to be made.
    #[error(
        "there is a store at {path} already, and it was left alone. To use it, run `smp-node run`"
    )]
    AlreadyThere {
        /// The store that is there.
        path: PathBuf,
    },
    /// The directory holds a store of another engine.
    #[error(
        "the configuration says engine = \"{wanted}\", but the store at {path} was made by {found}. \
         Set engine = \"{found}\" and run `smp-node check-config`"
    )]
    OtherEngine {
        /// The store that is there.
        path: PathBuf,
        /// The engine that made it.
        found: &'static str,
        /// The engine that was asked for.
        wanted: &'static str,
    },
    /// The engine is not part of this build.
    #[error(
        "this smp-node was built without the store engine {engine}. Set engine = \"redb\" in the \
         configuration, or build with `cargo build --features {engine}`"
    )]
    NotBuiltIn {
        /// The engine that was asked for.
        engine: &'static str,
    },
    /// Another process has it open.
    #[error("the store at {path} is in use by another process. Stop the other smp-node first")]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// The engine found its files damaged.
    #[error(
        "the store at {path} is damaged ({detail}). Stop smp-node, move {path} aside and keep it, \
         restore it from a backup, then run `smp-node run`"
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "the format of the store at {path} is not known to this smp-node, which is probably older \
         than the one that wrote it. Nothing was changed; install the newer smp-node again"
    )]
    UnknownFormat {
        /// The store.
        path: PathBuf,
    },
    /// A value does not match its checksum. Other rows can still be read.
    #[error(
        "the value in table {table} at key {key} is damaged (bad checksum) and was not used. Stop \
         smp-node and restore the store from a backup"
    )]
    BadChecksum {
        /// The table.
        table: &'static str,
        /// The key, in hex.
        key: String,
    },
    /// A key over the limit.
    #[error(
        "a key of {bytes} bytes for table {table} is over the limit of {} bytes; nothing of the \
         batch was written",
        super::MAX_KEY_BYTES
    )]
    KeyTooLong {
        /// The table.
        table: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A value over the limit.
    #[error(
        "the value of {bytes} bytes for table {table}, key {key} is over the limit of {} bytes; \
         nothing of the batch was written",
        super::MAX_VALUE_BYTES
    )]
    ValueTooLong {
        /// The table.
        table: &'static str,
        /// The key, in hex.
        key: String,
        /// Its length.
        bytes: usize,
    },
    /// The operating system failed. The store is closed; an unacknowledged batch is there whole or
    /// not at all once it is open again.
    #[error(
        "{doing} {path} failed: {source}. The store is closed; nothing unacknowledged counts. \
         Check the disk (space, mount, permissions), then run `smp-node run`"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The store.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The engine refused for a reason of its own. The store is closed.
    #[error("{doing} {path} failed: {detail}. The store is closed; restart smp-node")]
    Engine {
        /// What was being done.
        doing: &'static str,
        /// The store.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// The engine panicked, as engines do on damaged files. The store is closed. The panic's text
    /// is not repeated here: it may quote data.
    #[error(
        "the store engine crashed while {doing} {path}, which is probably damaged. The store is \
         closed. Stop smp-node, copy {path} aside, restore it from a backup, then run \
         `smp-node run`"
    )]
    Panicked {
        /// What was being done.
        doing: &'static str,
        /// The store.
        path: PathBuf,
    },
    /// The store was closed by an earlier error.
    #[error(
        "the store at {path} was closed by an earlier error, which the log names. It must be \
         opened again: restart smp-node"
    )]
    Dead {
        /// The store.
        path: PathBuf,
    },
}
