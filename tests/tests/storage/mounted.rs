//! A file system of its own for a node's data, which only root can mount: in memory, or in a
//! file behind a loop device. It goes when it is dropped, in a panic too.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system.
#[derive(Debug)]
pub(crate) struct Mounted {
    at: PathBuf,
}

/// Runs a command of the system, and says what it says where it fails.
pub(crate) fn system(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}", said.trim()))
}

impl Mounted {
    /// So many MiB of memory, in the place of a directory whose files are copied into it.
    ///
    /// # Errors
    /// Why this machine has none.
    pub(crate) fn memory(at: &Path, mebibytes: u64) -> Result<Self, String> {
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "none"]);
        Self::over(at, &mut mount)
    }

    /// A file system in a file, likewise.
    ///
    /// # Errors
    /// Why this machine has none.
    pub(crate) fn image(at: &Path, image: &Path) -> Result<Self, String> {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(image);
        Self::over(at, &mut mount)
    }

    fn over(at: &Path, mount: &mut Command) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("mounting needs root".to_owned());
        }
        system(mount.arg(at))?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(at, private).map_err(|error| error.to_string())?;
        Ok(Self { at: at.to_owned() })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: after a panic a process may still be in it for a moment.
        let _ = system(Command::new("umount").arg("-l").arg(&self.at));
    }
}
