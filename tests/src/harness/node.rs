//! One node: its directory, its process while it runs, its log.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::{Client, command, inside, run, until, wait};

/// So much of a log is shown when a test fails.
const TAIL: usize = 60;

/// A node of a council.
#[derive(Debug)]
pub struct Node {
    /// How it is spoken to.
    client: Client,
    /// Its directory, as `smp-node init` made it.
    pub dir: PathBuf,
    /// The UDP port that it listens on.
    pub port: u16,
    /// The network namespace that its process runs in, where it is not the test's own.
    namespace: Option<String>,
    process: Option<Child>,
}

impl Node {
    /// Makes a node with `smp-node init`, on a port of loopback.
    pub fn init(dir: &Path, region: &str, council: &str, port: u16) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::init_at(dir, region, council, address, address)
    }

    /// Makes a node that others dial at `endpoint`, and that listens on `listen`.
    pub fn init_at(
        dir: &Path,
        region: &str,
        council: &str,
        endpoint: SocketAddr,
        listen: SocketAddr,
    ) -> Self {
        let mut init = command("smp-node", &["init", "--council", council]);
        init.args(["--region", region]);
        init.args(["--endpoint", &endpoint.to_string()]);
        init.args(["--listen", &listen.to_string()]);
        init.arg("--dir").arg(dir);
        run(init).ok();
        Self {
            client: Client::new(council, &dir.join("smp-node.sock")),
            dir: dir.to_owned(),
            port: listen.port(),
            namespace: None,
            process: None,
        }
    }

    /// Its process runs in this network namespace from its next start on.
    pub fn enter_namespace(&mut self, name: &str) {
        self.namespace = Some(name.to_owned());
    }

    /// Joins the region with its bundle.
    pub fn join(&self, bundle: &Path) {
        let mut join = command("smp-node", &["join", "--yes", "--config"]);
        join.arg(self.config()).arg(bundle);
        run(join).ok();
    }

    /// `smp-node.toml`.
    pub fn config(&self) -> PathBuf {
        self.dir.join("smp-node.toml")
    }

    /// The file with all that its processes wrote to their standard error.
    pub fn log_path(&self) -> PathBuf {
        self.dir.join("log.txt")
    }

    /// What its processes wrote so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Starts the process and waits until it answers.
    ///
    /// # Panics
    /// Where it ends instead, or does not answer in time.
    pub fn start(&mut self) {
        self.spawn();
        self.wait_ready();
    }

    /// Starts the process, and does not wait for it.
    ///
    /// # Panics
    /// Where it runs already.
    pub fn spawn(&mut self) {
        assert!(self.process.is_none(), "{} runs already", self.council);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path());
        let mut daemon = command("smp-node", &["run", "--config"]);
        if let Some(name) = &self.namespace {
            daemon = inside(name, &daemon);
        }
        daemon
            .arg(self.config())
            .stdout(Stdio::null())
            .stderr(log.expect("the log"));
        self.process = Some(daemon.spawn().expect("smp-node starts"));
    }

    /// Waits until a spawned process answers.
    ///
    /// # Panics
    /// Where it ends instead, or does not answer in time.
    pub fn wait_ready(&mut self) {
        let api = self.api();
        let council = self.council.clone();
        let process = self.process.as_mut().expect("it was spawned");
        until(wait::START, &format!("{council} answers"), || {
            if let Some(status) = process.try_wait().expect("its state") {
                panic!("smp-node of {council} ended with {status}");
            }
            match api.get("/v1/health") {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }

    /// Whether its process runs.
    pub fn runs(&mut self) -> bool {
        let ended = |process: &mut Child| process.try_wait().is_ok_and(|ended| ended.is_some());
        self.process.as_mut().is_some_and(|process| !ended(process))
    }

    /// The process's number, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// SIGKILL: it gets to do nothing more.
    ///
    /// # Panics
    /// Where it had ended by itself.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let ended = process.try_wait().expect("its state");
        assert!(
            ended.is_none(),
            "{} ended by itself: {ended:?}",
            self.council
        );
        process.kill().expect("SIGKILL");
        process.wait().expect("it ends");
    }

    /// SIGTERM, and waits for the orderly end.
    ///
    /// # Panics
    /// Where it does not end, or not with exit code 0.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let pid = rustix::process::Pid::from_child(&process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
        let status = until(wait::START, &format!("{} stops", self.council), || {
            process
                .try_wait()
                .expect("its state")
                .ok_or_else(|| "it runs".to_owned())
        });
        assert_eq!(
            status.code(),
            Some(0),
            "{} stopped with {status}",
            self.council
        );
    }
}

impl Deref for Node {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines
                .get(lines.len().saturating_sub(TAIL)..)
                .unwrap_or_default();
            eprintln!(
                "--- the end of the log of {}:\n{}",
                self.council,
                tail.join("\n")
            );
        }
    }
}
