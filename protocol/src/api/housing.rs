//! Move-on homes, and who is interested in them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/homes`: one listing of the region, with what follows from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Home {
    /// The listing's id.
    pub id: String,
    /// The GSS code of the council in whose list it is.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// Whether that is this council.
    pub own: bool,
    /// `available`, `under_offer`, `let` or `withdrawn`; of two in conflict the one in which
    /// least can be had.
    pub state: String,
    /// On what terms it is let.
    pub tenure: Option<String>,
    /// The GSS code of the council in which it lies.
    pub area: Option<String>,
    /// Bedrooms.
    pub bedrooms: Option<u32>,
    /// Rent, in pence a month.
    pub rent_pence_per_month: Option<u32>,
    /// Local housing allowance, in pence a month.
    pub local_housing_allowance_pence_per_month: Option<u32>,
    /// Pence a month that the rent is above the allowance; below 0 it is so much under it. Only
    /// where both are known.
    pub above_allowance_pence_per_month: Option<i64>,
    /// First day of a tenancy.
    pub available_from: Option<String>,
    /// Last day of the offer.
    pub available_until: Option<String>,
    /// Who may nominate: `owner`, `councils` or `region`.
    pub nominations: String,
    /// Whether this council may state an interest in it today.
    pub open_to_you: bool,
    /// Why not, where it is another council's.
    pub why_not: Option<String>,
    /// The GSS codes of the councils that are interested, of those to which it is open.
    pub interested: Vec<String>,
    /// Households for which it would suit, of all these councils together.
    pub households: u32,
    /// The council to whose household it was offered, from this council's own vault.
    pub offered_to: Option<String>,
}

/// `GET /v1/interests`: a council's interest in another's listing, which has not ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HomeInterest {
    /// Its id.
    pub id: String,
    /// The listing.
    pub listing: String,
    /// The GSS code of the council whose listing it is; none where the listing is not here yet.
    pub owner: Option<String>,
    /// The GSS code of the council that is interested.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// Whether that is this council.
    pub own: bool,
    /// Households for which it would suit.
    pub households: u32,
    /// When it was stated.
    pub day: String,
    /// Whether nominations are open to the council now.
    pub counts: bool,
}

/// What becomes of one of this council's own listings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeAction {
    /// It is offered to a household: under offer.
    Offer,
    /// Somebody has it.
    Let,
    /// It is not offered for now.
    Withdraw,
    /// It can be had again: the offer fell through, or the withdrawal is over.
    Reopen,
}

/// `POST /v1/home/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HomeDecision {
    /// What becomes of it.
    pub action: HomeAction,
    /// Of an offer: the GSS code of the council whose household it is, if it is another's. Kept
    /// in this council's vault.
    #[serde(default)]
    pub council: Option<String>,
    /// Wait until another node holds it as well.
    #[serde(default)]
    pub replicated: bool,
}
