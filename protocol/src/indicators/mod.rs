//! Regional indicators: how much there is and how long things take, by council and month, with
//! disclosure control before anything is shown (docs/INDICATORS.md).
//!
//! What is not there has its own word and is never 0: see [`Shown`]. Nothing here reads a clock,
//! and the order in which councils are given does not matter; so nodes that hold the same
//! documents show the same.

mod disclosure;
#[cfg(test)]
mod linked_tests;
mod month;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use disclosure::{BadProfile, Counts, Profile};
pub use month::Month;
pub use read::placed;

use crate::checks::Check;
use crate::ids::CouncilCode;
use crate::matching::{Place, Request};
use crate::time::Day;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Indicator {
    /// Open places that can be had in the month.
    Places,
    /// People for whom these have room.
    People,
    /// Open requests.
    OpenRequests,
    /// Median days from the first proposal for a request to its placement.
    DaysToPlacement,
    /// Share of the checks due in the month that were done by their day.
    ChecksInTime,
}

impl Indicator {
    /// Every indicator, in the order of a table.
    pub const ALL: [Self; 5] = [
        Self::Places,
        Self::People,
        Self::OpenRequests,
        Self::DaysToPlacement,
        Self::ChecksInTime,
    ];

    /// The code, e.g. `open_requests`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::People => "people",
            Self::OpenRequests => "open_requests",
            Self::DaysToPlacement => "median_days_to_placement",
            Self::ChecksInTime => "checks_in_time",
        }
    }

    /// What a value of it is.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::People => "people",
            Self::OpenRequests => "requests",
            Self::DaysToPlacement => "days",
            Self::ChecksInTime => "percent",
        }
    }
}

/// What a council's documents say here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source<T> {
    /// It has written them, and this council may read them.
    Here(T),
    /// It has never written them, or nothing of them has arrived.
    NotSubmitted,
    /// They are not for this council to read.
    NotReadable,
    /// No document holds it.
    NotRecorded,
}

impl<T> Source<T> {
    fn here(&self) -> Option<T>
    where
        T: Copy,
    {
        match self {
            Self::Here(value) => Some(*value),
            _ => None,
        }
    }

    /// What is made of it, where it is here.
    pub fn map<U>(&self, what: impl FnOnce(&T) -> U) -> Source<U> {
        match self {
            Self::Here(value) => Source::Here(what(value)),
            Self::NotSubmitted => Source::NotSubmitted,
            Self::NotReadable => Source::NotReadable,
            Self::NotRecorded => Source::NotRecorded,
        }
    }
}

/// What is shown of a figure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shown {
    /// This, rounded. 0 is 0 and nothing else.
    Value(u64),
    /// A few, or a number that would give a few away.
    Suppressed,
    /// The council has never written such a document, or nothing of it has arrived here.
    NotSubmitted,
    /// The document is not for this council to read.
    NotReadable,
    /// No document holds it: what stood open in a month that is past.
    NotRecorded,
    /// A share or a middle of nothing.
    NothingToMeasure,
}

impl Shown {
    /// The word, e.g. `suppressed`; of a value `shown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value(_) => "shown",
            Self::Suppressed => "suppressed",
            Self::NotSubmitted => "not_submitted",
            Self::NotReadable => "not_readable",
            Self::NotRecorded => "not_recorded",
            Self::NothingToMeasure => "nothing_to_measure",
        }
    }

    /// The value, if there is one to show.
    pub fn value(self) -> Option<u64> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Of a total to which nothing was added.
    fn nothing_of<'a, T: 'a>(sources: impl Iterator<Item = &'a Source<T>>) -> Self {
        let mut said = Self::NotSubmitted;
        for source in sources {
            match source {
                Source::NotRecorded => said = Self::NotRecorded,
                Source::NotReadable if said == Self::NotSubmitted => said = Self::NotReadable,
                _ => {}
            }
        }
        said
    }
}

/// What a council has in its pool.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pool {
    /// Its places.
    pub places: Vec<Place>,
    /// Its requests.
    pub requests: Vec<Request>,
}

/// A household of a council's that was placed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Placed {
    /// When it was placed.
    pub on: Day,
    /// Days since a place was first proposed for it.
    pub days: u32,
}

/// What is known here of one council.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfCouncil {
    /// Its pool.
    pub pool: Source<Pool>,
    /// The checks in its register.
    pub checks: Source<Vec<Check>>,
    /// The placements of its households.
    pub placed: Source<Vec<Placed>>,
}

/// One figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure {
    /// The month.
    pub month: Month,
    /// The council; none for the region.
    pub council: Option<CouncilCode>,
    /// What is measured.
    pub indicator: Indicator,
    /// What is shown.
    pub shown: Shown,
}

/// Every figure of some months: by month, indicator and council, the region after its councils.
/// Of the median and of the share there is none for the region: this council cannot read what
/// it would take, and of a part of the region it would tell something else.
pub fn figures(
    councils: &BTreeMap<CouncilCode, OfCouncil>,
    months: &[Month],
    today: Day,
    profile: Profile,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for month in months {
        for indicator in Indicator::ALL {
            let (of_councils, of_region) = of_month(councils, *month, indicator, today, profile);
            let figure = |council, shown| Figure {
                month: *month,
                council,
                indicator,
                shown,
            };
            let of_councils = of_councils.into_iter();
            figures.extend(of_councils.map(|(council, shown)| figure(Some(council), shown)));
            figures.extend(of_region.map(|shown| figure(None, shown)));
        }
    }
    figures
}

type Column = (BTreeMap<CouncilCode, Shown>, Option<Shown>);

fn of_month(
    councils: &BTreeMap<CouncilCode, OfCouncil>,
    month: Month,
    indicator: Indicator,
    today: Day,
    profile: Profile,
) -> Column {
    let of_pools = |count: &dyn Fn(&Pool) -> u64, is_known: bool| -> Counts {
        let of = councils.iter().map(|(council, of)| {
            let source = match (&of.pool, is_known) {
                (Source::Here(_), false) => Source::NotRecorded,
                (pool, _) => pool.map(count),
            };
            (*council, source)
        });
        of.collect()
    };
    let each = |shown: &dyn Fn(&OfCouncil) -> Source<Shown>| {
        let of = councils.iter().map(|(council, of)| {
            let shown = match shown(of) {
                Source::Here(shown) => shown,
                Source::NotSubmitted => Shown::NotSubmitted,
                Source::NotReadable => Shown::NotReadable,
                Source::NotRecorded => Shown::NotRecorded,
            };
            (*council, shown)
        });
        (of.collect(), None)
    };
    // A pool says what is open now. What was open in a month that is past nobody wrote down, nor
    // who will look for a place in one to come.
    let now = Month::of(today);
    let is_past = now.is_none_or(|now| month < now);
    let had = |pool: &Pool| {
        let places = pool
            .places
            .iter()
            .filter(|place| is_had_in(place, month, today));
        places
            .map(|place| u64::from(place.people))
            .collect::<Vec<u64>>()
    };
    match indicator {
        Indicator::Places | Indicator::People => {
            let places = of_pools(&|pool| count(had(pool).iter()), !is_past);
            let people = of_pools(&|pool| had(pool).iter().sum(), !is_past);
            let [places, people] = profile.linked([&places, &people]);
            let (of_councils, total) = match indicator {
                Indicator::Places => places,
                _ => people,
            };
            (of_councils, Some(total))
        }
        Indicator::OpenRequests => {
            let open = |pool: &Pool| count(pool.requests.iter().filter(|one| one.is_open));
            let (of_councils, total) = profile.counts(&of_pools(&open, now == Some(month)));
            (of_councils, Some(total))
        }
        Indicator::DaysToPlacement => each(&|of| {
            of.placed.map(|placed| {
                let in_month = placed.iter().filter(|one| month.has(one.on));
                profile.median(in_month.map(|one| one.days).collect())
            })
        }),
        Indicator::ChecksInTime => each(&|of| {
            of.checks.map(|checks| {
                let due = checks
                    .iter()
                    .filter_map(|check| in_time(check, month, today));
                let due: Vec<bool> = due.collect();
                profile.share(count(due.iter().filter(|done| **done)), count(due.iter()))
            })
        }),
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

/// Whether somebody could move in on some day of the month that is not past.
fn is_had_in(place: &Place, month: Month, today: Day) -> bool {
    let (Some(first), Some(last)) = (month.first(), month.last()) else {
        return false;
    };
    let from = place.available_from.map_or(first, |from| from.max(first));
    let until = place.available_until.map_or(last, |until| until.min(last));
    place.is_open && from.max(today) <= until
}

/// Of a check that was due in the month and can be judged: whether it was done by its day. One
/// that is not due yet, or that has no day on which it was done, tells nothing.
fn in_time(check: &Check, month: Month, today: Day) -> Option<bool> {
    let due = check.due_on.filter(|due| month.has(*due))?;
    match (check.status.is_open(), check.done_on) {
        (false, Some(done)) => Some(done <= due),
        (false, None) => None,
        (true, _) => (due < today).then_some(false),
    }
}
