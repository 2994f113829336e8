//! Events, one at a time, as they come: nothing is held back for the next.

use std::io::{self, Write};
use std::ops::ControlFlow;

use smp_protocol::api::Event;

use super::table::plain;
use super::{Format, csv};
use crate::exit::{self, Failure};

const COLUMNS: [&str; 16] = [
    "number", "id", "kind", "what", "at", "told", "council", "case", "request", "place", "host",
    "check", "node", "document", "until", "next",
];

/// Prints events in the format asked for.
#[derive(Debug)]
pub(crate) struct Events {
    format: Format,
    /// Whether the heading of CSV is printed.
    has_begun: bool,
}

impl Events {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            has_begun: false,
        }
    }

    /// Whether any was printed.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Prints one; breaks off where nobody reads on (`| head`).
    pub(crate) fn print(&mut self, event: &Event) -> Result<ControlFlow<()>, Failure> {
        let text = self.text(event)?;
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            Err(error) => Err(Failure::new(
                exit::FAILURE,
                format!("cannot write to standard output: {error}"),
                "",
            )),
        }
    }

    fn text(&mut self, event: &Event) -> Result<String, Failure> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match self.format {
            Format::Table => Ok(words(event)),
            Format::Json => serde_json::to_string(event)
                .map(|line| line + "\n")
                .map_err(|e| Failure::new(exit::FAILURE, format!("cannot write JSON: {e}"), "")),
            Format::Xlsx => Err(super::needs_a_file()),
            Format::Csv => {
                let text = csv::items(&COLUMNS, std::slice::from_ref(event))?;
                match text.split_once('\n') {
                    Some((_, row)) if !is_first => Ok(row.to_owned()),
                    _ => Ok(text),
                }
            }
        }
    }
}

fn words(event: &Event) -> String {
    let ids = [
        ("council", &event.council),
        ("case", &event.case),
        ("request", &event.request),
        ("place", &event.place),
        ("host", &event.host),
        ("check", &event.check),
        ("node", &event.node),
        ("document", &event.document),
        ("until", &event.until),
    ];
    let mut text = format!("{}  {}\n", plain(&event.at), plain(&event.what));
    for (name, id) in ids {
        if let Some(id) = id {
            // An id says itself what it is of.
            let name = match id.starts_with(name) || (name == "case" && id.contains('-')) {
                true => String::new(),
                false => format!("{name} "),
            };
            text.push_str(&format!("  {name}{}\n", plain(id)));
        }
    }
    text.push_str(&format!("  next: {}\n", plain(&event.next)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            number: 7,
            id: "00ff".to_owned(),
            kind: "proposal_arrived".to_owned(),
            what: "a council proposes".to_owned(),
            at: "2026-12-01T09:00:00Z".to_owned(),
            told: "2026-12-01T09:00:01Z".to_owned(),
            council: Some("E08000037".to_owned()),
            case: Some("proposal-aebagbafaydqqcikbmga2dqp".to_owned()),
            request: None,
            place: Some("place-aebagbafaydqqcikbmga2dqp".to_owned()),
            host: None,
            check: None,
            node: None,
            document: None,
            until: None,
            next: "smp cases show proposal-aebagbafaydqqcikbmga2dqp".to_owned(),
        }
    }

    #[test]
    fn people_read_what_happened_to_what_and_what_to_run() {
        let text = Events::new(Format::Table).text(&event()).unwrap();
        assert_eq!(
            text,
            "2026-12-01T09:00:00Z  a council proposes\n  council E08000037\n  \
             proposal-aebagbafaydqqcikbmga2dqp\n  place-aebagbafaydqqcikbmga2dqp\n  next: smp cases \
             show proposal-aebagbafaydqqcikbmga2dqp\n"
        );
    }

    #[test]
    fn json_is_a_line_for_each_and_csv_has_one_heading() {
        let mut json = Events::new(Format::Json);
        for _ in 0..2 {
            let line = json.text(&event()).unwrap();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event());
        }
        let mut csv = Events::new(Format::Csv);
        let (first, second) = (csv.text(&event()).unwrap(), csv.text(&event()).unwrap());
        assert!(first.starts_with("number,id,kind,"), "{first}");
        assert!(
            first.ends_with(&second) && second.starts_with("7,00ff,"),
            "{second}"
        );
    }
}
