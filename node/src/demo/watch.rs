//! Watches until every reader of every document holds what its council holds.
//!
//! Agreement is said only where the digest of the frontier and the automerge heads are both
//! the owner's. What is seen comes from the nodes' own status, as `smp status` shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use smp_protocol::api::{DocumentStatus, Status};
use smp_protocol::ids::DocumentKind;

use super::councils::{Council, nearest};
use super::error::DemoError;
use super::load::answered;
use crate::service::Service;

/// How long nothing at all may change before the wait is given up: two anti-entropy rounds,
/// so that whatever a push missed has had its second chance.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(150);
/// Between two looks. Looking costs the nodes' time, so it waits twice as long as the last
/// look took, and at least this.
const PAUSE: Duration = Duration::from_millis(100);

/// What one node says of one document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Held {
    frontier: String,
    heads: BTreeSet<String>,
    pub(super) records: usize,
    entries: usize,
}

/// What one node says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) documents: BTreeMap<String, Held>,
    pub(super) connected: usize,
    pub(super) peers: usize,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl View {
    fn of(status: &Status) -> Self {
        let bytes = |of: fn(&smp_protocol::api::PeerStatus) -> u64| {
            status.peers.iter().map(of).fold(0, u64::saturating_add)
        };
        Self {
            documents: status.documents.iter().map(held).collect(),
            connected: status
                .peers
                .iter()
                .filter(|p| p.state == "connected")
                .count(),
            peers: status.peers.len(),
            sent: bytes(|peer| peer.bytes_sent),
            received: bytes(|peer| peer.bytes_received),
        }
    }

    fn entries(&self) -> usize {
        self.documents.values().map(|held| held.entries).sum()
    }
}

fn held(document: &DocumentStatus) -> (String, Held) {
    let held = Held {
        frontier: document.frontier.clone(),
        heads: document.heads.iter().cloned().collect(),
        records: document.records,
        entries: document.entries,
    };
    (document.document.clone(), held)
}

/// One document that one council is to hold for another.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) document: String,
    pub(super) owner: usize,
    pub(super) reader: usize,
}

/// Every copy that the region's rules ask for: registers at the two nearest, the rest at
/// all.
pub(super) fn expected(councils: &[Council]) -> Vec<Expected> {
    let mut all = Vec::new();
    for (owner, council) in councils.iter().enumerate() {
        let near: BTreeSet<_> = nearest(council, councils).iter().map(|c| c.code).collect();
        for kind in DocumentKind::OF_EACH {
            let readers = councils.iter().enumerate().filter(|(reader, other)| {
                let named = kind != DocumentKind::HostRegister || near.contains(&other.code);
                *reader != owner && named
            });
            let document = kind.of(council.code).to_string();
            all.extend(readers.map(|(reader, _)| Expected {
                document: document.clone(),
                owner,
                reader,
            }));
        }
    }
    all
}

/// How a copy stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// The owner's frontier and the owner's heads.
    Agrees,
    /// The reader does not have the document at all.
    Missing,
    /// Another frontier.
    Differs,
    /// The owner's frontier and other heads: a defect.
    Defect,
}

/// How one copy stands, by what its owner and its reader say.
pub(super) fn standing(views: &[View], copy: &Expected) -> Standing {
    let of = |council: usize| views.get(council)?.documents.get(&copy.document);
    match (of(copy.owner), of(copy.reader)) {
        (Some(own), Some(copy)) if own.frontier != copy.frontier => Standing::Differs,
        (Some(own), Some(copy)) if own.heads != copy.heads => Standing::Defect,
        (Some(_), Some(_)) => Standing::Agrees,
        _ => Standing::Missing,
    }
}

/// What a wait saw.
pub(super) struct Seen {
    /// What each node said last, in the order of the councils.
    pub(super) views: Vec<View>,
    /// When each node last became whole, since the wait began.
    pub(super) whole_after: Vec<Option<Duration>>,
    /// Which reader lacks what; empty where all agree.
    pub(super) lacks: Vec<String>,
    /// How long the wait was.
    pub(super) took: Duration,
}

/// The nodes of a demo, in the order of the councils; `None` for one that is stopped.
pub(super) type Services<S> = [Option<S>];

/// Waits until every running reader agrees with every running owner, or nothing changes any
/// more for so long. `progress` is told how many copies of how many agree.
pub(super) async fn until_agreed<S: Service>(
    councils: &[Council],
    services: &Services<S>,
    stalled_after: Duration,
    mut progress: impl FnMut(usize, usize),
) -> Result<Seen, DemoError> {
    let began = Instant::now();
    let running = |index: usize| services.get(index).is_some_and(Option::is_some);
    let mut copies = expected(councils);
    copies.retain(|copy| running(copy.owner) && running(copy.reader));
    let everyone: BTreeSet<usize> = (0..councils.len()).collect();
    let mut seen = Seen {
        views: vec![View::default(); councils.len()],
        whole_after: vec![None; councils.len()],
        lacks: Vec::new(),
        took: Duration::ZERO,
    };
    let mut asked = everyone.clone();
    let mut last_change = (0, 0, began);
    loop {
        let looked = Instant::now();
        look(councils, services, &asked, &mut seen.views).await?;
        let lacking: BTreeSet<usize> = copies
            .iter()
            .filter(|copy| standing(&seen.views, copy) != Standing::Agrees)
            .map(|copy| copy.reader)
            .collect();
        note_whole(&mut seen.whole_after, &lacking, began.elapsed());
        let agreed = copies
            .iter()
            .filter(|copy| standing(&seen.views, copy) == Standing::Agrees)
            .count();
        progress(agreed, copies.len());
        // Only an answer from everyone, after the last write, says that all agree.
        if lacking.is_empty() && asked == everyone {
            break;
        }
        let entries: usize = seen.views.iter().map(View::entries).sum();
        if (agreed, entries) != (last_change.0, last_change.1) {
            last_change = (agreed, entries, Instant::now());
        }
        if last_change.2.elapsed() > stalled_after {
            break;
        }
        asked = if lacking.is_empty() {
            everyone.clone()
        } else {
            lacking
        };
        tokio::time::sleep(PAUSE.max(looked.elapsed().saturating_mul(2))).await;
    }
    seen.lacks = lacks(councils, &seen.views, &copies);
    seen.took = began.elapsed();
    Ok(seen)
}

async fn look<S: Service>(
    councils: &[Council],
    services: &Services<S>,
    asked: &BTreeSet<usize>,
    views: &mut [View],
) -> Result<(), DemoError> {
    for ((index, view), council) in views.iter_mut().enumerate().zip(councils) {
        let Some(Some(service)) = services.get(index).filter(|_| asked.contains(&index)) else {
            continue;
        };
        *view = View::of(&answered(
            &council.name,
            "say its status",
            service.status().await,
        )?);
    }
    Ok(())
}

fn note_whole(whole: &mut [Option<Duration>], lacking: &BTreeSet<usize>, now: Duration) {
    for (index, after) in whole.iter_mut().enumerate() {
        *after = match *after {
            _ if lacking.contains(&index) => None,
            None => Some(now),
            earlier => earlier,
        };
    }
}

/// Which reader lacks what, and who holds what it should not.
fn lacks(councils: &[Council], views: &[View], copies: &[Expected]) -> Vec<String> {
    let name = |index: usize| {
        councils
            .get(index)
            .map_or("?", |council| council.name.as_str())
    };
    let records = |index: usize, document: &str| {
        let held = views
            .get(index)
            .and_then(|view| view.documents.get(document));
        held.map_or(0, |held| held.records)
    };
    let mut told = Vec::new();
    for copy in copies {
        let (reader, document) = (name(copy.reader), &copy.document);
        let (has, of) = (
            records(copy.reader, document),
            records(copy.owner, document),
        );
        let owner = name(copy.owner);
        match standing(views, copy) {
            Standing::Agrees => {}
            Standing::Missing => told.push(format!("{reader} does not have {document} of {owner}")),
            Standing::Differs => told.push(format!(
                "{reader} differs from {owner} in {document}: {has} of {of} records"
            )),
            Standing::Defect => told.push(format!(
                "{reader} holds the entries of {document} of {owner} and another document; \
                 report it as a defect"
            )),
        }
    }
    told.extend(strays(councils, views));
    told
}

/// Registers that are held by a council that is no reader of them.
fn strays(councils: &[Council], views: &[View]) -> Vec<String> {
    let mut told = Vec::new();
    for council in councils {
        let near: BTreeSet<_> = nearest(council, councils).iter().map(|c| c.code).collect();
        let document = DocumentKind::HostRegister.of(council.code).to_string();
        for (view, other) in views.iter().zip(councils) {
            let reads = other.code == council.code || near.contains(&other.code);
            let holds = view
                .documents
                .get(&document)
                .is_some_and(|held| held.entries > 0);
            if holds && !reads {
                let (reader, owner) = (&other.name, &council.name);
                told.push(format!(
                    "{reader} holds {document} of {owner} and is no reader of it; report it as \
                     a defect"
                ));
            }
        }
    }
    told
}
