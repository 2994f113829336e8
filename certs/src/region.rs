//! The region directory: what the SMP's admin keeps offline.
//!
//! `region.toml` (the region and its authority's key), `ca.pem`, `rosters/` (every version,
//! signed) are public; `authority.age` has the two private keys under the passphrase. Every
//! file is written once and never altered, so a copy of the directory is a backup. To lose
//! it, or the passphrase, is to lose the region: nothing here can make up for that.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use smp_protocol::ids::{Hash, PublicKey, RegionName};
use smp_protocol::limits;
use smp_protocol::roster::{Roster, RosterError, SignedRoster, VerifiedRoster};
use smp_protocol::schema;
use smp_protocol::time::UnixSeconds;

use crate::armour::ArmourError;
use crate::authority::{Authority, SealError, WorkFactor};
use crate::bundle::authority_fingerprint;
use crate::change::Unlocked;
use crate::files::{self, FileError};
use crate::fingerprint::Fingerprint;
use crate::passphrase::Passphrase;
use crate::profile::{self, IssueError};
use crate::roster_file::{roster_from_text, roster_to_text};

const REGION: &str = "region.toml";
const CA: &str = "ca.pem";
const AUTHORITY: &str = "authority.age";
const ROSTERS: &str = "rosters";
const LOCK: &str = "region.lock";

/// The most that a file of the directory may have, rosters apart: each has about 1 KB.
const FILE_BYTES: u64 = 64 << 10;

/// The most that a roster may have as text: base 64 makes four bytes out of three.
const ROSTER_TEXT_BYTES: u64 = (limits::ROSTER_BYTES as u64) * 3 / 2;

/// Why a region was not made, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// The directory has something in it. Nothing was changed.
    #[error(
        "{} is not empty; nothing was changed. For a new region, name a new directory; to see \
         the region that is there, run `smp region show`",
        dir.display()
    )]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// An earlier attempt was cut off.
    #[error(
        "{} was left by a `smp region init` that was cut off or is still running; if it is \
         not, remove that directory and run the command again",
        partial.display()
    )]
    CutOff {
        /// What it left.
        partial: PathBuf,
    },
    /// There is no region in the directory.
    #[error("there is no region in {}; make one with `smp region init`", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The passphrase is too short for a new region.
    #[error(
        "the passphrase must have at least {} characters",
        Passphrase::MIN_CHARACTERS
    )]
    ShortPassphrase,
    /// A file in the directory is not what it must be.
    #[error("{}: {problem}; put it back from the backup of the region directory", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The authority's keys were not opened.
    #[error("{}: {source}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SealError,
    },
    /// Another command is changing the region.
    #[error(
        "another command is changing the region in {}; nothing was changed, wait for it to end",
        dir.display()
    )]
    Busy {
        /// The directory.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The roster would be refused by every node. Nothing was changed.
    #[error("the roster was not changed: {0}")]
    Roster(#[from] RosterError),
    /// This machine's clock is behind the newest roster.
    #[error(
        "the newest roster was issued at {issued}, and this machine's clock says {now}; \
         nothing was changed. Set the clock (`timedatectl`) and run the command again"
    )]
    ClockBehind {
        /// When the newest roster was signed.
        issued: UnixSeconds,
        /// What the clock says.
        now: UnixSeconds,
    },
    /// A certificate could not be made.
    #[error("nothing was changed: {0}")]
    Issue(#[from] IssueError),
}

/// A region as its directory shows it without the passphrase.
#[derive(Debug, Clone)]
pub struct Region {
    dir: PathBuf,
    name: RegionName,
    authority: PublicKey,
    ca: CertificateDer<'static>,
    roster: VerifiedRoster,
}

/// `region.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionFile {
    region: RegionName,
    title: String,
    authority: PublicKey,
}

impl Region {
    /// Makes a region: its keys, its CA and a first roster without members. The directory
    /// is there whole afterwards, or not at all.
    ///
    /// # Errors
    /// [`RegionError`] saying what stands in the way.
    pub fn init(
        dir: &Path,
        name: RegionName,
        title: &str,
        passphrase: &Passphrase,
        work: WorkFactor,
        now: UnixSeconds,
    ) -> Result<Unlocked, RegionError> {
        if !passphrase.is_long_enough() {
            return Err(RegionError::ShortPassphrase);
        }
        if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(RegionError::NotEmpty { dir: dir.into() });
        }
        let seal_error = |source| RegionError::Authority {
            path: dir.join(AUTHORITY),
            source,
        };
        let authority = Authority::generate().map_err(seal_error)?;
        let ca = profile::issue_ca(&name, authority.ca_key(), now)?;
        let roster = SignedRoster::sign(
            &first_roster(&name, title, &authority, &ca, now),
            &authority.signing,
        )?;
        let sealed = authority.seal(passphrase, work).map_err(seal_error)?;
        let about = RegionFile {
            region: name,
            title: title.to_owned(),
            authority: authority.signing.public(),
        };
        write_all(dir, &about, &sealed, &ca, &roster)?;
        let region = Self::open(dir)?;
        let lock = region.lock()?;
        Unlocked::new(region, authority, lock)
    }

    /// Opens a region to look at it. Needs no passphrase.
    ///
    /// # Errors
    /// [`RegionError`] naming the file that is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, RegionError> {
        let path = dir.join(REGION);
        if !path.exists() {
            return Err(RegionError::Missing { dir: dir.into() });
        }
        let text = files::read(&path, FILE_BYTES)?;
        let about: RegionFile = toml::from_str(&text).map_err(|e| damaged(&path, e.message()))?;
        let path = dir.join(CA);
        let text = files::read(&path, FILE_BYTES)?;
        let ca = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|_| damaged(&path, "it is not a certificate"))?;
        let (path, version) = newest_roster(&dir.join(ROSTERS))?;
        let text = files::read(&path, ROSTER_TEXT_BYTES)?;
        let roster = roster_from_text(&text)
            .map_err(|e: ArmourError| damaged(&path, &e.to_string()))?
            .verify(&about.region, &about.authority)
            .map_err(|e| damaged(&path, &e.to_string()))?;
        if roster.version != version {
            return Err(damaged(&path, "it is another version than its name says"));
        }
        if roster.ca != profile::sha256(&ca) {
            return Err(damaged(
                &dir.join(CA),
                "it is not the CA that the roster names",
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            name: about.region,
            authority: about.authority,
            ca,
            roster,
        })
    }

    /// Opens the authority's keys to change the region, and keeps every other command
    /// from changing it meanwhile.
    ///
    /// # Errors
    /// [`RegionError::Authority`] for a wrong passphrase, [`RegionError::Busy`] while
    /// another command is at it.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Unlocked, RegionError> {
        let lock = self.lock()?;
        // Another command may have changed the roster since this one was read.
        let region = Self::open(&self.dir)?;
        let path = self.dir.join(AUTHORITY);
        let text = files::read(&path, FILE_BYTES)?;
        let authority = Authority::open(&text, passphrase)
            .map_err(|source| RegionError::Authority { path, source })?;
        Unlocked::new(region, authority, lock)
    }

    fn lock(&self) -> Result<File, RegionError> {
        let path = self.dir.join(LOCK);
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(files::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(RegionError::Busy {
                dir: self.dir.clone(),
            }),
            Err(fs::TryLockError::Error(e)) => Err(files::io("lock", &path)(e).into()),
        }
    }

    /// Writes the next roster, durably, before anyone is told of it.
    pub(crate) fn advance(&mut self, roster: VerifiedRoster) -> Result<(), RegionError> {
        let path = roster_path(&self.dir.join(ROSTERS), roster.version);
        files::write_new(&path, roster_to_text(roster.signed()).as_bytes())?;
        self.roster = roster;
        Ok(())
    }

    pub(crate) fn damaged_authority(&self) -> RegionError {
        let path = self.dir.join(AUTHORITY);
        damaged(&path, "its keys are not those of region.toml and ca.pem")
    }

    /// The region's name.
    pub fn name(&self) -> &RegionName {
        &self.name
    }

    /// The region's name for people.
    pub fn title(&self) -> &str {
        &self.roster.title
    }

    /// The region authority's key.
    pub fn authority(&self) -> PublicKey {
        self.authority
    }

    /// The digits of the region authority, for the admin to read to a node's operator.
    pub fn fingerprint(&self) -> Fingerprint {
        authority_fingerprint(&self.name, &self.authority)
    }

    /// The region CA's certificate.
    pub fn ca(&self) -> &CertificateDer<'static> {
        &self.ca
    }

    /// The newest roster.
    pub fn roster(&self) -> &VerifiedRoster {
        &self.roster
    }
}

fn damaged(path: &Path, problem: &str) -> RegionError {
    RegionError::Damaged {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn roster_path(rosters: &Path, version: u64) -> PathBuf {
    rosters.join(format!("{version:06}.roster"))
}

/// The roster file with the highest number.
fn newest_roster(rosters: &Path) -> Result<(PathBuf, u64), RegionError> {
    let listing = fs::read_dir(rosters).map_err(files::io("list", rosters))?;
    let mut newest = None;
    for entry in listing {
        let name = entry.map_err(files::io("list", rosters))?.file_name();
        let version = name
            .to_str()
            .and_then(|name| name.strip_suffix(".roster"))
            .and_then(|number| number.parse::<u64>().ok());
        newest = newest.max(version);
    }
    match newest {
        Some(version) => Ok((roster_path(rosters, version), version)),
        None => Err(damaged(rosters, "there is no roster in it")),
    }
}

fn first_roster(
    name: &RegionName,
    title: &str,
    authority: &Authority,
    ca: &CertificateDer<'_>,
    now: UnixSeconds,
) -> Roster {
    Roster {
        region: name.clone(),
        title: title.to_owned(),
        version: 1,
        previous: Hash([0; 32]),
        issued: now,
        expires: now.plus(limits::ROSTER_LIFETIME_SECONDS),
        authority: authority.signing.public(),
        ca: profile::sha256(ca),
        schema: schema::NEWEST,
        members: Vec::new(),
        readers: Vec::new(),
        cuts: Vec::new(),
        targets: Vec::new(),
    }
}

/// Writes the directory beside its place, then gives it its name.
fn write_all(
    dir: &Path,
    about: &RegionFile,
    sealed: &str,
    ca: &CertificateDer<'_>,
    roster: &SignedRoster,
) -> Result<(), RegionError> {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = dir.with_file_name(name);
    if partial.exists() {
        return Err(RegionError::CutOff { partial });
    }
    let rosters = partial.join(ROSTERS);
    files::private_dir(&rosters)?;
    let toml = toml::to_string(about).map_err(|e| damaged(&dir.join(REGION), &e.to_string()))?;
    files::write_new(&partial.join(AUTHORITY), sealed.as_bytes())?;
    files::write_new(&partial.join(CA), pem(ca).as_bytes())?;
    files::write_new(&roster_path(&rosters, 1), roster_to_text(roster).as_bytes())?;
    files::write_new(&partial.join(REGION), toml.as_bytes())?;
    fs::rename(&partial, dir).map_err(files::io("make", dir))?;
    Ok(files::flush_parent(dir)?)
}

/// A certificate as PEM.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for chunk in certificate.chunks(48) {
        data_encoding::BASE64.encode_append(chunk, &mut out);
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}
