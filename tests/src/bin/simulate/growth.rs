//! `simulate --growth`: the tables and curves of docs/GROWTH.md.

use std::path::Path;
use std::process::ExitCode;

use smp_protocol::limits::NODES_PER_MEMBER;
use system_tests::sim::{self, Growth};

/// What chance there is in what is counted: keys, names, what is written.
const SEED: u64 = 0;

/// The longest bar of a plot.
const WIDTH: f64 = 50.0;

/// A measure: what it is called, and its figure where it was counted.
type Measure = (&'static str, fn(&Growth) -> Option<f64>);

const MEASURES: [Measure; 12] = [
    ("an entry, frames", |g| Some(g.entry.frames)),
    ("an entry, KB", |g| Some(g.entry.bytes / 1e3)),
    ("an entry, ms until all have it", |g| Some(g.entry.reached)),
    ("an import, frames", |g| Some(g.import.frames)),
    ("an import, KB", |g| Some(g.import.bytes / 1e3)),
    ("an import, ms until all have it", |g| {
        Some(g.import.reached)
    }),
    ("compared after an entry, frames", |g| {
        Some(g.time?.compared)
    }),
    ("compared after an entry, KB", |g| {
        Some(g.time?.compared_bytes / 1e3)
    }),
    ("idle, frames a node and hour", |g| Some(g.time?.idle)),
    ("idle, KB a node and hour", |g| {
        Some(g.time?.idle_bytes / 1e3)
    }),
    ("a node starts again, KB", |g| {
        Some(g.time?.restart_bytes / 1e3)
    }),
    ("documents in summaries", |g| Some(g.time?.documents as f64)),
];

/// Counts regions of these sizes, smallest first, and prints what grows how. With councils it
/// is one region, and how it grows with them and so with its documents.
pub(crate) fn count(sizes: &[usize], councils: &[usize], json: Option<&Path>) -> ExitCode {
    if let Err(why) = can_be_counted(sizes, councils) {
        eprintln!("simulate: {why}");
        return ExitCode::from(2);
    }
    let regions = sizes.iter().flat_map(|nodes| match councils {
        [] => vec![(*nodes, None)],
        some => some.iter().map(|of| (*nodes, Some(*of))).collect(),
    });
    let mut regions: Vec<_> = regions.collect();
    regions.sort_unstable();
    let mut grown: Vec<Growth> = Vec::new();
    for (nodes, of) in regions {
        eprintln!("counting a region of {nodes} nodes");
        grown.push(sim::grow(nodes, of, SEED, true));
    }
    for (name, figure) in MEASURES {
        let figures: Vec<_> = grown.iter().filter_map(|g| Some((g, figure(g)?))).collect();
        plot(name, councils.is_empty(), &figures);
    }
    match json.map_or(Ok(()), |file| write(file, &grown)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("simulate: {why}");
            ExitCode::FAILURE
        }
    }
}

fn can_be_counted(sizes: &[usize], councils: &[usize]) -> Result<(), String> {
    let most = sim::most_nodes();
    if let Some(large) = sizes.iter().find(|nodes| **nodes > most || **nodes < 12) {
        return Err(format!(
            "regions of 12 to {most} nodes can be counted in this build, not of {large}; for larger \
             ones run: cargo run --release -p system-tests --features wide --bin simulate -- \
             --growth 1500"
        ));
    }
    match (sizes, councils) {
        (_, []) => Ok(()),
        ([nodes], some) => {
            let possible = nodes.div_ceil(NODES_PER_MEMBER)..=*nodes;
            match some.iter().find(|of| !possible.contains(of)) {
                None => Ok(()),
                Some(of) => Err(format!(
                    "{nodes} nodes can be of {} to {} councils, not of {of}",
                    possible.start(),
                    possible.end()
                )),
            }
        }
        _ => Err("--councils counts one region; give one size to --growth".into()),
    }
}

fn write(file: &Path, grown: &[Growth]) -> Result<(), String> {
    let text = serde_json::to_string_pretty(grown).map_err(|e| e.to_string())?;
    std::fs::write(file, text + "\n").map_err(|e| format!("{}: {e}", file.display()))
}

/// One measure: a line for each region, with a bar whose length is the logarithm, and the power
/// of the number of nodes, or else of councils, by which it grew from the one before.
fn plot(name: &str, by_nodes: bool, figures: &[(&Growth, f64)]) {
    println!("\n{name}");
    let most = figures
        .iter()
        .map(|(_, figure)| *figure)
        .fold(10.0, f64::max);
    let (unit, power_of) = match by_nodes {
        true => ("nodes", "n"),
        false => ("councils", "c"),
    };
    let mut before: Option<(f64, f64)> = None;
    for (growth, figure) in figures {
        let number = if by_nodes {
            growth.nodes
        } else {
            growth.councils
        };
        let size = number as f64;
        let power = before.map_or(String::new(), |(fewer, less)| {
            let power = (figure / less).ln() / (size / fewer).ln();
            format!("{power_of}^{power:.2}")
        });
        let bar = (figure.max(1.0).ln() / most.ln() * WIDTH) as usize;
        println!(
            "{number:>6} {unit} {figure:>12.1} {power:>7}  {}",
            "#".repeat(bar)
        );
        before = Some((size, *figure));
    }
}
