//! What the region's admin and the councils' officers do: enrolling, naming and accepting
//! readers, renewing, taking a council out, ending forks, and signing two rosters of one version.

use smp_protocol::roster::SignedRoster;

use super::build;
use super::faults::Undo;
use super::node::In;
use super::queue::SECOND;
use super::region::START;
use super::world::{Event, World};

impl World {
    pub(super) fn schedule_administration(&mut self) {
        if self.plan.administration {
            let pause = self.chance.between(8 * SECOND, 50 * SECOND);
            self.queue.schedule(self.now + pause, Event::Administer);
        }
    }

    /// Owners accept the readers that the plan names, from the beginning.
    pub(super) fn accept_named_readers(&mut self) {
        for (owner, reader) in self.plan.readers.clone() {
            let code = self.plan.councils[reader].code;
            let of_owner = |n: &usize| self.plan.seats[*n].council == owner;
            if let Some(n) = (0..self.nodes.len()).find(of_owner) {
                self.hand_in(n, In::Accept(code, true));
            }
        }
    }

    pub(super) fn administer(&mut self) {
        if self.healed.is_some() {
            return;
        }
        self.schedule_administration();
        match self.chance.below(11) {
            0..3 => self.change_acceptance(),
            3..6 => self.change_readers(),
            6 | 7 => self.publish_next(),
            8 => self.publish_twins(),
            9 => drop(self.cut_forks()),
            _ => self.expel(),
        }
    }

    pub(super) fn now_unix(&self) -> smp_protocol::time::UnixSeconds {
        START.plus(self.now / SECOND)
    }

    fn change_acceptance(&mut self) {
        let n = self.chance.below(self.nodes.len());
        let other = self.chance.below(self.plan.councils.len());
        let reader = self.plan.councils[other].code;
        let accept = self.chance.one_in(2);
        if self.authority.is_member(self.nodes[n].council.code) {
            self.tally.count("acceptances changed");
            self.hand_in(n, In::Accept(reader, accept));
        }
    }

    fn change_readers(&mut self) {
        let members = self.authority.members();
        let owner = *self.chance.pick(&members).expect("a member");
        let reader = *self.chance.pick(&members).expect("a member");
        let named = self.chance.one_in(2);
        self.authority.name_reader(owner, reader, named);
        self.publish_next();
    }

    /// Issues the next roster and hands it to one node; the nodes do the rest.
    pub(super) fn publish_next(&mut self) {
        // A node that is further behind than one jump cannot take the newest: numbers are
        // left out at most once.
        let ahead = match self.chance.below(6) {
            0 if !std::mem::replace(&mut self.has_jumped, true) => self.chance.between(2, 900),
            _ => 1,
        };
        let signed = self.authority.issue(self.now_unix(), ahead);
        self.twins = false;
        self.tally.count("rosters issued");
        self.publish(signed);
    }

    fn publish_twins(&mut self) {
        let first = self.authority.issue(self.now_unix(), 1);
        let second = self.authority.issue_twin(self.now_unix());
        self.tally.count("rosters issued twice");
        self.publish(first);
        self.publish(second);
        self.twins = true;
    }

    fn publish(&mut self, signed: SignedRoster) {
        self.rosters.push(signed.clone());
        let (nodes, authority) = (&self.nodes, &self.authority);
        let takers: Vec<usize> = (0..nodes.len())
            .filter(|n| nodes[*n].member.is_some() && nodes[*n].is_honest())
            .filter(|n| authority.is_member(nodes[*n].council.code))
            .collect();
        if let Some(n) = self.chance.pick(&takers).copied() {
            self.say(n, "is handed a roster");
            self.hand_in(n, In::Offer(signed));
        }
    }

    /// Takes one council out, once, if enough are left.
    fn expel(&mut self) {
        let members = self.authority.members();
        if members.len() < self.plan.councils.len() || members.len() < 4 {
            return self.publish_next();
        }
        let council = *self.chance.pick(&members).expect("a member");
        self.tally.count("councils taken out");
        self.authority.expel(council);
        self.publish_next();
    }

    /// Has records written in the newer schema, once every member's node knows it.
    pub(super) fn raise_schema(&mut self) {
        if self.authority.schema == build::NEW {
            return;
        }
        let authority = &self.authority;
        let mut members = self
            .nodes
            .iter()
            .filter(|n| authority.is_member(n.council.code));
        if members.any(|node| node.build == build::OLD) && !self.plan.careless {
            let later = self.now + 10 * SECOND;
            return self.queue.schedule(later, Event::Over(Undo::RaiseSchema));
        }
        self.tally.count("schemas raised");
        self.authority.schema = build::NEW;
        self.publish_next();
    }

    /// A node is enrolled and starts.
    pub(super) fn join(&mut self, n: usize) {
        let (council, keys) = (self.nodes[n].council.clone(), self.nodes[n].keys.clone());
        if self.authority.has_expelled(council.code) {
            return;
        }
        if self.authority.schema == build::NEW {
            // With an older build it could not join.
            self.nodes[n].build = build::NEW;
        }
        self.authority.enrol(&council, keys);
        self.publish_next();
        let newest = self.rosters.last().expect("a roster was issued").clone();
        self.nodes[n].joined = self.authority.verify(&newest);
        self.nodes[n].roster = self.nodes[n].joined.clone();
        self.tally.count("nodes enrolled");
        self.say(n, "is enrolled");
        self.start(n);
    }

    /// The admin makes sure that the newest roster is about, and is the only one of its
    /// version.
    pub(super) fn settle_rosters(&mut self) {
        if self.twins {
            return self.publish_next();
        }
        if let Some(newest) = self.rosters.last().cloned() {
            self.rosters.pop();
            self.publish(newest);
        }
    }
}
