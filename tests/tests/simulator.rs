//! The simulator over a few hundred seeds: no rule is broken, and a seed is a history.
//!
//! `cargo run --release -p system-tests --bin simulate` runs as many as one likes.

use system_tests::sim::{Switches, replay, run};

/// Seeds run here; two threads take one half each.
const SEEDS: u64 = 200;

fn no_rule_is_broken(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let report = run(seed, Switches::default());
        if let Some((rule, what)) = report.violation {
            let replay = replay(seed);
            panic!("seed {seed} breaks {rule}: {what}\nits history: {replay}");
        }
    }
}

#[test]
fn no_rule_is_broken_in_the_first_seeds() {
    no_rule_is_broken(0..SEEDS / 2);
}

#[test]
fn no_rule_is_broken_in_the_seeds_after_them() {
    no_rule_is_broken(SEEDS / 2..SEEDS);
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in 0..6 {
        let first = run(seed, Switches::default());
        let again = run(
            seed,
            Switches {
                readable: true,
                ..Switches::default()
            },
        );
        assert_eq!(first.digest, again.digest, "seed {seed}");
        assert_ne!(first.digest, run(seed + 1, Switches::default()).digest);
    }
}
