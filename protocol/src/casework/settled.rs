//! Requests whose household needs no place any more, by what was written of their cases.
//!
//! A household is looked for once, and one that has gone its own way not at all. Nothing here ends a
//! lock; it says what is shown once one has ended.

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::Ledgers;
use super::record::{self, Written};
use super::{Fact, pool};
use crate::ids::RecordId;
use crate::schema::Edit;
use crate::session::Member;
use crate::time::Day;

/// Withdrawals of this council, each with its reason: those that it has written and those that it
/// is about to.
fn withdrawals<'a>(
    ledgers: &'a Ledgers,
    coming: &'a [&'a Written],
) -> impl Iterator<Item = (RecordId, Option<u8>)> + 'a {
    let written = ledgers.by_counterpart.values();
    let written = written.flat_map(|ledger| &ledger.mine.written);
    written
        .chain(coming.iter().copied())
        .filter_map(|w| match w.fact {
            Fact::Withdrawal { proposal } => Some((proposal, w.reason)),
            _ => None,
        })
}

/// The requests of this council that need no place any more once their lock has ended: another
/// request goes on from it, the responsibility has moved, or the household has gone its own way. Of
/// a request that was locked again since, what was said before counts no more.
pub(super) fn settled(
    member: &Member,
    ledgers: &Ledgers,
    coming: &[&Written],
    today: Day,
) -> BTreeSet<RecordId> {
    let own = member.identity().council;
    let mut settled = pool::continued(member, &ledgers.book);
    let ends: BTreeMap<RecordId, Option<u8>> = withdrawals(ledgers, coming).collect();
    if ends.is_empty() {
        return settled;
    }
    for view in ledgers.cases(own).iter().filter(|view| view.guest == own) {
        let (proposal, request) = (view.case.proposal, view.case.request);
        let last = ledgers.book.locks_of_request(request).max();
        let is_last = last.is_none_or(|(_, _, of)| of == proposal);
        let reason = ends.get(&proposal).filter(|_| is_last);
        let gone = reason.is_some_and(|reason| reason.is_some_and(record::settles));
        if gone || (reason.is_some() && view.remarks.transferred(today)) {
            settled.insert(request);
        }
    }
    settled
}

/// The open requests of this council whose household, by the reasons given now, needs no place:
/// nothing is locked for them, and nobody need look for one.
pub(super) fn gone(member: &Member, ledgers: &Ledgers, coming: &[&Written]) -> Vec<Edit> {
    let own = member.identity().council;
    let coming = coming.iter().filter_map(|w| match w.fact {
        Fact::Withdrawal { proposal } if w.reason.is_some_and(record::settles) => Some(proposal),
        _ => None,
    });
    let coming: BTreeSet<RecordId> = coming.collect();
    if coming.is_empty() {
        return Vec::new();
    }
    let cases = ledgers.cases(own).into_iter();
    let gone = cases.filter(|view| coming.contains(&view.case.proposal));
    let requests: BTreeSet<RecordId> = gone.map(|view| view.case.request).collect();
    let closing = requests.into_iter();
    closing
        .filter_map(|request| pool::closing(member, request))
        .collect()
}
