//! A peer that follows a script: a QUIC client that says what the test tells it to, and
//! keeps every frame that it hears.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use rustls::ClientConfig;
use smp_certs::tls::SERVER_NAME;
use smp_protocol::session::message::{Control, Want};
use tokio::sync::Notify;

use super::identity::Identity;

/// Nothing in these tests takes longer on loopback, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub(crate) async fn in_time<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, happens).await;
    waited.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Where a node of this machine listens.
pub(crate) fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A QUIC client's own end.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
}

/// TLS settings as QUIC's.
pub(crate) fn quic(tls: ClientConfig) -> quinn::ClientConfig {
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut transport = quinn::TransportConfig::default();
    transport.max_idle_timeout(None);
    config.transport_config(Arc::new(transport));
    config
}

/// Connects, or says why not.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    tls: ClientConfig,
    to: SocketAddr,
) -> Result<Connection, ConnectionError> {
    let connecting = endpoint.connect_with(quic(tls), to, SERVER_NAME).unwrap();
    in_time("a handshake", connecting).await
}

/// One frame; `None` where the stream ended.
pub(crate) async fn read_frame(stream: &mut RecvStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.ok()?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

/// A frame with its length before it.
pub(crate) fn framed(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap();
    [&length.to_be_bytes(), frame].concat()
}

/// What was heard on the control stream.
#[derive(Default)]
struct Heard {
    frames: Mutex<Vec<Vec<u8>>>,
    more: Notify,
}

/// A connection whose control stream is open.
pub(crate) struct Scripted {
    pub(crate) connection: Connection,
    control: SendStream,
    heard: Arc<Heard>,
    _endpoint: Endpoint,
}

impl Scripted {
    /// Connects as this member and opens the control stream with these bytes.
    pub(crate) async fn open(me: &Identity, to: &Identity, port: u16, first: &[u8]) -> Self {
        let endpoint = endpoint();
        let connection = connect(&endpoint, me.client(to.node), at(port)).await;
        let connection = connection.unwrap();
        let (mut control, mut stream) = connection.open_bi().await.unwrap();
        control.write_all(first).await.unwrap();
        let heard = Arc::new(Heard::default());
        let kept = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Some(frame) = read_frame(&mut stream).await {
                kept.frames.lock().unwrap().push(frame);
                kept.more.notify_waiters();
            }
        });
        Self {
            connection,
            control,
            heard,
            _endpoint: endpoint,
        }
    }

    /// Connects, and says a hello with the roster that `me` joined with.
    pub(crate) async fn greet(me: &Identity, to: &Identity, port: u16) -> Self {
        let roster = me
            .roster
            .clone()
            .verify(&me.region, &to_authority(me))
            .unwrap();
        let hello = Control::Hello(me.hello(roster.version, roster.hash()));
        let peer = Self::open(me, to, port, &framed(&hello.encode())).await;
        peer.hears("a summary", |m| matches!(m, Control::Summary(_)))
            .await;
        peer
    }

    /// Says something on the control stream.
    pub(crate) async fn say(&mut self, message: &Control) {
        self.say_bytes(&framed(&message.encode())).await;
    }

    /// Writes bytes to the control stream. That the other side may have closed meanwhile is
    /// for the test to see.
    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.control.write_all(bytes).await;
    }

    /// Waits for a message among those heard and still to be heard.
    pub(crate) async fn hears(&self, what: &str, wanted: impl Fn(&Control) -> bool) {
        self.hears_since(0, what, wanted).await;
    }

    /// The same, among those after the first `seen`.
    pub(crate) async fn hears_since(
        &self,
        seen: usize,
        what: &str,
        wanted: impl Fn(&Control) -> bool,
    ) {
        in_time(what, async {
            loop {
                let more = self.heard.more.notified();
                let found = self
                    .frames()
                    .iter()
                    .skip(seen)
                    .any(|frame| Control::decode(frame).is_ok_and(|message| wanted(&message)));
                if found {
                    return;
                }
                more.await;
            }
        })
        .await;
    }

    /// Every frame heard on the control stream so far.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        self.heard.frames.lock().unwrap().clone()
    }

    /// Asks on a stream of its own, and gives every frame of the answer.
    pub(crate) async fn ask(&self, want: &Want) -> Vec<Vec<u8>> {
        self.ask_bytes(&framed(&want.encode())).await
    }

    /// Opens a stream with these bytes, and gives every frame of the answer.
    pub(crate) async fn ask_bytes(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        in_time("an answer", async {
            let Ok((mut send, mut receive)) = self.connection.open_bi().await else {
                return Vec::new();
            };
            let _ = send.write_all(bytes).await;
            let _ = send.finish();
            let mut frames = Vec::new();
            while let Some(frame) = read_frame(&mut receive).await {
                frames.push(frame);
            }
            frames
        })
        .await
    }

    /// Answers the next question that the node asks with these bytes.
    pub(crate) async fn answer_next(&self, bytes: &[u8]) {
        let (mut send, mut receive) = in_time("a question", self.connection.accept_bi())
            .await
            .unwrap();
        in_time("the question's frame", read_frame(&mut receive))
            .await
            .unwrap();
        let _ = send.write_all(bytes).await;
    }

    /// Waits until the other side closes, and gives its code.
    pub(crate) async fn closed(&self) -> u64 {
        match in_time("the other side closes", self.connection.closed()).await {
            ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("closed otherwise: {other}"),
        }
    }
}

fn to_authority(me: &Identity) -> smp_protocol::ids::PublicKey {
    let roster: smp_protocol::roster::Roster =
        smp_protocol::codec::decode(&me.roster.bytes.0, smp_protocol::limits::ROSTER_BYTES)
            .unwrap();
    roster.authority
}
