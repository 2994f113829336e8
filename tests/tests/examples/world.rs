//! A region of three councils, and what leads up to an example: places, requests, cases, homes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use system_tests::harness::examples::Typed;
use system_tests::harness::wait::AGREEMENT;
use system_tests::harness::{Client, Node, PASSPHRASE, Region, copy_tree, free_ports, until};

use super::{A, B, C};

/// What follows the kind in an id of the help; and in a second one of the same kind.
const TAIL: &str = "aebagbafaydqqcikbmga2dqp";
const SECOND: &str = "bebagbafaydqqcikbmga2dqp";

pub(crate) struct World {
    pub(crate) region: Region,
    /// Where the examples are typed.
    pub(crate) dir: PathBuf,
    pub(crate) host: String,
    pub(crate) listing: String,
}

/// What an example needs beside its line.
#[derive(Default)]
pub(crate) struct Scene {
    /// The council at whose node it is typed; A where that is not said.
    pub(crate) at: Option<&'static str>,
    pub(crate) instead: Vec<(String, String)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) answer: Option<&'static str>,
}

impl Scene {
    pub(crate) fn at(council: &'static str) -> Self {
        Self {
            at: Some(council),
            ..Self::default()
        }
    }

    /// An id of this run in the place of the one in the help.
    pub(crate) fn with(mut self, id: &str) -> Self {
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

    pub(crate) fn path(mut self, what: &str, by: &Path) -> Self {
        self.instead
            .push((what.to_owned(), by.to_str().unwrap().to_owned()));
        self
    }

    pub(crate) fn inside(mut self, dir: PathBuf) -> Self {
        self.dir = Some(dir);
        self
    }

    pub(crate) fn answered(mut self, answer: &'static str) -> Self {
        self.answer = Some(answer);
        self
    }
}

fn first_id(stored: &serde_json::Value) -> String {
    stored["records"][0].as_str().unwrap().to_owned()
}

impl World {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn node(&self, council: &str) -> &Client {
        &self.region[council]
    }

    /// The files that the examples name.
    pub(crate) fn files(&self) {
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

    pub(crate) fn place(&self) -> String {
        let place = ["pool", "place", "--rooms", "2", "--people", "4"];
        first_id(&self.node(A).json(&place))
    }

    pub(crate) fn request(&self, council: &str) -> String {
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

    pub(crate) fn check(&self) -> String {
        first_id(&self.node(A).json(&["checks", "start", &self.host, "dbs"]))
    }

    /// Waits until a council sees a record.
    pub(crate) fn until_seen(&self, council: &str, id: &str) {
        until(AGREEMENT, &format!("{council} has {id}"), || {
            let shown = self.node(council).smp(&["pool", "show", id]);
            (shown.code == Some(0)).then_some(()).ok_or(shown.err)
        });
    }

    pub(crate) fn until_stage(&self, council: &str, case: &str, wanted: &str) {
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
    pub(crate) fn case(&self, stage: &str) -> Scene {
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
    pub(crate) fn open_listing(&self, of: &str, seen_by: &str) -> String {
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
    pub(crate) fn interest_of(&self, council: &str, of: &str) -> String {
        let listing = self.open_listing(of, council);
        let interest = ["housing", "interest", &listing, "--households", "1"];
        first_id(&self.node(council).json(&interest))
    }

    /// A home of A's in which B is interested, and A knows.
    pub(crate) fn wanted_listing(&self) -> String {
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
    pub(crate) fn led(&self, steps: &[&str]) -> String {
        let listing = self.open_listing(A, A);
        for step in steps {
            self.node(A).smp(&["housing", step, &listing]).ok();
        }
        listing
    }

    /// A directory of its own.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        let dir = self.region.dir().join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        dir
    }

    /// A roster that the region has issued, under the name that the examples have for it.
    pub(crate) fn issued(&self) -> Scene {
        let out = self.dir.join("north-east-4.roster");
        let _ = fs::remove_file(&out);
        self.region
            .admin(&["roster", "renew", "--out", out.to_str().unwrap()])
            .ok();
        Scene::default()
    }

    /// Whether A's register has been opened to another council by the region.
    pub(crate) fn open_to(&self, reader: &str, accepted: bool) -> Scene {
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
    pub(crate) fn named(&self, named: bool) -> Scene {
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
    pub(crate) fn enrolment(&self) -> Scene {
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
    pub(crate) fn timed(&self, own: bool) -> Scene {
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
    pub(crate) fn two_nodes(&self) -> Scene {
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
}

pub(crate) fn variables(node: &Client) -> [(&'static str, String); 2] {
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
