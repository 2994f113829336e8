//! `smp pool`.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::{Subcommand, ValueEnum};
use hyper::Method;
use smp_protocol::api::{Split, Stored};
use smp_protocol::ids::{RecordId, RecordKind};

use super::Context;
use super::fields::{Contact, Kind, NewFields, Place, Request, Setting};
use super::import::ImportArgs;
use super::search::{self, SearchArgs, SuggestArgs};
use super::shared::{self, EditArgs, HistoryArgs, ListArgs, ShowArgs, WriteArgs};
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp pool place --rooms 2 --people 4 --area E08000021 --available-from 2026-12-01
  smp pool request --people 3 --adults 1 --rooms-needed 2 --urgency soon --with-children
  smp pool list";

const PLACE_EXAMPLES: &str = "\
Examples:
  smp pool place --rooms 2 --people 4 --accommodation-type sponsor --area E08000021 \\
      --available-from 2026-12-01
  smp pool place --rooms 1 --people 2 --step-free-access --allow-pet no --emergency
  smp pool place --rooms 1 --people 2 --host host-aebagbafaydqqcikbmga2dqp
  smp pool place --rooms 1 --people 1 --set postcode_district=NE6 --replicated";

const REQUEST_EXAMPLES: &str = "\
Examples:
  smp pool request --people 3 --adults 1 --rooms-needed 2 --with-children --urgency soon \\
      --needed-by 2026-W50
  smp pool request --people 1 --adults 1 --rooms-needed 1 --urgency emergency \\
      --wanted-areas E08000021 --wanted-areas E08000037";

const CONTACT_EXAMPLES: &str = "\
Examples:
  smp pool contact --mailbox placements@council.example.org --telephone \"01632 960123\" \\
      --opens-at 09:00 --closes-at 17:00";

const HOST_EXAMPLES: &str = "\
Examples:
  smp pool host place-aebagbafaydqqcikbmga2dqp host-aebagbafaydqqcikbmga2dqp";

const HISTORY_EXAMPLES: &str = "\
Examples:
  smp pool history place-aebagbafaydqqcikbmga2dqp";

const LIST_EXAMPLES: &str = "\
Examples:
  smp pool list
  smp pool list places --council E08000021
  smp pool list requests --output csv > requests.csv";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp pool show place-aebagbafaydqqcikbmga2dqp
  smp pool show place-aebagbafaydqqcikbmga2dqp --output json";

const EDIT_EXAMPLES: &str = "\
Examples:
  smp pool edit place-aebagbafaydqqcikbmga2dqp --set state=closed
  smp pool edit request-aebagbafaydqqcikbmga2dqp --set urgency=emergency --replicated";

const SPLIT_EXAMPLES: &str = "\
Examples:
  smp pool split request-aebagbafaydqqcikbmga2dqp --into people=2,adults=1,rooms_needed=1 \\
      --into people=1,adults=1,rooms_needed=1

The request is closed, and what was proposed for it is withdrawn. The parts are for as many people
and adults as it was; what is not said of a part is as in the request. Several values of one field
are joined by semicolons.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  smp pool import place places.csv --dry-run
  smp pool import request requests.xlsx";

const TEMPLATE_EXAMPLES: &str = "\
Examples:
  smp pool template place > places.csv
  smp pool template request > requests.csv";

/// What can be imported into the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum PoolKind {
    /// Places that are offered
    Place,
    /// Requests that look for one
    Request,
}

impl PoolKind {
    fn kind(self) -> RecordKind {
        match self {
            Self::Place => RecordKind::Place,
            Self::Request => RecordKind::Request,
        }
    }
}

/// What to list of the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Listed {
    /// Places and requests
    All,
    /// Places that are offered
    Places,
    /// Requests that look for one
    Requests,
    /// Each council's placement team
    Contacts,
}

impl Listed {
    fn kinds(self) -> &'static [RecordKind] {
        match self {
            Self::All => &[RecordKind::Place, RecordKind::Request],
            Self::Places => &[RecordKind::Place],
            Self::Requests => &[RecordKind::Request],
            Self::Contacts => &[RecordKind::Contact],
        }
    }
}

/// A new record, from options named like its fields.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs<K: Kind + Clone + Send + Sync + 'static> {
    #[command(flatten)]
    fields: NewFields<K>,
    /// A field by its name in the schema, as an option of its own name would set it
    #[arg(
        long = "set",
        id = "set",
        value_name = "FIELD=VALUE",
        help_heading = "Options"
    )]
    _settings: Vec<Setting>,
    #[command(flatten, next_help_heading = "Options")]
    write: WriteArgs,
}

impl<K: Kind + Clone + Send + Sync + 'static> NewArgs<K> {
    pub(super) fn run(self, context: &Context, host: Option<RecordId>) -> Result<(), Failure> {
        let path = format!("/v1/records/{}", K::KIND);
        let fields = self.fields.checked()?;
        self.write
            .send_of(context, Method::POST, &path, fields, host)
    }
}

/// One part of a request that is split.
#[derive(Debug, Clone)]
pub(super) struct Part(BTreeMap<String, String>);

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut part = BTreeMap::new();
        for setting in text.split(',').map(str::parse::<Setting>) {
            let Setting { field, value } = setting?;
            if part.insert(field, value).is_some() {
                return Err("a field is named twice");
            }
        }
        Ok(Self(part))
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Pool {
    /// What became of a place, request or contact: who changed what, and when that came here
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Offers a place at one of this council's hosts
    #[command(after_help = PLACE_EXAMPLES)]
    Place {
        #[command(flatten)]
        new: NewArgs<Place>,
        /// Whose place it is: a host of this council's own register. Only this council
        /// knows; the place is closed when a check of the host fails or runs out
        #[arg(long, value_name = "ID", help_heading = "Options")]
        host: Option<RecordId>,
    },
    /// Says whose a place is, at a node that does not know: another one decided before
    #[command(after_help = HOST_EXAMPLES)]
    Host {
        /// The place's id
        place: RecordId,
        /// The host's id, in this council's own register. Only this council knows
        host: RecordId,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Looks for a place for a household of this council's
    #[command(after_help = REQUEST_EXAMPLES)]
    Request(NewArgs<Request>),
    /// Says how this council's placement team is reached
    #[command(after_help = CONTACT_EXAMPLES)]
    Contact(NewArgs<Contact>),
    /// Lists places and requests of the region
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// What to list
        #[arg(default_value = "all")]
        what: Listed,
        #[command(flatten)]
        args: ListArgs,
    },
    /// Finds places of the region that would do for a household, best first
    #[command(after_help = search::SEARCH_EXAMPLES)]
    Search(SearchArgs),
    /// Suggests places for a request, requests for a place, or who goes where in the region
    #[command(after_help = search::SUGGEST_EXAMPLES)]
    Suggest(SuggestArgs),
    /// Changes one of this council's own places, requests or contacts
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(EditArgs),
    /// Makes several requests of one: a household that does not stay together
    #[command(after_help = SPLIT_EXAMPLES)]
    Split {
        /// The request's id
        request: RecordId,
        /// What one part needs, as FIELD=VALUE,FIELD=VALUE; once for each part
        #[arg(long, value_name = "FIELDS", required = true)]
        into: Vec<Part>,
    },
    /// Shows one place, request or contact, with every field
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Imports a file of places or requests; all of it or nothing
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// What the file holds
        kind: PoolKind,
        #[command(flatten)]
        args: ImportArgs,
    },
    /// Prints an import template, as CSV
    #[command(after_help = TEMPLATE_EXAMPLES)]
    Template {
        /// What the file will hold
        kind: PoolKind,
    },
}

/// What can be shown and edited here.
const KINDS: &[RecordKind] = &[RecordKind::Place, RecordKind::Request, RecordKind::Contact];

impl Pool {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::History(args) => args.run(context, KINDS),
            Self::Place { new, host } => new.run(context, host),
            Self::Host { place, host, write } => {
                let path = format!("/v1/record/{place}");
                write.send_of(context, Method::PATCH, &path, BTreeMap::new(), Some(host))
            }
            Self::Request(new) => new.run(context, None),
            Self::Contact(new) => new.run(context, None),
            Self::List { what, args } => args.run(context, what.kinds()),
            Self::Search(args) => args.run(context),
            Self::Suggest(args) => args.run(context),
            Self::Split { request, into } => {
                let into = into.into_iter().map(|part| part.0).collect();
                let doing = "waiting for the node";
                let path = format!("/v1/record/{request}/split");
                let stored: Stored =
                    context
                        .client
                        .send(Method::POST, &path, &Split { into }, doing)?;
                context.show(&stored)
            }
            Self::Show(args) => args.run(context, KINDS),
            Self::Edit(args) => args.run(context, KINDS),
            Self::Import { kind, args } => args.run(context, kind.kind()),
            Self::Template { kind } => shared::template(context, kind.kind()),
        }
    }
}
