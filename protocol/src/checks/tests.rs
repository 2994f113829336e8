//! What a host's checks come to, and by when each should be done.

use super::*;
use crate::schema::{self, FieldType};

const COUNTY: &str = "E10000017";
const DISTRICT: &str = "E07000117";

fn day(month: i8, day: i8) -> Day {
    Day::from_ymd(2026, month, day).unwrap()
}

fn id(kind: RecordKind, number: u8) -> RecordId {
    RecordId::new(kind, [number; 15])
}

fn check(number: u8, by: &str, kind: Kind, status: Status) -> Check {
    Check {
        id: id(RecordKind::Check, number),
        council: by.parse().unwrap(),
        host: id(RecordKind::Host, 1),
        kind,
        status,
        is_in_conflict: false,
        is_enhanced: true,
        started_on: Some(day(3, 2)),
        due_on: None,
        done_on: (!status.is_open()).then(|| day(3, 4)),
        valid_until: None,
    }
}

/// All that a host needs, passed.
fn passed() -> Vec<Check> {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| kind.is_before_arrival());
    let by = |kind: Kind| match kind.done_by() {
        "district" => DISTRICT,
        _ => COUNTY,
    };
    let numbered = kinds.zip(1..);
    numbered
        .map(|(kind, number)| check(number, by(kind), kind, Status::Passed))
        .collect()
}

fn lacking(checks: &[Check]) -> Vec<Lack> {
    let checks: Vec<&Check> = checks.iter().collect();
    lacks(&checks, day(6, 1))
}

#[test]
fn kinds_and_statuses_are_the_codes_of_the_schema() {
    let codes = |name| match schema::field_named(schema::newest(), RecordKind::Check, name)
        .unwrap()
        .accepts
    {
        FieldType::Code(codes) => codes,
        _ => panic!("{name} is no code"),
    };
    assert_eq!(Kind::ALL.map(Kind::as_str).as_slice(), codes("check"));
    assert_eq!(Status::ALL.map(Status::as_str).as_slice(), codes("status"));
}

#[test]
fn a_host_is_ready_when_all_that_applies_has_passed_and_not_before() {
    let all = passed();
    assert_eq!(lacking(&all), []);
    for left_out in 0..all.len() {
        let mut some = all.clone();
        let gone = some.remove(left_out);
        assert_eq!(lacking(&some), [Lack::NotRecorded(gone.kind)]);
        for status in [Status::NotStarted, Status::InProgress, Status::NotAvailable] {
            let mut open = all.clone();
            open[left_out].status = status;
            assert_eq!(lacking(&open), [Lack::Open(gone.kind)]);
            assert_eq!(Readiness::of(&lacking(&open)), Readiness::Checking);
        }
        let mut one = all.clone();
        one[left_out].status = Status::Failed;
        assert_eq!(lacking(&one), [Lack::Failed(gone.kind)]);
        assert_eq!(Readiness::of(&lacking(&one)), Readiness::Blocked);
        one[left_out].status = Status::NoLongerNeeded;
        assert_eq!(lacking(&one), []);
    }
}

#[test]
fn an_outcome_counts_to_its_last_day() {
    let mut all = passed();
    all[2].valid_until = Some(day(6, 1));
    assert_eq!(lacking(&all), []);
    all[2].valid_until = Some(day(5, 31));
    let ran_out = Lack::RanOut(Kind::AccommodationExists, day(5, 31));
    assert_eq!(lacking(&all), [ran_out]);
    assert_eq!(Readiness::of(&lacking(&all)), Readiness::Blocked);
}

#[test]
fn a_basic_dbs_check_is_enough_only_from_before_may_2023() {
    let mut all = passed();
    all[1].is_enhanced = false;
    assert_eq!(lacking(&all), [Lack::NotEnhanced]);
    all[1].done_on = Day::from_ymd(2023, 4, 30);
    assert_eq!(lacking(&all), []);
    all[1].done_on = Day::from_ymd(2023, 5, 1);
    assert_eq!(lacking(&all), [Lack::NotEnhanced]);
}

#[test]
fn councils_that_differ_are_a_conflict_and_the_host_not_ready() {
    let mut all = passed();
    all.push(check(
        40,
        COUNTY,
        Kind::AccommodationSuitable,
        Status::Failed,
    ));
    let councils = [DISTRICT, COUNTY]
        .map(|code| code.parse().unwrap())
        .to_vec();
    let said = lacking(&all);
    assert_eq!(said[0], Lack::Differ(Kind::AccommodationSuitable, councils));
    // It failed as well: until it is settled nobody is placed there.
    assert_eq!(Readiness::of(&said), Readiness::Blocked);
    // One that has not come to an outcome differs from nobody, and is not done.
    all.last_mut().unwrap().status = Status::InProgress;
    assert_eq!(lacking(&all), [Lack::Open(Kind::AccommodationSuitable)]);
}

#[test]
fn of_a_council_the_newest_counts_and_of_dbs_every_one() {
    let mut all = passed();
    let mut older = check(41, COUNTY, Kind::AccommodationExists, Status::Failed);
    older.done_on = Some(day(2, 1));
    older.started_on = Some(day(2, 1));
    all.push(older);
    assert_eq!(lacking(&all), []);
    let mut second_adult = check(42, COUNTY, Kind::Dbs, Status::Failed);
    second_adult.done_on = Some(day(2, 1));
    all.push(second_adult);
    assert_eq!(lacking(&all), [Lack::Failed(Kind::Dbs)]);
}

#[test]
fn a_check_that_failed_counts_until_a_newer_one_has_an_outcome() {
    let kind = Kind::AccommodationExists;
    let mut all = passed();
    all[2].status = Status::Failed;
    let mut again = check(43, COUNTY, kind, Status::InProgress);
    again.started_on = Some(day(3, 20));
    all.push(again);
    assert_eq!(lacking(&all), [Lack::Failed(kind), Lack::Open(kind)]);
    let last = all.last_mut().unwrap();
    (last.status, last.done_on) = (Status::Passed, Some(day(3, 21)));
    assert_eq!(lacking(&all), []);
    // The same of one that ran out.
    all[2].status = Status::Passed;
    all[2].valid_until = Some(day(5, 31));
    all.last_mut().unwrap().status = Status::InProgress;
    let said = lacking(&all);
    assert_eq!(said, [Lack::RanOut(kind, day(5, 31)), Lack::Open(kind)]);
}

#[test]
fn the_five_clocks_of_lancashire() {
    let targets = Targets::default();
    let due = |kind| targets.due(kind, day(3, 2));
    assert_eq!(due(Kind::SponsorContact), Some(day(3, 4)));
    assert_eq!(due(Kind::AccommodationExists), Some(day(3, 9)));
    assert_eq!(due(Kind::AccommodationSuitable), Some(day(3, 12)));
    assert_eq!(due(Kind::SafeguardingPriority), Some(day(3, 3)));
    assert_eq!(due(Kind::SafeguardingAssessment), Some(day(3, 9)));
    assert_eq!(due(Kind::Dbs), None);
    let mut check = check(1, COUNTY, Kind::SponsorContact, Status::InProgress);
    check.due_on = Some(day(3, 4));
    let standing = |today| check.standing(today);
    assert_eq!(standing(day(3, 2)), Standing::Due { in_days: 2 });
    assert_eq!(standing(day(3, 5)), Standing::Due { in_days: -1 });
}
