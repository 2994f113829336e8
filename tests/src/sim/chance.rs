//! Choices from a seed. The only source of chance in a simulation.

use crate::harness::Random;

/// Draws choices; the same ones for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Random);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds that follow one another must not give histories that resemble one another.
        let mut spread = Random::new(seed ^ 0x5e5e_a71d_0c0f_fee5);
        Self(Random::new(spread.number()))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.number()
    }

    /// A number below `end`; 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.number() % end.max(1) as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low + 1)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.number().is_multiple_of(n)
    }

    /// One of `items`, unless there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Those of `items` that a coin chooses.
    pub(crate) fn some<T: Copy>(&mut self, items: &[T]) -> Vec<T> {
        let mut chosen = items.to_vec();
        chosen.retain(|_| self.one_in(2));
        chosen
    }

    /// Puts `items` in any order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.number().to_le_bytes()[0])
    }
}
