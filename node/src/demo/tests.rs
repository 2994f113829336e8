//! The demo against a region in memory: it ends only when all agree, and says who does not.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use smp_protocol::api::RecordEdit;
use smp_protocol::ids::{CouncilCode, DocumentKind, RecordKind};

use super::councils::{Chosen, Council, choose};
use super::fake::{Fake, FakeNode};
use super::watch::{Seen, until_agreed};
use super::*;
use crate::service::Service;

/// Long enough for the fake, whose nodes take over something at every look.
const PATIENCE: Duration = Duration::from_millis(400);

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: DemoArgs,
}

fn args(line: &[&str]) -> DemoArgs {
    let words = [&["demo"], line].concat();
    Line::try_parse_from(words).unwrap().args
}

#[tokio::test]
async fn a_region_is_made_filled_watched_and_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let keep = dir.path().join("region");
    let mut args = args(&["--councils", "4", "--json"]);
    args.keep = Some(keep.clone());
    let fake = Fake::default();
    let outcome = run(args, &fake).await.unwrap();
    assert!(
        outcome.converged && outcome.lacks.is_empty(),
        "{:?}",
        outcome.lacks
    );
    assert_eq!((outcome.councils, outcome.documents), (4, 12));
    // Pools and lists at three others each, registers at two.
    assert_eq!(outcome.copies, 4 * (3 + 3 + 2));
    assert!(outcome.records > 900, "{}", outcome.records);
    assert!(outcome.seconds_to_converge >= outcome.seconds_after_last_write);
    assert!(outcome.seconds_to_catch_up.is_some());
    assert!(outcome.seconds_to_rematch.is_some());
    let case = fake.0.lock().unwrap().case.clone();
    assert_eq!(case.unwrap().stage, "placed");
    assert!(outcome.bytes_on_the_wire >= 4 * 3 * 1000);
    let started = fake.0.lock().unwrap().started.clone();
    assert_eq!(started.len(), 5, "one is started twice");
    for made in ["county-durham", "region-authority/region.toml", "files"] {
        assert!(keep.join(made).exists(), "{made}");
    }
}

#[tokio::test]
async fn a_directory_with_something_in_it_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine"), "x").unwrap();
    let mut args = args(&[]);
    args.keep = Some(dir.path().to_owned());
    let error = run(args, &Fake::default()).await.unwrap_err();
    assert!(matches!(error, DemoError::NotEmpty { .. }), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn the_command_line_is_as_it_is_documented() {
    let none = args(&[]);
    assert_eq!(
        (none.region.as_str(), none.engine),
        ("North East", EngineKind::Redb)
    );
    assert_eq!((none.councils, none.keep, none.json), (None, None, false));
    let all = args(&[
        "--region", "LSMP", "--seed", "7", "--engine", "sled", "--keep", "d",
    ]);
    assert_eq!(
        (all.region.as_str(), all.seed, all.engine),
        ("LSMP", 7, EngineKind::Sled)
    );
    assert!(Line::try_parse_from(["demo", "--engine", "paper"]).is_err());
}

struct Trial {
    chosen: Chosen,
    fake: Fake,
    nodes: Vec<Option<FakeNode>>,
}

impl Trial {
    /// Four councils that each have written a host, a place and a listing.
    async fn new() -> Self {
        let chosen = choose("nemp", Some(4)).unwrap();
        let fake = Fake::default();
        let mut nodes = Vec::new();
        for council in &chosen.councils {
            let node = fake.node(council.code);
            for kind in [RecordKind::Host, RecordKind::Place, RecordKind::Listing] {
                let edit = RecordEdit {
                    fields: BTreeMap::new(),
                    ..RecordEdit::default()
                };
                node.create(kind, edit).await.unwrap();
            }
            fake.allow(council, &chosen.councils);
            nodes.push(Some(node));
        }
        Self {
            chosen,
            fake,
            nodes,
        }
    }

    fn council(&self, index: usize) -> &Council {
        &self.chosen.councils[index]
    }

    async fn watch(&self) -> Seen {
        let seen = until_agreed(&self.chosen.councils, &self.nodes, PATIENCE, |_, _| {}).await;
        seen.unwrap()
    }
}

fn register(council: CouncilCode) -> smp_protocol::ids::DocumentName {
    DocumentKind::HostRegister.of(council)
}

#[tokio::test]
async fn all_agree_when_nothing_is_withheld() {
    let trial = Trial::new().await;
    let seen = trial.watch().await;
    assert!(seen.lacks.is_empty(), "{:?}", seen.lacks);
    assert!(seen.whole_after.iter().all(Option::is_some));
}

#[tokio::test]
async fn a_reader_that_lacks_something_is_named_with_what_it_lacks() {
    let trial = Trial::new().await;
    let (reader, owner) = (trial.council(0), trial.council(1));
    let list = DocumentKind::HousingList.of(owner.code);
    trial.fake.0.lock().unwrap().withheld = Some((reader.code, list));
    let seen = trial.watch().await;
    let expected = format!(
        "{} differs from {} in {list}: 0 of 1 records",
        reader.name, owner.name
    );
    assert_eq!(seen.lacks, [expected]);
    assert_eq!(seen.whole_after[0], None);
    assert!(seen.whole_after[1].is_some());
}

#[tokio::test]
async fn other_heads_under_one_frontier_are_a_defect() {
    let trial = Trial::new().await;
    let (reader, owner) = (trial.council(2), trial.council(3));
    let pool = DocumentKind::RematchingPool.of(owner.code);
    trial.fake.0.lock().unwrap().wrong_heads = Some((reader.code, pool));
    let seen = trial.watch().await;
    assert!(
        seen.lacks.len() == 1 && seen.lacks[0].contains("defect"),
        "{:?}",
        seen.lacks
    );
}

#[tokio::test]
async fn a_register_in_the_wrong_hands_is_told() {
    let trial = Trial::new().await;
    let owner = trial.council(0);
    let near = councils::nearest(owner, &trial.chosen.councils);
    let stranger = trial
        .chosen
        .councils
        .iter()
        .find(|other| other.code != owner.code && near.iter().all(|n| n.code != other.code))
        .unwrap();
    trial.fake.0.lock().unwrap().leaked = Some((stranger.code, register(owner.code)));
    let seen = trial.watch().await;
    assert!(seen.lacks.len() == 1, "{:?}", seen.lacks);
    assert!(seen.lacks[0].contains(&stranger.name) && seen.lacks[0].contains("no reader"));
}

#[tokio::test]
async fn a_stopped_node_is_not_waited_for() {
    let mut trial = Trial::new().await;
    let stopped = trial.nodes[3].take().unwrap();
    trial.fake.stop(stopped).await;
    let seen = trial.watch().await;
    assert!(seen.lacks.is_empty(), "{:?}", seen.lacks);
}
