//! `smp hosts`.

use clap::Subcommand;
use smp_protocol::ids::RecordKind;

use super::Context;
use super::import::ImportArgs;
use super::shared::{self, EditArgs, HistoryArgs, ListArgs, ShowArgs};
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp hosts template > hosts.csv
  smp hosts import hosts.csv --dry-run
  smp hosts list";

const IMPORT_EXAMPLES: &str = "\
Examples:
  smp hosts import hosts.csv --dry-run
  smp hosts import \"Share export.xlsx\"
  smp hosts import hosts.csv --complete --replicated

Importing a file again changes only what changed in it. Names, addresses and contact
details go to this council's own vault and are never shared.";

const HISTORY_EXAMPLES: &str = "\
Examples:
  smp hosts history host-aebagbafaydqqcikbmga2dqp

Of a host also its checks, from every register that this council may read. When something was
written is known where it was written; elsewhere it is shown when it came.";

const LIST_EXAMPLES: &str = "\
Examples:
  smp hosts list
  smp hosts list --council E08000021 --output csv > hosts-of-newcastle.csv";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp hosts show host-aebagbafaydqqcikbmga2dqp
  smp hosts show host-aebagbafaydqqcikbmga2dqp --personal";

const EDIT_EXAMPLES: &str = "\
Examples:
  smp hosts edit host-aebagbafaydqqcikbmga2dqp --set status=paused
  smp hosts edit host-aebagbafaydqqcikbmga2dqp --set availability_end_date= --replicated";

const TEMPLATE_EXAMPLES: &str = "\
Examples:
  smp hosts template > hosts.csv";

const KINDS: &[RecordKind] = &[RecordKind::Host];

#[derive(Debug, Subcommand)]
pub(super) enum Hosts {
    /// What became of a host and its checks: who changed what, and when that came here
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Imports a file of hosts: our template, or Share's export; all of it or nothing
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Lists the hosts that this council may read
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Shows one host
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Changes one of this council's own hosts
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(EditArgs),
    /// Prints the import template, as CSV
    #[command(after_help = TEMPLATE_EXAMPLES)]
    Template,
}

impl Hosts {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::History(args) => args.run(context, KINDS),
            Self::Import(args) => args.run(context, RecordKind::Host),
            Self::List(args) => args.run(context, KINDS),
            Self::Show(args) => args.run(context, KINDS),
            Self::Edit(args) => args.run(context, KINDS),
            Self::Template => shared::template(context, RecordKind::Host),
        }
    }
}
