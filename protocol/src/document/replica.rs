//! The merge engine: executes admitted entries in automerge. The only file that names it.
//!
//! What goes in is typed edits; no byte from a peer is ever parsed by automerge. Each
//! replica executes an entry's edits as the entry's author, at the entry's dependencies,
//! with time 0, and so makes the same automerge change as every other replica (P-21).

use std::collections::{BTreeMap, HashMap};

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId, Automerge, AutomergeError, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValue,
    hydrate,
};
use serde::{Deserialize, Serialize};

use super::chain::Clock;
use super::entry::{ChainId, Place};
use crate::codec::{self, Blob, CodecError};
use crate::crypto::{self, Tag};
use crate::ids::{CouncilCode, Hash, RecordId};
use crate::limits;
use crate::schema::{self, Edit, FieldId, FieldType, Language, Value};
use crate::time::{Day, Week};

/// The map of records in the root of every document.
const RECORDS: &str = "records";

/// The merge engine did what it must never do; the replica has to be made again from the
/// entries. Not the fault of any peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the merge engine failed on admitted entries ({0}); restart the node to rebuild it")]
pub struct ReplicaError(String);

impl From<AutomergeError> for ReplicaError {
    fn from(error: AutomergeError) -> Self {
        Self(error.to_string())
    }
}

impl From<CodecError> for ReplicaError {
    fn from(error: CodecError) -> Self {
        Self(error.to_string())
    }
}

impl ReplicaError {
    /// The order of execution names an entry that is not held.
    pub(super) fn gap() -> Self {
        Self("an entry that is not held".to_owned())
    }
}

/// The fields of one record. More than one value in a field is a conflict for a person to
/// settle.
pub type RecordFields = BTreeMap<FieldId, Vec<Value>>;

/// A document's merged state.
pub(super) struct Replica {
    main: Automerge,
    /// For authors on a branch: the document at the past of their newest entry.
    copies: HashMap<ChainId, Copy>,
    /// Which copy was used when; the least lately used goes first.
    uses: u64,
    /// The change that each entry made, in the order of execution; `None` where it changed
    /// nothing.
    changes: Vec<Option<ChangeHash>>,
    /// Entries executed of each chain, as indices into `changes`.
    positions: BTreeMap<ChainId, Vec<usize>>,
}

/// A replica as it is put away: automerge's own bytes, and the change of each entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Packed {
    bytes: Blob,
    changes: Vec<Option<Hash>>,
    heads: Vec<Hash>,
    records: u64,
}

impl Packed {
    /// How many entries were executed.
    pub(super) fn entries(&self) -> usize {
        self.changes.len()
    }

    /// About how many bytes it takes encoded.
    pub(super) fn weight(&self) -> usize {
        self.bytes.0.len() + 33 * self.changes.len()
    }

    /// The automerge heads, ascending.
    pub(super) fn heads(&self) -> &[Hash] {
        &self.heads
    }

    /// How many records there are.
    pub(super) fn records(&self) -> usize {
        usize::try_from(self.records).unwrap_or(usize::MAX)
    }
}

struct Copy {
    doc: Automerge,
    /// The entries that it holds, its own chain's among them.
    clock: Clock,
    used: u64,
}

impl Replica {
    /// An empty document. Its first change is the same everywhere.
    pub(super) fn new() -> Result<Self, ReplicaError> {
        let mut main = Automerge::new().with_actor(ActorId::from(&[0u8; 16][..]));
        let mut genesis = main.transaction();
        genesis.put_object(ROOT, RECORDS, ObjType::Map)?;
        genesis.commit_with(CommitOptions::default().with_time(0));
        Ok(Self {
            main,
            copies: HashMap::new(),
            uses: 0,
            changes: Vec::new(),
            positions: BTreeMap::new(),
        })
    }

    /// Executes one entry whose past, `clock`, was executed before.
    pub(super) fn execute(
        &mut self,
        place: &Place,
        chain: ChainId,
        clock: &Clock,
        edits: &[Edit],
    ) -> Result<(), ReplicaError> {
        let past: u64 = clock.values().sum();
        let actor = actor(place, chain);
        let at_head = past == self.changes.len() as u64 || crate::broken!(PastIgnored);
        let change = if at_head {
            self.main.set_actor(actor);
            perform(&mut self.main, edits)?
        } else {
            self.execute_on_branch(chain, clock, &actor, edits)?
        };
        self.positions
            .entry(chain)
            .or_default()
            .push(self.changes.len());
        self.changes.push(change);
        Ok(())
    }

    /// Executes on a copy of the document as the author saw it, and takes the change over.
    fn execute_on_branch(
        &mut self,
        chain: ChainId,
        clock: &Clock,
        actor: &ActorId,
        edits: &[Edit],
    ) -> Result<Option<ChangeHash>, ReplicaError> {
        let mut copy = match self.copies.remove(&chain) {
            Some(mut copy) => {
                let missing = self.changes_between(&copy.clock, clock);
                copy.doc.apply_changes(missing)?;
                copy
            }
            None => self.copy_at(clock)?,
        };
        copy.doc.set_actor(actor.clone());
        let change = perform(&mut copy.doc, edits)?;
        if let Some(made) = change.and_then(|hash| copy.doc.get_change_by_hash(&hash)) {
            self.main.apply_changes([made])?;
        }
        copy.clock = clock.clone();
        *copy.clock.entry(chain).or_default() += 1;
        self.uses += 1;
        copy.used = self.uses;
        self.copies.insert(chain, copy);
        if self.copies.len() > limits::WORKING_COPIES {
            let oldest = self
                .copies
                .iter()
                .min_by_key(|(_, copy)| copy.used)
                .map(|(id, _)| *id);
            oldest.and_then(|id| self.copies.remove(&id));
        }
        Ok(change)
    }

    /// The changes of the entries in `to` and not in `from`, causes first.
    fn changes_between(&self, from: &Clock, to: &Clock) -> Vec<automerge::Change> {
        let mut wanted: Vec<usize> = Vec::new();
        for (chain, end) in to {
            let start = from.get(chain).copied().unwrap_or(0);
            let range = usize::try_from(start).unwrap_or(usize::MAX)
                ..usize::try_from(*end).unwrap_or(usize::MAX);
            if let Some(positions) = self.positions.get(chain).and_then(|p| p.get(range)) {
                wanted.extend(positions);
            }
        }
        wanted.sort_unstable();
        wanted
            .into_iter()
            .filter_map(|position| self.changes.get(position).copied().flatten())
            .filter_map(|hash| self.main.get_change_by_hash(&hash))
            .collect()
    }

    fn copy_at(&self, clock: &Clock) -> Result<Copy, ReplicaError> {
        let mut doc = Self::new()?.main;
        doc.apply_changes(self.changes_between(&Clock::new(), clock))?;
        Ok(Copy {
            doc,
            clock: clock.clone(),
            used: 0,
        })
    }

    /// Entries executed.
    pub(super) fn entries(&self) -> usize {
        self.changes.len()
    }

    /// Puts it away. What was kept for authors on a branch is made again when it is needed.
    pub(super) fn pack(&self) -> Packed {
        Packed {
            bytes: Blob(self.main.save()),
            changes: self.changes.iter().map(|c| c.map(|c| Hash(c.0))).collect(),
            heads: self.heads(),
            records: self.record_count() as u64,
        }
    }

    /// Takes out what [`Self::pack`] put away, of entries executed in this order. Bytes that
    /// come from this node's own store alone: what a peer sends never comes here.
    pub(super) fn unpack(
        packed: &Packed,
        order: impl Iterator<Item = ChainId>,
    ) -> Result<Self, ReplicaError> {
        let mut replica = Self::new()?;
        replica.main = Automerge::load(&packed.bytes.0)?;
        if heads_of(&replica.main) != packed.heads {
            return Err(ReplicaError("a snapshot that is not what it says".into()));
        }
        let changes = packed.changes.iter();
        replica.changes = changes.map(|c| c.map(|c| ChangeHash(c.0))).collect();
        for (position, chain) in order.take(packed.entries()).enumerate() {
            replica.positions.entry(chain).or_default().push(position);
        }
        Ok(replica)
    }

    /// The automerge heads, ascending: equal wherever the same entries were executed.
    pub(super) fn heads(&self) -> Vec<Hash> {
        heads_of(&self.main)
    }

    /// The document as automerge saves it: for snapshots and measurements.
    pub(super) fn save(&self) -> Vec<u8> {
        self.main.save()
    }

    /// The heads, ascending, of what is saved and then loaded.
    #[cfg(test)]
    pub(super) fn reloaded_heads(&self) -> Vec<Hash> {
        heads_of(&Automerge::load(&self.save()).unwrap())
    }

    /// One record.
    pub(super) fn record(&self, id: RecordId) -> Option<RecordFields> {
        let records = records_of(&self.main).ok()?;
        let (_, object) = self.main.get(&records, id.to_string()).ok().flatten()?;
        Some(fields_of(&self.main, &object, id))
    }

    /// Every record, ascending by id, each once.
    pub(super) fn records(&self) -> impl Iterator<Item = (RecordId, RecordFields)> + '_ {
        let object = records_of(&self.main).ok();
        let keys: Vec<String> = object
            .map(|o| self.main.keys(o).collect())
            .unwrap_or_default();
        keys.into_iter().filter_map(|key| {
            let id: RecordId = key.parse().ok()?;
            Some((id, self.record(id)?))
        })
    }

    /// How many records there are.
    pub(super) fn record_count(&self) -> usize {
        records_of(&self.main).map_or(0, |object| self.main.length(object))
    }
}

fn heads_of(doc: &Automerge) -> Vec<Hash> {
    let mut heads: Vec<Hash> = doc.get_heads().into_iter().map(|h| Hash(h.0)).collect();
    heads.sort_unstable();
    heads
}

/// The actor of a chain: the same on every replica, and its own in every generation.
fn actor(place: &Place, chain: ChainId) -> ActorId {
    let bytes = codec::encode(&(place.document, place.generation, chain));
    ActorId::from(&crypto::hash(Tag::Actor, &bytes).0[..])
}

fn records_of<D: ReadDoc>(doc: &D) -> Result<ObjId, AutomergeError> {
    match doc.get(ROOT, RECORDS)? {
        Some((_, object)) => Ok(object),
        None => Err(AutomergeError::InvalidObjId(RECORDS.to_owned())),
    }
}

/// Runs the edits as one transaction; `None` where they changed nothing.
fn perform(doc: &mut Automerge, edits: &[Edit]) -> Result<Option<ChangeHash>, AutomergeError> {
    let mut transaction = doc.transaction();
    let records = records_of(&transaction)?;
    for edit in edits {
        let key = edit.record().to_string();
        let existing = transaction.get(&records, key.as_str())?;
        match (edit, existing) {
            (Edit::Create { record, fields }, None) => {
                let map: HashMap<String, hydrate::Value> = fields
                    .iter()
                    .filter_map(|(id, value)| {
                        let name = name_of(*record, *id)?;
                        Some((name.to_owned(), hydrate::Value::Scalar(to_scalar(value))))
                    })
                    .collect();
                let map = hydrate::Value::Map(map.into());
                transaction.batch_create_object(&records, key, &map, false)?;
            }
            (Edit::Update { record, fields }, Some((_, object))) => {
                for (id, value) in fields {
                    if let Some(name) = name_of(*record, *id) {
                        update(&mut transaction, &object, name, value.as_ref())?;
                    }
                }
            }
            // Creating what is there and updating what is not change nothing (P-21).
            (Edit::Create { .. }, Some(_)) | (Edit::Update { .. }, None) => {}
        }
    }
    Ok(transaction
        .commit_with(CommitOptions::default().with_time(0))
        .0)
}

/// Sets or clears one field, unless it has just that value already.
fn update<T: Transactable>(
    transaction: &mut T,
    object: &ObjId,
    name: &str,
    value: Option<&Value>,
) -> Result<(), AutomergeError> {
    let held = transaction.get_all(object, name)?;
    match value {
        None if held.is_empty() => Ok(()),
        None => transaction.delete(object, name),
        Some(value) => {
            let scalar = to_scalar(value);
            let same = matches!(held.as_slice(), [(automerge::Value::Scalar(only), _)] if **only == scalar);
            if same {
                return Ok(());
            }
            transaction.put(object, name, scalar)
        }
    }
}

fn name_of(record: RecordId, id: FieldId) -> Option<&'static str> {
    schema::field(schema::NEWEST, record.kind(), id).map(|field| field.name)
}

fn fields_of(doc: &Automerge, object: &ObjId, id: RecordId) -> RecordFields {
    let mut out = RecordFields::new();
    for name in doc.keys(object) {
        let Some(field) = schema::field_named(schema::NEWEST, id.kind(), &name) else {
            continue;
        };
        let mut values: Vec<Value> = doc
            .get_all(object, name.as_str())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(value, _)| from_scalar(field.accepts, &value))
            .collect();
        values.sort_unstable();
        values.dedup();
        out.insert(field.id, values);
    }
    out
}

/// A value as automerge holds it. Sets are one scalar, so that two authors' sets conflict
/// whole and no set is merged into one that nobody chose.
fn to_scalar(value: &Value) -> ScalarValue {
    let joined = |items: Vec<&str>| ScalarValue::Str(items.join(" ").into());
    match value {
        Value::Boolean(yes) => ScalarValue::Boolean(*yes),
        Value::Integer(n) => ScalarValue::Int(*n),
        Value::Code(code) => ScalarValue::Uint(u64::from(*code)),
        Value::Codes(codes) => ScalarValue::Bytes(codes.clone()),
        Value::Day(day) => ScalarValue::Int(i64::from(day.0)),
        Value::Week(week) => ScalarValue::Int(i64::from(week.0)),
        Value::Record(id) => ScalarValue::Bytes(id.to_bytes().to_vec()),
        Value::Council(code) => ScalarValue::Str(code.as_str().into()),
        Value::Councils(codes) => joined(codes.iter().map(CouncilCode::as_str).collect()),
        Value::Languages(codes) => joined(codes.iter().map(Language::as_str).collect()),
        Value::Outcode(text) => ScalarValue::Str(text.as_str().into()),
        Value::Mailbox(text) => ScalarValue::Str(text.as_str().into()),
        Value::Telephone(text) => ScalarValue::Str(text.as_str().into()),
    }
}

/// Reads a value back by what its field accepts.
fn from_scalar(accepts: FieldType, value: &automerge::Value<'_>) -> Option<Value> {
    let automerge::Value::Scalar(scalar) = value else {
        return None;
    };
    let small = |n: i64| i32::try_from(n).ok();
    Some(match (accepts, scalar.as_ref()) {
        (FieldType::Boolean, ScalarValue::Boolean(yes)) => Value::Boolean(*yes),
        (FieldType::Integer { .. }, ScalarValue::Int(n)) => Value::Integer(*n),
        (FieldType::Code(_), ScalarValue::Uint(n)) => Value::Code(u8::try_from(*n).ok()?),
        (FieldType::CodeSet(_), ScalarValue::Bytes(codes)) => Value::Codes(codes.clone()),
        (FieldType::Day, ScalarValue::Int(n)) => Value::Day(Day(small(*n)?)),
        (FieldType::Week, ScalarValue::Int(n)) => Value::Week(Week(small(*n)?)),
        (FieldType::Record(_), ScalarValue::Bytes(bytes)) => {
            Value::Record(RecordId::from_bytes(bytes.as_slice().try_into().ok()?)?)
        }
        (FieldType::Council, ScalarValue::Str(text)) => Value::Council(text.parse().ok()?),
        (FieldType::CouncilSet { .. }, ScalarValue::Str(text)) => Value::Councils(
            text.split_whitespace()
                .filter_map(|c| c.parse().ok())
                .collect(),
        ),
        (FieldType::LanguageSet { .. }, ScalarValue::Str(text)) => Value::Languages(
            text.split_whitespace()
                .filter_map(|code| Language::try_from(code.to_owned()).ok())
                .collect(),
        ),
        (FieldType::Outcode, ScalarValue::Str(t)) => Value::Outcode(t.to_string().try_into().ok()?),
        (FieldType::Mailbox, ScalarValue::Str(t)) => Value::Mailbox(t.to_string().try_into().ok()?),
        (FieldType::Telephone, ScalarValue::Str(t)) => {
            Value::Telephone(t.to_string().try_into().ok()?)
        }
        _ => return None,
    })
}
