//! One suite that every engine runs through. It knows the engines only by how to open them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{
    Change, EngineKind, MAX_KEY_BYTES, MAX_VALUE_BYTES, Open, Rows, Store, StoreError, Table, open,
};

/// Makes a test of each case for one engine.
macro_rules! conformance {
    ($engine:ident, $kind:expr, [$($case:ident),* $(,)?]) => {
        mod $engine {
            $(
                #[test]
                fn $case() {
                    super::$case(|dir, mode| super::open($kind, dir, mode));
                }
            )*
        }
    };
}

/// Makes a test of each case for every engine that is built in.
macro_rules! every_engine {
    ($($case:ident),* $(,)?) => {
        conformance!(on_redb, super::EngineKind::Redb, [$($case),*]);
        #[cfg(feature = "sled")]
        conformance!(on_sled, super::EngineKind::Sled, [$($case),*]);
    };
}

mod failing;
mod model;
mod opening;

/// Opens a store of one engine.
pub(super) type Opener = fn(&Path, Open) -> Result<Store, StoreError>;

every_engine!(
    what_was_put_is_read_after_reopening,
    a_batch_applies_in_order_and_across_tables,
    scans_are_ordered_and_bounded,
    deleted_rows_stay_away,
    empty_and_large_values,
    many_large_values_in_one_batch,
    over_the_limits_is_refused_and_changes_nothing,
    a_flipped_byte_is_an_error_that_names_the_row,
    a_value_under_another_key_or_table_is_refused,
    reclaiming_keeps_every_row,
);

pub(super) fn put(table: Table, key: &[u8], value: &[u8]) -> Change {
    Change::Put {
        table,
        key: key.to_vec(),
        value: value.to_vec(),
    }
}

pub(super) fn delete(table: Table, key: &[u8]) -> Change {
    Change::Delete {
        table,
        key: key.to_vec(),
    }
}

fn fresh(opener: Opener) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = opener(dir.path(), Open::Create).unwrap();
    (dir, store)
}

/// What the engine holds under the checksums.
fn raw(store: &Store, table: Table, key: &[u8]) -> Vec<u8> {
    store
        .with("reading", |engine| engine.get(table, key))
        .unwrap()
        .unwrap()
}

/// Writes past the checksums, as damage does.
fn put_raw(store: &mut Store, table: Table, key: &[u8], bytes: &[u8]) {
    store
        .with("writing", |engine| engine.commit(&[put(table, key, bytes)]))
        .unwrap();
}

fn keys(rows: &Rows) -> Vec<&[u8]> {
    rows.iter().map(|(key, _)| key.as_slice()).collect()
}

fn what_was_put_is_read_after_reopening(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    for n in 0..100u8 {
        store
            .commit(&[
                put(Table::Log, &[n], &[n; 100]),
                put(Table::Meta, b"last", &[n]),
            ])
            .unwrap();
    }
    for _ in 0..3 {
        drop(store);
        store = opener(dir.path(), Open::Existing).unwrap();
        for n in 0..100u8 {
            assert_eq!(store.get(Table::Log, &[n]).unwrap(), Some(vec![n; 100]));
        }
        assert_eq!(store.get(Table::Meta, b"last").unwrap(), Some(vec![99]));
        assert_eq!(store.get(Table::Meta, b"none").unwrap(), None);
        assert_eq!(
            store.get(Table::Vault, &[1]).unwrap(),
            None,
            "tables are apart"
        );
    }
}

fn a_batch_applies_in_order_and_across_tables(opener: Opener) {
    let (_dir, mut store) = fresh(opener);
    store
        .commit(&[
            put(Table::Meta, b"a", b"first"),
            put(Table::Vault, b"a", b"other table"),
            put(Table::Meta, b"a", b"second"),
            put(Table::Meta, b"b", b"gone"),
            delete(Table::Meta, b"b"),
            delete(Table::Meta, b"c"),
            put(Table::Meta, b"c", b"back"),
            delete(Table::Rows, b"was never there"),
        ])
        .unwrap();
    store.commit(&[]).unwrap();
    assert_eq!(
        store.get(Table::Meta, b"a").unwrap().as_deref(),
        Some(&b"second"[..])
    );
    assert_eq!(store.get(Table::Meta, b"b").unwrap(), None);
    assert_eq!(
        store.get(Table::Meta, b"c").unwrap().as_deref(),
        Some(&b"back"[..])
    );
    assert_eq!(
        store.get(Table::Vault, b"a").unwrap().as_deref(),
        Some(&b"other table"[..])
    );
}

fn scans_are_ordered_and_bounded(opener: Opener) {
    let (_dir, mut store) = fresh(opener);
    // Unordered on purpose, with keys that are prefixes of each other, the empty key and 0xff.
    let all: [&[u8]; 9] = [
        b"b",
        b"",
        b"ab",
        b"a",
        b"a\xff",
        b"a\xff\xff",
        b"aa",
        b"\xff",
        b"a\0",
    ];
    let batch: Vec<Change> = all.iter().map(|key| put(Table::Log, key, key)).collect();
    store.commit(&batch).unwrap();
    store
        .commit(&[put(Table::Rows, b"ac", b"another table")])
        .unwrap();

    let scan = |prefix: &[u8], after: Option<&[u8]>, limit| {
        store.scan(Table::Log, prefix, after, limit).unwrap()
    };
    let mut sorted = all;
    sorted.sort_unstable();
    assert_eq!(keys(&scan(b"", None, 100)), sorted);
    assert!(scan(b"", None, 100).iter().all(|(key, value)| key == value));
    let under_a: [&[u8]; 6] = [b"a", b"a\0", b"aa", b"ab", b"a\xff", b"a\xff\xff"];
    assert_eq!(keys(&scan(b"a", None, 100)), under_a);
    assert_eq!(keys(&scan(b"a", None, 2)), under_a[..2]);
    assert_eq!(keys(&scan(b"a", Some(b"a"), 100)), under_a[1..]);
    assert_eq!(
        keys(&scan(b"a", Some(b"aab"), 100)),
        under_a[3..],
        "after need not be there"
    );
    assert_eq!(
        keys(&scan(b"a", Some(b""), 100)),
        under_a,
        "after before the prefix"
    );
    assert_eq!(
        keys(&scan(b"a", Some(b"b"), 100)),
        [b""; 0],
        "after behind the prefix"
    );
    assert_eq!(keys(&scan(b"a", Some(b"a\xff\xff"), 100)), [b""; 0]);
    assert_eq!(keys(&scan(b"", Some(b""), 100)), sorted[1..]);
    assert_eq!(keys(&scan(b"c", None, 100)), [b""; 0]);
    assert_eq!(keys(&scan(b"", None, 0)), [b""; 0]);
    assert_eq!(
        keys(&store.scan(Table::Vault, b"", None, 100).unwrap()),
        [b""; 0]
    );
}

fn deleted_rows_stay_away(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    let rows: Vec<Change> = (0..200u8)
        .map(|n| put(Table::Vault, &[n], &[n; 300]))
        .collect();
    store.commit(&rows).unwrap();
    let odd: Vec<Change> = (0..200u8)
        .filter(|n| n % 2 == 1)
        .map(|n| delete(Table::Vault, &[n]))
        .collect();
    store.commit(&odd).unwrap();
    drop(store);
    let store = opener(dir.path(), Open::Existing).unwrap();
    for n in 0..200u8 {
        let there = store.get(Table::Vault, &[n]).unwrap().is_some();
        assert_eq!(there, n % 2 == 0, "row {n}");
    }
    assert_eq!(
        store.scan(Table::Vault, b"", None, 1000).unwrap().len(),
        100
    );
}

fn empty_and_large_values(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    let large: Vec<u8> = (0..1_048_576u32)
        .map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1])
        .collect();
    let long_key = vec![7; MAX_KEY_BYTES];
    store
        .commit(&[
            put(Table::Meta, b"empty", b""),
            put(Table::Meta, b"large", &large),
            put(Table::Meta, &long_key, b"long key"),
        ])
        .unwrap();
    // Overwritten by a small one and by another large one.
    store
        .commit(&[
            put(Table::Rows, b"shrinks", &large),
            put(Table::Rows, b"turns", &large),
        ])
        .unwrap();
    let turned: Vec<u8> = large.iter().rev().copied().collect();
    store
        .commit(&[
            put(Table::Rows, b"shrinks", b"1"),
            put(Table::Rows, b"turns", &turned),
        ])
        .unwrap();
    drop(store);
    let store = opener(dir.path(), Open::Existing).unwrap();
    assert_eq!(store.get(Table::Meta, b"empty").unwrap(), Some(Vec::new()));
    assert!(store.get(Table::Meta, b"large").unwrap() == Some(large));
    assert_eq!(
        store.get(Table::Meta, &long_key).unwrap().as_deref(),
        Some(&b"long key"[..])
    );
    assert_eq!(
        store.get(Table::Rows, b"shrinks").unwrap().as_deref(),
        Some(&b"1"[..])
    );
    assert!(store.get(Table::Rows, b"turns").unwrap() == Some(turned));
}

fn many_large_values_in_one_batch(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    let batch: Vec<Change> = (0..60u8)
        .map(|n| put(Table::Log, &[n], &vec![n; 100_000]))
        .collect();
    store.commit(&batch).unwrap();
    drop(store);
    let store = opener(dir.path(), Open::Existing).unwrap();
    let rows = store.scan(Table::Log, b"", None, 100).unwrap();
    assert_eq!(rows.len(), 60);
    assert!(
        rows.iter()
            .zip(0..)
            .all(|((key, value), n)| *key == [n] && *value == vec![n; 100_000])
    );
}

fn over_the_limits_is_refused_and_changes_nothing(opener: Opener) {
    let (_dir, mut store) = fresh(opener);
    let good = put(Table::Meta, b"good", b"1");
    let long = put(Table::Meta, &vec![1; MAX_KEY_BYTES + 1], b"");
    let refused = store.commit(&[good.clone(), long]).unwrap_err();
    assert!(
        matches!(refused, StoreError::KeyTooLong { table: "meta", .. }),
        "{refused}"
    );
    let big = put(Table::Meta, b"big", &vec![0; MAX_VALUE_BYTES + 1]);
    let refused = store.commit(&[good.clone(), big]).unwrap_err();
    assert!(
        matches!(refused, StoreError::ValueTooLong { table: "meta", .. }),
        "{refused}"
    );
    assert_eq!(store.get(Table::Meta, b"good").unwrap(), None);
    store.commit(&[good]).unwrap();
}

fn a_flipped_byte_is_an_error_that_names_the_row(opener: Opener) {
    let (_dir, mut store) = fresh(opener);
    let value = b"01632 960001";
    store
        .commit(&[
            put(Table::Vault, b"\x0f\xa0", value),
            put(Table::Vault, b"z", b"fine"),
        ])
        .unwrap();
    let sealed = raw(&store, Table::Vault, b"\x0f\xa0");
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1 << (at % 8);
        put_raw(&mut store, Table::Vault, b"\x0f\xa0", &flipped);
        let refused = store.get(Table::Vault, b"\x0f\xa0").unwrap_err();
        let StoreError::BadChecksum { table, key } = &refused else {
            panic!("{refused}")
        };
        assert_eq!((*table, key.as_str()), ("vault", "0fa0"));
        assert!(
            !refused.to_string().contains("960001"),
            "an error never shows a value"
        );
        let scanned = store.scan(Table::Vault, b"", None, 10).unwrap_err();
        assert!(
            matches!(scanned, StoreError::BadChecksum { .. }),
            "{scanned}"
        );
    }
    for length in 0..sealed.len() {
        put_raw(&mut store, Table::Vault, b"\x0f\xa0", &sealed[..length]);
        assert!(
            store.get(Table::Vault, b"\x0f\xa0").is_err(),
            "cut to {length} bytes"
        );
    }
    // The rest can still be read, and writing the row again heals it.
    assert_eq!(
        store.get(Table::Vault, b"z").unwrap().as_deref(),
        Some(&b"fine"[..])
    );
    store
        .commit(&[put(Table::Vault, b"\x0f\xa0", value)])
        .unwrap();
    assert_eq!(
        store.get(Table::Vault, b"\x0f\xa0").unwrap().as_deref(),
        Some(&value[..])
    );
}

fn a_value_under_another_key_or_table_is_refused(opener: Opener) {
    let (_dir, mut store) = fresh(opener);
    store.commit(&[put(Table::Log, b"ab", b"c")]).unwrap();
    let sealed = raw(&store, Table::Log, b"ab");
    put_raw(&mut store, Table::Log, b"ac", &sealed);
    put_raw(&mut store, Table::Vault, b"ab", &sealed);
    // The same bytes with the boundary between key and value moved.
    put_raw(
        &mut store,
        Table::Log,
        b"a",
        &[b"b", sealed.as_slice()].concat(),
    );
    assert!(store.get(Table::Log, b"ac").is_err());
    assert!(store.get(Table::Vault, b"ab").is_err());
    assert!(store.get(Table::Log, b"a").is_err());
    assert_eq!(
        store.get(Table::Log, b"ab").unwrap().as_deref(),
        Some(&b"c"[..])
    );
}

fn reclaiming_keeps_every_row(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    for n in 0..40u8 {
        store
            .commit(&[put(Table::Log, &[n], &vec![n; 50_000])])
            .unwrap();
    }
    let batch: Vec<Change> = (4..40u8).map(|n| delete(Table::Log, &[n])).collect();
    store.commit(&batch).unwrap();
    store.reclaim().unwrap();
    if store.path().is_file() {
        let size = fs::metadata(store.path()).unwrap().len();
        assert!(
            size < 1_000_000,
            "2 MB were deleted and {size} bytes remain"
        );
    }
    store.commit(&[put(Table::Log, &[200], b"after")]).unwrap();
    drop(store);
    let store = opener(dir.path(), Open::Existing).unwrap();
    let rows = store.scan(Table::Log, b"", None, 100).unwrap();
    assert_eq!(keys(&rows), [&[0u8][..], &[1], &[2], &[3], &[200]]);
}

#[test]
fn names_in_configuration_and_on_disk_never_change() {
    let names: Vec<&str> = Table::ALL.iter().map(|table| table.as_str()).collect();
    assert_eq!(
        names,
        [
            "store",
            "meta",
            "log",
            "statements",
            "vault",
            "rows",
            "snapshots",
            "events",
        ]
    );
    for kind in [EngineKind::Redb, EngineKind::Sled] {
        let text = format!("\"{}\"", kind.as_str());
        assert_eq!(serde_json::to_string(&kind).unwrap(), text);
        assert_eq!(serde_json::from_str::<EngineKind>(&text).unwrap(), kind);
    }
}
