//! Regional indicators: what this council may read, counted and made safe to show.
//!
//! Nothing leaves here that has not been through disclosure control.

use std::collections::BTreeMap;

use smp_protocol::api;
use smp_protocol::checks::Check;
use smp_protocol::document::RecordFields;
use smp_protocol::ids::{CouncilCode, DocumentKind, DocumentName, RecordId};
use smp_protocol::indicators::{
    self, Figure, Month, OfCouncil, Placed, Pool, Profile, Source, figures,
};
use smp_protocol::limits;
use smp_protocol::matching::{Place, Request};
use smp_protocol::time::Day;

use super::{Desk, checks, records::name_of};
use crate::engine::Core;
use crate::service::{Answer, Failure, FailureKind, IndicatorQuery};

fn bad(message: String, next: &str) -> Failure {
    Failure::new(FailureKind::BadRequest, "bad_field", message, next)
}

/// What is asked for, understood.
struct Asked {
    today: Day,
    months: Vec<Month>,
    profile: Profile,
}

impl Asked {
    fn read(query: &IndicatorQuery) -> Answer<Self> {
        let today = checks::day(query.on.as_deref())?;
        let month = |name: &str, text: &Option<String>, otherwise: Option<Month>| {
            let next = "give months such as 2026-12";
            let month = match text {
                Some(text) => text
                    .parse()
                    .map_err(|error| bad(format!("{name}: {error}"), next))?,
                None => otherwise.ok_or_else(|| bad(format!("{name} is missing"), next))?,
            };
            Ok::<Month, Failure>(month)
        };
        let first = month("from", &query.from, Month::of(today))?;
        let last = month("until", &query.until, Some(first))?;
        let after = std::iter::successors(Some(first), |month| Some(month.next()));
        let months: Vec<Month> = after
            .take_while(|month| *month <= last)
            .take(limits::INDICATOR_MONTHS + 1)
            .collect();
        if months.is_empty() || months.len() > limits::INDICATOR_MONTHS {
            return Err(bad(
                format!(
                    "until: expected a month that is not before {first}, and at most {} in all",
                    limits::INDICATOR_MONTHS
                ),
                "ask for fewer months at a time",
            ));
        }
        Ok(Self {
            today,
            months,
            profile: profile(query)?,
        })
    }
}

fn profile(query: &IndicatorQuery) -> Answer<Profile> {
    let standard = Profile::default();
    let number = |name: &str, text: &Option<String>, otherwise: u32| match text {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| {
            let next = "leave it out for the usual profile";
            bad(format!("{name}: expected a whole number"), next)
        }),
    };
    let threshold = number("threshold", &query.threshold, standard.threshold())?;
    let round = number("round", &query.round, standard.round())?;
    Profile::new(threshold, round).map_err(|error| {
        let next = format!(
            "nothing was counted; the threshold is {} at least, and so is the rounding; docs/INDICATORS.md",
            Profile::LEAST_THRESHOLD
        );
        bad(error.to_string(), &next)
    })
}

/// The records of a document. A council that has written none of a kind has submitted nothing.
fn records(core: &Core, name: DocumentName) -> Source<Vec<(RecordId, RecordFields)>> {
    let own = core.member.identity().council;
    if !core.member.may_read(name, own) {
        return Source::NotReadable;
    }
    let records = core.member.document(name);
    let records: Vec<_> = records
        .iter()
        .flat_map(|document| document.records())
        .collect();
    match records.is_empty() {
        true => Source::NotSubmitted,
        false => Source::Here(records),
    }
}

fn pool(core: &Core, council: CouncilCode) -> Source<Pool> {
    records(core, DocumentKind::RematchingPool.of(council)).map(|records| {
        let mut pool = Pool::default();
        for (id, fields) in records {
            pool.places.extend(Place::read(council, *id, fields));
            pool.requests.extend(Request::read(council, *id, fields));
        }
        pool
    })
}

fn checks_of(core: &Core, council: CouncilCode) -> Source<Vec<Check>> {
    records(core, DocumentKind::HostRegister.of(council)).map(|records| {
        let checks = records.iter();
        let checks = checks.filter_map(|(id, fields)| Check::read(council, *id, fields));
        checks.collect()
    })
}

/// The placements of this council's households: nobody reads all the casework of another.
fn placed(core: &Core, council: CouncilCode) -> Source<Vec<Placed>> {
    if council != core.member.identity().council {
        return Source::NotReadable;
    }
    let ledgers = core.decider.ledgers(&core.member);
    Source::Here(indicators::placed(&ledgers.happened()))
}

fn counted(core: &Core, asked: &Asked) -> api::Indicators {
    let members = core.member.roster().members.iter();
    let councils = members.map(|member| {
        let of = OfCouncil {
            pool: pool(core, member.council),
            checks: checks_of(core, member.council),
            placed: placed(core, member.council),
        };
        (member.council, of)
    });
    let councils: BTreeMap<CouncilCode, OfCouncil> = councils.collect();
    let submitted = councils.values();
    let submitted = submitted.filter(|of| matches!(of.pool, Source::Here(_)));
    let region = format!(
        "region, {} of {} councils",
        submitted.count(),
        councils.len()
    );
    let shown = |figure: Figure| api::RegionalFigure {
        month: figure.month.to_string(),
        council: figure.council.map(|council| council.to_string()),
        council_name: figure
            .council
            .map_or_else(|| region.clone(), |council| name_of(core, council)),
        indicator: figure.indicator.as_str().to_owned(),
        unit: figure.indicator.unit().to_owned(),
        value: figure.shown.value(),
        status: figure.shown.as_str().to_owned(),
    };
    let figures = figures(&councils, &asked.months, asked.today, asked.profile);
    api::Indicators {
        on: asked.today.to_string(),
        threshold: asked.profile.threshold(),
        round: asked.profile.round(),
        figures: figures.into_iter().map(shown).collect(),
    }
}

impl Desk {
    pub(super) async fn count(&self, query: IndicatorQuery) -> Answer<api::Indicators> {
        let asked = Asked::read(&query)?;
        self.ask(move |core| counted(core, &asked)).await
    }
}
