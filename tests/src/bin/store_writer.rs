//! The process that the store's crash trials kill: it writes batches whose contents follow from
//! their number alone, acknowledges each on standard output, and can say what of them is there.
//!
//! `store_writer <redb|sled> <dir> create`
//! `store_writer <redb|sled> <dir> write [count]` acknowledges `ack <n>`; without a count, for ever
//! `store_writer <redb|sled> <dir> check [expected last]` prints one line, see [`Report`]
//!
//! It must never print an acknowledgement before the commit has returned.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use smp_node::store::{Change, EngineKind, Open, Store, StoreError, Table, open};

/// So many batches are kept; an older one is deleted by the batch that pushes it out. So every
/// batch puts, overwrites and deletes, and the store stays small.
const KEPT: u64 = 40;

const TABLES: [Table; 2] = [Table::Log, Table::Statements];

type Row = (Table, Vec<u8>, Vec<u8>);

/// A stream of bytes that follows from a seed (SplitMix64).
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    out.truncate(length);
    out
}

/// The value of a row, from its key: small ones, and now and then one of 150 kB.
fn value_of(table: Table, key: &[u8]) -> Vec<u8> {
    let start = table as u64 + 1;
    let seed = key.iter().fold(start, |sum, byte| {
        sum.wrapping_mul(257).wrapping_add(u64::from(*byte))
    });
    let length = match seed % 29 {
        0 => 150_000,
        _ => usize::try_from(seed.rotate_left(17) % 1500).unwrap_or(0),
    };
    bytes(seed, length)
}

/// The rows of batch `n`: one to five in the log, one among the statements.
fn rows(n: u64) -> Vec<Row> {
    let mut keys = vec![(Table::Statements, n.to_be_bytes().to_vec())];
    for part in 0..=u8::try_from(n % 5).unwrap_or(0) {
        keys.push((Table::Log, [&n.to_be_bytes()[..], &[part]].concat()));
    }
    keys.into_iter()
        .map(|(table, key)| (table, key.clone(), value_of(table, &key)))
        .collect()
}

/// The batch that takes the store from `n - 1` to `n`.
fn batch(n: u64) -> Vec<Change> {
    let mut changes: Vec<Change> = rows(n)
        .into_iter()
        .map(|(table, key, value)| Change::Put { table, key, value })
        .collect();
    let last = n.to_be_bytes().to_vec();
    changes.push(Change::Put {
        table: Table::Meta,
        key: b"last".to_vec(),
        value: last,
    });
    if n > KEPT {
        let old = rows(n - KEPT);
        changes.extend(
            old.into_iter()
                .map(|(table, key, _)| Change::Delete { table, key }),
        );
    }
    changes
}

/// The number of the last batch, as the store says.
fn last(store: &Store) -> Result<u64, StoreError> {
    let stored = store.get(Table::Meta, b"last")?.unwrap_or_default();
    Ok(<[u8; 8]>::try_from(stored.as_slice())
        .map(u64::from_be_bytes)
        .unwrap_or(0))
}

/// What a check found, compared with what the store should hold after batch `last`.
#[derive(Default)]
struct Report {
    last: u64,
    /// Rows that should be there and are not.
    missing: u64,
    /// Rows that should not be there: of a deleted batch, or of one after the last.
    stale: u64,
    /// Rows whose value is another than was written under that key, given out as good.
    wrong: u64,
    /// Reads that were refused.
    errors: u64,
}

fn check(store: &Store, expected: Option<u64>) -> Report {
    let mut report = Report::default();
    report.last = match last(store) {
        Ok(last) => last,
        Err(_) => {
            report.errors += 1;
            expected.unwrap_or(0)
        }
    };
    let first = report.last.saturating_sub(KEPT - 1).max(1);
    for (table, key, value) in (first..=report.last).flat_map(rows) {
        match store.get(table, &key) {
            Ok(Some(found)) if found == value => {}
            Ok(Some(_)) => report.wrong += 1,
            Ok(None) => report.missing += 1,
            Err(_) => report.errors += 1,
        }
    }
    for table in TABLES {
        let found = store
            .scan(table, b"", None, usize::MAX)
            .unwrap_or_else(|_| {
                report.errors += 1;
                Vec::new()
            });
        for (key, value) in found {
            let number = key
                .first_chunk::<8>()
                .map(|number| u64::from_be_bytes(*number));
            if value != value_of(table, &key) {
                report.wrong += 1;
            } else if !number.is_some_and(|n| (first..=report.last).contains(&n)) {
                report.stale += 1;
            }
        }
    }
    report
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, dir, command, rest @ ..] = arguments.as_slice() else {
        bail!("usage: store_writer <redb|sled> <dir> <create|write|check> [number]");
    };
    let engine = match engine.as_str() {
        "redb" => EngineKind::Redb,
        "sled" => EngineKind::Sled,
        other => bail!("unknown engine {other}"),
    };
    let dir = PathBuf::from(dir);
    let number: Option<u64> = rest
        .first()
        .map(|n| n.parse())
        .transpose()
        .context("number")?;
    let mut out = std::io::stdout().lock();
    match command.as_str() {
        "create" => drop(open(engine, &dir, Open::Create)?),
        "write" => {
            let mut store = open(engine, &dir, Open::Existing)?;
            let from = last(&store)? + 1;
            for n in from..from.saturating_add(number.unwrap_or(u64::MAX)) {
                store.commit(&batch(n))?;
                writeln!(out, "ack {n}")?;
                out.flush()?;
            }
        }
        "check" => match open(engine, &dir, Open::Existing) {
            Ok(store) => {
                let Report {
                    last,
                    missing,
                    stale,
                    wrong,
                    errors,
                } = check(&store, number);
                writeln!(out, "holds {last} {missing} {stale} {wrong} {errors}")?;
            }
            Err(StoreError::Panicked { .. }) => writeln!(out, "panicked")?,
            Err(error) => writeln!(out, "refused {error}")?,
        },
        other => bail!("unknown command {other}"),
    }
    Ok(())
}
