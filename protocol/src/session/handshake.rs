//! Hello and the roster exchange: before anything else is said (P-25 to P-29).

use super::message::{Control, Hello, VERSION};
use super::peer::{Greeted, Peer, Phase};
use super::{Authenticated, CloseReason, Durable, Member, Note, Output, PeerId};
use crate::limits;
use crate::roster::{Installed, RosterError, SignedRoster, VerifiedRoster};
use crate::schema;
use crate::time::UnixSeconds;

impl Member {
    /// A connection stands, and TLS proved who is at the other end.
    pub fn connected(&mut self, peer: PeerId, who: Authenticated, now: UnixSeconds) {
        self.at(now);
        let of_node = self.peers.values().filter(|p| p.who.node == who.node);
        let crowd = of_node.count() >= limits::CONNECTIONS_PER_NODE;
        if crowd || self.peers.len() >= limits::PEERS {
            self.out.push(Output::Close {
                peer,
                reason: CloseReason::TooMany,
            });
            return;
        }
        self.peers.insert(peer, Peer::new(who, self.now));
        let hello = Control::Hello(Hello {
            version: VERSION,
            region: self.identity.region.clone(),
            node: self.node(),
            boot: self.identity.boot,
            roster_version: self.roster.version,
            roster_hash: self.roster.hash(),
            schema: schema::newest(),
        });
        self.send(peer, &hello);
    }

    /// A connection is gone.
    pub fn disconnected(&mut self, peer: PeerId, now: UnixSeconds) {
        self.at(now);
        self.forget(peer);
        self.schedule_pulls();
    }

    /// A frame came on the control stream.
    pub fn control(&mut self, peer: PeerId, frame: &[u8], now: UnixSeconds) {
        self.at(now);
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        state.unanswered = None;
        match Control::decode(frame) {
            Ok(message) => self.said(peer, message),
            Err(error) => self.close(peer, CloseReason::BadMessage(error)),
        }
    }

    fn said(&mut self, peer: PeerId, message: Control) {
        let Some(state) = self.peers.get(&peer) else {
            return;
        };
        match (&state.phase, message) {
            (Phase::AwaitingHello, Control::Hello(hello)) => self.greeted(peer, hello),
            (Phase::AwaitingHello, _) => {
                self.close(peer, CloseReason::OutOfTurn("something before its hello"));
            }
            (_, Control::Hello(_)) => self.close(peer, CloseReason::OutOfTurn("a second hello")),
            (_, Control::Roster(signed)) => self.shown_roster(peer, signed),
            (Phase::AwaitingRoster(_), _) => {
                self.close(peer, CloseReason::OutOfTurn("something before its roster"));
            }
            (Phase::Active(_), Control::Summary(summary)) => self.summary(peer, summary),
            (Phase::Active(_), Control::Agreement(agreement)) => self.agreement(peer, &agreement),
            (Phase::Active(_), Control::Push(push)) => self.pushed(peer, push),
            (Phase::Active(_), Control::Holds(holds)) => self.peer_holds(peer, &holds),
            (Phase::Active(_), Control::Evidence(evidence)) => self.hear_evidence(peer, evidence),
        }
    }

    fn greeted(&mut self, peer: PeerId, hello: Hello) {
        let Some(who) = self.peers.get(&peer).map(|p| p.who) else {
            return;
        };
        if hello.version != VERSION {
            let (theirs, ours) = (hello.version, VERSION);
            return self.close(peer, CloseReason::Version { theirs, ours });
        }
        if hello.region != self.identity.region {
            return self.close(peer, CloseReason::OtherRegion(hello.region.to_string()));
        }
        if hello.node != who.node {
            return self.close(peer, CloseReason::OtherNode(hello.node));
        }
        let greeted = Greeted {
            boot: hello.boot,
            roster_version: hello.roster_version,
            schema: hello.schema,
        };
        if !self.is_the_one_to_keep(peer, &greeted) {
            return self.close(peer, CloseReason::Duplicate);
        }
        let other = hello.roster_hash != self.roster.hash();
        if hello.roster_version == self.roster.version && other && self.lists(&who) {
            self.note(Note::RosterForked {
                with: who.node,
                version: hello.roster_version,
            });
        }
        if hello.roster_version > self.roster.version {
            if let Some(state) = self.peers.get_mut(&peer) {
                state.phase = Phase::AwaitingRoster(greeted);
            }
            return;
        }
        self.activate(peer, greeted);
    }

    /// Of two connections to one process, the one that the lower node dialled is kept, and
    /// of two in the same direction the newer, whichever said hello first. A peer that
    /// started again replaces its own earlier connections.
    fn is_the_one_to_keep(&mut self, peer: PeerId, greeted: &Greeted) -> bool {
        let Some(who) = self.peers.get(&peer).map(|p| p.who) else {
            return false;
        };
        let lower_is_me = self.node() < who.node;
        let mut replaced = Vec::new();
        for (other, state) in &self.peers {
            let Some(theirs) = state
                .greeted()
                .filter(|_| *other != peer && state.who.node == who.node)
            else {
                continue;
            };
            let same_process = theirs.boot == greeted.boot;
            let other_is_kept = if state.who.dialled == who.dialled {
                *other > peer
            } else {
                state.who.dialled == lower_is_me
            };
            if same_process && other_is_kept {
                return false;
            }
            replaced.push(*other);
        }
        for other in replaced {
            self.close(other, CloseReason::Duplicate);
        }
        true
    }

    /// Whether the roster lists the peer with the key that it used (P-4).
    fn lists(&self, who: &Authenticated) -> bool {
        self.roster
            .node(who.node)
            .is_some_and(|(member, node)| member.council == who.council && node.tls == who.tls)
    }

    /// Begins to sync, if the roster that holds lists the peer and has not expired. The peer
    /// is shown that roster first if it has an older one: ours may have come since its hello.
    fn activate(&mut self, peer: PeerId, mut greeted: Greeted) {
        let Some(who) = self.peers.get(&peer).map(|p| p.who) else {
            return;
        };
        if !self.lists(&who) {
            return self.close(peer, CloseReason::NotAMember(self.roster.version));
        }
        if greeted.roster_version < self.roster.version {
            self.send(peer, &Control::Roster(self.roster.signed().clone()));
            greeted.roster_version = self.roster.version;
        }
        if self.roster.is_expired(self.now) {
            return self.close(peer, CloseReason::RosterExpired);
        }
        if let Some(state) = self.peers.get_mut(&peer) {
            state.phase = Phase::Active(greeted);
        }
        self.note(Note::Joined {
            node: who.node,
            council: who.council,
        });
        self.send_evidence(peer);
        self.send_summary(peer, false);
    }

    fn shown_roster(&mut self, peer: PeerId, signed: SignedRoster) {
        let Some(who) = self.peers.get(&peer).map(|p| p.who) else {
            return;
        };
        match self.roster.consider(signed) {
            Ok(Installed::Newer(newer)) => {
                if let Some(Phase::Active(greeted) | Phase::AwaitingRoster(greeted)) =
                    self.peers.get_mut(&peer).map(|p| &mut p.phase)
                {
                    greeted.roster_version = newer.version;
                }
                self.install(newer);
            }
            Ok(Installed::Same) => {}
            // Rosters may cross on the way: told, and not held against the peer.
            Err(error @ RosterError::NotNewer { .. }) => self.note(Note::RosterRefused {
                from: who.node,
                error,
            }),
            Err(RosterError::Forked { version }) => self.note(Note::RosterForked {
                with: who.node,
                version,
            }),
            // Not the peer's fault: it is this build that is too old.
            Err(RosterError::UnknownSchema(found)) if !crate::broken!(OldBuildBlames) => {
                return self.close(peer, CloseReason::OldBuild(found));
            }
            Err(error) => return self.close(peer, CloseReason::BadRoster(error)),
        }
        // Whatever came of it, a peer that is still waited for has had its say.
        if let Some(Phase::AwaitingRoster(greeted)) = self.peers.get(&peer).map(|p| &p.phase) {
            let greeted = *greeted;
            self.activate(peer, greeted);
        }
    }

    /// A roster that an admin hands in.
    ///
    /// # Errors
    /// [`RosterError`] saying why the one that is held goes on holding.
    pub fn offer_roster(
        &mut self,
        signed: SignedRoster,
        now: UnixSeconds,
    ) -> Result<bool, RosterError> {
        self.at(now);
        match self.roster.consider(signed)? {
            Installed::Newer(newer) => {
                self.install(newer);
                Ok(true)
            }
            Installed::Same => Ok(false),
        }
    }

    /// A newer roster holds: it is kept, shown to every peer, and whoever it does not list
    /// is cut off.
    fn install(&mut self, newer: VerifiedRoster) {
        self.out
            .push(Output::Store(Durable::Roster(newer.signed().clone())));
        self.roster = newer.clone();
        self.at(self.clock);
        self.out.push(Output::RosterChanged(newer));
        self.settle_all();
        let peers: Vec<(PeerId, Authenticated, Option<u64>)> = self
            .peers
            .iter()
            .filter(|(_, state)| state.is_active())
            .map(|(id, state)| (*id, state.who, state.greeted().map(|g| g.roster_version)))
            .collect();
        for (peer, who, held) in peers {
            if !self.lists(&who) && !crate::broken!(RemovedStays) {
                self.close(peer, CloseReason::NotAMember(self.roster.version));
                continue;
            }
            if held.is_some_and(|version| version < self.roster.version) {
                self.send(peer, &Control::Roster(self.roster.signed().clone()));
                if let Some(Phase::Active(greeted)) =
                    self.peers.get_mut(&peer).map(|p| &mut p.phase)
                {
                    greeted.roster_version = self.roster.version;
                }
            }
            // Who may read what may have changed.
            self.send_summary(peer, false);
        }
    }

    /// Ends conversations that did not get going, and all of them once the roster expired.
    pub(super) fn end_overdue(&mut self) {
        let expired = self.roster.is_expired(self.now);
        let ended: Vec<(PeerId, CloseReason)> = self
            .peers
            .iter()
            .filter_map(|(id, state)| match state.phase {
                Phase::Active(_) if expired => Some((*id, CloseReason::RosterExpired)),
                Phase::Active(_) => None,
                _ if self.now.since(state.connected) > limits::HELLO_SECONDS => {
                    Some((*id, CloseReason::TooSlow))
                }
                _ => None,
            })
            .collect();
        for (peer, reason) in ended {
            self.close(peer, reason);
        }
    }

    pub(super) fn send(&mut self, peer: PeerId, message: &Control) {
        self.out.push(Output::Send {
            peer,
            frame: message.encode(),
        });
    }

    pub(super) fn close(&mut self, peer: PeerId, reason: CloseReason) {
        self.forget(peer);
        self.out.push(Output::Close { peer, reason });
    }

    fn forget(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.pulls.retain(|_, pull| pull.peer != peer);
        self.answers.retain(|(asker, _), _| *asker != peer);
    }
}
