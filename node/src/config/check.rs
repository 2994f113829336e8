//! Looks whether what a configuration names is there and fit for use.
//!
//! It changes nothing and opens no store, so it can be run beside a daemon.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access};
use smp_certs::NodeKeys;

use super::Config;
use crate::http::socket::SOCKET_PATH_BYTES;
use crate::membership;
use crate::store::EngineKind;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The node would not start, or not be safe.
    Problem,
    /// Worth knowing.
    Note,
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The key of the configuration.
    pub key: &'static str,
    /// What was found.
    pub text: String,
    /// What to do about it.
    pub next: String,
}

impl Finding {
    pub(super) fn problem(
        key: &'static str,
        text: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Problem,
            key,
            text: text.into(),
            next: next.into(),
        }
    }

    fn note(key: &'static str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::problem(key, text, next)
        }
    }
}

impl Config {
    /// Looks at everything that it names; empty where there is nothing to say.
    pub fn check(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        check_dir("data_dir", &self.data_dir, &mut found);
        check_dir("keys_dir", &self.keys_dir, &mut found);
        self.check_keys(&mut found);
        self.check_socket(&mut found);
        self.check_listen(&mut found);
        self.check_engine(&mut found);
        self.check_hook(&mut found);
        found
    }

    /// The keys, and whether the node has joined with them.
    fn check_keys(&self, found: &mut Vec<Finding>) {
        if let Err(error) = NodeKeys::load(&self.keys_dir) {
            found.push(Finding::problem(
                "keys_dir",
                error.to_string(),
                "without its keys this node cannot start",
            ));
        }
        match membership::load(&self.data_dir) {
            Ok(Some(_)) => {}
            Ok(None) => found.push(Finding::note(
                "data_dir",
                "this node has not joined its region yet",
                membership::next_step(&self.file),
            )),
            Err(error) => found.push(Finding::problem(
                "data_dir",
                error.to_string(),
                membership::next_step(&self.file),
            )),
        }
    }

    fn check_socket(&self, found: &mut Vec<Finding>) {
        let path = &self.socket;
        if path.as_os_str().len() > SOCKET_PATH_BYTES {
            found.push(Finding::problem(
                "socket",
                format!("{} has over {SOCKET_PATH_BYTES} bytes", path.display()),
                "set a shorter path; the kernel takes no longer one",
            ));
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if access(parent, Access::WRITE_OK | Access::EXEC_OK).is_err() {
            found.push(Finding::problem(
                "socket",
                format!("no socket can be made in {}", parent.display()),
                format!(
                    "make the directory and let this user write to it: {}",
                    parent.display()
                ),
            ));
        }
    }

    fn check_listen(&self, found: &mut Vec<Finding>) {
        let next = "peers dial the endpoint that the roster lists: set a fixed port and open it \
                    (UDP) in the firewall";
        if self.listen.port() == 0 {
            let text = "port 0 is another one at every start";
            found.push(Finding::problem("listen", text, next));
        } else if self.listen.ip().is_loopback() {
            let text = format!("only this machine can reach {}", self.listen);
            found.push(Finding::note("listen", text, next));
        }
    }

    fn check_engine(&self, found: &mut Vec<Finding>) {
        match self.store.engine {
            EngineKind::Redb => {}
            EngineKind::Sled if cfg!(feature = "sled") => found.push(Finding::note(
                "store.engine",
                "sled does not notice every damage to its files, is not safe against a power cut \
                 by itself, and does not give space back",
                "read what it does not promise in the log at start; redb has no such gaps",
            )),
            EngineKind::Sled => found.push(Finding::problem(
                "store.engine",
                "this smp-node was built without the engine sled",
                "set engine = \"redb\", or build with `cargo build --features sled`",
            )),
        }
    }
}

/// A directory of the node's: there, its user's alone, and writable.
fn check_dir(key: &'static str, path: &Path, found: &mut Vec<Finding>) {
    let shown = path.display();
    let mode = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata.permissions().mode() & 0o777,
        Ok(_) => {
            let text = format!("{shown} is not a directory");
            found.push(Finding::problem(key, text, "name a directory"));
            return;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = format!("{shown} does not exist");
            let next = "make it with `smp-node init`, or mount the disk that it is on";
            found.push(Finding::problem(key, text, next));
            return;
        }
        Err(error) => {
            let text = format!("cannot look at {shown}: {error}");
            found.push(Finding::problem(key, text, "run this as the node's user"));
            return;
        }
    };
    if mode & 0o077 != 0 {
        found.push(Finding::problem(
            key,
            format!("{shown} is open to others than its owner (mode {mode:03o})"),
            format!("run `chmod 700 {shown}`"),
        ));
    }
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        found.push(Finding::problem(
            key,
            format!("this user may not write to {shown}"),
            "run this as the node's user, or give it the directory with chown",
        ));
    }
}
