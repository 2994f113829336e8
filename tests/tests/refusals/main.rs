//! Promise 6: a node talks to the members of its region and to nobody else.
//!
//! One real node, A, meets one offence after another from clients that the test scripts, with
//! certificates and keys that the test made. Each offence happens twice, and each time the
//! node must refuse it and count it; its log must give the reason once, in words that a person
//! can act on; and B, a good peer, must sync a write with it during the offence and after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod flood;
mod frames;
mod handshakes;
mod keys;
mod rosters;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::identity::Identity;
use support::{A, B, write_place};
use system_tests::harness::{Node, Region, until};

/// How long a node may take to count what it refused.
const SOON: Duration = Duration::from_secs(20);

/// A region with the node that is offended against and a good peer, both running.
struct Scene {
    runtime: tokio::runtime::Runtime,
    region: Region,
    /// Who A is.
    node: Identity,
    /// Where it listens.
    port: u16,
}

impl Scene {
    /// `prepare` adds to the region before its nodes start.
    fn with<T>(prepare: impl FnOnce(&mut Region) -> T) -> (Self, T) {
        let mut region = Region::of(&[A, B]);
        let prepared = prepare(&mut region);
        region.start_all();
        let scene = Self {
            runtime: tokio::runtime::Runtime::new().unwrap(),
            node: Identity::of(&region[A]),
            port: region[A].port,
            region,
        };
        // Both hold the newest roster and are in contact.
        let newest = smp_certs::Region::open(&scene.region.authority()).unwrap();
        let text = smp_certs::roster_to_text(newest.roster().signed());
        for node in &scene.region.nodes {
            let offer = serde_json::json!({ "text": text });
            node.api().post("/v1/roster", &offer).unwrap().ok();
        }
        write_place(&scene.region[B]);
        write_place(&scene.region[A]);
        (scene, prepared)
    }

    /// Offends twice, with the good peer at work all the while, and insists that the node
    /// counted each under `word` and logged `reason` once.
    fn offend<F: Future<Output = ()>>(
        &self,
        word: &str,
        reason: &str,
        mut offence: impl FnMut() -> F,
    ) {
        let a = &self.region[A];
        let (counted, logged) = (refused(a, word), lines(a, reason));
        assert_eq!(logged, 0, "{reason:?} was logged before");
        for _ in 0..2 {
            std::thread::scope(|scope| {
                let good = scope.spawn(|| write_place(&self.region[B]));
                self.runtime.block_on(offence());
                good.join().unwrap();
            });
        }
        let what = format!("{word} is counted twice");
        until(SOON, &what, || match refused(a, word) {
            now if now == counted + 2 => Ok(()),
            now => Err(format!(
                "{counted} before, {now} now: {:?}\n{}",
                counts(a),
                a.log()
            )),
        });
        assert_eq!(lines(a, reason), 1, "{reason:?} in\n{}", a.log());
        write_place(&self.region[B]);
    }
}

/// What a node refused so far, by reason.
fn counts(node: &Node) -> BTreeMap<String, u64> {
    let status = node.api().get("/v1/status").unwrap().ok();
    serde_json::from_value(status["refused"].clone()).unwrap()
}

fn refused(node: &Node, word: &str) -> u64 {
    counts(node).get(word).copied().unwrap_or(0)
}

/// Lines of a node's log with this text.
fn lines(node: &Node, text: &str) -> usize {
    node.log()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}
