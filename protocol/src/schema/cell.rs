//! Text in a cell of a file that a spreadsheet program will open.
//!
//! Such a program runs a cell that begins like a formula. What is written gets an apostrophe
//! in front, what is read loses it again; the two are exact inverses, so that an export can be
//! imported. The characters are those of OWASP's advice on CSV injection, with the wide forms
//! that some programs take for the plain ones.

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a text without its leading apostrophes would be run. A whole number below 0 is a
/// number to every program.
fn would_run(text: &str) -> bool {
    let plain = text.trim_start_matches('\'');
    let number = plain.strip_prefix('-').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    plain.starts_with(FORMULA) && !number
}

/// The text as it is written into a cell.
pub fn harmless(text: &str) -> String {
    match would_run(text) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The text that was written into a cell. One that a person typed is left as it is, unless it
/// begins with an apostrophe and would be run without it.
pub fn taken_back(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if would_run(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_is_run(text in "['=+@\\-\t\r\n＝＠a0]{0,6}|\\PC{0,12}") {
            let cell = harmless(&text);
            prop_assert_eq!(taken_back(&cell), &text);
            let number = cell.parse::<i128>().is_ok_and(|number| number <= 0);
            prop_assert!(!cell.starts_with(FORMULA) || number, "{}", cell);
        }
    }

    #[test]
    fn what_would_be_run_gets_an_apostrophe_and_nothing_else_does() {
        for (text, cell) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+44 1632 960000", "'+44 1632 960000"),
            ("-1+1", "'-1+1"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("-3", "-3"),
            ("'-3", "'-3"),
            ("O'Example", "O'Example"),
            ("'quoted'", "'quoted'"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), cell);
            assert_eq!(taken_back(cell), text);
        }
    }
}
