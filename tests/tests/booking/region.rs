//! What is checked, within which bounds, and everything that can happen next.

use smp_protocol::casework::Fact;
use stateright::{Model, Property};

use crate::properties;
use crate::world::World;

/// A council, request, place, proposal or hold.
pub(crate) type Id = u8;

/// What is checked, and within which bounds.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    /// How many councils there are.
    pub(crate) councils: u8,
    /// The council of each request.
    pub(crate) requests: Vec<Id>,
    /// The council of each place.
    pub(crate) places: Vec<Id>,
    /// Holds in all.
    pub(crate) holds: u8,
    /// How many proposals are made of one request to one council.
    pub(crate) proposals: u8,
    /// The councils whose disks are each once put back to a copy of any moment.
    pub(crate) restored: Vec<Id>,
    /// The council that is gone for good at some moment.
    pub(crate) lost: Option<Id>,
    /// A rule that is left out.
    pub(crate) broken: Option<Broken>,
}

/// A rule that is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Broken {
    /// A confirmed hold is placed although it was released.
    PlacesReleased,
    /// A hold is over by the clock, without a release.
    EndsByClock,
    /// After a restore the decider decides without comparing.
    ComparesNothing,
    /// A placement is final: it stands whatever is withdrawn.
    PlacementIsFinal,
    /// Locks are not numbered: one whose end was lost looks as if it went on.
    LocksUnnumbered,
    /// What was under way when a disk was put back still counts when it arrives later.
    LateFactsCount,
}

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    /// A council decides something.
    Decide(Id, Decision),
    /// Everything of a chain arrives. (Any part of it arrived by arriving earlier.)
    Hear { from: Id, to: Id, chain: usize },
    /// A disk is put back to what it was after so many flushes.
    Restore { council: Id, flushes: usize },
    /// The decider asks a counterpart what it holds.
    Compare { council: Id, with: Id },
    /// An officer decides without a council that is gone.
    Override { council: Id, without: Id },
    /// A council is gone.
    Lose(Id),
}

/// What a council decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Decision {
    /// Of a guest council: a request would fit.
    Propose { host: Id, request: Id },
    /// Of a host council: a place is locked.
    Hold { guest: Id, proposal: Id, place: Id },
    /// Of a guest council: the request is locked.
    Confirm { host: Id, proposal: Id, hold: Id },
    /// Of a host council's node: it is a booking.
    Place { guest: Id, proposal: Id },
    /// Of a host council: it lets go.
    Release { guest: Id, hold: Id },
    /// Of a guest council: it withdraws.
    Withdraw { host: Id, proposal: Id },
    /// Of a node: it writes again what was lost and follows from what is left.
    Repair,
}

impl Model for Region {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.councils)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for council in 0..self.councils {
            if !world.is_gone(council) {
                self.decisions(world, council, actions);
                self.mishaps(world, council, actions);
            }
        }
        world.deliveries(actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.happen(self, &action).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Region {
    fn decisions(&self, world: &World, council: Id, actions: &mut Vec<Action>) {
        let book = world.book(council, self.broken);
        let mut decide = |decision| actions.push(Action::Decide(council, decision));
        for (request, guest) in (0..).zip(&self.requests) {
            for host in (0..self.councils).filter(|_| *guest == council) {
                let made = world.made(council, host, request);
                if host != council && self.places.contains(&host) && made < self.proposals {
                    decide(Decision::Propose { host, request });
                }
            }
        }
        for (with, facts) in &book.theirs {
            for fact in facts {
                self.answers(world, *with, fact, &mut decide);
            }
        }
        for (with, facts) in &book.mine {
            for fact in facts {
                match *fact {
                    Fact::Proposal { proposal, .. } => decide(Decision::Withdraw {
                        host: *with,
                        proposal,
                    }),
                    Fact::Hold { hold, .. } => decide(Decision::Release { guest: *with, hold }),
                    _ => {}
                }
            }
        }
        if !book.repairs().is_empty() && self.broken != Some(Broken::EndsByClock) {
            decide(Decision::Repair);
        }
    }

    fn answers(&self, world: &World, with: Id, fact: &Fact<Id>, decide: &mut impl FnMut(Decision)) {
        match *fact {
            Fact::Proposal {
                proposal,
                ref places,
                ..
            } if world.holds < self.holds => {
                for place in places.iter().copied() {
                    decide(Decision::Hold {
                        guest: with,
                        proposal,
                        place,
                    });
                }
            }
            Fact::Hold { hold, proposal, .. } => decide(Decision::Confirm {
                host: with,
                proposal,
                hold,
            }),
            Fact::Confirmation { proposal, .. } => decide(Decision::Place {
                guest: with,
                proposal,
            }),
            _ => {}
        }
    }

    fn mishaps(&self, world: &World, council: Id, actions: &mut Vec<Action>) {
        if self.restored.contains(&council) {
            let copies = world.copies(council);
            actions.extend(copies.map(|flushes| Action::Restore { council, flushes }));
        }
        for with in world.unsure_of(council) {
            let (without, is_gone) = (*with, world.is_gone(*with));
            actions.push(match is_gone {
                true => Action::Override { council, without },
                false => Action::Compare {
                    council,
                    with: without,
                },
            });
        }
        if self.lost == Some(council) {
            actions.push(Action::Lose(council));
        }
    }

    /// The places of a council.
    pub(crate) fn places_of(&self, council: Id) -> Vec<Id> {
        let places = (0..).zip(&self.places);
        let own = places.filter(|(_, owner)| **owner == council);
        own.map(|(place, _)| place).collect()
    }
}
