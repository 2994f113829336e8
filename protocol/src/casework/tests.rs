//! The tables of docs/BOOKING.md, arrow by arrow.

use super::{Book, Fact, Stage, Turn};

const GUEST: u8 = 1;
const HOST: u8 = 2;
const CASE: u8 = 10;
const REQUEST: u8 = 20;
const PLACE: u8 = 30;
const HOLD: u8 = 40;

/// The two sides of one case, each of which hears at once what the other writes.
#[derive(Clone)]
struct Pair {
    guest: Book<u8, u8>,
    host: Book<u8, u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Move {
    Hold,
    Confirm,
    Place,
    Arrive(bool),
    Decline,
    Release,
    Withdraw,
}

const MOVES: [Move; 8] = [
    Move::Hold,
    Move::Confirm,
    Move::Place,
    Move::Arrive(true),
    Move::Arrive(false),
    Move::Decline,
    Move::Release,
    Move::Withdraw,
];

impl Move {
    fn is_by_guest(self) -> bool {
        matches!(self, Self::Confirm | Self::Withdraw)
    }
}

impl Pair {
    fn proposed() -> Self {
        let mut pair = Self {
            guest: Book::default(),
            host: Book::default(),
        };
        let fact = Fact::Proposal {
            proposal: CASE,
            request: REQUEST,
            places: vec![PLACE],
        };
        pair.guest_writes(fact);
        pair
    }

    fn guest_writes(&mut self, fact: Fact<u8>) {
        self.guest.mine.entry(HOST).or_default().push(fact.clone());
        self.host.theirs.entry(GUEST).or_default().push(fact);
    }

    fn host_writes(&mut self, fact: Fact<u8>) {
        self.host.mine.entry(GUEST).or_default().push(fact.clone());
        self.guest.theirs.entry(HOST).or_default().push(fact);
    }

    /// The stage, which both sides see.
    fn stage(&self) -> Stage {
        let as_guest = self.guest.case_as_guest(HOST, CASE).unwrap().stage;
        let as_host = self.host.case_as_host(GUEST, CASE).unwrap().stage;
        assert_eq!(as_guest, as_host);
        as_guest
    }

    /// Where a move leads, if it is allowed.
    fn after(&self, what: Move) -> Option<Self> {
        let mut next = self.clone();
        // A released hold is not held again under its own name.
        let holds = self.host.mine.values().flatten();
        let holds = holds.filter(|fact| matches!(fact, Fact::Hold { .. }));
        let fresh = HOLD + u8::try_from(holds.count()).unwrap();
        let (guest, host) = (&self.guest, &self.host);
        let decided = match what {
            Move::Hold => host.hold(GUEST, CASE, PLACE, fresh),
            Move::Confirm => guest.confirm(HOST, CASE, fresh - 1),
            Move::Place => host.place(GUEST, CASE),
            Move::Arrive(came) => host.arrival(GUEST, CASE, came),
            Move::Decline => host.decline(GUEST, CASE),
            Move::Release => host.release(GUEST, fresh - 1),
            Move::Withdraw => guest.withdraw(HOST, CASE),
        };
        for (_, fact) in decided.ok()? {
            match what.is_by_guest() {
                true => next.guest_writes(fact),
                false => next.host_writes(fact),
            }
        }
        Some(next)
    }
}

/// Where each stage leads by each move, as the table has it.
fn written(from: Stage, what: Move) -> Option<Stage> {
    use Stage::{
        Arrived, Confirmed, Declined, DidNotArrive, Held, Lost, Over, Placed, Proposed, Released,
        Withdrawn,
    };
    Some(match (from, what) {
        (Proposed | Released, Move::Hold) => Held,
        (Proposed | Released, Move::Decline) => Declined,
        (Proposed | Declined | Released | Lost, Move::Withdraw) => Over,
        (Held, Move::Confirm) => Confirmed,
        (Held, Move::Release) => Released,
        (Held | Confirmed | Placed | Arrived | DidNotArrive, Move::Withdraw) => Withdrawn,
        (Confirmed, Move::Place) => Placed,
        (Confirmed | Placed | Arrived | DidNotArrive, Move::Release) => Lost,
        (Placed, Move::Arrive(true)) => Arrived,
        (Placed, Move::Arrive(false)) => DidNotArrive,
        (Withdrawn, Move::Release) => Over,
        _ => return None,
    })
}

#[test]
fn every_arrow_of_the_table_is_as_written() {
    let mut seen = vec![Stage::Proposed];
    let mut left = vec![Pair::proposed()];
    while let Some(pair) = left.pop() {
        let from = pair.stage();
        let may = |by_guest: bool| {
            let mut moves = MOVES.iter().filter(|what| what.is_by_guest() == by_guest);
            moves.any(|what| pair.after(*what).is_some())
        };
        match from.turn() {
            Turn::Guest => assert!(may(true), "{from:?}: it has a move"),
            Turn::Host => assert!(may(false), "{from:?}: it has a move"),
            Turn::Nobody => {}
        }
        for what in MOVES {
            let next = pair.after(what);
            let led = next.as_ref().map(Pair::stage);
            assert_eq!(led, written(from, what), "{from:?} by {what:?}");
            if let Some(next) = next.filter(|next| !seen.contains(&next.stage())) {
                seen.push(next.stage());
                left.push(next);
            }
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, Stage::ALL, "every stage is come to");
}

#[test]
fn a_confirmation_of_a_released_hold_is_lost_and_locks_nothing_twice() {
    let held = Pair::proposed().after(Move::Hold).unwrap();
    let mut crossed = held.after(Move::Release).unwrap();
    let late = held.after(Move::Confirm).unwrap();
    let confirmation = late.guest.mine[&HOST].last().unwrap().clone();
    crossed.guest_writes(confirmation);
    assert_eq!(crossed.stage(), Stage::Lost);
    assert_eq!(crossed.after(Move::Place).map(|p| p.stage()), None);
    let ended = crossed.after(Move::Withdraw).unwrap();
    assert_eq!(ended.stage(), Stage::Over);
}

#[test]
fn confirming_one_case_withdraws_the_other_cases_of_the_request() {
    let mut book: Book<u8, u8> = Book::default();
    for (host, proposal) in [(2, 10), (3, 11)] {
        let fact = Fact::Proposal {
            proposal,
            request: REQUEST,
            places: vec![PLACE],
        };
        book.mine.entry(host).or_default().push(fact);
        let hold = Fact::Hold {
            hold: HOLD,
            proposal,
            place: PLACE,
            number: 1,
        };
        book.theirs.entry(host).or_default().push(hold);
    }
    let decided = book.confirm(2, 10, HOLD).unwrap();
    let withdrawal = (3, Fact::Withdrawal { proposal: 11 });
    assert_eq!(decided.len(), 2);
    assert!(decided.contains(&withdrawal));
}

#[test]
fn a_release_that_was_lost_between_two_holds_is_written_again() {
    let mut book: Book<u8, u8> = Book::default();
    let hold = |hold, proposal, number| Fact::Hold {
        hold,
        proposal,
        place: PLACE,
        number,
    };
    book.mine.insert(1, vec![hold(40, 10, 1)]);
    book.mine.insert(3, vec![hold(41, 11, 2)]);
    assert_eq!(book.lock_of_place(PLACE), Some((3, 41)));
    assert_eq!(book.repairs(), vec![(1, Fact::Release { hold: 40 })]);
}
