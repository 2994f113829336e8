//! Figures with their spread, as a table on screen and as JSON under `target/bench/`.
//!
//! Nothing here judges: a goal stands beside its figure, and no run fails for being slow.

use std::path::PathBuf;

use serde_json::{Value, json};

/// A figure measured several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figure(Vec<f64>);

impl Figure {
    /// One more measurement.
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// A figure that does not vary, or was measured once.
    pub(crate) fn once(value: f64) -> Self {
        Self(vec![value])
    }

    /// The same of each measurement.
    pub(crate) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self(self.0.iter().map(|value| change(*value)).collect())
    }

    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    pub(crate) fn min(&self) -> f64 {
        self.0[0]
    }

    pub(crate) fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    fn json(&self) -> Value {
        json!({ "min": self.min(), "median": self.median(), "max": self.max(),
                "measurements": self.0.len() })
    }

    fn text(&self) -> String {
        let (min, median, max) = (
            number(self.min()),
            number(self.median()),
            number(self.max()),
        );
        match self.0.len() {
            1 => median,
            _ => format!("{median} ({min}–{max})"),
        }
    }
}

/// Three significant digits.
fn number(value: f64) -> String {
    let digits = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 4);
    format!("{value:.*}", usize::try_from(digits).unwrap())
}

/// What a figure is held against.
pub(crate) struct Against {
    pub(crate) what: &'static str,
    pub(crate) figure: Figure,
    /// Ours over it, measured side by side in each round where that is possible.
    pub(crate) ratio: Figure,
    /// At most so much of it, where a goal is set.
    pub(crate) goal: Option<f64>,
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) measure: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) ours: Figure,
    pub(crate) against: Option<Against>,
    /// A goal that is a number and not a ratio.
    pub(crate) at_most: Option<f64>,
}

impl Row {
    fn goal(&self) -> (String, Option<bool>) {
        if let Some((against, goal)) = self.against.as_ref().and_then(|a| Some((a, a.goal?))) {
            let met = against.ratio.median() <= goal;
            return (format!("≤ {goal} ×"), Some(met));
        }
        match self.at_most {
            Some(most) => (
                format!("≤ {}", number(most)),
                Some(self.ours.median() <= most),
            ),
            None => ("report".to_owned(), None),
        }
    }

    fn json(&self) -> Value {
        let (goal, met) = self.goal();
        let against = self.against.as_ref().map(|against| {
            json!({ "what": against.what, "figure": against.figure.json(),
                    "ratio": against.ratio.json() })
        });
        json!({ "measure": self.measure, "unit": self.unit, "ours": self.ours.json(),
                "against": against, "goal": goal, "met": met })
    }
}

/// All lines of a run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    facts: Vec<(&'static str, String)>,
}

impl Report {
    pub(crate) fn fact(&mut self, name: &'static str, value: impl ToString) {
        let value = value.to_string();
        println!("{name}: {value}");
        self.facts.push((name, value));
    }

    pub(crate) fn add(&mut self, row: Row) {
        println!("{}", line(&row));
        self.rows.push(row);
    }

    /// Prints everything and writes it down.
    pub(crate) fn finish(&self) {
        println!("\n{}\n{}", heading(), "-".repeat(132));
        for row in &self.rows {
            println!("{}", line(row));
        }
        println!("median (smallest–largest); ratios are of figures taken side by side");
        let facts: serde_json::Map<String, Value> = self
            .facts
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let text = serde_json::to_string_pretty(&json!({ "facts": facts, "rows": rows }));
        let dir = target().join("bench");
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("sync.json");
        std::fs::write(&file, text.unwrap()).unwrap();
        println!("written to {}", file.display());
    }
}

fn heading() -> String {
    format!(
        "{:<42} {:>24} {:>24} {:>20} {:>9}",
        "measure", "ours", "peer", "ratio", "goal"
    )
}

fn line(row: &Row) -> String {
    let (goal, met) = row.goal();
    let (peer, ratio) = match &row.against {
        Some(against) => (against.figure.text(), against.ratio.text()),
        None => (String::new(), String::new()),
    };
    let met = match met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    };
    let measure = match row.unit {
        "" => row.measure.to_owned(),
        unit => format!("{}, {unit}", row.measure),
    };
    let ours = row.ours.text();
    let what = row.against.as_ref().map_or("", |against| against.what);
    format!("{measure:<42} {ours:>24} {peer:>24} {ratio:>20} {goal:>9} {met:<6} {what}")
}

/// The build's own directory, which is on a disk; `/tmp` may be memory.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program
        .ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").is_file());
    target.unwrap().to_owned()
}
