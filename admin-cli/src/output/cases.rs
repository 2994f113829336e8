//! Cases with other councils.

use smp_protocol::api::{Case, CaseOutcome};

use super::ago::ago;
use super::table::{Mood, cell, marked, plain};
use super::writes::held_by;
use super::{Look, View, csv};
use crate::exit::Failure;

const COLUMNS: [&str; 22] = [
    "id",
    "stage",
    "turn",
    "yours",
    "guest",
    "guest_name",
    "host",
    "host_name",
    "request",
    "places",
    "place",
    "since",
    "until",
    "silence",
    "reason",
    "agreed_by_phone",
    "responsible",
    "ends_on",
    "transfer_on",
    "transferred",
    "concern_since",
    "next",
];

fn stage(case: &Case) -> String {
    case.stage.replace('_', " ")
}

fn whose(case: &Case) -> &str {
    match case.turn.as_str() {
        "guest" => &case.guest_name,
        "host" => &case.host_name,
        _ => "nobody",
    }
}

impl View for Vec<Case> {
    fn words(&self, look: &Look) -> String {
        if self.is_empty() {
            return "No cases. Find a place with `smp pool list places`, and propose it: `smp cases propose --help`\n"
                .to_owned();
        }
        let rows = self.iter().map(|case| {
            let turn = match case.yours {
                true => marked("you", Mood::Warn),
                false => cell(whose(case)),
            };
            vec![
                cell(&case.id),
                cell(&case.guest_name),
                cell(&case.host_name),
                cell(stage(case)),
                turn,
                cell(ago(&case.since, look.now)),
            ]
        });
        look.table(
            &["Case", "Guest", "Host", "Stage", "Turn", "Since"],
            rows.collect(),
        )
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&COLUMNS, self)
    }
}

/// What the councils have told each other beside.
fn remarks(case: &Case, look: &Look, line: &mut impl FnMut(&str, &str)) {
    if let Some(since) = &case.concern_since {
        let since = ago(since, look.now);
        line(
            "concern",
            &format!(
                "a check of the host failed or ran out ({since}); telephone {}",
                case.host_name
            ),
        );
    }
    for ends in &case.endings {
        let by = match ends.by.as_str() {
            "guest" => &case.guest_name,
            _ => &case.host_name,
        };
        let reason = ends.reason.as_deref().map(|reason| format!(" ({reason})"));
        let on = &ends.on;
        line(
            "ends",
            &format!("{on}{}, by {by}", reason.unwrap_or_default()),
        );
    }
    match (&case.transfer_on, case.transferred) {
        (Some(on), true) => line(
            "moves",
            &format!("{} is responsible from {on}", case.host_name),
        ),
        (Some(on), false) => line("moves", &format!("from {on}, if {} agrees", case.host_name)),
        (None, _) => {}
    }
    let sides = [
        ("household", &case.guest_consent),
        ("host", &case.host_consent),
    ];
    for (who, consent) in sides {
        if let Some(consent) = consent {
            let said = if consent.given { "agreed" } else { "refused" };
            let (method, on) = (consent.method.replace('_', " "), &consent.on);
            line("consent", &format!("{who} {said} on {on}, {method}"));
        }
    }
    for asked in &case.questions {
        let by = if asked.by == "guest" {
            &case.guest_name
        } else {
            &case.host_name
        };
        let answer = asked.answer.as_deref().unwrap_or("not answered yet");
        line("asked", &format!("{} by {by}: {answer}", asked.question));
    }
}

impl View for Case {
    fn words(&self, look: &Look) -> String {
        let mut out = format!("{}\n", plain(&self.id));
        let mut line = |what: &str, value: &str| {
            out.push_str(&format!("  {what:<10} {}\n", plain(value)));
        };
        line("stage", &stage(self));
        line("since", &ago(&self.since, look.now));
        if let Some(until) = &self.until {
            line("until", until);
        }
        line("guest", &format!("{} ({})", self.guest_name, self.guest));
        line("host", &format!("{} ({})", self.host_name, self.host));
        line("request", &self.request);
        line("proposed", &self.places.join(", "));
        if let Some(place) = &self.place {
            line("place", place);
        }
        if self.agreed_by_phone {
            line("agreed", "by telephone, and written down later");
        }
        if let Some(reason) = &self.reason {
            line("reason", reason);
        }
        remarks(self, look, &mut line);
        line("turn", if self.yours { "you" } else { whose(self) });
        line("otherwise", &self.silence);
        for command in &self.next {
            line("you may", command);
        }
        for other in &self.fits {
            let why = other.reasons.join(", ");
            let council = plain(&other.host_name);
            line("also fits", &format!("{} ({council}): {why}", other.place));
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        csv::items(&COLUMNS, std::slice::from_ref(self))
    }
}

impl View for CaseOutcome {
    fn words(&self, look: &Look) -> String {
        let mut out = self.case.words(look);
        for request in &self.created {
            out.push_str(&format!("  {:<10} {}\n", "new", plain(request)));
        }
        out + &held_by(self.held_by)
    }

    fn csv(&self) -> Result<String, Failure> {
        self.case.csv()
    }
}
