//! Tables and words for a terminal.
//!
//! Text from a node is never sent to the terminal with its control characters: a council's
//! name must not move somebody's cursor.

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
    Width,
};

use super::Look;

/// A line under the heading and nothing else: it copies well and reads well.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How urgent a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Bad,
    /// Nothing to say.
    Plain,
}

impl Mood {
    fn colour(self) -> Option<Color> {
        match self {
            Self::Good => Some(Color::Green),
            Self::Warn => Some(Color::Yellow),
            Self::Bad => Some(Color::Red),
            Self::Plain => None,
        }
    }

    fn code(self) -> Option<&'static str> {
        match self {
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("31"),
            Self::Plain => None,
        }
    }
}

/// Text without control characters.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A cell.
pub(crate) fn cell(text: impl AsRef<str>) -> Cell {
    Cell::new(plain(text.as_ref()))
}

/// A cell whose colour says how urgent it is.
pub(crate) fn marked(text: impl AsRef<str>, mood: Mood) -> Cell {
    let cell = cell(text);
    match mood.colour() {
        Some(colour) => cell.fg(colour),
        None => cell,
    }
}

/// Asks for columns as wide as their longest words, if all of them fit; the first column
/// is kept whole in any case.
fn keep_words(table: &mut Table, width: u16) {
    const BETWEEN: u16 = 2;
    let longest = |text: String| text.split_whitespace().map(|w| w.chars().count()).max();
    let mut columns = Vec::new();
    for (index, column) in table.column_iter().enumerate() {
        let cells = table.column_cells_with_header_iter(column.index).flatten();
        let words = cells.filter_map(|cell| match index {
            0 => Some(cell.content().chars().count()),
            _ => longest(cell.content()),
        });
        let words = u16::try_from(words.max().unwrap_or_default()).unwrap_or(u16::MAX);
        columns.push(words.saturating_add(BETWEEN));
    }
    let total = columns.iter().fold(0u16, |sum, n| sum.saturating_add(*n));
    for (index, least) in columns.into_iter().enumerate() {
        let Some(column) = table.column_mut(index) else {
            continue;
        };
        column.set_padding((0, 1));
        if index == 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else if total <= width {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
}

impl Look {
    /// A table that fits. The first column names the thing and is never broken in two, so
    /// that an id can be copied; nor are words elsewhere, where there is room for them.
    /// Ends with the end of a line.
    pub(crate) fn table(&self, heads: &[&str], rows: Vec<Vec<Cell>>) -> String {
        let mut table = Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic);
        // Asked for before colours are ruled out, which makes it forget the terminal.
        let width = self.width.or_else(|| table.width());
        if let Some(width) = width {
            table.set_width(width);
        }
        match self.colour {
            true => table.enforce_styling(),
            false => table.force_no_tty(),
        };
        let heads = heads
            .iter()
            .map(|head| Cell::new(head).add_attribute(Attribute::Bold));
        table
            .set_header(heads.collect::<Vec<Cell>>())
            .add_rows(rows);
        keep_words(&mut table, width.unwrap_or(u16::MAX));
        table.trim_fmt() + "\n"
    }

    /// A word or line in a colour.
    pub(crate) fn paint(&self, text: &str, mood: Mood) -> String {
        match mood.code() {
            Some(code) if self.colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Without colour, 120 columns, at a fixed time.
    pub(crate) fn look() -> Look {
        Look {
            colour: false,
            width: Some(120),
            now: "2026-04-01T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_table_keeps_to_its_width_and_to_plain_text() {
        let row = vec![cell("a\u{1b}[2Jb\n"), marked("word ".repeat(60), Mood::Bad)];
        let text = look().table(&["one", "two"], vec![row]);
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
        assert!(text.lines().count() > 3, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("a\u{fffd}[2Jb\u{fffd}"), "{text}");
    }

    #[test]
    fn colour_is_there_only_when_asked_for() {
        let mut look = look();
        assert_eq!(look.paint("x", Mood::Good), "x");
        look.colour = true;
        assert_eq!(look.paint("x", Mood::Good), "\u{1b}[32mx\u{1b}[0m");
        assert!(
            look.table(&["h"], vec![vec![marked("x", Mood::Bad)]])
                .contains('\u{1b}')
        );
    }
}
