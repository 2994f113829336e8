//! What the engine asks of a connection. It never waits for one: a link that cannot take
//! more closes itself.

use smp_protocol::ids::NodeId;
use smp_protocol::session::{PullId, StreamId};

/// A connection to a peer, as the engine sees it.
pub trait Link: Send + Sync {
    /// Who is at the other end, also after it has gone.
    fn node(&self) -> NodeId;
    /// Sends a frame on the control stream.
    fn control(&self, frame: Vec<u8>);
    /// Opens a stream, sends the frame, and hands in each frame of the answer.
    fn ask(&self, pull: PullId, frame: Vec<u8>);
    /// Stops reading an answer.
    fn give_up(&self, pull: PullId);
    /// Sends a frame of an answer; the stream ends with the last.
    fn answer(&self, stream: StreamId, frame: Vec<u8>, last: bool);
    /// Closes the connection, with a code for the peer and a reason for the log.
    fn close(&self, code: u32, reason: &str);
}
