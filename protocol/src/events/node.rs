//! Events of the node itself: councils that are away, keys with two histories, the store, the
//! roster.

use super::{About, Event, Kind};
use crate::ids::{CouncilCode, DocumentName, NodeId};
use crate::limits::{
    CUT_OFF_SECONDS, LISTENING_SECONDS, ROSTER_WARNING_SECONDS, SILENT_COUNCIL_SECONDS,
};
use crate::time::{Day, UnixSeconds};

/// What a node knows of itself and its peers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeState {
    /// When the process started.
    pub started: UnixSeconds,
    /// When each other council last said, signed, how its pool stands; those that never did are not
    /// here.
    pub words: Vec<(CouncilCode, UnixSeconds)>,
    /// Keys with two histories, in which document, and since when that is known.
    pub forks: Vec<(DocumentName, NodeId, UnixSeconds)>,
    /// When the store was found to have lost something.
    pub lost: Vec<UnixSeconds>,
    /// When it was set aside.
    pub set_aside: Vec<UnixSeconds>,
    /// The roster's version, and when it expires.
    pub roster: (u64, UnixSeconds),
}

/// What is so now.
pub fn of_node(state: &NodeState, now: UnixSeconds) -> Vec<Event> {
    let mut events = silence(state, now);
    events.extend(state.forks.iter().map(|(document, node, since)| {
        let about = About {
            council: Some(document.council),
            node: Some(*node),
            document: Some(*document),
            ..About::default()
        };
        Event::new(Kind::KeyForked, &[document, node], *since, about)
    }));
    let plain = |kind, at: &UnixSeconds| Event::new(kind, &[at], *at, About::default());
    let lost = state.lost.iter().map(|at| plain(Kind::StoreLost, at));
    events.extend(lost);
    let set_aside = state.set_aside.iter();
    events.extend(set_aside.map(|at| plain(Kind::StoreSetAside, at)));
    events.extend(roster(state.roster, now));
    events
}

fn roster((version, expires): (u64, UnixSeconds), now: UnixSeconds) -> Option<Event> {
    let warned = UnixSeconds(expires.0.saturating_sub(ROSTER_WARNING_SECONDS));
    let (kind, at) = match (now >= expires, now >= warned) {
        (true, _) => (Kind::RosterExpired, expires),
        (false, true) => (Kind::RosterExpires, warned),
        (false, false) => return None,
    };
    let about = About {
        until: Some(expires),
        ..About::default()
    };
    Some(Event::new(kind, &[&version], at, about))
}

/// Where nobody is heard of it is this node that is away, and that is one event and not one for each
/// council.
fn silence(state: &NodeState, now: UnixSeconds) -> Vec<Event> {
    let newest = state.words.iter().map(|(_, at)| *at).max();
    let Some(newest) = newest.filter(|_| now.since(state.started) >= LISTENING_SECONDS) else {
        return Vec::new();
    };
    if now.since(newest) >= CUT_OFF_SECONDS {
        let at = newest.plus(CUT_OFF_SECONDS);
        return vec![Event::new(Kind::CutOff, &[&newest], at, About::default())];
    }
    let silent = state.words.iter().filter_map(|(council, word)| {
        let at = word.plus(SILENT_COUNCIL_SECONDS);
        let about = About {
            council: Some(*council),
            ..About::default()
        };
        // Once a day at most: a council whose clock is slow goes on saying words that are old already.
        let event = Event::new(Kind::CouncilSilent, &[council, &Day::of(*word)], at, about);
        (at <= now).then_some(event)
    });
    silent.collect()
}
