//! `smp completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Context};
use crate::exit::{self, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp completions bash > /etc/bash_completion.d/smp
  smp completions zsh
  smp completions fish";

/// Prints completions for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "smp", &mut bytes);
        let text = String::from_utf8(bytes).map_err(|e| {
            Failure::new(exit::FAILURE, format!("cannot make completions: {e}"), "")
        })?;
        context.print(&text)
    }
}
