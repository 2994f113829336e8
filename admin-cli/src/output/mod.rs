//! What a command prints: tables for people, JSON and CSV for programs.
//!
//! JSON is exactly the API's types. CSV has the same names as columns, and a workbook the same
//! cells. Results go to standard output in one piece, or into a file; errors and waiting to standard error; a reader that hangs
//! up early (`| head`) is not an error.

mod ago;
mod cases;
mod checks;
mod csv;
mod events;
mod export;
mod forks;
mod history;
mod homes;
mod import;
mod indicators;
mod lists;
mod matching;
mod records;
mod roster;
mod status;
mod table;
mod writes;
mod xlsx;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;

pub(crate) use events::Events;
pub(crate) use export::{Export, needs_a_file};
pub(crate) use records::RecordList;
pub(crate) use status::{attention, attention_failure};
pub(crate) use table::plain;

use crate::exit::{self, Failure};

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub(crate) enum Format {
    // No doc comments here: clap would print them in the help of every command.
    #[default]
    Table,
    Json,
    Csv,
    Xlsx,
}

/// Something that a command prints, in each of the formats.
pub(crate) trait View: Serialize {
    /// For people; ends with the end of a line.
    fn words(&self, look: &Look) -> String;

    /// As CSV.
    fn csv(&self) -> Result<String, Failure>;
}

/// What decides how words and tables look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Whether colours may be used.
    pub(crate) colour: bool,
    /// The columns of a table; `None` for the terminal's own.
    pub(crate) width: Option<u16>,
    /// What "2 min ago" is measured from.
    pub(crate) now: Timestamp,
}

/// The columns of a table that does not go to a terminal.
const WIDTH: u16 = 120;

impl Look {
    /// As standard output, `NO_COLOR` and `TERM` say.
    fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self {
            colour: terminal && !set("NO_COLOR") && !dumb,
            width: (!terminal).then_some(WIDTH),
            now: Timestamp::now(),
        }
    }
}

/// Prints a value in the format asked for.
pub(crate) fn show<V: View>(format: Format, value: &V) -> Result<(), Failure> {
    match format {
        Format::Table => print(&value.words(&Look::of_stdout())),
        Format::Json => print(&json(value)?),
        Format::Csv => print(&value.csv()?),
        Format::Xlsx => Err(export::needs_a_file()),
    }
}

/// Prints words after what a command did; programs that asked for JSON or CSV get none.
pub(crate) fn tell(format: Format, text: &str) -> Result<(), Failure> {
    match format {
        Format::Table => print(text),
        Format::Json | Format::Csv | Format::Xlsx => Ok(()),
    }
}

fn json<V: Serialize + ?Sized>(value: &V) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new(exit::FAILURE, format!("cannot write JSON: {e}"), ""))?;
    Ok(text + "\n")
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            exit::FAILURE,
            format!("cannot write to standard output: {e}"),
            "",
        )),
        _ => Ok(()),
    }
}

/// Says on standard error what went wrong, and what to do. There is nowhere left to report
/// a failure to do so.
pub(crate) fn complain(failure: &Failure) {
    let mut text = format!("error: {}\n", plain(&failure.message));
    if !failure.next.is_empty() {
        text.push_str(&format!("next: {}\n", plain(&failure.next)));
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says something on standard error beside what a command prints.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(text));
}

/// Something under way, shown on standard error if that is a terminal, until dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    pub(crate) fn show(doing: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Asks a question on standard error and reads the answer from standard input: yes or not.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let failed = |e: io::Error| Failure::new(exit::FAILURE, format!("cannot ask: {e}"), "");
    io::stderr()
        .lock()
        .write_all(format!("{question} [y/N] ").as_bytes())
        .map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
