//! Which scene each command's examples need. A new command needs one here.

use std::fs::{self, File};

use system_tests::harness::examples::{Example, Typed};
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{PASSPHRASE, Ran, until};

use super::world::{Scene, World, variables};
use super::{A, B};

impl World {
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
            "smp pool host" => Scene::default().with(&self.place()).with(&self.host),
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
        let ended = watch.try_wait().unwrap();
        assert!(ended.is_none(), "{} ended: {ended:?}", typed.line);
        watch.kill().unwrap();
        watch.wait().unwrap();
        Ran {
            what: typed.line.to_owned(),
            code: Some(0),
            out: printed(),
            err: String::new(),
        }
    }

    pub(crate) fn run(&self, example: &Example) -> Ran {
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
