//! Records: listing and showing them, writing one at a time.

use std::collections::BTreeMap;

use smp_protocol::api::{Record, RecordEdit, Stored};
use smp_protocol::document::RecordFields;
use smp_protocol::housing::Way;
use smp_protocol::ids::{CouncilCode, DocumentName, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, FieldId, Value};

use super::{Desk, cases, checks, document_of, homes, refused};
use crate::engine::{Core, HOST_OF_PLACE, clock, host_of_place};
use crate::import;
use crate::service::{Answer, Failure, FailureKind};
use crate::store::{Change, StoreError, Table};

/// What to do about an id that nothing has.
const LISTS: &str = "the lists print the ids: `smp hosts list`, `smp checks list`, `smp pool list`, \
                     `smp housing list`";

/// The records of a kind in every document that this council may read.
pub(super) fn list(core: &mut Core, kind: RecordKind, council: Option<CouncilCode>) -> Vec<Record> {
    let documents = readable(core, kind);
    let wanted = documents
        .into_iter()
        .filter(|name| council.is_none_or(|c| c == name.council));
    let mut out = Vec::new();
    for name in wanted {
        let Some(document) = core.member.document(name) else {
            continue;
        };
        let council_name = name_of(core, name.council);
        let records = document.records().filter(|(id, _)| id.kind() == kind);
        out.extend(records.map(|(id, fields)| view(id, name.council, &council_name, &fields)));
    }
    out
}

/// One record, with what this council's own vault has about it if that was asked for.
pub(super) fn show(core: &mut Core, id: RecordId, personal: bool) -> Answer<Record> {
    let found = readable(core, id.kind())
        .into_iter()
        .find_map(|name| Some((name, core.member.document(name)?.record(id)?)));
    let Some((name, fields)) = found else {
        return Err(not_found(id));
    };
    let mut record = view(id, name.council, &name_of(core, name.council), &fields);
    if personal && name.council == core.member.identity().council {
        record.personal = Some(vault_record(core, id).map_err(|error| broken(&error))?);
    }
    Ok(record)
}

/// What the vault holds of a record; empty where it holds nothing.
pub(super) fn vault_record(
    core: &Core,
    id: RecordId,
) -> Result<BTreeMap<String, String>, StoreError> {
    let bytes = core.store().get(Table::Vault, &id.to_bytes())?;
    // Written by this program, under a checksum.
    Ok(bytes
        .and_then(|b| serde_json::from_slice(&b).ok())
        .unwrap_or_default())
}

pub(super) fn broken(error: &StoreError) -> Failure {
    Failure::new(
        FailureKind::Internal,
        "store",
        error.to_string(),
        "nothing was changed; look at the node's log (`journalctl -u smp-node`)",
    )
}

pub(super) fn not_found(id: RecordId) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "not_found",
        format!("no document that this council may read has {id}"),
        LISTS,
    )
}

pub(super) fn readable(core: &Core, kind: RecordKind) -> Vec<DocumentName> {
    let own = core.member.identity().council;
    let Some(document) = document_of(kind) else {
        return Vec::new();
    };
    let members = core.member.roster().members.iter();
    members
        .map(|member| document.of(member.council))
        .filter(|name| core.member.may_read(*name, own))
        .collect()
}

pub(super) fn name_of(core: &Core, council: CouncilCode) -> String {
    let member = core.member.roster().member(council);
    member.map_or_else(|| council.to_string(), |member| member.name.clone())
}

fn view(id: RecordId, council: CouncilCode, council_name: &str, fields: &RecordFields) -> Record {
    let mut texts = BTreeMap::new();
    let mut conflicts = Vec::new();
    for (number, values) in fields {
        let Some(field) = schema::field(schema::NEWEST, id.kind(), *number) else {
            continue;
        };
        let values = values
            .iter()
            .map(|value| schema::format_value(field, value));
        let values: Vec<String> = values.collect();
        if values.len() > 1 {
            conflicts.push(field.name.to_owned());
        }
        texts.insert(field.name.to_owned(), values);
    }
    Record {
        id: id.to_string(),
        council: council.to_string(),
        council_name: council_name.to_owned(),
        fields: texts,
        conflicts,
        personal: None,
    }
}

/// Reads fields by name; an empty text is `None`.
pub(super) fn parse(
    kind: RecordKind,
    edit: &RecordEdit,
) -> Answer<BTreeMap<FieldId, Option<Value>>> {
    let mut out = BTreeMap::new();
    for (name, text) in &edit.fields {
        let bad = |message: String| {
            let names = schema::fields_of(schema::NEWEST, kind).map(|field| field.name);
            let names: Vec<&str> = names.collect();
            let next = format!("the fields of a {kind} are: {}", names.join(", "));
            Failure::new(FailureKind::BadRequest, "bad_field", message, next)
        };
        let field = schema::field_named(schema::NEWEST, kind, name)
            .ok_or_else(|| bad(format!("a {kind} has no such field")))?;
        let value = if text.trim().is_empty() {
            None
        } else {
            let parsed = schema::parse_value(field, text);
            Some(parsed.map_err(|error| bad(format!("{name}: {error}")))?)
        };
        out.insert(field.id, value);
    }
    Ok(out)
}

impl Desk {
    pub(super) async fn create_record(&self, kind: RecordKind, edit: RecordEdit) -> Answer<Stored> {
        let edit = match kind {
            RecordKind::Check => checks::with_days(edit, true, &self.targets()),
            RecordKind::Interest => homes::with_day(edit),
            _ => edit,
        };
        if kind == RecordKind::Check {
            self.must_be_of_a_host(&edit).await?;
        }
        let given = parse(kind, &edit)?;
        let mut random = [0; 15];
        getrandom::fill(&mut random).map_err(|_| no_randomness())?;
        let record = RecordId::new(kind, random);
        let mut fields: BTreeMap<FieldId, Value> = import::defaults(kind).into_iter().collect();
        fields.extend(
            given
                .into_iter()
                .filter_map(|(id, value)| Some((id, value?))),
        );
        let fields = fields.into_iter().collect();
        let whose = match &edit.host {
            Some(host) => vec![self.host_of(record, host).await?],
            None => Vec::new(),
        };
        let create = Edit::Create { record, fields };
        self.store_edit(create, |_| Ok(whose), edit.replicated)
            .await
    }

    /// What the vault is to say of a new place: a host of this council's own register. At the
    /// decider alone, which closes it: another node has a vault of its own.
    async fn host_of(&self, place: RecordId, host: &str) -> Answer<Change> {
        let bad = |message: String| {
            let next = "nothing was changed; `smp hosts list` prints the ids of hosts";
            Failure::new(FailureKind::BadRequest, "bad_field", message, next)
        };
        let host: RecordId = host
            .parse()
            .map_err(|error| bad(format!("host: {error}")))?;
        let both = (place.kind(), host.kind()) == (RecordKind::Place, RecordKind::Host);
        if !both {
            return Err(bad(
                "only a place has a host, and only a host has places".to_owned()
            ));
        }
        let is_here = move |core: &mut Core| {
            let shown = show(core, host, false)?;
            // So there is one council that offers places at a host, whoever may read of it.
            if shown.council != core.member.identity().council.to_string() {
                return Err(Failure::new(
                    FailureKind::Conflict,
                    "not_ours",
                    format!("{host} is in the register of {}", shown.council_name),
                    format!(
                        "nothing was changed; places at it are {}'s to offer: `smp pool list contacts` \
                         says how to reach it",
                        shown.council_name
                    ),
                ));
            }
            cases::must_decide(core)
        };
        self.ask(is_here).await??;
        Ok(host_of_place(place, host))
    }

    pub(super) async fn update_record(&self, id: RecordId, edit: RecordEdit) -> Answer<Stored> {
        self.update_with(id, edit, |_| Ok(Vec::new())).await
    }

    /// The same, with what the vault is to keep of it, or why it is not to be.
    pub(super) async fn update_with(
        &self,
        id: RecordId,
        edit: RecordEdit,
        private: impl FnOnce(&Core) -> Answer<Vec<Change>> + Send + 'static,
    ) -> Answer<Stored> {
        let edit = match id.kind() {
            RecordKind::Check => checks::with_days(edit, false, &self.targets()),
            _ => edit,
        };
        let fields = parse(id.kind(), &edit)?.into_iter().collect();
        let known = self
            .ask(move |core| {
                let own = core.member.identity().council;
                let document = document_of(id.kind()).map(|kind| kind.of(own));
                let document = document.and_then(|name| core.member.document(name));
                document.is_some_and(|document| document.record(id).is_some())
            })
            .await?;
        if !known {
            return Err(Failure::new(
                FailureKind::NotFound,
                "not_found",
                format!(
                    "this council has no {id}; another council's records are its own to change"
                ),
                LISTS,
            ));
        }
        if let Some(host) = &edit.host {
            let said = self.host_of(id, host).await?;
            if edit.fields.is_empty() {
                return self.say_host(id, said).await;
            }
            return Err(Failure::new(
                FailureKind::BadRequest,
                "bad_field",
                "host: whose a place is, is said by itself",
                "nothing was changed; `smp pool host --help`",
            ));
        }
        self.store_edit(
            Edit::Update { record: id, fields },
            private,
            edit.replicated,
        )
        .await
    }

    /// Says whose a place is at a node that does not know: it was made where the council's decisions
    /// were taken before. What is known is not changed, since a case may be about it.
    async fn say_host(&self, place: RecordId, said: Change) -> Answer<Stored> {
        let say = move |core: &mut Core| {
            let kept = vault_record(core, place).map_err(|error| broken(&error))?;
            if kept.contains_key(HOST_OF_PLACE) {
                return Err(Failure::new(
                    FailureKind::Conflict,
                    "known",
                    format!("it is known here whose {place} is"),
                    "nothing was changed; where it is wrong, close the place and make another: \
                     `smp pool place --help`",
                ));
            }
            core.also_store([said]);
            core.look_at_places();
            Ok(())
        };
        self.write(say).await??;
        Ok(Stored {
            records: vec![place.to_string()],
            held_by: 0,
        })
    }

    async fn store_edit(
        &self,
        edit: Edit,
        private: impl FnOnce(&Core) -> Answer<Vec<Change>> + Send + 'static,
        replicated: bool,
    ) -> Answer<Stored> {
        let record = edit.record();
        let Some(document) = document_of(record.kind()) else {
            return Err(not_found(record));
        };
        let receipts = self
            .write(move |core| {
                let edits = vec![edit];
                cases::guard(core, &edits)?;
                homes::guard(core, &edits, Way::Step)?;
                let mut private = private(core)?;
                homes::forget_offers(core, &edits, &mut private)?;
                let written = core.member.write(&[(document, edits)], clock());
                let receipts = written.map_err(|error| refused(&error))?;
                core.also_store(private);
                Ok::<_, Failure>(receipts)
            })
            .await??;
        let held_by = self.held_by(receipts, replicated).await;
        Ok(Stored {
            records: vec![record.to_string()],
            held_by,
        })
    }
}

pub(super) fn no_randomness() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        "no_randomness",
        "the operating system gives no random bytes",
        "nothing was changed; try again",
    )
}
