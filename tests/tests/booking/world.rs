//! The world between the councils: what each has written, what of it is on its disk, and what
//! its counterpart has heard.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use smp_protocol::casework::{Book, Fact};

use crate::region::{Action, Broken, Decision, Id, Region};

/// What one process wrote for one counterpart, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Chain {
    pub(super) facts: Vec<Fact<Id>>,
    /// How many of them the writer knows of: fewer, after its disk was put back.
    pub(super) own: usize,
    /// How many the counterpart has heard.
    pub(super) heard: usize,
    /// After a restore, how many count: what the counterpart held when it was asked.
    pub(super) closed: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Council {
    /// The flushes of the council whose disk may be put back: which chains grew by one fact.
    flushes: Vec<Vec<(Id, usize)>>,
    was_restored: bool,
    unsure_of: BTreeSet<Id>,
    gone: bool,
}

/// A state of the model.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    /// By writer and counterpart.
    pub(super) docs: BTreeMap<(Id, Id), Vec<Chain>>,
    councils: Vec<Council>,
    /// Proposals made, ever.
    proposals: u8,
    /// Holds made, ever.
    pub(super) holds: u8,
}

impl World {
    pub(super) fn new(councils: u8) -> Self {
        Self {
            docs: BTreeMap::new(),
            councils: vec![Council::default(); usize::from(councils)],
            proposals: 0,
            holds: 0,
        }
    }

    fn council(&self, id: Id) -> &Council {
        &self.councils[usize::from(id)]
    }

    fn council_mut(&mut self, id: Id) -> &mut Council {
        &mut self.councils[usize::from(id)]
    }

    pub(super) fn is_gone(&self, council: Id) -> bool {
        self.council(council).gone
    }

    pub(super) fn unsure_of(&self, council: Id) -> impl Iterator<Item = &Id> {
        self.council(council).unsure_of.iter()
    }

    /// After how many of its flushes a council's disk may have been copied; each loses something.
    pub(super) fn copies(&self, council: Id) -> Range<usize> {
        let state = self.council(council);
        match state.was_restored {
            true => 0..0,
            false => 0..state.flushes.len(),
        }
    }

    /// How many proposals of a request were made to a council.
    pub(super) fn made(&self, guest: Id, host: Id, wanted: Id) -> u8 {
        let chains = self.docs.get(&(guest, host)).into_iter().flatten();
        let facts = chains.flat_map(|chain| &chain.facts);
        let of =
            facts.filter(|f| matches!(f, Fact::Proposal { request, .. } if *request == wanted));
        u8::try_from(of.count()).unwrap_or(u8::MAX)
    }

    /// What a council knows.
    pub(super) fn book(&self, council: Id, broken: Option<Broken>) -> Book<Id, Id> {
        let mut book = Book::default();
        for ((writer, reader), chains) in &self.docs {
            if *writer == council {
                let known = chains.iter().flat_map(|c| &c.facts[..c.own]).cloned();
                book.mine.insert(*reader, known.collect());
            }
            if *reader == council {
                let heard = chains
                    .iter()
                    .flat_map(|c| &c.facts[..c.counted(c.heard, broken)]);
                book.theirs.insert(*writer, heard.cloned().collect());
            }
        }
        if broken != Some(Broken::ComparesNothing) {
            book.unsure_of = self.council(council).unsure_of.clone();
        }
        book
    }

    /// What a council wrote for another and counts.
    pub(super) fn truth(&self, from: Id, to: Id, broken: Option<Broken>) -> Vec<Fact<Id>> {
        let chains = self.docs.get(&(from, to)).into_iter().flatten();
        let counted = chains.flat_map(|c| &c.facts[..c.counted(c.facts.len(), broken)]);
        counted.cloned().collect()
    }

    /// Whether everything has been heard, and nobody is unsure.
    pub(super) fn is_quiet(&self) -> bool {
        let heard = |chain: &Chain| {
            let all = chain.closed.unwrap_or(chain.facts.len());
            chain.heard >= all && chain.own >= all
        };
        self.docs.values().flatten().all(heard)
            && self
                .councils
                .iter()
                .all(|c| c.unsure_of.is_empty() && !c.gone)
    }

    pub(super) fn deliveries(&self, actions: &mut Vec<Action>) {
        for ((from, to), chains) in &self.docs {
            for (chain, state) in chains.iter().enumerate() {
                let all = state.facts.len();
                if state.heard < all && !self.is_gone(*to) {
                    let (from, to) = (*from, *to);
                    actions.push(Action::Hear { from, to, chain });
                }
            }
        }
    }

    /// Whether anything came of it.
    pub(super) fn happen(&mut self, region: &Region, action: &Action) -> bool {
        match *action {
            Action::Hear { from, to, chain } => self.hear(from, to, chain),
            Action::Restore { council, flushes } => self.restore(council, flushes),
            Action::Compare { council, with } => self.compare(council, with),
            Action::Override { council, without } => {
                for chain in self.docs.entry((council, without)).or_default() {
                    chain.closed.get_or_insert(chain.own);
                }
                self.council_mut(council).unsure_of.remove(&without)
            }
            Action::Lose(council) => {
                self.council_mut(council).gone = true;
                true
            }
            Action::Decide(council, decision) => {
                let facts = self.decided(region, council, decision);
                self.write(region, council, facts)
            }
        }
    }

    /// What the product's rules have a council write; nothing where they refuse it.
    fn decided(&mut self, region: &Region, council: Id, decision: Decision) -> Vec<(Id, Fact<Id>)> {
        let mut book = self.book(council, region.broken);
        let decided = match decision {
            Decision::Propose { host, request } => {
                let proposal = self.proposals;
                self.proposals += 1;
                let places = region.places_of(host);
                let fact = Fact::Proposal {
                    proposal,
                    request,
                    places,
                };
                Ok(vec![(host, fact)])
            }
            Decision::Hold {
                guest,
                proposal,
                place,
            } => {
                if region.broken == Some(Broken::EndsByClock) {
                    end_by_clock(&mut book, place);
                }
                let hold = self.holds;
                self.holds += 1;
                book.hold(guest, proposal, place, hold)
            }
            Decision::Confirm {
                host,
                proposal,
                hold,
            } => book.confirm(host, proposal, hold),
            Decision::Place { guest, proposal } => {
                if region.broken == Some(Broken::PlacesReleased) {
                    let mine = book.mine.entry(guest).or_default();
                    mine.retain(|fact| !matches!(fact, Fact::Release { .. }));
                }
                book.place(guest, proposal)
            }
            Decision::Release { guest, hold } => book.release(guest, hold),
            Decision::Withdraw { host, proposal } => book.withdraw(host, proposal),
            Decision::Repair => Ok(book.repairs()),
        };
        decided.unwrap_or_default()
    }

    /// One flush.
    fn write(&mut self, region: &Region, council: Id, decided: Vec<(Id, Fact<Id>)>) -> bool {
        let mut flush = Vec::new();
        for (with, fact) in &decided {
            let chains = self.docs.entry((council, *with)).or_default();
            if chains.is_empty() {
                chains.push(Chain::default());
            }
            let last = chains.len() - 1;
            chains[last].facts.push(fact.clone());
            chains[last].own += 1;
            flush.push((*with, last));
        }
        let state = self.council_mut(council);
        if region.restored.contains(&council) && !state.was_restored && !flush.is_empty() {
            state.flushes.push(flush);
        }
        !decided.is_empty()
    }

    /// Whoever was put back asks all that are left.
    pub(super) fn compare_all(&mut self) {
        for council in (0..).take(self.councils.len()) {
            for with in self.council(council).unsure_of.clone() {
                if !self.is_gone(with) {
                    self.compare(council, with);
                }
            }
        }
    }

    /// A council withdraws and releases all that it has with another.
    pub(super) fn end_all(&mut self, region: &Region, from: Id, to: Id) {
        let book = self.book(from, region.broken);
        for fact in book.mine.get(&to).into_iter().flatten() {
            let decided = match fact {
                Fact::Proposal { proposal, .. } => book.withdraw(to, *proposal),
                Fact::Hold { hold, .. } => book.release(to, *hold),
                _ => continue,
            };
            self.write(region, from, decided.unwrap_or_default());
        }
    }

    /// All that was written arrives.
    pub(super) fn hear_all(&mut self) {
        for chain in self.docs.values_mut().flatten() {
            chain.heard = chain.facts.len();
        }
    }

    fn hear(&mut self, from: Id, to: Id, chain: usize) -> bool {
        let chains = self.docs.get_mut(&(from, to));
        let Some(chain) = chains.and_then(|chains| chains.get_mut(chain)) else {
            return false;
        };
        chain.heard = chain.facts.len();
        true
    }

    /// The disk is as it was after so many flushes. A new process writes new chains. What it had
    /// heard it hears again.
    fn restore(&mut self, council: Id, flushes: usize) -> bool {
        let lost = self.council_mut(council).flushes.split_off(flushes);
        for (with, chain) in lost.into_iter().flatten() {
            if let Some(chains) = self.docs.get_mut(&(council, with)) {
                chains[chain].own -= 1;
            }
        }
        for ((writer, reader), chains) in &mut self.docs {
            if *writer == council {
                chains.push(Chain::default());
            }
            if *reader == council {
                chains.iter_mut().for_each(|chain| chain.heard = 0);
            }
        }
        let others = (0..).take(self.councils.len());
        let others: BTreeSet<Id> = others.filter(|other| *other != council).collect();
        let state = self.council_mut(council);
        state.flushes.clear();
        state.was_restored = true;
        state.unsure_of = others;
        true
    }

    /// The counterpart takes in what the council holds of its own earlier chains, and gives it
    /// what it holds beyond that. That is how far these count from then on, at both.
    fn compare(&mut self, council: Id, with: Id) -> bool {
        let chains = self.docs.entry((council, with)).or_default();
        // The last chain is this process's own.
        let old = chains.len().saturating_sub(1);
        for chain in chains.iter_mut().take(old) {
            let end = *chain.closed.get_or_insert(chain.heard.max(chain.own));
            (chain.own, chain.heard) = (end, end);
        }
        for chain in self.docs.entry((with, council)).or_default() {
            chain.heard = chain.heard.max(chain.own);
        }
        self.council_mut(council).unsure_of.remove(&with)
    }
}

impl Chain {
    /// How many of the first `facts` count.
    fn counted(&self, facts: usize, broken: Option<Broken>) -> usize {
        match self
            .closed
            .filter(|_| broken != Some(Broken::LateFactsCount))
        {
            Some(end) => facts.min(end),
            None => facts,
        }
    }
}

/// The broken rule: what is locked is free because time went by.
fn end_by_clock(book: &mut Book<Id, Id>, place: Id) {
    if let Some((with, hold)) = book.lock_of_place(place) {
        let mine = book.mine.entry(with).or_default();
        if !mine.contains(&Fact::Placement { hold }) {
            mine.push(Fact::Release { hold });
        }
    }
}
