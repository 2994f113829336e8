//! `smp housing`.

use clap::Subcommand;
use smp_protocol::ids::RecordKind;

use super::Context;
use super::import::ImportArgs;
use super::shared::{self, EditArgs, ListArgs, ShowArgs};
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp housing template > homes.csv
  smp housing import homes.csv --dry-run
  smp housing list";

const IMPORT_EXAMPLES: &str = "\
Examples:
  smp housing import homes.csv --dry-run
  smp housing import homes.xlsx --complete";

const LIST_EXAMPLES: &str = "\
Examples:
  smp housing list
  smp housing list --council E08000021 --output json";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp housing show listing-aebagbafaydqqcikbmga2dqp
  smp housing show listing-aebagbafaydqqcikbmga2dqp --output json";

const EDIT_EXAMPLES: &str = "\
Examples:
  smp housing edit listing-aebagbafaydqqcikbmga2dqp --set state=let";

const TEMPLATE_EXAMPLES: &str = "\
Examples:
  smp housing template > homes.csv";

const KINDS: &[RecordKind] = &[RecordKind::Listing];

#[derive(Debug, Subcommand)]
pub(super) enum Housing {
    /// Imports a file of homes; all of it or nothing
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Lists the homes of the region
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Changes one of this council's own listings
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(EditArgs),
    /// Shows one listing, with every field
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Prints the import template, as CSV
    #[command(after_help = TEMPLATE_EXAMPLES)]
    Template,
}

impl Housing {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Import(args) => args.run(context, RecordKind::Listing),
            Self::List(args) => args.run(context, KINDS),
            Self::Show(args) => args.run(context, KINDS),
            Self::Edit(args) => args.run(context, KINDS),
            Self::Template => shared::template(context, RecordKind::Listing),
        }
    }
}
