//! Reads server-sent events from the node, for as long as it sends them.
//!
//! What comes is handed on block by block; what is too long for any event of ours, or has stopped
//! although the node shows every few seconds that it is there, ends the reading.

use std::ops::ControlFlow;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::Client;
use crate::exit::{self, Failure};

/// The node sends at least a comment every 15 seconds.
const SILENT_SECONDS: u64 = 60;

/// The longest line: an event has less than a kilobyte.
const LINE_BYTES: usize = 64 << 10;

/// The longest reason why it does not send any.
const REFUSAL_BYTES: usize = 64 << 10;

/// What came between two empty lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number to read on from.
    pub(crate) id: Option<u64>,
    /// The event, unless the block had none.
    pub(crate) data: Option<String>,
}

/// How the reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// The node has ended it: it has sent all, or is stopping.
    Over,
    /// The caller has had enough.
    Enough,
}

impl Client {
    /// Hands each block to `each` as it comes, until that breaks it off, or the node ends it.
    pub(crate) fn follow(
        &self,
        path: &str,
        each: &mut dyn FnMut(Block) -> Result<ControlFlow<()>, Failure>,
    ) -> Result<Followed, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::new(exit::FAILURE, format!("cannot start: {e}"), ""))?;
        runtime.block_on(async {
            let mut body = self.open(path).await?;
            let mut parser = Parser::default();
            loop {
                let limit = Duration::from_secs(SILENT_SECONDS);
                let Ok(frame) = tokio::time::timeout(limit, body.frame()).await else {
                    return Err(self.too_slow(SILENT_SECONDS, false));
                };
                let Some(frame) = frame else {
                    return Ok(Followed::Over);
                };
                let frame = frame.map_err(|e| self.broken_off(&e))?;
                let bytes = frame.into_data().unwrap_or_default();
                let blocks = parser.take(&bytes);
                let blocks = blocks.ok_or_else(|| self.not_understood("a line without an end"))?;
                for block in blocks {
                    if each(block)?.is_break() {
                        return Ok(Followed::Enough);
                    }
                }
            }
        })
    }

    async fn open(&self, path: &str) -> Result<Incoming, Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|e| self.no_socket(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| self.broken_off(&e))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(HOST, "smp-node");
        let request = request.body(Full::new(Bytes::new())).map_err(|e| {
            let message = format!("cannot ask for {path}: {e}");
            Failure::new(exit::FAILURE, message, "check what was typed")
        })?;
        let limit = Duration::from_secs(SILENT_SECONDS);
        let Ok(answer) = tokio::time::timeout(limit, sender.send_request(request)).await else {
            return Err(self.too_slow(SILENT_SECONDS, false));
        };
        let answer = answer.map_err(|e| self.broken_off(&e))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let status = answer.status();
        let body = Limited::new(answer.into_body(), REFUSAL_BYTES);
        let bytes = body.collect().await.map(|body| body.to_bytes());
        let refused = self.judge(status, bytes.unwrap_or_default());
        Err(refused
            .err()
            .unwrap_or_else(|| self.not_understood("no stream")))
    }
}

/// Puts lines together from what comes, however it is cut.
#[derive(Default)]
struct Parser {
    rest: Vec<u8>,
    block: Block,
}

impl Parser {
    /// The blocks that these bytes end; `None` where a line is longer than any of ours.
    fn take(&mut self, bytes: &[u8]) -> Option<Vec<Block>> {
        self.rest.extend_from_slice(bytes);
        let mut blocks = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                blocks.push(std::mem::take(&mut self.block));
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => self.block.id = value.parse().ok(),
                "data" => match &mut self.block.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.block.data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        (self.rest.len() <= LINE_BYTES).then_some(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": events follow\nid: 41\n\n:\n\nid: 42\ndata: {\"a\":1}\n\nevent: gap\r\nid:43\r\ndata:x\r\ndata: y\r\n\r\nid: 4";

    #[test]
    fn blocks_are_the_same_however_the_bytes_are_cut() {
        let block = |id, data: Option<&str>| Block {
            id,
            data: data.map(str::to_owned),
        };
        let wanted = [
            block(Some(41), None),
            block(None, None),
            block(Some(42), Some("{\"a\":1}")),
            block(Some(43), Some("x\ny")),
        ];
        for size in [1, 2, 3, 7, STREAM.len()] {
            let mut parser = Parser::default();
            let parts = STREAM.as_bytes().chunks(size);
            let blocks: Vec<Block> = parts.flat_map(|part| parser.take(part).unwrap()).collect();
            assert_eq!(blocks, wanted, "{size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut parser = Parser::default();
        assert_eq!(parser.take(&[b'x'; LINE_BYTES]), Some(Vec::new()));
        assert_eq!(parser.take(b"x"), None);
    }
}
