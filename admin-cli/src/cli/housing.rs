//! `smp housing`: move-on homes, their rent, and which council is interested (docs/HOUSING.md).

use std::collections::BTreeMap;

use clap::Subcommand;
use hyper::Method;
use smp_protocol::api::{Home, HomeAction, HomeDecision, HomeInterest, Stored};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::time::Day;

use super::Context;
use super::fields::{self, Listing};
use super::import::ImportArgs;
use super::pool::NewArgs;
use super::shared::{self, EditArgs, HistoryArgs, ListArgs, ShowArgs, WriteArgs, held_elsewhere};
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp housing import homes.csv --dry-run
  smp housing homes --open
  smp housing interest listing-aebagbafaydqqcikbmga2dqp --households 2
  smp housing offer listing-aebagbafaydqqcikbmga2dqp --council E08000037
  smp housing list --to homes.xlsx";

const IMPORT_EXAMPLES: &str = "\
Examples:
  smp housing import homes.csv --dry-run
  smp housing import homes.xlsx --complete";

const ADD_EXAMPLES: &str = "\
Examples:
  smp housing add --tenure private_rented --area E08000021 --bedrooms 2 --maximum-household 4 \\
      --rent-pence-per-month 65000 --local-housing-allowance-pence-per-month 62500 \\
      --nominations-open-to region
  smp housing add --tenure social_rented --bedrooms 1 --nominations-open-to councils \\
      --nominations-councils E08000037

Landlord, address, agent, contact and notes come with an import, and stay in the vault.";

const HOMES_EXAMPLES: &str = "\
Examples:
  smp housing homes
  smp housing homes --open --within-allowance --bedrooms 2
  smp housing homes --to homes.xlsx";

const INTERESTS_EXAMPLES: &str = "\
Examples:
  smp housing interests
  smp housing interests --listing listing-aebagbafaydqqcikbmga2dqp";

const INTEREST_EXAMPLES: &str = "\
Examples:
  smp housing interest listing-aebagbafaydqqcikbmga2dqp --households 2";

const END_EXAMPLES: &str = "\
Examples:
  smp housing end-interest interest-aebagbafaydqqcikbmga2dqp";

const OFFER_EXAMPLES: &str = "\
Examples:
  smp housing offer listing-aebagbafaydqqcikbmga2dqp --council E08000037
  smp housing offer listing-aebagbafaydqqcikbmga2dqp";

const LET_EXAMPLES: &str = "\
Examples:
  smp housing let listing-aebagbafaydqqcikbmga2dqp";

const WITHDRAW_EXAMPLES: &str = "\
Examples:
  smp housing withdraw listing-aebagbafaydqqcikbmga2dqp";

const REOPEN_EXAMPLES: &str = "\
Examples:
  smp housing reopen listing-aebagbafaydqqcikbmga2dqp --replicated";

const HISTORY_EXAMPLES: &str = "\
Examples:
  smp housing history listing-aebagbafaydqqcikbmga2dqp";

const LIST_EXAMPLES: &str = "\
Examples:
  smp housing list
  smp housing list --council E08000021 --output json
  smp housing list --council E08000021 --to homes.csv";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp housing show listing-aebagbafaydqqcikbmga2dqp
  smp housing show listing-aebagbafaydqqcikbmga2dqp --output json";

const EDIT_EXAMPLES: &str = "\
Examples:
  smp housing edit listing-aebagbafaydqqcikbmga2dqp --set rent_pence_per_month=64000
  smp housing edit interest-aebagbafaydqqcikbmga2dqp --set households=1";

const TEMPLATE_EXAMPLES: &str = "\
Examples:
  smp housing template > homes.csv";

const LISTED: &[RecordKind] = &[RecordKind::Listing];
const KINDS: &[RecordKind] = &[RecordKind::Listing, RecordKind::Interest];

/// One of this council's own listings, and what becomes of it.
#[derive(Debug, clap::Args)]
pub(super) struct Decided {
    /// The listing's id
    listing: RecordId,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Housing {
    /// What became of a listing or interest: who changed what, and when that came here
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Imports a file of homes; all of it or nothing
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Adds a home to this council's list
    #[command(after_help = ADD_EXAMPLES)]
    Add(NewArgs<Listing>),
    /// Lists the homes of the region, field by field
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Lists the homes of the region: rent against the local housing allowance, who is interested
    #[command(after_help = HOMES_EXAMPLES)]
    Homes {
        /// Only those in which this council may state an interest today
        #[arg(long)]
        open: bool,
        /// Only those whose rent is known and not above the local housing allowance
        #[arg(long)]
        within_allowance: bool,
        /// Only those with so many bedrooms, or more
        #[arg(long, value_name = "N")]
        bedrooms: Option<u32>,
    },
    /// Lists which council is interested in which home
    #[command(after_help = INTERESTS_EXAMPLES)]
    Interests {
        /// Only those in this listing
        #[arg(long, value_name = "ID")]
        listing: Option<RecordId>,
    },
    /// States this council's interest in another council's home
    #[command(after_help = INTEREST_EXAMPLES)]
    Interest {
        /// The listing's id
        listing: RecordId,
        /// Households for which it would suit
        #[arg(long, value_name = "N")]
        households: u32,
        /// The day; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Day>,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Ends this council's interest
    #[command(after_help = END_EXAMPLES)]
    EndInterest {
        /// The interest's id
        interest: RecordId,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Says that a home is under offer to a household
    #[command(after_help = OFFER_EXAMPLES)]
    Offer {
        #[command(flatten)]
        decided: Decided,
        /// The council whose household it is, one that is interested; without it this council's
        /// own. Only this council's vault knows
        #[arg(long, value_name = "GSS CODE")]
        council: Option<CouncilCode>,
    },
    /// Says that somebody has the home, which ends the listing
    #[command(after_help = LET_EXAMPLES)]
    Let(Decided),
    /// Takes a home off the list for now
    #[command(after_help = WITHDRAW_EXAMPLES)]
    Withdraw(Decided),
    /// Says that a home can be had again: an offer fell through, or a withdrawal is over
    #[command(after_help = REOPEN_EXAMPLES)]
    Reopen(Decided),
    /// Changes one of this council's own listings or interests
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(EditArgs),
    /// Shows one listing or interest, with every field
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Prints the import template, as CSV
    #[command(after_help = TEMPLATE_EXAMPLES)]
    Template,
}

impl Housing {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::History(args) => args.run(context, KINDS),
            Self::Import(args) => args.run(context, RecordKind::Listing),
            Self::Add(new) => new.run(context, None),
            Self::List(args) => args.run(context, LISTED),
            Self::Homes {
                open,
                within_allowance,
                bedrooms,
            } => {
                let mut homes: Vec<Home> = context.client.get("/v1/homes")?;
                let within = |home: &Home| home.above_allowance_pence_per_month;
                homes.retain(|home| !open || home.open_to_you);
                homes.retain(|home| !within_allowance || within(home).is_some_and(|p| p <= 0));
                homes.retain(|home| bedrooms.is_none_or(|least| home.bedrooms >= Some(least)));
                context.show(&homes)
            }
            Self::Interests { listing } => {
                let mut all: Vec<HomeInterest> = context.client.get("/v1/interests")?;
                let wanted = listing.map(|listing| listing.to_string());
                all.retain(|one| wanted.as_ref().is_none_or(|id| one.listing == *id));
                context.show(&all)
            }
            Self::Interest {
                listing,
                households,
                on,
                write,
            } => state_interest(context, listing, households, on, &write),
            Self::EndInterest { interest, write } => {
                let id = of_kind(interest, RecordKind::Interest)?;
                let fields = BTreeMap::from([("withdrawn".to_owned(), "yes".to_owned())]);
                write.send(context, Method::PATCH, &format!("/v1/record/{id}"), fields)
            }
            Self::Offer { decided, council } => {
                decide(context, &decided, HomeAction::Offer, council)
            }
            Self::Let(decided) => decide(context, &decided, HomeAction::Let, None),
            Self::Withdraw(decided) => decide(context, &decided, HomeAction::Withdraw, None),
            Self::Reopen(decided) => decide(context, &decided, HomeAction::Reopen, None),
            Self::Show(args) => args.run(context, KINDS),
            Self::Edit(args) => args.run(context, KINDS),
            Self::Template => shared::template(context, RecordKind::Listing),
        }
    }
}

fn state_interest(
    context: &Context,
    listing: RecordId,
    households: u32,
    on: Option<Day>,
    write: &WriteArgs,
) -> Result<(), Failure> {
    let listing = of_kind(listing, RecordKind::Listing)?;
    let mut fields = BTreeMap::from([
        ("listing".to_owned(), listing.to_string()),
        ("households".to_owned(), households.to_string()),
    ]);
    fields.extend(on.map(|day| ("day".to_owned(), day.to_string())));
    fields::check(RecordKind::Interest, &fields)?;
    write.send(context, Method::POST, "/v1/records/interest", fields)
}

fn decide(
    context: &Context,
    decided: &Decided,
    action: HomeAction,
    council: Option<CouncilCode>,
) -> Result<(), Failure> {
    let id = of_kind(decided.listing, RecordKind::Listing)?;
    let replicated = decided.write.replicated();
    let decision = HomeDecision {
        action,
        council: council.map(|council| council.to_string()),
        replicated,
    };
    let doing = match replicated {
        true => "waiting until another node holds it",
        false => "waiting for the node",
    };
    let path = format!("/v1/home/{id}");
    let stored: Stored = context.client.send(Method::POST, &path, &decision, doing)?;
    context.show(&stored)?;
    match replicated {
        true => held_elsewhere(stored.held_by),
        false => Ok(()),
    }
}

fn of_kind(id: RecordId, kind: RecordKind) -> Result<RecordId, Failure> {
    match id.kind() == kind {
        true => Ok(id),
        false => Err(Failure::refused(
            format!("{id} is a {}, and no {kind}", id.kind()),
            "`smp housing homes` prints the ids of listings, `smp housing interests` those of \
             interests",
        )),
    }
}
