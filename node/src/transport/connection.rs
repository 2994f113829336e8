//! One connection: its control stream, the streams on which it asks and is asked.
//!
//! Tasks here move bytes between streams and the engine's queue. They end with the
//! connection, whoever closes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quinn::{Connection, RecvStream, SendStream};
use rustls::pki_types::CertificateDer;
use smp_protocol::ids::NodeId;
use smp_protocol::limits;
use smp_protocol::session::{Authenticated, PeerId, PullId, StreamId};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::drivers::Drivers;
use super::frame::{self, FrameError};
use super::{Context, HANDSHAKE};
use crate::engine::{EngineHandle, Event, Link};
use crate::shared::Shared;

/// Control frames that may wait to be sent. A peer that reads slower than this is closed
/// and comes back to compare from where it is.
const CONTROL_QUEUE: usize = 1024;

/// Frames of one connection that may wait for the engine: one of each kind of stream, and
/// one more.
const TURNS: usize = 4;

/// Codes of this module; those below 100 are the session's.
const TOO_SLOW: u32 = 100;
const BAD_FRAME: u32 = 101;
const NO_IDENTITY: u32 = 102;

/// The connections that stand, for counting their bytes.
#[derive(Default)]
pub(super) struct Live(Mutex<BTreeMap<PeerId, (NodeId, Connection)>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(super) fn traffic(&self, node: NodeId) -> (u64, u64) {
        let live = lock(&self.0);
        let to_node = live.values().filter(|(of, _)| *of == node);
        to_node.map(|(_, connection)| bytes(connection)).fold(
            (0, 0),
            |(sent, received), (more_sent, more_received)| {
                (sent + more_sent, received + more_received)
            },
        )
    }

    /// Counts what the connections carried and lets go of them: whoever reads the counters
    /// may outlive the transport.
    pub(super) fn end(&self, shared: &Shared) {
        for (peer, (_, connection)) in std::mem::take(&mut *lock(&self.0)) {
            let (sent, received) = bytes(&connection);
            shared.disconnected(peer, "this node is stopping", sent, received);
        }
    }
}

fn bytes(connection: &Connection) -> (u64, u64) {
    let stats = connection.stats();
    (stats.udp_tx.bytes, stats.udp_rx.bytes)
}

/// Carries a connection for as long as it stands.
pub(super) async fn serve(context: Arc<Context>, connection: Connection, dialled: bool) {
    let Some(who) = identity(&connection, dialled) else {
        connection.close(NO_IDENTITY.into(), b"");
        return;
    };
    // The control stream is the first that the dialler opens.
    let control = if dialled {
        connection.open_bi().await
    } else {
        match tokio::time::timeout(HANDSHAKE, connection.accept_bi()).await {
            Ok(control) => control,
            Err(_) => {
                let why = "it opened no control stream in time";
                context.shared.refused("too_slow", &who.node.short(), why);
                connection.close(TOO_SLOW.into(), b"");
                return;
            }
        }
    };
    let Ok((send, receive)) = control else {
        return;
    };
    let peer = context.next_peer();
    let (queue, outgoing) = mpsc::channel(CONTROL_QUEUE);
    let link = Arc::new(QuicLink {
        peer,
        node: who.node,
        connection: connection.clone(),
        control: queue,
        engine: context.engine.clone(),
        shared: Arc::clone(&context.shared),
        drivers: Arc::clone(&context.drivers),
        turns: Arc::new(Semaphore::new(TURNS)),
        answers: Mutex::default(),
        pulls: Mutex::default(),
    });
    lock(&context.live.0).insert(peer, (who.node, connection.clone()));
    context.shared.connected(peer, who.node);
    let known: Arc<dyn Link> = link.clone();
    let told = Event::Connected {
        peer,
        who,
        link: known,
    };
    if context.engine.tell(told).await {
        let mut tasks = JoinSet::new();
        tasks.spawn(write_control(send, outgoing));
        tasks.spawn(read_control(context.clone(), link.clone(), receive));
        tasks.spawn(accept_questions(context.clone(), link.clone()));
        connection.closed().await;
        tasks.shutdown().await;
    }
    let why = connection
        .close_reason()
        .map_or("closed".to_owned(), |r| r.to_string());
    let (sent, received) = bytes(&connection);
    lock(&context.live.0).remove(&peer);
    context.shared.disconnected(peer, &why, sent, received);
    link.abort_pulls();
    context.engine.tell(Event::Disconnected(peer)).await;
}

/// Who the TLS handshake proved to be at the other end.
fn identity(connection: &Connection, dialled: bool) -> Option<Authenticated> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let proven = smp_certs::peer_identity(chain.first()?).ok()?;
    Some(Authenticated {
        node: proven.node,
        council: proven.council,
        tls: proven.tls_key,
        dialled,
    })
}

async fn write_control(mut stream: SendStream, mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = outgoing.recv().await {
        if frame::write(&mut stream, &bytes).await.is_err() {
            return;
        }
    }
}

async fn read_control(context: Arc<Context>, link: Arc<QuicLink>, mut stream: RecvStream) {
    loop {
        match frame::read(&mut stream, limits::CONTROL_FRAME_BYTES).await {
            Ok(Some(bytes)) => {
                let Ok(turn) = Arc::clone(&link.turns).acquire_owned().await else {
                    return;
                };
                let said = Event::Control(link.peer, bytes, turn);
                if !context.engine.tell(said).await {
                    return;
                }
            }
            Ok(None) => return link.close(BAD_FRAME, "the control stream ended"),
            Err(error) => {
                link.refuse("control stream", &error);
                // Without its control stream a connection is of no use to either side.
                return link.close(BAD_FRAME, "the control stream broke");
            }
        }
    }
}

async fn accept_questions(context: Arc<Context>, link: Arc<QuicLink>) {
    let mut streams = JoinSet::new();
    let numbers = AtomicU64::new(0);
    while let Ok((send, receive)) = link.connection.accept_bi().await {
        while streams.try_join_next().is_some() {}
        let stream = StreamId(numbers.fetch_add(1, Ordering::Relaxed));
        streams.spawn(answer(context.clone(), link.clone(), stream, send, receive));
    }
}

/// One question: its frame to the engine, the frames of the answer to the peer.
async fn answer(
    context: Arc<Context>,
    link: Arc<QuicLink>,
    stream: StreamId,
    mut send: SendStream,
    mut receive: RecvStream,
) {
    match frame::read(&mut receive, limits::CONTROL_FRAME_BYTES).await {
        Ok(Some(question)) => {
            let (sender, mut frames) = mpsc::channel(2);
            lock(&link.answers).insert(stream, sender);
            let Ok(turn) = Arc::clone(&link.turns).acquire_owned().await else {
                return;
            };
            let asked = Event::Asked(link.peer, stream, question, turn);
            context.engine.tell(asked).await;
            let mut whole = false;
            while let Some((bytes, last)) = frames.recv().await {
                if frame::write(&mut send, &bytes).await.is_err() {
                    break;
                }
                if last {
                    whole = true;
                    break;
                }
                context
                    .engine
                    .tell(Event::Writable(link.peer, stream))
                    .await;
            }
            lock(&link.answers).remove(&stream);
            if whole {
                let _ = send.finish();
                let _ = send.stopped().await;
            } else {
                context
                    .engine
                    .tell(Event::AnswerStopped(link.peer, stream))
                    .await;
            }
        }
        Ok(None) => {}
        Err(error) => link.refuse("question", &error),
    }
}

/// A frame that breaks the rules ends the connection; one that broke off does not.
fn refuse(
    shared: &Shared,
    node: NodeId,
    connection: &Connection,
    stream: &str,
    error: &FrameError,
) {
    if matches!(error, FrameError::TooLong { .. }) {
        let what = format!(
            "it sent on a {stream}: {error}; the connection is closed, and if it comes again, \
             its operator upgrades smp-node"
        );
        shared.refused("frame", &node.short(), &what);
        connection.close(BAD_FRAME.into(), b"frame");
    }
}

/// A frame of an answer, and whether it is the last.
type AnswerFrame = (Vec<u8>, bool);

/// How the engine reaches the tasks of a connection.
struct QuicLink {
    peer: PeerId,
    node: NodeId,
    connection: Connection,
    control: mpsc::Sender<Vec<u8>>,
    engine: EngineHandle,
    shared: Arc<Shared>,
    drivers: Arc<Drivers>,
    turns: Arc<Semaphore>,
    answers: Mutex<HashMap<StreamId, mpsc::Sender<AnswerFrame>>>,
    pulls: Mutex<HashMap<PullId, AbortHandle>>,
}

impl QuicLink {
    fn refuse(&self, stream: &str, error: &FrameError) {
        refuse(&self.shared, self.node, &self.connection, stream, error);
    }

    fn abort_pulls(&self) {
        for (_, task) in lock(&self.pulls).drain() {
            task.abort();
        }
    }
}

impl Link for QuicLink {
    fn node(&self) -> NodeId {
        self.node
    }

    fn control(&self, frame: Vec<u8>) {
        if self.control.try_send(frame).is_err() {
            self.close(TOO_SLOW, "too slow");
        }
    }

    fn ask(&self, pull: PullId, question: Vec<u8>) {
        let (connection, engine) = (self.connection.clone(), self.engine.clone());
        let turns = Arc::clone(&self.turns);
        let (shared, node) = (Arc::clone(&self.shared), self.node);
        let task = self.drivers.begin(async move {
            // Whatever ends it, the engine hears that it is over.
            if let Ok((mut send, mut receive)) = connection.open_bi().await
                && frame::write(&mut send, &question).await.is_ok()
            {
                let _ = send.finish();
                loop {
                    match frame::read(&mut receive, limits::BATCH_FRAME_BYTES).await {
                        Ok(Some(bytes)) => {
                            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
                                return;
                            };
                            if !engine.tell(Event::Answered(pull, bytes, turn)).await {
                                return;
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            refuse(&shared, node, &connection, "stream of answers", &error);
                            break;
                        }
                    }
                }
            }
            engine.tell(Event::PullOver(pull)).await;
        });
        let mut pulls = lock(&self.pulls);
        pulls.retain(|_, task| !task.is_finished());
        pulls.insert(pull, task);
    }

    fn give_up(&self, pull: PullId) {
        if let Some(task) = lock(&self.pulls).remove(&pull) {
            task.abort();
        }
    }

    fn answer(&self, stream: StreamId, frame: Vec<u8>, last: bool) {
        let sender = lock(&self.answers).get(&stream).cloned();
        if let Some(sender) = sender {
            // The engine sends one frame and then waits for room, so there is always room.
            let _ = sender.try_send((frame, last));
        }
    }

    fn close(&self, code: u32, reason: &str) {
        self.connection.close(code.into(), reason.as_bytes());
    }
}
