//! What the parts of a node know in common: who it is, the roster, who was refused, and how
//! each peer is reached.
//!
//! Every lock here is held for a look or a small change, never across a wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use smp_certs::NodeKeys;
use smp_certs::tls::TlsIdentity;
use smp_protocol::crypto::Signing;
use smp_protocol::ids::{CouncilCode, NodeId};
use smp_protocol::roster::VerifiedRoster;
use smp_protocol::session::PeerId;
use smp_protocol::time::UnixSeconds;
use tokio::sync::watch;

use crate::engine::{Mishap, clock};
use crate::events::EventLog;

/// Reasons of one word that are logged one by one; further ones are counted only. A flood
/// of strangers must not fill the disk with lines, nor hide what others do.
const LOGGED_REFUSALS: usize = 128;

/// How this node stands with another one.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Connections to it that stand.
    pub connections: usize,
    /// Since when it is as it is.
    pub since: UnixSeconds,
    /// Why the last attempt to dial it failed.
    pub trouble: Option<String>,
    /// Bytes to and from it over connections that are closed, UDP payload.
    pub sent: u64,
    /// See `sent`.
    pub received: u64,
}

/// See the module's documentation.
pub struct Shared {
    keys: NodeKeys,
    tls: TlsIdentity,
    started: UnixSeconds,
    roster: watch::Sender<VerifiedRoster>,
    caveats: RwLock<&'static [&'static str]>,
    trouble: RwLock<Option<String>>,
    mishaps: RwLock<Vec<Mishap>>,
    /// The version of which two different rosters were seen last; 0 for none.
    forked: AtomicU64,
    refused: Mutex<Refused>,
    reaches: Mutex<BTreeMap<NodeId, Reach>>,
    peers: Mutex<BTreeMap<PeerId, NodeId>>,
    /// Changes with every connection that comes or goes.
    changes: watch::Sender<u64>,
    events: Arc<EventLog>,
}

#[derive(Default)]
struct Refused {
    counts: BTreeMap<String, u64>,
    logged: BTreeMap<String, BTreeSet<(String, String)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// A node that is not connected to anything yet.
    pub fn new(keys: NodeKeys, tls: TlsIdentity, roster: VerifiedRoster) -> Self {
        Self {
            keys,
            tls,
            started: clock(),
            roster: watch::Sender::new(roster),
            caveats: RwLock::new(&[]),
            trouble: RwLock::new(None),
            mishaps: RwLock::default(),
            forked: AtomicU64::new(0),
            refused: Mutex::default(),
            reaches: Mutex::default(),
            peers: Mutex::default(),
            changes: watch::Sender::new(0),
            events: Arc::default(),
        }
    }

    /// What this council's officers are told.
    pub fn events(&self) -> &Arc<EventLog> {
        &self.events
    }

    /// This node.
    pub fn me(&self) -> NodeId {
        self.keys.node_id()
    }

    /// This node's council.
    pub fn council(&self) -> CouncilCode {
        self.tls.peer().council
    }

    /// A copy of the signing key.
    pub fn signing_key(&self) -> Signing {
        self.keys.signing().clone()
    }

    /// This node's certificate with its key.
    pub fn tls(&self) -> &TlsIdentity {
        &self.tls
    }

    /// When the process started.
    pub fn started(&self) -> UnixSeconds {
        self.started
    }

    /// The roster that holds.
    pub fn roster(&self) -> VerifiedRoster {
        self.roster.borrow().clone()
    }

    /// Whether two rosters of the version that holds are in circulation.
    pub fn roster_is_forked(&self) -> bool {
        self.forked.load(Ordering::Relaxed) == self.roster.borrow().version
    }

    /// Two rosters of this version were seen.
    pub(crate) fn set_forked(&self, version: u64) {
        self.forked.store(version, Ordering::Relaxed);
    }

    /// Follows the roster.
    pub fn follow_roster(&self) -> watch::Receiver<VerifiedRoster> {
        self.roster.subscribe()
    }

    /// A newer roster holds.
    pub fn set_roster(&self, roster: VerifiedRoster) {
        tracing::info!(version = roster.version, "roster holds");
        self.roster.send_replace(roster);
    }

    /// The time, never behind the newest roster.
    pub fn now(&self) -> UnixSeconds {
        clock().max(self.roster.borrow().issued)
    }

    /// What the store's engine does not promise.
    pub fn caveats(&self) -> &'static [&'static str] {
        *self.caveats.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_caveats(&self, caveats: &'static [&'static str]) {
        *self.caveats.write().unwrap_or_else(PoisonError::into_inner) = caveats;
    }

    /// Why the store cannot be used, while it cannot.
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// What happened to the store and is still to be told, the newest first.
    pub fn mishaps(&self) -> Vec<Mishap> {
        self.mishaps
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_mishaps(&self, mishaps: Vec<Mishap>) {
        *self.mishaps.write().unwrap_or_else(PoisonError::into_inner) = mishaps;
    }

    /// Counts a refusal, and logs it the first time that it happens to this peer for this
    /// reason.
    pub fn refused(&self, word: &str, who: &str, reason: &str) {
        self.refused_quietly(word, 1);
        let mut refused = lock(&self.refused);
        let logged = refused.logged.entry(word.to_owned()).or_default();
        if logged.len() < LOGGED_REFUSALS {
            // A peer may have chosen part of the text: it stays on its line.
            let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
            if logged.insert((who.to_owned(), reason.clone())) {
                tracing::warn!(refused = word, peer = who, "{reason}");
            }
        }
    }

    /// Counts refusals that are not worth a line each.
    pub fn refused_quietly(&self, word: &str, times: u64) {
        let mut refused = lock(&self.refused);
        let count = refused.counts.entry(word.to_owned()).or_default();
        *count = count.saturating_add(times);
    }

    /// What was refused since the start, by reason.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        lock(&self.refused).counts.clone()
    }

    /// A connection to a node stands.
    pub fn connected(&self, peer: PeerId, node: NodeId) {
        lock(&self.peers).insert(peer, node);
        self.change(node, |reach| {
            if reach.connections == 0 {
                reach.since = clock();
            }
            reach.connections += 1;
            reach.trouble = None;
        });
    }

    /// A connection is gone, after so many bytes.
    pub fn disconnected(&self, peer: PeerId, why: &str, sent: u64, received: u64) {
        let Some(node) = lock(&self.peers).remove(&peer) else {
            return;
        };
        self.change(node, |reach| {
            reach.connections = reach.connections.saturating_sub(1);
            reach.sent = reach.sent.saturating_add(sent);
            reach.received = reach.received.saturating_add(received);
            if reach.connections == 0 {
                reach.since = clock();
                reach.trouble = Some(why.to_owned());
            }
        });
    }

    /// Dialling a node failed.
    pub fn not_reached(&self, node: NodeId, why: String) {
        self.change(node, |reach| {
            if reach.connections == 0 {
                reach.trouble = Some(why);
            }
        });
    }

    /// How this node stands with another one; `None` before the first attempt.
    pub fn reach(&self, node: NodeId) -> Option<Reach> {
        lock(&self.reaches).get(&node).cloned()
    }

    /// Follows connections coming and going.
    pub fn follow_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn change(&self, node: NodeId, change: impl FnOnce(&mut Reach)) {
        {
            let mut reaches = lock(&self.reaches);
            let reach = reaches.entry(node).or_insert_with(|| Reach {
                connections: 0,
                since: clock(),
                trouble: None,
                sent: 0,
                received: 0,
            });
            change(reach);
        }
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }
}
