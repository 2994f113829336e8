//! A store behaves like a map of maps, whatever is done to it and however often it is reopened.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Opener;
use crate::store::{Change, EngineKind, Open, Rows, Table, open};

type Model = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Tables that a caller may write to.
const TABLES: [Table; 3] = [Table::Meta, Table::Log, Table::Vault];

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Scan {
        table: Table,
        prefix: Vec<u8>,
        after: Option<Vec<u8>>,
        limit: usize,
    },
    Reopen,
    Reclaim,
}

fn table() -> impl Strategy<Value = Table> {
    proptest::sample::select(&TABLES[..])
}

/// Few different bytes and short keys, so that steps meet the same rows.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(proptest::sample::select(&[0u8, 1, 0x61, 0xff][..]), 0..4)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(any::<u8>(), 0..64),
        1 => (any::<u8>(), 5_000..200_000usize).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (table(), key(), value()).prop_map(|(table, key, value)| Change::Put { table, key, value }),
        1 => (table(), key()).prop_map(|(table, key)| Change::Delete { table, key }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(change(), 0..12).prop_map(Step::Commit),
        4 => (table(), key(), proptest::option::of(key()), 0..20usize)
            .prop_map(|(table, prefix, after, limit)| Step::Scan { table, prefix, after, limit }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Reclaim),
    ]
}

fn apply(model: &mut Model, batch: &[Change]) {
    for change in batch.iter().cloned() {
        match change {
            Change::Put { table, key, value } => model.insert((table, key), value),
            Change::Delete { table, key } => model.remove(&(table, key)),
        };
    }
}

fn scan(model: &Model, table: Table, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Rows {
    model
        .range((Bound::Included((table, Vec::new())), Bound::Unbounded))
        .filter(|((of, key), _)| *of == table && key.starts_with(prefix))
        .filter(|((_, key), _)| after.is_none_or(|after| key.as_slice() > after))
        .take(limit)
        .map(|((_, key), value)| (key.clone(), value.clone()))
        .collect()
}

every_engine!(behaves_like_a_map);

fn behaves_like_a_map(opener: Opener) {
    // Each case makes, fills and reopens real files, so a few dozen are what a test can afford.
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&vec(step(), 1..30), |steps| {
        let dir = tempfile::tempdir().unwrap();
        let mut store = opener(dir.path(), Open::Create).unwrap();
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Commit(batch) => {
                    store.commit(&batch).unwrap();
                    apply(&mut model, &batch);
                }
                Step::Scan {
                    table,
                    prefix,
                    after,
                    limit,
                } => {
                    let found = store.scan(table, &prefix, after.as_deref(), limit).unwrap();
                    let expected = scan(&model, table, &prefix, after.as_deref(), limit);
                    prop_assert!(
                        found == expected,
                        "scan {table:?} {prefix:?} {after:?} {limit}"
                    );
                }
                Step::Reopen => {
                    drop(store);
                    store = opener(dir.path(), Open::Existing).unwrap();
                }
                Step::Reclaim => store.reclaim().unwrap(),
            }
        }
        drop(store);
        let store = opener(dir.path(), Open::Existing).unwrap();
        for table in TABLES {
            let found = store.scan(table, b"", None, usize::MAX).unwrap();
            prop_assert!(
                found == scan(&model, table, b"", None, usize::MAX),
                "{table:?} at the end"
            );
            for (key, value) in &found {
                let got = store.get(table, key).unwrap();
                prop_assert!(got.as_ref() == Some(value), "{table:?} {key:?}");
            }
        }
        Ok(())
    });
    run.unwrap();
}
