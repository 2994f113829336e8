//! Checks of hosts: by when each should be done, and whether a host is ready (docs/CHECKS.md).
//!
//! All of it follows from what councils have recorded, each in its own register, and from the day
//! that is passed in. Nothing here says why a check failed: only its council knows that.

mod ready;
mod targets;
#[cfg(test)]
mod tests;

pub(crate) use ready::counting;
pub use ready::{Lack, Readiness, lacks};
pub use targets::Targets;

use crate::document::RecordFields;
use crate::ids::{CouncilCode, RecordId, RecordKind};
use crate::schema::Named;
use crate::time::Day;

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The sponsor was reached.
    SponsorContact,
    /// Criminal records of each adult of the host's household.
    Dbs,
    /// The home exists and is one.
    AccommodationExists,
    /// The home suits.
    AccommodationSuitable,
    /// The assessment was given its priority.
    SafeguardingPriority,
    /// The assessment was recorded.
    SafeguardingAssessment,
    /// A visit after arrival.
    ArrivalVisit,
    /// A later visit.
    WelfareVisit,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::SponsorContact,
        Self::Dbs,
        Self::AccommodationExists,
        Self::AccommodationSuitable,
        Self::SafeguardingPriority,
        Self::SafeguardingAssessment,
        Self::ArrivalVisit,
        Self::WelfareVisit,
    ];

    /// The code, e.g. `sponsor_contact`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SponsorContact => "sponsor_contact",
            Self::Dbs => "dbs",
            Self::AccommodationExists => "accommodation_exists",
            Self::AccommodationSuitable => "accommodation_suitable",
            Self::SafeguardingPriority => "safeguarding_priority",
            Self::SafeguardingAssessment => "safeguarding_assessment",
            Self::ArrivalVisit => "arrival_visit",
            Self::WelfareVisit => "welfare_visit",
        }
    }

    /// The kind of a code.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a host has to pass it before anybody can come.
    pub fn is_before_arrival(self) -> bool {
        !matches!(self, Self::ArrivalVisit | Self::WelfareVisit)
    }

    /// Who does it where there are two tiers of council.
    pub fn done_by(self) -> &'static str {
        match self {
            Self::AccommodationSuitable | Self::ArrivalVisit | Self::WelfareVisit => "district",
            _ => "county",
        }
    }
}

/// Where a check stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// Nothing was done.
    NotStarted,
    /// It is under way.
    InProgress,
    /// Passed.
    Passed,
    /// Failed.
    Failed,
    /// It does not apply any more.
    NoLongerNeeded,
    /// Its outcome cannot be had yet.
    NotAvailable,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::NotStarted,
        Self::InProgress,
        Self::Passed,
        Self::Failed,
        Self::NoLongerNeeded,
        Self::NotAvailable,
    ];

    /// The code, e.g. `in_progress`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NoLongerNeeded => "no_longer_needed",
            Self::NotAvailable => "not_available",
        }
    }

    /// Whether there is still something to do.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::NotStarted | Self::InProgress | Self::NotAvailable
        )
    }
}

/// A check that counts: one that its council withdrew is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Its id.
    pub id: RecordId,
    /// The council in whose register it is.
    pub council: CouncilCode,
    /// The host that is checked.
    pub host: RecordId,
    /// What is checked.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// Whether two nodes of its council have recorded two statuses, and nobody has settled it.
    pub is_in_conflict: bool,
    /// Of a DBS check: whether it is said to be an enhanced one.
    pub is_enhanced: bool,
    /// When it was begun.
    pub started_on: Option<Day>,
    /// By when it should be done.
    pub due_on: Option<Day>,
    /// When it was done.
    pub done_on: Option<Day>,
    /// The last day on which its outcome counts.
    pub valid_until: Option<Day>,
}

impl Check {
    /// Reads a record of a register; `None` where it is no check, or a withdrawn one. Of days in
    /// conflict the first counts, and of statuses the worst.
    pub fn read(council: CouncilCode, id: RecordId, fields: &RecordFields) -> Option<Self> {
        let of = Named(id.kind(), fields);
        if id.kind() != RecordKind::Check || of.needed("withdrawn") {
            return None;
        }
        let statuses = of.words("status");
        let read = |word: &&str| Status::ALL.into_iter().find(|s| s.as_str() == *word);
        let worst = |status: &Status| match status {
            Status::Failed => 3,
            status if status.is_open() => 2,
            Status::Passed => 1,
            _ => 0,
        };
        let kind = of.words("check").first().copied();
        Some(Self {
            id,
            council,
            host: of.records("host").next()?,
            kind: kind.and_then(Kind::named)?,
            status: statuses.iter().filter_map(read).max_by_key(worst)?,
            is_in_conflict: statuses.len() > 1,
            is_enhanced: of.words("level") == ["enhanced"],
            started_on: of.days("started_on").next(),
            due_on: of.days("due_on").next(),
            done_on: of.days("done_on").next(),
            valid_until: of.days("valid_until").next(),
        })
    }

    /// How it stands against its clock.
    pub fn standing(&self, today: Day) -> Standing {
        match (self.status.is_open(), self.due_on) {
            (false, _) => Standing::Settled,
            (true, None) => Standing::NoTarget,
            (true, Some(due)) => Standing::Due {
                in_days: i64::from(due.0) - i64::from(today.0),
            },
        }
    }
}

/// How a check stands against its clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It should be done in so many days; below 0 it is overdue.
    Due {
        /// Days from today.
        in_days: i64,
    },
    /// Nobody said by when.
    NoTarget,
    /// There is nothing to do.
    Settled,
}
