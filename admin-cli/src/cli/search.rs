//! `smp pool search` and `smp pool suggest`.

use std::collections::BTreeMap;

use smp_protocol::api::{Found, Match, Search, Suggestions};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use super::Context;
use super::fields;
use crate::exit::Failure;

pub(super) const SEARCH_EXAMPLES: &str = "\
Examples:
  smp pool search --people 3
  smp pool search --people 3 --rooms-needed 2 --with-children --pets --wanted-areas E08000021
  smp pool search --people 5 --needed-by 2026-W50 --all

With --all it says of every other place why it will not do.";

pub(super) const SUGGEST_EXAMPLES: &str = "\
Examples:
  smp pool suggest request-aebagbafaydqqcikbmga2dqp
  smp pool suggest place-aebagbafaydqqcikbmga2dqp --output csv > suggestions.csv
  smp pool suggest

Without an id it suggests for the whole region who would go where, and says of every household
that would go nowhere what would have had to be different. Every node that holds the same pools
suggests the same. Nothing is proposed by it: `smp cases propose` does that.";

/// What is looked for.
#[derive(Debug, clap::Args)]
pub(super) struct SearchArgs {
    /// People of the household
    #[arg(long, value_name = "N")]
    people: u32,
    /// Rooms that they need
    #[arg(long, value_name = "N", default_value_t = 1)]
    rooms_needed: u32,
    /// There are children
    #[arg(long)]
    with_children: bool,
    /// It must be reached without steps
    #[arg(long)]
    step_free_access: bool,
    /// A wheelchair must be usable throughout
    #[arg(long)]
    wheelchair_accessible: bool,
    /// A pet comes along
    #[arg(long)]
    pets: bool,
    /// Councils where they would go; none means anywhere
    #[arg(long, value_name = "GSS CODE")]
    wanted_areas: Vec<CouncilCode>,
    /// Week by which it is needed, such as 2026-W50
    #[arg(long, value_name = "WEEK")]
    needed_by: Option<String>,
    /// Week before which they do not move
    #[arg(long, value_name = "WEEK")]
    not_before: Option<String>,
    /// Also the places that will not do, and why
    #[arg(long)]
    all: bool,
}

impl SearchArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut fields = BTreeMap::from([
            ("people".to_owned(), self.people.to_string()),
            ("rooms_needed".to_owned(), self.rooms_needed.to_string()),
        ]);
        for (name, wanted) in [
            ("with_children", self.with_children),
            ("step_free_access", self.step_free_access),
            ("wheelchair_accessible", self.wheelchair_accessible),
            ("pets", self.pets),
        ] {
            if wanted {
                fields.insert(name.to_owned(), "true".to_owned());
            }
        }
        let weeks = [
            ("needed_by", &self.needed_by),
            ("not_before", &self.not_before),
        ];
        for (name, week) in weeks {
            fields.extend(week.clone().map(|week| (name.to_owned(), week)));
        }
        if !self.wanted_areas.is_empty() {
            let areas = self.wanted_areas.iter().map(CouncilCode::to_string);
            let areas = areas.collect::<Vec<String>>().join(";");
            fields.insert("wanted_areas".to_owned(), areas);
        }
        fields::check(RecordKind::Request, &fields)?;
        let search = Search {
            fields,
            with_excluded: self.all,
        };
        let found: Vec<Found> =
            context
                .client
                .look_up("/v1/search", &search, "searching the pools")?;
        context.show(&found)
    }
}

/// For what to suggest.
#[derive(Debug, clap::Args)]
pub(super) struct SuggestArgs {
    /// A request or a place, by its id; without it for the whole region
    id: Option<RecordId>,
}

impl SuggestArgs {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self.id {
            None => context.show(&context.client.get::<Suggestions>("/v1/suggestions")?),
            Some(id) => {
                let path = format!("/v1/suggestions/{id}");
                context.show(&context.client.get::<Vec<Match>>(&path)?)
            }
        }
    }
}
