//! `--to`: what a command lists, in a file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use calamine::{Data, Reader, open_workbook_auto};
use common::FakeNode;
use serde_json::json;

fn node() -> FakeNode {
    let check = json!([{
        "id": "check-aebagbafaydqqcikbmga2dqp", "host": "host-aebagbafaydqqcikbmga2dqp",
        "check": "dbs", "status": "in_progress", "council": "E08000021",
        "council_name": "=HYPERLINK(\"x\")", "own": true, "done_by": "county",
        "started_on": "2026-12-01", "due_on": null, "done_on": null, "valid_until": null,
        "standing": "overdue", "in_days": -3
    }]);
    FakeNode::new(&[("GET /v1/checks", check)])
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_ending_says_the_format_and_nobody_else_may_read_it() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    for name in ["checks.csv", "checks.xlsx", "checks.json"] {
        let file = dir.path().join(name);
        let done = node.smp(&["checks", "list", "--to", text_of(&file)]).ok();
        assert!(done.out.contains(text_of(&file)), "{}", done.out);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let csv = fs::read_to_string(dir.path().join("checks.csv")).unwrap();
    assert!(csv.starts_with("id,host,check,status,council,"), "{csv}");
    assert!(csv.contains(",\"'=HYPERLINK(\"\"x\"\")\","), "{csv}");
    assert!(csv.ends_with(",overdue,-3\n"), "{csv}");
    let same = node.smp(&["checks", "list", "--output", "csv"]).ok().out;
    assert_eq!(csv, same);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        3,
        "nothing else is left"
    );
}

#[test]
fn a_workbook_has_numbers_dates_and_text_and_no_formula() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let file = dir.path().join("checks.xlsx");
    node.smp(&["checks", "list", "--to", text_of(&file)]).ok();
    let mut book = open_workbook_auto(&file).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let column = |name: &str| {
        let heads = sheet.rows().next().unwrap();
        heads
            .iter()
            .position(|cell| *cell == Data::String(name.to_owned()))
            .unwrap()
    };
    let row = sheet.rows().nth(1).unwrap();
    let name = Data::String("=HYPERLINK(\"x\")".to_owned());
    assert_eq!(row[column("council_name")], name);
    assert_eq!(row[column("in_days")], Data::Float(-3.0));
    let Data::DateTime(day) = &row[column("started_on")] else {
        panic!("{:?}", row[column("started_on")])
    };
    assert_eq!(day.to_ymd_hms_milli(), (2026, 12, 1, 0, 0, 0, 0));
    let formulas = book.worksheet_formula("Sheet1").unwrap();
    assert!(formulas.used_cells().next().is_none());
}

#[test]
fn nothing_is_overwritten_unless_that_is_asked_for() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let file = dir.path().join("checks.csv");
    fs::write(&file, "mine").unwrap();
    let list = ["checks", "list", "--to", text_of(&file)];
    node.smp(&list).failed(4, "is there already", "--force");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(
        node.asked().is_empty(),
        "it was refused before the node was asked"
    );
    node.smp(&[&list[..], &["--force"]].concat()).ok();
    assert!(fs::read_to_string(&file).unwrap().starts_with("id,host,"));
    let nowhere = dir.path().join("none").join("checks.csv");
    let list = ["checks", "list", "--to", text_of(&nowhere)];
    node.smp(&list)
        .failed(4, text_of(&nowhere), "make the directory");
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_done() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let file = dir.path().join("checks");
    let list = ["checks", "list"];
    let with = |words: &[&str]| node.smp(&[&list[..], words].concat());
    with(&["--output", "xlsx"]).failed(2, "is written to a file", "--to FILE");
    assert!(node.asked().is_empty());
    with(&["--to", text_of(&file)]).failed(2, "does not say its format", "--output csv");
    with(&["--to", text_of(&file), "--output", "csv"]).ok();
    assert_eq!(with(&["--force"]).code, 2);
    let to = dir.path().join("stored.csv");
    let change = ["checks", "withdraw", "check-aebagbafaydqqcikbmga2dqp"];
    node.smp(&[&change[..], &["--to", text_of(&to)]].concat())
        .failed(2, "changes something", "without --to");
    assert!(!to.exists());
    let changed = node
        .asked()
        .iter()
        .any(|asked| !asked.line.starts_with("GET"));
    assert!(!changed);
}

#[test]
fn a_template_can_be_a_workbook() {
    let text = "\u{feff}reference,tenure,bedrooms\r\n";
    let node = FakeNode::failing("GET /v1/template/listing", 200, text);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("homes.xlsx");
    let to = ["housing", "template", "--to", text_of(&file)];
    node.smp(&to).ok();
    let mut book = open_workbook_auto(&file).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let heads: Vec<String> = sheet
        .rows()
        .next()
        .unwrap()
        .iter()
        .map(Data::to_string)
        .collect();
    assert_eq!(heads, ["reference", "tenure", "bedrooms"]);
    let plain = dir.path().join("homes.csv");
    node.smp(&["housing", "template", "--to", text_of(&plain)])
        .ok();
    assert_eq!(fs::read_to_string(&plain).unwrap(), text);
    let json = dir.path().join("homes.json");
    node.smp(&["housing", "template", "--to", text_of(&json)])
        .failed(2, "no form as JSON", ".csv or .xlsx");
    assert!(!json.exists());
}
