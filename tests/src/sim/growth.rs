//! How what members say grows with the region: the real members of regions from a dozen nodes to
//! more than there are councils, on a network without faults, with every frame counted.
//!
//! What is counted is virtual: no figure here depends on the machine. Nothing is asserted here;
//! docs/GROWTH.md says what the figures mean.

use serde::Serialize;
use smp_protocol::ids::DocumentKind;
use smp_protocol::limits;

use super::chance::Chance;
use super::edits::some_edits;
use super::flights::{Counted, Flights};
use super::queue::{Micros, SECOND};

/// Up to how many nodes the seconds are simulated as well: every node keeps, of every document
/// of the region, what each peer has shown of it, which in one process is their number cubed.
pub const MOST_WITH_TIME: usize = 128;

/// Entries that are written one after another.
const ENTRIES: usize = 12;
/// Records of the import.
const IMPORTED: usize = 400;

/// What was counted in one region.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    /// Nodes, of so many councils.
    pub nodes: usize,
    /// See `nodes`.
    pub councils: usize,
    /// For one entry of one field: what pushes, passes on and confirms it.
    pub entry: Spread,
    /// For an import of 400 records at once, as one change.
    pub import: Spread,
    /// What passes with time, where that was simulated.
    pub time: Option<WithTime>,
}

/// What a change costs the region, and when the last reader has it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Frames of all nodes.
    pub frames: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Until the last reader holds it, in milliseconds.
    pub reached: f64,
}

/// What members say as time passes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WithTime {
    /// Documents that stand in summaries.
    pub documents: usize,
    /// Frames that compare, in the ten minutes after one entry, beyond those of ten without.
    pub compared: f64,
    /// Bytes of them.
    pub compared_bytes: f64,
    /// Frames of a settled node in an hour.
    pub idle: f64,
    /// Bytes of them.
    pub idle_bytes: f64,
    /// Bytes to and from a node that starts again with all that it held.
    pub restart_bytes: f64,
}

/// Counts a region of so many nodes: of so many councils, or one of each, or of as many as there
/// are; with hours that pass, if that is wanted and not too much.
pub fn grow(nodes: usize, councils: Option<usize>, seed: u64, with_hours: bool) -> Growth {
    let mut chance = Chance::new(seed);
    let mut net = Flights::of(nodes, councils, &mut chance);
    net.connect_all();
    net.run();
    let mut entry = Spread {
        frames: 0.0,
        bytes: 0.0,
        reached: 0.0,
    };
    let pool = |net: &Flights, n: usize| DocumentKind::RematchingPool.of(net.council(n));
    // The first entry of a chain and its document are counted with the others.
    let authors: Vec<usize> = (0..ENTRIES).map(|n| n * nodes / ENTRIES).collect();
    for author in authors {
        let before = net.counted();
        let spread = change(&mut net, author, 1, &mut chance);
        assert!(net.agree(pool(&net, author)), "of {nodes} nodes");
        let since = net.counted().since(&before);
        entry.frames += since.frames as f64 / ENTRIES as f64;
        entry.bytes += since.bytes as f64 / ENTRIES as f64;
        entry.reached += spread as f64 / 1000.0 / ENTRIES as f64;
    }
    let before = net.counted();
    let reached = change(&mut net, nodes / 2, IMPORTED, &mut chance);
    assert!(net.agree(pool(&net, nodes / 2)), "of {nodes} nodes");
    let since = net.counted().since(&before);
    let import = Spread {
        frames: since.frames as f64,
        bytes: since.bytes as f64,
        reached: reached as f64 / 1000.0,
    };
    let time = (with_hours && nodes <= MOST_WITH_TIME).then(|| with_time(&mut net, &mut chance));
    Growth {
        nodes,
        councils: net.councils(),
        entry,
        import,
        time,
    }
}

/// Has a node write so many records, and returns how long it took to reach all.
fn change(net: &mut Flights, author: usize, records: usize, chance: &mut Chance) -> Micros {
    let kind = DocumentKind::RematchingPool;
    let edits = some_edits(super::build::OLD, kind, &[], records, chance);
    let begun = net.now();
    net.write(author, kind, edits);
    net.run();
    net.last_admitted().saturating_sub(begun)
}

fn with_time(net: &mut Flights, chance: &mut Chance) -> WithTime {
    let nodes = net.nodes() as f64;
    // The first hourly word is out, and the next comes after what is counted here.
    net.pass(1800 * SECOND);
    let quiet = counted(net, 600 * SECOND);
    change(net, 0, 1, chance);
    let busy = counted(net, 600 * SECOND);
    net.pass(2400 * SECOND);
    let hour = counted(net, 3600 * SECOND);
    let before = net.counted();
    net.restart(1);
    net.run();
    let restart = net.counted().since(&before);
    WithTime {
        documents: net.documents(),
        compared: busy.frames as f64 - quiet.frames as f64,
        compared_bytes: busy.bytes as f64 - quiet.bytes as f64,
        idle: hour.frames as f64 / nodes,
        idle_bytes: hour.bytes as f64 / nodes,
        restart_bytes: restart.bytes as f64,
    }
}

fn counted(net: &mut Flights, time: Micros) -> Counted {
    let before = net.counted();
    net.pass(time);
    net.counted().since(&before)
}

/// The most nodes that a roster of this build may list.
pub fn most_nodes() -> usize {
    limits::ROSTER_MEMBERS * limits::NODES_PER_MEMBER
}
