//! A node's keys on disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use smp_certs::{KeyError, NodeKeys};
use tempfile::TempDir;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_read_back_and_only_their_owner_may_read_them() {
    let dir = TempDir::new().unwrap();
    let keys_dir = dir.path().join("keys");
    let keys = NodeKeys::generate().unwrap();
    keys.save(&keys_dir).unwrap();
    let read = NodeKeys::load(&keys_dir).unwrap();
    assert_eq!(read.node_id(), keys.node_id());
    assert_eq!(read.tls_key(), keys.tls_key());
    assert_eq!(read.sealing(), keys.sealing());
    assert_eq!(read.signing().public(), keys.signing().public());
    assert_eq!(mode(&keys_dir), 0o700);
    assert_eq!(mode(&keys_dir.join("node.key")), 0o600);
    let names: Vec<_> = fs::read_dir(&keys_dir).unwrap().collect();
    assert_eq!(names.len(), 1, "a temporary file was left");
}

#[test]
fn two_nodes_have_no_key_in_common() {
    let (a, b) = (NodeKeys::generate().unwrap(), NodeKeys::generate().unwrap());
    assert_ne!(a.node_id(), b.node_id());
    assert_ne!(a.tls_key(), b.tls_key());
    assert_ne!(a.sealing(), b.sealing());
}

#[test]
fn existing_keys_are_never_replaced() {
    let dir = TempDir::new().unwrap();
    NodeKeys::generate().unwrap().save(dir.path()).unwrap();
    let before = fs::read(dir.path().join("node.key")).unwrap();
    let error = NodeKeys::generate().unwrap().save(dir.path()).unwrap_err();
    assert!(matches!(error, KeyError::Exists { .. }));
    assert!(error.to_string().contains("smp-node run"), "{error}");
    assert_eq!(fs::read(dir.path().join("node.key")).unwrap(), before);
}

#[test]
fn a_write_that_was_cut_off_is_not_in_the_way() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("node.key.partial"), "half").unwrap();
    assert!(matches!(
        NodeKeys::load(dir.path()),
        Err(KeyError::Missing { .. })
    ));
    NodeKeys::generate().unwrap().save(dir.path()).unwrap();
    NodeKeys::load(dir.path()).unwrap();
}

#[test]
fn keys_that_others_may_read_are_refused_with_the_remedy() {
    let dir = TempDir::new().unwrap();
    NodeKeys::generate().unwrap().save(dir.path()).unwrap();
    let path = dir.path().join("node.key");
    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let error = NodeKeys::load(dir.path()).unwrap_err();
        let remedy = format!("chmod 600 {}", path.display());
        assert!(error.to_string().contains(&remedy), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    NodeKeys::load(dir.path()).unwrap();
}

#[test]
fn missing_and_damaged_keys_are_named() {
    let dir = TempDir::new().unwrap();
    let error = NodeKeys::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("node.key") && error.contains("smp-node init"));
    NodeKeys::generate().unwrap().save(dir.path()).unwrap();
    let path = dir.path().join("node.key");
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [
        String::new(),
        text.replace("Digest: ", "Digest: 0"),
        text.lines().take(5).collect::<Vec<_>>().join("\n"),
    ] {
        fs::write(&path, damaged).unwrap();
        let error = NodeKeys::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("node.key"), "{error}");
        assert!(error.contains("backup"), "{error}");
    }
}

#[test]
fn nothing_private_is_printed() {
    let keys = NodeKeys::generate().unwrap();
    assert_eq!(
        format!("{keys:?}"),
        format!("NodeKeys({})", keys.node_id().short())
    );
    assert_eq!(format!("{:?}", common::passphrase()), "Passphrase");
}
