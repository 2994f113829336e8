//! Regional indicators: a table for each month, or one row for each figure.

use comfy_table::Cell;
use serde::Serialize;
use smp_protocol::api::{Indicators, RegionalFigure};
use smp_protocol::indicators::Indicator;

use super::table::{Mood, cell, marked};
use super::{Look, View, csv};
use crate::exit::Failure;

const COLUMNS: [&str; 7] = [
    "month",
    "council",
    "council_name",
    "indicator",
    "unit",
    "value",
    "threshold",
];

/// A figure in a file: its value is a number or the word that says why there is none, in one
/// column, so that nobody takes an empty cell for 0.
#[derive(Serialize)]
struct Row<'a> {
    month: &'a str,
    council: Option<&'a str>,
    council_name: &'a str,
    indicator: &'a str,
    unit: &'a str,
    value: String,
    threshold: u32,
}

fn text(figure: &RegionalFigure) -> String {
    match figure.value {
        Some(value) => value.to_string(),
        None => figure.status.clone(),
    }
}

fn heading(indicator: Indicator) -> &'static str {
    match indicator {
        Indicator::Places => "Places",
        Indicator::People => "People",
        Indicator::OpenRequests => "Open requests",
        Indicator::DaysToPlacement => "Median days",
        Indicator::ChecksInTime => "Checks in time",
    }
}

fn figure_cell(figure: Option<&&RegionalFigure>) -> Cell {
    match figure {
        None => cell(""),
        Some(figure) if figure.value.is_some() && figure.unit == "percent" => {
            cell(format!("{}%", text(figure)))
        }
        Some(figure) => match figure.status.as_str() {
            "shown" => cell(text(figure)),
            word => marked(word.replace('_', " "), Mood::Warn),
        },
    }
}

/// One month: a row for each council in the order in which they come, the region last.
fn month_table(month: &str, figures: &[&RegionalFigure], look: &Look) -> String {
    let mut councils: Vec<&RegionalFigure> = Vec::new();
    for figure in figures {
        if !councils.iter().any(|known| known.council == figure.council) {
            councils.push(figure);
        }
    }
    let rows = councils.iter().map(|council| {
        let of_council = |indicator: Indicator| {
            let mut figures = figures.iter();
            figures.find(|figure| {
                figure.council == council.council && figure.indicator == indicator.as_str()
            })
        };
        let mut row = vec![cell(&council.council_name)];
        let figures = Indicator::ALL.into_iter();
        row.extend(figures.map(|indicator| figure_cell(of_council(indicator))));
        row
    });
    let mut heads = vec![month];
    heads.extend(Indicator::ALL.map(heading));
    look.table(&heads, rows.collect())
}

impl View for Indicators {
    fn words(&self, look: &Look) -> String {
        let mut months: Vec<&str> = self.figures.iter().map(|f| f.month.as_str()).collect();
        months.dedup();
        let mut out = String::new();
        for month in months {
            let of_month = self.figures.iter().filter(|figure| figure.month == month);
            out.push_str(&month_table(month, &of_month.collect::<Vec<_>>(), look));
            out.push('\n');
        }
        out.push_str(&format!(
            "As of {}. Counts from 1 to {} are suppressed, with what would give them away; others \
             are rounded to {}.\n",
            self.on,
            self.threshold.saturating_sub(1),
            self.round
        ));
        out
    }

    fn csv(&self) -> Result<String, Failure> {
        let rows = self.figures.iter().map(|figure| Row {
            month: &figure.month,
            council: figure.council.as_deref(),
            council_name: &figure.council_name,
            indicator: &figure.indicator,
            unit: &figure.unit,
            value: text(figure),
            threshold: self.threshold,
        });
        csv::items(&COLUMNS, &rows.collect::<Vec<Row<'_>>>())
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::look;
    use super::*;

    fn figure(
        council: Option<&str>,
        indicator: Indicator,
        shown: Result<u64, &str>,
    ) -> RegionalFigure {
        RegionalFigure {
            month: "2026-12".to_owned(),
            council: council.map(str::to_owned),
            council_name: council.unwrap_or("region, 2 of 3 councils").to_owned(),
            indicator: indicator.as_str().to_owned(),
            unit: indicator.unit().to_owned(),
            value: shown.ok(),
            status: shown.err().unwrap_or("shown").to_owned(),
        }
    }

    #[test]
    fn no_suppressed_or_missing_figure_looks_like_none() {
        let figures = vec![
            figure(Some("E08000021"), Indicator::Places, Ok(0)),
            figure(Some("E08000037"), Indicator::Places, Err("suppressed")),
            figure(Some("E08000024"), Indicator::Places, Err("not_submitted")),
            figure(None, Indicator::Places, Ok(25)),
            figure(Some("E08000021"), Indicator::ChecksInTime, Ok(80)),
            figure(
                Some("E08000037"),
                Indicator::ChecksInTime,
                Err("nothing_to_measure"),
            ),
        ];
        let all = Indicators {
            on: "2026-12-10".to_owned(),
            threshold: 8,
            round: 5,
            figures,
        };
        let words = all.words(&look());
        let row = |of: &str| words.lines().find(|line| line.starts_with(of)).unwrap();
        assert_eq!(
            row("E08000021").split_whitespace().collect::<Vec<_>>(),
            ["E08000021", "0", "80%"]
        );
        assert!(row("E08000037").contains("suppressed"), "{words}");
        assert!(row("E08000024").contains("not submitted"), "{words}");
        assert!(row("region").contains("25"), "{words}");
        assert!(words.contains("from 1 to 7"), "{words}");
        assert!(
            words.lines().all(|line| line.chars().count() <= 120),
            "{words}"
        );
        let csv = all.csv().unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            lines[0],
            "month,council,council_name,indicator,unit,value,threshold"
        );
        assert_eq!(lines[1], "2026-12,E08000021,E08000021,places,places,0,8");
        assert_eq!(
            lines[2],
            "2026-12,E08000037,E08000037,places,places,suppressed,8"
        );
        assert_eq!(
            lines[4],
            "2026-12,,\"region, 2 of 3 councils\",places,places,25,8"
        );
    }
}
