//! The command line: one file for each noun, and what all of them share.
//!
//! Every command has examples in its help; a test reads them and parses each one.

mod cases;
mod checks;
mod completions;
mod documents;
mod fields;
mod hosts;
mod housing;
mod import;
mod indicators;
mod member;
mod pool;
mod readers;
mod region;
mod roster;
mod search;
mod shared;
mod status;
mod targets;
#[cfg(test)]
mod tests;
mod watch;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::client::Client;
use crate::exit::{self, Failure};
use crate::output::{self, Export, Format, View};

/// Runs and looks after a council's node, and the region that it belongs to.
#[derive(Debug, Parser)]
#[command(
    name = "smp",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = format!("{EXAMPLES}\n\n{}", exit::HELP),
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  smp status
  smp hosts import hosts.csv --dry-run
  smp pool place --rooms 2 --people 4 --area E08000021 --available-from 2026-12-01
  smp documents --output json
  smp hosts list --to hosts.xlsx";

/// The options that every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// How to print: for people (`table`, as it is if nothing is said), as the node's own JSON, as
    /// CSV for spreadsheets (there, a cell that begins like a formula gets an apostrophe in front),
    /// or as an Excel workbook
    #[arg(long, short, global = true, value_name = "FORMAT")]
    output: Option<Format>,

    /// Write the result to this file, which only you may read; its ending says the format: .csv,
    /// .xlsx or .json
    #[arg(long, global = true, value_name = "FILE")]
    to: Option<PathBuf>,

    /// Overwrite the file that `--to` names
    #[arg(long, global = true, requires = "to")]
    force: bool,

    /// The socket on which the node listens
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "SMP_SOCKET",
        default_value = "/run/smp-node/smp-node.sock"
    )]
    socket: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How this node, its peers and its documents stand, and what to do about it
    #[command(after_help = status::STATUS_EXAMPLES)]
    Status(status::StatusArgs),
    /// Every other node of the region: connected or not, in agreement or not, and why
    #[command(after_help = status::PEERS_EXAMPLES)]
    Peers,
    /// Every document that this council may read: in agreement or not, as of when, and why
    #[command(after_help = documents::EXAMPLES)]
    Documents(documents::Documents),
    /// This council's host register, and those that it may read
    #[command(subcommand, after_help = hosts::EXAMPLES)]
    Hosts(hosts::Hosts),
    /// The rematching pool: places that are offered, requests that look for one
    #[command(subcommand, after_help = pool::EXAMPLES)]
    Pool(pool::Pool),
    /// Rematching with other councils: propose, hold, confirm, and what becomes of it
    #[command(subcommand, after_help = cases::EXAMPLES)]
    Cases(cases::Cases),
    /// Checks of hosts: what is due, and which hosts are ready
    #[command(subcommand, after_help = checks::EXAMPLES)]
    Checks(checks::Checks),
    /// What concerns this council, as it happens
    #[command(after_help = watch::EXAMPLES)]
    Watch(watch::Watch),
    /// Move-on homes
    #[command(subcommand, after_help = housing::EXAMPLES)]
    Housing(housing::Housing),
    /// How the region stands, by council and month
    #[command(after_help = indicators::EXAMPLES)]
    Indicators(indicators::Indicators),
    /// Who may read a register
    #[command(subcommand, after_help = readers::EXAMPLES)]
    Readers(readers::Readers),
    /// The region's signed list of members
    #[command(subcommand, after_help = roster::EXAMPLES)]
    Roster(roster::Roster),
    /// For the SMP admin, offline: the region and its authority's keys
    #[command(subcommand, after_help = region::EXAMPLES)]
    Region(region::Region),
    /// For the SMP admin, offline: councils' nodes in the region
    #[command(subcommand, after_help = member::EXAMPLES)]
    Member(member::Member),
    /// Prints completions for a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
}

/// What a command needs to do its work.
#[derive(Debug)]
pub(crate) struct Context {
    client: Client,
    format: Format,
    export: Option<Export>,
}

impl Context {
    fn show<V: View>(&self, value: &V) -> Result<(), Failure> {
        match &self.export {
            Some(export) => export.put(value),
            None => output::show(self.format, value),
        }
    }

    /// Prints what is a file already, such as a template.
    fn print(&self, text: &str) -> Result<(), Failure> {
        match &self.export {
            Some(export) => export.put_text(text),
            None => output::print(text),
        }
    }

    /// Words for people after what was done.
    fn tell(&self, text: &str) -> Result<(), Failure> {
        match &self.export {
            Some(_) => output::print(text),
            None => output::tell(self.format, text),
        }
    }
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Global {
            output,
            to,
            force,
            socket,
        } = self.global;
        let export = to.map(|path| Export::new(&path, output, force));
        let export = export.transpose()?;
        // Before anything is changed whose answer could then not be shown.
        if export.is_none() && output == Some(Format::Xlsx) {
            return Err(output::needs_a_file());
        }
        let context = Context {
            // A list goes into a file; that something was changed does not.
            client: Client::new(&socket, export.is_some()),
            format: output.unwrap_or_default(),
            export,
        };
        match self.command {
            Command::Status(args) => args.run(&context),
            Command::Peers => status::peers(&context),
            Command::Documents(command) => command.run(&context),
            Command::Hosts(command) => command.run(&context),
            Command::Pool(command) => command.run(&context),
            Command::Cases(command) => command.run(&context),
            Command::Checks(command) => command.run(&context),
            Command::Watch(args) => args.run(&context),
            Command::Housing(command) => command.run(&context),
            Command::Indicators(args) => args.run(&context),
            Command::Readers(command) => command.run(&context),
            Command::Roster(command) => command.run(&context),
            Command::Region(command) => command.run(&context),
            Command::Member(command) => command.run(&context),
            Command::Completions(args) => args.run(&context),
        }
    }
}
