//! Times as the protocol holds them: plain numbers that a caller passes in.
//!
//! Nothing here reads a clock. Instants are whole seconds of UTC and are used only where a
//! clock needs one; days and weeks are counts, so that they compare and encode as numbers.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, ISOWeekDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::ids::BadName;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The last second of 2199.
    pub const MAX: Self = Self(7_258_118_399);

    /// This instant and `seconds` more.
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant; 0 where `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixSeconds {
    /// RFC 3339, e.g. `2026-04-01T09:30:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        match stamp {
            Some(stamp) => f.pad(&stamp.to_string()),
            None => f.pad("beyond the calendar"),
        }
    }
}

impl FromStr for UnixSeconds {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let stamp: Option<jiff::Timestamp> = text.parse().ok();
        let seconds = stamp.and_then(|stamp| u64::try_from(stamp.as_second()).ok());
        seconds.map(Self).ok_or(BadName {
            what: "instant",
            expected: "a second of UTC such as 2026-04-01T09:30:00Z",
        })
    }
}

/// A calendar day, as days since 1970-01-01. Text form: ISO 8601, `2026-04-01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

/// A week, as whole weeks since the one that began on Monday 1969-12-29. Text form: ISO
/// 8601, `2026-W14`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Week(pub i32);

const EPOCH: Date = jiff::civil::date(1970, 1, 1);
/// Days from the Monday of the first week to the epoch.
const EPOCH_WEEKDAY: i32 = 3;

fn date_of(days: i32) -> Option<Date> {
    EPOCH
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

fn days_of(date: Date) -> Option<i32> {
    date.since(EPOCH).ok().map(|span| span.get_days())
}

impl Day {
    /// The first day that a record may name (1900-01-01).
    pub const MIN: Self = Self(-25_567);
    /// The last day that a record may name (2199-12-31).
    pub const MAX: Self = Self(84_005);

    /// The day on which `instant` falls in UTC.
    pub fn of(instant: UnixSeconds) -> Self {
        Self(i32::try_from(instant.0 / 86_400).unwrap_or(i32::MAX))
    }

    /// From year, month and day of the month; `None` where the calendar has no such day.
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        days_of(Date::new(year, month, day).ok()?).map(Self)
    }

    /// The week in which this day falls.
    pub fn week(self) -> Week {
        Week(self.0.saturating_add(EPOCH_WEEKDAY).div_euclid(7))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match date_of(self.0) {
            Some(date) => f.pad(&date.to_string()),
            None => f.pad("beyond the calendar"),
        }
    }
}

impl FromStr for Day {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "day",
            expected: "an ISO date such as 2026-04-01",
        };
        if text.len() != 10 {
            return Err(bad);
        }
        let date: Date = text.parse().map_err(|_| bad)?;
        days_of(date).map(Self).ok_or(bad)
    }
}

impl Week {
    /// The Monday on which this week begins.
    pub fn monday(self) -> Day {
        Day(self.0.saturating_mul(7).saturating_sub(EPOCH_WEEKDAY))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match date_of(self.monday().0).map(|date| date.iso_week_date()) {
            Some(week) => f.pad(&format!("{:04}-W{:02}", week.year(), week.week())),
            None => f.pad("beyond the calendar"),
        }
    }
}

impl FromStr for Week {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "week",
            expected: "an ISO week such as 2026-W14",
        };
        let (year, week) = text.split_once("-W").ok_or(bad)?;
        if year.len() != 4 || week.len() != 2 {
            return Err(bad);
        }
        let year: i16 = year.parse().map_err(|_| bad)?;
        let week: i8 = week.parse().map_err(|_| bad)?;
        let monday = ISOWeekDate::new(year, week, Weekday::Monday).map_err(|_| bad)?;
        days_of(monday.date()).map(|d| Day(d).week()).ok_or(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_read_back() {
        for days in [-25_567, -1, 0, 1, 3, 4, 20_544, 84_005] {
            let day = Day(days);
            assert_eq!(day.to_string().parse(), Ok(day));
            assert_eq!(day.week().to_string().parse(), Ok(day.week()));
            assert!(day.week().monday() <= day && day.0 - day.week().monday().0 < 7);
        }
        assert_eq!(
            "2026-04-01".parse::<Day>().unwrap().week().to_string(),
            "2026-W14"
        );
        assert_eq!(Day::MIN.to_string(), "1900-01-01");
        assert_eq!(Day::MAX.to_string(), "2199-12-31");
    }

    #[test]
    fn bad_days_are_refused() {
        for bad in ["2026-02-30", "01/04/2026", "2026-4-1", "20260401", ""] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        for bad in ["2026-W54", "2026W14", "2026-W1", "x-W01"] {
            assert!(bad.parse::<Week>().is_err(), "{bad}");
        }
    }
}
