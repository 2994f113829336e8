//! `smp watch`: what concerns this council, as it happens (docs/EVENTS.md).

use std::ops::ControlFlow;
use std::time::Duration;

use smp_protocol::api::Event;

use super::Context;
use crate::client::{Block, Followed};
use crate::exit::{self, Failure};
use crate::output::{self, Events};

pub(super) const EXAMPLES: &str = "\
Examples:
  smp watch
  smp watch --after 0
  smp watch --output json > events.jsonl
  smp watch --once --output csv > events.csv

Each event says which command shows more. JSON is one object on a line. It goes on by itself when the
node is started again, from behind the last event that it printed. docs/EVENTS.md lists the events.

It ends with 3 where the node cannot be reached when it begins, with 1 where too many watch already, and
with 0 after --once, or when whoever reads its output hangs up.";

/// Pauses before the node is tried again, in seconds; the last one from then on.
const PAUSES: [u64; 5] = [1, 2, 5, 10, 30];

#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Begin behind the event of this number; 0 for all that the node remembers
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
    /// Print what the node remembers, and end
    #[arg(long)]
    once: bool,
}

impl Watch {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if context.export.is_some() {
            return Err(Failure::new(
                exit::USAGE,
                "what happens is printed as it happens, and not written with --to",
                "send it into a file: `smp watch --output json > events.jsonl`",
            ));
        }
        let mut printed = Events::new(context.format);
        let mut after = self.after.or(self.once.then_some(0));
        let mut was_there = false;
        let mut tries = 0;
        loop {
            let from = path(after, self.once);
            let mut each = |block: Block| {
                (was_there, tries) = (true, 0);
                let told = block.data.map(|data| print(&mut printed, &data));
                // Behind what was printed, so that nothing is missed.
                after = block.id.or(after);
                told.unwrap_or(Ok(ControlFlow::Continue(())))
            };
            match context.client.follow(&from, &mut each) {
                Ok(Followed::Enough) => return Ok(()),
                Ok(Followed::Over) if self.once => return self.tell_none(context, &printed),
                Ok(Followed::Over) => output::note("the node has stopped; waiting for it"),
                Err(failure) if !was_there || self.once => return Err(failure),
                Err(failure) if is_for_good(&failure) => return Err(failure),
                Err(failure) if tries == 0 => {
                    output::note(&format!("{}; trying again", failure.message));
                }
                Err(_) => {}
            }
            let pause = PAUSES.get(tries).or(PAUSES.last()).copied();
            std::thread::sleep(Duration::from_secs(pause.unwrap_or(1)));
            tries = (tries + 1).min(PAUSES.len());
        }
    }
}

impl Watch {
    fn tell_none(&self, context: &Context, printed: &Events) -> Result<(), Failure> {
        match (printed.has_begun(), self.after) {
            (true, _) => Ok(()),
            (false, None | Some(0)) => context.tell("The node has told nothing yet.\n"),
            (false, Some(after)) => context.tell(&format!("Nothing since {after}.\n")),
        }
    }
}

/// Neither a node that is away, nor one that is starting or has no room, is a reason to end.
fn is_for_good(failure: &Failure) -> bool {
    !matches!(failure.code, exit::UNREACHABLE | exit::FAILURE)
}

fn path(after: Option<u64>, once: bool) -> String {
    match after {
        Some(number) => format!("/v1/events?after={number}&once={once}"),
        None => format!("/v1/events?once={once}"),
    }
}

fn print(printed: &mut Events, data: &str) -> Result<ControlFlow<()>, Failure> {
    let event: Event = serde_json::from_str(data).map_err(|error| {
        Failure::new(
            exit::FAILURE,
            format!("an event of the node is not understood: {error}"),
            "compare `smp --version` with `smp-node --version`; they belong together",
        )
    })?;
    printed.print(&event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_on_from_behind_what_it_saw() {
        assert_eq!(path(None, false), "/v1/events?once=false");
        assert_eq!(path(Some(7), true), "/v1/events?after=7&once=true");
    }

    #[test]
    fn only_what_does_not_pass_ends_it() {
        let of = |code| is_for_good(&Failure::new(code, "", ""));
        assert!(of(exit::REFUSED));
        assert!(!of(exit::UNREACHABLE) && !of(exit::FAILURE));
    }
}
