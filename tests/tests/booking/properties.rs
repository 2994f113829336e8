//! What must hold in every state.

use std::collections::BTreeMap;

use smp_protocol::casework::{Fact, Stage};
use stateright::Property;

use crate::region::{Broken, Id, Region};
use crate::world::World;

/// One hold, as everything that counts says.
struct Lock {
    hold: Id,
    place: Id,
    number: u32,
    released: bool,
    placed: bool,
}

/// One confirmation.
struct Confirmed {
    hold: Id,
    request: Id,
    number: u32,
    withdrawn: bool,
}

pub(super) fn all() -> Vec<Property<Region>> {
    vec![
        Property::always(
            "promise 5: no place is in two live bookings",
            |region, world| {
                let live = live(region, world);
                has_no_repeats(live.iter().map(|(place, _)| *place))
            },
        ),
        Property::always(
            "promise 5: no request is in two live bookings",
            |region, world| {
                let live = live(region, world);
                has_no_repeats(live.iter().map(|(_, request)| *request))
            },
        ),
        Property::always("no place is locked twice", |region, world| {
            let locks = locks(region, world);
            has_no_repeats(locks.iter().filter(|l| !l.released).map(|l| l.place))
        }),
        Property::always("no request is locked twice", |region, world| {
            let confirmed = confirmed(region, world);
            has_no_repeats(confirmed.iter().filter(|c| !c.withdrawn).map(|c| c.request))
        }),
        Property::always(
            "nothing is placed after its release",
            placed_before_released,
        ),
        Property::always("both sides see one stage once all is heard", both_agree),
        Property::always(
            "once all is heard, what is called live is live",
            live_is_live,
        ),
        Property::always("all cases at once are each case", all_are_each),
        Property::always("what is over locks nothing", over_locks_nothing),
        Property::always("every case can come to an end", can_end),
        Property::sometimes("a booking comes about", |region, world| {
            !live(region, world).is_empty()
        }),
    ]
}

fn has_no_repeats(items: impl Iterator<Item = Id>) -> bool {
    let mut items: Vec<Id> = items.collect();
    items.sort_unstable();
    items.windows(2).all(|pair| pair[0] != pair[1])
}

fn pairs(region: &Region) -> impl Iterator<Item = (Id, Id)> {
    let all = 0..region.councils;
    all.clone()
        .flat_map(move |one| all.clone().map(move |other| (one, other)))
        .filter(|(one, other)| one != other)
}

fn locks(region: &Region, world: &World) -> Vec<Lock> {
    let mut locks: Vec<Lock> = Vec::new();
    for (host, guest) in pairs(region) {
        let facts = world.truth(host, guest, region.broken);
        for fact in &facts {
            if let Fact::Hold {
                hold,
                place,
                number,
                ..
            } = fact
            {
                locks.push(Lock {
                    hold: *hold,
                    place: *place,
                    number: *number,
                    released: facts.contains(&Fact::Release { hold: *hold }),
                    placed: facts.contains(&Fact::Placement { hold: *hold }),
                });
            }
        }
    }
    // A later lock shows that this one was ended.
    if region.broken != Some(Broken::LocksUnnumbered) {
        let newest = newest(locks.iter().map(|lock| (lock.place, lock.number)));
        for lock in &mut locks {
            lock.released |= newest.get(&lock.place) > Some(&lock.number);
        }
    }
    locks
}

fn confirmed(region: &Region, world: &World) -> Vec<Confirmed> {
    let mut all: Vec<Confirmed> = Vec::new();
    for (guest, host) in pairs(region) {
        let facts = world.truth(guest, host, region.broken);
        for fact in &facts {
            if let Fact::Confirmation {
                hold,
                proposal,
                request,
                number,
            } = fact
            {
                let proposal = *proposal;
                all.push(Confirmed {
                    hold: *hold,
                    request: *request,
                    number: *number,
                    withdrawn: facts.contains(&Fact::Withdrawal { proposal }),
                });
            }
        }
    }
    if region.broken != Some(Broken::LocksUnnumbered) {
        let newest = newest(all.iter().map(|lock| (lock.request, lock.number)));
        for lock in &mut all {
            lock.withdrawn |= newest.get(&lock.request) > Some(&lock.number);
        }
    }
    all
}

fn newest(locks: impl Iterator<Item = (Id, u32)>) -> BTreeMap<Id, u32> {
    let mut newest = BTreeMap::new();
    for (what, number) in locks {
        let known: &mut u32 = newest.entry(what).or_default();
        *known = number.max(*known);
    }
    newest
}

/// The place and the request of every live booking.
fn live(region: &Region, world: &World) -> Vec<(Id, Id)> {
    let confirmed = confirmed(region, world);
    let mut live = Vec::new();
    for lock in locks(region, world) {
        if lock.released || !lock.placed {
            continue;
        }
        let of = confirmed.iter().filter(|c| c.hold == lock.hold);
        let stands = of.filter(|c| !c.withdrawn || region.broken == Some(Broken::PlacementIsFinal));
        live.extend(stands.map(|c| (lock.place, c.request)));
    }
    live
}

fn placed_before_released(region: &Region, world: &World) -> bool {
    pairs(region).all(|(host, guest)| {
        let facts = world.truth(host, guest, region.broken);
        (0..).zip(&facts).all(|(at, fact)| match fact {
            Fact::Placement { hold } => !facts
                .iter()
                .take(at)
                .any(|before| *before == Fact::Release { hold: *hold }),
            _ => true,
        })
    })
}

/// Whether all is heard, and nobody has a lost release or withdrawal to write again.
fn is_settled(region: &Region, world: &World) -> bool {
    let is_repaired = |council| {
        region.broken == Some(Broken::EndsByClock)
            || world.book(council, region.broken).repairs().is_empty()
    };
    world.is_quiet() && (0..region.councils).all(is_repaired)
}

fn both_agree(region: &Region, world: &World) -> bool {
    if !is_settled(region, world) {
        return true;
    }
    pairs(region).all(|(guest, host)| {
        let (as_guest, as_host) = (
            world.book(guest, region.broken),
            world.book(host, region.broken),
        );
        let facts = world.truth(guest, host, region.broken);
        facts.iter().all(|fact| match fact {
            Fact::Proposal { proposal, .. } => {
                let mine = as_guest.case_as_guest(host, *proposal).map(|c| c.stage);
                mine == as_host.case_as_host(guest, *proposal).map(|c| c.stage)
            }
            _ => true,
        })
    })
}

/// The product's own word for a case against what counts as live here.
fn live_is_live(region: &Region, world: &World) -> bool {
    if region.broken.is_some() || !is_settled(region, world) {
        return true;
    }
    let called = pairs(region).map(|(guest, host)| {
        let book = world.book(host, region.broken);
        let facts = world.truth(guest, host, region.broken);
        let cases = facts.iter().filter_map(|fact| match fact {
            Fact::Proposal { proposal, .. } => book.case_as_host(guest, *proposal),
            _ => None,
        });
        cases.filter(|case| case.stage.is_live()).count()
    });
    called.sum::<usize>() == live(region, world).len()
}

fn all_are_each(region: &Region, world: &World) -> bool {
    pairs(region).all(|(own, with)| {
        let book = world.book(own, region.broken);
        let as_guest = book.cases_as_guest(with).into_iter();
        let as_host = book.cases_as_host(with).into_iter();
        as_guest
            .map(Some)
            .all(|case| case == case.and_then(|case| book.case_as_guest(with, case.proposal)))
            && as_host
                .map(Some)
                .all(|case| case == case.and_then(|case| book.case_as_host(with, case.proposal)))
    })
}

fn over_locks_nothing(region: &Region, world: &World) -> bool {
    pairs(region).all(|(guest, host)| {
        let book = world.book(host, region.broken);
        let held = book.mine.get(&guest).into_iter().flatten();
        world.is_gone(host)
            || held.into_iter().all(|fact| match fact {
                Fact::Hold {
                    hold,
                    proposal,
                    place,
                    ..
                } if book.lock_of_place(*place) == Some((guest, *hold)) => {
                    let case = book.case_as_host(guest, *proposal);
                    case.is_none_or(|case| case.stage != Stage::Over)
                }
                _ => true,
            })
    })
}

/// From here, once it has compared, each council that is left can end all that it has, and then nothing of
/// its own is locked; and between two that are left every case is over.
fn can_end(region: &Region, world: &World) -> bool {
    let mut end = world.clone();
    end.compare_all();
    for (from, to) in pairs(region).filter(|(from, _)| !world.is_gone(*from)) {
        end.end_all(region, from, to);
    }
    end.hear_all();
    pairs(region).all(|(guest, host)| {
        if end.is_gone(guest) {
            return true;
        }
        let book = end.book(guest, region.broken);
        let facts = end.truth(guest, host, region.broken);
        facts.iter().all(|fact| match fact {
            Fact::Proposal { proposal, .. } => {
                let stage = book.case_as_guest(host, *proposal).map(|case| case.stage);
                end.is_gone(host) || stage.is_none_or(|stage| stage == Stage::Over)
            }
            _ => true,
        }) && region
            .requests
            .iter()
            .zip(0..)
            .all(|(owner, request)| *owner != guest || book.lock_of_request(request).is_none())
            && region
                .places_of(guest)
                .into_iter()
                .all(|place| book.lock_of_place(place).is_none())
    })
}
