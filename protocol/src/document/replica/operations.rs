//! The operations of one automerge change: what each edit writes, and over what.

use std::collections::HashMap;
use std::num::NonZeroU64;

use automerge::legacy::{ObjectId, Op, OpId, OpType};
use automerge::{
    ActorId, Automerge, AutomergeError, ObjId, ObjType, ReadDoc, ScalarValue, Value as Held,
};

use super::scalar::to_scalar;
use crate::ids::RecordId;
use crate::schema::{self, Edit, FieldId, Value};

/// What one field holds: each value, with the operation that put it there.
type Values = Vec<(OpId, ScalarValue)>;

/// What changes that the document does not show yet leave behind.
#[derive(Default)]
pub(super) struct Written {
    created: HashMap<RecordId, OpId>,
    fields: HashMap<(RecordId, FieldId), Values>,
}

/// The operations of one change, as they come about.
pub(super) struct Operations<'a> {
    doc: &'a Automerge,
    records: &'a ObjId,
    actor: &'a ActorId,
    next: NonZeroU64,
    list: Vec<Op>,
}

impl<'a> Operations<'a> {
    /// Of a change that follows on the document and on what is written after it; its first
    /// operation has the number `first`.
    pub(super) fn new(
        doc: &'a Automerge,
        records: &'a ObjId,
        actor: &'a ActorId,
        first: NonZeroU64,
    ) -> Self {
        Self {
            doc,
            records,
            actor,
            next: first,
            list: Vec::new(),
        }
    }

    pub(super) fn into_list(self) -> Vec<Op> {
        self.list
    }

    /// Adds what one edit does.
    pub(super) fn add(&mut self, edit: &Edit, written: &mut Written) -> Result<(), AutomergeError> {
        let id = edit.record();
        let created = written.created.get(&id).cloned();
        let held = match created {
            Some(_) => None,
            None => self.doc.get(self.records, id.to_string())?.map(|(_, o)| o),
        };
        let object = match (created, &held) {
            (Some(operation), _) => Some(operation),
            (None, Some(object)) => Some(operation_of(object)?),
            (None, None) => None,
        };
        match (edit, object) {
            (Edit::Create { fields, .. }, None) => self.create(id, fields, written),
            (Edit::Update { fields, .. }, Some(object)) => {
                for (field, value) in fields {
                    let Some(name) = name_of(id, *field) else {
                        continue;
                    };
                    let before = match (written.fields.get(&(id, *field)), &held) {
                        (Some(values), _) => values.clone(),
                        (None, Some(held)) => values_of(self.doc, held, name)?,
                        (None, None) => Vec::new(),
                    };
                    if let Some(after) = self.update(&object, name, before, value.as_ref()) {
                        written.fields.insert((id, *field), after);
                    }
                }
                Ok(())
            }
            // Creating what is there and updating what is not change nothing (P-21).
            (Edit::Create { .. }, Some(_)) | (Edit::Update { .. }, None) => Ok(()),
        }
    }

    fn create(
        &mut self,
        id: RecordId,
        fields: &[(FieldId, Value)],
        written: &mut Written,
    ) -> Result<(), AutomergeError> {
        let all = operation_of(self.records)?;
        let make = OpType::Make(ObjType::Map);
        let object = self.push(&all, &id.to_string(), make, Vec::new());
        let mut named: Vec<(&str, FieldId, &Value)> = fields
            .iter()
            .filter_map(|(field, value)| Some((name_of(id, *field)?, *field, value)))
            .collect();
        named.sort_unstable_by_key(|(name, ..)| *name);
        for (name, field, value) in named {
            let value = to_scalar(value);
            let put = self.push(&object, name, OpType::Put(value.clone()), Vec::new());
            written.fields.insert((id, field), vec![(put, value)]);
        }
        written.created.insert(id, object);
        Ok(())
    }

    /// Sets or clears one field, unless it has just that value already. What it holds then.
    fn update(
        &mut self,
        object: &OpId,
        name: &str,
        mut before: Values,
        value: Option<&Value>,
    ) -> Option<Values> {
        before.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let value = value.map(to_scalar);
        // Of several values, that of the last operation wins. It may be the wanted one.
        let winner = before.pop_if(|(_, last)| value.as_ref() == Some(last));
        let over: Vec<OpId> = before.into_iter().map(|(put, _)| put).collect();
        if over.is_empty() && (winner.is_some() || value.is_none()) {
            return None;
        }
        let Some(value) = value.filter(|_| winner.is_none()) else {
            self.push(object, name, OpType::Delete, over);
            return Some(Vec::from_iter(winner));
        };
        let put = self.push(object, name, OpType::Put(value.clone()), over);
        Some(vec![(put, value)])
    }

    fn push(&mut self, object: &OpId, key: &str, action: OpType, over: Vec<OpId>) -> OpId {
        let operation = OpId::new(self.next.get(), self.actor);
        self.next = self.next.saturating_add(1);
        self.list.push(Op {
            action,
            obj: ObjectId::Id(object.clone()),
            key: key.into(),
            pred: over.into(),
            insert: false,
        });
        operation
    }
}

/// The operation that made an object, or put a value.
fn operation_of(id: &ObjId) -> Result<OpId, AutomergeError> {
    match id {
        ObjId::Id(number, actor, _) => Ok(OpId::new(*number, actor)),
        ObjId::Root => Err(AutomergeError::InvalidObjId("the root".to_owned())),
    }
}

fn values_of(doc: &Automerge, object: &ObjId, name: &str) -> Result<Values, AutomergeError> {
    let mut values = Values::new();
    for (value, id) in doc.get_all(object, name)? {
        let scalar = match value {
            Held::Scalar(scalar) => scalar.into_owned(),
            Held::Object(_) => ScalarValue::Null,
        };
        values.push((operation_of(&id)?, scalar));
    }
    Ok(values)
}

fn name_of(record: RecordId, id: FieldId) -> Option<&'static str> {
    schema::field(schema::newest(), record.kind(), id).map(|field| field.name)
}
