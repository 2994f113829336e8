//! What became of a record: who changed what, and when that came here.

use std::collections::{BTreeMap, BTreeSet};

use smp_protocol::api::RecordChange;
use smp_protocol::document::Unit;
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, FieldId, Value};
use smp_protocol::time::UnixSeconds;

use super::records::{name_of, not_found, readable};
use crate::engine::Core;
use crate::service::{Answer, Failure, FailureKind};

/// Every change of a record that counts here, the first one first; of a host also those of its
/// checks, in whose register they are. Work grows with the documents that may have it.
pub(super) fn of(core: &mut Core, id: RecordId) -> Answer<Vec<RecordChange>> {
    let wanted = wanted(core, id);
    let mut found: Vec<(UnixSeconds, RecordChange)> = Vec::new();
    for name in readable(core, id.kind()) {
        let log = core.log_of(name).map_err(|error| {
            let next = "look at the node's log (`journalctl -u smp-node`)";
            Failure::new(FailureKind::Internal, "store", error.to_string(), next)
        })?;
        for (at, units) in log {
            for unit in units {
                let changes = changes(core, name.council, &unit, &wanted, at);
                found.extend(changes.into_iter().map(|change| (at, change)));
            }
        }
    }
    if found.is_empty() {
        return Err(not_found(id));
    }
    // Stable: what came together stays in the order in which it came.
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, change)| change).collect())
}

/// The record, and of a host the checks.
fn wanted(core: &Core, id: RecordId) -> BTreeSet<RecordId> {
    let mut wanted = BTreeSet::from([id]);
    if id.kind() == RecordKind::Host {
        let checks = core.registers().checks.into_iter();
        let of_it = checks.filter(|check| check.host == id);
        wanted.extend(of_it.map(|check| check.id));
    }
    wanted
}

fn changes(
    core: &Core,
    council: CouncilCode,
    unit: &Unit,
    wanted: &BTreeSet<RecordId>,
    at: UnixSeconds,
) -> Vec<RecordChange> {
    // They were decoded when they were admitted.
    let steps = unit.steps.iter();
    let edits = steps.flat_map(|step| step.decode_edits().unwrap_or_default());
    let edits = edits.filter(|edit| wanted.contains(&edit.record()));
    let change = |edit: Edit| RecordChange {
        record: edit.record().to_string(),
        council: council.to_string(),
        council_name: name_of(core, council),
        node: unit.chain.node.to_string(),
        came: at.to_string(),
        what: match edit {
            Edit::Create { .. } => "created",
            Edit::Update { .. } => "changed",
        }
        .to_owned(),
        fields: fields(edit),
    };
    edits.map(change).collect()
}

fn fields(edit: Edit) -> BTreeMap<String, Option<String>> {
    let kind = edit.record().kind();
    let set: Vec<(FieldId, Option<Value>)> = match edit {
        Edit::Create { fields, .. } => {
            let set = fields.into_iter();
            set.map(|(id, value)| (id, Some(value))).collect()
        }
        Edit::Update { fields, .. } => fields,
    };
    let named = set.into_iter().filter_map(|(id, value)| {
        let field = schema::field(schema::NEWEST, kind, id)?;
        let text = value.map(|value| schema::format_value(field, &value));
        Some((field.name.to_owned(), text))
    });
    named.collect()
}
