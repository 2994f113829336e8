//! The local API without `smp`: for what would need too many processes, and for what `smp`
//! would not send.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// The longest wait for an answer; `--replicated` waits for 30 seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A node's API. Cheap to copy; works whenever the node runs.
#[derive(Debug, Clone)]
pub struct Api {
    socket: PathBuf,
}

/// What the node answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; null where it is empty.
    pub body: Value,
}

impl Answer {
    /// Insists on a 2xx.
    ///
    /// # Panics
    /// On anything else.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }
}

impl Api {
    /// The API on a socket.
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// One request and its whole answer.
    ///
    /// # Errors
    /// Where no node answers, or the answer broke off.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        parse(&bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off"))
    }

    /// Asks for something.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub fn get(&self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, "application/json", b"")
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub fn post(&self, path: &str, body: &Value) -> io::Result<Answer> {
        self.send(
            "POST",
            path,
            "application/json",
            body.to_string().as_bytes(),
        )
    }

    /// Imports a file's bytes.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub fn import(&self, kind: &str, file_name: &str, bytes: &[u8]) -> io::Result<Answer> {
        let path = format!("/v1/import/{kind}?file_name={file_name}");
        self.send("POST", &path, "application/octet-stream", bytes)
    }
}

/// An answer, if it is whole: as long as its head says.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    })?;
    let body = match body {
        body if body.len() != length => return None,
        [] => Value::Null,
        body => serde_json::from_slice(body).ok()?,
    };
    Some(Answer { status, body })
}
