//! What a running node is asked, through `smp` or on its socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::{Api, Ran, command, run, until};

/// One node's local API.
#[derive(Debug, Clone)]
pub struct Client {
    /// The council's GSS code.
    pub council: String,
    /// The socket.
    pub socket: PathBuf,
}

impl Client {
    /// The API on a socket.
    pub fn new(council: &str, socket: &Path) -> Self {
        Self {
            council: council.to_owned(),
            socket: socket.to_owned(),
        }
    }

    /// The API without `smp`.
    pub fn api(&self) -> Api {
        Api::new(&self.socket)
    }

    /// Runs `smp` against this node.
    pub fn smp(&self, args: &[&str]) -> Ran {
        let mut command = command("smp", &["--socket"]);
        command.arg(&self.socket).args(args);
        run(command)
    }

    /// Runs `smp … --output json` and gives what it prints.
    ///
    /// # Panics
    /// Where the exit code is not 0, or it prints no JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        self.smp(&[args, &["--output", "json"]].concat())
            .ok()
            .json()
    }

    /// The elements of the array that `smp … --output json` prints.
    ///
    /// # Panics
    /// As `Client::json`, or where it is no array.
    #[track_caller]
    pub fn list(&self, args: &[&str]) -> Vec<Value> {
        match self.json(args) {
            Value::Array(items) => items,
            other => panic!("smp {args:?} prints no array: {other}"),
        }
    }

    /// Waits until the node says what is wanted of its `/v1/status`.
    ///
    /// # Panics
    /// Where it does not in time.
    #[track_caller]
    pub fn wait_status<T>(
        &self,
        within: Duration,
        what: &str,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        let what = format!("at {}: {what}", self.council);
        until(within, &what, || match self.api().get("/v1/status") {
            Ok(answer) => wanted(&answer.body).ok_or_else(|| format!("{:#}", answer.body)),
            Err(error) => Err(error.to_string()),
        })
    }
}
