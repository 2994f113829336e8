//! `simulate`: runs seeds of the simulator and shows what came of them.
//!
//! It ends with 0 if no seed breaks a rule, with 1 if one does.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever runs it"
)]

mod growth;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use system_tests::sim::{self, Report, Switches, Tally};

/// How many lines of its history a failing seed shows.
const LAST_LINES: usize = 40;

/// Runs seeds of the simulator. The same seed is the same history.
#[derive(Parser)]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many to run at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Run this one alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Print its history.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Go on after a seed that breaks a rule.
    #[arg(long)]
    keep_going: bool,
    /// No liars, whatever the seed.
    #[arg(long)]
    honest: bool,
    /// Count what members say in regions of so many nodes, without faults: 12,64,128,382,1500.
    /// More than a roster holds needs `--features wide` before `--bin`.
    #[arg(long, value_delimiter = ',', value_name = "NODES")]
    growth: Vec<usize>,
    /// Count one region as one of so many councils each time, with all its nodes: 16,32,64. With
    /// a council goes what it writes, so the documents are fewer and the nodes are not.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "COUNCILS",
        requires = "growth"
    )]
    councils: Vec<usize>,
    /// Where to write what was counted, as JSON.
    #[arg(long, value_name = "FILE", requires = "growth")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.growth.is_empty() {
        return growth::count(&args.growth, &args.councils, args.json.as_deref());
    }
    match args.seed {
        Some(seed) => one(seed, &args),
        None => many(&args),
    }
}

fn switches(args: &Args, readable: bool) -> Switches {
    Switches {
        honest: args.honest,
        readable,
        ..Switches::default()
    }
}

fn one(seed: u64, args: &Args) -> ExitCode {
    let report = sim::run(seed, switches(args, true));
    let hidden = match args.trace {
        true => 0,
        false => report.history.len().saturating_sub(LAST_LINES),
    };
    for line in report.history.iter().skip(hidden) {
        println!("{line}");
    }
    println!("seed {seed}: history {:016x}", report.digest);
    table(&report.tally);
    verdict(&report)
}

fn verdict(report: &Report) -> ExitCode {
    match &report.violation {
        None => ExitCode::SUCCESS,
        Some((rule, what)) => {
            let seed = report.seed;
            println!("seed {seed} breaks {rule}: {what}");
            println!("its history: {}", sim::replay(seed));
            ExitCode::FAILURE
        }
    }
}

fn many(args: &Args) -> ExitCode {
    let next = AtomicU64::new(args.from);
    let end = args.from.saturating_add(args.seeds);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new((Tally::default(), Vec::<Report>::new(), Instant::now()));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let report = sim::run(seed, switches(args, false));
                    let broke = report.violation.is_some();
                    stop.fetch_or(broke && !args.keep_going, Ordering::Relaxed);
                    let mut sum = sum.lock().unwrap_or_else(|e| e.into_inner());
                    sum.0.add(&report.tally);
                    if broke {
                        verdict(&report);
                        sum.1.push(report);
                    }
                    if sum.2.elapsed() > Duration::from_secs(10) {
                        sum.2 = Instant::now();
                        let (done, failed) = (sum.0.seeds, sum.1.len());
                        let seconds = begun.elapsed().as_secs();
                        eprintln!(
                            "{done} of {} seeds, {failed} failed, {seconds} s",
                            args.seeds
                        );
                    }
                }
            });
        }
    });
    let (tally, failed, _) = sum.into_inner().unwrap_or_else(|e| e.into_inner());
    table(&tally);
    let (count, seconds) = (tally.seeds, begun.elapsed().as_secs_f64());
    println!("{count} seeds in {seconds:.0} s, {} failed", failed.len());
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn table(tally: &Tally) {
    let row = |what: &str, count: u64| println!("{what:<36} {count:>12}");
    row("seeds", tally.seeds);
    row("events", tally.events);
    row("frames sent", tally.frames);
    row("bytes sent", tally.bytes);
    row("entries taken in", tally.admitted);
    row("most outputs of one event", tally.outputs);
    row("most events waiting at one node", tally.inbox);
    row("most pulls of one node at once", tally.pulls);
    row("slowest agreement, seconds", tally.slowest);
    let mean = tally.settling.checked_div(tally.seeds).unwrap_or(0);
    row("mean agreement, seconds", mean);
    for (what, count) in tally.counts() {
        row(what, count);
    }
}
