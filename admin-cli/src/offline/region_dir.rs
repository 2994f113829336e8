//! The region directory, and the texts that go out of it and come in.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use smp_certs::{Passphrase, Region, RegionError, SealError, Unlocked};
use smp_protocol::api::{CheckClock, RosterMember, RosterStatus, RosterView};
use smp_protocol::limits;
use smp_protocol::roster::Roster;
use smp_protocol::time::UnixSeconds;

use crate::exit::{self, Failure};

/// The largest text that is read: a join bundle or roster of a full region, in base 64.
const TEXT_BYTES: u64 = 2 * limits::ROSTER_BYTES as u64;

/// Where the region is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct RegionDir {
    /// The directory that holds the region, its authority's keys and its rosters
    #[arg(
        long = "region-dir",
        id = "region_dir",
        value_name = "DIR",
        env = "SMP_REGION_DIR"
    )]
    pub(crate) path: PathBuf,
}

impl RegionDir {
    pub(crate) fn open(&self) -> Result<Region, Failure> {
        Region::open(&self.path).map_err(refused)
    }
}

/// An error whose own words say what to do.
pub(crate) fn refused(error: impl fmt::Display) -> Failure {
    Failure::refused(error, "")
}

/// Opens the authority's keys.
pub(crate) fn unlock(region: &Region, passphrase: &Passphrase) -> Result<Unlocked, Failure> {
    region.unlock(passphrase).map_err(|e| match e {
        RegionError::Authority {
            source: SealError::WrongPassphrase,
            ..
        } => Failure::refused(
            format!("{e}; nothing was changed"),
            "run the command again with the passphrase that `smp region init` was given",
        ),
        other => refused(other),
    })
}

/// This machine's clock.
pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}

/// Reads a text file that somebody sent.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = |e: std::io::Error| Failure::file(path, &e);
    let mut text = String::new();
    let read = File::open(path)
        .map_err(failed)?
        .take(TEXT_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > TEXT_BYTES {
        return Err(Failure::refused(
            format!("{} is too long to be what is expected", path.display()),
            "check that it is the right file",
        ));
    }
    Ok(text)
}

/// Refuses a file that is there already, before anything is changed for it.
pub(crate) fn must_be_new(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        false => Ok(()),
        true => Err(Failure::refused(
            format!("{} is there already; nothing was changed", path.display()),
            "name another file with --out, or move that one away",
        )),
    }
}

/// Writes a file that is not there yet, after what is in it was made: a failure is not a
/// refusal any more, and `next` says how to have the text again.
pub(crate) fn write_new(path: &Path, text: &str, next: &str) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| {
        // Only what was made here: a file that was there before is somebody's.
        if e.kind() != std::io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(path);
        }
        Failure::new(exit::FAILURE, format!("{}: {e}", path.display()), next)
    })
}

/// The members of a roster, one row for each node.
pub(crate) fn members(roster: &Roster) -> Vec<RosterMember> {
    let nodes = roster.members.iter().flat_map(|member| {
        member.nodes.iter().map(|node| RosterMember {
            council: member.council.to_string(),
            council_name: member.name.clone(),
            node: node.id.to_string(),
            endpoints: node.endpoints.clone(),
            decider: node.decider,
        })
    });
    nodes.collect()
}

/// A roster of this region's in words, as a node would show it.
pub(crate) fn view(region: &Region, roster: &Roster, now: UnixSeconds) -> RosterView {
    let state = match (roster.is_expired(now), roster.expires_soon(now)) {
        (true, _) => "expired",
        (false, true) => "expires_soon",
        (false, false) => "valid",
    };
    RosterView {
        region: roster.region.to_string(),
        title: roster.title.clone(),
        status: RosterStatus {
            version: roster.version,
            state: state.to_owned(),
            issued: roster.issued.to_string(),
            expires: roster.expires.to_string(),
            members: roster.members.len(),
            authority: region.fingerprint().to_string(),
        },
        schema: roster.schema.0,
        members: members(roster),
        targets: CheckClock::all(&roster.targets),
    }
}
