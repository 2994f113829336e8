//! Who has the places beside the people, and knows the rules, works out no more of either.

use std::collections::BTreeSet;

use super::*;

/// What is printed of both: each council's, then the region's.
type Printed = (Vec<Shown>, Vec<Shown>);

fn column(counts: &[u64]) -> Counts {
    let councils = (0..counts.len()).map(|n| format!("E08{n:06}").parse().unwrap());
    let here = counts.iter().map(|count| Source::Here(*count));
    councils.zip(here).collect()
}

fn printed(profile: Profile, places: &[u64], people: &[u64]) -> Printed {
    let both = profile.linked([&column(places), &column(people)]);
    let [places, people] =
        both.map(|(of_councils, total)| of_councils.into_values().chain([total]).collect());
    (places, people)
}

/// Goes through every region of so many councils, up to so many places and people; the fewest
/// values that a suppressed count may still have. What reaches up to where it stopped is left out:
/// there may be more.
fn fewest(councils: usize, profile: Profile, places: u64, people: u64) -> usize {
    let some = (1..=places).flat_map(|few| (few..=people).map(move |more| (few, more)));
    let each: Vec<(u64, u64)> = std::iter::once((0, 0)).chain(some).collect();
    let mut worlds: BTreeMap<Printed, Vec<BTreeSet<u64>>> = BTreeMap::new();
    for mut world in 0..each.len().pow(u32::try_from(councils).unwrap()) {
        let mut both = (Vec::new(), Vec::new());
        for _ in 0..councils {
            both.0.push(each[world % each.len()].0);
            both.1.push(each[world % each.len()].1);
            world /= each.len();
        }
        let of = worlds.entry(printed(profile, &both.0, &both.1));
        let of = of.or_insert_with(|| vec![BTreeSet::new(); 2 * councils]);
        for (may_be, count) in of.iter_mut().zip(both.0.iter().chain(&both.1)) {
            may_be.insert(*count);
        }
    }
    let bounds = |n| if n < councils { places } else { people };
    let is_whole = |may_be: &[BTreeSet<u64>]| {
        let mut counts = may_be.iter().enumerate();
        counts.all(|(n, may_be)| may_be.last() < Some(&bounds(n)))
    };
    let mut fewest = Vec::new();
    for ((places, people), may_be) in worlds.iter().filter(|(_, may_be)| is_whole(may_be)) {
        let cells = places
            .iter()
            .take(councils)
            .chain(people.iter().take(councils));
        let hidden = cells
            .zip(may_be)
            .filter(|(cell, _)| **cell == Shown::Suppressed);
        fewest.extend(hidden.map(|(_, may_be)| may_be.len()));
    }
    fewest.into_iter().min().unwrap()
}

#[test]
fn places_and_people_together_give_nothing_away() {
    for (threshold, round) in [(5, 5), (8, 5), (5, 10)] {
        let profile = Profile::new(threshold, round).unwrap();
        let least = usize::try_from(threshold).unwrap() - 1;
        assert!(fewest(2, profile, 14, 24) >= least, "{threshold} {round}");
    }
    let profile = Profile::new(5, 5).unwrap();
    assert!(fewest(3, profile, 9, 12) >= 4);
}

#[test]
fn people_are_suppressed_where_their_places_are() {
    // Three homes of a council have room for six or for sixty: it is about three hosts.
    let (places, people) = printed(Profile::default(), &[3, 23, 9], &[60, 46, 20]);
    let hidden = |cells: &[Shown]| cells.iter().map(|c| *c == Shown::Suppressed).collect();
    let both: [Vec<bool>; 2] = [hidden(&places), hidden(&people)];
    assert_eq!(both[0], [true, true, false, false]);
    assert_eq!(both[0], both[1]);
}
