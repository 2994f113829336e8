//! Every example in the help of `smp` and `smp-node`, typed as it stands there, at real nodes.
//!
//! Ids, addresses and paths of this run stand for those in the help. An example that nothing here
//! knows how to lead up to fails the test, so that a new command comes with a scene of its own.
//! Those about two histories of one key are run where there are two, in `forks`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use system_tests::harness::examples::{Example, Typed, examples};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, PASSPHRASE, Ran, Region, copy_tree, free_ports, until};

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

/// What follows the kind in an id of the help; and in a second one of the same kind.
const TAIL: &str = "aebagbafaydqqcikbmga2dqp";
const SECOND: &str = "bebagbafaydqqcikbmga2dqp";

struct World {
    region: Region,
    /// Where the examples are typed.
    dir: PathBuf,
    host: String,
    listing: String,
}

/// What an example needs beside its line.
#[derive(Default)]
struct Scene {
    /// The council at whose node it is typed; A where that is not said.
    at: Option<&'static str>,
    instead: Vec<(String, String)>,
    dir: Option<PathBuf>,
    answer: Option<&'static str>,
}

impl Scene {
    fn at(council: &'static str) -> Self {
        Self {
            at: Some(council),
            ..Self::default()
        }
    }

    /// An id of this run in the place of the one in the help.
    fn with(mut self, id: &str) -> Self {
        let (kind, tail) = id.split_once('-').unwrap();
        let known = self
            .instead
            .iter()
            .any(|(what, _)| *what == format!("{kind}-{TAIL}"));
        let of_help = if known { SECOND } else { TAIL };
        assert_eq!(tail.len(), of_help.len());
        self.instead
            .push((format!("{kind}-{of_help}"), id.to_owned()));
        self
    }

    fn path(mut self, what: &str, by: &Path) -> Self {
        self.instead
            .push((what.to_owned(), by.to_str().unwrap().to_owned()));
        self
    }

    fn inside(mut self, dir: PathBuf) -> Self {
        self.dir = Some(dir);
        self
    }

    fn answered(mut self, answer: &'static str) -> Self {
        self.answer = Some(answer);
        self
    }
}

fn first_id(stored: &serde_json::Value) -> String {
    stored["records"][0].as_str().unwrap().to_owned()
}

impl World {
    fn new() -> Self {
        let mut region = Region::of(&[A, B, C]);
        region.start_all();
        region.wait_agreed(AGREEMENT);
        region.open_register(A, B);
        let dir = region.dir().join("typed");
        fs::create_dir(&dir).unwrap();
        symlink(region.authority(), dir.join("north-east")).unwrap();
        let mut world = Self {
            region,
            dir,
            host: String::new(),
            listing: String::new(),
        };
        world.files();
        let a = world.node(A);
        a.smp(&[
            "hosts",
            "import",
            world.dir.join("hosts.csv").to_str().unwrap(),
        ])
        .ok();
        a.smp(&[
            "housing",
            "import",
            world.dir.join("homes.csv").to_str().unwrap(),
        ])
        .ok();
        let id = |what: &str| {
            a.list(&[what, "list"])[0]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        (world.host, world.listing) = (id("hosts"), id("housing"));
        world.region.wait_agreed(AGREEMENT);
        world
    }

    fn node(&self, council: &str) -> &Client {
        &self.region[council]
    }

    /// The files that the examples name.
    fn files(&self) {
        let hosts = "reference,accommodation_type\nH-1,sponsor\nH-2,self_contained\n";
        let homes = "reference,tenure,bedrooms,state\nL-1,private_rented,2,available\n";
        let places = "reference,rooms,people\nP-1,1,2\n";
        let requests = "reference,people,adults,rooms_needed,urgency\nR-1,2,1,1,soon\n";
        for (name, text) in [
            ("hosts.csv", hosts),
            ("Share export.xlsx", hosts),
            ("homes.csv", homes),
            ("homes.xlsx", homes),
            ("places.csv", places),
            ("requests.xlsx", requests),
        ] {
            let path = self.dir.join(name);
            match name.ends_with("xlsx") {
                true => workbook(&path, text),
                false => fs::write(path, text).unwrap(),
            }
        }
    }

    fn place(&self) -> String {
        let place = ["pool", "place", "--rooms", "2", "--people", "4"];
        first_id(&self.node(A).json(&place))
    }

    fn request(&self, council: &str) -> String {
        let request = [
            "pool",
            "request",
            "--people",
            "3",
            "--adults",
            "2",
            "--rooms-needed",
            "1",
        ];
        first_id(
            &self
                .node(council)
                .json(&[&request[..], &["--urgency", "soon"]].concat()),
        )
    }

    fn check(&self) -> String {
        first_id(&self.node(A).json(&["checks", "start", &self.host, "dbs"]))
    }

    /// Waits until a council sees a record.
    fn until_seen(&self, council: &str, id: &str) {
        until(AGREEMENT, &format!("{council} has {id}"), || {
            let shown = self.node(council).smp(&["pool", "show", id]);
            (shown.code == Some(0)).then_some(()).ok_or(shown.err)
        });
    }

    fn until_stage(&self, council: &str, case: &str, wanted: &str) {
        until(
            AGREEMENT,
            &format!("{council} sees {case} {wanted}"),
            || {
                let cases = self.node(council).list(&["cases", "list", "--all"]);
                let found = cases.iter().find(|one| one["id"] == *case);
                let is = found.is_some_and(|one| one["stage"] == *wanted);
                is.then_some(()).ok_or_else(|| format!("{found:?}"))
            },
        );
    }

    /// A case with a household of B's and a place of A's, led to a stage. B has two places to
    /// choose from where `places` says so.
    fn case(&self, stage: &str) -> Scene {
        let (place, request) = (self.place(), self.request(B));
        self.until_seen(B, &place);
        let case = self.node(B).json(&["cases", "propose", &request, &place]);
        let case = case["case"]["id"].as_str().unwrap().to_owned();
        let steps = [
            ("proposed", A, None),
            ("held", B, Some((A, "hold"))),
            ("placed", A, Some((B, "confirm"))),
            ("arrived", B, Some((A, "arrived"))),
        ];
        for (comes_to, seen_by, step) in steps {
            if let Some((by, word)) = step {
                self.node(by).json(&["cases", word, &case]);
            }
            self.until_stage(seen_by, &case, comes_to);
            if comes_to == stage {
                break;
            }
        }
        Scene::default().with(&case).with(&place).with(&request)
    }

    /// A home in a council's list that is open to the region, as another council sees it.
    fn open_listing(&self, of: &str, seen_by: &str) -> String {
        let add = ["housing", "add", "--tenure", "lodging", "--bedrooms", "1"];
        let open = ["--nominations-open-to", "region"];
        let listing = first_id(&self.node(of).json(&[&add[..], &open].concat()));
        until(AGREEMENT, &format!("{seen_by} has {listing}"), || {
            let shown = self.node(seen_by).smp(&["housing", "show", &listing]);
            (shown.code == Some(0)).then_some(()).ok_or(shown.err)
        });
        listing
    }

    /// A council's interest in a home of another's.
    fn interest_of(&self, council: &str, of: &str) -> String {
        let listing = self.open_listing(of, council);
        let interest = ["housing", "interest", &listing, "--households", "1"];
        first_id(&self.node(council).json(&interest))
    }

    /// A home of A's in which B is interested, and A knows.
    fn wanted_listing(&self) -> String {
        let listing = self.open_listing(A, B);
        let interest = ["housing", "interest", &listing, "--households", "1"];
        self.node(B).json(&interest);
        until(AGREEMENT, "A sees the interest", || {
            let all = self
                .node(A)
                .list(&["housing", "interests", "--listing", &listing]);
            (!all.is_empty())
                .then_some(())
                .ok_or_else(|| "none".to_owned())
        });
        listing
    }

    /// A home of A's, after these steps.
    fn led(&self, steps: &[&str]) -> String {
        let listing = self.open_listing(A, A);
        for step in steps {
            self.node(A).smp(&["housing", step, &listing]).ok();
        }
        listing
    }

    /// A directory of its own.
    fn fresh(&self, name: &str) -> PathBuf {
        let dir = self.region.dir().join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        dir
    }

    /// A roster that the region has issued, under the name that the examples have for it.
    fn issued(&self) -> Scene {
        let out = self.dir.join("north-east-4.roster");
        let _ = fs::remove_file(&out);
        self.region
            .admin(&["roster", "renew", "--out", out.to_str().unwrap()])
            .ok();
        Scene::default()
    }

    /// Whether A's register has been opened to another council by the region.
    fn open_to(&self, reader: &str, accepted: bool) -> Scene {
        let out = self.fresh("opened").join("readers.roster");
        let out = out.to_str().unwrap();
        // It may be named already, by an example before.
        self.region
            .admin(&["readers", "propose", A, reader, "--out", out]);
        if Path::new(out).exists() {
            self.node(A).smp(&["roster", "publish", out]).ok();
        }
        if accepted {
            self.node(A).smp(&["readers", "accept", reader]).ok();
        }
        Scene::default()
    }

    /// A copy of the region directory that names C a reader of A's register, or nobody.
    fn named(&self, named: bool) -> Scene {
        let dir = self.fresh("named");
        copy_tree(&self.region.authority(), &dir.join("north-east"));
        for reader in [B, C] {
            let all = format!("smp readers propose {A} {reader} --remove --region-dir north-east");
            let line = match named {
                true => all.replace(" --remove", ""),
                false => all,
            };
            let typed = Typed {
                line: &line,
                instead: &[],
                dir: &dir,
                variables: &variables(self.node(A)),
                answer: None,
            };
            // Where it is so already, nothing is changed.
            typed.run();
        }
        Scene::default().inside(dir)
    }

    /// A region of its own with a request to be enrolled, and its fingerprint.
    fn enrolment(&self) -> Scene {
        let dir = self.fresh("enrolment");
        let region = Region::empty();
        copy_tree(&region.authority(), &dir.join("north-east"));
        let node = Node::init(&dir.join("newcastle"), "north-east", A, free_ports(1)[0]);
        fs::copy(node.dir.join("request.txt"), dir.join("newcastle.request")).unwrap();
        let asked = Typed {
            line: "smp member enrol newcastle.request --name Newcastle --region-dir ./north-east",
            instead: &[],
            dir: &dir,
            variables: &variables(self.node(A)),
            answer: None,
        };
        let asked = asked.run().exits(2).err;
        let (_, digits) = asked.split_once("the fingerprint ").unwrap();
        let digits: String = digits.lines().next().unwrap().trim().to_owned();
        let of_help = "0123 4567 8901 2345 6789 0123 4567 8901 2345 6789".to_owned();
        let mut scene = Scene::default().inside(dir).answered("y\n");
        scene.instead.push((of_help, digits));
        scene
    }

    /// A copy of the region directory, with a target of its own or none.
    fn timed(&self, own: bool) -> Scene {
        let dir = self.fresh("timed");
        copy_tree(&self.region.authority(), &dir.join("north-east"));
        if own {
            let typed = Typed {
                line: "smp region targets --set accommodation_exists=9 --region-dir north-east",
                instead: &[],
                dir: &dir,
                variables: &variables(self.node(A)),
                answer: None,
            };
            typed.run().ok();
        }
        Scene::default().inside(dir)
    }

    /// A region of its own in which A has two nodes.
    fn two_nodes(&self) -> Scene {
        let dir = self.fresh("two");
        let mut region = Region::empty();
        for (name, port) in ["first", "second"].iter().zip(free_ports(2)) {
            let node = Node::init(&region.dir().join(name), "north-east", A, port);
            region.enrol_and_join(node);
        }
        copy_tree(&region.authority(), &dir.join("north-east"));
        let nodes = region.admin(&["member", "list", "--output", "json"]).json();
        let mut nodes = nodes.as_array().unwrap().iter();
        let other = nodes.find(|node| node["decider"] == false).unwrap();
        let other = other["node"].as_str().unwrap().to_owned();
        let mut scene = Scene::default().inside(dir);
        let of_help = "3dbcb708a3d935e9abae4a6224a2f1a9".to_owned();
        scene.instead.push((of_help, other));
        scene
    }

    /// What an example of `smp` needs.
    fn scene(&self, example: &Example) -> Scene {
        let line = example.line.as_str();
        let asked = |question: &str| {
            let scene = self.case("proposed");
            let case = &scene.instead[0].1;
            self.node(B).json(&["cases", "ask", case, question]);
            until(AGREEMENT, "A is asked", || {
                let case = self.node(A).json(&["cases", "show", case]);
                let asked = case["questions"]
                    .as_array()
                    .is_some_and(|all| !all.is_empty());
                asked.then_some(()).ok_or_else(|| case.to_string())
            });
            scene
        };
        let of = |scene: Scene, council| Scene {
            at: Some(council),
            ..scene
        };
        match example.command.as_str() {
            "smp cases propose" => {
                let (one, other, request) = (self.place(), self.place(), self.request(B));
                for place in [&one, &other] {
                    self.until_seen(B, place);
                }
                Scene::at(B).with(&one).with(&other).with(&request)
            }
            "smp cases hold" | "smp cases decline" | "smp cases consent" => self.case("proposed"),
            "smp cases list" | "smp cases show" => self.case("proposed"),
            "smp cases ask" => of(self.case("proposed"), B),
            "smp cases answer" => asked(line.split(' ').nth(4).unwrap()),
            "smp cases confirm" | "smp cases withdraw" => of(self.case("held"), B),
            "smp cases release" => self.case("held"),
            "smp cases arrived" | "smp cases did-not-arrive" => self.case("placed"),
            "smp cases end" | "smp cases transfer" => of(self.case("arrived"), B),
            "smp checks start" | "smp checks list" | "smp checks hosts" | "smp checks due" => {
                Scene::default().with(&self.host)
            }
            "smp checks record" | "smp checks withdraw" | "smp checks history" => {
                Scene::default().with(&self.check())
            }
            "smp housing interest" => Scene::at(B).with(&self.open_listing(A, B)),
            "smp housing offer" | "smp housing withdraw" => {
                Scene::default().with(&self.wanted_listing())
            }
            "smp housing let" => Scene::default().with(&self.led(&["offer"])),
            "smp housing reopen" => Scene::default().with(&self.led(&["withdraw"])),
            "smp housing end-interest" => Scene::default().with(&self.interest_of(A, B)),
            "smp housing edit" => Scene::default()
                .with(&self.listing)
                .with(&self.interest_of(A, B)),
            "smp hosts show" | "smp hosts edit" | "smp hosts history" => {
                Scene::default().with(&self.host)
            }
            "smp housing show" | "smp housing interests" | "smp housing history" => {
                Scene::default().with(&self.listing)
            }
            "smp pool place" => Scene::default().with(&self.host),
            "smp pool show" | "smp pool edit" | "smp pool suggest" | "smp pool split"
            | "smp pool history" => Scene::default().with(&self.place()).with(&self.request(A)),
            "smp readers accept" => self.open_to(B, line.contains("--withdraw")),
            "smp readers propose" => self.named(line.contains("--remove")),
            "smp roster verify" | "smp roster publish" => self.issued(),
            "smp member enrol" => self.enrolment(),
            "smp region targets" => self.timed(line.contains("--standard")),
            "smp member decider" => self.two_nodes(),
            "smp region init" => {
                let dir = self.fresh("made");
                fs::write(dir.join("passphrase.txt"), PASSPHRASE).unwrap();
                Scene::default().inside(dir)
            }
            "smp completions" => Scene::default().path("/etc/bash_completion.d", &self.dir),
            "smp" => {
                let socket = self.region[A].dir.join("smp-node.sock");
                Scene::default().path("/tmp/region/E08000021/smp-node.sock", &socket)
            }
            "smp watch"
            | "smp indicators"
            | "smp housing add"
            | "smp housing homes"
            | "smp checks targets"
            | "smp status"
            | "smp peers"
            | "smp documents"
            | "smp documents fallen"
            | "smp hosts list"
            | "smp hosts import"
            | "smp hosts template"
            | "smp housing list"
            | "smp housing import"
            | "smp housing template"
            | "smp pool request"
            | "smp pool contact"
            | "smp pool list"
            | "smp pool search"
            | "smp pool import"
            | "smp pool template"
            | "smp readers list"
            | "smp region show"
            | "smp member list"
            | "smp roster show"
            | "smp roster renew" => Scene::default(),
            other => panic!("{other} has no scene: {line}"),
        }
    }

    /// A command that goes on until it is told to stop: once it has printed what happened since.
    fn follow(&self, typed: &Typed<'_>) -> Ran {
        let out = self.dir.join("followed");
        let (mut command, _) = typed.command();
        command.stdout(File::create(&out).unwrap());
        let mut watch = command.spawn().unwrap();
        let printed = || fs::read_to_string(&out).unwrap();
        // Again and again, since only what comes after it has begun is printed.
        until(AGREEMENT, typed.line, || {
            self.case("proposed");
            let printed = printed();
            let has = printed.contains("smp cases show proposal-");
            has.then_some(()).ok_or(printed)
        });
        watch.kill().unwrap();
        watch.wait().unwrap();
        Ran {
            what: typed.line.to_owned(),
            code: Some(0),
            out: printed(),
            err: String::new(),
        }
    }

    fn run(&self, example: &Example) -> Ran {
        let mut scene = self.scene(example);
        if example.line.contains(" --to ") {
            // Nothing is overwritten.
            scene.dir = Some(self.fresh("to"));
        }
        let council = scene.at.unwrap_or(A);
        let variables = variables(self.node(council));
        let typed = Typed {
            line: &example.line,
            instead: &scene.instead,
            dir: scene.dir.as_deref().unwrap_or(&self.dir),
            variables: &variables,
            answer: scene.answer,
        };
        match example.command == "smp watch" && !example.line.contains("--once") {
            true => self.follow(&typed),
            false => typed.run(),
        }
    }
}

fn variables(node: &Client) -> [(&'static str, String); 2] {
    [
        ("SMP_SOCKET", node.socket.to_str().unwrap().to_owned()),
        ("SMP_PASSPHRASE", PASSPHRASE.to_owned()),
    ]
}

fn workbook(path: &Path, csv: &str) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0u32..).zip(csv.lines()) {
        for (column, cell) in (0u16..).zip(line.split(',')) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    book.save(path).unwrap();
}

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
