//! A fake node: canned answers on a Unix socket, and what was asked of it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test file uses a part of it, and clippy sees only #[test] functions as tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::UnixListener;

/// One request as the node got it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method, a space, path and query.
    pub(crate) line: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

type Answers = Vec<(String, u16, Vec<u8>)>;

/// A node that answers each request line as it was told, until the test ends.
pub(crate) struct FakeNode {
    dir: TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeNode {
    /// Answers these request lines with 200 and this JSON.
    pub(crate) fn new(answers: &[(&str, serde_json::Value)]) -> Self {
        let answers = answers
            .iter()
            .map(|(line, json)| (line.to_string(), 200, json.to_string().into_bytes()));
        Self::with(answers.collect())
    }

    /// Answers one request line with this status and body.
    pub(crate) fn failing(line: &str, status: u16, body: &str) -> Self {
        Self::with(vec![(line.to_owned(), status, body.as_bytes().to_vec())])
    }

    fn with(answers: Answers) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = std::os::unix::net::UnixListener::bind(dir.path().join("node.sock"));
        let listener = listener.unwrap();
        listener.set_nonblocking(true).unwrap();
        let answers = Arc::new(answers);
        let log = asked.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, answers, log));
        });
        Self { dir, asked }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("node.sock")
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Runs `smp` against this node.
    pub(crate) fn smp(&self, words: &[&str]) -> Done {
        run(smp(words).arg("--socket").arg(self.socket()))
    }
}

async fn serve(
    listener: std::os::unix::net::UnixListener,
    answers: Arc<Answers>,
    log: Arc<Mutex<Vec<Asked>>>,
) {
    let listener = UnixListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (answers, log) = (answers.clone(), log.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            answer(request, answers.clone(), log.clone())
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: Arc<Answers>,
    log: Arc<Mutex<Vec<Asked>>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let line = format!("{} {}", request.method(), request.uri());
    let body = request.into_body().collect().await?.to_bytes().to_vec();
    let found = answers.iter().find(|(known, _, _)| *known == line);
    let (status, bytes) = match found {
        Some((_, status, bytes)) => (*status, bytes.clone()),
        None => (404, format!("no answer was canned for {line}").into_bytes()),
    };
    log.lock().unwrap().push(Asked { line, body });
    let mut response = Response::new(Full::new(Bytes::from(bytes)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    Ok(response)
}

/// `smp`, with nothing of this machine's environment that would change what it does.
pub(crate) fn smp(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smp"));
    command.args(words).stdin(Stdio::null());
    for name in ["SMP_SOCKET", "SMP_REGION_DIR", "SMP_PASSPHRASE", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// What a run of `smp` left.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// Ended well, and said nothing on standard error.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self
    }

    /// Ended with this code, a line of what is wrong and a line of what to do.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, message: &str, next: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        let lines: Vec<&str> = self.err.lines().collect();
        assert!(lines[0].starts_with("error: "), "{}", self.err);
        assert!(lines[0].contains(message), "{}", self.err);
        if !next.is_empty() {
            assert_eq!(lines.len(), 2, "{}", self.err);
            assert!(lines[1].starts_with("next: "), "{}", self.err);
            assert!(lines[1].contains(next), "{}", self.err);
        }
        self
    }
}

pub(crate) fn run(command: &mut Command) -> Done {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Done {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs `smp` in a directory, with a passphrase in the environment.
pub(crate) fn smp_in(dir: &Path, passphrase: &str, words: &[&str]) -> Done {
    run(smp(words)
        .current_dir(dir)
        .env("SMP_PASSPHRASE", passphrase))
}
