//! Between the member and the store: how durables are laid out in rows, and taking them
//! back at a start.
//!
//! Keys begin with the document's name and a zero byte, which no name contains; numbers are
//! eight bytes, most significant first, so that rows scan in the order of their numbers.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smp_protocol::codec;
use smp_protocol::document::{Evidence, Unit};
use smp_protocol::ids::{BootId, DocumentName, RecordId};
use smp_protocol::limits;
use smp_protocol::roster::{Roster, SignedRoster};
use smp_protocol::session::{Durable, FallenFields, Identity, Member, RestoreError};
use smp_protocol::statements::{Acceptance, Freshness};
use smp_protocol::time::UnixSeconds;

use super::aside;
use super::core::{Core, clock};
use crate::shared::Shared;
use crate::store::{self, Change, EngineKind, Open, Store, StoreError, Table};

/// The newest roster, in [`Table::Meta`].
pub(super) const ROSTER: &[u8] = b"roster";
/// Whose store it is, in [`Table::Meta`].
pub(super) const OWNER: &[u8] = b"owner";
/// What tells acceptances from freshness in [`Table::Statements`].
pub(super) const ACCEPTANCE: &[u8] = b"acceptance\0";
pub(super) const FRESHNESS: &[u8] = b"freshness\0";
/// And what tells evidence of two histories, and what fell away with a cut.
pub(super) const EVIDENCE: &[u8] = b"evidence\0";
pub(super) const FALLEN: &[u8] = b"fallen\0";

/// Rows read at a time while taking the log back: a few MiB at most.
const PAGE: usize = 64;

/// A stored batch with when it came, or statement, or roster: none is larger than a frame
/// decompressed, and an instant.
pub(super) const ROW_BYTES: usize = limits::BATCH_BYTES + 16;

/// The file beside the store that says it was made: where it is and the store is not, the
/// store was lost.
const MADE: &str = "store.made";

/// Where the store is, and of which kind.
#[derive(Clone, Debug)]
pub struct StoreLocation {
    /// The directory.
    pub dir: PathBuf,
    /// The engine.
    pub engine: EngineKind,
}

/// The store cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store was there and is not any more.
    #[error("the store in {} was made before and is gone; bring it back from a backup, or remove {MADE} there to begin with an empty one and fetch the documents from their readers", .0.display())]
    Vanished(PathBuf),
    /// It belongs to another node.
    #[error("the store in {} belongs to node {owner}; point data_dir at this node's own", dir.display())]
    OtherOwner {
        /// The directory.
        dir: PathBuf,
        /// The node that made it.
        owner: String,
    },
    /// A row is not what it must be.
    #[error(
        "the store holds a {0} that cannot be read; set the store and the file store.made beside it aside (mv) and start again to fetch the documents from their readers"
    )]
    Row(&'static str),
    /// What it holds does not pass the gate.
    #[error(
        "{0}; set the store and {MADE} beside it aside (mv) and start again to fetch the documents from their readers"
    )]
    Restore(#[from] Box<RestoreError>),
    /// The directory cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No randomness.
    #[error("the operating system gives no random bytes")]
    Random,
    /// No thread.
    #[error("cannot start the engine's thread: {0}")]
    Thread(std::io::Error),
}

/// A row of the log: entries that came together, and when they came to this node.
#[derive(Serialize, Deserialize)]
pub(super) struct Logged {
    /// When; of a log that was rewritten, when that was.
    pub(super) at: UnixSeconds,
    /// The entries.
    pub(super) units: Vec<Unit>,
}

/// The rows of something that has to be on disk, and comes at this moment.
pub(super) fn rows_of(durable: &Durable, at: UnixSeconds) -> Vec<Change> {
    let put = |table, key, value| vec![Change::Put { table, key, value }];
    match durable {
        Durable::Batch {
            document,
            generation,
            ordinal,
            units,
        } => {
            let key = log_key(*document, *generation, *ordinal);
            let units = units.clone();
            put(Table::Log, key, codec::encode(&Logged { at, units }))
        }
        Durable::Roster(signed) => put(Table::Meta, ROSTER.to_vec(), codec::encode(signed)),
        Durable::Acceptance(statement) => {
            let name = statement.body.document.to_string();
            let key = [ACCEPTANCE, name.as_bytes()].concat();
            put(Table::Statements, key, codec::encode(statement))
        }
        Durable::Freshness(statement) => {
            let name = statement.body.place.document.to_string();
            let key = [FRESHNESS, name.as_bytes()].concat();
            put(Table::Statements, key, codec::encode(statement))
        }
        Durable::Rewritten {
            document,
            generation,
            batches,
            replaces,
        } => rewritten(*document, *generation, batches, *replaces, at),
        Durable::Evidence { evidence, since } => {
            let document = evidence.place.document;
            let key = [
                format!("evidence\0{document}\0").into_bytes(),
                evidence.node().0.to_vec(),
            ];
            put(
                Table::Statements,
                key.concat(),
                codec::encode(&(evidence, since)),
            )
        }
        Durable::Fallen {
            document,
            record,
            fields,
        } => {
            let table = Table::Statements;
            let key = [
                format!("fallen\0{document}\0").into_bytes(),
                record.to_bytes().to_vec(),
            ];
            let key = key.concat();
            if fields.is_empty() {
                return vec![Change::Delete { table, key }];
            }
            put(table, key, codec::encode(&(document, record, fields)))
        }
        Durable::Snapshot {
            document,
            generation,
            snapshot,
        } => put(
            Table::Snapshots,
            snapshot_key(*document, *generation),
            codec::encode(&(document, generation, snapshot)),
        ),
    }
}

fn snapshot_key(document: DocumentName, generation: u64) -> Vec<u8> {
    let mut key = format!("{document}\0").into_bytes();
    key.extend(generation.to_be_bytes());
    key
}

fn log_key(document: DocumentName, generation: u64, ordinal: u64) -> Vec<u8> {
    let mut key = format!("{document}\0").into_bytes();
    key.extend(generation.to_be_bytes());
    key.extend(ordinal.to_be_bytes());
    key
}

/// The rows of a document's log in place of those before.
fn rewritten(
    document: DocumentName,
    generation: u64,
    batches: &[Vec<Unit>],
    replaces: u64,
    at: UnixSeconds,
) -> Vec<Change> {
    let table = Table::Log;
    let key = |ordinal| log_key(document, generation, ordinal);
    let puts = (0..).zip(batches).map(|(ordinal, units)| Change::Put {
        table,
        key: key(ordinal),
        value: codec::encode(&Logged {
            at,
            units: units.clone(),
        }),
    });
    let gone = (batches.len() as u64..replaces).map(|ordinal| Change::Delete {
        table,
        key: key(ordinal),
    });
    // A snapshot is of the log before.
    let snapshot = Change::Delete {
        table: Table::Snapshots,
        key: snapshot_key(document, generation),
    };
    puts.chain(gone).chain([snapshot]).collect()
}

/// All that the log has of a document, batch by batch, as it came.
///
/// # Errors
/// [`OpenError`] where the store cannot be read, or a row of it.
pub(super) fn log_of(store: &Store, document: DocumentName) -> Result<Vec<Logged>, OpenError> {
    let prefix = format!("{document}\0").into_bytes();
    let rows = store.scan(Table::Log, &prefix, None, usize::MAX)?;
    let rows = rows.iter();
    rows.map(|(_, bytes)| row(bytes, "batch of entries"))
        .collect()
}

/// Opens the store and makes a member of what it holds. A damaged store is set aside first.
pub(super) fn open(location: &StoreLocation, shared: &Arc<Shared>) -> Result<Core, OpenError> {
    match open_whole(location, shared) {
        // Of sled it cannot be told what is damaged, so a person decides.
        Err(error) if location.engine == EngineKind::Redb && aside::is_damage(&error) => {
            // Its own text says what a person would have to do; here the node does it.
            tracing::error!("the store is damaged; looking what can still be read of it");
            aside::set_aside(location, shared)?;
            open_whole(location, shared)
        }
        opened => opened,
    }
}

/// Opens a store that is whole. The newer of the stored roster and the one that the node joined
/// with holds.
fn open_whole(location: &StoreLocation, shared: &Arc<Shared>) -> Result<Core, OpenError> {
    let mut store = open_store(location)?;
    own(&mut store, location, &shared.me().to_string())?;
    shared.set_mishaps(aside::mishaps(&mut store)?);
    let mut member = new_member(shared)?;
    if let Some(bytes) = store.get(Table::Meta, ROSTER)? {
        let signed: SignedRoster = row(&bytes, "roster")?;
        take_back(&mut member, Durable::Roster(signed))?;
    }
    for (_, bytes) in store.scan(Table::Statements, ACCEPTANCE, None, usize::MAX)? {
        let statement: Acceptance = row(&bytes, "statement")?;
        take_back(&mut member, Durable::Acceptance(statement))?;
    }
    for (_, bytes) in store.scan(Table::Statements, FRESHNESS, None, usize::MAX)? {
        let statement: Freshness = row(&bytes, "statement")?;
        take_back(&mut member, Durable::Freshness(statement))?;
    }
    restore_log(&store, &mut member)?;
    restore_snapshots(&store, &mut member)?;
    for (_, bytes) in store.scan(Table::Statements, EVIDENCE, None, usize::MAX)? {
        let (evidence, since): (Evidence, UnixSeconds) = row(&bytes, "proof of two histories")?;
        take_back(&mut member, Durable::Evidence { evidence, since })?;
    }
    for (_, bytes) in store.scan(Table::Statements, FALLEN, None, usize::MAX)? {
        let (document, record, fields): (DocumentName, RecordId, FallenFields) =
            row(&bytes, "list of what fell away")?;
        let fallen = Durable::Fallen {
            document,
            record,
            fields,
        };
        take_back(&mut member, fallen)?;
    }
    // What follows from it is among the member's outputs, which the engine stores first.
    member.restored();
    shared.set_roster(member.roster().clone());
    shared.set_caveats(store.promises()?.not_kept);
    Ok(Core::new(member, store, Arc::clone(shared))?)
}

fn take_back(member: &mut Member, durable: Durable) -> Result<(), Box<RestoreError>> {
    member.restore(durable).map_err(Box::new)
}

fn restore_log(store: &Store, member: &mut Member) -> Result<(), OpenError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(Table::Log, b"", after.as_deref(), PAGE)?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (_, bytes) in page {
            let Logged { units, .. } = row(&bytes, "batch of entries")?;
            let Some(place) = units.first().map(|unit| unit.place.clone()) else {
                return Err(OpenError::Row("batch without entries"));
            };
            let batch = Durable::Batch {
                document: place.document,
                generation: place.generation,
                ordinal: 0,
                units,
            };
            take_back(member, batch)?;
        }
    }
}

/// Snapshots are there to be quick: one that cannot be read is not missed.
fn restore_snapshots(store: &Store, member: &mut Member) -> Result<(), OpenError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = match store.scan(Table::Snapshots, b"", after.as_deref(), PAGE) {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "snapshots are left aside; documents are made from the log");
                return Ok(());
            }
        };
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (_, bytes) in page {
            let read = codec::decode(&bytes, store::MAX_VALUE_BYTES);
            let Ok((document, generation, snapshot)) = read else {
                continue;
            };
            let snapshot = Durable::Snapshot {
                document,
                generation,
                snapshot,
            };
            take_back(member, snapshot)?;
        }
    }
}

fn row<T: serde::de::DeserializeOwned + serde::Serialize>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, OpenError> {
    codec::decode(bytes, ROW_BYTES).map_err(|_| OpenError::Row(what))
}

/// Opens the store, or makes it where none was ever made.
fn open_store(location: &StoreLocation) -> Result<Store, OpenError> {
    let made = location.dir.join(MADE);
    let io = |path: PathBuf| move |source| OpenError::Io { path, source };
    std::fs::create_dir_all(&location.dir).map_err(io(location.dir.clone()))?;
    let was_made = made.try_exists().map_err(io(made.clone()))?;
    match store::open(location.engine, &location.dir, Open::Existing) {
        Err(StoreError::Missing { .. }) if was_made => {
            Err(OpenError::Vanished(location.dir.clone()))
        }
        Err(StoreError::Missing { .. }) => {
            let store = store::open(location.engine, &location.dir, Open::Create)?;
            let file = std::fs::File::create(&made).map_err(io(made.clone()))?;
            file.sync_all().map_err(io(made.clone()))?;
            let dir = std::fs::File::open(&location.dir).map_err(io(location.dir.clone()))?;
            dir.sync_all().map_err(io(location.dir.clone()))?;
            Ok(store)
        }
        other => Ok(other?),
    }
}

/// A store belongs to one node: another's, copied here, would be written on as ours.
fn own(store: &mut Store, location: &StoreLocation, me: &str) -> Result<(), OpenError> {
    match store.get(Table::Meta, OWNER)? {
        None => Ok(store.commit(&[Change::Put {
            table: Table::Meta,
            key: OWNER.to_vec(),
            value: me.as_bytes().to_vec(),
        }])?),
        Some(owner) if owner == me.as_bytes() => Ok(()),
        Some(owner) => Err(OpenError::OtherOwner {
            dir: location.dir.clone(),
            owner: String::from_utf8_lossy(&owner).into_owned(),
        }),
    }
}

pub(super) fn new_member(shared: &Shared) -> Result<Member, OpenError> {
    let mut boot = [0; 8];
    let mut seed = [0; 8];
    getrandom::fill(&mut boot).map_err(|_| OpenError::Random)?;
    getrandom::fill(&mut seed).map_err(|_| OpenError::Random)?;
    let roster = shared.roster();
    let identity = Identity {
        region: Roster::clone(&roster).region,
        council: shared.council(),
        key: shared.signing_key(),
        boot: BootId(boot),
    };
    Ok(Member::new(
        identity,
        roster,
        u64::from_be_bytes(seed),
        clock(),
    ))
}
