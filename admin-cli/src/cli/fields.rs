//! Options out of the schema's table: `--available-from` sets `available_from`.
//!
//! The one table of fields feeds the options, their help and the first check of what was
//! typed; the node checks it again. A message says what is expected, never what was typed.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::LazyLock;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use smp_protocol::ids::RecordKind;
use smp_protocol::schema::{self, Field, FieldType};

use crate::exit::{self, Failure};

/// Of more codes than this the help does not list each.
const CODES_LISTED: usize = 16;

/// `field=value`, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) field: String,
    pub(super) value: String,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected FIELD=VALUE, such as state=closed";
        let (field, value) = text.split_once('=').ok_or(expected)?;
        if field.trim().is_empty() {
            return Err(expected);
        }
        Ok(Self {
            field: field.trim().replace('-', "_"),
            value: value.trim().to_owned(),
        })
    }
}

/// A kind of record that the command line makes.
pub(super) trait Kind {
    const KIND: RecordKind;
    /// What a new one is, unless something else is said.
    const DEFAULTS: &'static [(&'static str, &'static str)];
    /// The command, after `smp`.
    const COMMAND: &'static str;
}

/// A place in the pool.
#[derive(Debug, Clone)]
pub(super) struct Place;
impl Kind for Place {
    const KIND: RecordKind = RecordKind::Place;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("state", "open")];
    const COMMAND: &'static str = "pool place";
}

/// A request in the pool.
#[derive(Debug, Clone)]
pub(super) struct Request;
impl Kind for Request {
    const KIND: RecordKind = RecordKind::Request;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("state", "open")];
    const COMMAND: &'static str = "pool request";
}

/// A placement team's contact.
#[derive(Debug, Clone)]
pub(super) struct Contact;
impl Kind for Contact {
    const KIND: RecordKind = RecordKind::Contact;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[];
    const COMMAND: &'static str = "pool contact";
}

/// A home in the housing list.
#[derive(Debug, Clone)]
pub(super) struct Listing;
impl Kind for Listing {
    const KIND: RecordKind = RecordKind::Listing;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("state", "available")];
    const COMMAND: &'static str = "housing add";
}

/// The fields of a new record, from options named like them and from `--set`.
#[derive(Debug, Clone)]
pub(super) struct NewFields<K> {
    fields: BTreeMap<String, String>,
    kind: PhantomData<K>,
}

impl<K: Kind> NewFields<K> {
    /// The fields, once they are such as the node will take.
    pub(super) fn checked(self) -> Result<BTreeMap<String, String>, Failure> {
        let missing: Vec<String> = schema::fields_of(schema::NEWEST, K::KIND)
            .filter(|f| f.required && !self.fields.contains_key(f.name))
            .map(|f| format!("--{}", option(f)))
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                exit::USAGE,
                format!("a {} also needs {}", K::KIND, missing.join(", ")),
                format!("`smp {} --help` says what each means", K::COMMAND),
            ));
        }
        check(K::KIND, &self.fields)?;
        Ok(self.fields)
    }
}

impl<K: Kind> clap::FromArgMatches for NewFields<K> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut fields = BTreeMap::new();
        for field in schema::fields_of(schema::NEWEST, K::KIND) {
            if let Some(values) = matches.get_many::<String>(field.name) {
                let values: Vec<&str> = values.map(String::as_str).collect();
                fields.insert(field.name.to_owned(), values.join(";"));
            }
        }
        // `--set` wins over an option's default; nobody says both otherwise.
        for setting in matches.get_many::<Setting>("set").into_iter().flatten() {
            fields.insert(setting.field.clone(), setting.value.clone());
        }
        Ok(Self {
            fields,
            kind: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<K: Kind> clap::Args for NewFields<K> {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Fields");
        schema::fields_of(schema::NEWEST, K::KIND).fold(command, |command, field| {
            let default = K::DEFAULTS.iter().find(|(name, _)| *name == field.name);
            command.arg(argument(field, default.map(|(_, value)| *value)))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Field names as option names, kept for as long as clap wants them.
static OPTIONS: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let names = schema::fields(schema::NEWEST).iter().map(|f| f.name);
    names.map(|name| (name, name.replace('_', "-"))).collect()
});

fn option(field: &Field) -> &'static str {
    OPTIONS.get(field.name).map_or(field.name, String::as_str)
}

/// The option of one field.
fn argument(field: &'static Field, default: Option<&'static str>) -> Arg {
    let need = match (field.required, default) {
        (true, None) => " (needed)",
        _ => "",
    };
    let arg = Arg::new(field.name)
        .long(option(field))
        .action(ArgAction::Set)
        .default_value(default);
    let with_type = format!(
        "{}{need}: {}",
        field.meaning,
        schema::describe(field.accepts)
    );
    match field.accepts {
        FieldType::Boolean => arg
            .help(format!("{}{need}", field.meaning))
            .value_name("yes|no")
            .num_args(0..=1)
            .default_missing_value("yes"),
        FieldType::Code(codes) => arg
            .help(format!("{}{need}", field.meaning))
            .value_name("CODE")
            .ignore_case(true)
            .hide_possible_values(codes.len() > CODES_LISTED)
            .value_parser(PossibleValuesParser::new(codes)),
        FieldType::CodeSet(_)
        | FieldType::CouncilSet { .. }
        | FieldType::LanguageSet { .. }
        | FieldType::RecordSet { .. } => arg
            .help(with_type)
            .value_name("CODES")
            .action(ArgAction::Append),
        FieldType::Integer { .. } => arg.help(with_type).value_name("N"),
        FieldType::Day => arg.help(with_type).value_name("DATE"),
        FieldType::Week => arg.help(with_type).value_name("WEEK"),
        FieldType::Record(_) => arg.help(with_type).value_name("ID"),
        FieldType::Outcode
        | FieldType::Council
        | FieldType::Mailbox
        | FieldType::Telephone
        | FieldType::Instant => arg.help(with_type).value_name("VALUE"),
    }
}

/// Refuses what the node would refuse: fields that the kind has not, and values that they
/// do not take. An empty value clears a field.
pub(super) fn check(kind: RecordKind, fields: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (name, value) in fields {
        let Some(field) = schema::field_named(schema::NEWEST, kind, name) else {
            let names: Vec<&str> = schema::fields_of(schema::NEWEST, kind)
                .map(|f| f.name)
                .collect();
            return Err(Failure::refused(
                format!("a {kind} has no field of that name"),
                format!("its fields are {}", names.join(", ")),
            ));
        };
        let next = format!("give {name} such a value and run the command again");
        if value.is_empty() {
            if field.required {
                return Err(Failure::refused(
                    format!("{name} of a {kind} cannot be cleared: every {kind} has it"),
                    next,
                ));
            }
        } else if let Err(bad) = schema::parse_value(field, value) {
            return Err(Failure::refused(format!("{name}: {bad}"), next));
        }
    }
    Ok(())
}
