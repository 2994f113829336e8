//! `simulate --growth`: the tables and curves of docs/GROWTH.md.

use std::process::ExitCode;

use system_tests::sim::{self, Growth};

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

/// Counts regions of these sizes, smallest first, and prints what grows how.
pub(crate) fn count(sizes: &[usize], seed: u64) -> ExitCode {
    let most = sim::most_nodes();
    if let Some(large) = sizes.iter().find(|nodes| **nodes > most || **nodes < 12) {
        eprintln!(
            "simulate: regions of 12 to {most} nodes can be counted in this build, not of {large}; \
             for larger ones run: cargo run --release -p system-tests --features wide --bin \
             simulate -- --growth 1500"
        );
        return ExitCode::from(2);
    }
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let mut grown: Vec<Growth> = Vec::new();
    for nodes in sizes {
        eprintln!("counting a region of {nodes} nodes");
        grown.push(sim::grow(nodes, seed, true));
    }
    for (name, of) in MEASURES {
        let figures: Vec<(f64, f64)> = grown
            .iter()
            .filter_map(|g| Some((g.nodes as f64, of(g)?)))
            .collect();
        plot(name, &figures);
    }
    ExitCode::SUCCESS
}

/// One measure: a line for each size, with a bar whose length is the logarithm, and the power of
/// the number of nodes by which it grew from the size before.
fn plot(name: &str, figures: &[(f64, f64)]) {
    println!("\n{name}");
    let most = figures
        .iter()
        .map(|(_, figure)| *figure)
        .fold(10.0, f64::max);
    let mut before: Option<(f64, f64)> = None;
    for (nodes, figure) in figures {
        let power = before.map_or(String::new(), |(fewer, less)| {
            let power = (figure / less).ln() / (nodes / fewer).ln();
            format!("n^{power:.2}")
        });
        let bar = (figure.max(1.0).ln() / most.ln() * WIDTH) as usize;
        println!(
            "{nodes:>6} nodes {figure:>12.1} {power:>7}  {}",
            "#".repeat(bar)
        );
        before = Some((*nodes, *figure));
    }
}
