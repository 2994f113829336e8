//! Our sync engine side by side with its peers: the same records, the same machine, one run.
//!
//! `cargo bench -p system-tests --bench sync`, or with `-- cold`, `edits`, `reconnect`,
//! `admission`, `idle` or `memory` behind it for one part. What each figure means, and how it stood when it was
//! last taken, is in docs/BENCHMARKS.md. No time is asserted anywhere.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark stops with the reason where anything goes wrong"
)]

mod data;
mod feed;
mod idle;
mod memory;
mod merge;
mod net;
mod ours;
mod region;
mod report;
mod samod_side;

use report::{Against, Figure, Report, Row, target};
use system_tests::harness::Random;

/// What the records are made from, unless the environment says otherwise.
const SEED: u64 = 20_260_301;
/// Cold starts of each side, in turn.
const COLD_STARTS: usize = 9;
/// Edits of each side in a round, and rounds.
const EDITS: usize = 60;
const EDIT_ROUNDS: usize = 7;
const RECONNECTS: u64 = 3;
/// Records of the document, and entries that the other side lacks.
const RECONNECT: (usize, usize) = (10_000, 100);
/// Records of the document, entries of the batch, and rounds.
const ADMISSION: (usize, usize, usize) = (1_000, 1_000, 15);
/// What QUIC adds to a frame that goes alone: header, number, tag, and its acknowledgement.
const FRAME_OVERHEAD: f64 = 70.0;
/// Keep-alives in an hour, and bytes of each with its acknowledgement.
const KEEP_ALIVES: f64 = 72.0;
const KEEP_ALIVE_BYTES: f64 = 60.0;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run());
}

/// Whether a part of the benchmark was asked for: by name, or all of them by no name.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|name| name == part)
}

async fn run() {
    if memory::child().await {
        return;
    }
    let seed = std::env::var("SMP_BENCH_SEED").map_or(SEED, |text| text.parse().unwrap());
    let mut report = Report::default();
    report.fact("seed", seed);
    let temp = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(target())
        .unwrap();
    let councils = data::south_east();
    let region = region::Region::make(temp.path(), &councils);
    let holder = ours::Holder::make(&region, &councils, seed).await;
    let records: usize = councils.iter().map(|council| council.hosts).sum();
    report.fact("councils", councils.len());
    report.fact("records", records);
    report.fact("save() of all documents, bytes", holder.saved_bytes());
    let server = samod_side::Server::make(temp.path(), &holder.saved).await;
    if wanted("cold") {
        cold_starts(&mut report, temp.path(), &region, &holder, &server).await;
    }
    if wanted("edits") {
        edits(&mut report, temp.path(), &region, &holder, &server, seed).await;
    }
    server.stop().await;
    if wanted("reconnect") {
        reconnects(&mut report, &region, &councils, seed);
    }
    if wanted("admission") {
        admission(&mut report, &region, &councils, seed);
    }
    if wanted("idle") {
        idle(&mut report, &region, &councils, seed);
    }
    if wanted("memory") {
        memory(&mut report, &region, &holder).await;
    }
    holder.daemon.stop().await;
    report.finish();
}

async fn cold_starts(
    report: &mut Report,
    dir: &std::path::Path,
    region: &region::Region,
    holder: &ours::Holder,
    server: &samod_side::Server,
) {
    let [mut ours, mut theirs, mut ratio, mut bytes, mut their_bytes] =
        std::array::from_fn(|_| Figure::default());
    for round in 0..COLD_STARTS {
        let started = ours::cold_start(region, holder, round).await;
        let (client, time) =
            samod_side::Client::cold_start(server, &dir.join(format!("samod-{round}"))).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        their_bytes.add(client.bytes() as f64 / 1e3);
        client.stop().await;
        ours.add(started.time.as_secs_f64() * 1e3);
        theirs.add(time.as_secs_f64() * 1e3);
        ratio.add(started.time.as_secs_f64() / time.as_secs_f64());
        bytes.add(started.bytes as f64 / 1e3);
    }
    report.add(Row {
        measure: "cold start, time",
        unit: "ms",
        ours,
        against: Some(Against {
            what: "samod",
            figure: theirs,
            ratio,
            goal: Some(1.0),
        }),
        at_most: None,
    });
    let saved = holder.saved_bytes() as f64 / 1e3;
    let over = |figure: &Figure| figure.map(|bytes| bytes / saved);
    report.add(Row {
        measure: "cold start, bytes",
        unit: "KB",
        against: Some(Against {
            what: "save()",
            figure: Figure::once(saved),
            ratio: over(&bytes),
            goal: Some(1.1),
        }),
        ours: bytes,
        at_most: None,
    });
    report.add(Row {
        measure: "the same of samod",
        unit: "KB",
        against: Some(Against {
            what: "save()",
            figure: Figure::once(saved),
            ratio: over(&their_bytes),
            goal: Some(1.1),
        }),
        ours: their_bytes,
        at_most: None,
    });
}

async fn edits(
    report: &mut Report,
    dir: &std::path::Path,
    region: &region::Region,
    holder: &ours::Holder,
    server: &samod_side::Server,
    seed: u64,
) {
    let reader = region::start(&region.node_dir(region::EMPTY, "reader")).await;
    ours::until_whole(&reader, holder).await;
    let (client, _) = samod_side::Client::cold_start(server, &dir.join("samod-reader")).await;
    let mut random = Random::new(seed);
    let [mut ours, mut theirs, mut flush, mut allowed, mut ratio] =
        std::array::from_fn(|_| Figure::default());
    for _ in 0..EDIT_ROUNDS {
        let mine = ours::edits(holder, &reader, &mut random, EDITS)
            .await
            .median();
        let samod = samod_side::edits(server, &client, &mut random, EDITS)
            .await
            .median();
        let flushed = ours::flushes(dir, EDITS).median();
        ours.add(mine);
        theirs.add(samod);
        flush.add(flushed);
        allowed.add(samod + 2.0 * flushed);
        ratio.add(mine / (samod + 2.0 * flushed));
    }
    report.fact("an edit at samod, ms", theirs.median());
    report.fact("a flush, ms", flush.median());
    report.add(Row {
        measure: "an edit, until durable there",
        unit: "ms",
        ours,
        against: Some(Against {
            what: "samod + 2 flushes",
            figure: allowed,
            ratio,
            goal: Some(1.0),
        }),
        at_most: None,
    });
    client.stop().await;
    reader.stop().await;
}

/// Two nodes meet again after one of them wrote on.
fn reconnects(report: &mut Report, region: &region::Region, councils: &[data::Council], seed: u64) {
    let histories = [
        (merge::ONE_BY_ONE, "reconnect, written one by one"),
        (merge::IMPORTED, "reconnect, imported"),
    ];
    for (per_entry, measure) in histories {
        let [
            mut bytes,
            mut their_bytes,
            mut ratio,
            mut trips,
            mut asked,
            mut their_trips,
        ] = std::array::from_fn(|_| Figure::default());
        for round in 0..RECONNECTS {
            let mut random = Random::new(seed + round);
            let (ours, theirs) =
                merge::reconnect(region, councils, RECONNECT, per_entry, &mut random);
            bytes.add(ours.bytes as f64 / 1e3);
            their_bytes.add(theirs.bytes as f64 / 1e3);
            ratio.add(ours.bytes as f64 / theirs.bytes as f64);
            trips.add(ours.round_trips);
            asked.add(ours.from_question);
            their_trips.add(theirs.round_trips);
        }
        report.add(Row {
            measure,
            unit: "KB",
            ours: bytes,
            against: Some(Against {
                what: "automerge sync",
                figure: their_bytes,
                ratio,
                goal: Some(0.25),
            }),
            at_most: None,
        });
        for (measure, trips, at_most) in [
            ("round trips, from the question", asked, Some(1.0)),
            ("round trips, from hello", trips, None),
            ("round trips of automerge sync", their_trips, None),
        ] {
            report.add(Row {
                measure,
                unit: "",
                ours: trips,
                against: None,
                at_most,
            });
        }
    }
}

fn admission(report: &mut Report, region: &region::Region, councils: &[data::Council], seed: u64) {
    let mut random = Random::new(seed);
    let (ours, theirs, ratio) =
        merge::admission(region, &councils[region::HOLDER], ADMISSION, &mut random);
    report.add(Row {
        measure: "admission and execution",
        unit: "µs an entry",
        ours,
        against: Some(Against {
            what: "apply_changes",
            figure: theirs,
            ratio,
            goal: Some(2.0),
        }),
        at_most: None,
    });
}

fn idle(report: &mut Report, region: &region::Region, councils: &[data::Council], seed: u64) {
    for (nodes, measure) in [
        (3, "idle, of 3 nodes"),
        (12, "idle, of 12 nodes"),
        (64, "idle, of 64 nodes"),
    ] {
        let idle = idle::hour(region, councils, nodes, seed);
        let bytes = idle.bytes + idle.frames * FRAME_OVERHEAD + KEEP_ALIVES * KEEP_ALIVE_BYTES;
        report.add(Row {
            measure,
            unit: "KB a peer and hour",
            ours: Figure::once(bytes / 1e3),
            against: None,
            at_most: Some(10.0),
        });
    }
}

async fn memory(report: &mut Report, region: &region::Region, holder: &ours::Holder) {
    let reader = region::start(&region.node_dir(region::EMPTY, "filled")).await;
    ours::until_whole(&reader, holder).await;
    reader.stop().await;
    let empty = memory::of_node(&region.node_dir(region::EMPTY, "memory"));
    report.fact("memory of an empty node, KB", empty);
    let whole = memory::of_node(&region.existing("filled"));
    let saved = holder.saved_bytes() as f64 / 1e3;
    report.add(Row {
        measure: "memory of a node with the region",
        unit: "MB",
        ours: Figure::once(whole / 1e3),
        against: Some(Against {
            what: "save()",
            figure: Figure::once(saved / 1e3),
            ratio: Figure::once(whole / saved),
            goal: None,
        }),
        at_most: None,
    });
}
