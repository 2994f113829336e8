//! What several nouns do alike: list records, show one, write one, print a template.

use std::collections::BTreeMap;

use hyper::Method;
use smp_protocol::api::{Record, RecordChange, RecordEdit, Stored};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use super::Context;
use super::fields::{self, Setting};
use crate::exit::{self, Failure};
use crate::output::RecordList;

/// Whose records to list.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only this council's
    #[arg(long, value_name = "GSS CODE")]
    council: Option<CouncilCode>,
}

impl ListArgs {
    pub(super) fn run(&self, context: &Context, kinds: &[RecordKind]) -> Result<(), Failure> {
        let mut lists = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let path = match self.council {
                Some(council) => format!("/v1/records/{kind}?council={council}"),
                None => format!("/v1/records/{kind}"),
            };
            lists.push((*kind, context.client.get::<Vec<Record>>(&path)?));
        }
        context.show(&RecordList::new(lists))
    }
}

/// The one write option.
#[derive(Debug, clap::Args)]
pub(super) struct WriteArgs {
    /// Wait until another node holds it as well
    #[arg(long)]
    replicated: bool,
}

impl WriteArgs {
    pub(super) fn replicated(&self) -> bool {
        self.replicated
    }

    /// Sends one record's fields and prints what became of them.
    pub(super) fn send(
        &self,
        context: &Context,
        method: Method,
        path: &str,
        fields: BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        self.send_of(context, method, path, fields, None)
    }

    /// The same of a place whose host is said.
    pub(super) fn send_of(
        &self,
        context: &Context,
        method: Method,
        path: &str,
        fields: BTreeMap<String, String>,
        host: Option<RecordId>,
    ) -> Result<(), Failure> {
        let edit = RecordEdit {
            fields,
            replicated: self.replicated,
            host: host.map(|host| host.to_string()),
        };
        let doing = match self.replicated {
            true => "waiting until another node holds it",
            false => "waiting for the node",
        };
        let stored: Stored = context.client.send(method, path, &edit, doing)?;
        context.show(&stored)?;
        match self.replicated && !stored.records.is_empty() {
            true => held_elsewhere(stored.held_by),
            false => Ok(()),
        }
    }
}

/// For `--replicated`: a write that no other node holds is not what was asked for.
pub(super) fn held_elsewhere(held_by: usize) -> Result<(), Failure> {
    if held_by > 0 {
        return Ok(());
    }
    Err(Failure::new(
        exit::ATTENTION,
        "it is stored on this node, and no other node holds it yet",
        "`smp peers` says who can be reached; `smp documents` shows when another holds it",
    ))
}

/// Changes fields of one of this council's own records.
#[derive(Debug, clap::Args)]
pub(super) struct EditArgs {
    /// The record's id, as the lists print it
    id: RecordId,
    /// A field and its new value; nothing after the `=` clears an optional field
    #[arg(long = "set", value_name = "FIELD=VALUE", required = true)]
    settings: Vec<Setting>,
    #[command(flatten)]
    write: WriteArgs,
}

impl EditArgs {
    /// `kinds` are those of the noun, so that nobody edits a request as a host.
    pub(super) fn run(&self, context: &Context, kinds: &[RecordKind]) -> Result<(), Failure> {
        right_kind(self.id, kinds)?;
        let mut fields = BTreeMap::new();
        for setting in &self.settings {
            fields.insert(setting.field.clone(), setting.value.clone());
        }
        fields::check(self.id.kind(), &fields)?;
        let path = format!("/v1/record/{}", self.id);
        self.write.send(context, Method::PATCH, &path, fields)
    }
}

/// What became of one record.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// The record's id, as the lists print it
    id: RecordId,
}

impl HistoryArgs {
    /// `kinds` are those of the noun.
    pub(super) fn run(&self, context: &Context, kinds: &[RecordKind]) -> Result<(), Failure> {
        right_kind(self.id, kinds)?;
        let path = format!("/v1/history/{}", self.id);
        context.show(&context.client.get::<Vec<RecordChange>>(&path)?)
    }
}

/// Shows one record.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// The record's id, as the lists print it
    id: RecordId,
    /// Also what this council's own vault has about it: names, addresses, contact details
    #[arg(long)]
    personal: bool,
}

impl ShowArgs {
    pub(super) fn run(&self, context: &Context, kinds: &[RecordKind]) -> Result<(), Failure> {
        right_kind(self.id, kinds)?;
        let query = if self.personal { "?personal=true" } else { "" };
        let record: Record = context
            .client
            .get(&format!("/v1/record/{}{query}", self.id))?;
        context.show(&record)
    }
}

fn right_kind(id: RecordId, kinds: &[RecordKind]) -> Result<(), Failure> {
    if kinds.contains(&id.kind()) {
        return Ok(());
    }
    let noun = match id.kind() {
        RecordKind::Host => "hosts",
        RecordKind::Check => "checks",
        RecordKind::Place | RecordKind::Request | RecordKind::Contact => "pool",
        RecordKind::Listing | RecordKind::Interest => "housing",
        _ => "cases",
    };
    Err(Failure::refused(
        format!("{id} is a {}", id.kind()),
        format!("use `smp {noun}`"),
    ))
}

/// Prints the import template of a kind.
pub(super) fn template(context: &Context, kind: RecordKind) -> Result<(), Failure> {
    context.print(&context.client.get_text(&format!("/v1/template/{kind}"))?)
}
