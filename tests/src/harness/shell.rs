//! A shell that follows steps written for people, one block after another, as they stand.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::binaries::{VARIABLES, binaries_dir};
use super::{binary, until};

/// Until a block is done: sealing a region authority takes seconds, on a busy machine too.
const BLOCK: Duration = Duration::from_secs(60);

/// A running `sh -e`. All that it started is killed when this is dropped.
#[derive(Debug)]
pub struct Shell {
    process: Child,
    input: ChildStdin,
    /// Where it writes what the blocks print.
    dir: PathBuf,
    blocks: usize,
}

impl Shell {
    /// Starts it in `dir`, where `smp` and `smp-node` are those under test.
    ///
    /// # Panics
    /// Where there is no shell, or the binaries are not built.
    pub fn start(dir: &Path) -> Self {
        let (_, _) = (binary("smp"), binary("smp-node"));
        let path = std::env::var("PATH").expect("PATH");
        let path = format!("{}:{path}", binaries_dir().display());
        let mut shell = Command::new("sh");
        shell.arg("-e").current_dir(dir).env("PATH", path);
        for variable in VARIABLES {
            shell.env_remove(variable);
        }
        let errors = File::create(dir.join("sh.err")).expect("a file");
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(errors);
        // So that the nodes that it starts can be ended with it.
        let mut process = shell.process_group(0).spawn().expect("sh");
        let input = process.stdin.take().expect("its input");
        Self {
            process,
            input,
            dir: dir.to_owned(),
            blocks: 0,
        }
    }

    /// Runs a block to its end, and gives all that it printed.
    ///
    /// # Panics
    /// Where a command of it fails: the shell ends then.
    #[track_caller]
    pub fn run(&mut self, block: &str) -> String {
        self.blocks += 1;
        let printed = self.dir.join(format!("block-{}.out", self.blocks));
        let done = self.dir.join(format!("block-{}.done", self.blocks));
        let text = format!(
            "{{\n{block}\n}} > '{}' 2>&1\n: > '{}'\n",
            printed.display(),
            done.display()
        );
        self.input.write_all(text.as_bytes()).expect("it reads on");
        let read = || fs::read_to_string(&printed).unwrap_or_default();
        until(BLOCK, block, || {
            if done.exists() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait().expect("its state") {
                let errors = fs::read_to_string(self.dir.join("sh.err")).unwrap_or_default();
                panic!("{status} of the shell in\n{block}\n{}{errors}", read());
            }
            Err(read())
        });
        read()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}
