//! Checks of hosts: listed with their clocks, and what they come to for each host.

use std::collections::BTreeMap;

use smp_protocol::api::{HostCheck, HostReadiness, RecordEdit};
use smp_protocol::checks::{Check, Kind, Readiness, Standing, Targets, lacks};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::time::Day;

use super::records::{name_of, readable};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};

/// What the registers hold that this council may read.
struct Registers {
    checks: Vec<Check>,
    hosts: Vec<(RecordId, CouncilCode)>,
}

/// Work grows with all records of those registers.
fn registers(core: &Core) -> Registers {
    let mut all = Registers {
        checks: Vec::new(),
        hosts: Vec::new(),
    };
    for name in readable(core, RecordKind::Check) {
        let Some(document) = core.member.document(name) else {
            continue;
        };
        for (id, fields) in document.records() {
            match id.kind() {
                RecordKind::Host => all.hosts.push((id, name.council)),
                _ => all.checks.extend(Check::read(name.council, id, &fields)),
            }
        }
    }
    all
}

/// Every check, what is due first at the top.
pub(super) fn list(core: &mut Core, today: Day) -> Vec<HostCheck> {
    let own = core.member.identity().council;
    let mut checks = registers(core).checks;
    checks.sort_by_key(|check| (check.standing(today), check.due_on, check.kind, check.id));
    let shown = checks.iter().map(|check| {
        let text = |day: Option<Day>| day.map(|day| day.to_string());
        let (standing, in_days) = match check.standing(today) {
            Standing::Settled => ("settled", None),
            Standing::NoTarget => ("no_target", None),
            Standing::Due { in_days } if in_days < 0 => ("overdue", Some(in_days)),
            Standing::Due { in_days } => ("due", Some(in_days)),
        };
        HostCheck {
            id: check.id.to_string(),
            host: check.host.to_string(),
            check: check.kind.as_str().to_owned(),
            status: check.status.as_str().to_owned(),
            council: check.council.to_string(),
            council_name: name_of(core, check.council),
            own: check.council == own,
            done_by: check.kind.done_by().to_owned(),
            started_on: text(check.started_on),
            due_on: text(check.due_on),
            done_on: text(check.done_on),
            valid_until: text(check.valid_until),
            standing: standing.to_owned(),
            in_days,
        }
    });
    shown.collect()
}

/// What the checks of each host come to, by all councils that recorded any.
pub(super) fn readiness(core: &mut Core, today: Day) -> Vec<HostReadiness> {
    let all = registers(core);
    let mut by_host: BTreeMap<RecordId, Vec<&Check>> = BTreeMap::new();
    for check in &all.checks {
        by_host.entry(check.host).or_default().push(check);
    }
    let shown = all.hosts.iter().map(|(host, council)| {
        let checks = by_host.get(host).map_or(&[][..], Vec::as_slice);
        let lacks = lacks(checks, today);
        HostReadiness {
            host: host.to_string(),
            council: council.to_string(),
            council_name: name_of(core, *council),
            readiness: Readiness::of(&lacks).as_str().to_owned(),
            lacks: lacks.iter().map(ToString::to_string).collect(),
        }
    });
    shown.collect()
}

/// The day that is asked about; today if none is named.
pub(super) fn day(on: Option<&str>) -> Answer<Day> {
    let Some(text) = on else {
        return Ok(Day::of(clock()));
    };
    text.parse().map_err(|error| {
        Failure::new(
            FailureKind::BadRequest,
            "bad_field",
            format!("on: {error}"),
            "give a day such as 2026-12-01",
        )
    })
}

/// A new check with the day on which its clock begins and the one by which it should be done, where
/// these are not said.
pub(super) fn begun(mut edit: RecordEdit) -> RecordEdit {
    let today = Day::of(clock()).to_string();
    let started = edit.fields.entry("started_on".to_owned()).or_insert(today);
    let started: Option<Day> = started.parse().ok();
    let named = edit.fields.get("check").map(String::as_str);
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| named == Some(kind.as_str()));
    let due = started.zip(kind);
    let due = due.and_then(|(started, kind)| Targets::default().due(kind, started));
    if let Some(due) = due {
        let due_on = edit.fields.entry("due_on".to_owned());
        due_on.or_insert_with(|| due.to_string());
    }
    edit
}

/// A check that has come to an outcome, with the day if that is not said.
pub(super) fn done(mut edit: RecordEdit) -> RecordEdit {
    let status = edit.fields.get("status").map(String::as_str);
    if matches!(status, Some("passed" | "failed")) {
        let done_on = edit.fields.entry("done_on".to_owned());
        done_on.or_insert_with(|| Day::of(clock()).to_string());
    }
    edit
}
