//! Two real nodes: what one council does, the other's `smp watch` and its hook are told, through a
//! kill and a restart, and nothing of it says more than ids.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, Region, command, until};

const HOST: &str = "E08000021";
const GUEST: &str = "E08000037";

/// What stands in the vault and nowhere else.
const PERSONAL: [&str; 4] = [
    "Zqmarker Winterbottom",
    "01632 960742",
    "zqmarker@example.org",
    "7 Zqmarker Terrace",
];

/// What stands in the register.
const REGISTER: [&str; 2] = ["self_contained", "accommodation_exists"];

/// `smp watch`, while it runs, and what it printed.
struct Watch {
    child: Child,
    out: PathBuf,
}

impl Watch {
    fn start(node: &Client, dir: &Path, name: &str, args: &[&str]) -> Self {
        let out = dir.join(name);
        let mut watch = command("smp", &["watch", "--socket"]);
        watch.arg(&node.socket).args(args);
        watch
            .stdout(File::create(&out).unwrap())
            .stderr(Stdio::null());
        let child = watch.spawn().unwrap();
        Self { child, out }
    }

    fn events(&self) -> Vec<Value> {
        lines(&self.out)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole lines of a file, as JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["kind"].as_str().unwrap()).collect()
}

/// The kinds without repeats, which the hook may get after a crash.
fn once(events: &[Value]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let is_new = |event: &&Value| seen.insert(event["id"].to_string());
    events.iter().filter(is_new).cloned().collect()
}

fn until_told(what: &str, events: impl Fn() -> Vec<Value>, wanted: &[&str]) -> Vec<Value> {
    until(AGREEMENT, &format!("{what}: {wanted:?}"), || {
        let events = events();
        match kinds(&events) == wanted {
            true => Ok(events),
            false => Err(format!("{:?}", kinds(&events))),
        }
    })
}

/// A hook that keeps all that it is given, and its configuration.
fn lay_hook(node: &Node) -> PathBuf {
    let (program, told) = (node.dir.join("on-event"), node.dir.join("told.jsonl"));
    let script = "#!/bin/sh\nset -e\ncat >> \"$1\"\nenv >> \"$1.env\"\n";
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let mut config = fs::read_to_string(node.config()).unwrap();
    config += &format!("\n[events]\nhook = [\"on-event\", {told:?}]\n");
    fs::write(node.config(), config).unwrap();
    told
}

fn new(node: &Client, what: &[&str]) -> String {
    let stored = node.json(what);
    stored["records"][0].as_str().unwrap().to_owned()
}

/// A host with personal details, in the host council's register.
fn import_host(region: &Region) -> String {
    let [name, phone, email, address] = PERSONAL;
    let heads = "reference,accommodation_type,full_name,phone_number,email,full_address\n";
    let row = format!("H-1,{},{name},{phone},{email},{address}\n", REGISTER[0]);
    let file = region.file("hosts.csv", &format!("{heads}{row}"));
    region[HOST].smp(&["hosts", "import", &file]).ok();
    let hosts = region[HOST].list(&["hosts", "list"]);
    hosts[0]["id"].as_str().unwrap().to_owned()
}

fn until_known(node: &Client, id: &str) {
    until(AGREEMENT, &format!("{id} arrives"), || {
        let places = node.list(&["pool", "list", "all"]);
        let is = places.iter().any(|one| one["id"] == *id);
        is.then_some(()).ok_or_else(|| format!("{places:?}"))
    });
}

/// Asks for the stream, by the header that an `EventSource` sends.
fn ask(node: &Client, query: &str, after: &str) -> UnixStream {
    let mut stream = UnixStream::connect(&node.socket).unwrap();
    let head = format!(
        "GET /v1/events{query} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
         Last-Event-ID: {after}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The stream as it is, from behind a number, up to what is remembered.
fn raw(node: &Client, after: &str) -> String {
    let mut stream = ask(node, "?once=true", after);
    let limit = Some(Duration::from_secs(60));
    stream.set_read_timeout(limit).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn holds(bytes: &[u8], what: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let what = what.to_ascii_lowercase();
    lower
        .windows(what.len())
        .any(|part| part == what.as_bytes())
}

/// All that a directory's files hold, of those directly in it.
fn all_of(dir: &Path) -> Vec<u8> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files.flat_map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn what_one_council_does_the_other_is_told_once_through_a_kill_and_in_ids_alone() {
    let mut region = Region::of(&[HOST, GUEST]);
    let hook = lay_hook(&region[HOST]);
    region.start_all();
    region.wait_agreed(AGREEMENT);
    let dir = region[HOST].dir.clone();
    let json = ["--output", "json"];
    let at_host = Watch::start(
        &region[HOST],
        &dir,
        "watch.jsonl",
        &[&json[..], &["--after", "0"]].concat(),
    );
    let in_words = Watch::start(&region[HOST], &dir, "watch.txt", &["--after", "0"]);
    let at_guest = Watch::start(
        &region[GUEST],
        &dir,
        "guest.jsonl",
        &[&json[..], &["--after", "0"]].concat(),
    );

    let host = import_host(&region);
    let (hosts, guests) = (&region[HOST], &region[GUEST]);
    let place = [
        "pool", "place", "--rooms", "1", "--people", "2", "--host", &host,
    ];
    let place = new(hosts, &place);
    let request = ["pool", "request", "--people", "1", "--adults", "1"];
    let request = [&request[..], &["--rooms-needed", "1", "--urgency", "soon"]].concat();
    let request = new(guests, &request);
    until_known(guests, &place);
    let case = guests.json(&["cases", "propose", &request, &place]);
    let case = case["case"]["id"].as_str().unwrap().to_owned();

    // Arrived at the other council, with what an officer needs to look it up.
    let told = until_told("watch", || at_host.events(), &["proposal_arrived"]);
    assert_eq!(told[0]["case"], *case);
    assert_eq!(told[0]["council"], GUEST);
    assert_eq!(told[0]["next"], format!("smp cases show {case}"));
    let by_hook = until_told("hook", || lines(&hook), &["proposal_arrived"]);
    assert_eq!(by_hook, told);
    // An hour's hold is in its last hour, at both councils.
    hosts.json(&["cases", "hold", &case, "--hours", "1"]);
    let before_kill = ["proposal_arrived", "hold_ends_soon"];
    until_told("watch", || at_host.events(), &before_kill);
    until_told(
        "guest",
        || once(&at_guest.events()),
        &["held", "hold_ends_soon"],
    );

    // Killed; the other council withdraws meanwhile.
    region[HOST].kill();
    region[GUEST].json(&["cases", "withdraw", &case]);
    region[HOST].start();
    let after_kill = ["proposal_arrived", "hold_ends_soon", "withdrawn"];
    let told = until_told("watch", || at_host.events(), &after_kill);
    until_told("hook", || once(&lines(&hook)), &after_kill);

    // A check of the host fails while its place is still locked.
    let hosts = &region[HOST];
    let check = new(hosts, &["checks", "start", &host, REGISTER[1]]);
    hosts.smp(&["checks", "record", &check, "failed"]).ok();
    let sorted = || {
        let mut events = at_host.events();
        events.sort_by_key(|event| event["kind"].to_string());
        events
    };
    let all = [
        "check_failed",
        "hold_ends_soon",
        "host_stopped",
        "proposal_arrived",
        "withdrawn",
    ];
    let events = until_told("watch", sorted, &all);
    assert_eq!(events[0]["check"], *check);
    assert_eq!(events[2]["place"], *place);
    // Whose the place is stands in the vault alone.
    let names = |event: &Value, what: &str| event.get(what).is_some();
    assert!(!events.iter().any(|e| names(e, "place") && names(e, "host")));
    assert_eq!(once(&events).len(), events.len(), "nothing is told twice");
    let count = events.len();
    until(AGREEMENT, "the hook has them all", || {
        let events = once(&lines(&hook));
        (events.len() == count)
            .then_some(())
            .ok_or_else(|| format!("{events:?}"))
    });

    // Read on from a number, by option and by header.
    let number = told[1]["number"].to_string();
    let rest = hosts
        .smp(&["watch", "--once", "--output", "json", "--after", &number])
        .ok();
    assert_eq!(rest.out.lines().count(), count - 2, "{}", rest.out);
    let stream = raw(hosts, &number);
    assert!(
        stream.contains(&format!("\nid: {}\n", told[2]["number"])),
        "{stream}"
    );
    assert!(!stream.contains(&told[1]["id"].to_string()), "{stream}");
    assert_eq!(stream.matches("\ndata: ").count(), count - 2, "{stream}");
    // Of a number from before all that is remembered it is said that something is missing.
    let gap = hosts
        .smp(&["watch", "--once", "--output", "json", "--after", "1"])
        .ok();
    let gap: Value = serde_json::from_str(gap.out.lines().next().unwrap()).unwrap();
    assert_eq!(gap["kind"], "gap");
    hosts.smp(&["watch", "--once", "--after", "x"]).exits(2);

    // It stops at once although two are still watching.
    let shown = hosts.smp(&["hosts", "list", "--output", "json"]).ok().out;
    let checks = hosts.smp(&["checks", "list", "--output", "json"]).ok().out;
    region.nodes.iter_mut().for_each(Node::stop);
    region[HOST].smp(&["watch"]).exits(3);
    let log = region[HOST].log();
    assert!(!log.contains("took over"), "{log}");

    let mut said = Vec::new();
    for watch in [&at_host, &in_words, &at_guest] {
        said.extend(fs::read(&watch.out).unwrap());
    }
    said.extend(fs::read(&hook).unwrap());
    said.extend(fs::read(dir.join("told.jsonl.env")).unwrap());
    said.extend(stream.into_bytes());
    said.extend(log.into_bytes());
    assert!(holds(&said, &case), "the search finds nothing where it is");
    let vault = all_of(&dir.join("data"));
    for personal in PERSONAL {
        assert!(
            holds(&vault, personal),
            "the search does not find {personal}"
        );
        assert!(!holds(&said, personal), "{personal} is told");
    }
    for field in REGISTER {
        assert!(
            holds((shown.clone() + &checks).as_bytes(), field),
            "{field}"
        );
        assert!(!holds(&said, field), "{field} is told");
    }
}

#[test]
fn a_hook_that_fails_is_in_status_and_holds_up_nothing() {
    let mut region = Region::of(&[HOST, GUEST]);
    lay_hook(&region[HOST]);
    let program = region[HOST].dir.join("on-event");
    fs::write(&program, "#!/bin/sh\nexit 7\n").unwrap();
    region.start_all();
    region.wait_agreed(AGREEMENT);
    let (hosts, guests) = (&region[HOST], &region[GUEST]);
    let place = new(hosts, &["pool", "place", "--rooms", "1", "--people", "2"]);
    let request = ["pool", "request", "--people", "1", "--adults", "1"];
    let request = [&request[..], &["--rooms-needed", "1", "--urgency", "soon"]].concat();
    let request = new(guests, &request);
    until_known(guests, &place);
    guests.json(&["cases", "propose", &request, &place]);
    let advice = hosts.wait_status(AGREEMENT, "the hook fails", |status| {
        let first = status["advice"][0].clone();
        let said = first["problem"].as_str()?.contains("exit status: 7");
        said.then_some(first)
    });
    let next = advice["next"].as_str().unwrap();
    assert!(next.contains("smp watch --once"), "{next}");
    // Everything else goes on: officers see the event.
    let told = hosts.smp(&["watch", "--once", "--output", "json"]).ok().out;
    assert!(told.contains("proposal_arrived"), "{told}");

    // A hook that cannot be run is named before the node is started with it.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o600)).unwrap();
    let mut check = command("smp-node", &["check-config", "--config"]);
    check.arg(region[HOST].config());
    let output = check.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(
        said.contains("events.hook") && said.contains("chmod"),
        "{said}"
    );
}

/// Proposals of a round: enough that a kill finds some told, some on their way and some unmade.
const BURST: usize = 8;

#[test]
fn a_node_that_is_killed_in_the_midst_tells_each_event_and_none_twice_to_who_reads_on() {
    let mut region = Region::of(&[HOST, GUEST]);
    let hook = lay_hook(&region[HOST]);
    region.start_all();
    region.wait_agreed(AGREEMENT);
    let dir = region[HOST].dir.clone();
    let args = ["--output", "json", "--after", "0"];
    let watch = Watch::start(&region[HOST], &dir, "watch.jsonl", &args);
    let place = new(
        &region[HOST],
        &["pool", "place", "--rooms", "1", "--people", "2"],
    );
    until_known(&region[GUEST], &place);
    let mut cases = BTreeSet::new();
    for _round in 0..3 {
        // Who asks and does not read holds nobody up.
        let _deaf = ask(&region[HOST], "", "0");
        for _ in 0..BURST {
            let request = ["pool", "request", "--people", "1", "--adults", "1"];
            let request = [&request[..], &["--rooms-needed", "1", "--urgency", "soon"]].concat();
            let request = new(&region[GUEST], &request);
            let case = region[GUEST].json(&["cases", "propose", &request, &place]);
            cases.insert(case["case"]["id"].as_str().unwrap().to_owned());
        }
        until(AGREEMENT, "the first of them is told", || {
            let told = watch.events().len();
            (told > cases.len() - BURST)
                .then_some(())
                .ok_or_else(|| told.to_string())
        });
        region[HOST].kill();
        region[HOST].start();
    }
    let told_by = |events: &[Value]| -> BTreeSet<String> {
        let of = events.iter().filter(|e| e["kind"] == "proposal_arrived");
        of.map(|e| e["case"].as_str().unwrap().to_owned()).collect()
    };
    let all_told = |what: &str, events: &dyn Fn() -> Vec<Value>| {
        until(AGREEMENT, what, || {
            let told = told_by(&events());
            (told == cases)
                .then_some(())
                .ok_or_else(|| format!("{} of {}", told.len(), cases.len()))
        });
    };
    all_told("the watch has all", &|| watch.events());
    all_told("the hook has all", &|| lines(&hook));
    let events = watch.events();
    assert_eq!(events.len(), cases.len(), "{:?}", kinds(&events));
    let numbers: Vec<u64> = events
        .iter()
        .map(|e| e["number"].as_u64().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    // The hook gets each in its order, and again only what it was run for when the node was killed.
    let by_hook = lines(&hook);
    let repeats = by_hook.len() - once(&by_hook).len();
    assert!(repeats <= 3, "{repeats} of {}", by_hook.len());
    assert_eq!(once(&by_hook), events);
}
