//! `smp`: the command line of smp-sync, for council staff and SMP admins.
//!
//! A thin client of the node's local API, and the region authority's offline commands. It
//! never opens a store and never talks to another council's node.

mod cli;
mod client;
mod exit;
mod offline;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are answers too. Whether anybody reads them is not ours to mend.
            let _ = answer.print();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(exit::FAILURE));
        }
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.code)
        }
    }
}
