//! Facts as records: what a fact is in a document, and what a record of a document says.
//!
//! A record that does not say all that its fact needs is no fact; the gate lets none in.

use super::Fact;
use super::remark::{Noted, Remark};
use crate::ids::{RecordId, RecordKind};
use crate::schema::{self, Edit, FieldId, FieldType, Value};
use crate::time::{Day, UnixSeconds};

/// A fact, and what else was written with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Written {
    /// The record.
    pub(super) record: RecordId,
    /// What it says.
    pub(super) fact: Fact<RecordId>,
    /// When it was written, by the writing council's clock.
    pub(super) at: UnixSeconds,
    /// Of a hold: from when on its council lets go, if nothing is confirmed.
    pub(super) until: Option<UnixSeconds>,
    /// Of a hold: agreed by telephone and written down later.
    pub(super) agreed_by_phone: bool,
    /// Of what ends something: the index of the reason's code.
    pub(super) reason: Option<u8>,
}

/// What a record of a casework document is.
pub(super) enum Said {
    Opening { previous: Option<RecordId> },
    Comparison { opening: RecordId },
    Fact(Box<Written>),
    Remark(Noted),
}

pub(super) const AT: FieldId = FieldId(1);
pub(super) const OF: FieldId = FieldId(2);
pub(super) const THIRD: FieldId = FieldId(3);
pub(super) const FOURTH: FieldId = FieldId(4);
pub(super) const FIFTH: FieldId = FieldId(5);
const SIXTH: FieldId = FieldId(6);

/// The fields of a record while it is read. A field's number is its place in the table.
pub(super) struct Fields<'a>(&'a [(FieldId, Value)]);

impl Fields<'_> {
    fn value(&self, wanted: FieldId) -> Option<&Value> {
        self.0.iter().find(|(id, _)| *id == wanted).map(|(_, v)| v)
    }

    pub(super) fn record(&self, wanted: FieldId) -> Option<RecordId> {
        match self.value(wanted)? {
            Value::Record(id) => Some(*id),
            _ => None,
        }
    }

    fn instant(&self, wanted: FieldId) -> Option<UnixSeconds> {
        match self.value(wanted)? {
            Value::Instant(at) => Some(*at),
            _ => None,
        }
    }

    pub(super) fn day(&self, wanted: FieldId) -> Option<Day> {
        match self.value(wanted)? {
            Value::Day(day) => Some(*day),
            _ => None,
        }
    }

    fn number(&self, wanted: FieldId) -> Option<u32> {
        match self.value(wanted)? {
            Value::Integer(n) => u32::try_from(*n).ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, wanted: FieldId) -> Option<bool> {
        match self.value(wanted)? {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn code(&self, wanted: FieldId) -> Option<u8> {
        match self.value(wanted)? {
            Value::Code(code) => Some(*code),
            _ => None,
        }
    }
}

/// Reads one edit of a casework document, and when it was written.
pub(super) fn read(edit: &Edit) -> Option<(RecordId, UnixSeconds, Said)> {
    let Edit::Create { record, fields } = edit else {
        return None;
    };
    let (record, of) = (*record, Fields(fields));
    let at = of.instant(AT)?;
    let said = match record.kind() {
        RecordKind::Opening => Said::Opening {
            previous: of.record(OF),
        },
        RecordKind::Comparison => Said::Comparison {
            opening: of.record(OF)?,
        },
        _ => match Remark::read(record, &of) {
            Some(remark) => Said::Remark(Noted { record, at, remark }),
            None => Said::Fact(Box::new(Written {
                record,
                fact: read_fact(record, &of)?,
                at,
                until: of.instant(FIFTH),
                agreed_by_phone: of.flag(SIXTH).unwrap_or(false),
                reason: of.code(THIRD),
            })),
        },
    };
    Some((record, at, said))
}

fn read_fact(record: RecordId, of: &Fields<'_>) -> Option<Fact<RecordId>> {
    Some(match record.kind() {
        RecordKind::Proposal => Fact::Proposal {
            proposal: record,
            request: of.record(OF)?,
            places: match of.value(THIRD)? {
                Value::Records(places) => places.clone(),
                _ => return None,
            },
        },
        RecordKind::Hold => Fact::Hold {
            hold: record,
            proposal: of.record(OF)?,
            place: of.record(THIRD)?,
            number: of.number(FOURTH)?,
        },
        RecordKind::Confirmation => Fact::Confirmation {
            proposal: of.record(OF)?,
            hold: of.record(THIRD)?,
            request: of.record(FOURTH)?,
            number: of.number(FIFTH)?,
        },
        RecordKind::Placement => Fact::Placement {
            hold: of.record(OF)?,
        },
        RecordKind::Arrival => Fact::Arrival {
            hold: of.record(OF)?,
            arrived: of.flag(THIRD)?,
        },
        RecordKind::Release => Fact::Release {
            hold: of.record(OF)?,
        },
        RecordKind::Withdrawal => Fact::Withdrawal {
            proposal: of.record(OF)?,
        },
        RecordKind::Decline => Fact::Decline {
            proposal: of.record(OF)?,
        },
        _ => return None,
    })
}

/// The kind of record that says a fact.
pub(super) fn kind_of(fact: &Fact<RecordId>) -> RecordKind {
    match fact {
        Fact::Proposal { .. } => RecordKind::Proposal,
        Fact::Hold { .. } => RecordKind::Hold,
        Fact::Confirmation { .. } => RecordKind::Confirmation,
        Fact::Placement { .. } => RecordKind::Placement,
        Fact::Arrival { .. } => RecordKind::Arrival,
        Fact::Release { .. } => RecordKind::Release,
        Fact::Withdrawal { .. } => RecordKind::Withdrawal,
        Fact::Decline { .. } => RecordKind::Decline,
    }
}

/// The edit that says a fact.
pub(super) fn edit(written: &Written) -> Edit {
    let record = Value::Record;
    let number = |n: u32| Value::Integer(i64::from(n));
    let mut fields = vec![(AT, Value::Instant(written.at))];
    match &written.fact {
        Fact::Proposal {
            request, places, ..
        } => {
            let mut places = places.clone();
            places.sort_unstable();
            places.dedup();
            fields.push((OF, record(*request)));
            fields.push((THIRD, Value::Records(places)));
        }
        Fact::Hold {
            proposal,
            place,
            number: n,
            ..
        } => {
            fields.push((OF, record(*proposal)));
            fields.push((THIRD, record(*place)));
            fields.push((FOURTH, number(*n)));
            fields.extend(written.until.map(|until| (FIFTH, Value::Instant(until))));
            let by_phone = written.agreed_by_phone;
            fields.extend(by_phone.then_some((SIXTH, Value::Boolean(true))));
        }
        Fact::Confirmation {
            hold,
            proposal,
            request,
            number: n,
        } => {
            fields.push((OF, record(*proposal)));
            fields.push((THIRD, record(*hold)));
            fields.push((FOURTH, record(*request)));
            fields.push((FIFTH, number(*n)));
        }
        Fact::Arrival { hold, arrived } => {
            fields.push((OF, record(*hold)));
            fields.push((THIRD, Value::Boolean(*arrived)));
        }
        Fact::Placement { hold } => fields.push((OF, record(*hold))),
        Fact::Release { hold } => fields.push((OF, record(*hold))),
        Fact::Withdrawal { proposal } | Fact::Decline { proposal } => {
            fields.push((OF, record(*proposal)));
        }
    }
    if matches!(
        written.fact,
        Fact::Release { .. } | Fact::Withdrawal { .. } | Fact::Decline { .. }
    ) {
        fields.extend(written.reason.map(|code| (THIRD, Value::Code(code))));
    }
    Edit::Create {
        record: written.record,
        fields,
    }
}

/// The edit by which a decider begins to write; or goes on without its counterpart's answer.
pub(super) fn opening(
    record: RecordId,
    at: UnixSeconds,
    previous: Option<RecordId>,
    without_answer: bool,
) -> Edit {
    let mut fields = vec![(AT, Value::Instant(at))];
    fields.extend(previous.map(|id| (OF, Value::Record(id))));
    fields.extend(without_answer.then_some((THIRD, Value::Boolean(true))));
    Edit::Create { record, fields }
}

/// The edit that answers an opening.
pub(super) fn comparison(record: RecordId, at: UnixSeconds, opening: RecordId) -> Edit {
    let fields = vec![(AT, Value::Instant(at)), (OF, Value::Record(opening))];
    Edit::Create { record, fields }
}

/// Whether a household that ends a case for this reason looks for no other place.
pub(super) fn settles(reason: u8) -> bool {
    let field = schema::field_named(schema::newest(), RecordKind::Withdrawal, "reason");
    let word = match field.map(|field| field.accepts) {
        Some(FieldType::Code(codes)) => codes.get(usize::from(reason)),
        _ => None,
    };
    let settling = [
        "returned_to_ukraine",
        "another_country",
        "private_accommodation",
        "social_housing",
        "close_family",
        "chose_not_to_travel",
    ];
    word.is_some_and(|word| settling.contains(word))
}
