//! Regions in which nodes are upgraded one after another, and the schema is raised.
//!
//! `cargo test -p system-tests --features next-schema --test schemas`
#![allow(clippy::unwrap_used, reason = "a test fails where it does")]

use system_tests::sim::{Switches, Tally, replay, run};

#[test]
fn nodes_of_two_schema_versions_come_to_hold_the_same() {
    let mut all = Tally::default();
    for seed in 0..120 {
        let report = run(seed, Switches::default());
        assert_eq!(report.violation, None, "{}", replay(seed));
        all.add(&report.tally);
    }
    let counted = |what: &str| {
        let mut counts = all.counts();
        counts.find(|(word, _)| *word == what).map_or(0, |(_, n)| n)
    };
    assert!(counted("nodes upgraded") > 50, "some are upgraded");
    assert!(counted("schemas raised") > 20, "and write what is new");
    assert!(counted("closed: old_build") > 0, "some too late");
}
