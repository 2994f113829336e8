//! Once all faults have stopped: do readers who can reach each other come to hold the same,
//! is all there that was acknowledged, and how soon?

use std::collections::BTreeSet;

use smp_protocol::ids::{DocumentKind, DocumentName};
use smp_protocol::limits;
use smp_protocol::statements::Acceptance;

use super::check::{Acknowledged, may_read};
use super::queue::{Micros, SECOND};
use super::world::{Event, World};

/// Within how many anti-entropy rounds after the last fault readers must agree: a connection
/// that a partition cut is noticed after 150 seconds and dialled again within 60, a pull
/// that stalls is given up after 30, and each round asks three peers.
pub(crate) const ROUNDS: u64 = 12;

/// The longest time between two rounds.
const ROUND: Micros = (limits::ROUND_SECONDS + limits::ROUND_SECONDS / 4) * SECOND;

/// How often it is looked whether all agree.
const LOOK: Micros = 5 * SECOND;

impl World {
    /// Is all as it must be? If not, it has until [`ROUNDS`] are over.
    pub(super) fn look(&mut self) {
        let healed = self.healed.unwrap_or(self.now);
        let in_time = self.now - healed <= ROUNDS * ROUND;
        self.check_bookings();
        if in_time && self.nobody_has_the_newest_roster() {
            // The admin was told that it was not taken, and hands it in again.
            self.settle_rosters();
            self.queue.schedule(self.now + LOOK, Event::Look);
            return;
        }
        let Some(problem) = self.disagreement() else {
            if self.cut_forks() || self.write_again() {
                // Something has changed that all must hear of.
                self.healed = Some(self.now);
                self.queue.schedule(self.now + LOOK, Event::Look);
                return;
            }
            self.tally.settled(self.now - healed);
            self.check_all_acknowledged();
            self.done = true;
            return;
        };
        if !in_time {
            return self.violate("promise 4", problem);
        }
        self.queue.schedule(self.now + LOOK, Event::Look);
    }

    fn nobody_has_the_newest_roster(&self) -> bool {
        let mut members = self.honest_members().into_iter();
        let newest = self.authority.newest();
        members.len() > 0 && !members.any(|n| self.nodes[n].roster.version == newest)
    }

    fn honest_members(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|n| {
                let node = &self.nodes[*n];
                node.is_honest() && self.authority.is_member(node.council.code)
            })
            .collect()
    }

    /// Those of `nodes` that reach one another, directly or through others of them.
    fn components(&self, nodes: &[usize]) -> Vec<Vec<usize>> {
        let mut left: BTreeSet<usize> = nodes.iter().copied().collect();
        let mut components = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut found = vec![first];
            let mut next = 0;
            while let Some(at) = found.get(next).copied() {
                next += 1;
                let reached: Vec<usize> = left
                    .iter()
                    .copied()
                    .filter(|to| !self.is_blocked(at, *to) && !self.is_blocked(*to, at))
                    .collect();
                for to in reached {
                    left.remove(&to);
                    found.push(to);
                }
            }
            components.push(found);
        }
        components
    }

    /// The first thing in which readers do not agree.
    fn disagreement(&self) -> Option<String> {
        let members = self.honest_members();
        for group in self.components(&members) {
            let newest = group.iter().map(|n| self.nodes[*n].roster.version).max()?;
            let old = |n: &&usize| self.nodes[**n].roster.version < newest;
            if let Some(n) = group.iter().find(old) {
                let name = &self.nodes[*n].name;
                return Some(format!("{name} has not heard of roster {newest}"));
            }
        }
        let in_dispute = self.in_dispute();
        let councils: Vec<_> = self.authority.members().into_iter().collect();
        for council in councils.iter().copied() {
            let others = councils.iter().filter(|other| **other != council);
            let casework = others.map(|other| DocumentKind::Casework(*other));
            for kind in DocumentKind::OF_EACH.into_iter().chain(casework) {
                let document = kind.of(council);
                if in_dispute.contains(&document) {
                    continue;
                }
                let problem = self.disagreement_on(document, &members);
                if problem.is_some() {
                    return problem;
                }
            }
        }
        self.disagreement_on_cases(&members)
    }

    /// The newest acceptance of a register that one of these nodes of its council made known.
    fn accepted(&self, document: DocumentName, nodes: &[usize]) -> Option<&Acceptance> {
        nodes
            .iter()
            .filter(|n| self.nodes[**n].council.code == document.council)
            .filter_map(|n| self.nodes[*n].acceptances.get(&document))
            .max_by_key(|held| (held.body.counter, held.signature))
    }

    /// Narrows nodes down to readers that reach one another through readers, and compares
    /// these. Who reads is what those of the owner's nodes say that are among them.
    fn disagreement_on(&self, document: DocumentName, nodes: &[usize]) -> Option<String> {
        let acceptance = self.accepted(document, nodes);
        let readers: Vec<usize> = nodes
            .iter()
            .copied()
            .filter(|n| {
                let node = &self.nodes[*n];
                may_read(&node.roster, acceptance, document, node.council.code)
            })
            .collect();
        let groups = self.components(&readers);
        if groups.len() == 1 && readers.len() == nodes.len() {
            return self.difference(document, nodes);
        }
        // Without its owner nobody can know who may read a register.
        let own = |n: &usize| self.nodes[*n].council.code == document.council;
        let known = |group: &&Vec<usize>| {
            document.kind != DocumentKind::HostRegister || group.iter().any(own)
        };
        groups
            .iter()
            .filter(known)
            .find_map(|group| self.disagreement_on(document, group))
    }

    /// The first of a group that holds something else than the first of all.
    fn difference(&self, document: DocumentName, group: &[usize]) -> Option<String> {
        let state = |n: usize| {
            let member = self.nodes[n].member.as_ref()?;
            let held = member
                .document(document)
                .filter(|held| held.entry_count() > 0)?;
            Some((held.frontier(), held.heads()))
        };
        let first = *group.first()?;
        let expected = state(first);
        let other = group.iter().copied().find(|n| state(*n) != expected)?;
        let entries = |n: usize| {
            let frontier = state(n).map(|(frontier, _)| frontier);
            frontier.map_or(0, |f| f.0.values().map(|reach| reach.entries).sum::<u64>())
        };
        Some(format!(
            "{} holds {} entries of {document}, {} holds {}",
            self.nodes[first].name,
            entries(first),
            self.nodes[other].name,
            entries(other)
        ))
    }

    /// Promise 3, at the end: every acknowledged write is with its author.
    fn check_all_acknowledged(&mut self) {
        let honest = self.honest_members();
        let holds = |n: usize, ack: &Acknowledged| {
            let member = self.nodes[n].member.as_ref();
            let document = member.and_then(|member| member.document(ack.receipt.document));
            document.is_some_and(|d| d.entries_of(ack.receipt.chain) >= ack.receipt.entries)
        };
        // What a node does not owe by its own disk it owes for as long as a reader that it may
        // ask holds it, one that it reaches through readers: one that may not read the document
        // any more is not asked, and what a liar stands in front of is not heard of.
        let owed = |ack: &Acknowledged| {
            let (node, document) = (&self.nodes[ack.node], ack.receipt.document);
            let reader = |n: &usize| node.knows_reader(document, self.nodes[*n].council.code);
            let readers: Vec<usize> = honest.iter().copied().filter(reader).collect();
            let groups = self.components(&readers);
            let mut reached = groups.iter().filter(|g| g.contains(&ack.node)).flatten();
            self.ledger.owes(ack) || reached.any(|n| holds(*n, ack))
        };
        let lost = self
            .ledger
            .acknowledged
            .iter()
            .find(|ack| honest.contains(&ack.node) && owed(ack) && !holds(ack.node, ack));
        if let Some(lost) = lost {
            let what = format!(
                "lacks an acknowledged write of {} at the end",
                lost.receipt.document
            );
            let node = lost.node;
            self.violate("promise 3", self.told(node, &what));
        }
    }

    /// An old copy of a disk was brought back: what it lacks is owed no longer by that disk.
    pub(super) fn rolled_back(&mut self, n: usize) {
        let disk = &self.nodes[n].disk;
        for ack in &mut self.ledger.acknowledged {
            ack.rolled_back |= ack.node == n && !disk.holds(&ack.receipt);
        }
    }
}
