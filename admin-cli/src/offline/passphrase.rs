//! The authority's passphrase: from a file, from the environment, or asked for.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use smp_certs::Passphrase;
use zeroize::Zeroizing;

use super::region_dir::read_text;
use crate::exit::{self, Failure};

/// The environment's name for it.
const VARIABLE: &str = "SMP_PASSPHRASE";

/// Where the passphrase comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct PassphraseArgs {
    /// A file whose first line is the passphrase; otherwise SMP_PASSPHRASE from the
    /// environment, otherwise it is asked for
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Whether the passphrase is a new one, and so asked for twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// It is chosen now.
    New,
    /// It was chosen before.
    Known,
}

/// The passphrase of the region authority.
pub(crate) fn passphrase(args: &PassphraseArgs, what: Use) -> Result<Passphrase, Failure> {
    if let Some(path) = &args.passphrase_file {
        let text = Zeroizing::new(read_text(path)?);
        let line = text.lines().next().unwrap_or_default();
        return Ok(Passphrase::new(line));
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        return Ok(Passphrase::new(text));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            exit::USAGE,
            "the region authority's passphrase is needed, and there is no terminal to ask on",
            format!("give it with --passphrase-file FILE, or in {VARIABLE}"),
        ));
    }
    let first = ask("Passphrase of the region authority: ")?;
    if what == Use::New && *ask("The same again: ")? != *first {
        return Err(Failure::refused(
            "the two passphrases differ; nothing was made",
            "run the command again",
        ));
    }
    Ok(Passphrase::new(first.as_str()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let answer = rpassword::prompt_password(prompt).map(Zeroizing::new);
    answer.map_err(|e| {
        Failure::new(
            exit::FAILURE,
            format!("cannot ask for the passphrase: {e}"),
            "give it with --passphrase-file FILE",
        )
    })
}
