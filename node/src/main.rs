//! `smp-node`: one council's daemon, and the commands that set it up.
//!
//! It parses the command line, runs one command and turns what became of it into an exit
//! code. It prints; the library does not.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A library's panic may quote what it was reading: a cell, a key. Only the place is said.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        eprintln!(
            "smp-node: a defect at {}",
            place.as_deref().unwrap_or("an unknown place")
        );
    }));
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            // Most of our errors tell their cause in their own words; those are not repeated.
            let mut told = failed.error.to_string();
            for cause in failed.error.chain().skip(1).map(ToString::to_string) {
                if !told.contains(&cause) {
                    told = format!("{told}: {cause}");
                }
            }
            eprintln!("smp-node: {told}");
            ExitCode::from(failed.exit as u8)
        }
    }
}
