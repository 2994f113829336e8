//! Finds and runs `smp` and `smp-node`: those of the build that the test belongs to, with an
//! environment that nothing of the developer's own leaks into.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Variables that the binaries read; a test says itself what they are to be.
pub(super) const VARIABLES: [&str; 5] = [
    "RUST_LOG",
    "SMP_NODE_CONFIG",
    "SMP_PASSPHRASE",
    "SMP_REGION_DIR",
    "SMP_SOCKET",
];

/// A command that has run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What was run, for messages.
    pub what: String,
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Insists on exit code 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Insists on an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let parsed = serde_json::from_str(&self.out);
        parsed.unwrap_or_else(|error| panic!("{} prints no JSON: {error}\n{self:#?}", self.what))
    }
}

/// The directory of the binaries: a test is built into `target/<profile>/deps`, they beside
/// that.
pub(super) fn binaries_dir() -> PathBuf {
    let test = std::env::current_exe().expect("where this test is");
    let dir = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    dir.to_owned()
}

/// Where `smp` or `smp-node` is.
///
/// # Panics
/// Where it was not built.
pub fn binary(name: &str) -> PathBuf {
    let path = binaries_dir().join(name);
    assert!(
        path.is_file(),
        "{} is not there; run `cargo test --workspace`, which builds it",
        path.display()
    );
    path
}

/// `smp` or `smp-node` with arguments, no input, and none of the developer's own settings.
pub fn command(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(binary(name));
    command.args(args).stdin(Stdio::null());
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// The same command in a network namespace. `ip` becomes the command, so that a signal to
/// the process reaches it.
pub fn inside(namespace: &str, command: &Command) -> Command {
    let mut inside = Command::new("ip");
    inside.args(["netns", "exec", namespace]);
    inside.arg(command.get_program()).args(command.get_args());
    inside.stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

/// Runs a command to its end.
///
/// # Panics
/// Where it cannot be started, or prints what is not text.
pub fn run(mut command: Command) -> Ran {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let what = words.join(" ");
    let output = command.output().unwrap_or_else(|error| {
        panic!("{what} cannot be started: {error}");
    });
    Ran {
        what,
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}
