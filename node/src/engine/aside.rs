//! A damaged store is set aside, and a new one takes over what can still be read of it.
//!
//! What is lacking then comes back from the readers like to any node with an old store. The
//! damaged file must never be overwritten or removed, and nothing goes into the new one that
//! does not pass its checksum and, if it is an entry, the gate.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smp_protocol::codec;
use smp_protocol::document::{Evidence, Unit};
use smp_protocol::ids::{DocumentName, RecordId};
use smp_protocol::session::{Durable, FallenFields, Member};
use smp_protocol::statements::{Acceptance, Freshness};
use smp_protocol::time::UnixSeconds;

use super::core::clock;
use super::restore::{
    ACCEPTANCE, EVIDENCE, FALLEN, FRESHNESS, Logged, OWNER, OpenError, ROSTER, ROW_BYTES,
    StoreLocation, new_member, rows_of,
};
use crate::shared::Shared;
use crate::store::{self, Change, EngineKind, Open, Salvaged, Store, StoreError, Table};

/// What the store remembers of its own mishaps, in [`Table::Meta`].
const MISHAP: &[u8] = b"mishap\0";

/// How long a lost tail is told of; a store that was set aside is, until its file is removed.
const TOLD_SECONDS: u64 = 30 * 24 * 3600;

/// Mishaps that are told of: more would hide the newest.
const TOLD: usize = 4;

/// Changes of one commit while the new store is filled.
const CHANGES: usize = 512;

/// Where the new store is made.
const SCRATCH: &str = "salvage";

/// Something that happened to the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Mishap {
    /// It was damaged, and another took its place.
    SetAside {
        /// When.
        at: UnixSeconds,
        /// The damaged file.
        file: PathBuf,
        /// Rows that were taken over.
        kept: u64,
        /// Rows that were read and were not right, or did not fit.
        bad: u64,
        /// Whether parts of it could not be read at all.
        torn: bool,
    },
    /// It lacked commits that had been acknowledged.
    Lost {
        /// When that was found.
        at: UnixSeconds,
        /// How many, where that can be told.
        commits: Option<u64>,
    },
}

impl Mishap {
    /// Whether a person still has something to do about it.
    fn is_open(&self, now: UnixSeconds) -> bool {
        match self {
            Self::SetAside { file, .. } => file.exists(),
            Self::Lost { at, .. } => now.since(*at) < TOLD_SECONDS,
        }
    }

    fn row(&self) -> Change {
        let (Self::SetAside { at, .. } | Self::Lost { at, .. }) = self;
        Change::Put {
            table: Table::Meta,
            key: [MISHAP, &at.0.to_be_bytes()].concat(),
            value: codec::encode(self),
        }
    }
}

/// Keeps what the witness says about a store that was just opened, and gives the mishaps that
/// are still to be told, the newest first.
pub(super) fn mishaps(store: &mut Store) -> Result<Vec<Mishap>, StoreError> {
    if let Some(lag) = store.lag() {
        let commits = match lag {
            store::Lag::Lost(commits) => Some(commits),
            store::Lag::OtherCopy => None,
        };
        let at = clock();
        tracing::error!(
            commits,
            "the store has lost commits that it had acknowledged"
        );
        store.commit(&[Mishap::Lost { at, commits }.row()])?;
    }
    let rows = store.scan(Table::Meta, MISHAP, None, usize::MAX)?;
    let told = rows.iter().rev().filter_map(|(_, bytes)| decode(bytes));
    let open = told.filter(|mishap: &Mishap| mishap.is_open(clock()));
    Ok(open.take(TOLD).collect())
}

/// Whether an error says that the files are damaged, rather than the machine or the program.
pub(super) fn is_damage(error: &OpenError) -> bool {
    use StoreError::{BadChecksum, Damaged, Panicked};
    matches!(
        error,
        OpenError::Store(Damaged { .. } | BadChecksum { .. } | Panicked { .. })
    )
}

fn decode<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<T> {
    codec::decode(bytes, ROW_BYTES).ok()
}

/// Sets the store aside and puts a new one in its place. After an error, or a crash on the way,
/// the damaged store is where it was.
pub(super) fn set_aside(location: &StoreLocation, shared: &Arc<Shared>) -> Result<(), OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    let damaged = store::location(location.engine, &location.dir);
    let scratch = location.dir.join(SCRATCH);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(io(&scratch))?;
    }
    let mut store = store::open(EngineKind::Redb, &scratch, Open::Create)?;
    let copy = scratch.join("copy");
    fs::copy(&damaged, &copy).map_err(io(&copy))?;
    let mut trial = Trial::new(shared)?;
    let mut rows = Vec::new();
    let read = store::salvage(&copy, |table, key, value| rows.push((table, key, value)));
    let read = read.unwrap_or_else(|_| {
        tracing::error!("nothing of the damaged store can be read");
        Salvaged {
            torn: 1,
            ..Salvaged::default()
        }
    });
    fs::remove_file(&copy).map_err(io(&copy))?;
    trial.owner(&rows, location)?;
    let mut changes = trial.take(rows);

    let (at, file) = (clock(), free_name(&location.dir));
    let mishap = Mishap::SetAside {
        at,
        file: file.clone(),
        kept: changes.len() as u64,
        bad: (read.bad + trial.unfit) as u64,
        torn: read.torn > 0,
    };
    tracing::error!(
        file = %file.display(),
        kept = changes.len(),
        bad = read.bad + trial.unfit,
        torn = read.torn,
        "the store is damaged and is set aside; what is lacking is fetched from its readers"
    );
    changes.push(mishap.row());
    for part in changes.chunks(CHANGES) {
        store.commit(part)?;
    }
    let (made, path) = (store.path().to_owned(), damaged);
    drop(store);
    fs::hard_link(&path, &file).map_err(io(&file))?;
    for (from, to) in [
        (
            scratch.join(store::WITNESS),
            location.dir.join(store::WITNESS),
        ),
        (made, path),
    ] {
        fs::rename(&from, &to).map_err(io(&to))?;
    }
    let dir = File::open(&location.dir).and_then(|dir| dir.sync_all());
    dir.map_err(io(&location.dir))?;
    fs::remove_dir_all(&scratch).map_err(io(&scratch))
}

/// A name for the damaged file that nothing has yet.
fn free_name(dir: &Path) -> PathBuf {
    let second = clock().0;
    let names = (second..).map(|n| dir.join(format!("store.damaged-{n}.redb")));
    let mut free = names.filter(|name| !name.exists());
    free.next()
        .unwrap_or_else(|| dir.join("store.damaged.redb"))
}

type Row = (Table, Vec<u8>, Vec<u8>);

/// A member that what was read is tried on.
struct Trial {
    member: Member,
    me: String,
    unfit: usize,
    /// Batches of entries that were taken, by document and generation: they are numbered anew.
    ordinals: BTreeMap<(DocumentName, u64), u64>,
}

impl Trial {
    fn new(shared: &Arc<Shared>) -> Result<Self, OpenError> {
        Ok(Self {
            member: new_member(shared)?,
            me: shared.me().to_string(),
            unfit: 0,
            ordinals: BTreeMap::new(),
        })
    }

    /// Another node's store is no less another's for being damaged.
    fn owner(&self, rows: &[Row], location: &StoreLocation) -> Result<(), OpenError> {
        let owner = rows
            .iter()
            .find(|(table, key, _)| *table == Table::Meta && key == OWNER);
        match owner {
            Some((_, _, owner)) if owner != self.me.as_bytes() => Err(OpenError::OtherOwner {
                dir: location.dir.clone(),
                owner: String::from_utf8_lossy(owner).into_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// What goes into the new store, in the order in which a start takes it back.
    fn take(&mut self, mut rows: Vec<Row>) -> Vec<Change> {
        rows.sort_by_key(|(table, key, _)| turn(*table, key));
        let mut out = Vec::new();
        for (table, key, value) in rows {
            match table {
                // A log with a hole would pass it over; a new one says that it begins anew.
                Table::Store | Table::Snapshots | Table::Events => {}
                Table::Log => self.entries(&value, &mut out),
                Table::Meta if key == ROSTER => {
                    let roster = decode(&value).map(Durable::Roster);
                    self.durable(roster, Change::Put { table, key, value }, &mut out);
                }
                Table::Statements => {
                    let statement = statement(&key, &value);
                    self.durable(statement, Change::Put { table, key, value }, &mut out);
                }
                Table::Meta | Table::Vault | Table::Rows => {
                    out.push(Change::Put { table, key, value });
                }
            }
        }
        out
    }

    /// One row that the member has to accept.
    fn durable(&mut self, durable: Option<Durable>, row: Change, out: &mut Vec<Change>) {
        if durable.is_some_and(|durable| self.member.restore(durable).is_ok()) {
            out.push(row);
        } else {
            self.unfit += 1;
        }
    }

    /// A batch of entries: whole, or else those of its units that fit.
    fn entries(&mut self, value: &[u8], out: &mut Vec<Change>) {
        let Some(Logged { at, units }) = decode(value) else {
            self.unfit += 1;
            return;
        };
        if self.batch(units.clone(), at, out) {
            return;
        }
        for unit in units {
            if !self.batch(vec![unit], at, out) {
                self.unfit += 1;
            }
        }
    }

    fn batch(&mut self, units: Vec<Unit>, at: UnixSeconds, out: &mut Vec<Change>) -> bool {
        let Some(place) = units.first().map(|unit| unit.place.clone()) else {
            return false;
        };
        let ordinal = self
            .ordinals
            .entry((place.document, place.generation))
            .or_default();
        let durable = Durable::Batch {
            document: place.document,
            generation: place.generation,
            ordinal: *ordinal,
            units,
        };
        let rows = rows_of(&durable, at);
        let fits = self.member.restore(durable).is_ok();
        if fits {
            *ordinal += 1;
            out.extend(rows);
        }
        fits
    }
}

/// The order in which rows are tried: what later ones build on first.
fn turn(table: Table, key: &[u8]) -> u8 {
    match table {
        Table::Store | Table::Meta => 0,
        Table::Statements if key.starts_with(ACCEPTANCE) || key.starts_with(FRESHNESS) => 1,
        Table::Log => 2,
        Table::Statements => 3,
        Table::Vault | Table::Rows | Table::Snapshots | Table::Events => 4,
    }
}

/// What a row of [`Table::Statements`] says.
fn statement(key: &[u8], value: &[u8]) -> Option<Durable> {
    if key.starts_with(ACCEPTANCE) {
        return decode::<Acceptance>(value).map(Durable::Acceptance);
    }
    if key.starts_with(FRESHNESS) {
        return decode::<Freshness>(value).map(Durable::Freshness);
    }
    if key.starts_with(EVIDENCE) {
        let (evidence, since) = decode::<(Evidence, UnixSeconds)>(value)?;
        return Some(Durable::Evidence { evidence, since });
    }
    if key.starts_with(FALLEN) {
        let (document, record, fields) = decode::<(DocumentName, RecordId, FallenFields)>(value)?;
        return Some(Durable::Fallen {
            document,
            record,
            fields,
        });
    }
    None
}
