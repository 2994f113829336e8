//! A region in a directory of its own: authority, nodes one after another, agreement.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::ops::{Index, IndexMut};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use smp_certs::{Passphrase, WorkFactor};
use smp_protocol::time::UnixSeconds;
use tempfile::TempDir;

use super::{Client, Node, Ran, command, free_ports, run, until};

/// What the test regions' authorities are sealed with; there is nothing to protect.
pub const PASSPHRASE: &str = "only for trying things out";

/// The region's name.
const NAME: &str = "north-east";

/// The twelve councils of the North East.
const COUNCILS: [(&str, &str); 12] = [
    ("E06000001", "Hartlepool"),
    ("E06000002", "Middlesbrough"),
    ("E06000003", "Redcar and Cleveland"),
    ("E06000004", "Stockton-on-Tees"),
    ("E06000005", "Darlington"),
    ("E06000047", "County Durham"),
    ("E06000057", "Northumberland"),
    ("E08000021", "Newcastle upon Tyne"),
    ("E08000022", "North Tyneside"),
    ("E08000023", "South Tyneside"),
    ("E08000024", "Sunderland"),
    ("E08000037", "Gateshead"),
];

/// Councils of a two-tier area: a county, and a district of it.
const TWO_TIER: [(&str, &str); 2] = [("E10000017", "Lancashire"), ("E07000117", "Burnley")];

/// A council's name.
///
/// # Panics
/// Where it is none of the tests'.
pub fn name_of(council: &str) -> &'static str {
    let found = COUNCILS
        .iter()
        .chain(&TWO_TIER)
        .find(|(code, _)| *code == council);
    found.expect("a council of the tests").1
}

/// A region with its nodes. They are killed, and the directory goes, when it is dropped.
#[derive(Debug)]
pub struct Region {
    /// The nodes, in the order of enrolment.
    pub nodes: Vec<Node>,
    /// Where everything is.
    temp: TempDir,
    rosters: usize,
}

impl Region {
    /// A region of these councils, one node each, enrolled one after another: each bundle has
    /// only the roster of its time. No node runs yet.
    pub fn of(councils: &[&str]) -> Self {
        let mut region = Self::empty();
        for (council, port) in councils.iter().zip(free_ports(councils.len())) {
            region.add(council, port);
        }
        region
    }

    /// A region without members. Made by the library, without the seconds that it costs to
    /// seal a real authority; everything after that is done with the real commands.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn empty() -> Self {
        let temp = TempDir::new().expect("a directory");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock");
        smp_certs::Region::init(
            &temp.path().join("authority"),
            NAME.parse().expect("a name"),
            "North East Migration Partnership",
            &Passphrase::new(PASSPHRASE),
            WorkFactor::NONE,
            UnixSeconds(now.as_secs()),
        )
        .expect("a region");
        Self {
            nodes: Vec::new(),
            temp,
            rosters: 0,
        }
    }

    /// Makes one more node, enrols it and has it join. It does not run yet.
    pub fn add(&mut self, council: &str, port: u16) -> &mut Node {
        let node = self.init(council, port);
        self.enrol_and_join(node)
    }

    /// Makes a node that is no member yet.
    pub fn init(&self, council: &str, port: u16) -> Node {
        Node::init(&self.dir().join(council), NAME, council, port)
    }

    /// The same for one that others dial at `endpoint`, and that listens on `listen`.
    pub fn init_at(&self, council: &str, endpoint: SocketAddr, listen: SocketAddr) -> Node {
        Node::init_at(&self.dir().join(council), NAME, council, endpoint, listen)
    }

    /// Enrols a node and has it join.
    pub fn enrol_and_join(&mut self, node: Node) -> &mut Node {
        let request = node.dir.join("request.txt");
        let bundle = node.dir.join("bundle.txt");
        self.admin(&[
            "member",
            "enrol",
            request.to_str().expect("text"),
            "--name",
            name_of(&node.council),
            "--yes",
            "--out",
            bundle.to_str().expect("text"),
        ])
        .ok();
        node.join(&bundle);
        self.nodes.push(node);
        self.nodes.last_mut().expect("the one just added")
    }

    /// Where everything of this region is.
    pub fn dir(&self) -> &Path {
        self.temp.path()
    }

    /// The region directory of the SMP's admin.
    pub fn authority(&self) -> PathBuf {
        self.dir().join("authority")
    }

    /// Runs one of the admin's offline commands on the region directory.
    pub fn admin(&self, args: &[&str]) -> Ran {
        let mut command = command("smp", args);
        command.env("SMP_PASSPHRASE", PASSPHRASE);
        command.arg("--region-dir").arg(self.authority());
        run(command)
    }

    /// Starts all nodes, and waits until each answers.
    pub fn start_all(&mut self) {
        self.nodes.iter_mut().for_each(Node::spawn);
        self.nodes.iter_mut().for_each(Node::wait_ready);
    }

    /// Opens the register of one council to another, with the steps that it takes: the region
    /// names the reader, the roster is published at the owner, the owner accepts. Both run.
    pub fn open_register(&mut self, owner: &str, reader: &str) {
        self.rosters += 1;
        let file = self.dir().join(format!("readers-{}.roster", self.rosters));
        let file = file.to_str().expect("text");
        let propose = ["readers", "propose", owner, reader, "--out", file];
        self.admin(&propose).ok();
        self[owner].smp(&["roster", "publish", file]).ok();
        self[owner].smp(&["readers", "accept", reader]).ok();
    }

    /// Has the last node that was made take its council's decisions, and tells it at `at`.
    ///
    /// # Panics
    /// Where it cannot be.
    pub fn make_last_decider(&mut self, at: usize) {
        let last = self.nodes.last().expect("a node");
        let listed = self.admin(&["member", "list", "--output", "json"]).json();
        let port = format!(":{}\"", last.port);
        let mut nodes = listed.as_array().expect("nodes").iter();
        let listed = nodes.find(|node| node["endpoints"].to_string().contains(&port));
        let id = listed
            .and_then(|node| node["node"].as_str())
            .expect("its id");
        self.rosters += 1;
        let file = self.dir().join(format!("decider-{}.roster", self.rosters));
        let file = file.to_str().expect("text");
        let decider = ["member", "decider", &last.council, id, "--out", file];
        self.admin(&decider).ok();
        self.nodes[at].smp(&["roster", "publish", file]).ok();
    }

    /// Writes a file into the region's directory, and gives its path.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    }

    /// Waits until all running nodes hold the same of every document that they may read.
    ///
    /// # Panics
    /// Where they do not in time, naming document and nodes.
    #[track_caller]
    pub fn wait_agreed(&self, within: Duration) {
        until(within, "all readers agree", || self.agreed());
    }

    /// Whether all running nodes hold the same, see [`agreed`].
    ///
    /// # Errors
    /// What differs.
    pub fn agreed(&self) -> Result<(), String> {
        let running = self.nodes.iter().filter(|node| node.pid().is_some());
        let running: Vec<&Client> = running.map(|node| &**node).collect();
        agreed(&running)
    }
}

/// Whether nodes hold the same of every document that they may read: equal frontiers and equal
/// heads, compared here and not as they say themselves.
///
/// # Errors
/// What differs.
pub fn agreed(nodes: &[&Client]) -> Result<(), String> {
    // By socket: a council may have two nodes.
    let mut seen: BTreeMap<String, BTreeMap<&Path, String>> = BTreeMap::new();
    for node in nodes {
        let answer = node.api().get("/v1/documents").map_err(|e| e.to_string())?;
        for document in answer.body.as_array().ok_or("no list of documents")? {
            let name = document["document"].as_str().ok_or("no name")?.to_owned();
            let state = match document["entries"].as_u64() {
                Some(0) => "empty".to_owned(),
                _ => format!("{} {}", document["frontier"], document["heads"]),
            };
            let holders = seen.entry(name).or_default();
            holders.insert(&node.socket, state);
        }
    }
    for node in nodes {
        for kind in ["rematching-pool", "housing-list"] {
            let name = format!("{kind}/{}", node.council);
            let holders = seen.get(&name).map_or(0, BTreeMap::len);
            if holders != nodes.len() {
                return Err(format!("{name} is listed at {holders} nodes only"));
            }
        }
    }
    for (name, holders) in &seen {
        let states: BTreeSet<&String> = holders.values().collect();
        if states.len() > 1 {
            return Err(format!("{name} differs: {holders:#?}"));
        }
    }
    Ok(())
}

impl Index<&str> for Region {
    type Output = Node;

    fn index(&self, council: &str) -> &Node {
        let found = self.nodes.iter().find(|node| node.council == council);
        found.expect("a node of this region")
    }
}

impl IndexMut<&str> for Region {
    fn index_mut(&mut self, council: &str) -> &mut Node {
        let found = self.nodes.iter_mut().find(|node| node.council == council);
        found.expect("a node of this region")
    }
}
