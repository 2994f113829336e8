//! The newest events, and whoever follows them.
//!
//! There is no queue for each reader: a reader has its place in the one log and is woken when that
//! grows. So a slow one costs nothing, and one that was overtaken by the log's end is given a gap.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smp_protocol::api::Event;
use smp_protocol::events;
use smp_protocol::limits::EVENT_STREAMS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::engine::clock;

/// How the hook fares, for status.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HookReport {
    /// The event with which it is failing now, why, and how often it was tried.
    pub failing: Option<(u64, String, usize)>,
    /// Events that were given up since the start.
    pub given_up: u64,
    /// The last of them, and why.
    pub last_given_up: Option<(u64, String)>,
}

/// See the module's documentation. One for each process.
pub struct EventLog {
    state: Mutex<State>,
    /// The newest number, and whether no more will come.
    newest: watch::Sender<(u64, bool)>,
    room: Arc<Semaphore>,
    hook: Mutex<HookReport>,
}

#[derive(Default)]
struct State {
    /// What was told up to here is not in the log.
    floor: u64,
    told: VecDeque<Arc<Event>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            newest: watch::Sender::new((0, false)),
            room: Arc::new(Semaphore::new(EVENT_STREAMS)),
            hook: Mutex::default(),
        }
    }
}

impl EventLog {
    /// Takes what the store has, in the place of what was there.
    pub(crate) fn load(&self, floor: u64, newest: u64, told: Vec<Event>) {
        let told = told.into_iter().map(Arc::new).collect();
        *lock(&self.state) = State { floor, told };
        self.newest.send_modify(|(number, _)| *number = newest);
    }

    /// Adds what is on disk now, and lets go of what was told up to `floor`.
    pub(crate) fn publish(&self, floor: u64, told: Vec<Event>) {
        let Some(newest) = told.last().map(|event| event.number) else {
            return;
        };
        {
            let mut state = lock(&self.state);
            state.told.extend(told.into_iter().map(Arc::new));
            while state.told.front().is_some_and(|e| e.number <= floor) {
                state.told.pop_front();
            }
            state.floor = state.floor.max(floor);
        }
        self.newest.send_modify(|(number, _)| *number = newest);
    }

    /// Ends every stream: the node is stopping.
    pub fn close(&self) {
        self.newest.send_modify(|(_, closed)| *closed = true);
    }

    /// The number of the last event that was told.
    pub fn newest(&self) -> u64 {
        self.newest.borrow().0
    }

    /// Follows the log from behind a number; 0 for all that is remembered, `None` for what is told
    /// from now on. `None` where too many follow it already.
    pub fn follow(self: &Arc<Self>, after: Option<u64>) -> Option<Follower> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let mut follower = self.follow_for_hook(after.unwrap_or_else(|| self.newest()));
        follower.permit = Some(permit);
        Some(follower)
    }

    /// The same for the hook, which needs no leave.
    pub(crate) fn follow_for_hook(self: &Arc<Self>, after: u64) -> Follower {
        // A number that this node has not given comes from a store that it has no more.
        let unknown = after > self.newest();
        Follower {
            cursor: if unknown { 1 } else { after },
            log: Arc::clone(self),
            changes: self.newest.subscribe(),
            permit: None,
        }
    }

    /// How the hook fares.
    pub fn hook(&self) -> HookReport {
        lock(&self.hook).clone()
    }

    pub(crate) fn report_hook(&self, change: impl FnOnce(&mut HookReport)) {
        change(&mut lock(&self.hook));
    }

    /// The first that a reader at `cursor` has not seen.
    fn behind(&self, cursor: u64) -> Option<Arc<Event>> {
        let state = lock(&self.state);
        // From 0 on is asked for by whoever knows of nothing that could be missing.
        if cursor > 0 && cursor < state.floor {
            let now = clock();
            let gap = events::Event::gap(state.floor, now);
            return Some(Arc::new(Event::new(state.floor, &gap, now)));
        }
        let at = state.told.partition_point(|event| event.number <= cursor);
        state.told.get(at).cloned()
    }
}

/// A place in the log.
pub struct Follower {
    log: Arc<EventLog>,
    cursor: u64,
    changes: watch::Receiver<(u64, bool)>,
    /// Given back when it is dropped.
    permit: Option<OwnedSemaphorePermit>,
}

impl Follower {
    /// Behind which number it stands.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The next event if there is one already.
    pub fn ready(&mut self) -> Option<Arc<Event>> {
        let event = self.log.behind(self.cursor)?;
        self.cursor = event.number;
        Some(event)
    }

    /// The next event, once there is one; `None` when the node stops.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            if self.changes.borrow_and_update().1 {
                return None;
            }
            if let Some(event) = self.ready() {
                return Some(event);
            }
            self.changes.changed().await.ok()?;
        }
    }
}
