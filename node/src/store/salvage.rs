//! Reading what can still be read of a damaged store.
//!
//! It gives out only rows whose checksums hold, and must never write to the damaged files.

use std::path::Path;

use super::{Rows, StoreError, Table, contain, discard, redb, seal};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Rows that were read and are right.
    pub rows: usize,
    /// Rows that were read and are not.
    pub bad: usize,
    /// Tables that could not be read to their end.
    pub torn: usize,
}

/// Hands every row that can be read of a redb store to `keep`, table by table, ascending. It
/// works on a copy of the file, which opening may change.
///
/// # Errors
/// [`StoreError`] where the file cannot be opened at all; then nothing was handed over.
pub fn salvage(
    copy: &Path,
    mut keep: impl FnMut(Table, Vec<u8>, Vec<u8>),
) -> Result<Salvaged, StoreError> {
    let mut out = Salvaged::default();
    let panicked = || StoreError::Panicked {
        doing: "opening",
        path: copy.to_owned(),
    };
    let open = || contain(|| redb::start_unchecked(copy)).unwrap_or_else(|| Err(panicked()));
    let mut engine = open()?;
    // Snapshots follow from the log, and events from what is there.
    let worth_it = |table: &Table| !matches!(table, Table::Snapshots | Table::Events);
    for table in Table::ALL.into_iter().filter(worth_it) {
        let mut after: Option<Vec<u8>> = None;
        loop {
            // One row at a time, so that the rows before a bad page are had.
            let page = contain(|| engine.scan(table, b"", after.as_deref(), 1));
            let Some(Ok(page)) = page else {
                out.torn += 1;
                discard(Some(engine));
                engine = open()?;
                break;
            };
            let Some((key, sealed)) = Rows::into_iter(page).next() else {
                break;
            };
            // Pages that point in a circle would go on for ever.
            if after.as_ref().is_some_and(|before| *before >= key) {
                out.torn += 1;
                break;
            }
            after = Some(key.clone());
            match seal::open(table, &key, sealed) {
                Ok(value) => {
                    out.rows += 1;
                    keep(table, key, value);
                }
                Err(_) => out.bad += 1,
            }
        }
    }
    discard(Some(engine));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::{Change, EngineKind, Open, open};

    const ROWS: usize = 400;

    fn value(n: usize) -> Vec<u8> {
        format!("value {n:04} ").repeat(60).into_bytes()
    }

    #[test]
    fn rows_beside_the_damage_are_read_and_damaged_ones_are_not_given_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(EngineKind::Redb, dir.path(), Open::Create).unwrap();
        let rows = (0..ROWS).map(|n| Change::Put {
            table: Table::Vault,
            key: n.to_be_bytes().to_vec(),
            value: value(n),
        });
        store.commit(&rows.collect::<Vec<_>>()).unwrap();
        let path = store.path().to_owned();
        drop(store);
        let mut bytes = fs::read(&path).unwrap();
        let hit = value(123);
        let at = bytes.windows(hit.len()).position(|part| part == hit);
        bytes[at.unwrap() + 100] ^= 4;
        fs::write(&path, &bytes).unwrap();
        assert!(open(EngineKind::Redb, dir.path(), Open::Existing).is_err());

        let mut read = Vec::new();
        let salvaged = salvage(&path, |table, key, found| {
            if table == Table::Vault {
                let n = usize::from_be_bytes(key.try_into().unwrap());
                assert_eq!(found, value(n));
                read.push(n);
            }
        });
        let salvaged = salvaged.unwrap();
        assert_eq!(read.len(), ROWS - 1, "{salvaged:?}");
        assert!(!read.contains(&123));
        assert_eq!((salvaged.bad, salvaged.torn), (1, 0));
    }
}
