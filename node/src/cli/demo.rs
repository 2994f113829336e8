//! `smp-node demo`: fails unless every reader agreed.

use anyhow::{Context, anyhow};
use smp_node::demo::{self, DemoArgs, DemoError, Local};
use smp_node::logging::{self, LogFormat, LogLevel};
use smp_node::service::FailureKind;

use super::{Exit, Failed};

pub(super) fn run(args: DemoArgs) -> Result<(), Failed> {
    // Peers that are not there yet are the ordinary course of a demo; errors are not.
    logging::start(LogFormat::Text, LogLevel::Error).map_err(|error| Exit::Refused.with(error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime
        .block_on(demo::run(args, &Local))
        .map_err(|error| exit_of(&error).with(error))?;
    if outcome.converged {
        Ok(())
    } else {
        Err(Exit::Attention.with(anyhow!(
            "not every reader agrees with every council; the lines above say who lacks what"
        )))
    }
}

/// Whose fault it is: the command line's, this machine's, or ours.
fn exit_of(error: &DemoError) -> Exit {
    match error {
        DemoError::Region(_) | DemoError::NotEmpty { .. } => Exit::Refused,
        DemoError::File { .. } | DemoError::Port(_) => Exit::Attention,
        DemoError::Refused { failure, .. } if failure.kind == FailureKind::Unavailable => {
            Exit::Attention
        }
        _ => Exit::Unexpected,
    }
}
