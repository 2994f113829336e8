//! Disclosure control: what of a count may be shown.
//!
//! A count of few people says something about each of them. So small counts are not shown,
//! nothing is shown that they could be worked out from, and what is shown is rounded. The
//! defaults are those of NHS Digital for counts below national level; docs/decisions/0041 has
//! the source.

use std::collections::BTreeMap;

use super::{Shown, Source};
use crate::ids::CouncilCode;

/// Steps of a share, from none to all. Rounding numerator and denominator instead would be wrong
/// by 17 points of 8 in 16.
const SHARE_STEPS: u64 = 20;

/// How small a count may be shown, and how rough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    threshold: u32,
    round: u32,
}

impl Default for Profile {
    /// Counts from 1 to 7 are suppressed, others rounded to the nearest 5.
    fn default() -> Self {
        Self {
            threshold: 8,
            round: 5,
        }
    }
}

/// What each council has of something.
pub type Counts = BTreeMap<CouncilCode, Source<u64>>;

/// A profile that would show too much, or counts that are there as none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadProfile {
    /// Below the least that is allowed.
    #[error(
        "a threshold below {} or rounding to less than {} would show too much of a few people",
        Profile::LEAST_THRESHOLD,
        Profile::LEAST_ROUND
    )]
    TooLoose,
    /// A count that is shown would be rounded to 0.
    #[error("rounding to more than twice the threshold would show small counts as 0")]
    TooRough,
    /// Beyond anything that a region counts.
    #[error(
        "a threshold or rounding above {} leaves nothing to show",
        Profile::MOST
    )]
    TooMuch,
}

impl Profile {
    /// No option goes below this threshold: counts of 1 to 4 are never shown.
    pub const LEAST_THRESHOLD: u32 = 5;
    /// No option rounds to less.
    pub const LEAST_ROUND: u32 = 5;
    /// Nor above this.
    pub const MOST: u32 = 1000;

    /// The least count above 0 that is shown, and to what counts are rounded.
    ///
    /// # Errors
    /// [`BadProfile`] where it is looser than the least, or would show a count as 0.
    pub fn new(threshold: u32, round: u32) -> Result<Self, BadProfile> {
        if threshold < Self::LEAST_THRESHOLD || round < Self::LEAST_ROUND {
            return Err(BadProfile::TooLoose);
        }
        if threshold > Self::MOST || round > Self::MOST {
            return Err(BadProfile::TooMuch);
        }
        match round > threshold.saturating_mul(2) {
            true => Err(BadProfile::TooRough),
            false => Ok(Self { threshold, round }),
        }
    }

    /// The least count above 0 that is shown.
    pub fn threshold(self) -> u32 {
        self.threshold
    }

    /// To what counts are rounded.
    pub fn round(self) -> u32 {
        self.round
    }

    /// To the nearest multiple; a half goes up.
    pub fn rounded(self, count: u64) -> u64 {
        let round = u64::from(self.round);
        let half = round / 2;
        count.saturating_add(half) / round * round
    }

    fn is_small(self, count: u64) -> bool {
        (1..u64::from(self.threshold)).contains(&count)
    }

    /// Counts of councils and what they come to together. Councils that say nothing are in no
    /// total.
    ///
    /// No suppressed count can be worked out: as far as the total and the other counts say, each
    /// may be anything from 1 to beyond the threshold. Where small counts alone would give one
    /// another away, others are suppressed with them, in the order of their codes; and where there
    /// are no others the total is. Who knows this rule cannot work one out either.
    pub fn counts(self, counts: &Counts) -> (BTreeMap<CouncilCode, Shown>, Shown) {
        let [shown] = self.linked([counts]);
        shown
    }

    /// Columns of which each limits the others, as no council has fewer people than places: what is
    /// suppressed in one is suppressed in all, or the ones that are shown would tell it.
    pub fn linked<const N: usize>(
        self,
        columns: [&Counts; N],
    ) -> [(BTreeMap<CouncilCode, Shown>, Shown); N] {
        let of =
            |column: &Counts, council: &CouncilCode| column.get(council).and_then(Source::here);
        let mut hidden: Vec<CouncilCode> = Vec::new();
        let mut others: Vec<CouncilCode> = Vec::new();
        for council in columns.first().into_iter().flat_map(|column| column.keys()) {
            let mut here = columns.iter().filter_map(|column| of(column, council));
            let is_any = here.clone().any(|count| count > 0);
            match here.any(|count| self.is_small(count)) {
                true => hidden.push(*council),
                false if is_any => others.push(*council),
                false => {}
            }
        }
        // Whose turn it is follows from the codes and not from the counts: that a count is, say,
        // the smallest of those shown would be told by its being chosen.
        let first = hidden.first().copied();
        let after = others.partition_point(|council| Some(*council) < first);
        others.rotate_left(after);
        let mut others = others.into_iter();
        let total = |column: &Counts| column.values().filter_map(Source::here).sum::<u64>();
        let gives_away = |column: &Counts, hidden: &[CouncilCode]| {
            let counts: Vec<u64> = hidden
                .iter()
                .filter_map(|council| of(column, council))
                .collect();
            !self.is_small(total(column)) && !self.keeps(&counts)
        };
        while columns.iter().any(|column| gives_away(column, &hidden)) {
            let Some(next) = others.next() else {
                break;
            };
            hidden.push(next);
        }
        columns.map(|column| {
            let shown = column.iter().map(|(council, count)| {
                let shown = match count {
                    Source::Here(0) => Shown::Value(0),
                    Source::Here(_) if hidden.contains(council) => Shown::Suppressed,
                    Source::Here(count) => Shown::Value(self.rounded(*count)),
                    Source::NotSubmitted => Shown::NotSubmitted,
                    Source::NotReadable => Shown::NotReadable,
                    Source::NotRecorded => Shown::NotRecorded,
                };
                (*council, shown)
            });
            let is_nothing = !column.values().any(|count| count.here().is_some());
            let is_hidden = self.is_small(total(column)) || gives_away(column, &hidden);
            let total = match (is_nothing, is_hidden) {
                (true, _) => Shown::nothing_of(column.values()),
                (false, true) => Shown::Suppressed,
                (false, false) => Shown::Value(self.rounded(total(column))),
            };
            (shown.collect(), total)
        })
    }

    /// Whether each of these could be as large as the threshold, when it is known how many they are
    /// and what they come to together: each of the others is 1 at least.
    fn keeps(self, hidden: &[u64]) -> bool {
        let sum: u64 = hidden.iter().sum();
        let others = u64::try_from(hidden.len().saturating_sub(1)).unwrap_or(u64::MAX);
        hidden.is_empty()
            || (others >= 1 && sum >= u64::from(self.threshold).saturating_add(others))
    }

    /// A share of some things in all of them, to the nearest 5 percentage points. Few of either kind
    /// are suppressed: who knows the few and the share knows the rest. 0 and 100 are none and all.
    pub fn share(self, some: u64, all: u64) -> Shown {
        let rest = all.saturating_sub(some);
        if all == 0 {
            return Shown::NothingToMeasure;
        }
        if [all, some, rest]
            .into_iter()
            .any(|count| self.is_small(count))
        {
            return Shown::Suppressed;
        }
        // In steps, a half goes up.
        let steps = some.saturating_mul(2 * SHARE_STEPS).saturating_add(all);
        let steps = steps.checked_div(all.saturating_mul(2)).unwrap_or_default();
        let steps = match (some, rest) {
            (0, _) => 0,
            (_, 0) => SHARE_STEPS,
            _ => steps.clamp(1, SHARE_STEPS - 1),
        };
        Shown::Value(steps * (100 / SHARE_STEPS))
    }

    /// The middle of some numbers, rounded as counts are; of two in the middle, half-way.
    pub fn median(self, mut numbers: Vec<u32>) -> Shown {
        let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
        if count == 0 {
            return Shown::NothingToMeasure;
        }
        if self.is_small(count) {
            return Shown::Suppressed;
        }
        numbers.sort_unstable();
        let at = |place: usize| numbers.get(place).copied().map_or(0, u64::from);
        let (low, high) = (at((numbers.len() - 1) / 2), at(numbers.len() / 2));
        Shown::Value(self.rounded((low + high) / 2))
    }
}
