//! Promise 3 at the level of the store: what was acknowledged survives a kill, and damage to the
//! files is never given out as data. A helper process writes, and is killed at random moments.
//!
//! The seed is new for each run and printed on failure; set `STORE_CRASH_SEED` to run one again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use smp_node::store::{Change, EngineKind, Open, Table, open};
use system_tests::harness::copy_tree;

const KILLS: u32 = 40;
const DAMAGES: u32 = 60;

/// A check of these small stores takes milliseconds, and so does one commit; a process that says
/// nothing for this long hangs.
const HANGS_AFTER: Duration = Duration::from_secs(8);

/// Random numbers from a seed (xorshift64*).
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = match std::env::var("STORE_CRASH_SEED") {
            Ok(seed) => seed.parse().expect("STORE_CRASH_SEED is a number"),
            Err(_) => RandomState::new().hash_one(0) | 1,
        };
        Random(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

/// A running helper and the lines that it prints.
struct Helper {
    child: Child,
    lines: Receiver<String>,
}

impl Helper {
    fn start(engine: &str, dir: &Path, arguments: &[&str]) -> Helper {
        let mut child = Command::new(env!("CARGO_BIN_EXE_store_writer"))
            .arg(engine)
            .arg(dir)
            .args(arguments)
            .stdout(Stdio::piped())
            // Engines say a lot on damaged files.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Helper { child, lines }
    }

    /// Runs to the end. Returns what it printed, and whether it ended well.
    fn run(engine: &str, dir: &Path, arguments: &[&str]) -> (Vec<String>, Ended) {
        let mut helper = Helper::start(engine, dir, arguments);
        let mut printed = Vec::new();
        let ended = loop {
            match helper.lines.recv_timeout(HANGS_AFTER) {
                Ok(line) => printed.push(line),
                Err(RecvTimeoutError::Disconnected) if helper.child.wait().unwrap().success() => {
                    break Ended::Well;
                }
                Err(RecvTimeoutError::Disconnected) => break Ended::Badly,
                Err(RecvTimeoutError::Timeout) => {
                    helper.kill();
                    break Ended::Hung;
                }
            }
        };
        (printed, ended)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    Hung,
}

/// What a check of a store came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Holds {
        last: u64,
        missing: u64,
        stale: u64,
        wrong: u64,
        errors: u64,
    },
    Refused(String),
    Panicked,
    Aborted,
    Hung,
}

fn check(engine: &str, dir: &Path, expected: u64) -> Verdict {
    let (printed, ended) = Helper::run(engine, dir, &["check", &expected.to_string()]);
    let line = match (ended, printed.first()) {
        (Ended::Hung, _) => return Verdict::Hung,
        (Ended::Well, Some(line)) => line,
        _ => return Verdict::Aborted,
    };
    if line == "panicked" {
        return Verdict::Panicked;
    }
    let Some(numbers) = line.strip_prefix("holds ") else {
        return Verdict::Refused(line.clone());
    };
    let numbers: Vec<u64> = numbers
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let [last, missing, stale, wrong, errors] = numbers[..] else {
        panic!("{line}")
    };
    Verdict::Holds {
        last,
        missing,
        stale,
        wrong,
        errors,
    }
}

/// Exactly the batches up to `last`, each whole, and nothing else.
fn exactly(last: u64) -> Verdict {
    Verdict::Holds {
        last,
        missing: 0,
        stale: 0,
        wrong: 0,
        errors: 0,
    }
}

fn create(engine: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        Helper::run(engine, dir.path(), &["create"]),
        (vec![], Ended::Well)
    );
    dir
}

fn acknowledged(line: &str) -> u64 {
    line.strip_prefix("ack ").unwrap().parse().unwrap()
}

/// Lets the helper write and kills it at a random moment: after some acknowledgements, and then a
/// part of the next commit. Returns the last number that it acknowledged, if any.
fn write_and_kill(engine: &str, dir: &Path, random: &mut Random) -> Option<u64> {
    let mut helper = Helper::start(engine, dir, &["write"]);
    let mut last = None;
    for _ in 0..random.below(30) {
        last = Some(acknowledged(
            &helper.lines.recv_timeout(HANGS_AFTER).unwrap(),
        ));
    }
    let moment = Instant::now() + Duration::from_micros(random.below(6000));
    while let Ok(line) = helper
        .lines
        .recv_timeout(moment.saturating_duration_since(Instant::now()))
    {
        last = Some(acknowledged(&line));
    }
    helper.kill();
    // What is still in the pipe was acknowledged as well.
    helper
        .lines
        .iter()
        .map(|line| acknowledged(&line))
        .last()
        .or(last)
}

fn survives_kills(engine: &str) {
    let mut random = Random::new();
    let seed = random.0;
    let dir = create(engine);
    let (mut last, mut finished) = (0, 0);
    for kill in 1..=KILLS {
        last = write_and_kill(engine, dir.path(), &mut random).unwrap_or(last);
        // The batch that was being written is there whole or not at all.
        let found = check(engine, dir.path(), last);
        if found == exactly(last + 1) {
            last += 1;
            finished += 1;
        }
        assert_eq!(
            found,
            exactly(last),
            "{engine}, kill {kill}, STORE_CRASH_SEED={seed}"
        );
    }
    assert!(
        last > u64::from(KILLS),
        "too little was written between the kills: {last}"
    );
    println!(
        "{engine}: {KILLS} kills, {last} batches acknowledged or finished, none lost, none half \
         there; {finished} were on disk whole before they could be acknowledged"
    );
}

#[test]
fn redb_keeps_what_it_acknowledged_through_kills() {
    survives_kills("redb");
}

#[test]
fn sled_keeps_what_it_acknowledged_through_kills() {
    survives_kills("sled");
}

/// Every file under a path.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.flat_map(|path| files(&path)).collect();
    found.sort();
    found
}

/// Flips bits of one random byte, or cuts a file short. Larger files are hit more often.
fn damage(dir: &Path, random: &mut Random) -> String {
    let sizes: Vec<(PathBuf, u64)> = files(dir)
        .into_iter()
        .map(|file| (file.clone(), fs::metadata(&file).unwrap().len()))
        .collect();
    let mut at = random.below(sizes.iter().map(|(_, size)| size).sum());
    let (file, _) = sizes
        .iter()
        .find(|(_, size)| {
            let here = at < *size;
            if !here {
                at -= size;
            }
            here
        })
        .unwrap();
    let mut bytes = fs::read(file).unwrap();
    let at = usize::try_from(at).unwrap();
    let what = if random.below(3) == 0 {
        bytes.truncate(at);
        "cut at"
    } else {
        bytes[at] ^= u8::try_from(1 + random.below(255)).unwrap();
        "flipped byte"
    };
    fs::write(file, bytes).unwrap();
    format!("{} {what} {at}", file.strip_prefix(dir).unwrap().display())
}

/// Damages copies of a store, closed cleanly and killed in turn, and counts what came of it.
fn damage_trials(
    engine: &str,
    judge: fn(&Verdict, u64, bool) -> Result<&'static str, &'static str>,
) -> BTreeMap<&'static str, u32> {
    let mut random = Random::new();
    let seed = random.0;
    let closed = create(engine);
    let (printed, ended) = Helper::run(engine, closed.path(), &["write", "100"]);
    assert_eq!((printed.len(), ended), (100, Ended::Well));
    let killed = create(engine);
    let (printed, _) = Helper::run(engine, killed.path(), &["write", "90"]);
    let written = acknowledged(printed.last().unwrap());
    let last = write_and_kill(engine, killed.path(), &mut random).unwrap_or(written);

    let mut counts = BTreeMap::new();
    for trial in 1..=DAMAGES {
        let cleanly = trial % 2 == 0;
        let (base, last) = if cleanly {
            (closed.path(), 100)
        } else {
            (killed.path(), last)
        };
        let dir = tempfile::tempdir().unwrap();
        copy_tree(base, dir.path());
        let what = damage(dir.path(), &mut random);
        let verdict = check(engine, dir.path(), last);
        match judge(&verdict, last, cleanly) {
            Ok(kind) => *counts.entry(kind).or_default() += 1,
            Err(why) => panic!(
                "{engine}, trial {trial}: {what} of a store {}: {why}: {verdict:?} instead of \
                 {last}; STORE_CRASH_SEED={seed}",
                if cleanly { "closed cleanly" } else { "killed" }
            ),
        }
    }
    println!("{engine}: {DAMAGES} damaged stores: {counts:?}; STORE_CRASH_SEED={seed}");
    counts
}

/// redb and our checksums: the store is refused, or a read is, or all is right.
fn redb_is_never_wrong(
    found: &Verdict,
    last: u64,
    cleanly: bool,
) -> Result<&'static str, &'static str> {
    match *found {
        Verdict::Refused(_) | Verdict::Panicked => Ok("refused"),
        Verdict::Aborted => Err("the process ended"),
        Verdict::Hung => Err("the process hung"),
        Verdict::Holds { wrong: 1.., .. } => Err("wrong data given out as good"),
        Verdict::Holds { errors: 1.., .. } => Ok("a read refused"),
        Verdict::Holds { missing: 1.., .. } | Verdict::Holds { stale: 1.., .. } => {
            Err("rows lost without a word")
        }
        Verdict::Holds { last: found, .. } if found == last || found == last + 1 => Ok("all right"),
        // The commit that was written last does not verify, as after a power cut in its midst,
        // and redb goes back to the one before. The head witness is there to notice this.
        Verdict::Holds { last: found, .. } if !cleanly && found + 1 == last => {
            Ok("went back by one commit")
        }
        Verdict::Holds { .. } => Err("commits lost without a word"),
    }
}

#[test]
fn redb_never_gives_out_damage_as_data() {
    let counts = damage_trials("redb", redb_is_never_wrong);
    assert!(counts.contains_key("refused"), "nothing was noticed");
}

/// sled promises little: only that no value is wrong. The rest is counted. Before its first
/// snapshot, half a second after it opened, it takes any damage for the end of its log.
fn sled_values_are_never_wrong(
    found: &Verdict,
    last: u64,
    _: bool,
) -> Result<&'static str, &'static str> {
    match *found {
        Verdict::Refused(_) => Ok("refused"),
        Verdict::Panicked => Ok("panicked at opening"),
        Verdict::Aborted => Ok("ended the process"),
        Verdict::Hung => Ok("hung"),
        Verdict::Holds { wrong: 1.., .. } => Err("wrong data given out as good"),
        Verdict::Holds { errors: 1.., .. } => Ok("a read refused"),
        Verdict::Holds { missing: 1.., .. } | Verdict::Holds { stale: 1.., .. } => {
            Ok("rows lost without a word")
        }
        Verdict::Holds { last: found, .. } if found == last || found == last + 1 => Ok("all right"),
        Verdict::Holds { .. } => Ok("commits lost without a word"),
    }
}

#[test]
fn sled_never_gives_out_a_wrong_value() {
    let mut counts = damage_trials("sled", sled_values_are_never_wrong);
    counts.remove("all right");
    assert!(!counts.is_empty(), "no damage made a difference");
}

/// The trials above are worth what their check is worth.
#[test]
fn the_check_notices_every_kind_of_difference() {
    for (engine, kind) in [("redb", EngineKind::Redb), ("sled", EngineKind::Sled)] {
        let dir = create(engine);
        Helper::run(engine, dir.path(), &["write", "60"]);
        assert_eq!(check(engine, dir.path(), 60), exactly(60));
        let key = |n: u64| n.to_be_bytes().to_vec();
        let mut store = open(kind, dir.path(), Open::Existing).unwrap();
        let value = store.get(Table::Statements, &key(50)).unwrap().unwrap();
        store
            .commit(&[
                Change::Delete {
                    table: Table::Statements,
                    key: key(50),
                },
                Change::Put {
                    table: Table::Statements,
                    key: key(51),
                    value: value.clone(),
                },
            ])
            .unwrap();
        drop(store);
        // The wrong value is met twice: by its key and in the scan.
        let found = Verdict::Holds {
            last: 60,
            missing: 1,
            stale: 0,
            wrong: 2,
            errors: 0,
        };
        assert_eq!(check(engine, dir.path(), 60), found);

        let mut store = open(kind, dir.path(), Open::Existing).unwrap();
        let table = Table::Meta;
        store
            .commit(&[Change::Put {
                table,
                key: b"last".to_vec(),
                value: key(59),
            }])
            .unwrap();
        drop(store);
        let Verdict::Holds { stale, .. } = check(engine, dir.path(), 60) else {
            panic!()
        };
        assert_eq!(
            stale,
            1 + 1,
            "batch 60 has one statement and one row in the log"
        );
    }
}
