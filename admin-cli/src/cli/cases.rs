//! `smp cases`: rematching with other councils (docs/BOOKING.md).

use clap::Subcommand;
use hyper::Method;
use smp_protocol::api::{Case, CaseAction, CaseDecision, CaseOutcome, NewCase};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use smp_protocol::time::Day;

use super::Context;
use crate::exit::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  smp cases list
  smp cases propose request-aebagbafaydqqcikbmga2dqp place-aebagbafaydqqcikbmga2dqp
  smp cases hold proposal-aebagbafaydqqcikbmga2dqp --hours 24
  smp cases confirm proposal-aebagbafaydqqcikbmga2dqp

The guest council has the household and proposes; the host council has the place and holds it;
the guest council confirms; then the host council\u{2019}s node makes the booking by itself. Each ends
its own part at any time: `withdraw`, `release`.";

const LIST_EXAMPLES: &str = "\
Examples:
  smp cases list
  smp cases list --yours
  smp cases list --output csv > cases.csv";

const SHOW_EXAMPLES: &str = "\
Examples:
  smp cases show proposal-aebagbafaydqqcikbmga2dqp";

const PROPOSE_EXAMPLES: &str = "\
Examples:
  smp cases propose request-aebagbafaydqqcikbmga2dqp place-aebagbafaydqqcikbmga2dqp
  smp cases propose request-aebagbafaydqqcikbmga2dqp place-aebagbafaydqqcikbmga2dqp \\
      place-bebagbafaydqqcikbmga2dqp

The places are all of one other council, which chooses among them. `smp pool list` prints the ids.";

const HOLD_EXAMPLES: &str = "\
Examples:
  smp cases hold proposal-aebagbafaydqqcikbmga2dqp
  smp cases hold proposal-aebagbafaydqqcikbmga2dqp --place place-aebagbafaydqqcikbmga2dqp \\
      --hours 24
  smp cases hold proposal-aebagbafaydqqcikbmga2dqp --agreed-by-phone

The place is kept for the case until the guest council confirms, or the hours are over.";

const CONFIRM_EXAMPLES: &str = "\
Examples:
  smp cases confirm proposal-aebagbafaydqqcikbmga2dqp

What else was proposed for the same request is withdrawn with it.";

const WITHDRAW_EXAMPLES: &str = "\
Examples:
  smp cases withdraw proposal-aebagbafaydqqcikbmga2dqp
  smp cases withdraw proposal-aebagbafaydqqcikbmga2dqp --reason private_accommodation";

const RELEASE_EXAMPLES: &str = "\
Examples:
  smp cases release proposal-aebagbafaydqqcikbmga2dqp
  smp cases release proposal-aebagbafaydqqcikbmga2dqp --reason sponsor_withdrew";

const DECLINE_EXAMPLES: &str = "\
Examples:
  smp cases decline proposal-aebagbafaydqqcikbmga2dqp --reason sponsor_withdrew";

const ARRIVED_EXAMPLES: &str = "\
Examples:
  smp cases arrived proposal-aebagbafaydqqcikbmga2dqp";

const END_EXAMPLES: &str = "\
Examples:
  smp cases end proposal-aebagbafaydqqcikbmga2dqp --on 2026-12-20 --reason end_of_agreement
  smp cases end proposal-aebagbafaydqqcikbmga2dqp --on 2026-12-20 --again

The booking stands until each council has ended its part: `withdraw`, `release`.";

const TRANSFER_EXAMPLES: &str = "\
Examples:
  smp cases transfer proposal-aebagbafaydqqcikbmga2dqp --on 2027-01-04

It has moved once both councils have said the same day.";

const ASK_EXAMPLES: &str = "\
Examples:
  smp cases ask proposal-aebagbafaydqqcikbmga2dqp pets
  smp cases ask proposal-aebagbafaydqqcikbmga2dqp school_near";

const ANSWER_EXAMPLES: &str = "\
Examples:
  smp cases answer proposal-aebagbafaydqqcikbmga2dqp pets yes
  smp cases answer proposal-aebagbafaydqqcikbmga2dqp risk_information by_telephone";

const CONSENT_EXAMPLES: &str = "\
Examples:
  smp cases consent proposal-aebagbafaydqqcikbmga2dqp --method in_person
  smp cases consent proposal-aebagbafaydqqcikbmga2dqp --method by_telephone --on 2026-04-20
  smp cases consent proposal-aebagbafaydqqcikbmga2dqp --method in_writing --refused";

const DID_NOT_ARRIVE_EXAMPLES: &str = "\
Examples:
  smp cases did-not-arrive proposal-aebagbafaydqqcikbmga2dqp";

/// Which case, and whom not to wait for.
#[derive(Debug, clap::Args)]
pub(super) struct CaseArgs {
    /// The case's id, as `smp cases list` prints it
    case: RecordId,
    /// Go on without a council (GSS code) that cannot be asked, until the node starts again: only
    /// after a telephone call, since it may know of a booking that this node has lost
    #[arg(long, value_name = "GSS CODE")]
    without: Vec<CouncilCode>,
}

/// A case, and why it ends.
#[derive(Debug, clap::Args)]
pub(super) struct EndArgs {
    #[command(flatten)]
    of: CaseArgs,
    /// Why, as a code: relationship_breakdown, sponsor_withdrew, relocation, other and more; a
    /// wrong one prints all of them
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Cases {
    /// Lists the cases of this council: what each has come to, and whose turn it is
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only those in which it is this council's turn
        #[arg(long)]
        yours: bool,
        /// Also those that are over
        #[arg(long)]
        all: bool,
    },
    /// Shows one case, with what can be done and what happens if nobody does anything
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// The case's id
        case: RecordId,
    },
    /// Guest council: proposes places of another council for a request
    #[command(after_help = PROPOSE_EXAMPLES)]
    Propose {
        /// The request's id
        request: RecordId,
        /// The places' ids, all of one council
        #[arg(required = true)]
        places: Vec<RecordId>,
    },
    /// Host council: keeps a place for a case
    #[command(after_help = HOLD_EXAMPLES)]
    Hold {
        #[command(flatten)]
        of: CaseArgs,
        /// Which of the places; needed where more than one was proposed
        #[arg(long, value_name = "ID")]
        place: Option<RecordId>,
        /// For how many hours, 1 to 336; 48 if it is not said
        #[arg(long)]
        hours: Option<u64>,
        /// It was agreed by telephone before, and is written down now
        #[arg(long)]
        agreed_by_phone: bool,
    },
    /// Guest council: takes the place that is held
    #[command(after_help = CONFIRM_EXAMPLES)]
    Confirm(CaseArgs),
    /// Guest council: ends its part in a case, at any time; what it looks for is open again, unless
    /// the reason says that no place is needed any more
    #[command(after_help = WITHDRAW_EXAMPLES)]
    Withdraw(EndArgs),
    /// Host council: lets go of the place, at any time
    #[command(after_help = RELEASE_EXAMPLES)]
    Release(EndArgs),
    /// Host council: has no place for a case
    #[command(after_help = DECLINE_EXAMPLES)]
    Decline(EndArgs),
    /// Host council: the household came
    #[command(after_help = ARRIVED_EXAMPLES)]
    Arrived(CaseArgs),
    /// Host council: the household did not come
    #[command(after_help = DID_NOT_ARRIVE_EXAMPLES)]
    DidNotArrive(CaseArgs),
    /// Either council: says on which day the booking ends
    #[command(after_help = END_EXAMPLES)]
    End {
        #[command(flatten)]
        end: EndArgs,
        /// Its last day
        #[arg(long, value_name = "DATE")]
        on: Day,
        /// Guest council: looks for the household's next place from now on, with a new request that
        /// goes on from the old one
        #[arg(long)]
        again: bool,
    },
    /// Guest council: offers that the host council becomes responsible; host council: agrees
    #[command(after_help = TRANSFER_EXAMPLES)]
    Transfer {
        #[command(flatten)]
        of: CaseArgs,
        /// The first day on which it is
        #[arg(long, value_name = "DATE")]
        on: Day,
    },
    /// Either council: asks the other something
    #[command(after_help = ASK_EXAMPLES)]
    Ask {
        #[command(flatten)]
        of: CaseArgs,
        /// What, as a code: pets, access, length, smoking and more; a wrong one prints all of them
        question: String,
    },
    /// Either council: answers what the other has asked
    #[command(after_help = ANSWER_EXAMPLES)]
    Answer {
        #[command(flatten)]
        of: CaseArgs,
        /// What was asked
        question: String,
        /// yes, no, partly, not_known or by_telephone
        answer: String,
    },
    /// Either council: writes down what its own household or host said of the case
    #[command(after_help = CONSENT_EXAMPLES)]
    Consent {
        #[command(flatten)]
        of: CaseArgs,
        /// How they said so: in_person, by_telephone, in_writing or through_an_interpreter
        #[arg(long, value_name = "CODE")]
        method: String,
        /// When; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Day>,
        /// They refused, or took it back
        #[arg(long)]
        refused: bool,
    },
}

impl Cases {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List { yours, all } => {
                let mut cases: Vec<Case> = context.client.get("/v1/cases")?;
                cases.retain(|case| (all || case.stage != "over") && (!yours || case.yours));
                context.show(&cases)
            }
            Self::Show { case } => {
                let case = checked(case)?;
                let case: Case = context.client.get(&format!("/v1/case/{case}"))?;
                context.show(&case)
            }
            Self::Propose { request, places } => {
                let new = NewCase {
                    request: request.to_string(),
                    places: places.iter().map(RecordId::to_string).collect(),
                };
                send(context, "/v1/cases", &new)
            }
            Self::Hold {
                of,
                place,
                hours,
                agreed_by_phone,
            } => {
                let decision = CaseDecision {
                    place: place.map(|place| place.to_string()),
                    hours,
                    agreed_by_phone,
                    ..of.decision(CaseAction::Hold)
                };
                of.send(context, &decision)
            }
            Self::Confirm(of) => of.send(context, &of.decision(CaseAction::Confirm)),
            Self::Arrived(of) => of.send(context, &of.decision(CaseAction::Arrived)),
            Self::DidNotArrive(of) => of.send(context, &of.decision(CaseAction::DidNotArrive)),
            Self::Withdraw(end) => end.send(context, CaseAction::Withdraw),
            Self::Release(end) => end.send(context, CaseAction::Release),
            Self::Decline(end) => end.send(context, CaseAction::Decline),
            Self::End { end, on, again } => {
                let decision = CaseDecision {
                    on: Some(on.to_string()),
                    again,
                    ..end.decision(CaseAction::End)
                };
                end.of.send(context, &decision)
            }
            Self::Transfer { of, on } => {
                let decision = CaseDecision {
                    on: Some(on.to_string()),
                    ..of.decision(CaseAction::Transfer)
                };
                of.send(context, &decision)
            }
            Self::Ask { of, question } => {
                let decision = CaseDecision {
                    question: Some(question),
                    ..of.decision(CaseAction::Ask)
                };
                of.send(context, &decision)
            }
            Self::Answer {
                of,
                question,
                answer,
            } => {
                let decision = CaseDecision {
                    question: Some(question),
                    answer: Some(answer),
                    ..of.decision(CaseAction::Answer)
                };
                of.send(context, &decision)
            }
            Self::Consent {
                of,
                method,
                on,
                refused,
            } => {
                let decision = CaseDecision {
                    method: Some(method),
                    on: on.map(|on| on.to_string()),
                    refused,
                    ..of.decision(CaseAction::Consent)
                };
                of.send(context, &decision)
            }
        }
    }
}

impl CaseArgs {
    fn decision(&self, action: CaseAction) -> CaseDecision {
        CaseDecision {
            without: self.without.iter().map(CouncilCode::to_string).collect(),
            ..CaseDecision::of(action)
        }
    }

    fn send(&self, context: &Context, decision: &CaseDecision) -> Result<(), Failure> {
        let case = checked(self.case)?;
        send(context, &format!("/v1/case/{case}"), decision)
    }
}

impl EndArgs {
    fn decision(&self, action: CaseAction) -> CaseDecision {
        CaseDecision {
            reason: self.reason.clone(),
            ..self.of.decision(action)
        }
    }

    fn send(&self, context: &Context, action: CaseAction) -> Result<(), Failure> {
        self.of.send(context, &self.decision(action))
    }
}

fn checked(case: RecordId) -> Result<RecordId, Failure> {
    match case.kind() {
        RecordKind::Proposal => Ok(case),
        kind => Err(Failure::refused(
            format!("{case} is a {kind}; a case has the id of its proposal"),
            "`smp cases list` prints the ids",
        )),
    }
}

fn send<B: serde::Serialize>(context: &Context, path: &str, body: &B) -> Result<(), Failure> {
    let doing = "waiting for the node, and for the councils that it asks";
    let outcome: CaseOutcome = context.client.send(Method::POST, path, body, doing)?;
    context.show(&outcome)
}
