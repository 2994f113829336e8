//! What a node remembers of what it has told.
//!
//! Nothing that is so is forgotten, or it would be told again; of what is no longer so the memory is
//! bounded.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, EventId};
use crate::limits::{EVENT_HISTORY_SECONDS, EVENT_MEMORY_SECONDS, EVENTS_AT_ONCE, EVENTS_TOLD};
use crate::time::UnixSeconds;

/// See the module's documentation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    since: UnixSeconds,
    told: BTreeMap<EventId, UnixSeconds>,
}

impl Memory {
    /// A memory that began then, with what was told since, and when.
    pub fn new(since: UnixSeconds, told: impl IntoIterator<Item = (EventId, UnixSeconds)>) -> Self {
        Self {
            since,
            told: told.into_iter().collect(),
        }
    }

    /// The news among all that is so now, the oldest first, at most so many as are told at once; and
    /// whether there are more.
    pub fn news<'a>(&self, holding: &'a [Event]) -> (Vec<&'a Event>, bool) {
        let is_history = |event: &Event| event.at.plus(EVENT_HISTORY_SECONDS) < self.since;
        let untold = |event: &&Event| !self.told.contains_key(&event.id) && !is_history(event);
        let mut news: Vec<&Event> = holding.iter().filter(untold).collect();
        news.sort_by_key(|event| (event.at, event.kind, event.id));
        news.dedup_by_key(|event| event.id);
        let more = news.len() > EVENTS_AT_ONCE;
        news.truncate(EVENTS_AT_ONCE);
        (news, more)
    }

    /// An event was told.
    pub fn told(&mut self, id: EventId, now: UnixSeconds) {
        self.told.insert(id, now);
    }

    /// Forgets what is no longer so and was told long ago; of too much, what was told first. Gives
    /// what was forgotten. `holding` is all that is so now.
    pub fn forget(&mut self, holding: &BTreeSet<EventId>, now: UnixSeconds) -> Vec<EventId> {
        let over = self.told.iter().filter(|(id, _)| !holding.contains(id));
        let mut over: Vec<(UnixSeconds, EventId)> = over.map(|(id, at)| (*at, *id)).collect();
        over.sort_unstable();
        let kept = over.len().min(EVENTS_TOLD);
        let too_many = over.len() - kept;
        let forgotten = over.into_iter().enumerate();
        let forgotten = forgotten
            .filter(|(n, (at, _))| *n < too_many || now.since(*at) > EVENT_MEMORY_SECONDS)
            .map(|(_, (_, id))| id);
        let forgotten: Vec<EventId> = forgotten.collect();
        for id in &forgotten {
            self.told.remove(id);
        }
        forgotten
    }
}
