//! `smp checks`: what is to be checked of hosts, by when, and what it comes to (docs/CHECKS.md).

use std::collections::BTreeMap;

use clap::Subcommand;
use hyper::Method;
use smp_protocol::api::{HostCheck, HostReadiness, RosterView};
use smp_protocol::ids::{RecordId, RecordKind};
use smp_protocol::time::Day;

use super::Context;
use super::fields;
use super::shared::{HistoryArgs, WriteArgs};
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp checks start host-aebagbafaydqqcikbmga2dqp sponsor_contact accommodation_exists
  smp checks due
  smp checks record check-aebagbafaydqqcikbmga2dqp passed
  smp checks hosts";

const START_EXAMPLES: &str = "\
Examples:
  smp checks start host-aebagbafaydqqcikbmga2dqp sponsor_contact accommodation_exists
  smp checks start host-aebagbafaydqqcikbmga2dqp accommodation_suitable --on 2026-12-01

It is due so many days later as the pathway says: docs/CHECKS.md.";

const RECORD_EXAMPLES: &str = "\
Examples:
  smp checks record check-aebagbafaydqqcikbmga2dqp passed
  smp checks record check-aebagbafaydqqcikbmga2dqp passed --on 2026-12-03 --level enhanced
  smp checks record check-aebagbafaydqqcikbmga2dqp failed";

const WITHDRAW_EXAMPLES: &str = "\
Examples:
  smp checks withdraw check-aebagbafaydqqcikbmga2dqp";

const DUE_EXAMPLES: &str = "\
Examples:
  smp checks due
  smp checks due --within 3
  smp checks due --on 2026-12-09 --output csv > due.csv";

const TARGETS_EXAMPLES: &str = "\
Examples:
  smp checks targets
  smp checks targets --output csv > targets.csv";

const HISTORY_EXAMPLES: &str = "\
Examples:
  smp checks history check-aebagbafaydqqcikbmga2dqp";

const LIST_EXAMPLES: &str = "\
Examples:
  smp checks list
  smp checks list --host host-aebagbafaydqqcikbmga2dqp";

const HOSTS_EXAMPLES: &str = "\
Examples:
  smp checks hosts
  smp checks hosts host-aebagbafaydqqcikbmga2dqp";

/// Days ahead that `due` looks: a working week.
const WITHIN: i64 = 7;

#[derive(Debug, Subcommand)]
pub(super) enum Checks {
    /// What became of a check: who changed what, and when that came here
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Begins checks of a host, in this council's own register
    #[command(after_help = START_EXAMPLES)]
    Start {
        /// The host, in this register or an area partner's
        host: RecordId,
        /// Which checks, such as sponsor_contact or dbs; a wrong one prints all of them
        #[arg(required = true, value_name = "CHECK")]
        checks: Vec<String>,
        /// The day on which the clock begins; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Day>,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Records what a check has come to
    #[command(after_help = RECORD_EXAMPLES)]
    Record {
        /// The check's id
        check: RecordId,
        /// Its status, such as passed, failed or no_longer_needed
        status: String,
        /// The day on which it was done; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Day>,
        /// The last day on which the outcome counts
        #[arg(long, value_name = "DATE")]
        valid_until: Option<Day>,
        /// Of a DBS check: basic or enhanced
        #[arg(long, value_name = "CODE")]
        level: Option<String>,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Withdraws a check that was made in error: it counts for nothing
    #[command(after_help = WITHDRAW_EXAMPLES)]
    Withdraw {
        /// The check's id
        check: RecordId,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Lists what is overdue, and what is due soon
    #[command(after_help = DUE_EXAMPLES)]
    Due {
        /// Days ahead
        #[arg(long, value_name = "DAYS", default_value_t = WITHIN)]
        within: i64,
        /// As of this day; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Day>,
    },
    /// By when each check should be done in this region, and who does it
    #[command(after_help = TARGETS_EXAMPLES)]
    Targets,
    /// Lists every check that this council may read
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only those of this host
        #[arg(long, value_name = "ID")]
        host: Option<RecordId>,
    },
    /// Says of each host whether it is ready, and what is lacking
    #[command(after_help = HOSTS_EXAMPLES)]
    Hosts {
        /// Only this host
        host: Option<RecordId>,
    },
}

impl Checks {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::History(args) => args.run(context, &[RecordKind::Check]),
            Self::Start {
                host,
                checks,
                on,
                write,
            } => start(context, host, &checks, on, &write),
            Self::Record {
                check,
                status,
                on,
                valid_until,
                level,
                write,
            } => {
                let day = |day: Option<Day>| day.map(|day| day.to_string());
                let given = [
                    ("done_on", day(on)),
                    ("valid_until", day(valid_until)),
                    ("level", level),
                ];
                let given = given.into_iter();
                let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
                let mut fields: BTreeMap<String, String> = given.collect();
                fields.insert("status".to_owned(), status);
                fields::check(RecordKind::Check, &fields)?;
                change(context, check, fields, &write)
            }
            Self::Withdraw { check, write } => {
                let fields = BTreeMap::from([("withdrawn".to_owned(), "yes".to_owned())]);
                change(context, check, fields, &write)
            }
            Self::Targets => {
                let roster: RosterView = context.client.get("/v1/roster")?;
                context.show(&roster.targets)
            }
            Self::Due { within, on } => {
                let mut checks = listed(context, on)?;
                checks.retain(|check| check.in_days.is_some_and(|days| days <= within));
                context.show(&checks)
            }
            Self::List { host } => {
                let mut checks = listed(context, None)?;
                checks.retain(|check| host.is_none_or(|host| check.host == host.to_string()));
                context.show(&checks)
            }
            Self::Hosts { host } => {
                let mut hosts: Vec<HostReadiness> = context.client.get("/v1/readiness")?;
                if let Some(host) = host {
                    hosts.retain(|one| one.host == host.to_string());
                    if hosts.is_empty() {
                        return Err(Failure::refused(
                            format!("no register that this council may read has {host}"),
                            "`smp hosts list` prints the ids of hosts",
                        ));
                    }
                }
                context.show(&hosts)
            }
        }
    }
}

fn listed(context: &Context, on: Option<Day>) -> Result<Vec<HostCheck>, Failure> {
    let path = match on {
        Some(day) => format!("/v1/checks?on={day}"),
        None => "/v1/checks".to_owned(),
    };
    context.client.get(&path)
}

fn change(
    context: &Context,
    check: RecordId,
    fields: BTreeMap<String, String>,
    write: &WriteArgs,
) -> Result<(), Failure> {
    let path = format!("/v1/record/{}", of_kind(check, RecordKind::Check)?);
    write.send(context, Method::PATCH, &path, fields)
}

fn of_kind(id: RecordId, kind: RecordKind) -> Result<RecordId, Failure> {
    match id.kind() == kind {
        true => Ok(id),
        false => Err(Failure::refused(
            format!("{id} is a {}, and no {kind}", id.kind()),
            "`smp hosts list` prints the ids of hosts, `smp checks list` those of checks",
        )),
    }
}

/// All are looked at before the first is sent.
fn start(
    context: &Context,
    host: RecordId,
    checks: &[String],
    on: Option<Day>,
    write: &WriteArgs,
) -> Result<(), Failure> {
    let host = of_kind(host, RecordKind::Host)?;
    let mut all = Vec::new();
    for check in checks {
        let mut fields = BTreeMap::from([
            ("host".to_owned(), host.to_string()),
            ("check".to_owned(), check.clone()),
            ("status".to_owned(), "in_progress".to_owned()),
        ]);
        fields.extend(on.map(|day| ("started_on".to_owned(), day.to_string())));
        fields::check(RecordKind::Check, &fields)?;
        all.push(fields);
    }
    for fields in all {
        write.send(context, Method::POST, "/v1/records/check", fields)?;
    }
    Ok(())
}
