//! Cases: what this council has agreed with others, and what its officers decide of them.

use std::time::Duration;

use smp_protocol::api::{
    Case, CaseAction, CaseDecision, CaseOutcome, Match, NewCase, RecordEdit, Split, Stored,
};
use smp_protocol::casework::{
    self, Book, CaseView, DecideError, Done, Ledgers, PoolRefusal, Refusal, Stage, Turn, Wish,
};
use smp_protocol::ids::{CouncilCode, NodeId, RecordId, RecordKind};
use smp_protocol::schema::{self, Edit, FieldType};

use super::records::name_of;
use super::{Desk, LOOK, matching, records, refused, remarks};
use crate::engine::{Core, clock};
use crate::service::{Answer, Failure, FailureKind};

/// How long a decision waits for other councils to say what they hold: a few round trips and
/// flushes of whoever is connected.
const ANSWERS: Duration = Duration::from_secs(5);

/// How long a place is held if that is not said: until after the next day's office hours.
const HOLD_HOURS: u64 = 48;

/// Every case of this council, newest change last.
pub(super) fn list(core: &mut Core) -> Vec<Case> {
    let own = core.member.identity().council;
    let ledgers = core.decider.ledgers(&core.member);
    let book = once_answered(&ledgers);
    let cases = ledgers.cases(own);
    cases.iter().map(|view| case(core, &book, view)).collect()
}

/// What may be decided when every council has said what it holds.
fn once_answered(ledgers: &Ledgers) -> Book<CouncilCode, RecordId> {
    let mut book = ledgers.book().clone();
    book.unsure_of.clear();
    book
}

/// One case.
pub(super) fn show(core: &mut Core, id: RecordId) -> Answer<Case> {
    let found = view_of(core, id)?;
    let ledgers = core.decider.ledgers(&core.member);
    let mut shown = case(core, &once_answered(&ledgers), &found);
    shown.fits = what_else_fits(core, &found);
    Ok(shown)
}

/// One case, by the rules.
pub(super) fn view_of(core: &Core, id: RecordId) -> Answer<CaseView> {
    let ledgers = core.decider.ledgers(&core.member);
    let cases = ledgers.cases(core.member.identity().council).into_iter();
    let mut found = cases.filter(|view| view.case.proposal == id);
    found.next().ok_or_else(|| no_such_case(id))
}

/// For a household of this council whose place is lost or given to another: what else would do.
fn what_else_fits(core: &mut Core, view: &CaseView) -> Vec<Match> {
    let as_guest = view.guest == core.member.identity().council;
    let lost = matches!(
        view.case.stage,
        Stage::Proposed | Stage::Declined | Stage::Released | Stage::Lost
    );
    match as_guest && lost {
        true => matching::others_for(core, view.case.request, &view.places),
        false => Vec::new(),
    }
}

fn no_such_case(id: RecordId) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "not_found",
        format!("{id} is no case of this council"),
        "`smp cases list` prints the ids",
    )
}

fn case(core: &Core, book: &Book<CouncilCode, RecordId>, view: &CaseView) -> Case {
    let own = core.member.identity().council;
    let stage = view.case.stage;
    let (turn, yours) = match stage.turn() {
        Turn::Guest => ("guest", view.guest == own),
        Turn::Host => ("host", view.host == own),
        Turn::Nobody => ("nobody", false),
    };
    Case {
        id: view.case.proposal.to_string(),
        stage: stage.as_str().to_owned(),
        turn: turn.to_owned(),
        yours: yours || view.remarks.wait_for(view.side(own), stage),
        guest: view.guest.to_string(),
        guest_name: name_of(core, view.guest),
        host: view.host.to_string(),
        host_name: name_of(core, view.host),
        request: view.case.request.to_string(),
        places: view.places.iter().map(RecordId::to_string).collect(),
        place: view.case.hold.map(|(_, place)| place.to_string()),
        since: view.since.to_string(),
        until: view.until.map(|until| until.to_string()),
        silence: stage.silence().to_owned(),
        reason: view.reason.and_then(reason).map(str::to_owned),
        agreed_by_phone: view.agreed_by_phone,
        next: next(book, view, own),
        fits: Vec::new(),
        ..remarks::shown(view)
    }
}

/// The commands that this council may run for a case: those that the rules would carry out, once
/// all have answered.
fn next(book: &Book<CouncilCode, RecordId>, view: &CaseView, own: CouncilCode) -> Vec<String> {
    let (id, guest, host) = (view.case.proposal, view.guest, view.host);
    let hold = view.case.hold.map_or(id, |(hold, _)| hold);
    let holds = |place: &RecordId| book.hold(guest, id, *place, id).is_ok();
    let as_host = [
        ("hold", view.places.iter().any(holds)),
        ("decline", book.decline(guest, id).is_ok()),
        ("arrived", book.arrival(guest, id, true).is_ok()),
        ("did-not-arrive", book.arrival(guest, id, false).is_ok()),
        ("release", book.release(guest, hold).is_ok()),
    ];
    let as_guest = [
        ("confirm", book.confirm(host, id, hold).is_ok()),
        ("withdraw", book.withdraw(host, id).is_ok()),
    ];
    let may = match host == own {
        true => &as_host[..],
        false => &as_guest[..],
    };
    let may = may.iter().filter(|(_, may)| *may);
    let commands = may.map(|(word, _)| format!("smp cases {word} {id}"));
    remarks::asked_of(view, own).chain(commands).collect()
}

fn codes_of(kind: RecordKind, name: &str) -> &'static [&'static str] {
    let field = schema::field_named(schema::NEWEST, kind, name);
    match field.map(|field| field.accepts) {
        Some(FieldType::Code(codes)) => codes,
        _ => &[],
    }
}

/// The word of a reason.
pub(super) fn reason(code: u8) -> Option<&'static str> {
    word(RecordKind::Release, "reason", code)
}

/// The word of a code of a field.
pub(super) fn word(kind: RecordKind, name: &str, code: u8) -> Option<&'static str> {
    codes_of(kind, name).get(usize::from(code)).copied()
}

/// The code of a word of a field.
pub(super) fn code(kind: RecordKind, name: &str, word: &str) -> Answer<u8> {
    let codes = codes_of(kind, name);
    let found = codes.iter().position(|code| *code == word);
    let code = found.and_then(|at| u8::try_from(at).ok());
    code.ok_or_else(|| {
        let codes = codes.join(", ");
        bad(name, format!("there is no such {name}; there are {codes}"))
    })
}

pub(super) fn reason_code(word: Option<&str>) -> Answer<Option<u8>> {
    let code = word.map(|word| code(RecordKind::Release, "reason", word));
    code.transpose()
}

pub(super) fn bad(field: &str, message: String) -> Failure {
    Failure::new(
        FailureKind::BadRequest,
        "bad_field",
        format!("{field}: {message}"),
        "nothing was changed; mend it and try again",
    )
}

fn id_of(field: &str, text: &str, kind: RecordKind) -> Answer<RecordId> {
    let id: RecordId = text
        .parse()
        .map_err(|error| bad(field, format!("{error}")))?;
    match id.kind() == kind {
        true => Ok(id),
        false => Err(bad(field, format!("{id} is no {kind}"))),
    }
}

/// What is wished, from what was sent.
fn wish(case: RecordId, decision: &CaseDecision) -> Answer<Wish> {
    let reason = reason_code(decision.reason.as_deref())?;
    Ok(match decision.action {
        CaseAction::Hold => Wish::Hold {
            case,
            place: match &decision.place {
                Some(text) => Some(id_of("place", text, RecordKind::Place)?),
                None => None,
            },
            hours: decision.hours.unwrap_or(HOLD_HOURS),
            by_phone: decision.agreed_by_phone,
        },
        CaseAction::Confirm => Wish::Confirm { case },
        CaseAction::Withdraw => Wish::Withdraw { case, reason },
        CaseAction::Release => Wish::Release { case, reason },
        CaseAction::Decline => Wish::Decline { case, reason },
        CaseAction::Arrived => Wish::Arrival {
            case,
            arrived: true,
        },
        CaseAction::DidNotArrive => Wish::Arrival {
            case,
            arrived: false,
        },
        CaseAction::End
        | CaseAction::Transfer
        | CaseAction::Ask
        | CaseAction::Answer
        | CaseAction::Consent => return remarks::wish(case, decision),
    })
}

impl Desk {
    pub(super) async fn propose(&self, new: NewCase) -> Answer<CaseOutcome> {
        let request = id_of("request", &new.request, RecordKind::Request)?;
        let places = new.places.iter();
        let places = places.map(|text| id_of("places", text, RecordKind::Place));
        let places = places.collect::<Answer<Vec<RecordId>>>()?;
        let wish = Wish::Propose { request, places };
        let (case, done) = self.carry_out(wish, Vec::new()).await?;
        self.outcome(case, done).await
    }

    pub(super) async fn decide_case(
        &self,
        case: RecordId,
        decision: CaseDecision,
    ) -> Answer<CaseOutcome> {
        let without = decision.without.iter().map(|text| {
            text.parse::<CouncilCode>()
                .map_err(|error| bad("without", format!("{error}")))
        });
        let without = without.collect::<Answer<Vec<CouncilCode>>>()?;
        let wish = match decision.action {
            // Which of the questions it is, the case says.
            CaseAction::Answer => self.answer_to(case, &decision).await?,
            _ => wish(case, &decision)?,
        };
        let (case, done) = self.carry_out(wish, without).await?;
        self.outcome(case, done).await
    }

    pub(super) async fn split_request(&self, request: RecordId, split: Split) -> Answer<Stored> {
        if request.kind() != RecordKind::Request {
            return Err(bad("id", format!("{request} is no request")));
        }
        let mut into = Vec::new();
        for fields in split.into {
            let edit = RecordEdit {
                fields,
                ..RecordEdit::default()
            };
            let given = records::parse(RecordKind::Request, &edit)?.into_iter();
            into.push(given.collect());
        }
        let (_, done) = self
            .carry_out(Wish::Split { request, into }, Vec::new())
            .await?;
        Ok(Stored {
            records: done.created.iter().map(RecordId::to_string).collect(),
            held_by: self.held_by(done.receipts, false).await,
        })
    }

    async fn outcome(&self, case: Option<Case>, done: Done) -> Answer<CaseOutcome> {
        Ok(CaseOutcome {
            case: case.ok_or_else(|| no_such_case(done.case))?,
            created: done.created.iter().map(RecordId::to_string).collect(),
            held_by: self.held_by(done.receipts, false).await,
        })
    }

    /// Decides; and if other councils have to say first what they hold, waits for them a while.
    async fn carry_out(
        &self,
        wish: Wish,
        without: Vec<CouncilCode>,
    ) -> Answer<(Option<Case>, Done)> {
        let deadline = tokio::time::Instant::now() + ANSWERS;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            let (wished, without) = (wish.clone(), without.clone());
            let decided = self
                .write(move |core| decide(core, &wished, &without))
                .await?;
            let over = tokio::time::Instant::now() >= deadline;
            match decided {
                Ok(done) => return Ok(done),
                Err((DecideError::Unsure(_), _)) if !over => {}
                Err((error, names)) => return Err(not_decided(&error, &names)),
            }
        }
    }
}

/// On the engine's thread. With an error come the names of the councils that it is about.
fn decide(
    core: &mut Core,
    wish: &Wish,
    without: &[CouncilCode],
) -> Result<(Option<Case>, Done), (DecideError, Vec<String>)> {
    let now = clock();
    let named = |core: &Core, councils: &[CouncilCode]| {
        let names = councils.iter();
        let names = names.map(|council| format!("{} ({council})", name_of(core, *council)));
        names.collect::<Vec<String>>()
    };
    let member = &mut core.member;
    let decided = match core.decider.go_on_without(member, without, now) {
        Ok(()) => core.decider.decide(member, wish, now),
        Err(error) => Err(error.into()),
    };
    let done = decided.map_err(|error| {
        let names = match &error {
            DecideError::Unsure(councils) => named(core, councils),
            _ => Vec::new(),
        };
        (error, names)
    })?;
    if !without.is_empty() {
        let names = named(core, without).join(", ");
        tracing::warn!(case = %done.case, without = names, "decided without asking");
    }
    Ok((show(core, done.case).ok(), done))
}

fn not_decided(error: &DecideError, names: &[String]) -> Failure {
    let conflict = |code: &str, message: String, next: &str| {
        Failure::new(FailureKind::Conflict, code, message, next)
    };
    let message = error.to_string();
    match error {
        DecideError::NotDecider(decider) => not_decider(decider.as_ref(), message),
        DecideError::NoSuchCase(id) => no_such_case(*id),
        DecideError::NotOpen(_) => conflict(
            "not_open",
            message,
            "`smp pool list` shows what is open; nothing was changed",
        ),
        DecideError::Places | DecideError::Hours => bad("case", message),
        DecideError::TooManyProposals => conflict(
            "too_many",
            message,
            "withdraw one that is not needed: `smp cases list`, `smp cases withdraw`",
        ),
        DecideError::WhichPlace(places) => {
            let places: Vec<String> = places.iter().map(RecordId::to_string).collect();
            let message = format!("{message}: {}", places.join(", "));
            conflict("which_place", message, "name one of them with --place")
        }
        DecideError::Unsure(_) => Failure::new(
            FailureKind::Unavailable,
            "unsure",
            format!("{message}: {}", names.join(", ")),
            "nothing was changed. `smp peers` says whether they can be reached; try again once \
             they are. If one is gone for longer, telephone it, make sure that it has no other \
             agreement with you, and say --without and its code",
        ),
        DecideError::Parts | DecideError::People { .. } => bad("into", message),
        DecideError::InConflict(_) => conflict(
            "conflict",
            message,
            "nothing was changed; settle it with `smp pool edit`, and try again",
        ),
        DecideError::NotGuest => bad("again", message),
        DecideError::Continued(_) => conflict(
            "continued",
            message,
            "nothing was changed; `smp pool list requests` shows it",
        ),
        DecideError::Refused(refusal) => refused_by_rule(*refusal, message),
        DecideError::Remark(refusal) => remarks::refused(*refusal, message),
        DecideError::Write(error) => refused(error),
    }
}

fn not_decider(decider: Option<&NodeId>, message: String) -> Failure {
    let next = match decider.map(NodeId::short) {
        Some(node) => format!(
            "run the command at this council's node {node}; if that is gone for good, have the SMP \
             admin make this one decide (`smp member decider`)"
        ),
        None => {
            "ask the SMP admin to make a node of this council its decider (`smp member decider`)"
                .to_owned()
        }
    };
    Failure::new(FailureKind::Conflict, "not_decider", message, next)
}

/// Insists that this node takes its council's decisions.
pub(super) fn must_decide(core: &Core) -> Answer<()> {
    let decider = casework::decider_of(&core.member, core.member.identity().council);
    if decider == Some(core.member.node()) {
        return Ok(());
    }
    let message = DecideError::NotDecider(decider).to_string();
    Err(not_decider(decider.as_ref(), message))
}

/// Insists that no other node takes its council's decisions: it may just be holding what is to be
/// changed. A council without a decider holds nothing.
fn must_decide_if_any(core: &Core) -> Answer<()> {
    match casework::decider_of(&core.member, core.member.identity().council) {
        Some(_) => must_decide(core),
        None => Ok(()),
    }
}

fn refused_by_rule(refusal: Refusal, message: String) -> Failure {
    let (message, next) = match refusal {
        Refusal::PlaceLocked => (
            message,
            "nothing was changed; `smp cases list` shows for which, and `smp pool list places` \
             what else is open",
        ),
        Refusal::RequestLocked => (
            message,
            "nothing was changed; withdraw the other case first: `smp cases list`",
        ),
        Refusal::Stage(stage) => (
            format!("the case is {}, which does not allow that", stage.as_str()),
            "nothing was changed; `smp cases show` says what can be done now",
        ),
        Refusal::Unsure | Refusal::Unknown => (
            message,
            "nothing was changed; `smp cases show` says what can be done now",
        ),
    };
    Failure::new(FailureKind::Conflict, "not_allowed", message, next)
}

/// Whether officers may make these edits: what is locked for a case is not changed under it, and
/// the states that cases bring are theirs alone.
pub(super) fn guard(core: &Core, edits: &[Edit]) -> Answer<()> {
    let pool = |kind| matches!(kind, RecordKind::Place | RecordKind::Request);
    if !edits.iter().any(|edit| pool(edit.record().kind())) {
        return Ok(());
    }
    let changes = |edit: &Edit| {
        matches!(edit, Edit::Update { .. })
            && matches!(
                edit.record().kind(),
                RecordKind::Place | RecordKind::Request
            )
    };
    if edits.iter().any(changes) {
        must_decide_if_any(core)?;
    }
    let ledgers = core.decider.ledgers(&core.member);
    casework::check_pool_edits(ledgers.book(), edits).map_err(|refusal| {
        let (kind, code, next) = match refusal {
            PoolRefusal::Locked(_) => (
                FailureKind::Conflict,
                "locked",
                "nothing was changed; `smp cases list` shows the case: release or withdraw it first",
            ),
            PoolRefusal::StateOfCases(_) => (
                FailureKind::BadRequest,
                "bad_field",
                "nothing was changed; `smp cases propose --help`",
            ),
        };
        Failure::new(kind, code, refusal.to_string(), next)
    })
}
