//! A council's node as a state machine in memory, connected to a running node: how the
//! region's registers get into the first node without sixty-two more daemons.
//!
//! The running node meets it like any peer, behind its own gate; only TLS is left out.

use std::collections::HashMap;
use std::sync::Arc;

use smp_node::engine::{EngineHandle, Event, Link, clock};
use smp_protocol::ids::NodeId;
use smp_protocol::session::{Authenticated, Member, Output, PeerId, PullId, Receipt, StreamId};
use tokio::sync::{Semaphore, mpsc};

/// Numbers of connections that the node's own transport does not reach.
const FIRST_PEER: u64 = 1 << 60;

/// What the running node says.
enum Heard {
    Control(Vec<u8>),
    Ask(PullId, Vec<u8>),
    Nothing,
}

struct Puppet {
    node: NodeId,
    heard: mpsc::UnboundedSender<Heard>,
}

impl Puppet {
    fn hear(&self, heard: Heard) {
        let _ = self.heard.send(heard);
    }
}

impl Link for Puppet {
    fn node(&self) -> NodeId {
        self.node
    }
    fn control(&self, frame: Vec<u8>) {
        self.hear(Heard::Control(frame));
    }
    fn ask(&self, pull: PullId, frame: Vec<u8>) {
        self.hear(Heard::Ask(pull, frame));
    }
    fn give_up(&self, _: PullId) {}
    fn answer(&self, _: StreamId, _: Vec<u8>, _: bool) {
        self.hear(Heard::Nothing);
    }
    fn close(&self, code: u32, reason: &str) {
        panic!("the node closed with {code}: {reason}");
    }
}

/// Connects `author` to the running node until that holds what the receipt names. `number` is
/// this connection's alone.
pub(crate) async fn feed(
    engine: &EngineHandle,
    number: u64,
    author: &mut Member,
    author_is: Authenticated,
    node_is: Authenticated,
    receipt: &Receipt,
) {
    let peer = PeerId(FIRST_PEER + number);
    let turns = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let (sender, mut heard) = mpsc::unbounded_channel();
    let link = Arc::new(Puppet {
        node: author_is.node,
        heard: sender,
    });
    let who = author_is;
    engine.tell(Event::Connected { peer, who, link }).await;
    author.connected(peer, node_is, clock());
    let mut pulls: HashMap<StreamId, PullId> = HashMap::new();
    while author.holders(receipt) == 0 {
        let outputs = author.take_outputs();
        if outputs.is_empty() {
            match heard.recv().await.unwrap() {
                Heard::Control(frame) => author.control(peer, &frame, clock()),
                Heard::Ask(pull, frame) => {
                    let stream = StreamId(pulls.len() as u64);
                    pulls.insert(stream, pull);
                    author.asked(peer, stream, &frame, clock());
                }
                Heard::Nothing => {}
            }
        }
        for output in outputs {
            let turn = Arc::clone(&turns).acquire_owned().await.unwrap();
            match output {
                Output::Send { frame, .. } => {
                    engine.tell(Event::Control(peer, frame, turn)).await;
                }
                Output::Answer {
                    stream,
                    frame,
                    last,
                    ..
                } => {
                    let said = Event::Answered(pulls[&stream], frame, turn);
                    engine.tell(said).await;
                    if !last {
                        author.writable(peer, stream, clock());
                    }
                }
                _ => {}
            }
        }
    }
    engine.tell(Event::Disconnected(peer)).await;
    author.disconnected(peer, clock());
}
