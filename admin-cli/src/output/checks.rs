//! Checks of hosts, and what they come to.

use smp_protocol::api::{CheckClock, HostCheck, HostReadiness};

use super::table::{Mood, cell, marked};
use super::{Look, View, csv};
use crate::exit::Failure;

const CHECK: [&str; 14] = [
    "id",
    "host",
    "check",
    "status",
    "council",
    "council_name",
    "own",
    "done_by",
    "started_on",
    "due_on",
    "done_on",
    "valid_until",
    "standing",
    "in_days",
];

const READINESS: [&str; 5] = ["host", "council", "council_name", "readiness", "lacks"];

fn due(check: &HostCheck) -> (String, Mood) {
    match check.in_days {
        Some(-1) => ("1 day over".to_owned(), Mood::Bad),
        Some(days) if days < 0 => (format!("{} days over", -days), Mood::Bad),
        Some(1) => ("in 1 day".to_owned(), Mood::Plain),
        Some(0) => ("today".to_owned(), Mood::Warn),
        Some(days) => (format!("in {days} days"), Mood::Plain),
        None => (check.done_on.clone().unwrap_or_default(), Mood::Plain),
    }
}

impl View for Vec<HostCheck> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No such checks. `smp checks start --help` says how one is begun.\n".to_owned();
        }
        let rows = self.iter().map(|check| {
            let (due, mood) = due(check);
            vec![
                cell(&check.id),
                cell(check.check.replace('_', " ")),
                cell(check.status.replace('_', " ")),
                cell(&check.council_name),
                cell(check.due_on.as_deref().unwrap_or("no target")),
                marked(due, mood),
            ]
        });
        look.table(
            &["Check", "Of", "Status", "Recorded by", "Due on", "Due"],
            rows.collect(),
        )
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&CHECK, self)
    }
}

impl View for Vec<HostReadiness> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No hosts in any register that this council may read.\n".to_owned();
        }
        let rows = self.iter().map(|host| {
            let mood = match host.readiness.as_str() {
                "ready" => Mood::Good,
                "blocked" => Mood::Bad,
                _ => Mood::Warn,
            };
            vec![
                cell(&host.host),
                cell(&host.council_name),
                marked(host.readiness.clone(), mood),
                cell(host.lacks.join("; ")),
            ]
        });
        look.table(&["Host", "Council", "Is", "Lacks"], rows.collect())
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&READINESS, self)
    }
}

impl View for Vec<CheckClock> {
    fn words(&self, look: &Look) -> String {
        let rows = self.iter().map(|clock| {
            let days = match clock.days {
                Some(1) => "1 day".to_owned(),
                Some(days) => format!("{days} days"),
                None => "no target".to_owned(),
            };
            let by = match clock.by.as_str() {
                "region" => "the region",
                _ => "the published pathway",
            };
            vec![
                cell(clock.check.replace('_', " ")),
                cell(days),
                cell(by),
                cell(&clock.done_by),
            ]
        });
        look.table(&["Check", "Within", "As set by", "Done by"], rows.collect())
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&["check", "days", "by", "done_by"], self)
    }
}
