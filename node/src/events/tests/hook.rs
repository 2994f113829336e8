//! The hook: what it gets, what it does not get, and what becomes of one that fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smp_protocol::api::Event;

use super::{event, soon, told};
use crate::events::{Deliveries, EventLog, HookCommand, HookFailure};

/// A script in a directory of its own. `$1` is the directory.
fn script(dir: &Path, text: &str) -> HookCommand {
    let program = dir.join("on-event");
    fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    HookCommand {
        program,
        arguments: vec![dir.to_str().unwrap().to_owned(), "$HOME; \"q\"".to_owned()],
    }
}

fn lines(path: PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn it_gets_the_event_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(
        dir.path(),
        "cat > $1/in; env > $1/env; echo \"$2\" > $1/argument; pwd > $1/pwd",
    );
    hook.run(&event(7), 30).await.unwrap();
    let got: Event = serde_json::from_str(&lines(dir.path().join("in"))[0]).unwrap();
    assert_eq!(got, event(7));
    // No shell has read the arguments.
    assert_eq!(lines(dir.path().join("argument")), ["$HOME; \"q\""]);
    assert_eq!(lines(dir.path().join("pwd")), ["/"]);
    // Cargo sets this for the test, so that there is something to be cleared.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let env = lines(dir.path().join("env"));
    let names: Vec<&str> = env
        .iter()
        .filter_map(|line| line.split('=').next())
        .collect();
    // Those that the shell sets itself.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let mut given: Vec<&str> = names
        .into_iter()
        .filter(|name| !own.contains(name))
        .collect();
    given.sort_unstable();
    assert_eq!(
        given,
        [
            "PATH",
            "SMP_EVENT_AT",
            "SMP_EVENT_ID",
            "SMP_EVENT_KIND",
            "SMP_EVENT_NEXT",
            "SMP_EVENT_NUMBER",
            "SMP_EVENT_WHAT"
        ]
    );
    assert!(env.contains(&"SMP_EVENT_NUMBER=7".to_owned()), "{env:?}");
}

#[tokio::test]
async fn one_that_does_not_read_or_end_well_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    script(dir.path(), "exit 0")
        .run(&event(1), 30)
        .await
        .unwrap();
    let failed = script(dir.path(), "exit 3").run(&event(1), 30).await;
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("exit status: 3"), "{failed}");
    let none = HookCommand {
        program: dir.path().join("nothing"),
        arguments: Vec::new(),
    };
    let failed = none.run(&event(1), 30).await.unwrap_err();
    assert!(matches!(failed, HookFailure::Start(_)), "{failed}");
}

/// Whether a process runs.
fn runs(pid: &str) -> bool {
    // A zombie has ended; nobody may have waited for it yet.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits for what becomes so without anybody saying when.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let reached = async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !condition() {
            looks.tick().await;
        }
    };
    soon(what, reached).await;
}

#[tokio::test]
async fn one_that_takes_too_long_is_killed_with_what_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(
        dir.path(),
        "sleep 600 &\necho $! > $1/child; echo $$ > $1/self; wait",
    );
    let failed = soon("it is given up", hook.run(&event(1), 1))
        .await
        .unwrap_err();
    assert!(matches!(failed, HookFailure::TooLong(1)), "{failed}");
    for name in ["child", "self"] {
        let pid = fs::read_to_string(dir.path().join(name)).unwrap();
        until("it is killed", || !runs(&pid)).await;
    }
}

#[tokio::test]
async fn one_that_runs_when_the_node_stops_is_killed_and_its_event_is_not_done_with() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(dir.path(), "echo $$ > $1/new; mv $1/new $1/self; sleep 600");
    let log = Arc::new(EventLog::default());
    log.load(0, 1, told(1..=1));
    let done = Arc::new(Mutex::new(Vec::new()));
    let task = tokio::spawn(deliveries(hook, &log, 0).run(keep(&done)));
    let file = dir.path().join("self");
    until("it runs", || file.exists()).await;
    let pid = fs::read_to_string(&file).unwrap();
    assert!(runs(&pid));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    until("it is killed", || !runs(&pid)).await;
    assert_eq!(*done.lock().unwrap(), Vec::<u64>::new());
}

fn deliveries(hook: HookCommand, log: &Arc<EventLog>, after: u64) -> Deliveries {
    Deliveries {
        hook,
        log: Arc::clone(log),
        after,
        seconds: 30,
        pauses: vec![Duration::ZERO; 2],
    }
}

fn keep(done: &Arc<Mutex<Vec<u64>>>) -> impl Fn(u64) -> std::future::Ready<()> + use<> {
    let done = Arc::clone(done);
    move |number| {
        done.lock().unwrap().push(number);
        std::future::ready(())
    }
}

#[tokio::test]
async fn events_come_one_at_a_time_in_order_and_one_that_fails_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    // Each run would see the one before, were that still there. The second fails once, the third
    // always.
    let hook = script(
        dir.path(),
        "mkdir $1/running || exit 9\necho $SMP_EVENT_NUMBER >> $1/tried\nrmdir $1/running\n\
         case $SMP_EVENT_NUMBER in\n2) test -e $1/once || { touch $1/once; exit 1; };;\n3) exit 4;;\nesac",
    );
    let log = Arc::new(EventLog::default());
    log.load(0, 4, told(1..=4));
    let done = Arc::new(Mutex::new(Vec::new()));
    let task = tokio::spawn(deliveries(hook, &log, 0).run(keep(&done)));
    until("all are done with", || done.lock().unwrap().len() == 4).await;
    assert_eq!(*done.lock().unwrap(), [1, 2, 3, 4]);
    let tried = lines(dir.path().join("tried"));
    assert_eq!(tried, ["1", "2", "2", "3", "3", "3", "4"]);
    let report = log.hook();
    assert_eq!((report.failing, report.given_up), (None, 1));
    let (number, why) = report.last_given_up.unwrap();
    assert_eq!(number, 3);
    assert!(why.contains("exit status: 4"), "{why}");
    log.close();
    soon("it ends with the log", task).await.unwrap();
}

#[tokio::test]
async fn one_that_was_left_behind_is_told_of_the_gap() {
    let dir = tempfile::tempdir().unwrap();
    let hook = script(
        dir.path(),
        "echo $SMP_EVENT_NUMBER $SMP_EVENT_KIND >> $1/tried",
    );
    let log = Arc::new(EventLog::default());
    log.load(10, 12, told(11..=12));
    let done = Arc::new(Mutex::new(Vec::new()));
    let task = tokio::spawn(deliveries(hook, &log, 4).run(keep(&done)));
    until("all are done with", || done.lock().unwrap().len() == 3).await;
    let tried = lines(dir.path().join("tried"));
    assert_eq!(
        tried,
        ["10 gap", "11 proposal_arrived", "12 proposal_arrived"]
    );
    log.close();
    soon("it ends with the log", task).await.unwrap();
}
