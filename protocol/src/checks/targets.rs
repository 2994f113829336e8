//! By when a check should be done: days from the one on which its clock begins.

use super::Kind;
use crate::roster::CheckTarget;
use crate::time::Day;

/// Days for each kind of check; none where no target is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Targets([Option<u16>; Kind::ALL.len()]);

impl Default for Targets {
    fn default() -> Self {
        Self::LANCASHIRE
    }
}

impl Targets {
    /// Lancashire's published pathway: the sponsor reached within 48 hours of the referral, the home
    /// seen to exist within 7 days and to suit within 10, the assessment given its priority within
    /// 24 hours of the outcomes and recorded within 7 days. Hours are whole days here, since a day is
    /// the finest that a register holds.
    pub const LANCASHIRE: Self = Self([
        Some(2),
        None,
        Some(7),
        Some(10),
        Some(1),
        Some(7),
        None,
        None,
    ]);

    /// Those of a region: its own where it has set any, by what its roster says.
    pub fn of(own: &[CheckTarget]) -> Self {
        let mut targets = Self::default();
        for target in own {
            if let Some(days) = targets.0.get_mut(usize::from(target.check)) {
                *days = target.days;
            }
        }
        targets
    }

    /// Days for a kind, if a target is set.
    pub fn days(&self, kind: Kind) -> Option<u16> {
        let mut both = Kind::ALL.iter().zip(self.0);
        both.find(|(one, _)| **one == kind)
            .and_then(|(_, days)| days)
    }

    /// The day by which a check should be done whose clock began on another.
    pub fn due(&self, kind: Kind, started: Day) -> Option<Day> {
        let days = i32::from(self.days(kind)?);
        Some(Day(started.0.saturating_add(days)))
    }
}
