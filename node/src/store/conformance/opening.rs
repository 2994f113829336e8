//! Opening and creating: a store is made once, and never by opening it.

use std::fs;
use std::path::Path;

use super::{Opener, delete, fresh, put};
use crate::store::{EngineKind, Open, StoreError, Table, open};

every_engine!(
    opening_what_is_not_there_creates_nothing,
    creating_twice_is_refused,
    a_half_made_store_is_made_again,
    a_store_is_open_once,
    a_store_opens_again_as_soon_as_it_is_closed,
    an_emptied_store_is_not_taken_for_a_new_one,
    another_format_is_refused,
    only_this_user_may_read_it,
);

fn opening_what_is_not_there_creates_nothing(opener: Opener) {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("data");
    for path in [dir.path(), missing.as_path()] {
        let refused = opener(path, Open::Existing).err().unwrap();
        assert!(matches!(refused, StoreError::Missing { .. }), "{refused}");
        let text = refused.to_string();
        assert!(
            text.contains(path.to_str().unwrap()) && text.contains("smp-node init"),
            "{text}"
        );
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            0,
            "something was created"
        );
    }
}

fn creating_twice_is_refused(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    store.commit(&[put(Table::Meta, b"a", b"1")]).unwrap();
    drop(store);
    let refused = opener(dir.path(), Open::Create).err().unwrap();
    assert!(
        matches!(refused, StoreError::AlreadyThere { .. }),
        "{refused}"
    );
    let store = opener(dir.path(), Open::Existing).unwrap();
    assert_eq!(
        store.get(Table::Meta, b"a").unwrap().as_deref(),
        Some(&b"1"[..])
    );
}

/// An engine may have threads of its own that hold the file a moment longer than its handle.
fn a_store_opens_again_as_soon_as_it_is_closed(opener: Opener) {
    let (dir, mut store) = fresh(opener);
    for round in 0..60u8 {
        if round.is_multiple_of(3) {
            let large = vec![round; 150_000];
            store.commit(&[put(Table::Log, b"a", &large)]).unwrap();
        }
        drop(store);
        store = opener(dir.path(), Open::Existing)
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
}

/// The entries of a directory, sorted.
fn listing(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn a_half_made_store_is_made_again(opener: Opener) {
    let (dir, store) = fresh(opener);
    let name = listing(dir.path());
    drop(store);
    // What a power cut during `Create` leaves: everything but the last step.
    fs::rename(
        dir.path().join(&name[0]),
        dir.path().join(format!("{}.new", name[0])),
    )
    .unwrap();
    let refused = opener(dir.path(), Open::Existing).err().unwrap();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused}");
    drop(opener(dir.path(), Open::Create).unwrap());
    assert_eq!(listing(dir.path()), name);
}

fn a_store_is_open_once(opener: Opener) {
    let (dir, store) = fresh(opener);
    let refused = opener(dir.path(), Open::Existing).err().unwrap();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    drop(store);
    opener(dir.path(), Open::Existing).unwrap();
}

fn an_emptied_store_is_not_taken_for_a_new_one(opener: Opener) {
    let (dir, store) = fresh(opener);
    let path = store.path().to_path_buf();
    drop(store);
    if path.is_dir() {
        for entry in fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::write(entry.path(), b"").unwrap();
            }
        }
    } else {
        fs::write(&path, b"").unwrap();
    }
    let refused = opener(dir.path(), Open::Existing).err().unwrap();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(
        refused.to_string().contains(path.to_str().unwrap()),
        "{refused}"
    );
}

fn another_format_is_refused(opener: Opener) {
    for change in [
        put(Table::Store, b"format", b"smp-sync store 2"),
        delete(Table::Store, b"format"),
    ] {
        let (dir, mut store) = fresh(opener);
        store.commit(&[change]).unwrap();
        drop(store);
        let refused = opener(dir.path(), Open::Existing).err().unwrap();
        assert!(
            matches!(
                refused,
                StoreError::Damaged { .. } | StoreError::UnknownFormat { .. }
            ),
            "{refused}"
        );
    }
}

fn only_this_user_may_read_it(opener: Opener) {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    let store = opener(&dir, Open::Create).unwrap();
    for path in [dir.as_path(), store.path()] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn a_store_of_another_engine_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("store.sled")).unwrap();
    let refused = open(EngineKind::Redb, dir.path(), Open::Existing)
        .err()
        .unwrap();
    assert!(
        matches!(refused, StoreError::OtherEngine { found: "sled", .. }),
        "{refused}"
    );
    let refused = open(EngineKind::Redb, dir.path(), Open::Create)
        .err()
        .unwrap();
    assert!(
        matches!(refused, StoreError::AlreadyThere { .. }),
        "{refused}"
    );
    assert_eq!(listing(dir.path()), ["store.sled"]);
}

#[cfg(not(feature = "sled"))]
#[test]
fn an_engine_that_is_not_built_in_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [Open::Create, Open::Existing] {
        let refused = open(EngineKind::Sled, dir.path(), mode).err().unwrap();
        assert!(
            matches!(refused, StoreError::NotBuiltIn { engine: "sled" }),
            "{refused}"
        );
    }
    assert_eq!(listing(dir.path()), [""; 0]);
}
