//! The demo from beginning to end, and the region while it runs.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smp_protocol::ids::DocumentKind;
use smp_protocol::time::UnixSeconds;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::DemoArgs;
use super::councils::{Chosen, Counts, MOST_COUNCILS, choose};
use super::error::DemoError;
use super::load::{Load, prepare};
use super::program::{Program, Site};
use super::region::{AUTHORITY_DIR, Home, PASSPHRASE, make};
use super::rematch::rematch;
use super::report::{Console, Extra, Outcome, bytes, records, seconds, table};
use super::restart::{CaughtUp, stop_write_start};
use super::watch::{STALLED_AFTER, Seen, expected, until_agreed};

/// Councils that import at once: more would only wait for the one machine that they share.
const IMPORTING: usize = 4;
/// From how many hosts on the demo says that it takes a while.
const MANY_HOSTS: u32 = 5_000;

/// The region while it runs.
pub(super) struct Region<'a, P: Program> {
    pub(super) chosen: &'a Chosen,
    program: &'a P,
    sites: Vec<Site>,
    /// In the order of the councils; `None` for one that is stopped.
    nodes: Vec<Option<P::Node>>,
}

impl<P: Program> Region<'_, P> {
    /// What the running nodes answer to.
    pub(super) fn services(&self) -> Vec<Option<P::Service>> {
        let services = self.nodes.iter().map(|node| {
            let node = node.as_ref()?;
            Some(self.program.service(node))
        });
        services.collect()
    }

    /// Starts the node of a council, if it is not running.
    pub(super) async fn start(&mut self, index: usize) -> Result<(), DemoError> {
        let (Some(site), Some(council)) = (self.sites.get(index), self.chosen.councils.get(index))
        else {
            return Ok(());
        };
        let started = self.program.start(site).await;
        let node = started.map_err(|why| DemoError::Start {
            council: council.name.clone(),
            why,
        })?;
        if let Some(place) = self.nodes.get_mut(index) {
            *place = Some(node);
        }
        Ok(())
    }

    /// Stops the node of a council, if it is running.
    pub(super) async fn stop(&mut self, index: usize) {
        if let Some(node) = self.nodes.get_mut(index).and_then(Option::take) {
            self.program.stop(node).await;
        }
    }

    async fn start_all(&mut self) -> Result<(), DemoError> {
        for index in 0..self.sites.len() {
            self.start(index).await?;
        }
        Ok(())
    }

    async fn stop_all(&mut self) {
        for index in 0..self.nodes.len() {
            self.stop(index).await;
        }
    }
}

/// Runs the demo. Everything is said on standard output while it happens.
///
/// # Errors
/// [`DemoError`] where it could not go on. That readers do not agree is no error but an
/// [`Outcome`], which says so.
pub async fn run<P: Program>(args: DemoArgs, program: &P) -> Result<Outcome, DemoError> {
    let console = Console::new();
    let chosen = choose(&args.region, args.councils)?;
    let home = Home::make(args.keep.as_deref())?;
    introduce(&console, &chosen, &args);
    let sites = make(program, home.path(), &chosen, args.engine, now())?;
    console.say("made the region: an authority, certificates, a roster, keys for every node");
    let mut region = Region {
        nodes: sites.iter().map(|_| None).collect(),
        chosen: &chosen,
        program,
        sites,
    };
    let outcome = in_region(&mut region, &console, home.path(), &args).await;
    // Whatever happened, no node outlives its directory.
    region.stop_all().await;
    let outcome = outcome?;
    if let Home::Kept(dir) = &home {
        say_kept(&console, &chosen, dir);
    }
    if args.json {
        // Plain fields cannot fail to be written; if ever they do, the line says why.
        let json = serde_json::to_string(&outcome);
        console.line(json.unwrap_or_else(|error| error.to_string()));
    }
    Ok(outcome)
}

fn now() -> UnixSeconds {
    UnixSeconds(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0))
}

fn introduce(console: &Console, chosen: &Chosen, args: &DemoArgs) {
    let councils = chosen.councils.len();
    let hosts: u32 = chosen
        .councils
        .iter()
        .map(|c| Counts::of(c.arrivals).hosts)
        .sum();
    console.say(format_args!(
        "{}: {councils} real councils, {hosts} made-up hosts (seed {})",
        chosen.region, args.seed
    ));
    if chosen.left_out > 0 {
        console.say(format_args!(
            "{} more councils of the region are left out: a demo has at most {}, and keeps \
             those with most arrivals",
            chosen.left_out,
            args.councils.unwrap_or(MOST_COUNCILS)
        ));
    }
    if hosts >= MANY_HOSTS {
        console.say("this many takes minutes on a small machine");
    }
}

/// What is done once the region is made.
async fn in_region<P: Program>(
    region: &mut Region<'_, P>,
    console: &Console,
    home: &Path,
    args: &DemoArgs,
) -> Result<Outcome, DemoError> {
    region.start_all().await?;
    console.say(format_args!("started {} nodes", region.nodes.len()));
    let first_write = Instant::now();
    let imported = load(region, console, home, args.seed).await?;
    let last_write = Instant::now();
    let councils = &region.chosen.councils;
    let services = region.services();
    console.say(format_args!(
        "imported {imported} records; waiting until every reader agrees"
    ));
    let mut progress = console.progress("copies in agreement");
    let seen = until_agreed(councils, &services, STALLED_AFTER, |n, of| {
        progress.at(n, of)
    })
    .await?;
    drop(progress);
    let waited = last_write.duration_since(first_write);
    let mut outcome = outcome_of(region, args, &seen);
    if seen.lacks.is_empty() {
        let (all, after) = (first_write.elapsed(), last_write.elapsed());
        outcome.seconds_to_converge = Some(rounded(all));
        outcome.seconds_after_last_write = Some(rounded(after));
        console.say(format_args!(
            "every reader agrees: {} copies of {} documents, {} after the first file and {} \
             after the last write",
            outcome.copies,
            outcome.documents,
            seconds(all),
            seconds(after),
        ));
        // What still answers for a node keeps its port.
        drop(services);
        let caught_up = stop_write_start(region, console, &seen).await?;
        finish(
            region.chosen,
            console,
            &mut outcome,
            &seen,
            waited,
            caught_up,
        );
        if outcome.converged {
            let took = rematch(region, console).await?;
            outcome.seconds_to_rematch = took.map(rounded);
        }
    } else {
        let extras = extras(&seen, waited);
        say_end(region.chosen, console, &seen, &extras, &outcome);
    }
    outcome.seconds_total = rounded(console.elapsed());
    Ok(outcome)
}

/// Every council accepts its readers and imports its files, a few councils at a time.
async fn load<P: Program>(
    region: &Region<'_, P>,
    console: &Console,
    home: &Path,
    seed: u64,
) -> Result<usize, DemoError> {
    let councils = &region.chosen.councils;
    let loads: Result<Vec<Load>, DemoError> = councils
        .iter()
        .map(|council| prepare(home, council, councils, seed))
        .collect();
    console.say("wrote hosts, housing, places and requests as CSV for every council");
    let turn = Arc::new(Semaphore::new(IMPORTING));
    let mut tasks = JoinSet::new();
    for (load, service) in loads?.into_iter().zip(region.services()) {
        let Some(service) = service else { continue };
        let turn = Arc::clone(&turn);
        tasks.spawn(async move {
            let _held = turn.acquire_owned().await;
            load.accept_readers(&service).await?;
            load.run(service).await
        });
    }
    let mut progress = console.progress("councils imported");
    let (mut done, mut records) = (0usize, 0usize);
    while let Some(finished) = tasks.join_next().await {
        records = records.saturating_add(finished??);
        done = done.saturating_add(1);
        progress.at(done, councils.len());
    }
    Ok(records)
}

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

fn outcome_of<P: Program>(region: &Region<'_, P>, args: &DemoArgs, seen: &Seen) -> Outcome {
    let councils = &region.chosen.councils;
    Outcome {
        region: region.chosen.region.clone(),
        councils: councils.len(),
        documents: councils.len().saturating_mul(DocumentKind::OF_EACH.len()),
        copies: expected(councils).len(),
        records: records_of(region.chosen, seen),
        converged: false,
        seconds_to_converge: None,
        seconds_after_last_write: None,
        seconds_to_catch_up: None,
        seconds_to_rematch: None,
        seconds_total: 0.0,
        bytes_on_the_wire: seen.views.iter().map(|view| view.sent).sum(),
        engine: args.engine.as_str(),
        seed: args.seed,
        lacks: seen.lacks.clone(),
    }
}

/// Records that the councils hold of their own.
fn records_of(chosen: &Chosen, seen: &Seen) -> usize {
    let own = chosen
        .councils
        .iter()
        .zip(&seen.views)
        .map(|(council, view)| records(view, |document| document.ends_with(council.code.as_str())));
    own.sum()
}

fn extras(seen: &Seen, before: Duration) -> Vec<Extra> {
    let whole = seen.whole_after.iter().map(|after| Extra {
        whole_after: after.map(|after| after.saturating_add(before)),
        ..Extra::default()
    });
    whole.collect()
}

/// The last steps, when all agreed the first time.
fn finish(
    chosen: &Chosen,
    console: &Console,
    outcome: &mut Outcome,
    first: &Seen,
    waited: Duration,
    caught_up: CaughtUp,
) {
    let seen = caught_up.seen;
    let mut extras = extras(first, waited);
    if let Some(extra) = extras.get_mut(caught_up.stopped) {
        (extra.sent, extra.received) = caught_up.before;
    }
    outcome.records = records_of(chosen, &seen);
    outcome.lacks = seen.lacks.clone();
    outcome.converged = seen.lacks.is_empty();
    outcome.bytes_on_the_wire =
        seen.views.iter().map(|view| view.sent).sum::<u64>() + caught_up.before.0;
    if outcome.converged {
        outcome.seconds_to_catch_up = Some(rounded(caught_up.took));
        console.say(format_args!(
            "it caught up after {}",
            seconds(caught_up.took)
        ));
    }
    say_end(chosen, console, &seen, &extras, outcome);
}

fn say_end(chosen: &Chosen, console: &Console, seen: &Seen, extras: &[Extra], outcome: &Outcome) {
    console.line("");
    console.line(table(chosen, &seen.views, extras));
    console.line("");
    if let (true, Some(time)) = (outcome.converged, outcome.seconds_to_converge) {
        console.line(format_args!(
            "All readers agree: {} records in {} documents, {time:.1} s from the first file to \
             agreement, {} sent.",
            outcome.records,
            outcome.documents,
            bytes(outcome.bytes_on_the_wire),
        ));
        return;
    }
    console.line("Not all readers agree:");
    for lack in &outcome.lacks {
        console.line(format_args!("  {lack}"));
    }
}

/// How to go on with a region that was kept.
fn say_kept(console: &Console, chosen: &Chosen, dir: &Path) {
    let Some(first) = chosen.councils.first() else {
        return;
    };
    let shown = dir.display();
    console.line("");
    console.line(format_args!(
        "The region is kept in {shown}. To start its nodes and look at one:\n  \
         for council in {shown}/*/smp-node.toml; do smp-node run --config \"$council\" & done\n  \
         smp --socket {shown}/{}/smp-node.sock status\n\
         Its authority is in {shown}/{AUTHORITY_DIR}, under the passphrase \"{PASSPHRASE}\".",
        first.slug
    ));
}
