//! Two histories of one key, in real processes: the alarm at every reader, the statements,
//! the cut, and what fell away written again.
//!
//! The test plays the thief: it has a node's keys, and shows two readers two histories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use smp_protocol::document::{Document, Frontier, Place, Unit};
use smp_protocol::ids::{DocumentKind, DocumentName, RecordId};
use smp_protocol::schema::{Edit, FieldId, NEWEST, Value as Field};
use smp_protocol::session::message::{Answer, Control, Push, Want};
use support::identity::Identity;
use support::peer::Scripted;
use support::{A, B, C, write_place};
use system_tests::harness::examples::{Typed, examples};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Node, PASSPHRASE, Region, copy_tree, free_ports, until};

fn pool() -> DocumentName {
    DocumentKind::RematchingPool.of(A.parse().unwrap())
}

fn rooms(node: &Node, place: &str) -> Value {
    let record = node.api().get(&format!("/v1/record/{place}")).unwrap().ok();
    record["fields"]["rooms"].clone()
}

fn set_rooms(node: &Node, place: &str, rooms: &str) {
    let body = json!({ "fields": { "rooms": rooms }, "replicated": true }).to_string();
    let path = format!("/v1/record/{place}");
    let answer = node.api();
    let answer = answer.send("PATCH", &path, "application/json", body.as_bytes());
    answer.unwrap().ok();
}

/// What a node holds of A's pool, as it gives it to anyone who may read it.
async fn held_by(thief: &Scripted) -> Vec<Unit> {
    let want = Want {
        document: pool(),
        generation: 1,
        frontier: Frontier::default(),
        refused: Vec::new(),
    };
    let mut units = Vec::new();
    for frame in thief.ask(&want).await {
        if let Ok(Answer::Batch(more)) = Answer::decode(&frame) {
            units.extend(more);
        }
    }
    units
}

/// With A's keys: another entry in the place of the one that A wrote after what this node
/// holds.
async fn show_another_history(key: &Identity, to: &Identity, port: u16, place: &str) {
    let mut thief = Scripted::greet(key, to, port).await;
    let units = held_by(&thief).await;
    let roster = key.roster.clone();
    let authority = smp_protocol::codec::decode::<smp_protocol::roster::Roster>(
        &roster.bytes.0,
        smp_protocol::limits::ROSTER_BYTES,
    );
    let authority = authority.unwrap().authority;
    let roster = roster.verify(&key.region, &authority).unwrap();
    let at = Place {
        region: key.region.clone(),
        document: pool(),
        generation: 1,
    };
    let mut document = Document::new(at);
    let chain = units[0].chain;
    let judged = document.judge(units, &roster);
    document.execute(judged).unwrap();
    let record: RecordId = place.parse().unwrap();
    let edit = Edit::Update {
        record,
        fields: vec![(FieldId(1), Some(Field::Integer(5)))],
    };
    let units = document.author(chain, &[edit], NEWEST, &key.signing);
    let freshness = None;
    thief.say(&Control::Push(Push { units, freshness })).await;
    thief
        .hears("that it is stored", |m| matches!(m, Control::Holds(_)))
        .await;
}

fn alarms(node: &Node) -> Value {
    node.api().get("/v1/alarms").unwrap().ok()
}

fn path(region: &Region, name: &str) -> String {
    region.dir().join(name).to_str().unwrap().to_owned()
}

/// What the help shows of two histories, typed as it stands there.
struct Help {
    dir: PathBuf,
    sockets: Vec<(String, String)>,
    instead: Vec<(String, String)>,
}

impl Help {
    fn new(region: &Region, node: &str) -> Self {
        let sockets = region.nodes.iter();
        let sockets = sockets.map(|n| (n.council.clone(), n.socket.to_str().unwrap().to_owned()));
        let instead = [
            ("3dbcb708a3d935e9abae4a6224a2f1a9", node),
            // North Tyneside there, Sunderland here.
            ("e08000022", "e08000024"),
        ];
        let instead = instead.map(|(what, by)| (what.to_owned(), by.to_owned()));
        Self {
            dir: region.dir().to_owned(),
            sockets: sockets.collect(),
            instead: instead.to_vec(),
        }
    }

    /// A new directory with the statements and a copy of the region directory.
    fn copied(&self) -> PathBuf {
        let dir = self.dir.join("typed");
        let _ = fs::remove_dir_all(&dir);
        copy_tree(&self.dir.join("authority"), &dir.join("north-east"));
        for council in [B, C] {
            let name = format!("{}.statement", council.to_lowercase());
            fs::copy(self.dir.join(&name), dir.join(&name)).unwrap();
        }
        dir
    }

    /// Runs every example of a command at a council's node; with any of these codes it is right. The
    /// region is cut in a copy of it.
    fn run(&self, command: &str, council: &str, codes: &[i32]) {
        self.run_those(command, council, codes, |_| true);
    }

    fn run_those(
        &self,
        command: &str,
        council: &str,
        codes: &[i32],
        wanted: impl Fn(&str) -> bool,
    ) {
        let all = examples("smp").into_iter();
        let all = all.filter(|one| one.command == command && wanted(&one.line));
        let all: Vec<_> = all.collect();
        assert!(!all.is_empty(), "{command}");
        let socket = self.sockets.iter().find(|(of, _)| of == council);
        let variables = [
            ("SMP_SOCKET", socket.unwrap().1.clone()),
            ("SMP_PASSPHRASE", PASSPHRASE.to_owned()),
        ];
        for example in all {
            let dir = match command {
                "smp region cut" => self.copied(),
                _ => self.dir.clone(),
            };
            let mut instead = self.instead.clone();
            // Each council states what it holds in a file of its own.
            let out = ("--out e08000037", council.to_lowercase());
            let line = match command {
                "smp documents vouch" => example.line.replace(out.0, &format!("--out {}", out.1)),
                _ => example.line.clone(),
            };
            instead.retain(|(what, _)| line.contains(what));
            let ran = Typed {
                line: &line,
                instead: &instead,
                dir: &dir,
                variables: &variables,
                answer: None,
            };
            let ran = ran.run();
            assert!(
                ran.code.is_some_and(|code| codes.contains(&code)),
                "{ran:#?}"
            );
        }
    }
}

#[test]
fn two_histories_are_noticed_everywhere_and_a_cut_ends_them() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut region = Region::of(&[A, B, C]);
    region.start_all();
    let place = write_place(&region[A]);
    region.wait_agreed(AGREEMENT);

    // A's next write reaches B alone; then the thief writes another in its place at C.
    region[C].stop();
    set_rooms(&region[A], &place, "3");
    let key = Identity::of(&region[A]);
    region[A].stop();
    region[B].stop();
    region[C].start();
    let (to, port) = (Identity::of(&region[C]), region[C].port);
    runtime.block_on(show_another_history(&key, &to, port, &place));
    assert_eq!(rooms(&region[C], &place), json!(["5"]));

    // All three meet: each knows, nobody drops anything, and the key is closed.
    region[A].start();
    region[B].start();
    for node in [A, B, C] {
        let known = || match alarms(&region[node]).as_array().unwrap().len() {
            1 => Ok(()),
            n => Err(format!("{n} alarms at {node}")),
        };
        until(AGREEMENT, "the alarm is at every reader", known);
    }
    assert_eq!(rooms(&region[B], &place), json!(["3"]));
    assert_eq!(rooms(&region[C], &place), json!(["5"]));
    let shown = region[B].smp(&["documents", "--alarms"]);
    assert_eq!(shown.code, Some(5), "{shown:?}");
    let node = key.node.to_string();
    for words in [
        "signed two histories",
        &node,
        "smp region cut",
        "smp documents vouch",
    ] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let own = region[A].smp(&["status"]).ok();
    assert!(own.out.contains("THIS NODE'S KEY"), "{own:?}");
    let refused = region[A].smp(&["pool", "place", "--rooms", "1", "--people", "1"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(
        refused.err.contains("smp documents --alarms"),
        "{refused:?}"
    );

    // Two councils state what they hold; the SMP admin goes by C's alone, since the two
    // hold different ones and A is to keep neither by accident.
    let name = pool().to_string();
    let help = Help::new(&region, &node);
    for council in [B, C] {
        help.run("smp documents vouch", council, &[0]);
    }
    let at = |council: &str| path(&region, &format!("{}.statement", council.to_lowercase()));
    let (at_b, at_c) = (at(B), at(C));
    help.run("smp region cut", C, &[0]);
    let one = ["region", "cut", &name, &node, "--statement", &at_b];
    let too_few = region.admin(&one);
    assert_eq!(too_few.code, Some(4), "{too_few:?}");
    assert!(too_few.err.contains("two councils"), "{too_few:?}");
    let roster = path(&region, "cut.roster");
    region
        .admin(&[
            "region",
            "cut",
            &name,
            &node,
            "--statement",
            &at_c,
            "--from-one",
            "--out",
            &roster,
        ])
        .ok();
    region[C].smp(&["roster", "publish", &roster]).ok();
    region.wait_agreed(AGREEMENT);
    for node in [A, B, C] {
        let over = || match alarms(&region[node]).as_array().unwrap().len() {
            0 => Ok(()),
            n => Err(format!("{n} alarms at {node}")),
        };
        until(AGREEMENT, "the alarm is over", over);
        assert_eq!(rooms(&region[node], &place), json!(["5"]));
    }
    // What A wrote fell away there, and is offered; its key writes there no more.
    let fallen = region[A].json(&["documents", "fallen"]);
    assert_eq!(fallen[0]["was"], json!(["3"]), "{fallen:#}");
    assert_eq!(fallen[0]["is"], json!(["5"]), "{fallen:#}");
    // Of two values a person has to choose one, which the exit code says.
    let forgets = |line: &str| line.contains("--forget");
    let again = "smp documents again";
    help.run_those(again, A, &[5, 0], |line| !forgets(line));
    let again = region[A].smp(&["documents", "again", &name]);
    assert_eq!(again.code, Some(5), "{again:?}");
    assert!(again.out.contains("for a person to settle"), "{again:?}");
    let cut = region[A].smp(&["pool", "place", "--rooms", "1", "--people", "1"]);
    assert_eq!(cut.code, Some(4), "{cut:?}");
    assert!(cut.err.contains("smp member enrol"), "{cut:?}");

    // The council enrols a node with new keys. It has what was agreed, and the council's
    // documents are written there.
    let port = free_ports(1)[0];
    let dir = region.dir().join("second");
    let second = Node::init(&dir, "north-east", A, port);
    region.enrol_and_join(second);
    let last = region.nodes.len() - 1;
    region.nodes[last].start();
    region.wait_agreed(AGREEMENT);
    // The old node's key is cut where it is to write, so that the new one takes the decisions.
    region.make_last_decider(last);
    region.wait_agreed(AGREEMENT);
    set_rooms(&region.nodes[last], &place, "3");
    region.wait_agreed(AGREEMENT);
    assert_eq!(rooms(&region[C], &place), json!(["3"]));
    // So nothing is missing any more at A's first node.
    assert_eq!(region[A].json(&["documents", "fallen"]), json!([]));
    // A restart changes nothing of all that.
    region[B].stop();
    region[B].start();
    region.wait_agreed(AGREEMENT);
    assert_eq!(alarms(&region[B]), json!([]));
    help.run_those("smp documents again", A, &[0], forgets);
}
