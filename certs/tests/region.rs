//! The region directory: made whole, opened, unlocked, changed, and damaged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use std::fs;

use common::{DAY, GATESHEAD, Home, NEWCASTLE, NOW, code, passphrase};
use smp_certs::{
    NodeKeys, Passphrase, Region, RegionError, WorkFactor, roster_from_text, roster_to_text,
};
use smp_protocol::ids::DocumentKind;
use tempfile::TempDir;

fn init(dir: &std::path::Path, passphrase: &Passphrase) -> Result<(), RegionError> {
    let name = "north-east".parse().unwrap();
    Region::init(dir, name, "North East", passphrase, WorkFactor::NONE, NOW).map(|_| ())
}

#[test]
fn a_region_opens_without_its_passphrase() {
    let home = Home::new("north-east");
    let region = Region::open(&home.path()).unwrap();
    assert_eq!(region.name().as_str(), "north-east");
    assert_eq!(region.title(), "North East Migration Partnership");
    assert_eq!(region.roster().version, 1);
    assert!(region.roster().members.is_empty());
    assert_eq!(region.ca(), home.unlocked.region().ca());
    for file in [
        "authority.age",
        "ca.pem",
        "region.toml",
        "rosters/000001.roster",
    ] {
        assert!(home.path().join(file).is_file(), "{file}");
    }
    assert!(!home.dir.path().join("region.partial").exists());
    let sealed = fs::read_to_string(home.path().join("authority.age")).unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
}

#[test]
fn init_wants_an_empty_place_and_a_long_passphrase() {
    let dir = TempDir::new().unwrap();
    let place = dir.path().join("region");
    let error = init(&place, &Passphrase::new("eleven char")).unwrap_err();
    assert!(matches!(error, RegionError::ShortPassphrase));
    assert!(error.to_string().contains("12"), "{error}");
    assert!(!place.exists());

    fs::create_dir(&place).unwrap();
    init(&place, &passphrase()).unwrap();
    let before = fs::read(place.join("authority.age")).unwrap();
    let error = init(&place, &passphrase()).unwrap_err();
    assert!(matches!(error, RegionError::NotEmpty { .. }), "{error}");
    assert_eq!(fs::read(place.join("authority.age")).unwrap(), before);

    let other = dir.path().join("other");
    fs::create_dir(dir.path().join("other.partial")).unwrap();
    let error = init(&other, &passphrase()).unwrap_err();
    assert!(error.to_string().contains("other.partial"), "{error}");
    assert!(matches!(
        Region::open(&other),
        Err(RegionError::Missing { .. })
    ));
}

#[test]
fn a_wrong_passphrase_is_said_to_be_wrong() {
    let home = Home::new("north-east");
    let path = home.path();
    drop(home.unlocked);
    let region = Region::open(&path).unwrap();
    let wrong = Passphrase::new("correct horse batterz");
    let error = region.unlock(&wrong).unwrap_err().to_string();
    assert!(error.contains("authority.age") && error.contains("passphrase"));
    // The right one, with the line end that a file of it has.
    region
        .unlock(&Passphrase::new("correct horse battery\r\n"))
        .unwrap();
}

#[test]
fn one_command_at_a_time_changes_a_region() {
    let mut home = Home::new("north-east");
    let region = Region::open(&home.path()).unwrap();
    let error = region.unlock(&passphrase()).unwrap_err();
    assert!(matches!(error, RegionError::Busy { .. }), "{error}");
    home.enrol(&NodeKeys::generate().unwrap(), NEWCASTLE);
    drop(home.unlocked);
    // Opened before that change, unlocked after it: goes on from the newest roster.
    let mut unlocked = region.unlock(&passphrase()).unwrap();
    assert_eq!(unlocked.renew(NOW).unwrap().version, 3);
}

#[test]
fn every_version_is_kept_and_names_the_one_before() {
    let mut home = Home::new("north-east");
    home.enrol(&NodeKeys::generate().unwrap(), NEWCASTLE);
    let later = NOW.plus(300 * DAY);
    let renewed = home.unlocked.renew(later).unwrap();
    let mut previous = None;
    for version in 1..=3 {
        let path = home.path().join(format!("rosters/{version:06}.roster"));
        let signed = roster_from_text(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(roster_from_text(&roster_to_text(&signed)).unwrap(), signed);
        let region = home.unlocked.region();
        let roster = signed.verify(region.name(), &region.authority()).unwrap();
        assert_eq!(roster.version, version);
        if let Some(previous) = previous {
            assert_eq!(roster.previous, previous);
        }
        previous = Some(roster.hash());
    }
    assert_eq!(renewed.issued, later);
    assert!(!renewed.is_expired(later.plus(395 * DAY)));
    assert!(renewed.is_expired(later.plus(396 * DAY)));
    assert_eq!(Region::open(&home.path()).unwrap().roster().version, 3);
}

#[test]
fn a_command_that_was_cut_off_is_not_in_the_way() {
    let mut home = Home::new("north-east");
    let partial = home.path().join("rosters/000002.roster.partial");
    fs::write(&partial, "half a ros").unwrap();
    assert_eq!(Region::open(&home.path()).unwrap().roster().version, 1);
    // Cut off after the roster was written and before the bundle was: the same again.
    let keys = NodeKeys::generate().unwrap();
    let request = home.request(&keys, NEWCASTLE);
    home.unlocked.enrol(&request, "N", NOW).unwrap();
    assert!(!partial.exists());
    let path = home.path();
    drop(home.unlocked);
    let mut unlocked = Region::open(&path).unwrap().unlock(&passphrase()).unwrap();
    let bundle = unlocked.enrol(&request, "N", NOW).unwrap();
    assert_eq!(bundle.verify(&keys, NOW).unwrap().version, 2);
}

#[test]
fn a_roster_under_another_versions_name_is_noticed() {
    let home = Home::new("north-east");
    let rosters = home.path().join("rosters");
    fs::copy(rosters.join("000001.roster"), rosters.join("000005.roster")).unwrap();
    let error = Region::open(&home.path()).unwrap_err();
    assert!(matches!(error, RegionError::Damaged { .. }));
    assert!(error.to_string().contains("000005.roster"), "{error}");
}

#[test]
fn a_clock_behind_the_roster_signs_nothing() {
    let mut home = Home::new("north-east");
    home.unlocked.renew(NOW).unwrap();
    let behind = smp_protocol::time::UnixSeconds(NOW.0 - 1);
    let error = home.unlocked.renew(behind).unwrap_err();
    assert!(matches!(error, RegionError::ClockBehind { .. }));
    assert!(error.to_string().contains("timedatectl"), "{error}");
    assert_eq!(home.unlocked.region().roster().version, 2);
}

#[test]
fn readers_are_proposed_for_registers_of_members_alone() {
    let mut home = Home::new("north-east");
    home.enrol(&NodeKeys::generate().unwrap(), NEWCASTLE);
    home.enrol(&NodeKeys::generate().unwrap(), GATESHEAD);
    let (owner, reader) = (code(NEWCASTLE), code(GATESHEAD));
    let register = DocumentKind::HostRegister.of(owner);
    let twice = [reader, reader];
    let roster = home
        .unlocked
        .propose_readers(register, &twice, NOW)
        .unwrap();
    assert_eq!(roster.named_readers(register), [reader]);
    let roster = home.unlocked.propose_readers(register, &[], NOW).unwrap();
    assert!(roster.readers.is_empty());

    let pool = DocumentKind::RematchingPool.of(owner);
    let stranger = code("E08000035");
    for (document, councils) in [
        (pool, [reader]),
        (register, [stranger]),
        (register, [owner]),
    ] {
        let error = home.unlocked.propose_readers(document, &councils, NOW);
        assert!(matches!(error, Err(RegionError::Roster(_))));
    }
    assert_eq!(Region::open(&home.path()).unwrap().roster().version, 5);
}

#[test]
fn a_damaged_file_is_named() {
    for file in [
        "authority.age",
        "ca.pem",
        "region.toml",
        "rosters/000001.roster",
    ] {
        let home = Home::new("north-east");
        let path = home.path();
        drop(home.unlocked);
        let text = fs::read_to_string(path.join(file)).unwrap();
        let half: String = text.chars().take(text.len() / 2).collect();
        fs::write(path.join(file), half).unwrap();
        let error = Region::open(&path)
            .and_then(|region| region.unlock(&passphrase()))
            .unwrap_err()
            .to_string();
        assert!(error.contains(file), "{file}: {error}");
        assert!(error.contains("backup"), "{file}: {error}");
    }
}

#[test]
fn files_of_another_region_are_noticed() {
    let (home, other) = (Home::new("north-east"), Home::new("north-east"));
    for file in ["authority.age", "ca.pem", "rosters/000001.roster"] {
        let dir = TempDir::new().unwrap();
        let place = dir.path().join("region");
        fs::create_dir_all(place.join("rosters")).unwrap();
        for name in [
            "authority.age",
            "ca.pem",
            "region.toml",
            "rosters/000001.roster",
        ] {
            let from = if name == file { &other } else { &home };
            fs::copy(from.path().join(name), place.join(name)).unwrap();
        }
        let result = Region::open(&place).and_then(|region| region.unlock(&passphrase()));
        assert!(
            matches!(result, Err(RegionError::Damaged { .. })),
            "{file}: {result:?}"
        );
    }
}
