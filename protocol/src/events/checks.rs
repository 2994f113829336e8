//! Events of checks: of hosts of this council's own register, and of checks that it recorded.
//!
//! A neighbour may read a register and has nothing to do about it. Which check it was, and what it
//! came to, is not said: an event goes to mailboxes, and the register does not.

use std::collections::BTreeMap;

use super::{About, Event, Kind};
use crate::casework::Ledgers;
use crate::checks::{Check, Kind as CheckKind, Standing, Status, counting};
use crate::ids::{CouncilCode, RecordId};
use crate::time::{Day, UnixSeconds};

const DAY_SECONDS: u64 = 86_400;

/// When a day begins, in UTC.
fn start_of(day: Day) -> UnixSeconds {
    let days = u64::try_from(day.0).unwrap_or(0);
    UnixSeconds(days.saturating_mul(DAY_SECONDS))
}

/// What is so today of the checks of all registers that this council may read. `hosts` says in whose
/// register each host is.
pub fn of_checks(
    checks: &[Check],
    hosts: &[(RecordId, CouncilCode)],
    own: CouncilCode,
    today: Day,
) -> Vec<Event> {
    let hosts: BTreeMap<RecordId, CouncilCode> = hosts.iter().copied().collect();
    let concerns = |check: &&Check| check.council == own || hosts.get(&check.host) == Some(&own);
    let mut events: Vec<Event> = checks
        .iter()
        .filter(concerns)
        .filter_map(|check| overdue(check, today))
        .collect();
    // Whether an outcome counts depends on the other checks of its host, whosever they are.
    let mut by_host: BTreeMap<RecordId, Vec<&Check>> = BTreeMap::new();
    for check in checks {
        by_host.entry(check.host).or_default().push(check);
    }
    let kinds = CheckKind::ALL.into_iter();
    let kinds: Vec<CheckKind> = kinds.filter(|kind| kind.is_before_arrival()).collect();
    for of_host in by_host.values() {
        for kind in &kinds {
            let counting = counting(*kind, of_host).into_iter();
            let told = counting.filter(concerns);
            events.extend(told.filter_map(|check| stopping(check, today)));
        }
    }
    events
}

fn about(check: &Check) -> About {
    About {
        council: Some(check.council),
        host: Some(check.host),
        check: Some(check.id),
        ..About::default()
    }
}

fn overdue(check: &Check, today: Day) -> Option<Event> {
    let due = check.due_on?;
    match check.standing(today) {
        Standing::Due { in_days } if in_days < 0 => {}
        _ => return None,
    }
    let at = start_of(Day(due.0.saturating_add(1)));
    let subjects: [&dyn ToString; 2] = [&check.id, &due];
    Some(Event::new(Kind::CheckOverdue, &subjects, at, about(check)))
}

/// What stops its host from taking anybody.
fn stopping(check: &Check, today: Day) -> Option<Event> {
    let (kind, day, at) = match (check.status, check.valid_until) {
        (Status::Failed, _) => {
            let done = check.done_on.map_or(String::new(), |day| day.to_string());
            (Kind::CheckFailed, done, check.done_on.unwrap_or(today))
        }
        (Status::Passed, Some(until)) if until < today => {
            let next = Day(until.0.saturating_add(1));
            (Kind::CheckRanOut, until.to_string(), next)
        }
        _ => return None,
    };
    let subjects: [&dyn ToString; 2] = [&check.id, &day];
    Some(Event::new(kind, &subjects, start_of(at), about(check)))
}

/// Of places of this council whose host must take nobody, those that are locked for a case, so that
/// they cannot be closed. Whose a place is stays in the vault: an event names the place, and `smp
/// status` the host. Its id must not follow from the host either, or who reads the register could try
/// them all.
pub fn of_stopped(stopped: &[RecordId], ledgers: &Ledgers, now: UnixSeconds) -> Vec<Event> {
    let locked = stopped.iter().filter_map(|place| {
        let (guest, hold) = ledgers.book().lock_of_place(*place)?;
        let cases = ledgers.book().cases_as_host(guest).into_iter();
        let mut of_hold = cases.filter(|case| case.hold.is_some_and(|(held, _)| held == hold));
        let case = of_hold.next();
        let about = About {
            council: Some(guest),
            case: case.map(|case| case.proposal),
            request: case.map(|case| case.request),
            place: Some(*place),
            ..About::default()
        };
        Some(Event::new(Kind::HostStopped, &[&hold], now, about))
    });
    locked.collect()
}
