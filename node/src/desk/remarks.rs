//! Remarks on cases: questions, consents, ends and transfers, from words to the rules and back.

use smp_protocol::api::{Case, CaseAction, CaseConsent, CaseDecision, CaseEnding, CaseQuestion};
use smp_protocol::casework::{
    CaseView, Consent, Ending, Question, Remark, RemarkRefusal, Side, Wish,
};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::time::Day;

use super::cases::{bad, code, reason, reason_code, word};
use super::{Desk, cases};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};

/// What both councils have told each other of a case; the rest of it is left empty.
pub(super) fn shown(view: &CaseView) -> Case {
    let remarks = &view.remarks;
    let questions = remarks.questions.iter().map(|asked| CaseQuestion {
        question: question(asked.question).to_owned(),
        by: side_word(asked.by).to_owned(),
        at: asked.at.to_string(),
        answer: asked
            .answer
            .and_then(|(answer, _)| word(RecordKind::Answer, "answer", answer))
            .map(str::to_owned),
    });
    Case {
        responsible: view.responsible(Day::of(clock())).to_string(),
        ends_on: remarks.ends.first().map(|ends| ends.on.to_string()),
        endings: remarks.ends.iter().map(ending).collect(),
        transfer_on: remarks.transfer.map(|transfer| transfer.on.to_string()),
        transferred: remarks.is_agreed(),
        concern_since: remarks.concern.map(|at| at.to_string()),
        guest_consent: remarks.guest.map(consent),
        host_consent: remarks.host.map(consent),
        questions: questions.collect(),
        ..Case::default()
    }
}

fn ending(ends: &Ending) -> CaseEnding {
    CaseEnding {
        by: side_word(ends.by).to_owned(),
        on: ends.on.to_string(),
        reason: ends.reason.and_then(reason).map(str::to_owned),
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Guest => "guest",
        Side::Host => "host",
    }
}

fn question(code: u8) -> &'static str {
    word(RecordKind::Enquiry, "question", code).unwrap_or("unknown")
}

fn consent(said: Consent) -> CaseConsent {
    let method = word(RecordKind::Consent, "method", said.method);
    CaseConsent {
        on: said.on.to_string(),
        method: method.unwrap_or("unknown").to_owned(),
        given: said.given,
    }
}

/// The commands by which this council answers what the other waits for.
pub(super) fn asked_of(view: &CaseView, own: CouncilCode) -> impl Iterator<Item = String> {
    let (id, side) = (view.case.proposal, view.side(own));
    let remarks = &view.remarks;
    let open = remarks
        .questions
        .iter()
        .filter(move |asked| asked.by != side && asked.answer.is_none());
    let answers = open.map(move |asked| {
        let question = question(asked.question);
        format!("smp cases answer {id} {question} yes")
    });
    let offered = remarks.offered(view.case.stage);
    let offered = offered.filter(|_| side == Side::Host);
    answers.chain(offered.map(move |one| format!("smp cases transfer {id} --on {}", one.on)))
}

fn needed<'a>(field: &str, given: Option<&'a str>) -> Answer<&'a str> {
    given.ok_or_else(|| bad(field, "it has to be said".to_owned()))
}

fn day(given: Option<&str>) -> Answer<Day> {
    let text = needed("on", given)?;
    text.parse().map_err(|error| bad("on", format!("{error}")))
}

/// What is wished, from what was sent; an answer needs the case as well.
pub(super) fn wish(case: RecordId, decision: &CaseDecision) -> Answer<Wish> {
    let on = decision.on.as_deref();
    let remark = match decision.action {
        CaseAction::End => Remark::Ended {
            proposal: case,
            on: day(on)?,
            reason: reason_code(decision.reason.as_deref())?,
        },
        CaseAction::Transfer => Remark::Transfer {
            proposal: case,
            on: day(on)?,
        },
        CaseAction::Ask => Remark::Enquiry {
            proposal: case,
            question: asked(decision)?,
        },
        _ => Remark::Consent {
            proposal: case,
            on: match on {
                Some(_) => day(on)?,
                None => Day::of(clock()),
            },
            method: code(
                RecordKind::Consent,
                "method",
                needed("method", decision.method.as_deref())?,
            )?,
            given: !decision.refused,
        },
    };
    Ok(Wish::Say {
        case,
        remark,
        again: decision.again,
    })
}

fn asked(decision: &CaseDecision) -> Answer<u8> {
    let word = needed("question", decision.question.as_deref())?;
    code(RecordKind::Enquiry, "question", word)
}

impl Desk {
    /// The answer to the other council's open question of that code.
    pub(super) async fn answer_to(&self, case: RecordId, decision: &CaseDecision) -> Answer<Wish> {
        let question = asked(decision)?;
        let word = needed("answer", decision.answer.as_deref())?;
        let answer = code(RecordKind::Answer, "answer", word)?;
        let enquiry = self.ask(move |core| open_question(core, case, question));
        let remark = Remark::Answer {
            enquiry: enquiry.await??,
            answer,
        };
        Ok(Wish::Say {
            case,
            remark,
            again: false,
        })
    }
}

fn open_question(core: &mut Core, case: RecordId, question: u8) -> Answer<RecordId> {
    let view = cases::view_of(core, case)?;
    let side = view.side(core.member.identity().council);
    let is_it = |asked: &&Question| {
        asked.question == question && asked.by != side && asked.answer.is_none()
    };
    let found = view.remarks.questions.iter().find(is_it);
    let refusal = RemarkRefusal::NoQuestion;
    found
        .map(|asked| asked.enquiry)
        .ok_or_else(|| refused(refusal, refusal.to_string()))
}

/// A remark that is not made, for people.
pub(super) fn refused(refusal: RemarkRefusal, message: String) -> Failure {
    let next = "nothing was changed; `smp cases show` says how the case stands";
    let message = match refusal {
        RemarkRefusal::Stage(stage) => {
            format!("the case is {}, where that says nothing", stage.as_str())
        }
        _ => message,
    };
    Failure::new(FailureKind::Conflict, "not_allowed", message, next)
}
