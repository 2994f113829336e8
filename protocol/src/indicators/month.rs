//! A month of the calendar.

use std::fmt;
use std::str::FromStr;

use crate::ids::BadName;
use crate::time::Day;

/// A month. Text form: `2026-04`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month in which a day falls.
    pub fn of(day: Day) -> Option<Self> {
        let text = day.to_string();
        text.get(..7)?.parse().ok()
    }

    /// Its first day. `None` beyond the days that a record may name.
    pub fn first(self) -> Option<Day> {
        let day = Day::from_ymd(self.year, self.month, 1)?;
        (Day::MIN..=Day::MAX).contains(&day).then_some(day)
    }

    /// Its last day.
    pub fn last(self) -> Option<Day> {
        let next = self.next();
        let after = Day::from_ymd(next.year, next.month, 1)?;
        Some(Day(after.0.saturating_sub(1)))
    }

    /// The month after it.
    pub fn next(self) -> Self {
        match self.month {
            12.. => Self {
                year: self.year.saturating_add(1),
                month: 1,
            },
            _ => Self {
                year: self.year,
                month: self.month + 1,
            },
        }
    }

    /// Whether a day is in it.
    pub fn has(self, day: Day) -> bool {
        Self::of(day) == Some(self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl FromStr for Month {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName {
            what: "month",
            expected: "a month such as 2026-04",
        };
        let (year, month) = text.split_once('-').ok_or(bad)?;
        let digits = |part: &str, count| {
            part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(month, 2) {
            return Err(bad);
        }
        let year = year.parse().map_err(|_| bad)?;
        let month = month.parse().map_err(|_| bad)?;
        let found = Self { year, month };
        match (1..=12).contains(&month) && found.first().is_some() {
            true => Ok(found),
            false => Err(bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_its_days_and_no_others() {
        let month: Month = "2028-02".parse().unwrap();
        assert_eq!(month.first().unwrap().to_string(), "2028-02-01");
        assert_eq!(month.last().unwrap().to_string(), "2028-02-29");
        let days = |text: &str| month.has(text.parse().unwrap());
        assert!(days("2028-02-01") && days("2028-02-29"));
        assert!(!days("2028-01-31") && !days("2028-03-01"));
        let december: Month = "2028-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2029-01");
        assert_eq!(december.last().unwrap().to_string(), "2028-12-31");
        assert!(month < december);
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for bad in [
            "", "2026", "2026-4", "2026-00", "2026-13", "26-04", "0000-01", "2200-01",
        ] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        assert!("2199-12".parse::<Month>().is_ok() && "1900-01".parse::<Month>().is_ok());
    }
}
