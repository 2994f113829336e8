//! Files that mean harm, or were damaged: refused within the limits, and never a panic.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::*;

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Hosts" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="4" uniqueCount="4"><si><t>reference</t></si><si><t>accommodation_type</t></si><si><t>A-1</t></si><si><t>sponsor</t></si></sst>"#;
const CELLS: &str = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>"#;

fn sheet(dimension: &str, cells: &str) -> String {
    format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
         <dimension ref=\"{dimension}\"/><sheetData>{cells}</sheetData></worksheet>"
    )
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn workbook(strings: &str, sheet: &str) -> Vec<u8> {
    archive(&[
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn found(bytes: &[u8]) -> &'static str {
    only(read(RecordKind::Host, "hosts.xlsx", bytes)).found
}

#[test]
fn the_workbook_that_the_others_are_made_from_is_read() {
    let import = read(
        RecordKind::Host,
        "hosts.xlsx",
        &workbook(STRINGS, &sheet("A1:B2", CELLS)),
    );
    assert_eq!(import.unwrap().rows.len(), 1);
}

#[test]
fn a_workbook_that_inflates_beyond_the_limit_is_refused() {
    let zeros = vec![b' '; usize::try_from(INFLATED_BYTES).unwrap() + 1];
    let bomb = archive(&[("xl/media/picture.png", &zeros)]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert_eq!(found(&bomb), "a workbook that is too large");
    // The limit is on all parts together.
    let half = &zeros[..zeros.len() / 2 + 1];
    assert_eq!(
        found(&archive(&[("a", half), ("b", half)])),
        "a workbook that is too large"
    );
}

#[test]
fn a_count_of_strings_that_no_file_has_is_refused_before_memory_is_reserved() {
    for count in [
        "9999999999",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        for strings in [
            STRINGS.replace("uniqueCount=\"4\"", &format!("uniqueCount=\"{count}\"")),
            STRINGS.replace("uniqueCount=\"4\"", &format!("uniqueCount = '{count}'")),
        ] {
            let bytes = workbook(&strings, &sheet("A1:B2", CELLS));
            assert_eq!(found(&bytes), "a workbook that is too large", "{count}");
        }
    }
    let encoded = format!("<?xml version=\"1.0\" encoding=\"iso-2022-jp\"?>{STRINGS}");
    assert_eq!(
        found(&workbook(&encoded, &sheet("A1:B2", CELLS))),
        "a damaged workbook"
    );
}

#[test]
fn cells_far_apart_do_not_make_a_large_table() {
    let corner = format!("{CELLS}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>");
    let bytes = workbook(STRINGS, &sheet("A1:XFD1048576", &corner));
    assert_eq!(found(&bytes), "too many columns");

    let last = format!(
        "{CELLS}<row r=\"1048576\"><c r=\"A1048576\" t=\"s\"><v>3</v></c><c r=\"B1048576\" t=\"s\"><v>3</v></c></row>"
    );
    let import = read(
        RecordKind::Host,
        "h.xlsx",
        &workbook(STRINGS, &sheet("A1:B2", &last)),
    );
    assert_eq!(import.unwrap().rows[1].row, 1_048_576);

    let sparse: String = (1..=5000)
        .map(|row| format!("<row r=\"{row}\"><c r=\"SF{row}\"><v>1</v></c></row>"))
        .collect();
    assert_eq!(
        found(&workbook(STRINGS, &sheet("A1:B2", &sparse))),
        "too many cells"
    );
}

#[test]
fn one_long_text_named_many_times_is_refused() {
    let long = "x".repeat(CELL_CHARS);
    let strings = STRINGS.replace("sponsor", &long);
    let cells: String = (1..=2100)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>3</v></c></row>"))
        .collect();
    assert_eq!(
        found(&workbook(&strings, &sheet("A1:A2100", &cells))),
        "too many cells"
    );
    let longer = STRINGS.replace("sponsor", &"x".repeat(CELL_CHARS + 1));
    assert_eq!(
        found(&workbook(&longer, &sheet("A1:B2", CELLS))),
        "a cell that is too long"
    );
}

#[test]
fn what_makes_the_library_panic_is_a_damaged_workbook() {
    for dimension in ["B2:A1", "A0", "ZZZZZZZZZZ1:A1", "A99999999999", ""] {
        let outcome = read(
            RecordKind::Host,
            "h.xlsx",
            &workbook(STRINGS, &sheet(dimension, CELLS)),
        );
        if let Err(problems) = outcome {
            assert_eq!(problems[0].found, "a damaged workbook", "{dimension}");
        }
    }
    let index = CELLS.replace("<v>3</v>", "<v>99</v>");
    assert!(
        read(
            RecordKind::Host,
            "h.xlsx",
            &workbook(STRINGS, &sheet("A1:B2", &index))
        )
        .is_err()
    );
}

#[test]
fn text_files_are_held_to_the_limits_too() {
    let csv = |text: &str| only(hosts(text)).found;
    assert_eq!(csv(&"x".repeat(FILE_BYTES + 1)), "a file that is too large");
    assert_eq!(
        csv(&",".repeat(CELLS.len() + super::super::CELLS)),
        "too many cells"
    );
    let wide = format!("{}x\n", ",".repeat(COLUMNS));
    assert_eq!(csv(&wide), "too many columns");
    assert_eq!(csv(&"a\n".repeat(ROWS + 2)), "too many rows");
    let long = format!(
        "reference,accommodation_type\nA,{}\n",
        "x".repeat(CELL_CHARS + 1)
    );
    assert_eq!(csv(&long), "a cell that is too long");
    for bytes in [
        b"a,b\n\0\0\0".as_slice(),
        b"\xff\xfea",
        b"\xef\xbb\xbfa,\xff",
        b"a,\x81\x8d",
    ] {
        let problem = only(read(RecordKind::Host, "hosts.csv", bytes));
        assert_eq!(problem.found, "bytes that are not text");
    }
}

/// One change to some bytes: overwritten, removed, repeated.
fn mutate(bytes: &mut Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) {
    for (place, how, with) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = place.index(bytes.len());
        match how % 4 {
            0 => bytes[at] = *with,
            1 => bytes.insert(at, *with),
            2 => drop(bytes.remove(at)),
            _ => {
                let end = (at + usize::from(*with)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..12)
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), kind in 0usize..7) {
        let kind = RecordKind::EDITED[kind];
        let _ = read(kind, "file", &bytes);
        for start in [b"PK\x03\x04".as_slice(), b"\xff\xfe", b"\xfe\xff", b"reference,status\n"] {
            let _ = read(kind, "file", &[start, &bytes].concat());
        }
    }

    #[test]
    fn a_mutated_text_file_never_panics(changes in changes()) {
        let mut bytes = b"sep=;\nreference;accommodation_type;postcode\n\"A\";sponsor;LS6 3AB\nB;\"te\nm\";x\n".to_vec();
        mutate(&mut bytes, &changes);
        if let Err(problems) = read(RecordKind::Host, "hosts.csv", &bytes) {
            prop_assert!(!problems.is_empty() && problems.len() <= PROBLEMS + 1);
        }
    }

    #[test]
    fn a_mutated_workbook_never_panics(
        part in 0usize..6,
        changes in changes(),
    ) {
        let sheet = sheet("A1:B2", CELLS);
        let mut parts = [RELATIONS, BOOK, BOOK_RELATIONS, STRINGS, &sheet].map(|p| p.as_bytes().to_vec());
        if let Some(chosen) = parts.get_mut(part) {
            mutate(chosen, &changes);
        }
        let names = ["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"];
        let named: Vec<(&str, &[u8])> = names.into_iter().zip(parts.iter().map(Vec::as_slice)).collect();
        let mut bytes = archive(&named);
        if part == 5 {
            mutate(&mut bytes, &changes);
        }
        if let Err(problems) = read(RecordKind::Host, "hosts.xlsx", &bytes) {
            prop_assert!(!problems.is_empty());
        }
    }
}
