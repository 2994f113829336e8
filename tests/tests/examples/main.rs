//! Every example in the help of `smp` and `smp-node`, typed as it stands there, at real nodes.
//!
//! Ids, addresses and paths of this run stand for those in the help. An example that nothing here
//! knows how to lead up to fails the test, so that a new command comes with a scene of its own.
//! Those about two histories of one key are run where there are two, in `forks`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod scenes;
mod world;

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use system_tests::harness::examples::{Example, Typed, examples};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Node, Region, copy_tree, free_ports, until};
use world::World;

/// Newcastle, Gateshead and North Tyneside, which the examples name.
const A: &str = "E08000021";
const B: &str = "E08000037";
const C: &str = "E08000022";

/// Commands whose examples `forks` runs.
const IN_FORKS: [&str; 3] = [
    "smp documents vouch",
    "smp documents again",
    "smp region cut",
];

#[test]
fn every_example_of_smp_does_what_it_shows() {
    let world = World::new();
    let all = examples("smp");
    let (elsewhere, here): (Vec<Example>, Vec<Example>) = all
        .into_iter()
        .partition(|one| IN_FORKS.contains(&one.command.as_str()));
    assert!(here.len() > 100 && elsewhere.len() >= 6, "{}", here.len());
    let ran = here.iter().map(|example| (example, world.run(example)));
    let failed = ran.filter(|(_, ran)| ran.code != Some(0));
    let failed: Vec<String> = failed
        .map(|(example, ran)| format!("{}\n{ran:#?}", example.line))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_example_of_smp_node_does_what_it_shows() {
    let mut region = Region::empty();
    let dir = region.dir().join("typed");
    fs::create_dir(&dir).unwrap();
    let known = Node::init(&dir.join("known"), "north-east", A, free_ports(1)[0]);
    region.enrol_and_join(known);
    fs::copy(
        region.nodes[0].dir.join("bundle.txt"),
        dir.join("bundle.txt"),
    )
    .unwrap();
    let made = |name: &str| dir.join(name);
    let all = examples("smp-node");
    assert!(all.len() > 8, "{all:?}");
    for example in &all {
        let mut instead = Vec::new();
        let mut path = |what: &str, by: PathBuf| {
            instead.push((what.to_owned(), by.to_str().unwrap().to_owned()));
        };
        let config = region.nodes[0].config();
        match example.command.as_str() {
            "smp-node init" => {
                for name in ["newcastle", "other"] {
                    let _ = fs::remove_dir_all(made(name));
                }
                path("/var/lib/smp-node", made("other"));
                path("/tmp/a", made("other"));
            }
            "smp-node join" => {
                // The one that was enrolled, as it was before it joined.
                let fresh = made("joins");
                let _ = fs::remove_dir_all(&fresh);
                copy_tree(&region.nodes[0].dir, &fresh);
                fs::remove_dir_all(fresh.join("data")).unwrap();
                fs::create_dir(fresh.join("data")).unwrap();
                path("newcastle/smp-node.toml", fresh.join("smp-node.toml"));
                path(
                    "/var/lib/smp-node/smp-node.toml",
                    fresh.join("smp-node.toml"),
                );
            }
            "smp-node run" | "smp-node check-config" => {
                path("newcastle/smp-node.toml", config.clone());
                path("/var/lib/smp-node/smp-node.toml", config.clone());
            }
            "smp-node demo" => {
                let kept = made("kept");
                let _ = fs::remove_dir_all(&kept);
                path("/tmp/region", kept);
            }
            other => panic!("{other} has no scene: {}", example.line),
        }
        let typed = Typed {
            line: &example.line,
            instead: &instead,
            dir: &dir,
            variables: &[("SMP_NODE_CONFIG", config.to_str().unwrap().to_owned())],
            answer: Some("y\n"),
        };
        match example.command.as_str() {
            "smp-node run" => runs_until_told(&typed, &region.nodes[0]),
            _ => drop(typed.run().ok()),
        }
    }
}

/// A daemon runs until it is told to stop.
fn runs_until_told(typed: &Typed<'_>, node: &Node) {
    let (mut daemon, _) = typed.command();
    let mut daemon = daemon.spawn().unwrap();
    until(AGREEMENT, "it answers", || {
        match node.api().get("/v1/health") {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let pid = Pid::from_child(&daemon);
    kill_process(pid, Signal::TERM).unwrap();
    assert!(daemon.wait().unwrap().success(), "{}", typed.line);
}
