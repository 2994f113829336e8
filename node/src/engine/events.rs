//! What there is to tell, worked out on the engine's thread and on disk before anybody hears of it.
//!
//! An event, that it was told, and its place in the log are one flush: a node that is killed tells
//! it again to nobody, and forgets none. It looks as time passes, once a second at most, and only at
//! what has moved. It must never put a field of a record into an event.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use smp_protocol::api;
use smp_protocol::casework::Decider;
use smp_protocol::events::{
    Event, EventId, Memory, NodeState, of_cases, of_checks, of_node, of_stopped,
};
use smp_protocol::ids::RecordId;
use smp_protocol::limits;
use smp_protocol::session::Durable;
use smp_protocol::time::{Day, UnixSeconds};

use super::{Core, Mishap, checks, clock};
use crate::shared::Shared;
use crate::store::{Change, Rows, Store, StoreError, Table};

/// When this memory began.
const SINCE: &[u8] = b"since";
/// What was told up to here is not in the log any more.
const FLOOR: &[u8] = b"floor";
/// The last number that the hook is done with.
const HOOK: &[u8] = b"hook";
/// The log: behind this the number.
const LOG: &[u8] = b"log\0";
/// What was told: behind this the id.
const TOLD: &[u8] = b"told\0";

/// How often the registers are looked at while they move: all of them are read.
const REGISTERS_SECONDS: u64 = 5;

/// How often it is looked who is silent, and what happened to keys and the store.
const NODE_SECONDS: u64 = 10;

/// How often it is looked what may be forgotten.
const FORGET_SECONDS: u64 = 86_400;

/// The same, from a start on.
const FIRST_FORGET_SECONDS: u64 = 2 * limits::LISTENING_SECONDS;

/// Numbers that a second may take: so that a process can begin above all that any before it gave,
/// also where the store was lost or put back.
const NUMBERS_PER_SECOND: u64 = 1000;

/// What is looked at, and when next.
pub(super) struct Watcher {
    memory: Memory,
    number: u64,
    floor: u64,
    /// The numbers in the log.
    log: VecDeque<u64>,
    /// Something came in casework.
    cases_moved: bool,
    /// When time alone has something to tell of it.
    cases_at: UnixSeconds,
    /// Something came in a register, or this council's pool.
    checks_moved: bool,
    /// The day that was last looked at, and when.
    checked: (Option<Day>, UnixSeconds),
    /// Places whose host must take nobody, when the registers were last looked at.
    stopped: Vec<RecordId>,
    /// When keys, store, roster and silence were last looked at.
    node_looked: UnixSeconds,
    /// When it was last looked what may be forgotten.
    forgot: UnixSeconds,
    /// Told with the next flush.
    telling: Vec<api::Event>,
}

fn put(key: Vec<u8>, value: Vec<u8>) -> Change {
    Change::Put {
        table: Table::Events,
        key,
        value,
    }
}

fn delete(key: Vec<u8>) -> Change {
    Change::Delete {
        table: Table::Events,
        key,
    }
}

/// Whether it is time to look again; also after the clock was put back.
fn is_due(looked: UnixSeconds, every: u64, now: UnixSeconds) -> bool {
    now.since(looked) >= every || now < looked
}

fn number_at(store: &Store, key: &[u8]) -> Result<Option<u64>, StoreError> {
    let value = store.get(Table::Events, key)?;
    Ok(value.and_then(|bytes| as_number(&bytes)))
}

fn as_number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn key(table: &[u8], id: &[u8]) -> Vec<u8> {
    [table, id].concat()
}

/// The rows behind a prefix, with the prefix taken off their keys.
fn rows(store: &Store, prefix: &[u8]) -> Result<Rows, StoreError> {
    let rows = store.scan(Table::Events, prefix, None, usize::MAX)?;
    let rest = |(key, value): (Vec<u8>, Vec<u8>)| Some((key.strip_prefix(prefix)?.to_vec(), value));
    Ok(rows.into_iter().filter_map(rest).collect())
}

impl Watcher {
    /// As the store has it. What a store does not have yet comes with the first flush.
    pub(super) fn open(
        store: &Store,
        now: UnixSeconds,
    ) -> Result<(Self, Vec<api::Event>, Vec<Change>), StoreError> {
        let mut first = Vec::new();
        let above_all = now.0.saturating_mul(NUMBERS_PER_SECOND);
        // One that a clock in the future began would take all until then for history.
        let since = number_at(store, SINCE)?.filter(|since| *since <= now.0);
        let since = since.unwrap_or_else(|| {
            first.push(put(SINCE.to_vec(), now.0.to_be_bytes().to_vec()));
            now.0
        });
        let floor = number_at(store, FLOOR)?.unwrap_or_else(|| {
            first.push(put(FLOOR.to_vec(), above_all.to_be_bytes().to_vec()));
            above_all
        });
        let told = rows(store, TOLD)?.into_iter().filter_map(|(id, at)| {
            let id = EventId(id.try_into().ok()?);
            Some((id, UnixSeconds(as_number(&at)?)))
        });
        let memory = Memory::new(UnixSeconds(since), told);
        let log = rows(store, LOG)?.into_iter();
        let read = |(_, bytes): (_, Vec<u8>)| serde_json::from_slice(&bytes).ok();
        let log: Vec<api::Event> = log.filter_map(read).collect();
        let last = log.last().map_or(floor, |event| event.number);
        let watcher = Self {
            memory,
            number: last.max(above_all),
            floor,
            log: log.iter().map(|event| event.number).collect(),
            cases_moved: true,
            cases_at: UnixSeconds::MAX,
            checks_moved: true,
            checked: (None, UnixSeconds(0)),
            stopped: Vec::new(),
            node_looked: UnixSeconds(0),
            // Before a day is over, or a node that is started every night forgets nothing; and not
            // before it has listened, or silence would be told again.
            forgot: UnixSeconds(now.0.saturating_sub(FORGET_SECONDS - FIRST_FORGET_SECONDS)),
            telling: Vec::new(),
        };
        Ok((watcher, log, first))
    }

    /// Has the log that was read followed.
    pub(super) fn load(&self, shared: &Shared, log: Vec<api::Event>) {
        shared.events().load(self.floor, self.number, log);
    }

    /// Takes notice of what is being stored.
    pub(super) fn moved(&mut self, durable: &Durable) {
        self.cases_moved |= Decider::is_moved_by(durable);
        self.checks_moved |= checks::is_moved_by(durable);
    }

    /// Has it look at checks although no register has moved.
    pub(super) fn look_at_checks(&mut self) {
        self.checks_moved = true;
    }

    /// Has events told with the next flush; whether there were more than at once.
    fn tell(&mut self, holding: &[Event], now: UnixSeconds) -> (Vec<Change>, bool) {
        let (news, more) = self.memory.news(holding);
        let news: Vec<Event> = news.into_iter().cloned().collect();
        let mut changes = Vec::new();
        for event in news {
            self.number += 1;
            self.memory.told(event.id, now);
            changes.push(put(key(TOLD, &event.id.0), now.0.to_be_bytes().to_vec()));
            let told = api::Event::new(self.number, &event, now);
            // A map of texts and numbers cannot fail to be written.
            let value = serde_json::to_vec(&told).unwrap_or_default();
            changes.push(put(key(LOG, &self.number.to_be_bytes()), value));
            self.log.push_back(self.number);
            self.telling.push(told);
        }
        while self.log.len() > limits::EVENT_LOG {
            if let Some(oldest) = self.log.pop_front() {
                self.floor = oldest;
                changes.push(delete(key(LOG, &oldest.to_be_bytes())));
                let floor = oldest.to_be_bytes().to_vec();
                changes.push(put(FLOOR.to_vec(), floor));
            }
        }
        (changes, more)
    }
}

impl Core {
    /// Looks at what has moved and at what time has brought, and tells the news with the next flush.
    pub(super) fn tell_events(&mut self) {
        // What the vault is to say is read from the store.
        if self.store_is_behind() {
            return;
        }
        let now = clock();
        if self.watcher.cases_moved || now >= self.watcher.cases_at {
            let holding = self.case_events(now);
            let more = self.tell(&holding, now);
            self.watcher.cases_moved = more;
        }
        let (today, looked) = self.watcher.checked;
        let is_new_day = today != Some(Day::of(now));
        let is_time = is_due(looked, REGISTERS_SECONDS, now);
        if is_new_day || (self.watcher.checks_moved && is_time) {
            let holding = self.check_events(now);
            let more = self.tell(&holding, now);
            self.watcher.checks_moved = more;
            self.watcher.checked = (Some(Day::of(now)), now);
        }
        if is_due(self.watcher.node_looked, NODE_SECONDS, now) {
            let holding = self.node_events(now);
            self.tell(&holding, now);
            self.watcher.node_looked = now;
        }
        if is_due(self.watcher.forgot, FORGET_SECONDS, now) {
            self.forget_events(now);
            self.watcher.forgot = now;
        }
    }

    fn tell(&mut self, holding: &[Event], now: UnixSeconds) -> bool {
        let (changes, more) = self.watcher.tell(holding, now);
        self.also_store(changes);
        more
    }

    /// After the flush.
    pub(super) fn publish_events(&mut self) {
        let telling = std::mem::take(&mut self.watcher.telling);
        self.shared().events().publish(self.watcher.floor, telling);
    }

    fn case_events(&mut self, now: UnixSeconds) -> Vec<Event> {
        let own = self.member.identity().council;
        let ledgers = self.decider.ledgers(&self.member);
        let cases = ledgers.cases(own);
        let warned = cases.iter().filter_map(|view| view.until);
        let warned = warned.map(|until| until.0.saturating_sub(limits::HOLD_WARNING_SECONDS));
        let next = warned.filter(|at| *at > now.0).min();
        self.watcher.cases_at = next.map_or(UnixSeconds::MAX, UnixSeconds);
        let mut events = of_cases(&ledgers.happened(), &cases, own, now);
        // A place may be held whose host was stopped while that was on its way.
        events.extend(of_stopped(&self.watcher.stopped, &ledgers, now));
        events
    }

    fn check_events(&mut self, now: UnixSeconds) -> Vec<Event> {
        let own = self.member.identity().council;
        let registers = self.registers();
        let mut events = of_checks(&registers.checks, &registers.hosts, own, Day::of(now));
        self.watcher.stopped = self.stopped(now);
        if !self.watcher.stopped.is_empty() {
            let ledgers = self.decider.ledgers(&self.member);
            events.extend(of_stopped(&self.watcher.stopped, &ledgers, now));
        }
        events
    }

    fn stopped(&self, now: UnixSeconds) -> Vec<RecordId> {
        let stopped = self.stopped_places(Day::of(now)).unwrap_or_else(|error| {
            tracing::error!(%error, "which places are whose cannot be read");
            Vec::new()
        });
        stopped.into_iter().map(|(place, _)| place).collect()
    }

    fn node_events(&self, now: UnixSeconds) -> Vec<Event> {
        let roster = self.member.roster();
        let forks = self.member.fork_views().into_iter();
        let mut state = NodeState {
            started: self.shared().started(),
            words: self.member.words(),
            forks: forks
                .map(|fork| (fork.document, fork.chain.node, fork.since))
                .collect(),
            roster: (roster.version, roster.expires),
            ..NodeState::default()
        };
        for mishap in self.shared().mishaps() {
            match mishap {
                Mishap::SetAside { at, .. } => state.set_aside.push(at),
                Mishap::Lost { at, .. } => state.lost.push(at),
            }
        }
        of_node(&state, now)
    }

    fn forget_events(&mut self, now: UnixSeconds) {
        let mut holding: BTreeSet<EventId> = BTreeSet::new();
        holding.extend(self.case_events(now).iter().map(|event| event.id));
        holding.extend(self.check_events(now).iter().map(|event| event.id));
        holding.extend(self.node_events(now).iter().map(|event| event.id));
        let forgotten = self.watcher.memory.forget(&holding, now);
        self.also_store(forgotten.iter().map(|id| delete(key(TOLD, &id.0))));
    }

    /// Behind which event the hook goes on: on its first start behind all that was told before, which
    /// is kept, or what is told before it has run once would be passed over by a kill.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub fn hook_is_behind(&mut self) -> Result<u64, StoreError> {
        if let Some(kept) = number_at(self.store(), HOOK)? {
            return Ok(kept);
        }
        let newest = self.shared().events().newest();
        self.hook_delivered(newest);
        Ok(newest)
    }

    /// There is no hook: one that is set again one day begins with what happens from then on.
    pub fn forget_hook(&mut self) {
        self.also_store([delete(HOOK.to_vec())]);
    }

    /// The hook is done with an event.
    pub fn hook_delivered(&mut self, number: u64) {
        self.also_store([put(HOOK.to_vec(), number.to_be_bytes().to_vec())]);
    }
}
