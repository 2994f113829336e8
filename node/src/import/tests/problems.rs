//! Each kind of problem, where it is and what is expected; and that none repeats a value.

use smp_protocol::api::ImportProblem;

use super::*;

fn told(text: &str) -> (Option<u32>, Option<String>, &'static str) {
    let problem = only(hosts(text));
    assert!(!problem.expected.is_empty());
    (problem.row, problem.column, problem.found)
}

fn at(row: u32, column: &str, found: &'static str) -> (Option<u32>, Option<String>, &'static str) {
    (Some(row), Some(column.to_owned()), found)
}

fn of(column: &str, found: &'static str) -> (Option<u32>, Option<String>, &'static str) {
    (None, Some(column.to_owned()), found)
}

#[test]
fn each_problem_is_told_where_it_is() {
    let head =
        "reference,accommodation_type,current_capacity,availability_start_date,postcode,status\n";
    for (rows, expected) in [
        ("A,sponsor,many,,,", at(2, "current_capacity", "text")),
        ("A,sponsor,41,,,", at(2, "current_capacity", "number")),
        (
            "A,sponsor,#REF!,,,",
            at(2, "current_capacity", "formula error"),
        ),
        (
            "A,sponsor,,31/02/2026,,",
            at(2, "availability_start_date", "date"),
        ),
        (
            "A,sponsor,,46113,,",
            at(2, "availability_start_date", "number"),
        ),
        ("A,,,,,", at(2, "accommodation_type", "empty")),
        ("A,castle,,,,", at(2, "accommodation_type", "text")),
        ("A,yes,,,,", at(2, "accommodation_type", "true or false")),
        ("A,sponsor,,,unknown,", at(2, "postcode", "text")),
        ("A,sponsor,,,,ready", at(2, "status", "text")),
        (",sponsor,,,,", at(2, "reference", "empty")),
        (
            "A,sponsor,,,,\nB,sponsor,,,,\nA,sponsor,,,,",
            at(4, "reference", "repeated reference"),
        ),
        ("A,sponsor,,,,,over", at(2, "G", "text")),
    ] {
        assert_eq!(told(&format!("{head}{rows}\n")), expected, "{rows}");
    }
    let long = "x".repeat(REFERENCE_CHARS + 1);
    assert_eq!(
        told(&format!("{head}{long},sponsor,,,,\n")),
        at(2, "reference", "a text that is too long")
    );
}

#[test]
fn each_problem_of_the_header_is_told() {
    for (text, expected) in [
        (
            "reference,status\nA,\n",
            of("accommodation_type", "missing column"),
        ),
        (
            "accommodation_type,status\nsponsor,\n",
            of("reference", "missing column"),
        ),
        (
            "reference,accommodation_type,colour\nA,sponsor,\n",
            of("colour", "unknown column"),
        ),
        (
            "reference,accommodation_type,jo@example.org\nA,sponsor,\n",
            of("C", "unknown column"),
        ),
        (
            "reference,accommodation_type,status,Status\nA,sponsor,,\n",
            of("status", "repeated column"),
        ),
        (
            "reference,accommodation_type,,status\nA,sponsor,x,\n",
            at(2, "C", "text"),
        ),
        ("reference,accommodation_type\n", (None, None, "no rows")),
        ("", (None, None, "an empty file")),
        ("\n \n,,\n", (None, None, "an empty file")),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_does_not_swallow_rows() {
    let head = "reference,accommodation_type,comments\n";
    let problem = only(hosts(&format!(
        "{head}A,sponsor,\nB,sponsor,\"open\nC,sponsor,\n"
    )));
    assert_eq!(
        (problem.row, problem.found),
        (Some(3), "a quotation mark that is never closed")
    );
    let closed =
        format!("{head}A,sponsor,\"say \"\"so\"\"\"\nB,sponsor,6\" shelf\nC,sponsor,\"\"\n");
    assert_eq!(hosts(&closed).unwrap().rows.len(), 3);
}

#[test]
fn a_name_that_is_nearly_right_gets_a_suggestion() {
    let problem = only(hosts(
        "reference,accommodation_type,post_code_district\nA,sponsor,LS6\n",
    ));
    assert!(
        problem.expected.contains("did you mean postcode_district"),
        "{problem}"
    );
    let problem = only(hosts("reference,accommodation_type,zzzz\nA,sponsor,\n"));
    assert!(!problem.expected.contains("did you mean"), "{problem}");
}

#[test]
fn a_postcode_that_contradicts_its_district_is_a_problem() {
    let problem =
        told("reference,accommodation_type,postcode,postcode_district\nA,sponsor,LS6 3AB,LS7\n");
    assert_eq!(problem, at(2, "postcode_district", "text"));
}

#[test]
fn a_file_without_a_header_is_told_without_repeating_its_first_row() {
    let problem = only(hosts("MARKER Fictional,marker@example.org,01632 960001\n"));
    assert_eq!(problem.found, "no header row");
    assert!(!format!("{problem:?}").to_lowercase().contains("marker"));
}

#[test]
fn all_problems_are_told_at_once_and_their_number_is_bounded() {
    let mut text = "reference,accommodation_type,current_capacity\n".to_owned();
    for row in 0..PROBLEMS + 234 {
        text.push_str(&format!("R{row},sponsor,many\n"));
    }
    let problems = hosts(&text).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS + 1);
    assert_eq!(problems[999].row, Some(1001));
    assert!(
        problems[1000].expected.starts_with("234 more"),
        "{}",
        problems[1000]
    );
}

#[test]
fn workbooks_that_are_not_xlsx_are_told_apart() {
    for (name, bytes) in [
        ("hosts.xls", b"\xD0\xCF\x11\xE0rest".as_slice()),
        ("hosts.csv", b"\xD0\xCF\x11\xE0rest"),
        ("hosts.xlsx", b"reference,accommodation_type"),
        ("hosts.ods", b"anything"),
    ] {
        let problem = only(read(RecordKind::Host, name, bytes));
        assert_eq!(
            problem.found, "an old workbook, or one with a password",
            "{name}"
        );
    }
}

/// Puts a marker into every personal column and a bad value with a marker into every other,
/// in both layouts, and looks for any trace of them in what is told.
#[test]
fn no_problem_repeats_anything_from_a_cell() {
    let names = String::from_utf8(template(RecordKind::Host)).unwrap();
    let names: Vec<&str> = names
        .trim_start_matches('\u{feff}')
        .trim()
        .split(',')
        .collect();
    let share = |name: &&str| match *name {
        "reference" => "accommodation_id".to_owned(),
        "sponsor_type" | "accommodation_type" | "sponsor_id" => (*name).to_owned(),
        name => format!("sponsor_{name}"),
    };
    let share: Vec<String> = names.iter().map(share).collect();
    let row = |first: &str, n: usize| -> String {
        let cell = |place: usize| match place {
            0 => first.to_owned(),
            _ => format!("ZQMARKER{n}x{place}"),
        };
        (0..names.len()).map(cell).collect::<Vec<_>>().join(",")
    };
    for header in [names.join(","), share.join(",")] {
        let header = format!("{header},person_full_name,zq marker@example.org");
        let text = format!(
            "{header}\n{},zqmarker,zqmarker\n{},zqmarker,zqmarker,zqmarker\n{},,\n{},,\n",
            row("ZQMARKERSAME", 1),
            row("ZQMARKERSAME", 2),
            row(&"ZQMARKER".repeat(40), 3),
            row("", 4),
        );
        let problems = hosts(&text).unwrap_err();
        assert!(problems.len() > 40, "{}", problems.len());
        let debug = format!("{problems:?}");
        let shown: String = problems.iter().map(ToString::to_string).collect();
        let sent: Vec<ImportProblem> = problems.into_iter().map(Into::into).collect();
        let said = debug + &shown + &serde_json::to_string(&sent).unwrap();
        assert!(!said.to_lowercase().contains("marker"), "{said}");
    }
}

#[test]
fn an_import_does_not_show_what_is_personal() {
    let import = hosts("reference,accommodation_type,full_name\nMARKER,sponsor,MARKER\n").unwrap();
    assert!(!format!("{import:?}").contains("MARKER"));
}
