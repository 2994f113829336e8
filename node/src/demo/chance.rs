//! Chance with a seed: the same seed makes the same demo, on every machine.
//!
//! For made-up records only, never for a key, an id or anything else that must not be
//! guessed.

use fastrand::Rng;
use smp_protocol::ids::CouncilCode;
use smp_protocol::time::Day;

/// A council's own chance, so that its records do not depend on which others there are.
pub(super) fn of_council(seed: u64, council: CouncilCode) -> Rng {
    let mixed = council.as_str().bytes().fold(seed, |mixed, byte| {
        mixed
            .wrapping_mul(0x0100_0000_01b3)
            .wrapping_add(u64::from(byte))
    });
    Rng::with_seed(mixed)
}

/// One of the choices, each as often as its weight says.
pub(super) fn pick<T: Copy + Default>(rng: &mut Rng, choices: &[(u32, T)]) -> T {
    let total: u32 = choices.iter().map(|(weight, _)| *weight).sum();
    let mut left = rng.u32(0..total.max(1));
    for (weight, choice) in choices {
        if left < *weight {
            return *choice;
        }
        left = left.saturating_sub(*weight);
    }
    T::default()
}

/// One of the choices, all as likely.
pub(super) fn one<T: Copy + Default>(rng: &mut Rng, choices: &[T]) -> T {
    rng.choice(choices).copied().unwrap_or_default()
}

/// True in so many of a hundred cases.
pub(super) fn percent(rng: &mut Rng, of_100: u32) -> bool {
    rng.u32(0..100) < of_100
}

/// A day from `first` on, at most `span` days later.
pub(super) fn day(rng: &mut Rng, first: Day, span: i32) -> Day {
    Day(first.0.saturating_add(rng.i32(0..=span.max(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_how_often() {
        let mut rng = Rng::with_seed(7);
        let mut counted = [0u32; 3];
        for _ in 0..10_000 {
            counted[pick(&mut rng, &[(70, 0), (0, 1), (30, 2)])] += 1;
        }
        assert_eq!(counted[1], 0);
        assert!((6_700..7_300).contains(&counted[0]), "{counted:?}");
    }

    #[test]
    fn councils_differ_and_repeat() {
        let [one, other] = ["E06000001", "E06000002"].map(|code| code.parse().unwrap());
        let first = of_council(1, one).u64(..);
        assert_eq!(first, of_council(1, one).u64(..));
        assert_ne!(first, of_council(1, other).u64(..));
        assert_ne!(first, of_council(2, one).u64(..));
    }
}
