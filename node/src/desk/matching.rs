//! Search and suggestions, from what the pools hold (docs/MATCHING.md).

use std::collections::BTreeMap;

use smp_protocol::api::{Found, Match, RecordEdit, Search, Suggestions, Unplaced};
use smp_protocol::document::RecordFields;
use smp_protocol::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use smp_protocol::matching::{
    self, Assignment, Place, Request, Scored, Unmatched, exclusions, rank_places, rank_requests,
    to_ask,
};

use super::Desk;
use super::records::{name_of, parse};
use crate::engine::Core;
use crate::geography::GEOGRAPHY;
use crate::import;
use crate::service::{Answer, Failure, FailureKind};

/// The pools of the region, read, with the names of its councils.
struct Pools {
    own: CouncilCode,
    places: Vec<Place>,
    requests: Vec<Request>,
    names: BTreeMap<CouncilCode, String>,
}

fn pools(core: &mut Core) -> Pools {
    let own = core.member.identity().council;
    let councils: Vec<CouncilCode> = core
        .member
        .roster()
        .members
        .iter()
        .map(|m| m.council)
        .collect();
    let mut pools = Pools {
        own,
        places: Vec::new(),
        requests: Vec::new(),
        names: BTreeMap::new(),
    };
    for council in councils {
        pools.names.insert(council, name_of(core, council));
        let Some(document) = core
            .member
            .document(DocumentKind::RematchingPool.of(council))
        else {
            continue;
        };
        for (id, fields) in document.records() {
            pools.places.extend(Place::read(council, id, &fields));
            pools.requests.extend(Request::read(council, id, &fields));
        }
    }
    pools
}

impl Pools {
    fn name(&self, council: CouncilCode) -> String {
        self.names.get(&council).cloned().unwrap_or_default()
    }

    fn council_of(&self, id: RecordId) -> Option<CouncilCode> {
        let places = self.places.iter().map(|place| (place.id, place.council));
        let mut all = places.chain(self.requests.iter().map(|r| (r.id, r.council)));
        all.find(|(of, _)| *of == id).map(|(_, council)| council)
    }

    fn found(&self, scored: &Scored) -> Match {
        let council = |id| self.council_of(id);
        let (host, guest) = (council(scored.place), council(scored.request));
        let code =
            |council: Option<CouncilCode>| council.map_or_else(String::new, |c| c.to_string());
        let name =
            |council: Option<CouncilCode>| council.map_or_else(String::new, |c| self.name(c));
        let with_points = scored
            .reasons
            .iter()
            .map(|(r, points)| format!("{r} ({points:+})"));
        Match {
            request: scored.request.to_string(),
            guest: code(guest),
            guest_name: name(guest),
            place: scored.place.to_string(),
            host: code(host),
            host_name: name(host),
            points: scored.points,
            reasons: with_points.collect(),
            ask: scored.ask.iter().map(ToString::to_string).collect(),
        }
    }

    fn unplaced(&self, request: RecordId, why: &Unmatched) -> Unplaced {
        let guest = self.council_of(request);
        let why = match why {
            Unmatched::NoPlaces => "there is no open place in the region".to_owned(),
            Unmatched::Outbid { place, by, places } => format!(
                "{places} would do, and all together do better with them elsewhere: {place} with \
                 {by}"
            ),
            Unmatched::Nearly { place, but } => {
                let but: Vec<String> = but.iter().map(ToString::to_string).collect();
                format!("none would do; {place} would, but {}", but.join("; "))
            }
        };
        Unplaced {
            request: request.to_string(),
            guest: guest.map_or_else(String::new, |council| council.to_string()),
            guest_name: guest.map_or_else(String::new, |council| self.name(council)),
            why,
        }
    }
}

/// What is looked for, as a request that nobody has filed.
fn wanted(own: CouncilCode, search: &Search) -> Answer<Request> {
    let edit = RecordEdit {
        fields: search.fields.clone(),
        ..RecordEdit::default()
    };
    let given = parse(RecordKind::Request, &edit)?.into_iter();
    let given = given.filter_map(|(id, value)| Some((id, vec![value?])));
    let defaults = import::defaults(RecordKind::Request).into_iter();
    let mut fields: RecordFields = defaults.map(|(id, value)| (id, vec![value])).collect();
    fields.extend(given);
    let id = RecordId::new(RecordKind::Request, [0; 15]);
    let request = Request::read(own, id, &fields);
    request.filter(|request| request.people > 0).ok_or_else(|| {
        Failure::new(
            FailureKind::BadRequest,
            "bad_field",
            "a search needs at least people, the number of the household",
            "`smp pool search --help`",
        )
    })
}

/// So many are named where a place was lost; `smp pool suggest` has all.
const OTHERS: usize = 3;

/// The best places for a request other than these; none while one of these is open, since nothing
/// is lost then.
pub(super) fn others_for(core: &mut Core, request: RecordId, but: &[RecordId]) -> Vec<Match> {
    let pools = pools(core);
    let Some(request) = pools.requests.iter().find(|r| r.id == request) else {
        return Vec::new();
    };
    let ranked = rank_places(request, &pools.places, &GEOGRAPHY);
    if ranked.iter().any(|scored| but.contains(&scored.place)) {
        return Vec::new();
    }
    let others = ranked.iter().take(OTHERS);
    others.map(|scored| pools.found(scored)).collect()
}

impl Desk {
    pub(super) async fn search_places(&self, search: Search) -> Answer<Vec<Found>> {
        let pools = self.ask(pools).await?;
        let request = wanted(pools.own, &search)?;
        let ranked = rank_places(&request, &pools.places, &GEOGRAPHY);
        let does = ranked.iter().map(|scored| Found {
            does: true,
            why_not: Vec::new(),
            of: pools.found(scored),
        });
        let mut found: Vec<Found> = does.collect();
        if search.with_excluded {
            let excluded = pools
                .places
                .iter()
                .map(|place| (exclusions(&request, place), place));
            let mut excluded: Vec<_> = excluded.filter(|(why, _)| !why.is_empty()).collect();
            excluded.sort_by_key(|(why, place)| (why.len(), place.id));
            found.extend(excluded.into_iter().map(|(why, place)| Found {
                does: false,
                why_not: why.iter().map(ToString::to_string).collect(),
                of: pools.found(&Scored {
                    request: request.id,
                    place: place.id,
                    points: 0,
                    reasons: Vec::new(),
                    ask: to_ask(&request, place),
                }),
            }));
        }
        for one in &mut found {
            one.of.request = String::new();
        }
        Ok(found)
    }

    pub(super) async fn suggest_for(&self, id: RecordId) -> Answer<Vec<Match>> {
        let pools = self.ask(pools).await?;
        let request = pools.requests.iter().find(|request| request.id == id);
        let place = pools.places.iter().find(|place| place.id == id);
        let ranked = match (request, place) {
            (Some(request), _) => rank_places(request, &pools.places, &GEOGRAPHY),
            (None, Some(place)) => rank_requests(place, &pools.requests, &GEOGRAPHY),
            (None, None) => {
                return Err(Failure::new(
                    FailureKind::NotFound,
                    "not_found",
                    format!("no pool that this council may read has {id}"),
                    "`smp pool list` prints the ids of places and requests",
                ));
            }
        };
        Ok(ranked.iter().map(|scored| pools.found(scored)).collect())
    }

    pub(super) async fn suggest_all(&self) -> Answer<Suggestions> {
        let pools = self.ask(pools).await?;
        // Not on the engine's thread: with many it takes a second, and peers wait meanwhile.
        let worked = tokio::task::spawn_blocking(move || {
            let Assignment {
                pairs,
                unmatched,
                left_out,
            } = matching::assign(&pools.requests, &pools.places, &GEOGRAPHY);
            Suggestions {
                matches: pairs.iter().map(|scored| pools.found(scored)).collect(),
                unplaced: unmatched
                    .iter()
                    .map(|(request, why)| pools.unplaced(*request, why))
                    .collect(),
                left_out,
            }
        });
        worked.await.map_err(|_| {
            Failure::new(
                FailureKind::Internal,
                "stopped",
                "the suggestion was not worked out",
                "report this as a defect",
            )
        })
    }
}
