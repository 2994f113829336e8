//! `smp-node`: one council's daemon, and the commands that set it up.
//!
//! It parses the command line, runs one command and turns what became of it into an exit
//! code. It prints; the library does not.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("smp-node: {:#}", failed.error);
            ExitCode::from(failed.exit as u8)
        }
    }
}
