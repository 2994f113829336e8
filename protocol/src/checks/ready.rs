//! Whether a host is ready, from its checks in all registers: never typed in.

use std::collections::BTreeMap;

use super::{Check, Kind, Status};
use crate::ids::CouncilCode;
use crate::time::Day;

/// Why a host is not ready.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lack {
    /// Councils, or two nodes of one, have recorded it differently: a person has to settle it.
    Differ(Kind, Vec<CouncilCode>),
    /// It failed.
    Failed(Kind),
    /// It counted until a day that is past.
    RanOut(Kind, Day),
    /// It is not done.
    Open(Kind),
    /// A DBS check that is not an enhanced one.
    NotEnhanced,
    /// Nobody has recorded it.
    NotRecorded(Kind),
}

impl Lack {
    /// Whether nobody may be placed there because of it, and open places are closed.
    pub fn stops(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::RanOut(..))
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differ(kind, councils) => {
                let councils: Vec<String> = councils.iter().map(ToString::to_string).collect();
                let (kind, councils) = (kind.as_str(), councils.join(" and "));
                write!(f, "{kind} is recorded differently by {councils}")
            }
            Self::Failed(kind) => write!(f, "{} failed", kind.as_str()),
            Self::RanOut(kind, day) => write!(f, "{} ran out on {day}", kind.as_str()),
            Self::Open(kind) => write!(f, "{} is not done", kind.as_str()),
            Self::NotEnhanced => f.write_str("dbs is not an enhanced check"),
            Self::NotRecorded(kind) => write!(f, "{} is not recorded", kind.as_str()),
        }
    }
}

/// What a host's checks come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Readiness {
    /// Every check that applies has passed and is in date.
    Ready,
    /// Something is still to be done.
    Checking,
    /// Councils differ, and a person has to settle it.
    Conflict,
    /// A check failed or ran out.
    Blocked,
}

impl Readiness {
    /// From all that is lacking.
    pub fn of(lacks: &[Lack]) -> Self {
        let differ = |lack: &Lack| matches!(lack, Lack::Differ(..));
        match lacks {
            [] => Self::Ready,
            lacks if lacks.iter().any(Lack::stops) => Self::Blocked,
            lacks if lacks.iter().any(differ) => Self::Conflict,
            _ => Self::Checking,
        }
    }

    /// The code, e.g. `ready`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Checking => "checking",
            Self::Conflict => "conflict",
            Self::Blocked => "blocked",
        }
    }
}

/// From this day on a basic DBS check is not enough.
fn enhanced_from() -> Option<Day> {
    Day::from_ymd(2023, 5, 1)
}

/// All that keeps a host from being ready, worst first; empty where it is. `checks` are the host's,
/// from every register.
pub fn lacks(checks: &[&Check], today: Day) -> Vec<Lack> {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| kind.is_before_arrival());
    let mut lacks: Vec<Lack> = kinds
        .flat_map(|kind| of_kind(kind, checks, today))
        .collect();
    lacks.sort();
    lacks.dedup();
    lacks
}

fn of_kind(kind: Kind, checks: &[&Check], today: Day) -> Vec<Lack> {
    if !checks.iter().any(|check| check.kind == kind) {
        return vec![Lack::NotRecorded(kind)];
    }
    let counting = counting(kind, checks);
    let mut lacks = Vec::new();
    if let Some(councils) = differ(kind, &counting) {
        lacks.push(Lack::Differ(kind, councils));
    }
    for check in counting {
        lacks.extend(of_check(check, today));
    }
    lacks
}

/// Of a host's checks of one kind those that count.
pub(crate) fn counting<'a>(kind: Kind, checks: &[&'a Check]) -> Vec<&'a Check> {
    let all = checks.iter().copied().filter(|c| c.kind == kind);
    let all = all.filter(|c| c.status != Status::NoLongerNeeded);
    // Of DBS checks there is one for each adult.
    match kind {
        Kind::Dbs => all.collect(),
        _ => newest(all),
    }
}

/// Of each council its newest outcome, and what it has begun since. A check that failed counts until
/// a newer one has come to something: to begin again settles nothing.
fn newest<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<&'a Check> {
    let mut by_council: BTreeMap<CouncilCode, Vec<&Check>> = BTreeMap::new();
    for check in checks {
        by_council.entry(check.council).or_default().push(check);
    }
    let age = |check: &&Check| (check.done_on.max(check.started_on), check.id);
    let of_council = by_council.into_values().flat_map(|checks| {
        let outcomes = checks.iter().copied().filter(|c| !c.status.is_open());
        let outcome = outcomes.max_by_key(age);
        let since = checks.into_iter().filter(|c| c.status.is_open());
        let begun = since.max_by_key(age);
        let begun = begun.filter(|begun| outcome.is_none_or(|outcome| age(begun) > age(&outcome)));
        outcome.into_iter().chain(begun)
    });
    of_council.collect()
}

/// The councils that have come to different outcomes of one check.
fn differ(kind: Kind, checks: &[&Check]) -> Option<Vec<CouncilCode>> {
    let has = |status| checks.iter().any(|check| check.status == status);
    let two_outcomes = kind != Kind::Dbs && has(Status::Passed) && has(Status::Failed);
    let in_one = checks.iter().any(|check| check.is_in_conflict);
    let settled = checks
        .iter()
        .filter(|c| c.is_in_conflict || !c.status.is_open());
    (two_outcomes || in_one).then(|| settled.map(|check| check.council).collect())
}

fn of_check(check: &Check, today: Day) -> Option<Lack> {
    let basic = check.kind == Kind::Dbs
        && !check.is_enhanced
        && check
            .done_on
            .is_none_or(|done| Some(done) >= enhanced_from());
    match (check.status, check.valid_until) {
        (Status::Failed, _) => Some(Lack::Failed(check.kind)),
        (Status::Passed, Some(until)) if until < today => Some(Lack::RanOut(check.kind, until)),
        (Status::Passed, _) if basic => Some(Lack::NotEnhanced),
        (Status::Passed | Status::NoLongerNeeded, _) => None,
        _ => Some(Lack::Open(check.kind)),
    }
}
