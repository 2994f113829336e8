//! The steps of README's "Run a region by hand", run as they stand there: three processes,
//! councils enrolled one after another, a register opened to one neighbour and not to the
//! other. Then what `smp status` says with all nodes up, with one down, and after it is back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use serde_json::Value;
use system_tests::harness::{Client, Shell, agreed, free_ports, until, wait};
use tempfile::TempDir;

const NEWCASTLE: &str = "E08000021";
const GATESHEAD: &str = "E08000037";
const SUNDERLAND: &str = "E08000024";

/// What is never to be seen outside Newcastle; the README's file has it.
const PERSONAL: [&str; 2] = ["Ada Example", "01632 960101"];

/// The fenced blocks under the heading, as they stand.
fn blocks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(path).unwrap();
    let (_, section) = readme.split_once("\n## Run a region by hand\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let fenced = section.split("\n```").skip(1).step_by(2);
    let block = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    let blocks: Vec<String> = fenced.map(block).collect();
    assert!(blocks.len() >= 6, "{blocks:#?}");
    blocks
}

/// The three nodes of the README, wherever its steps put them.
struct Three {
    newcastle: Client,
    gateshead: Client,
    sunderland: Client,
}

impl Three {
    fn in_dir(dir: &Path) -> Self {
        let client = |council, name| Client::new(council, &dir.join(name).join("smp-node.sock"));
        Self {
            newcastle: client(NEWCASTLE, "newcastle"),
            gateshead: client(GATESHEAD, "gateshead"),
            sunderland: client(SUNDERLAND, "sunderland"),
        }
    }

    fn all(&self) -> [&Client; 3] {
        [&self.newcastle, &self.gateshead, &self.sunderland]
    }

    /// Until each answers, is in contact with the other two, and holds the newest roster.
    fn wait_together(&self, roster: u64) {
        for node in self.all() {
            until(wait::START, &format!("{} answers", node.council), || {
                node.api().get("/v1/health").map_err(|e| e.to_string())
            });
        }
        for node in self.all() {
            node.wait_status(wait::AGREEMENT, "in contact with both others", |status| {
                let connected = |peer: &&Value| peer["state"] == "connected";
                let peers = status["peers"].as_array()?;
                let all = peers.iter().filter(connected).count() == 2;
                (all && status["roster"]["version"] == roster).then_some(())
            });
        }
    }

    fn wait_agreed(&self) {
        until(wait::AGREEMENT, "all three agree", || agreed(&self.all()));
    }
}

/// Follows the README, on other ports and without its pauses; gives the line that starts
/// Sunderland's node.
fn follow(shell: &mut Shell, three: &Three) -> String {
    let ports = free_ports(3);
    let mut restart = String::new();
    for block in blocks() {
        let mut block = block;
        for (readme, port) in ["7401", "7402", "7403"].iter().zip(&ports) {
            block = block.replace(readme, &port.to_string());
        }
        // The build is there; what it pauses for is waited for here.
        let skipped = ["cargo build", "export PATH=", "sleep "];
        let lines = block.lines();
        let kept = lines.filter(|line| !skipped.iter().any(|start| line.starts_with(start)));
        let block = kept.collect::<Vec<&str>>().join("\n");
        if block.contains(" pool list") {
            three.wait_agreed();
        }
        shell.run(&block);
        let starts = |line: &&str| line.contains("smp-node run") && line.contains("sunderland");
        if let Some(line) = block.lines().find(starts) {
            restart = line.to_owned();
            // 1 for the empty region, and one for each council. No bundle but the last has it.
            three.wait_together(4);
        }
    }
    assert!(!restart.is_empty());
    restart
}

fn documents(node: &Client) -> Vec<String> {
    let documents = node.list(&["documents"]);
    let name = |document: &Value| document["document"].as_str().unwrap().to_owned();
    documents.iter().map(name).collect()
}

/// Who sees what, once README's steps are done.
fn shared_as_it_should_be(three: &Three) {
    let register = format!("host-register/{NEWCASTLE}");
    assert!(documents(&three.gateshead).contains(&register));
    assert!(!documents(&three.sunderland).contains(&register));
    let own = three.newcastle.list(&["hosts", "list"]);
    assert_eq!(own.len(), 2, "{own:#?}");
    assert_eq!(three.gateshead.list(&["hosts", "list"]), own);
    assert_eq!(
        three.sunderland.list(&["hosts", "list"]),
        Vec::<Value>::new()
    );
    let places = three.newcastle.list(&["pool", "list"]);
    assert_eq!(places.len(), 1, "{places:#?}");
    for node in [&three.gateshead, &three.sunderland] {
        assert_eq!(node.list(&["pool", "list"]), places, "{}", node.council);
    }

    let mut seen = String::new();
    for host in &own {
        let id = host["id"].as_str().unwrap();
        let show = ["hosts", "show", id, "--personal"];
        seen.push_str(&three.newcastle.smp(&show).ok().out);
        let elsewhere = three.gateshead.smp(&show).ok().out;
        let hidden = |text: &&str| !elsewhere.contains(*text);
        assert!(PERSONAL.iter().all(hidden), "{elsewhere}");
        let refused = three.sunderland.smp(&show).exits(4);
        assert!(refused.err.contains("smp hosts list"), "{refused:#?}");
    }
    assert!(PERSONAL.iter().all(|text| seen.contains(text)), "{seen}");
}

/// Homes imported at one council are listed at all.
fn housing_reaches_all(three: &Three, dir: &Path) {
    let file = dir.join("homes.csv");
    let homes = "reference,tenure,area,bedrooms,maximum_household,rent_pence_per_month,state\n\
                 G-1,private_rented,E08000037,2,4,65000,available\n\
                 G-2,social_rented,E08000037,3,6,52000,available\n";
    fs::write(&file, homes).unwrap();
    let import = ["housing", "import", file.to_str().unwrap()];
    let report = three.gateshead.json(&import);
    assert_eq!(report["created"], 2, "{report:#}");
    three.wait_agreed();
    for node in three.all() {
        assert_eq!(node.list(&["housing", "list"]).len(), 2, "{}", node.council);
    }
}

/// What is said of documents and peers when everybody is up.
fn says_agreed(node: &Client) {
    node.wait_status(wait::AGREEMENT, "in agreement, and as of when", |status| {
        let well = |document: &Value| match document["entries"].as_u64() {
            // Of a council that wrote nothing there is nothing to have heard.
            Some(0) => document["agreement"] == "agreed" || document["next"].is_string(),
            _ => document["agreement"] == "agreed" && document["as_of"].is_string(),
        };
        let reached = |peer: &Value| {
            peer["state"] == "connected"
                && peer["in_agreement"] == peer["shared"]
                && peer["as_of"].is_string()
                && peer["why"].is_null()
        };
        let documents = status["documents"].as_array()?.iter().all(well);
        (documents && status["peers"].as_array()?.iter().all(reached)).then_some(())
    });
}

/// What is said of a peer that is down: why it is not in agreement, and what to do next.
fn says_unreachable(node: &Client) {
    node.wait_status(wait::AGREEMENT, "why Sunderland is not reached", |status| {
        let mut peers = status["peers"].as_array()?.iter();
        let peer = peers.find(|peer| peer["council"] == SUNDERLAND)?;
        let next = peer["next"].as_str()?;
        let said = peer["state"] == "unreachable"
            && peer["why"].as_str().is_some_and(|why| !why.is_empty())
            && next.contains("Sunderland")
            && next.contains("UDP");
        let mut advice = status["advice"].as_array()?.iter();
        let advised = advice.any(|advice| advice["next"] == next);
        (said && advised).then_some(())
    });
    let text = node.smp(&["status"]).ok().out;
    assert!(
        text.contains("Sunderland") && text.contains("unreachable"),
        "{text}"
    );
    node.smp(&["status", "--check"]).exits(5);
}

#[test]
fn the_steps_of_the_readme() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path().join("target/region");
    let three = Three::in_dir(&dir);
    let mut shell = Shell::start(temp.path());
    let restart = follow(&mut shell, &three);
    three.wait_agreed();
    shared_as_it_should_be(&three);
    housing_reaches_all(&three, temp.path());
    three.all().into_iter().for_each(says_agreed);

    // The last that was started is Sunderland's; `wait` gives its exit code.
    shell.run("kill $! && wait $!");
    for node in [&three.newcastle, &three.gateshead] {
        says_unreachable(node);
    }
    let offer = [
        "pool",
        "place",
        "--rooms",
        "1",
        "--people",
        "2",
        "--replicated",
    ];
    three.newcastle.smp(&offer).ok();

    shell.run(&restart);
    three.wait_together(5);
    three.wait_agreed();
    assert_eq!(three.sunderland.list(&["pool", "list"]).len(), 2);
    three.all().into_iter().for_each(says_agreed);
}
