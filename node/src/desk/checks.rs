//! Checks of hosts: listed with their clocks, and what they come to for each host.

use smp_protocol::api::{HostCheck, HostReadiness, RecordEdit};
use smp_protocol::checks::{Kind, Readiness, Standing, Targets, lacks};
use smp_protocol::time::Day;

use super::Desk;
use super::records::{name_of, show};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};

/// Every check, what is due first at the top.
pub(super) fn list(core: &mut Core, today: Day) -> Vec<HostCheck> {
    let own = core.member.identity().council;
    let mut checks = core.registers().checks;
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
    let all = core.registers();
    let by_host = all.by_host();
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

/// A check that is begun or recorded, with the days that are not said: the one on which its clock
/// began and the one by which it should be done, of a new one; of an outcome the one on which it was
/// come to.
pub(super) fn with_days(mut edit: RecordEdit, is_new: bool, targets: &Targets) -> RecordEdit {
    let today = Day::of(clock()).to_string();
    let fields = &mut edit.fields;
    if is_new {
        let started = fields.entry("started_on".to_owned());
        let started: Option<Day> = started.or_insert(today.clone()).parse().ok();
        let kind = fields.get("check").and_then(|word| Kind::named(word));
        let due = started.zip(kind);
        let due = due.and_then(|(started, kind)| targets.due(kind, started));
        if let Some(due) = due {
            let due_on = fields.entry("due_on".to_owned());
            due_on.or_insert_with(|| due.to_string());
        }
    }
    let status = fields.get("status").map(String::as_str);
    if matches!(status, Some("passed" | "failed")) {
        fields.entry("done_on".to_owned()).or_insert(today);
    }
    edit
}

impl Desk {
    /// By when checks should be done, in this region.
    pub(super) fn targets(&self) -> Targets {
        Targets::of(&self.shared.roster().targets)
    }

    /// A check is of a host of a register that this council may read: one that is of nobody would
    /// hold up nobody.
    pub(super) async fn must_be_of_a_host(&self, edit: &RecordEdit) -> Answer<()> {
        // Where none is named, or what is no id, the schema says so.
        let host = edit.fields.get("host").and_then(|host| host.parse().ok());
        match host {
            Some(host) => self
                .ask(move |core| show(core, host, false))
                .await?
                .map(drop),
            None => Ok(()),
        }
    }
}
