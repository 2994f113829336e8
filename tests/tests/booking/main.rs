//! The booking rules in a model checker: every order of what councils do and of what they hear,
//! with disks that are put back to an old copy and councils that are gone for good.
//!
//! Decisions are the product's own ([`Book`](smp_protocol::casework::Book)); here are only the
//! world between the councils and what must hold in it (docs/BOOKING.md). Each rule that is left
//! out has to be noticed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails where it does, and says what it found"
)]

mod properties;
mod region;
mod world;

use std::time::Instant;

use region::{Broken, Region};
use stateright::{Checker, HasDiscoveries, Model};

/// Two guest councils, and one place that both want.
fn race() -> Region {
    Region {
        councils: 3,
        requests: vec![0, 1],
        places: vec![2],
        holds: 2,
        proposals: 1,
        restored: vec![],
        lost: None,
        broken: None,
    }
}

/// One household, and two councils that each have a place.
fn choice() -> Region {
    Region {
        requests: vec![0],
        places: vec![1, 2],
        ..race()
    }
}

/// All states within the bounds, and none in which something does not hold.
fn holds_everywhere(name: &str, region: Region) {
    let begun = Instant::now();
    let checker = region.checker().threads(2).spawn_bfs().join();
    let states = checker.unique_state_count();
    let seconds = begun.elapsed().as_secs_f32();
    eprintln!("{name}: {states} states, {seconds:.1} s");
    checker.assert_properties();
    assert!(checker.is_done(), "{name}: every state was looked at");
}

/// The checker finds a way to break the named property.
fn is_noticed(name: &str, broken: Broken, region: Region) {
    let region = Region {
        broken: Some(broken),
        ..region
    };
    let checker = region.checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let found = checker.discoveries().into_iter();
    let found = found.map(|(what, path)| (what, path.into_actions()));
    let wrong = found.filter(|(what, _)| *what != "a booking comes about");
    let shortest = wrong.min_by_key(|(_, actions)| actions.len());
    let (what, actions) = shortest.unwrap_or_else(|| panic!("{name}: nothing is noticed"));
    eprintln!("{name}: breaks \"{what}\" in {} steps:", actions.len());
    for action in actions {
        eprintln!("    {action:?}");
    }
}

#[test]
fn two_councils_race_for_one_place() {
    holds_everywhere("race", race());
}

#[test]
fn one_household_has_the_choice_of_two_places() {
    holds_everywhere("choice", choice());
}

#[test]
fn a_host_council_is_put_back_to_an_old_copy() {
    let region = Region {
        restored: vec![2],
        ..race()
    };
    holds_everywhere("race, host restored", region);
}

#[test]
fn a_guest_council_is_put_back_to_an_old_copy() {
    let region = Region {
        restored: vec![0],
        ..choice()
    };
    holds_everywhere("choice, guest restored", region);
}

#[test]
fn both_sides_of_a_case_are_put_back_to_old_copies() {
    let pair = Region {
        councils: 2,
        requests: vec![0],
        places: vec![1],
        restored: vec![0, 1],
        ..race()
    };
    holds_everywhere("one household, one place, both restored", pair);
}

#[test]
fn a_guest_and_the_host_of_a_race_are_put_back_to_old_copies() {
    let region = Region {
        holds: 1,
        restored: vec![0, 2],
        ..race()
    };
    holds_everywhere("race, one hold, a guest and the host restored", region);
}

#[test]
fn a_host_council_is_gone_for_good() {
    let region = Region {
        lost: Some(1),
        ..choice()
    };
    holds_everywhere("choice, host gone", region);
}

#[test]
fn a_guest_council_is_put_back_and_a_host_council_is_gone_for_good() {
    let region = Region {
        restored: vec![0],
        lost: Some(1),
        holds: 1,
        ..choice()
    };
    holds_everywhere("choice, guest restored and a host gone, one hold", region);
}

#[test]
fn every_rule_that_is_left_out_is_noticed() {
    let restored = |council, region| Region {
        restored: vec![council],
        ..region
    };
    is_noticed("PlacesReleased", Broken::PlacesReleased, race());
    is_noticed("EndsByClock", Broken::EndsByClock, race());
    is_noticed("PlacementIsFinal", Broken::PlacementIsFinal, choice());
    for broken in [
        Broken::ComparesNothing,
        Broken::LocksUnnumbered,
        Broken::LateFactsCount,
    ] {
        is_noticed(&format!("{broken:?}"), broken, restored(2, race()));
    }
}
