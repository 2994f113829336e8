//! The commands of `smp-node` as an operator meets them: the binary itself, real files.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use smp_certs::{EnrolmentRequest, Passphrase, Region, WorkFactor};
use smp_protocol::time::UnixSeconds;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smp-node"));
    command.args(args).stdin(Stdio::null());
    command.env_remove("RUST_LOG").env_remove("SMP_NODE_CONFIG");
    command
}

fn smp_node(args: &[&str]) -> Ran {
    command(args).output().unwrap().into()
}

fn init(dir: &Path) -> Ran {
    init_at(dir, "127.0.0.1:7401")
}

fn init_at(dir: &Path, listen: &str) -> Ran {
    let dir = dir.to_str().unwrap();
    smp_node(&[
        "init",
        "--dir",
        dir,
        "--council",
        "E08000021",
        "--region",
        "north-east",
        "--endpoint",
        "127.0.0.1:7401",
        "--listen",
        listen,
    ])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn now() -> UnixSeconds {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixSeconds(now.unwrap().as_secs())
}

/// A new region that enrols the node of `dir`; gives the bundle's file and the digits of
/// its authority.
fn enrol(region_dir: &Path, node: &Path) -> (PathBuf, String) {
    let mut region = Region::init(
        region_dir,
        "north-east".parse().unwrap(),
        "North East Migration Partnership",
        &Passphrase::new("correct horse battery staple"),
        WorkFactor::NONE,
        now(),
    )
    .unwrap();
    let text = fs::read_to_string(node.join("request.txt")).unwrap();
    let request = EnrolmentRequest::from_text(&text).unwrap();
    let bundle = region
        .enrol(&request, "Newcastle upon Tyne", now())
        .unwrap();
    let path = region_dir.join("bundle.txt");
    fs::write(&path, bundle.to_text()).unwrap();
    (path, bundle.fingerprint().to_string())
}

#[test]
fn help_and_usage() {
    let none = smp_node(&[]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("Usage: smp-node"), "{}", none.err);
    for command in [
        vec!["--help"],
        vec!["init", "--help"],
        vec!["join", "-h"],
        vec!["run", "-h"],
    ] {
        let help = smp_node(&command);
        assert_eq!(help.code, Some(0), "{command:?}");
        for part in ["Examples:", "Exit codes:", "smp-node "] {
            assert!(
                help.out.contains(part),
                "{command:?} lacks {part}: {}",
                help.out
            );
        }
    }
    let wrong = smp_node(&[
        "init",
        "--dir",
        "x",
        "--council",
        "Newcastle",
        "--region",
        "a",
    ]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("E08000035"), "{}", wrong.err);
}

#[test]
fn init_makes_what_it_says_for_its_user_alone_and_never_twice() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("newcastle");
    let made = init(&dir);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let request = fs::read_to_string(dir.join("request.txt")).unwrap();
    let request = EnrolmentRequest::from_text(&request).unwrap();
    request.verify().unwrap();
    assert_eq!(request.endpoints, ["127.0.0.1:7401"]);
    assert!(
        made.out.contains(&request.fingerprint().to_string()),
        "{}",
        made.out
    );
    assert!(made.out.contains("smp-node join --config"), "{}", made.out);
    let modes = [
        ("", 0o750),
        ("keys", 0o700),
        ("keys/node.key", 0o600),
        ("data", 0o700),
    ];
    for (name, expected) in modes {
        assert_eq!(mode(&dir.join(name)), expected, "{name}");
    }

    let key = fs::read(dir.join("keys/node.key")).unwrap();
    let again = init(&dir);
    assert_eq!(again.code, Some(4));
    assert!(again.err.contains("nothing was changed"), "{}", again.err);
    assert_eq!(fs::read(dir.join("keys/node.key")).unwrap(), key);

    let checked = smp_node(&[
        "check-config",
        "--config",
        dir.join("smp-node.toml").to_str().unwrap(),
    ]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    assert!(checked.out.contains("has not joined"), "{}", checked.out);
}

#[test]
fn a_failed_init_leaves_what_was_there() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "mine").unwrap();
    let failed = init(&file.join("node"));
    assert_eq!(failed.code, Some(5));
    assert!(failed.err.contains("file"), "{}", failed.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn check_config_names_the_unknown_key() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("node");
    init(&dir);
    let path = dir.join("smp-node.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("listen =", "lisen =")).unwrap();
    let checked = smp_node(&["check-config", "--config", path.to_str().unwrap()]);
    assert_eq!(checked.code, Some(4));
    for part in ["smp-node.toml", "line ", "`lisen`", "listen"] {
        assert!(checked.err.contains(part), "lacks {part}: {}", checked.err);
    }
    fs::write(&path, text).unwrap();
    fs::set_permissions(dir.join("data"), fs::Permissions::from_mode(0o755)).unwrap();
    let checked = smp_node(&["check-config", "--config", path.to_str().unwrap()]);
    assert_eq!(checked.code, Some(4));
    assert!(checked.out.contains("chmod 700"), "{}", checked.out);
}

#[test]
fn run_before_join_says_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("node");
    init(&dir);
    let config = dir.join("smp-node.toml");
    let ran = smp_node(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(ran.code, Some(6), "{}", ran.err);
    for part in [
        "has not joined",
        "smp member enrol",
        "smp-node join --config",
    ] {
        assert!(ran.err.contains(part), "lacks {part}: {}", ran.err);
    }
    fs::remove_dir_all(dir.join("keys")).unwrap();
    let ran = smp_node(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(ran.code, Some(6), "{}", ran.err);
    assert!(ran.err.contains("smp-node init"), "{}", ran.err);
}

#[test]
fn join_takes_the_nodes_own_bundle_once_it_is_confirmed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("node");
    init(&dir);
    let (bundle, fingerprint) = enrol(&temp.path().join("region"), &dir);
    let (config, bundle) = (
        dir.join("smp-node.toml"),
        bundle.to_str().unwrap().to_owned(),
    );
    let config = config.to_str().unwrap();
    let kept = dir.join("data/region/membership.txt");

    let nothing = smp_node(&["join", "--config", config, "no.bundle"]);
    assert_eq!(nothing.code, Some(4));
    for part in ["no.bundle", "the region's admin"] {
        assert!(nothing.err.contains(part), "lacks {part}: {}", nothing.err);
    }

    let unsure = smp_node(&["join", "--config", config, &bundle]);
    assert_eq!(unsure.code, Some(4));
    assert!(unsure.out.contains(&fingerprint), "{}", unsure.out);
    assert!(unsure.err.contains("by telephone"), "{}", unsure.err);
    assert!(!kept.exists());

    let joined = smp_node(&["join", "--config", config, "--yes", &bundle]);
    assert_eq!(joined.code, Some(0), "{}", joined.err);
    assert_eq!(
        fs::read_to_string(&kept).unwrap(),
        fs::read_to_string(&bundle).unwrap()
    );
    assert_eq!(mode(&kept), 0o600);
    let again = smp_node(&["join", "--config", config, &bundle]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.out.contains("nothing was changed"), "{}", again.out);
    let checked = smp_node(&["check-config", "--config", config]);
    assert!(!checked.out.contains("has not joined"), "{}", checked.out);
}

#[test]
fn join_refuses_bundles_that_are_not_for_this_node_or_region() {
    let temp = tempfile::tempdir().unwrap();
    let (one, other) = (temp.path().join("one"), temp.path().join("other"));
    init(&one);
    init(&other);
    let (mine, _) = enrol(&temp.path().join("a"), &one);
    let (others, _) = enrol(&temp.path().join("b"), &other);
    let (elsewhere, _) = enrol(&temp.path().join("c"), &one);
    let config = one.join("smp-node.toml");
    let join = |bundle: &Path| {
        smp_node(&[
            "join",
            "--yes",
            "--config",
            config.to_str().unwrap(),
            bundle.to_str().unwrap(),
        ])
    };
    let refused = join(&others);
    assert_eq!(refused.code, Some(4));
    assert!(refused.err.contains("is for node"), "{}", refused.err);

    let damaged = temp.path().join("damaged.txt");
    let text = fs::read_to_string(&mine).unwrap();
    fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    let refused = join(&damaged);
    assert_eq!(refused.code, Some(4));
    assert!(refused.err.contains("damaged.txt"), "{}", refused.err);
    assert!(!one.join("data/region").exists());

    assert_eq!(join(&mine).code, Some(0));
    let refused = join(&elsewhere);
    assert_eq!(refused.code, Some(4));
    assert!(refused.err.contains("another authority"), "{}", refused.err);
    let kept = fs::read_to_string(one.join("data/region/membership.txt")).unwrap();
    assert_eq!(kept, text);
}

#[test]
fn run_refuses_a_socket_that_another_answers_on() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("node");
    init(&dir);
    let (bundle, _) = enrol(&temp.path().join("region"), &dir);
    let config = dir.join("smp-node.toml");
    let config = config.to_str().unwrap();
    assert_eq!(
        smp_node(&[
            "join",
            "--yes",
            "--config",
            config,
            bundle.to_str().unwrap()
        ])
        .code,
        Some(0)
    );
    let other = std::os::unix::net::UnixListener::bind(dir.join("smp-node.sock")).unwrap();
    let ran = smp_node(&["run", "--config", config]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("another smp-node answers"), "{}", ran.err);
    drop(other);
}

/// A request to the API, as bytes on its socket.
fn get(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn run_serves_until_it_is_told_to_stop() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("node");
    // Any free port: nobody dials this node.
    init_at(&dir, "127.0.0.1:0");
    let (bundle, _) = enrol(&temp.path().join("region"), &dir);
    let config = dir.join("smp-node.toml");
    let config = config.to_str().unwrap();
    let bundle = bundle.to_str().unwrap();
    let joined = smp_node(&["join", "--yes", "--config", config, bundle]);
    assert_eq!(joined.code, Some(0), "{}", joined.err);

    let socket = dir.join("smp-node.sock");
    for _ in 0..2 {
        let mut daemon = command(&["run", "--config", config])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(daemon.stderr.take().unwrap()).lines();
        let answers = log.any(|line| line.unwrap().contains("the local API answers"));
        assert!(answers, "it ended before the API answered");
        assert!(get(&socket, "/v1/health").starts_with("HTTP/1.1 200"));
        let status = get(&socket, "/v1/status");
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        assert!(
            status.contains("E08000021") && status.contains("north-east"),
            "{status}"
        );

        let second = smp_node(&["run", "--config", config]);
        assert_eq!(second.code, Some(3), "{}", second.err);
        assert!(get(&socket, "/v1/health").starts_with("HTTP/1.1 200"));

        let pid = rustix::process::Pid::from_child(&daemon);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let rest: Vec<String> = log.map(Result::unwrap).collect();
        assert_eq!(daemon.wait().unwrap().code(), Some(0), "{rest:?}");
        assert!(rest.iter().any(|line| line.contains("stopped")), "{rest:?}");
        assert!(!socket.exists());
    }
}
