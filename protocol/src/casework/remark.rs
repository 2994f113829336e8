//! Remarks: what two councils tell each other of a case beside what is decided in it.
//!
//! A remark locks nothing, ends nothing and moves no case to another stage, so no rule of booking
//! depends on one. They count and are ordered as facts are (docs/BOOKING.md), and follow from what
//! was written alone: there is no clock here.

use std::collections::BTreeMap;

use super::Stage;
use super::record::{AT, FIFTH, FOURTH, Fields, OF, THIRD};
use crate::ids::{RecordId, RecordKind};
use crate::schema::{Edit, Value};
use crate::time::{Day, UnixSeconds};

/// What is told. Codes are indices into the lists of the schema's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remark {
    /// The booking ends on this day.
    Ended {
        /// The case.
        proposal: RecordId,
        /// Its last day.
        on: Day,
        /// Why.
        reason: Option<u8>,
    },
    /// The host council becomes responsible for the household, once both councils have said the
    /// same day.
    Transfer {
        /// The case.
        proposal: RecordId,
        /// The first day of that.
        on: Day,
    },
    /// A question.
    Enquiry {
        /// The case.
        proposal: RecordId,
        /// What is asked.
        question: u8,
    },
    /// Its answer.
    Answer {
        /// The question.
        enquiry: RecordId,
        /// What is answered.
        answer: u8,
    },
    /// The writing council's own host or household has agreed, or took it back.
    Consent {
        /// The case.
        proposal: RecordId,
        /// When they said so.
        on: Day,
        /// How they said so.
        method: u8,
        /// Whether they agreed.
        given: bool,
    },
    /// A check of the host of the place has failed or run out, or does no more. Which, and why, is
    /// not said: the other council may not read the register.
    Concern {
        /// The hold of the place.
        hold: RecordId,
        /// Whether it is so.
        stands: bool,
    },
}

/// A remark as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Noted {
    pub(super) record: RecordId,
    pub(super) at: UnixSeconds,
    pub(super) remark: Remark,
}

impl Remark {
    pub(super) fn kind(&self) -> RecordKind {
        match self {
            Self::Ended { .. } => RecordKind::Ended,
            Self::Transfer { .. } => RecordKind::Transfer,
            Self::Enquiry { .. } => RecordKind::Enquiry,
            Self::Answer { .. } => RecordKind::Answer,
            Self::Consent { .. } => RecordKind::Consent,
            Self::Concern { .. } => RecordKind::Concern,
        }
    }

    /// The case that it is of; `of_hold` and `of_enquiry` say which case those are of.
    pub(super) fn case(
        &self,
        of_hold: impl Fn(RecordId) -> Option<RecordId>,
        of_enquiry: impl Fn(RecordId) -> Option<RecordId>,
    ) -> Option<RecordId> {
        match self {
            Self::Ended { proposal, .. }
            | Self::Transfer { proposal, .. }
            | Self::Enquiry { proposal, .. }
            | Self::Consent { proposal, .. } => Some(*proposal),
            Self::Answer { enquiry, .. } => of_enquiry(*enquiry),
            Self::Concern { hold, .. } => of_hold(*hold),
        }
    }

    /// Reads a record that is a remark.
    pub(super) fn read(record: RecordId, of: &Fields<'_>) -> Option<Self> {
        Some(match record.kind() {
            RecordKind::Ended => Self::Ended {
                proposal: of.record(OF)?,
                on: of.day(THIRD)?,
                reason: of.code(FOURTH),
            },
            RecordKind::Transfer => Self::Transfer {
                proposal: of.record(OF)?,
                on: of.day(THIRD)?,
            },
            RecordKind::Enquiry => Self::Enquiry {
                proposal: of.record(OF)?,
                question: of.code(THIRD)?,
            },
            RecordKind::Answer => Self::Answer {
                enquiry: of.record(OF)?,
                answer: of.code(THIRD)?,
            },
            RecordKind::Consent => Self::Consent {
                proposal: of.record(OF)?,
                on: of.day(THIRD)?,
                method: of.code(FOURTH)?,
                given: of.flag(FIFTH)?,
            },
            RecordKind::Concern => Self::Concern {
                hold: of.record(OF)?,
                stands: of.flag(THIRD)?,
            },
            _ => return None,
        })
    }
}

/// The edit that writes a remark.
pub(super) fn edit(noted: &Noted) -> Edit {
    let (record, code) = (Value::Record, Value::Code);
    let mut fields = vec![(AT, Value::Instant(noted.at))];
    match &noted.remark {
        Remark::Ended {
            proposal,
            on,
            reason,
        } => {
            fields.extend([(OF, record(*proposal)), (THIRD, Value::Day(*on))]);
            fields.extend(reason.map(|reason| (FOURTH, code(reason))));
        }
        Remark::Transfer { proposal, on } => {
            fields.extend([(OF, record(*proposal)), (THIRD, Value::Day(*on))]);
        }
        Remark::Enquiry { proposal, question } => {
            fields.extend([(OF, record(*proposal)), (THIRD, code(*question))]);
        }
        Remark::Answer { enquiry, answer } => {
            fields.extend([(OF, record(*enquiry)), (THIRD, code(*answer))]);
        }
        Remark::Consent {
            proposal,
            on,
            method,
            given,
        } => fields.extend([
            (OF, record(*proposal)),
            (THIRD, Value::Day(*on)),
            (FOURTH, code(*method)),
            (FIFTH, Value::Boolean(*given)),
        ]),
        Remark::Concern { hold, stands } => {
            fields.extend([(OF, record(*hold)), (THIRD, Value::Boolean(*stands))]);
        }
    }
    Edit::Create {
        record: noted.record,
        fields,
    }
}

/// Which of the two councils of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// The one that has the household.
    Guest,
    /// The one that has the place.
    Host,
}

/// A question, and what was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Its name.
    pub enquiry: RecordId,
    /// Who asked.
    pub by: Side,
    /// When.
    pub at: UnixSeconds,
    /// What is asked.
    pub question: u8,
    /// What the other council answered, and when.
    pub answer: Option<(u8, UnixSeconds)>,
}

/// When a booking ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// The record that says it.
    pub record: RecordId,
    /// Who said so last.
    pub by: Side,
    /// When.
    pub at: UnixSeconds,
    /// Its last day.
    pub on: Day,
    /// Why.
    pub reason: Option<u8>,
}

/// That the host council becomes responsible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The record that offers it.
    pub offer: RecordId,
    /// From this day on, by the guest council.
    pub on: Day,
    /// When that offered it.
    pub offered: UnixSeconds,
    /// When the host council agreed to the same day, if it has, and the record that says it.
    pub agreed: Option<(UnixSeconds, RecordId)>,
}

/// What one side's own people said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consent {
    /// When.
    pub on: Day,
    /// How.
    pub method: u8,
    /// Whether they agreed.
    pub given: bool,
}

/// What all remarks of a case come to. Of what was said again, the last counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Remarks {
    /// When the booking ends, as each side said last: at most one of each, the earlier day first.
    pub ends: Vec<Ending>,
    /// From when the host council is to be responsible, as the guest council said last.
    pub transfer: Option<Transfer>,
    /// The last day that both have said. Neither takes it back alone.
    pub moves: Option<Day>,
    /// Questions, in the order in which they were asked.
    pub questions: Vec<Question>,
    /// What the household said.
    pub guest: Option<Consent>,
    /// What the host said.
    pub host: Option<Consent>,
    /// Since when a check of the place's host is known to have failed or run out.
    pub concern: Option<UnixSeconds>,
}

impl Remarks {
    /// What the remarks of a case come to. `hold` is the one that the case is about. Those of each
    /// side come in its order.
    pub(super) fn of<'a>(
        guest: impl Iterator<Item = &'a Noted>,
        host: impl Iterator<Item = &'a Noted>,
        hold: Option<RecordId>,
    ) -> Self {
        let guest = guest.map(|noted| (Side::Guest, noted));
        let mut all: Vec<(Side, &Noted)> = guest.chain(host.map(|n| (Side::Host, n))).collect();
        // Stable, so that of one council its own order counts. Of two in one second both councils
        // must be told the same.
        all.sort_by_key(|(side, noted)| (noted.at, *side));
        let mut remarks = Self::default();
        let mut days = Days::default();
        for (side, noted) in &all {
            remarks.hear(*side, noted, hold, &mut days);
        }
        for (side, noted) in all {
            if let Remark::Answer { enquiry, answer } = noted.remark {
                let asked = |q: &&mut Question| q.enquiry == enquiry && q.by != side;
                if let Some(question) = remarks.questions.iter_mut().find(asked) {
                    question.answer.get_or_insert((answer, noted.at));
                }
            }
        }
        if let Some(transfer) = &mut remarks.transfer {
            transfer.agreed = days.accepted.get(&transfer.on).copied();
        }
        let mut offered = days.offered.into_iter().rev();
        remarks.moves = offered.find(|day| days.accepted.contains_key(day));
        remarks
    }

    fn hear(&mut self, by: Side, noted: &Noted, about: Option<RecordId>, days: &mut Days) {
        match noted.remark {
            Remark::Ended { on, reason, .. } => {
                let at = noted.at;
                self.ends.retain(|ends| ends.by != by);
                self.ends.push(Ending {
                    record: noted.record,
                    by,
                    at,
                    on,
                    reason,
                });
                self.ends.sort_by_key(|ends| (ends.on, ends.by));
            }
            Remark::Transfer { on, .. } => match by {
                Side::Guest => {
                    days.offered.push(on);
                    self.transfer = Some(Transfer {
                        offer: noted.record,
                        on,
                        offered: noted.at,
                        agreed: None,
                    });
                }
                Side::Host => {
                    days.accepted.entry(on).or_insert((noted.at, noted.record));
                }
            },
            Remark::Enquiry { question, .. } => {
                // An honest council asks no more.
                let asked = self.questions.iter().filter(|q| q.by == by).count();
                if asked < crate::limits::QUESTIONS_OF_CASE {
                    self.questions.push(Question {
                        enquiry: noted.record,
                        by,
                        at: noted.at,
                        question,
                        answer: None,
                    });
                }
            }
            Remark::Consent {
                on, method, given, ..
            } => {
                let said = Some(Consent { on, method, given });
                match by {
                    Side::Guest => self.guest = said,
                    Side::Host => self.host = said,
                }
            }
            Remark::Concern { hold, stands } => {
                if by == Side::Host && about == Some(hold) {
                    self.concern = stands.then(|| self.concern.unwrap_or(noted.at));
                }
            }
            Remark::Answer { .. } => {}
        }
    }

    /// Whether both have said the day that the guest council said last.
    pub fn is_agreed(&self) -> bool {
        self.transfer.is_some_and(|one| one.agreed.is_some())
    }

    /// Whether the host council is responsible on a day.
    pub fn transferred(&self, on: Day) -> bool {
        self.moves.is_some_and(|from| from <= on)
    }

    /// A transfer that the host council may still agree to.
    pub fn offered(&self, stage: Stage) -> Option<Transfer> {
        let open = self.transfer.filter(|one| one.agreed.is_none());
        open.filter(|_| stage == Stage::Arrived)
    }

    /// Whether the other side waits for this one: for an answer, or for its word on a transfer.
    pub fn wait_for(&self, side: Side, stage: Stage) -> bool {
        let asked = |q: &Question| q.by != side && q.answer.is_none();
        side == Side::Host && self.offered(stage).is_some() || self.questions.iter().any(asked)
    }
}

/// The days of a transfer that the guest council has said, and those that the host council has.
#[derive(Default)]
struct Days {
    offered: Vec<Day>,
    accepted: BTreeMap<Day, (UnixSeconds, RecordId)>,
}

/// Why a remark is not made. Nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RemarkRefusal {
    /// The case has come to where it says nothing.
    #[error("the case has come to where that says nothing")]
    Stage(Stage),
    /// The other side was asked the same and has not answered yet.
    #[error("that was asked already and is not answered yet")]
    Asked,
    /// The most questions of one case.
    #[error(
        "this council has asked {} questions of the case, which is the most",
        crate::limits::QUESTIONS_OF_CASE
    )]
    TooMany,
    /// No question of the other council in this case, or one that is answered.
    #[error("there is no such question, or it is answered")]
    NoQuestion,
    /// The host council has said another day than the guest council.
    #[error("the guest council has not said that the responsibility moves on that day")]
    OtherDay,
    /// Somebody said something on a day that has not come.
    #[error("that day has not come yet")]
    Future,
}

/// Whether one side of a case may make a remark now.
///
/// # Errors
/// [`RemarkRefusal`]; nothing was written.
pub(super) fn check(
    remark: &Remark,
    side: Side,
    stage: Stage,
    so_far: &Remarks,
    today: Day,
) -> Result<(), RemarkRefusal> {
    let fits = match remark {
        Remark::Ended { .. } => stage.is_live(),
        Remark::Concern { .. } => {
            stage.is_live() || matches!(stage, Stage::Held | Stage::Confirmed)
        }
        Remark::Transfer { .. } => stage == Stage::Arrived,
        Remark::Enquiry { .. } | Remark::Consent { .. } => stage != Stage::Over,
        Remark::Answer { .. } => true,
    };
    if !fits {
        return Err(RemarkRefusal::Stage(stage));
    }
    match remark {
        Remark::Transfer { on, .. }
            if side == Side::Host && so_far.transfer.is_none_or(|transfer| transfer.on != *on) =>
        {
            Err(RemarkRefusal::OtherDay)
        }
        Remark::Consent { on, .. } if *on > today => Err(RemarkRefusal::Future),
        Remark::Enquiry { question, .. } => {
            let own = || so_far.questions.iter().filter(|q| q.by == side);
            if own().any(|q| q.question == *question && q.answer.is_none()) {
                return Err(RemarkRefusal::Asked);
            }
            match own().count() < crate::limits::QUESTIONS_OF_CASE {
                true => Ok(()),
                false => Err(RemarkRefusal::TooMany),
            }
        }
        Remark::Answer { enquiry, .. } => {
            let is_it = |q: &Question| q.enquiry == *enquiry && q.by != side && q.answer.is_none();
            match so_far.questions.iter().any(is_it) {
                true => Ok(()),
                false => Err(RemarkRefusal::NoQuestion),
            }
        }
        _ => Ok(()),
    }
}
