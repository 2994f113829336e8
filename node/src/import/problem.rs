//! What is wrong with a file, said without repeating anything that stands in it.

use std::fmt;

use smp_protocol::api::ImportProblem;

use super::PROBLEMS;

/// One problem of a file. Never holds a value: a cell may be anybody's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The line or row of the file.
    pub row: Option<u32>,
    /// The column's name, or its letter where its name may not be one.
    pub column: Option<String>,
    /// What kind of value was found.
    pub found: &'static str,
    /// What is expected, and what to do.
    pub expected: String,
}

impl Problem {
    /// A problem of the file as a whole.
    pub(super) fn of_file(found: &'static str, expected: String) -> Self {
        Self {
            row: None,
            column: None,
            found,
            expected,
        }
    }

    /// A problem of a column.
    pub(super) fn of_column(column: &str, found: &'static str, expected: String) -> Self {
        Self {
            row: None,
            column: Some(column.to_owned()),
            found,
            expected,
        }
    }

    /// A problem of one cell.
    pub(super) fn of_cell(row: u32, column: &str, found: &'static str, expected: String) -> Self {
        Self {
            row: Some(row),
            column: Some(column.to_owned()),
            found,
            expected,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl From<Problem> for ImportProblem {
    fn from(problem: Problem) -> Self {
        let Problem {
            row,
            column,
            found,
            expected,
        } = problem;
        Self {
            row,
            column,
            found: found.to_owned(),
            expected,
        }
    }
}

/// The problems of one file, bounded.
#[derive(Default, Debug)]
pub struct Problems {
    told: Vec<Problem>,
    untold: usize,
}

impl Problems {
    /// Adds a problem; beyond the limit it is only counted.
    pub(super) fn push(&mut self, problem: Problem) {
        if self.told.len() < PROBLEMS {
            self.told.push(problem);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The problems, and a last line for those that were only counted.
    pub(super) fn into_list(self) -> Vec<Problem> {
        let mut list = self.told;
        if self.untold > 0 {
            let expected = format!(
                "{} more problems are not listed; mend these first",
                self.untold
            );
            list.push(Problem::of_file("more problems", expected));
        }
        list
    }
}

/// What kind of value a cell's text is, in a word or two.
pub(super) fn kind_of(text: &str) -> &'static str {
    let text = text.trim();
    let is_date = |separator: char| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.is_empty() {
        "empty"
    } else if text.parse::<f64>().is_ok() {
        "number"
    } else if is_date('-') || is_date('/') || is_date('.') {
        "date"
    } else if ["true", "false", "yes", "no"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
    {
        "true or false"
    } else if text.starts_with('{') {
        "list"
    } else if text.starts_with('#') && text.ends_with(['!', '?', 'A']) {
        "formula error"
    } else {
        "text"
    }
}
