//! The node's local API: HTTP/1.1 over its Unix socket, one connection for each request.
//!
//! Nothing here knows what the routes mean. Whatever goes wrong before the node answered is
//! "cannot be reached", with the socket's path and what to do about it.

mod follow;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smp_protocol::api::ApiError;
use tokio::net::UnixStream;

pub(crate) use self::follow::{Block, Followed};
use crate::exit::{self, Failure};
use crate::output::Waiting;

/// The most that an answer may have. A region's 12,000 hosts are about 15 MB of JSON.
const ANSWER_BYTES: usize = 256 << 20;

/// How long a question may take. The node gives up after a minute and says so itself.
const READ_SECONDS: u64 = 90;

/// How long a write may take: a large import, or waiting until another node holds it.
const WRITE_SECONDS: u64 = 900;

/// Where one node listens.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    socket: PathBuf,
    only_reads: bool,
}

impl Client {
    /// With `only_reads` it refuses to change anything.
    pub(crate) fn new(socket: &Path, only_reads: bool) -> Self {
        Self {
            socket: socket.to_owned(),
            only_reads,
        }
    }

    /// Asks for something, as JSON.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.read_json(&self.ask(Method::GET, path, None, "waiting for the node")?)
    }

    /// Asks for text.
    pub(crate) fn get_text(&self, path: &str) -> Result<String, Failure> {
        let bytes = self.ask(Method::GET, path, None, "waiting for the node")?;
        String::from_utf8(bytes.into()).map_err(|_| self.not_understood("text that is not UTF-8"))
    }

    /// Asks for something that is described by JSON, and changes nothing.
    pub(crate) fn look_up<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        doing: &str,
    ) -> Result<T, Failure> {
        self.ask_json(Method::POST, path, body, doing)
    }

    /// Sends JSON and reads the JSON answer.
    pub(crate) fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
        doing: &str,
    ) -> Result<T, Failure> {
        self.may_change()?;
        self.ask_json(method, path, body, doing)
    }

    fn ask_json<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
        doing: &str,
    ) -> Result<T, Failure> {
        let json = serde_json::to_vec(body)
            .map_err(|e| Failure::new(exit::FAILURE, format!("cannot write JSON: {e}"), ""))?;
        let body = Some(("application/json", Bytes::from(json)));
        self.read_json(&self.ask(method, path, body, doing)?)
    }

    /// Sends a file's bytes and reads the JSON answer.
    pub(crate) fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        bytes: Vec<u8>,
        doing: &str,
    ) -> Result<T, Failure> {
        self.may_change()?;
        let body = Some(("application/octet-stream", Bytes::from(bytes)));
        self.read_json(&self.ask(Method::POST, path, body, doing)?)
    }

    fn may_change(&self) -> Result<(), Failure> {
        match self.only_reads {
            false => Ok(()),
            true => Err(Failure::new(
                exit::USAGE,
                "--to takes what a command lists, and this one changes something",
                "nothing was changed; run it without --to",
            )),
        }
    }

    fn read_json<T: DeserializeOwned>(&self, bytes: &Bytes) -> Result<T, Failure> {
        serde_json::from_slice(bytes).map_err(|e| self.not_understood(&e.to_string()))
    }

    /// One request and its answer, on a runtime of its own: nothing else runs meanwhile.
    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
        doing: &str,
    ) -> Result<Bytes, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::new(exit::FAILURE, format!("cannot start: {e}"), ""))?;
        let writes = method != Method::GET;
        let seconds = if writes { WRITE_SECONDS } else { READ_SECONDS };
        let limit = Duration::from_secs(seconds);
        let answer = runtime.block_on(async {
            let exchange = self.exchange(method, path, body);
            patiently(tokio::time::timeout(limit, exchange), doing).await
        });
        answer.unwrap_or_else(|_| Err(self.too_slow(seconds, writes)))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Bytes, Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|e| self.no_socket(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| self.broken_off(&e))?;
        tokio::spawn(connection);
        let (kind, bytes) = body.unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "smp-node");
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request.body(Full::new(bytes)).map_err(|e| {
            let message = format!("cannot ask for {path}: {e}");
            Failure::new(exit::FAILURE, message, "check what was typed")
        })?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|e| self.broken_off(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES);
        let bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(e) if e.is::<LengthLimitError>() => {
                return Err(self.not_understood(&format!("more than {ANSWER_BYTES} bytes")));
            }
            Err(e) => return Err(self.broken_off(e.as_ref())),
        };
        self.judge(status, bytes)
    }

    /// An answer, or what the node says is wrong.
    fn judge(&self, status: StatusCode, bytes: Bytes) -> Result<Bytes, Failure> {
        if status.is_success() {
            return Ok(bytes);
        }
        match serde_json::from_slice::<ApiError>(&bytes) {
            Ok(error) => Err(Failure::from_node(status.as_u16(), error)),
            Err(_) => Err(self.not_understood(&format!("status {status} without a reason"))),
        }
    }

    fn no_socket(&self, error: &io::Error) -> Failure {
        let path = self.socket.display();
        match error.kind() {
            io::ErrorKind::NotFound => Failure::new(
                exit::UNREACHABLE,
                format!("no node listens at {path}: there is no such socket"),
                "start it (`systemctl status smp-node`, or `smp-node run --config …`), or say \
                 where it listens with --socket or SMP_SOCKET",
            ),
            io::ErrorKind::ConnectionRefused => Failure::new(
                exit::UNREACHABLE,
                format!("no node listens at {path}: the socket is there, the node is not"),
                "`systemctl status smp-node` says why it stopped; start it with `systemctl \
                 start smp-node` or `smp-node run --config …`",
            ),
            io::ErrorKind::PermissionDenied => Failure::new(
                exit::UNREACHABLE,
                format!("you may not use the socket {path}"),
                format!("ask council IT to add you to the group that owns it (`ls -l {path}`)"),
            ),
            _ => Failure::new(
                exit::UNREACHABLE,
                format!("cannot reach the node at {path}: {error}"),
                "`systemctl status smp-node`",
            ),
        }
    }

    fn broken_off(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::new(
            exit::UNREACHABLE,
            format!("the node at {} broke off: {error}", self.socket.display()),
            "`systemctl status smp-node` and `journalctl -u smp-node` say why; then run the \
             command again: what was stored already is not stored twice by an import",
        )
    }

    fn too_slow(&self, seconds: u64, writes: bool) -> Failure {
        let next = match writes {
            true => "it may still be at it: `smp status`, then list what was to be written",
            false => "`systemctl status smp-node` and `journalctl -u smp-node`",
        };
        let path = self.socket.display();
        Failure::new(
            exit::UNREACHABLE,
            format!("the node at {path} did not answer within {seconds} seconds"),
            next,
        )
    }

    fn not_understood(&self, what: &str) -> Failure {
        let path = self.socket.display();
        Failure::new(
            exit::FAILURE,
            format!("the answer of the node at {path} is not understood: {what}"),
            "compare `smp --version` with `smp-node --version`; they belong together",
        )
    }
}

/// Waits, and says so on the terminal once it takes longer than a second.
async fn patiently<T>(work: impl Future<Output = T>, doing: &str) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    let _shown = Waiting::show(doing);
    work.await
}

/// A value for a query string: everything but plain letters, digits and `-._~` as `%XX`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_add_to_the_query() {
        assert_eq!(
            escape("hosts 1&complete=true é.csv"),
            "hosts%201%26complete%3Dtrue%20%C3%A9.csv"
        );
        assert_eq!(escape("a-b_c.~1"), "a-b_c.~1");
    }
}
