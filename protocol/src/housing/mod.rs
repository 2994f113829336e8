//! Move-on homes: where a listing stands, which council may state an interest in it, and what
//! its rent is against the local housing allowance (docs/HOUSING.md).
//!
//! Of a field in conflict the value that promises less counts. Nothing here knows a landlord, an
//! address or a household: those are in a vault.

mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use state::{NoStep, State, Way, step};

use crate::document::RecordFields;
use crate::ids::{CouncilCode, RecordId, RecordKind};
use crate::schema::{Named, Value};
use crate::time::Day;

/// Who may nominate a household.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Nominations {
    /// The council whose list it is in, alone. So it is where nothing is said.
    Owner,
    /// The councils that the listing names.
    Councils,
    /// Every council of the region.
    Region,
}

impl Nominations {
    const ALL: [Self; 3] = [Self::Owner, Self::Councils, Self::Region];

    /// The code, e.g. `region`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Councils => "councils",
            Self::Region => "region",
        }
    }

    fn whom(self) -> &'static str {
        match self {
            Self::Owner => "its own council alone",
            Self::Councils => "the councils that it names",
            Self::Region => "every council",
        }
    }
}

/// A home in a housing list, as far as the rules look at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Its id.
    pub id: RecordId,
    /// The council in whose list it is.
    pub council: CouncilCode,
    /// Where it stands; more than one in conflict.
    pub states: Vec<State>,
    /// Who may nominate.
    pub nominations: Nominations,
    /// The councils that are named. Of two sets in conflict, those in both.
    pub named: BTreeSet<CouncilCode>,
    /// Rent, in pence a month; of two in conflict the higher.
    pub rent: Option<u32>,
    /// Local housing allowance, in pence a month; of two in conflict the lower.
    pub allowance: Option<u32>,
    /// The last day of the offer.
    pub available_until: Option<Day>,
}

/// Why a council cannot state an interest in a home.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoInterest {
    /// An owner nominates without that.
    #[error("it is in this council's own list")]
    Own,
    /// The listing's nominations are not open to the council.
    #[error("nominations for it are open to {}, and not to this council", .0.whom())]
    NotOpen(Nominations),
    /// It is let or withdrawn.
    #[error("it is {}", .0.as_str())]
    Gone(State),
    /// Its last day is past.
    #[error("it was offered until {0}")]
    Over(Day),
}

impl Listing {
    /// Reads a record of a housing list; `None` where it is no listing.
    pub fn read(council: CouncilCode, id: RecordId, fields: &RecordFields) -> Option<Self> {
        if id.kind() != RecordKind::Listing {
            return None;
        }
        let of = Named(id.kind(), fields);
        let nominations = of.words("nominations_open_to").into_iter();
        let nominations = nominations.map(|word| {
            let known = Nominations::ALL.into_iter().find(|n| n.as_str() == word);
            known.unwrap_or(Nominations::Owner)
        });
        let sets = of.values("nominations_councils").iter();
        let sets = sets.filter_map(|value| match value {
            Value::Councils(councils) => Some(councils.iter().copied().collect()),
            _ => None,
        });
        let named =
            sets.reduce(|a: BTreeSet<CouncilCode>, b| a.intersection(&b).copied().collect());
        Some(Self {
            id,
            council,
            states: of
                .words("state")
                .into_iter()
                .filter_map(State::named)
                .collect(),
            nominations: nominations.min().unwrap_or(Nominations::Owner),
            named: named.unwrap_or_default(),
            rent: of.numbers("rent_pence_per_month").max(),
            allowance: of.numbers("local_housing_allowance_pence_per_month").min(),
            available_until: of.days("available_until").min(),
        })
    }

    /// Where it stands; of states in conflict the one in which least can be had.
    pub fn state(&self) -> State {
        let least = |state: &State| match state {
            State::Available => 0,
            State::UnderOffer => 1,
            State::Withdrawn => 2,
            State::Let => 3,
        };
        let state = self.states.iter().copied().max_by_key(least);
        state.unwrap_or(State::Withdrawn)
    }

    /// Pence a month that the rent is above the local housing allowance; below 0 it is so much
    /// under it. `None` where either is not known.
    pub fn above_allowance(&self) -> Option<i64> {
        Some(i64::from(self.rent?) - i64::from(self.allowance?))
    }

    /// Whether a council other than the owner may nominate for it.
    pub fn is_open_to(&self, council: CouncilCode) -> bool {
        match self.nominations {
            Nominations::Owner => false,
            Nominations::Councils => self.named.contains(&council),
            Nominations::Region => true,
        }
    }

    /// Whether a council may state an interest in it. It may while the home is under offer, too:
    /// an offer can fall through.
    ///
    /// # Errors
    /// [`NoInterest`] where it may not.
    pub fn takes_interest(&self, from: CouncilCode, today: Day) -> Result<(), NoInterest> {
        if from == self.council {
            return Err(NoInterest::Own);
        }
        if !self.is_open_to(from) {
            return Err(NoInterest::NotOpen(self.nominations));
        }
        match (self.state(), self.available_until) {
            (state @ (State::Let | State::Withdrawn), _) => Err(NoInterest::Gone(state)),
            (_, Some(until)) if until < today => Err(NoInterest::Over(until)),
            _ => Ok(()),
        }
    }
}

/// An interest that has not ended: a council's, in a listing of another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interest {
    /// Its id.
    pub id: RecordId,
    /// The council that is interested.
    pub council: CouncilCode,
    /// The listing.
    pub listing: RecordId,
    /// Households for which it would suit.
    pub households: u32,
    /// When it was stated.
    pub day: Day,
}

impl Interest {
    /// Reads a record of a housing list; `None` where it is no interest, or one that has ended.
    pub fn read(council: CouncilCode, id: RecordId, fields: &RecordFields) -> Option<Self> {
        let of = Named(id.kind(), fields);
        if id.kind() != RecordKind::Interest || of.needed("withdrawn") {
            return None;
        }
        Some(Self {
            id,
            council,
            listing: of.records("listing").next()?,
            households: of.numbers("households").min()?,
            day: of.days("day").min()?,
        })
    }

    /// Whether the owner need look at it: it is in that listing, and the listing is open to its
    /// council now. Another council's node may think otherwise, and an owner may think again.
    pub fn counts_for(&self, listing: &Listing) -> bool {
        self.listing == listing.id
            && self.council != listing.council
            && listing.is_open_to(self.council)
    }
}
