//! Resident memory, each figure from a process of its own: this program, started again.

use std::path::Path;
use std::process::Command;

use crate::region::start;

/// Names the directory of the node that a child is to start.
const NODE: &str = "SMP_BENCH_NODE";

/// Whether this process is such a child; then it prints its figure.
pub(crate) async fn child() -> bool {
    let Ok(dir) = std::env::var(NODE) else {
        return false;
    };
    let daemon = start(Path::new(&dir)).await;
    // What opening left behind has been given back, and the first tick has been.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    println!("{}", resident_kb());
    daemon.stop().await;
    true
}

/// Memory of a process that runs the node of this directory, in KB.
pub(crate) fn of_node(dir: &Path) -> f64 {
    let program = std::env::current_exe().unwrap();
    let ran = Command::new(program).env(NODE, dir).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let printed = String::from_utf8(ran.stdout).unwrap();
    printed.trim().parse().unwrap()
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}
