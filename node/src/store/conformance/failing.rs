//! After an engine has failed, the store must not go on with it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::put;
use crate::store::{Change, Engine, Promises, Rows, Store, StoreError, Table};

/// Counts its calls and its end; fails as told.
struct Failing {
    calls: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Failing {
    fn fail<T>(&self) -> Result<T, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "an engine that panics");
        Err(StoreError::Io {
            doing: "writing",
            path: PathBuf::from("/nowhere/store"),
            source: std::io::ErrorKind::StorageFull.into(),
        })
    }
}

impl Engine for Failing {
    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.fail()
    }
    fn scan(&self, _: Table, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Rows, StoreError> {
        self.fail()
    }
    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        self.fail()
    }
    fn reclaim(&mut self) -> Result<(), StoreError> {
        self.fail()
    }
    fn promises(&self) -> Promises {
        Promises {
            kept: &[],
            not_kept: &[],
        }
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "an engine that panics when it is closed, too");
    }
}

type Call = fn(&mut Store) -> Result<(), StoreError>;

const CALLS: [Call; 4] = [
    |store| store.get(Table::Meta, b"a").map(drop),
    |store| store.scan(Table::Meta, b"a", None, 1).map(drop),
    |store| store.commit(&[put(Table::Meta, b"a", b"1")]),
    |store| store.reclaim(),
];

fn store_that_fails(panics: bool) -> (Store, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let dropped = Arc::new(AtomicUsize::new(0));
    let engine = Failing {
        calls: calls.clone(),
        dropped: dropped.clone(),
        panics,
    };
    (
        Store::new(PathBuf::from("/nowhere/store"), Box::new(engine)),
        calls,
        dropped,
    )
}

#[test]
fn after_any_failure_the_engine_is_dropped_and_never_called_again() {
    for panics in [false, true] {
        for first in CALLS {
            let (mut store, calls, dropped) = store_that_fails(panics);
            let failure = first(&mut store).unwrap_err();
            match panics {
                false => assert!(matches!(failure, StoreError::Io { .. }), "{failure}"),
                true => assert!(matches!(failure, StoreError::Panicked { .. }), "{failure}"),
            }
            assert!(failure.to_string().contains("/nowhere/store"), "{failure}");
            assert_eq!(
                dropped.load(Ordering::SeqCst),
                1,
                "the handle is dropped at once"
            );
            for then in CALLS {
                let refused = then(&mut store).unwrap_err();
                assert!(matches!(refused, StoreError::Dead { .. }), "{refused}");
            }
            drop(store);
            assert_eq!(calls.load(Ordering::SeqCst), 1);
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
        }
    }
}
