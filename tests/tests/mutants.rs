//! The simulator can fail: rules that are left out on purpose, and what it says of each.
//!
//! `cargo test -p system-tests --features mutants --test mutants -- --nocapture` prints how many
//! seeds each took; docs/SIMULATOR.md has the table.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails where it does, and says what it found"
)]

use smp_protocol::mutants::{Mutant, break_on_this_thread};
use system_tests::sim::{Report, Switches, run};

/// A rule that is left out has to be noticed within so many seeds.
const SEEDS: u64 = 400;

/// The promises, rules or limits that may be found broken.
fn breaks(mutant: Mutant) -> &'static [&'static str] {
    match mutant {
        Mutant::SignatureUnchecked => &["promise 1", "no honest node dropped"],
        Mutant::StatementUnchecked => &["promise 1"],
        Mutant::EveryoneReads => &["promise 2"],
        Mutant::PastIgnored | Mutant::NothingAskedFor => &["promise 4"],
        Mutant::RosterGoesBack => &["P-7"],
        Mutant::RemovedStays => &["promise 6", "promise 2"],
        Mutant::AloneIsMute => &["promise 8"],
        Mutant::PullsUnbounded => &["limits"],
        Mutant::RelayBlamed | Mutant::OldBuildBlames => &["no honest node dropped"],
        Mutant::CaseworkIsOpen => &["promise 2"],
    }
}

/// The first seed that breaks a rule.
fn caught(switches: Switches) -> Option<Report> {
    (0..SEEDS)
        .map(|seed| run(seed, switches))
        .find(|report| report.violation.is_some())
}

fn must_be_caught(what: &str, expected: &[&str], switches: Switches) {
    let report = caught(switches);
    let report = report.unwrap_or_else(|| panic!("{what}: nothing is noticed in {SEEDS} seeds"));
    let (rule, found) = report.violation.unwrap();
    let seeds = report.seed + 1;
    eprintln!("{what}: {rule} after {seeds} seeds ({found})");
    assert!(expected.contains(&rule.as_str()), "{what}: {rule}: {found}");
}

#[test]
fn every_rule_that_is_left_out_is_missed() {
    for mutant in Mutant::ALL {
        break_on_this_thread(Some(mutant));
        must_be_caught(&format!("{mutant:?}"), breaks(mutant), Switches::default());
        break_on_this_thread(None);
    }
}

#[test]
fn an_acknowledgement_before_the_flush_is_noticed() {
    let switches = Switches {
        performs_before_flush: true,
        ..Switches::default()
    };
    must_be_caught("PerformsBeforeFlush", &["promise 3"], switches);
}
