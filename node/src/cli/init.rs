//! `smp-node init`: makes a node, and the request that its region's admin enrols.
//!
//! What is there is never overwritten, and what a failed run made is taken away again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use smp_certs::{EnrolmentRequest, NodeKeys};

use super::{Exit, Failed, InitArgs};

/// The node's directory: its group goes through it to the socket.
const DIR_MODE: u32 = 0o750;
/// The data are the node's user's alone.
const DATA_MODE: u32 = 0o700;
/// Configuration and request: nothing in them is secret.
const FILE_MODE: u32 = 0o640;

/// The four things that it makes.
struct Parts {
    dir: PathBuf,
    config: PathBuf,
    keys: PathBuf,
    data: PathBuf,
    request: PathBuf,
}

pub(super) fn run(args: InitArgs) -> Result<(), Failed> {
    super::check_endpoints(&args.endpoints)?;
    let dir = args.dir.clone();
    let parts = Parts {
        config: dir.join("smp-node.toml"),
        keys: dir.join("keys"),
        data: dir.join("data"),
        request: dir.join("request.txt"),
        dir,
    };
    refuse_existing(&parts)?;
    let keys = NodeKeys::generate().context("no keys were made")?;
    let request = EnrolmentRequest::new(&keys, args.region, args.council, args.endpoints)
        .context("no enrolment request was made")?;
    claim(&parts).map_err(|error| Exit::Unexpected.with(error))?;
    if let Err(error) = fill(&parts, &keys, &request, args.listen) {
        remove(&parts);
        return Err(Exit::Unexpected.with(error));
    }
    tell(&parts, &request);
    Ok(())
}

fn refuse_existing(parts: &Parts) -> Result<(), Failed> {
    for path in [&parts.config, &parts.keys, &parts.data, &parts.request] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(Exit::Refused.with(anyhow!(
                "{} is there already; nothing was changed. To go on with that node, run \
                 `smp-node check-config --config {}`; for a new one, name another --dir. If an \
                 earlier init was cut short, remove {} and run it again",
                path.display(),
                parts.config.display(),
                parts.dir.display()
            )));
        }
    }
    Ok(())
}

/// Makes the directories. Making `data` is what makes the place this run's own: a second
/// run at the same moment fails here, and takes nothing away.
fn claim(parts: &Parts) -> anyhow::Result<()> {
    for (path, mode, recursive) in [
        (&parts.dir, DIR_MODE, true),
        (&parts.data, DATA_MODE, false),
    ] {
        let mut maker = DirBuilder::new();
        let made = maker.recursive(recursive).mode(mode).create(path);
        made.with_context(|| format!("cannot make the directory {}", path.display()))?;
    }
    Ok(())
}

fn fill(
    parts: &Parts,
    keys: &NodeKeys,
    request: &EnrolmentRequest,
    listen: SocketAddr,
) -> anyhow::Result<()> {
    keys.save(&parts.keys)?;
    write_new(&parts.config, &configuration(listen))?;
    write_new(&parts.request, &request.to_text())
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let opened = options
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path);
    opened
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Takes away what this run made; none of it was there before, and nobody was told of it.
fn remove(parts: &Parts) {
    let _ = fs::remove_file(&parts.request);
    let _ = fs::remove_file(&parts.config);
    let _ = fs::remove_dir(&parts.data);
    let _ = fs::remove_dir_all(&parts.keys);
    // Only if it is empty.
    let _ = fs::remove_dir(&parts.dir);
}

fn configuration(listen: SocketAddr) -> String {
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
         engine = \"redb\"\n\
         \n\
         [log]\n\
         # text or json; error, warn, info, debug or trace.\n\
         format = \"text\"\n\
         level = \"info\"\n"
    )
}

fn tell(parts: &Parts, request: &EnrolmentRequest) {
    println!(
        "Made a node of {} for region {}:\n  \
         configuration  {}\n  \
         private keys   {} (they never leave this machine)\n  \
         data           {}\n  \
         request        {}\n\n\
         Fingerprint of the request:\n  {}\n\n\
         Next: send {} to the region's admin, who runs `smp member enrol` and compares the\n\
         fingerprint with you by telephone. With the bundle that comes back, run\n  \
         smp-node join --config {} BUNDLE",
        request.council,
        request.region,
        parts.config.display(),
        parts.keys.display(),
        parts.data.display(),
        parts.request.display(),
        request.fingerprint(),
        parts.request.display(),
        parts.config.display(),
    );
}
