//! The one queue of events: by virtual time, and by order of scheduling within it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Virtual time, in microseconds from the start.
pub(crate) type Micros = u64;

/// A second of virtual time.
pub(crate) const SECOND: Micros = 1_000_000;
/// A millisecond of virtual time.
pub(crate) const MILLI: Micros = 1_000;

struct Scheduled<E> {
    at: Micros,
    order: u64,
    event: E,
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<E> Eq for Scheduled<E> {}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Scheduled<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Events that are still to come.
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Reverse<Scheduled<E>>>,
    order: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            order: 0,
        }
    }

    pub(crate) fn schedule(&mut self, at: Micros, event: E) {
        self.order += 1;
        self.heap.push(Reverse(Scheduled {
            at,
            order: self.order,
            event,
        }));
    }

    pub(crate) fn next(&mut self) -> Option<(Micros, E)> {
        let Reverse(next) = self.heap.pop()?;
        Some((next.at, next.event))
    }
}
