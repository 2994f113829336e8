//! The demo's last step: a household of one council gets a place of another, as both see it.
//!
//! Everything is decided through the calls that the local API makes, at the node of the council whose
//! decision it is.

use std::time::{Duration, Instant};

use smp_protocol::api::{Case, CaseAction, CaseDecision, NewCase};
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};

use super::error::DemoError;
use super::load::answered;
use super::program::Program;
use super::report::{Console, seconds};
use super::run::Region;
use crate::service::{Answer, Service};

/// So long each step is waited for: seconds are usual, also with 64 nodes on one machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A council of the rematch.
struct Side<S> {
    name: String,
    service: S,
}

/// A case that two councils have, and the two.
struct Rematch<'a, S> {
    console: &'a Console,
    guest: Side<S>,
    host: Side<S>,
}

/// Books the place that is suggested first for a household of another council, step by step. Gives
/// how long it took; `None` where nobody fits anywhere else.
pub(super) async fn rematch<P: Program>(
    region: &Region<'_, P>,
    console: &Console,
) -> Result<Option<Duration>, DemoError> {
    let councils = &region.chosen.councils;
    let services = region.services();
    let side = |code: &str| {
        let mut all = councils.iter().zip(&services);
        let (council, service) = all.find(|(council, _)| council.code.as_str() == code)?;
        Some(Side {
            name: council.name.clone(),
            service: service.clone()?,
        })
    };
    let Some(asked) = councils.first().and_then(|first| side(first.code.as_str())) else {
        return Ok(None);
    };
    let answer = asked.service.suggestions().await;
    let suggested = answered(&asked.name, "suggest who goes where", answer)?;
    let mut matches = suggested.matches.into_iter();
    let Some(first) = matches.find(|one| one.guest != one.host) else {
        console.say("no household fits a place of another council: there is nothing to rematch");
        return Ok(None);
    };
    let (Some(guest), Some(host)) = (side(&first.guest), side(&first.host)) else {
        return Ok(None);
    };
    let began = Instant::now();
    console.line("");
    console.say(format_args!(
        "a rematch: a household of {} and a place of {}, suggested because: {}",
        guest.name,
        host.name,
        first.reasons.join(", ")
    ));
    let rematch = Rematch {
        console,
        guest,
        host,
    };
    rematch.book(first.request, &first.place).await?;
    let host: Option<CouncilCode> = first.host.parse().ok();
    for (council, service) in councils.iter().zip(services) {
        if let Some(service) = service {
            let name = council.name.clone();
            let side = Side { name, service };
            side.until_taken(host, &first.place).await?;
        }
    }
    console.say("every council sees that the place is taken, and the others not by whom");
    let took = began.elapsed();
    console.say(format_args!(
        "booked after {}: no name, address or telephone number has left its council",
        seconds(took)
    ));
    Ok(Some(took))
}

impl<S: Service> Rematch<'_, S> {
    async fn book(&self, request: String, place: &str) -> Result<(), DemoError> {
        let new = NewCase {
            request,
            places: vec![place.to_owned()],
        };
        let answer = self.guest.service.new_case(new).await;
        let case = answered(&self.guest.name, "propose a place", answer)?.case;
        self.seen(&self.guest, "proposes the place", &case.id, "proposed")
            .await?;
        let id: RecordId = case.id.parse()?;
        self.host.decide(id, CaseAction::Hold).await?;
        self.seen(&self.host, "holds the place", &case.id, "held")
            .await?;
        self.guest.decide(id, CaseAction::Confirm).await?;
        self.seen(
            &self.guest,
            "confirms, and the other's node books",
            &case.id,
            "placed",
        )
        .await
    }

    /// Waits until both see what became of it, and says so.
    async fn seen(
        &self,
        by: &Side<S>,
        what: &str,
        case: &str,
        stage: &'static str,
    ) -> Result<(), DemoError> {
        self.console.say(format_args!("{} {what}", by.name));
        for side in [&self.guest, &self.host] {
            let case = side.until(case, stage).await?;
            let turn = match (case.yours, case.turn.as_str()) {
                (true, _) => "its own turn",
                (_, "nobody") => "nobody's turn",
                _ => "the other's turn",
            };
            self.console
                .say(format_args!("    {} sees: {stage}, {turn}", side.name));
        }
        Ok(())
    }
}

impl<S: Service> Side<S> {
    /// Waits until the council sees its case at a stage.
    async fn until(&self, case: &str, stage: &'static str) -> Result<Case, DemoError> {
        self.wait(stage, async || {
            let cases = answered(&self.name, "list its cases", self.service.cases().await)?;
            let mut cases = cases.into_iter();
            Ok(cases.find(|one| one.id == case && one.stage == stage))
        })
        .await
    }

    /// Waits until the council sees in the pool that a place is taken.
    async fn until_taken(&self, host: Option<CouncilCode>, place: &str) -> Result<(), DemoError> {
        self.wait("taken", async || {
            let answer = self.service.records(RecordKind::Place, host).await;
            let places = answered(&self.name, "list places", answer)?;
            let taken = |values: &Vec<String>| values.iter().any(|value| value == "taken");
            let mut of_place = places.iter().filter(|one| one.id == place);
            let is_taken = of_place.any(|one| one.fields.get("state").is_some_and(taken));
            Ok(is_taken.then_some(()))
        })
        .await
    }

    /// Looks again and again until there is what is looked for.
    async fn wait<T>(
        &self,
        stage: &'static str,
        look: impl AsyncFn() -> Result<Option<T>, DemoError>,
    ) -> Result<T, DemoError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match look().await? {
                Some(found) => return Ok(found),
                None if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                None => {
                    return Err(DemoError::Waited {
                        council: self.name.clone(),
                        stage,
                    });
                }
            }
        }
    }

    /// Decides. A node that has just started asks all others first, and says so until they have
    /// answered.
    async fn decide(&self, case: RecordId, action: CaseAction) -> Result<(), DemoError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .service
                .decide_case(case, CaseDecision::of(action))
                .await;
            let is_unsure = |answer: &Answer<_>| {
                let error = answer.as_ref().err();
                error.is_some_and(|failure| failure.error.code == "unsure")
            };
            if !is_unsure(&answer) || Instant::now() >= deadline {
                answered(&self.name, "decide a case", answer)?;
                return Ok(());
            }
        }
    }
}
