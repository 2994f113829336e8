//! Move-on homes: listed with what follows from them, and decided of by their own council.
//!
//! Which household an offer is to is nobody's business but the two councils': the vault keeps
//! the other's code, and the list shows `under_offer` alone.

use std::collections::BTreeMap;

use smp_protocol::api::{Home, HomeAction, HomeDecision, HomeInterest, RecordEdit, Stored};
use smp_protocol::document::RecordFields;
use smp_protocol::housing::{Interest, Listing, NoInterest, NoStep, State, Way, step};
use smp_protocol::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, Value};
use smp_protocol::time::Day;

use super::Desk;
use super::records::{broken, name_of, vault_record};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};
use crate::store::{Change, Table};

/// The name under which the vault has the council to whose household a listing was offered.
const OFFERED_TO: &str = "offered_to";

/// The housing lists that this council may read.
struct Lists {
    listings: Vec<(Listing, RecordFields)>,
    interests: Vec<Interest>,
}

impl Lists {
    /// Work grows with all their records.
    fn read(core: &Core) -> Self {
        let own = core.member.identity().council;
        let members = core.member.roster().members.iter();
        let names = members.map(|member| DocumentKind::HousingList.of(member.council));
        let (mut listings, mut interests) = (Vec::new(), Vec::new());
        for name in names.filter(|name| core.member.may_read(*name, own)) {
            let document = core.member.document(name);
            for (id, fields) in document.iter().flat_map(|document| document.records()) {
                interests.extend(Interest::read(name.council, id, &fields));
                let listing = Listing::read(name.council, id, &fields);
                listings.extend(listing.map(|listing| (listing, fields)));
            }
        }
        Self {
            listings,
            interests,
        }
    }

    fn listing(&self, id: RecordId) -> Option<&Listing> {
        let found = self.listings.iter().find(|(listing, _)| listing.id == id);
        found.map(|(listing, _)| listing)
    }
}

/// Every listing of the region: what can be had first, then by council and rent.
pub(super) fn list(core: &mut Core) -> Answer<Vec<Home>> {
    let mut lists = Lists::read(core);
    let order = |listing: &Listing| (listing.state(), listing.council, listing.rent, listing.id);
    lists.listings.sort_by_key(|(listing, _)| order(listing));
    // Not each listing with each interest: another council says how many there are.
    let mut stated: BTreeMap<RecordId, Vec<&Interest>> = BTreeMap::new();
    for interest in &lists.interests {
        stated.entry(interest.listing).or_default().push(interest);
    }
    let homes = lists.listings.iter().map(|(listing, fields)| {
        let of_it = stated.get(&listing.id).map_or(&[][..], Vec::as_slice);
        home(core, of_it, listing, fields)
    });
    homes.collect()
}

fn home(
    core: &Core,
    stated: &[&Interest],
    listing: &Listing,
    fields: &RecordFields,
) -> Answer<Home> {
    let own = core.member.identity().council;
    let counting = stated.iter().filter(|i| i.counts_for(listing));
    let counting: Vec<&Interest> = counting.copied().collect();
    let mut interested: Vec<String> = counting.iter().map(|i| i.council.to_string()).collect();
    interested.sort();
    interested.dedup();
    let text = |name: &str| {
        let field = schema::field_named(schema::NEWEST, RecordKind::Listing, name)?;
        let value = fields.get(&field.id)?.first()?;
        Some(schema::format_value(field, value))
    };
    let takes = listing.takes_interest(own, Day::of(clock()));
    let is_own = listing.council == own;
    let is_offered = matches!(listing.state(), State::UnderOffer | State::Let);
    let offered_to = match is_own && is_offered {
        true => vault_record(core, listing.id).map_err(|error| broken(&error))?,
        false => BTreeMap::new(),
    };
    Ok(Home {
        id: listing.id.to_string(),
        council: listing.council.to_string(),
        council_name: name_of(core, listing.council),
        own: is_own,
        state: listing.state().as_str().to_owned(),
        tenure: text("tenure"),
        area: text("area"),
        bedrooms: text("bedrooms").and_then(|number| number.parse().ok()),
        rent_pence_per_month: listing.rent,
        local_housing_allowance_pence_per_month: listing.allowance,
        above_allowance_pence_per_month: listing.above_allowance(),
        available_from: text("available_from"),
        available_until: text("available_until"),
        nominations: listing.nominations.as_str().to_owned(),
        open_to_you: takes.is_ok(),
        why_not: takes.err().filter(|_| !is_own).map(|why| why.to_string()),
        interested,
        households: counting.iter().map(|i| i.households).sum(),
        offered_to: offered_to.get(OFFERED_TO).cloned(),
    })
}

/// Every interest that has not ended.
pub(super) fn interests(core: &mut Core) -> Vec<HomeInterest> {
    let own = core.member.identity().council;
    let lists = Lists::read(core);
    let listings = lists
        .listings
        .iter()
        .map(|(listing, _)| (listing.id, listing));
    let listings: BTreeMap<RecordId, &Listing> = listings.collect();
    let shown = lists.interests.iter().map(|interest| {
        let listing = listings.get(&interest.listing).copied();
        HomeInterest {
            id: interest.id.to_string(),
            listing: interest.listing.to_string(),
            owner: listing.map(|listing| listing.council.to_string()),
            council: interest.council.to_string(),
            council_name: name_of(core, interest.council),
            own: interest.council == own,
            households: interest.households,
            day: interest.day.to_string(),
            counts: listing.is_some_and(|listing| interest.counts_for(listing)),
        }
    });
    shown.collect()
}

/// Refuses what the rules of housing do not allow. Looked at with the write, so that nothing comes
/// between.
pub(super) fn guard(core: &Core, edits: &[Edit], way: Way) -> Answer<()> {
    let is_of_housing = |kind| matches!(kind, RecordKind::Listing | RecordKind::Interest);
    if !edits.iter().any(|edit| is_of_housing(edit.record().kind())) {
        return Ok(());
    }
    let lists = Lists::read(core);
    for edit in edits {
        match edit.record().kind() {
            RecordKind::Listing => may_become(&lists, edit, way)?,
            RecordKind::Interest => may_be_interested(core, &lists, edit)?,
            _ => {}
        }
    }
    Ok(())
}

/// What an edit sets a field to: a value, or nothing where it clears it.
fn set(edit: &Edit, name: &str) -> Option<Option<Value>> {
    let field = schema::field_named(schema::NEWEST, edit.record().kind(), name)?;
    match edit {
        Edit::Create { fields, .. } => {
            let found = fields.iter().find(|(id, _)| *id == field.id);
            found.map(|(_, value)| Some(value.clone()))
        }
        Edit::Update { fields, .. } => {
            let found = fields.iter().find(|(id, _)| *id == field.id);
            found.map(|(_, value)| value.clone())
        }
    }
}

fn state_of(edit: &Edit) -> Option<State> {
    let field = schema::field_named(schema::NEWEST, RecordKind::Listing, "state")?;
    let value = set(edit, "state")??;
    State::named(&schema::format_value(field, &value))
}

fn may_become(lists: &Lists, edit: &Edit, way: Way) -> Answer<()> {
    // A new listing stands where its council says; whose an edit is, is looked at elsewhere.
    let both = lists.listing(edit.record()).zip(state_of(edit));
    let Some((listing, to)) = both else {
        return Ok(());
    };
    step(&listing.states, to, way).map_err(|refused| {
        let id = listing.id;
        let next = match refused {
            NoStep::IsLet { .. } => "nothing was changed; a home that is free again is a new \
                                     listing: `smp housing add --help`"
                .to_owned(),
            NoStep::NotNext { from, .. } => {
                let words = from.next().iter().map(|state| match state {
                    State::UnderOffer => format!("`smp housing offer {id}`"),
                    State::Let => format!("`smp housing let {id}`"),
                    State::Withdrawn => format!("`smp housing withdraw {id}`"),
                    State::Available => format!("`smp housing reopen {id}`"),
                });
                let words: Vec<String> = words.collect();
                format!("nothing was changed; what may follow: {}", words.join(", "))
            }
        };
        let message = format!("{id}: {refused}");
        Failure::new(FailureKind::Conflict, "no_such_step", message, next)
    })
}

fn may_be_interested(core: &Core, lists: &Lists, edit: &Edit) -> Answer<()> {
    let own = core.member.identity().council;
    if set(edit, "withdrawn") == Some(Some(Value::Boolean(true))) {
        return Ok(());
    }
    let before = lists.interests.iter().find(|i| i.id == edit.record());
    let wanted = match set(edit, "listing") {
        Some(Some(Value::Record(id))) => Some(id),
        _ => before.map(|interest| interest.listing),
    };
    // Where none is named the schema says so.
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let Some(listing) = lists.listing(wanted) else {
        return Err(Failure::new(
            FailureKind::NotFound,
            "not_found",
            format!("no housing list that this council may read has {wanted}"),
            "nothing was changed; `smp housing homes` prints the ids",
        ));
    };
    let refused = |message: String, next: String| {
        let next = format!("nothing was changed; {next}");
        Err(Failure::new(
            FailureKind::Conflict,
            "no_interest",
            message,
            next,
        ))
    };
    if let Err(why) = listing.takes_interest(own, Day::of(clock())) {
        let next = match why {
            NoInterest::Own => format!("offer it to a household: `smp housing offer {wanted}`"),
            NoInterest::NotOpen(_) => {
                let owner = name_of(core, listing.council);
                format!(
                    "ask {owner} to open it (`smp pool list contacts` says how to reach it); \
                     `smp housing homes --open` lists what is open"
                )
            }
            _ => "`smp housing homes --open` lists what can be had".to_owned(),
        };
        return refused(format!("{wanted}: {why}"), next);
    }
    let mut own_ones = lists.interests.iter().filter(|i| i.council == own);
    match own_ones.find(|i| i.listing == wanted && i.id != edit.record()) {
        None => Ok(()),
        Some(there) => refused(
            format!("{} has stated its interest in {wanted} already", there.id),
            format!(
                "change it with `smp housing edit {} --set households=…`",
                there.id
            ),
        ),
    }
}

/// What the vault no longer is to say: a home that is offered to nobody was offered to nobody. `private`
/// is what else changes in the vault, and may be of the same listing.
pub(super) fn forget_offers(core: &Core, edits: &[Edit], private: &mut Vec<Change>) -> Answer<()> {
    for edit in edits {
        if !matches!(state_of(edit), Some(State::Available | State::Withdrawn)) {
            continue;
        }
        let id = edit.record();
        let kept = private.iter().rev().find_map(|change| put_of(change, id));
        let mut kept = match kept {
            Some(kept) => kept,
            None => vault_record(core, id).map_err(|error| broken(&error))?,
        };
        if kept.remove(OFFERED_TO).is_some() {
            private.push(keep(id, &kept));
        }
    }
    Ok(())
}

/// What a change puts into the vault of a record.
fn put_of(change: &Change, id: RecordId) -> Option<BTreeMap<String, String>> {
    match change {
        Change::Put { table, key, value } if *table == Table::Vault && *key == id.to_bytes() => {
            serde_json::from_slice(value).ok()
        }
        _ => None,
    }
}

fn keep(id: RecordId, personal: &BTreeMap<String, String>) -> Change {
    Change::Put {
        table: Table::Vault,
        key: id.to_bytes().to_vec(),
        // A map of texts cannot fail to be written.
        value: serde_json::to_vec(personal).unwrap_or_default(),
    }
}

/// A new interest with the day that is not said.
pub(super) fn with_day(mut edit: RecordEdit) -> RecordEdit {
    let today = Day::of(clock()).to_string();
    edit.fields.entry("day".to_owned()).or_insert(today);
    edit
}

fn target(action: HomeAction) -> State {
    match action {
        HomeAction::Offer => State::UnderOffer,
        HomeAction::Let => State::Let,
        HomeAction::Withdraw => State::Withdrawn,
        HomeAction::Reopen => State::Available,
    }
}

/// To whom a home is offered: a council that is interested, and to which it is open.
fn offered(core: &Core, id: RecordId, council: Option<CouncilCode>) -> Answer<Option<Change>> {
    let Some(council) = council else {
        // To a household of its own: whoever it was offered to before does not have it any more.
        let mut kept = vault_record(core, id).map_err(|error| broken(&error))?;
        return Ok(kept.remove(OFFERED_TO).map(|_| keep(id, &kept)));
    };
    let lists = Lists::read(core);
    let listing = lists.listing(id);
    let interested = listing.is_some_and(|listing| {
        let mut all = lists.interests.iter();
        all.any(|interest| interest.council == council && interest.counts_for(listing))
    });
    if !interested {
        return Err(Failure::new(
            FailureKind::Conflict,
            "no_interest",
            format!(
                "{} has stated no interest in {id} to which it is open",
                name_of(core, council)
            ),
            format!(
                "nothing was changed; `smp housing interests --listing {id}` says who has; \
                 without --council the offer is to a household of this council's own"
            ),
        ));
    }
    let mut kept = vault_record(core, id).map_err(|error| broken(&error))?;
    kept.insert(OFFERED_TO.to_owned(), council.to_string());
    Ok(Some(keep(id, &kept)))
}

fn bad(message: String) -> Failure {
    let next = "nothing was changed; `smp housing homes` prints the ids of listings";
    Failure::new(FailureKind::BadRequest, "bad_field", message, next)
}

impl Desk {
    pub(super) async fn decide_of_home(
        &self,
        id: RecordId,
        decision: HomeDecision,
    ) -> Answer<Stored> {
        if id.kind() != RecordKind::Listing {
            return Err(bad(format!("{id} is a {}, and no listing", id.kind())));
        }
        let council = decision.council.as_deref().map(str::parse::<CouncilCode>);
        let council = council.transpose();
        let council = council.map_err(|error| bad(format!("council: {error}")))?;
        if council.is_some() && decision.action != HomeAction::Offer {
            return Err(bad("council: only an offer is to somebody".to_owned()));
        }
        let action = decision.action;
        let edit = RecordEdit {
            fields: BTreeMap::from([("state".to_owned(), target(action).as_str().to_owned())]),
            replicated: decision.replicated,
            host: None,
        };
        let kept = move |core: &Core| {
            let own = core.member.identity().council;
            must_be_from(core, id, action)?;
            let kept = match action {
                HomeAction::Offer => offered(core, id, council.filter(|council| *council != own))?,
                _ => None,
            };
            Ok(kept.into_iter().collect())
        };
        self.update_with(id, edit, kept).await
    }
}

/// To do again what is done already would look like a success and tell nobody: of an offer it may
/// name another council, of the rest there is nothing to do.
fn must_be_from(core: &Core, id: RecordId, action: HomeAction) -> Answer<()> {
    let lists = Lists::read(core);
    let states = lists.listing(id).map(|listing| listing.states.as_slice());
    if states != Some(&[target(action)]) || action == HomeAction::Offer {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Conflict,
        "no_such_step",
        format!("{id} is {} already", target(action).as_str()),
        "nothing was changed; `smp housing homes` shows where each listing stands",
    ))
}
