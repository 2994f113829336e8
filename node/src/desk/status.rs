//! Status: for each peer and document, in agreement or not, as of when, why not, and what
//! to do next.

use std::collections::BTreeMap;

use smp_protocol::api::{Advice, DocumentPeer, DocumentStatus, PeerStatus, Status, StoreStatus};
use smp_protocol::ids::{DocumentName, NodeId};
use smp_protocol::roster::{Member, MemberNode, Roster};
use smp_protocol::session::{Comparison, DocumentView, PeerPhase, PeerView};
use smp_protocol::time::{Day, UnixSeconds};

use super::Desk;
use super::forks;
use super::records::name_of;
use super::region::roster_status;
use crate::engine::{Core, Mishap, clock};
use crate::service::Answer;
use crate::shared::Reach;

/// Advice beyond this would not be read; the tables below it have the rest.
pub(super) const ADVICE: usize = 12;

/// From how many seconds without an answer on a connected peer is called silent: an answer
/// takes two round trips, and a busy node a few seconds. QUIC itself gives the connection up
/// after two and a half minutes.
const SILENT_SECONDS: u64 = 15;

/// What to do about a roster that is about to expire, or has.
const RENEW: &str = "the SMP admin runs `smp roster renew`, and any node gets the file with \
                     `smp roster publish`";

fn advise(problem: String, next: &str) -> Advice {
    Advice {
        problem,
        next: next.to_owned(),
    }
}

/// Cases at whose host a check has failed or run out: the household's council has to be told.
fn stopped(core: &Core) -> Vec<Advice> {
    let stopped = match core.stopped_places(Day::of(clock())) {
        Ok(stopped) => stopped,
        Err(error) => {
            let next = "until it can be read, look at the checks yourself: `smp checks hosts`";
            let problem = format!("which places are whose cannot be read: {error}");
            return vec![advise(problem, next)];
        }
    };
    let ledgers = core.decider.ledgers(&core.member);
    let locked = stopped.into_iter().filter_map(|(place, host)| {
        let (guest, _) = ledgers.book().lock_of_place(place)?;
        let name = name_of(core, guest);
        Some(advise(
            format!(
                "{place} is held or taken for a household of {name} ({guest}), and a check of its \
                 host failed or ran out"
            ),
            &format!(
                "telephone {name}, whose household it is; `smp checks hosts {host}` says which check, \
                 and `smp cases list` shows the case"
            ),
        ))
    });
    locked.collect()
}

impl Desk {
    pub(super) async fn status_now(&self) -> Answer<Status> {
        let (peers, documents, alarms) = self
            .ask(|core| {
                let (peers, documents) = (core.member.peer_views(), core.member.document_views());
                let mut advice = forks::advice(core);
                advice.extend(stopped(core));
                (peers, documents, advice)
            })
            .await?;
        let roster = self.shared.roster();
        let own = self.shared.council();
        let me = self.shared.me();
        let by_node: BTreeMap<NodeId, &PeerView> = peers.iter().map(|p| (p.node, p)).collect();
        let mut peer_rows = Vec::new();
        for member in &roster.members {
            for node in member.nodes.iter().filter(|node| node.id != me) {
                peer_rows.push(self.peer_row(member, node, by_node.get(&node.id).copied()));
            }
        }
        let rows = documents.iter();
        let document_rows: Vec<DocumentStatus> = rows
            .map(|view| document_row(view, &roster, own == view.name.council, &peers))
            .collect();
        let council_name = roster
            .member(own)
            .map_or(own.to_string(), |m| m.name.clone());
        Ok(Status {
            council: own.to_string(),
            council_name,
            region: roster.region.to_string(),
            node: me.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.shared.started().to_string(),
            now: self.shared.now().to_string(),
            advice: self.advice(alarms, &roster, &peer_rows, &document_rows),
            roster: roster_status(&self.shared),
            store: StoreStatus {
                engine: self.store.as_str().to_owned(),
                caveats: self
                    .shared
                    .caveats()
                    .iter()
                    .map(|&c| c.to_owned())
                    .collect(),
            },
            peers: peer_rows,
            documents: document_rows,
            refused: self.shared.refusals(),
        })
    }

    fn peer_row(&self, member: &Member, node: &MemberNode, view: Option<&PeerView>) -> PeerStatus {
        let reach = self.shared.reach(node.id);
        let (sent, received) = self.meter.traffic(node.id);
        let shared = view.map_or(0, |view| view.documents.len());
        let agreed = view.map_or(0, |view| {
            let agreed = |(_, c): &&(DocumentName, Comparison)| matches!(c, Comparison::Agreed(_));
            view.documents.iter().filter(agreed).count()
        });
        let now = self.shared.now();
        let silent = view
            .and_then(|view| view.unanswered)
            .filter(|asked| now.since(*asked) >= SILENT_SECONDS);
        let (state, why, next) = match silent {
            Some(_) => silence(member, node),
            None => contact(member, node, view, reach.as_ref(), shared - agreed),
        };
        let since = match view {
            Some(_) if silent.is_some() => silent,
            Some(view) => Some(view.connected),
            None => reach.map(|reach| reach.since),
        };
        PeerStatus {
            council: member.council.to_string(),
            council_name: member.name.clone(),
            node: node.id.to_string(),
            endpoint: node.endpoints.first().cloned().unwrap_or_default(),
            state: state.to_owned(),
            since: since.unwrap_or(self.shared.started()).to_string(),
            shared,
            in_agreement: agreed,
            as_of: view.and_then(|view| view.compared).map(|at| at.to_string()),
            why,
            next,
            bytes_sent: sent,
            bytes_received: received,
        }
    }

    /// What the roster gives cause for.
    fn roster_advice(&self, roster: &Roster) -> Vec<Advice> {
        let mut out = Vec::new();
        let mut add = |problem: String, next: &str| out.push(advise(problem, next));
        if roster.is_expired(self.shared.now()) {
            add(
                format!(
                    "the roster expired at {}; nothing is synced, local work goes on",
                    roster.expires
                ),
                RENEW,
            );
        } else if roster.expires_soon(self.shared.now()) {
            add(format!("the roster expires at {}", roster.expires), RENEW);
        }
        if roster.node(self.shared.me()).is_none() {
            add(
                "the roster does not list this node".to_owned(),
                "ask the SMP admin; a node is enrolled with `smp member enrol`",
            );
        }
        if self.shared.roster_is_forked() {
            add(
                "two different rosters of one version are in circulation".to_owned(),
                "the SMP admin issues the next version (`smp roster renew`), which heals this",
            );
        }
        out
    }

    /// What happened to the store, and what its engine does not promise.
    fn store_advice(&self) -> Vec<Advice> {
        let mut out = Vec::new();
        if let Some(trouble) = self.shared.trouble() {
            out.push(advise(
                trouble,
                "writing goes on by itself once there is room",
            ));
        }
        out.extend(self.shared.mishaps().iter().filter_map(mishap));
        for caveat in self.shared.caveats() {
            out.push(advise(
                format!("the store's engine: {caveat}"),
                "`engine = \"redb\"` in a new data directory has no such gap",
            ));
        }
        out
    }

    fn advice(
        &self,
        alarms: Vec<Advice>,
        roster: &Roster,
        peers: &[PeerStatus],
        documents: &[DocumentStatus],
    ) -> Vec<Advice> {
        let mut out = alarms;
        out.extend(self.store_advice());
        out.extend(self.roster_advice(roster));
        let mut add = |problem: String, next: &str| out.push(advise(problem, next));
        if self.shared.refusals().contains_key("diverged") {
            add(
                "a peer merged the same entries of a document to something else".to_owned(),
                "the log names both; restart smp-node at each, and report it as a defect",
            );
        }
        for document in documents.iter().filter(|d| d.unreplicated > 0) {
            add(
                format!(
                    "{} entries of {} are on this node only",
                    document.unreplicated, document.document
                ),
                "keep this machine running until a reader is connected; `smp peers` says why none is",
            );
        }
        for peer in peers.iter().filter(|peer| peer.state != "connected") {
            let why = peer.why.clone().unwrap_or_default();
            let next = peer.next.clone().unwrap_or_default();
            add(
                format!(
                    "{} ({}) is {} since {}: {why}",
                    peer.council_name, peer.council, peer.state, peer.since
                ),
                &next,
            );
        }
        out.truncate(ADVICE);
        out
    }
}

/// A mishap of the store that a person has still to do something about.
fn mishap(mishap: &Mishap) -> Option<Advice> {
    match mishap {
        // It was removed since.
        Mishap::SetAside { file, .. } if !file.exists() => None,
        Mishap::SetAside {
            at,
            file,
            kept,
            bad,
            torn,
        } => {
            let (is, rest) = (
                if *bad == 1 { "is" } else { "are" },
                "and the rest could not be read",
            );
            let torn = if *torn {
                rest
            } else {
                "and nothing else was in it"
            };
            Some(advise(
                format!(
                    "the store was damaged and was set aside on {at}: {kept} rows of it were \
                     kept, {bad} {is} damaged, {torn}. Entries that others hold come back from \
                     them; personal details do not"
                ),
                &format!(
                    "see what is wrong with the disk; import the register's file again \
                     (`smp hosts import`), then remove {}",
                    file.display()
                ),
            ))
        }
        Mishap::Lost { at, commits } => {
            let lost = match commits {
                Some(commits) => format!("lacked its last {commits} commits"),
                None => "was another copy than the one used last".to_owned(),
            };
            Some(advise(
                format!(
                    "on {at} the store {lost}. Entries that others hold come back from them; \
                     personal details do not"
                ),
                "if nobody put a backup back, see what is wrong with the disk; import the \
                 register's file again (`smp hosts import`)",
            ))
        }
    }
}

/// The state of a peer in a word, why it is not well, and what to do.
type Contact = (&'static str, Option<String>, Option<String>);

/// What helps where packets do not arrive.
fn check_the_way(member: &Member, node: &MemberNode) -> String {
    let endpoint = node.endpoints.first().map_or("", String::as_str);
    format!(
        "check that smp-node runs at {} and that UDP to {endpoint} is open both ways (firewalls)",
        member.name
    )
}

/// A connection stands, and nothing comes back over it.
fn silence(member: &Member, node: &MemberNode) -> Contact {
    let why = "it does not answer over the connection that stands; it is dialled again once \
               that has broken, and what was written meanwhile follows";
    let next = check_the_way(member, node);
    ("silent", Some(why.to_owned()), Some(next))
}

fn contact(
    member: &Member,
    node: &MemberNode,
    view: Option<&PeerView>,
    reach: Option<&Reach>,
    not_agreed: usize,
) -> Contact {
    match view {
        Some(view) if view.phase == PeerPhase::Active => {
            let schema = "its build does not understand the schema that the region writes";
            if view.schema_is_old {
                let next = format!("{} upgrades smp-node", member.name);
                return ("connected", Some(schema.to_owned()), Some(next));
            }
            if not_agreed > 0 {
                let why =
                    format!("{not_agreed} documents not confirmed equal since the last change");
                return (
                    "connected",
                    Some(why),
                    Some("wait a minute; then `smp documents`".to_owned()),
                );
            }
            ("connected", None, None)
        }
        Some(_) => (
            "connecting",
            Some("saying hello".to_owned()),
            Some("wait a moment".to_owned()),
        ),
        None => match reach.and_then(|reach| reach.trouble.clone()) {
            Some(trouble) => {
                let next = check_the_way(member, node);
                ("unreachable", Some(trouble), Some(next))
            }
            None => (
                "connecting",
                Some("no answer yet".to_owned()),
                Some("wait a moment".to_owned()),
            ),
        },
    }
}

fn document_row(
    view: &DocumentView,
    roster: &Roster,
    is_own: bool,
    peers: &[PeerView],
) -> DocumentStatus {
    let name = view.name;
    let compared: Vec<(&PeerView, Comparison)> = peers
        .iter()
        .filter_map(|peer| {
            let found = peer
                .documents
                .iter()
                .find(|(document, _)| *document == name);
            found.map(|(_, comparison)| (peer, *comparison))
        })
        .collect();
    let (agreement, as_of, why, next) = if is_own {
        own_agreement(view, &compared)
    } else {
        read_agreement(view, roster)
    };
    DocumentStatus {
        document: name.to_string(),
        council_name: roster
            .member(name.council)
            .map_or(String::new(), |m| m.name.clone()),
        role: if is_own { "owner" } else { "reader" }.to_owned(),
        records: view.records,
        entries: usize::try_from(view.entries).unwrap_or(usize::MAX),
        generation: view.generation,
        frontier: view.frontier.to_string(),
        heads: view.heads.iter().map(ToString::to_string).collect(),
        agreement: agreement.to_owned(),
        as_of: as_of.map(|at| at.to_string()),
        // Where nobody else may read it, there is nobody to wait for: backups are its copy.
        unreplicated: if view.readers == 0 {
            0
        } else {
            view.unreplicated
        },
        peers: compared
            .iter()
            .map(|(peer, c)| document_peer(peer, *c))
            .collect(),
        why,
        next,
    }
}

type Agreement = (
    &'static str,
    Option<UnixSeconds>,
    Option<String>,
    Option<String>,
);

/// Of a document of this council's: whether the connected readers have it as it stands.
fn own_agreement(view: &DocumentView, compared: &[(&PeerView, Comparison)]) -> Agreement {
    let said = view.word.map(|(at, _)| at);
    if view.entries == 0 || view.readers == 0 {
        return ("agreed", said, None, None);
    }
    let confirmed = compared
        .iter()
        .filter_map(|(_, comparison)| match comparison {
            Comparison::Agreed(at) => Some(*at),
            Comparison::Differs(_) | Comparison::Unknown => None,
        });
    let confirmed: Vec<UnixSeconds> = confirmed.collect();
    let as_of = confirmed.iter().min().copied();
    if compared.is_empty() {
        return (
            "not_confirmed",
            None,
            Some("no reader of it is connected".to_owned()),
            Some("`smp peers` says why; `smp readers list` says who reads it".to_owned()),
        );
    }
    if confirmed.len() < compared.len() {
        let missing = compared.len() - confirmed.len();
        return (
            "not_confirmed",
            as_of,
            Some(format!(
                "{missing} connected readers have not shown the newest state"
            )),
            Some("wait a minute; then `smp peers`".to_owned()),
        );
    }
    ("agreed", as_of, None, None)
}

/// Of another council's document: whether what is held is what that council last said.
fn read_agreement(view: &DocumentView, roster: &Roster) -> Agreement {
    let owner = roster
        .member(view.name.council)
        .map_or("its council", |m| m.name.as_str());
    match view.word {
        Some((at, true)) => ("agreed", Some(at), None, None),
        Some((at, false)) if view.pulling => (
            "behind",
            Some(at),
            Some("it is being fetched".to_owned()),
            Some("wait a moment".to_owned()),
        ),
        Some((at, false)) => (
            "behind",
            Some(at),
            Some(format!(
                "{owner} has said that there is more, and no connected peer has given it yet"
            )),
            Some("`smp peers` says who is not reached".to_owned()),
        ),
        None => (
            "never_heard",
            None,
            Some(format!("{owner} has not said yet how it stands")),
            Some(format!(
                "nothing to do if {owner} has written nothing; else `smp peers`"
            )),
        ),
    }
}

fn document_peer(peer: &PeerView, comparison: Comparison) -> DocumentPeer {
    let (agreement, as_of) = match comparison {
        Comparison::Agreed(at) => ("agreed", Some(at)),
        Comparison::Differs(at) => ("differs", Some(at)),
        Comparison::Unknown => ("unknown", None),
    };
    DocumentPeer {
        council: peer.council.to_string(),
        node: peer.node.to_string(),
        agreement: agreement.to_owned(),
        as_of: as_of.map(|at| at.to_string()),
    }
}
