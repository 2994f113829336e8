//! How the region ends a fork: the admin asks readers for statements, makes the cut that they
//! come to with the code that `smp region cut` runs, and publishes it. The council's own nodes
//! then write again what fell away.
//!
//! Nothing here decides what stays but the protocol's own rule.

use std::collections::BTreeSet;

use smp_protocol::ids::{DocumentName, NodeId};
use smp_protocol::roster::{Cut, Ground, cut_from};
use smp_protocol::statements::Vouching;

use super::node::In;
use super::world::World;

impl World {
    /// The keys that signed two histories, as far as honest nodes know, and are not cut yet.
    fn open_forks(&self) -> BTreeSet<(DocumentName, NodeId)> {
        let honest = self.nodes.iter().filter(|node| node.is_honest());
        let members = honest.filter_map(|node| node.member.as_ref());
        let views = members.flat_map(|member| member.fork_views());
        let keys = views.map(|view| (view.document, view.chain.node));
        keys.filter(|(document, node)| !self.authority.has_cut(*document, *node))
            .collect()
    }

    /// The documents of which readers may hold different histories, and know it.
    pub(super) fn in_dispute(&self) -> BTreeSet<DocumentName> {
        let open = self.open_forks().into_iter();
        open.map(|(document, _)| document).collect()
    }

    /// Cuts every key that is known to have signed two histories. False if there is none.
    pub(super) fn cut_forks(&mut self) -> bool {
        let mut cuts = Vec::new();
        for (document, node) in self.open_forks() {
            cuts.extend(self.cut_of(document, node));
        }
        if cuts.is_empty() {
            return false;
        }
        for cut in cuts {
            self.tally.count("keys cut");
            self.ledger.cut.insert(cut.document);
            self.authority.cut(cut);
        }
        self.publish_next();
        true
    }

    fn cut_of(&self, document: DocumentName, node: NodeId) -> Option<Cut> {
        let roster = self.authority.verify(self.rosters.last()?);
        let honest = self.nodes.iter().filter(|other| other.is_honest());
        let vouch = |member: &smp_protocol::session::Member| {
            let statement = member.vouch(document, node, self.now_unix())?;
            statement.holds(&roster).is_some().then_some(statement)
        };
        let members = honest.filter_map(|other| other.member.as_ref());
        let statements: Vec<Vouching> = members.filter_map(vouch).collect();
        let reaches = |statement: &Vouching| -> u64 {
            let chains = statement.body.chains.iter();
            chains
                .filter_map(|(_, points)| Some(points.last()?.entries))
                .sum()
        };
        let cut = |ground| cut_from(&roster, document, node, &statements, ground);
        cut(Ground::Two).ok().or_else(|| {
            let furthest = statements.iter().max_by_key(|s| reaches(s))?;
            cut(Ground::One(furthest)).ok()
        })
    }

    /// Officers write again what fell away of their council's documents. False if nothing did.
    pub(super) fn write_again(&mut self) -> bool {
        let mut due = Vec::new();
        for (n, node) in self.nodes.iter().enumerate().filter(|(_, n)| n.is_honest()) {
            let Some(member) = node.member.as_ref() else {
                continue;
            };
            let own = self
                .ledger
                .cut
                .iter()
                .filter(|d| d.council == node.council.code);
            let unsettled = own.filter(|document| !member.fallen(**document).is_empty());
            due.extend(unsettled.map(|document| (n, *document)));
        }
        for (n, document) in &due {
            self.tally.count("written again after a cut");
            self.hand_in(*n, In::WriteAgain(*document));
        }
        !due.is_empty()
    }
}
