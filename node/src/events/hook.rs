//! The hook: a command of the council's that is run for each event, one after another, in order.
//!
//! It is run without a shell and gets the event and nothing else: no environment of the daemon's, no
//! open file, no document. It is never waited for by anything but this task. An event counts as
//! delivered once the command has ended well, or was given up on and status says so; after a crash
//! it is delivered again.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use smp_protocol::api::Event;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::{EventLog, Follower};

/// Where the hook's own commands are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, as they are.
    pub arguments: Vec<String>,
}

/// Why an event was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum HookFailure {
    /// The program could not be started.
    #[error("it cannot be started: {0}")]
    Start(io::Error),
    /// It ended badly.
    #[error("it ended with {0}")]
    Ended(ExitStatus),
    /// It was killed.
    #[error("it took more than {0} seconds and was killed")]
    TooLong(u64),
}

impl HookCommand {
    /// Runs it with an event, for so many seconds at most. Whatever it started is killed with it if
    /// it takes longer, or if this is dropped.
    ///
    /// # Errors
    /// [`HookFailure`]; what it had done by then is done.
    pub async fn run(&self, event: &Event, seconds: u64) -> Result<(), HookFailure> {
        let mut child = self.command(event).spawn().map_err(HookFailure::Start)?;
        let group = Group::of(&child);
        // A map of texts and numbers cannot fail to be written.
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        let work = async {
            if let Some(mut stdin) = child.stdin.take() {
                // A hook that goes by its environment need not read.
                let _ = stdin.write_all(&line).await;
            }
            child.wait().await
        };
        let ended = tokio::time::timeout(Duration::from_secs(seconds), work).await;
        let Ok(ended) = ended else {
            drop(group);
            // Killed; it is waited for so that no zombie stays.
            let _ = child.wait().await;
            return Err(HookFailure::TooLong(seconds));
        };
        let status = ended.map_err(HookFailure::Start)?;
        group.ended();
        match status.success() {
            true => Ok(()),
            false => Err(HookFailure::Ended(status)),
        }
    }

    fn command(&self, event: &Event) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("SMP_EVENT_NUMBER", event.number.to_string())
            .env("SMP_EVENT_ID", &event.id)
            .env("SMP_EVENT_KIND", &event.kind)
            .env("SMP_EVENT_WHAT", &event.what)
            .env("SMP_EVENT_AT", &event.at)
            .env("SMP_EVENT_NEXT", &event.next)
            .current_dir("/")
            .stdin(Stdio::piped())
            // What it prints may be anything, and the log is not for that.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// The hook and all that it started: killed when this is dropped, unless the hook has ended.
struct Group(Option<rustix::process::Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(rustix::process::Pid::from_raw))
    }

    /// It has ended by itself, and its number may be another's by now.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It may have gone this very moment.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

/// Runs the hook for one event after another.
pub struct Deliveries {
    /// What is run.
    pub hook: HookCommand,
    /// The log that is followed, and where status reads how it goes.
    pub log: Arc<EventLog>,
    /// Behind which event it goes on.
    pub after: u64,
    /// How long it may take, in seconds.
    pub seconds: u64,
    /// The pauses before it is tried again.
    pub pauses: Vec<Duration>,
}

impl Deliveries {
    /// Goes on until the log is closed, or this is dropped. `delivered` is told each number that is
    /// done with, and must keep it for the next start.
    pub async fn run<F: Future<Output = ()> + Send>(self, delivered: impl Fn(u64) -> F) {
        let mut follower: Follower = self.log.follow_for_hook(self.after);
        while let Some(event) = follower.next().await {
            self.deliver(&event).await;
            delivered(event.number).await;
        }
    }

    async fn deliver(&self, event: &Event) {
        let mut pauses = self.pauses.iter();
        let mut tries = 0;
        loop {
            tries += 1;
            let Err(failure) = self.hook.run(event, self.seconds).await else {
                self.log.report_hook(|report| report.failing = None);
                return;
            };
            let (number, why) = (event.number, failure.to_string());
            tracing::warn!(number, kind = event.kind, tries, "the hook failed: {why}");
            let Some(pause) = pauses.next() else {
                self.log.report_hook(|report| {
                    report.failing = None;
                    report.given_up = report.given_up.saturating_add(1);
                    report.last_given_up = Some((number, why));
                });
                return;
            };
            let failing = Some((number, why, tries));
            self.log.report_hook(|report| report.failing = failing);
            tokio::time::sleep(*pause).await;
        }
    }
}
