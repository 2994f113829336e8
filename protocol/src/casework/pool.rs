//! The pool: what it shows of cases, which is only that something is open, held or taken; and
//! requests that follow from others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Book, Stage};
use crate::ids::{CouncilCode, DocumentKind, RecordId, RecordKind};
use crate::schema::{self, Edit, FieldId, FieldType, Named, Value};
use crate::session::Member;
use crate::time::Day;

/// A state in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It can be matched.
    Open,
    /// It is locked for a case.
    Held,
    /// It is booked.
    Taken,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Taken => "taken",
        }
    }
}

/// The field `state` of a kind of record, and the value of one of its codes.
fn state_of(kind: RecordKind, word: &str) -> Option<(FieldId, Value)> {
    let field = schema::field_named(schema::newest(), kind, "state")?;
    let FieldType::Code(codes) = field.accepts else {
        return None;
    };
    let code = codes.iter().position(|code| *code == word)?;
    Some((field.id, Value::Code(u8::try_from(code).ok()?)))
}

/// Whether a state is among those that a place or request has.
fn says(record: RecordId, fields: &BTreeMap<FieldId, Vec<Value>>, word: &str) -> bool {
    state_of(record.kind(), word)
        .is_some_and(|(id, value)| fields.get(&id).is_some_and(|is| is.contains(&value)))
}

fn has_state(member: &Member, council: CouncilCode, record: RecordId, word: &str) -> bool {
    let pool = member.document(DocumentKind::RematchingPool.of(council));
    let fields = pool.and_then(|pool| pool.record(record));
    let wanted = state_of(record.kind(), word);
    fields
        .zip(wanted)
        .is_some_and(|(fields, (id, value))| fields.get(&id).is_some_and(|is| *is == [value]))
}

/// Whether a place or request of a council's pool is open.
pub(super) fn is_open(member: &Member, council: CouncilCode, record: RecordId) -> bool {
    has_state(member, council, record, State::Open.word())
}

/// Whether the officers of a council have closed a place or request, or never had it.
pub(super) fn is_closed(member: &Member, council: CouncilCode, record: RecordId) -> bool {
    let states = [State::Open, State::Held, State::Taken].map(State::word);
    !states
        .into_iter()
        .any(|word| has_state(member, council, record, word))
}

/// The edit that closes a place of this council; `None` where it is not open. What is held or taken
/// is not closed under the case.
pub fn closing(member: &Member, place: RecordId) -> Option<Edit> {
    let (field, closed) = state_of(place.kind(), "closed")?;
    let own = member.identity().council;
    is_open(member, own, place).then(|| Edit::Update {
        record: place,
        fields: vec![(field, Some(closed))],
    })
}

/// The council whose pool has a place.
pub(super) fn council_of(member: &Member, place: RecordId) -> Option<CouncilCode> {
    let members = member.roster().members.iter().map(|m| m.council);
    let mut has = members.filter(|council| {
        let pool = member.document(DocumentKind::RematchingPool.of(*council));
        pool.is_some_and(|pool| pool.record(place).is_some())
    });
    has.next()
}

/// How a place or request of this council stands by its cases.
pub fn state(book: &Book<CouncilCode, RecordId>, record: RecordId) -> State {
    let stage = match record.kind() {
        RecordKind::Place => book.stage_of_place(record),
        _ => book.stage_of_request(record),
    };
    match stage {
        // Locked all the same, where its proposal has fallen away with a cut.
        None if record.kind() == RecordKind::Place && book.lock_of_place(record).is_some() => {
            State::Held
        }
        None => State::Open,
        Some(stage) if stage.is_live() => State::Taken,
        Some(Stage::Proposed | Stage::Declined | Stage::Released | Stage::Over) => State::Open,
        Some(_) => State::Held,
    }
}

/// The edits that make this council's pool show how its cases stand. What no case ever locked is
/// left as its officers have it, and so is what they have closed. What is `settled` needs no place
/// any more: it is closed where its lock has ended.
///
/// Once every council has said what it holds, what is shown as locked by a case that does not count
/// is open again: a decider that had not heard that another decides may have written it.
pub(super) fn edits(
    member: &Member,
    book: &Book<CouncilCode, RecordId>,
    settled: &BTreeSet<RecordId>,
) -> Vec<Edit> {
    let own = member.identity().council;
    let (held, taken) = (State::Held.word(), State::Taken.word());
    let mut locked = book.ever_locked();
    if book.unsure_of.is_empty() {
        let pool = member.document(DocumentKind::RematchingPool.of(own));
        let records = pool.into_iter().flat_map(|pool| pool.records());
        let shown = records.filter(|(id, fields)| {
            let is = |word: &&str| says(*id, fields, word);
            [held, taken].iter().any(is)
        });
        locked.extend(shown.map(|(id, _)| id));
    }
    let shown = locked.into_iter().filter_map(|record| {
        let state = state(book, record);
        let word = match (state, settled.contains(&record)) {
            (State::Open, true) => "closed",
            _ => state.word(),
        };
        let (field, value) = state_of(record.kind(), word)?;
        // Of two nodes each may have written another.
        let fields = member.document(DocumentKind::RematchingPool.of(own))?;
        let fields = fields.record(record)?;
        let shows = |word: &&str| says(record, &fields, word);
        let moves = match state {
            // Only what a case has locked is opened again.
            State::Open => [held, taken].iter().any(shows),
            state => !has_state(member, own, record, state.word()),
        };
        let exists = ["open", held, taken, "closed"].iter().any(shows);
        (moves && exists).then(|| Edit::Update {
            record,
            fields: vec![(field, Some(value))],
        })
    });
    shown.collect()
}

/// The requests of this council from which others go on: a household is looked for once. What was
/// closed before any case locked it was a mistake, or is not looked for: nothing goes on in it.
pub(super) fn continued(member: &Member, book: &Book<CouncilCode, RecordId>) -> BTreeSet<RecordId> {
    let own = member.identity().council;
    let pool = member.document(DocumentKind::RematchingPool.of(own));
    let records = pool.into_iter().flat_map(|pool| pool.records());
    let locked = book.ever_locked();
    let mut continued = BTreeSet::new();
    for (id, fields) in records {
        let counts = locked.contains(&id) || !has_state(member, own, id, "closed");
        let fields = Named(id.kind(), &fields);
        let parents = fields.records("continues");
        continued.extend(parents.filter(|parent| counts && *parent != id));
    }
    continued
}

/// A new request that goes on from another of this council, in all that is not said otherwise; none
/// where two nodes have written different things of that one.
pub(super) fn following(
    member: &Member,
    parent: RecordId,
    id: RecordId,
    given: &[(FieldId, Option<Value>)],
) -> Option<Edit> {
    let own = member.identity().council;
    let pool = member.document(DocumentKind::RematchingPool.of(own))?;
    if is_in_conflict(member, parent) {
        return None;
    }
    let known = pool.record(parent)?.into_iter();
    let known = known.filter_map(|(field, values)| Some((field, values.into_iter().next()?)));
    let mut fields: BTreeMap<FieldId, Value> = known.collect();
    // What concerned the household as it was, or the place that it was to have.
    for name in ["reserved_for", "not_before"] {
        fields.remove(&schema::field_named(schema::newest(), id.kind(), name)?.id);
    }
    for (field, value) in given {
        match value {
            Some(value) => fields.insert(*field, value.clone()),
            None => fields.remove(field),
        };
    }
    let continues = schema::field_named(schema::newest(), id.kind(), "continues")?;
    fields.insert(continues.id, Value::Record(parent));
    let (state, open) = state_of(id.kind(), State::Open.word())?;
    fields.insert(state, open);
    Some(Edit::Create {
        record: id,
        fields: fields.into_iter().collect(),
    })
}

/// What says that a request is needed by a day.
pub(super) fn needed_by(day: Day) -> Vec<(FieldId, Option<Value>)> {
    let field = schema::field_named(schema::newest(), RecordKind::Request, "needed_by");
    let field = field.map(|field| (field.id, Some(Value::Week(day.week()))));
    field.into_iter().collect()
}

/// How many people a request is for, and how many adults are among them.
pub(super) fn people(edit: &Edit) -> (i64, i64) {
    let Edit::Create { record, fields } = edit else {
        return (0, 0);
    };
    let number = |name| {
        let field = schema::field_named(schema::newest(), record.kind(), name);
        let value = field.and_then(|field| fields.iter().find(|(id, _)| *id == field.id));
        match value {
            Some((_, Value::Integer(n))) => *n,
            _ => 0,
        }
    };
    (number("people"), number("adults"))
}

/// Whether a request of this council has two values of a field.
pub(super) fn is_in_conflict(member: &Member, request: RecordId) -> bool {
    let pool = DocumentKind::RematchingPool.of(member.identity().council);
    let fields = member.document(pool).and_then(|pool| pool.record(request));
    fields.is_some_and(|fields| fields.values().any(|values| values.len() > 1))
}

/// The edit that closes a request whatever its state is.
pub(super) fn closed(request: RecordId) -> Option<Edit> {
    let (field, closed) = state_of(request.kind(), "closed")?;
    Some(Edit::Update {
        record: request,
        fields: vec![(field, Some(closed))],
    })
}

/// Why an officer may not make an edit to the pool. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PoolRefusal {
    /// It would change what is locked under the case that locks it.
    #[error("{0} is held or taken for a case, and cannot be changed under it")]
    Locked(RecordId),
    /// Held and taken follow from cases alone.
    #[error("{0}: held and taken follow from cases, and are not typed in")]
    StateOfCases(RecordId),
}

/// Whether officers may make these edits to places and requests.
///
/// # Errors
/// [`PoolRefusal`] for the first that they may not make.
pub fn check_pool_edits(
    book: &Book<CouncilCode, RecordId>,
    edits: &[Edit],
) -> Result<(), PoolRefusal> {
    for edit in edits {
        let record = edit.record();
        if !matches!(record.kind(), RecordKind::Place | RecordKind::Request) {
            continue;
        }
        if matches!(edit, Edit::Update { .. }) && state(book, record) != State::Open {
            return Err(PoolRefusal::Locked(record));
        }
        let of_cases = [State::Held, State::Taken].map(|s| state_of(record.kind(), s.word()));
        let sets = of_cases
            .into_iter()
            .flatten()
            .any(|(field, value)| match edit {
                Edit::Create { fields, .. } => fields.contains(&(field, value)),
                Edit::Update { fields, .. } => fields.contains(&(field, Some(value))),
            });
        if sets {
            return Err(PoolRefusal::StateOfCases(record));
        }
    }
    Ok(())
}
