//! `smp-node join`: takes the bundle of the region's admin, once a person has compared the
//! authority's fingerprint. Nothing is kept before that.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, anyhow};
use smp_certs::{JoinBundle, NodeKeys};
use smp_node::membership::{self, MembershipError};

use super::{Exit, Failed, JoinArgs};

pub(super) fn run(args: JoinArgs) -> Result<(), Failed> {
    let config = super::load(&args.config)?;
    let keys = NodeKeys::load(&config.keys_dir).map_err(|error| Exit::Refused.with(error))?;
    let bundle = membership::read(&args.bundle).map_err(|error| match error {
        MembershipError::Io { .. } => Exit::Refused.with(anyhow!(
            "{error}; name the bundle that the region's admin sent back, or ask for it again"
        )),
        error => Exit::Refused.with(error),
    })?;
    let roster = bundle
        .verify(&keys, super::now()?)
        .map_err(|error| Exit::Refused.with(error))?;
    println!(
        "Region {} ({}), roster version {}, {} member councils.\n\
         Fingerprint of the region's authority:\n  {}",
        bundle.region,
        roster.title,
        roster.version,
        roster.members.len(),
        bundle.fingerprint()
    );
    let held = membership::load(&config.data_dir).ok().flatten();
    if held.as_ref() == Some(&bundle) {
        println!("This node has joined with this bundle already; nothing was changed.");
        return Ok(());
    }
    if !(args.yes || is_known(held.as_ref(), &bundle) || confirmed()?) {
        return Err(Exit::Refused.with(anyhow!(
            "the fingerprint was not confirmed; nothing was changed. Compare it with the \
             region's admin by telephone, then run this again, or with --yes"
        )));
    }
    membership::install(&config.data_dir, &bundle, roster.version).map_err(|error| {
        let exit = match error {
            MembershipError::Io { .. } => Exit::Attention,
            _ => Exit::Refused,
        };
        exit.with(error)
    })?;
    println!(
        "Joined region {} as node {}.\n\
         Next: run `smp-node run --config {}`, or restart it where it runs",
        bundle.region,
        keys.node_id(),
        config.file.display()
    );
    Ok(())
}

/// An authority that was compared before is not asked about again.
fn is_known(held: Option<&JoinBundle>, bundle: &JoinBundle) -> bool {
    held.is_some_and(|held| held.fingerprint() == bundle.fingerprint())
}

/// Asks the person at the terminal; without one the answer is no.
fn confirmed() -> Result<bool, Failed> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    print!("Did the region's admin read you these very digits? [y/N] ");
    std::io::stdout()
        .flush()
        .context("cannot write to the terminal")?;
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .context("cannot read from the terminal")?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
