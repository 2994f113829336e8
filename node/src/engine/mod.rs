//! The engine: one thread that owns the member and the store.
//!
//! Everything that happens to a node comes through one bounded queue: frames from peers,
//! questions from the local API, the passing of time. The engine takes as many as are
//! waiting, lets the member answer, commits all that has to be on disk as one flushed batch
//! (group commit), and only then sends, acknowledges and answers. If a flush fails, nothing
//! of the batch was seen by anyone: the member is dropped and made again from the store.

mod aside;
mod checks;
mod core;
mod events;
mod links;
mod restore;
mod room;
#[cfg(test)]
mod tests;

pub use self::aside::Mishap;
pub use self::checks::{HOST_OF_PLACE, Registers, host_of_place};
pub use self::core::{Core, clock};
pub use self::links::Link;
pub use self::restore::{OpenError, StoreLocation};

use std::sync::Arc;
use std::thread::JoinHandle;

use smp_protocol::session::{Authenticated, PeerId, PullId, StreamId};
use tokio::sync::{mpsc, oneshot};

use self::core::FlushError;
use self::room::{Room, Shift};
use crate::shared::Shared;

/// Events that may wait: enough for every peer of a full region to have a few under way;
/// beyond this the senders wait, and so do their peers.
const QUEUE: usize = 1024;

/// Events handled before a flush: what waits longer is no more durable for it.
const BATCH: usize = 256;

/// Something that happened.
pub enum Event {
    /// A connection stands.
    Connected {
        /// Its number.
        peer: PeerId,
        /// Who is at the other end.
        who: Authenticated,
        /// How to reach it.
        link: Arc<dyn Link>,
    },
    /// A connection is gone.
    Disconnected(PeerId),
    /// A frame on the control stream.
    Control(PeerId, Vec<u8>, Turn),
    /// The first frame of a stream that a peer opened.
    Asked(PeerId, StreamId, Vec<u8>, Turn),
    /// A frame of an answer was written; there is room for the next.
    Writable(PeerId, StreamId),
    /// The asker does not read on.
    AnswerStopped(PeerId, StreamId),
    /// A frame of an answer to this node.
    Answered(PullId, Vec<u8>, Turn),
    /// The stream of an answer to this node is over, whole or not.
    PullOver(PullId),
    /// A second passed.
    Tick,
    /// A question of the local API.
    Job(Job),
    /// Stop, in order.
    Stop,
}

/// A connection's leave to have one more frame in the queue; given back once the frame was
/// handled. So a peer's share of the queue is a few frames, whatever it sends.
pub type Turn = tokio::sync::OwnedSemaphorePermit;

/// A question of the local API.
pub struct Job {
    /// What it does in the engine, and what is to be done once its writes are flushed.
    work: Box<dyn FnOnce(&mut Core) -> Reply + Send>,
    /// Whether it writes: then it is dropped while the disk has no room.
    writes: bool,
}
/// Runs after the flush; dropped unrun where the flush failed.
type Reply = Box<dyn FnOnce() + Send>;

/// The engine did not answer: it is stopping, being made again after a failed flush, or must not
/// write for want of room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the node is stopping, opening its store again after an error, or without room on its disk"
)]
pub struct EngineGone;

/// How everything else reaches the engine. Cheap to copy.
#[derive(Clone)]
pub struct EngineHandle {
    queue: mpsc::Sender<Event>,
}

impl EngineHandle {
    /// Hands an event in, waiting while the queue is full. False once the engine stopped.
    pub async fn tell(&self, event: Event) -> bool {
        self.queue.send(event).await.is_ok()
    }

    /// Has the engine work something out that changes nothing.
    ///
    /// # Errors
    /// [`EngineGone`]: nothing of it was done.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, EngineGone> {
        self.run(work, false).await
    }

    /// Has the engine write something. It is on disk when this returns.
    ///
    /// # Errors
    /// [`EngineGone`]: nothing of it was done.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, EngineGone> {
        self.run(work, true).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
        writes: bool,
    ) -> Result<T, EngineGone> {
        let (sender, receiver) = oneshot::channel();
        let work = Box::new(move |core: &mut Core| -> Reply {
            let result = work(core);
            // The caller may have hung up; what was written stays.
            Box::new(move || drop(sender.send(result)))
        });
        let job = Job { work, writes };
        self.queue
            .send(Event::Job(job))
            .await
            .map_err(|_| EngineGone)?;
        receiver.await.map_err(|_| EngineGone)
    }
}

/// The running engine.
pub struct Engine {
    handle: EngineHandle,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Opens the store, takes everything back, and starts the thread.
    ///
    /// # Errors
    /// [`OpenError`] where the store cannot be opened or holds what is not admissible.
    pub fn start(location: StoreLocation, shared: Arc<Shared>) -> Result<Self, OpenError> {
        let core = restore::open(&location, &shared)?;
        let (queue, events) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || run(core, &location, &shared, events))
            .map_err(OpenError::Thread)?;
        let handle = EngineHandle { queue };
        Ok(Self { handle, thread })
    }

    /// Whether its thread has ended; it does so unasked only by a defect.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// How to reach it.
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }

    /// Handles what is waiting, flushes, closes the store.
    pub async fn stop(self) {
        self.handle.tell(Event::Stop).await;
        drop(self.handle);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the engine did not stop in order");
        }
    }
}

fn run(
    core: Core,
    location: &StoreLocation,
    shared: &Arc<Shared>,
    mut events: mpsc::Receiver<Event>,
) {
    let mut running = Some(core);
    let mut room = Room::of(&location.dir);
    while let Some(first) = events.blocking_recv() {
        let mut stop = false;
        let Some(core) = running.as_mut() else {
            // Without a store there is nothing to ask; each tick tries to open it again.
            match first {
                Event::Stop => return,
                Event::Tick => running = reopen(location, shared, &room),
                Event::Connected { link, .. } => link.close(0, "the node is not ready"),
                _ => {}
            }
            continue;
        };
        let mut replies = Vec::new();
        let mut next = Some(first);
        let mut handled = 0;
        let mut ticked = false;
        while let Some(event) = next.take() {
            if matches!(event, Event::Tick) {
                ticked = true;
                react(room.look(), core, shared);
            }
            match event {
                Event::Stop => stop = true,
                Event::Job(job) if job.writes && room.is_short() => {}
                Event::Job(job) => replies.push((job.work)(core)),
                event if room.is_short() => without_room(core, event),
                event => core.handle(event),
            }
            core.collect();
            handled += 1;
            if !stop && handled < BATCH && !core.store_is_behind() {
                next = events.try_recv().ok();
            }
        }
        core.tend();
        core.tend_places();
        if ticked && !room.is_short() {
            core.tell_events();
        }
        match core.flush() {
            Ok(()) => {
                core.perform();
                replies.into_iter().for_each(|reply| reply());
            }
            Err(error) => {
                tracing::error!(%error, "nothing of the last moment was kept; opening the store again");
                shared.set_trouble(Some(error.to_string()));
                core.close_all();
                if let FlushError::Store(error) = &error {
                    react(room.failed(error), core, shared);
                }
                // The files are let go of before they are opened again.
                drop(running.take());
                running = reopen(location, shared, &room);
            }
        }
        if stop {
            return;
        }
    }
}

/// Says what a look at the disk found, and lets go of the peers where nothing can be taken from
/// them.
fn react(found: Option<Shift>, core: &mut Core, shared: &Shared) {
    match found {
        Some(Shift::Short(why)) => {
            tracing::error!("{why}");
            shared.set_trouble(Some(why));
            core.close_all();
        }
        Some(Shift::Enough) => {
            tracing::info!("the disk has room again; writing goes on");
            shared.set_trouble(None);
        }
        None => {}
    }
}

/// What still happens while nothing can be written: peers go.
fn without_room(core: &mut Core, event: Event) {
    match event {
        Event::Connected { link, .. } => link.close(0, "no room"),
        Event::Disconnected(peer) => core.handle(Event::Disconnected(peer)),
        _ => {}
    }
}

fn reopen(location: &StoreLocation, shared: &Arc<Shared>, room: &Room) -> Option<Core> {
    match restore::open(location, shared) {
        Ok(core) => {
            tracing::info!("the store is open again");
            if !room.is_short() {
                shared.set_trouble(None);
            }
            Some(core)
        }
        Err(error) => {
            shared.set_trouble(Some(error.to_string()));
            None
        }
    }
}
