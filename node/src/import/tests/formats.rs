//! The same two hosts in every encoding, delimiter and format.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::*;

const ROWS: [[&str; 6]; 3] = [
    [
        "reference",
        "accommodation_type",
        "full_name",
        "postcode",
        "current_capacity",
        "languages",
    ],
    ["A-1", "sponsor", "Zoë Fictional", "LS6 3AB", "2", "uk;en"],
    [
        "A-2",
        "Self contained",
        "Quentin \"Q\" Fictional, senior",
        "ls1 1aa",
        "3",
        "",
    ],
];

fn csv_text(delimiter: char, line_break: &str) -> String {
    let quote = |cell: &str| {
        if cell.contains([delimiter, '"']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    let line = |row: &[&str; 6]| row.map(quote).join(&delimiter.to_string()) + line_break;
    ROWS.iter().map(line).collect()
}

fn assert_is_both_hosts(name: &str, bytes: &[u8]) {
    let import = read(RecordKind::Host, name, bytes).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    assert_eq!(import.layout.as_str(), "template");
    assert_eq!(import.rows.len(), 2);
    assert_eq!(import.rows[0].reference, "A-1");
    assert_eq!(import.rows[0].vault["full_name"], ROWS[1][2], "{name}");
    assert_eq!(import.rows[1].vault["full_name"], ROWS[2][2], "{name}");
    assert_eq!((import.rows[0].row, import.rows[1].row), (2, 3), "{name}");
    let first = fields_of(&import, 0);
    assert_eq!(first["languages"], "en;uk");
    assert_eq!(first["current_capacity"], "2");
    assert_eq!(first["postcode_district"], "LS6");
    let second = fields_of(&import, 1);
    assert_eq!(second["accommodation_type"], "self_contained");
    assert_eq!(second["postcode_district"], "LS1");
    assert!(!second.contains_key("languages"));
}

fn utf_16(text: &str, big_endian: bool) -> Vec<u8> {
    let bytes = |unit: u16| {
        if big_endian {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn every_encoding_delimiter_and_line_break_reads_the_same() {
    for delimiter in [',', ';', '\t'] {
        for line_break in ["\n", "\r\n"] {
            let text = csv_text(delimiter, line_break);
            let marked = format!("\u{feff}{text}");
            let windows = encoding_rs::WINDOWS_1252.encode(&text).0;
            assert!(std::str::from_utf8(&windows).is_err());
            assert_is_both_hosts("utf-8.csv", text.as_bytes());
            assert_is_both_hosts("utf-8-marked.csv", marked.as_bytes());
            assert_is_both_hosts("windows-1252.csv", &windows);
            assert_is_both_hosts("utf-16le.csv", &utf_16(&text, false));
            assert_is_both_hosts("utf-16be.csv", &utf_16(&text, true));
            assert_is_both_hosts("utf-16le-marked.csv", &utf_16(&marked, false));
            assert_is_both_hosts("utf-16be-marked.csv", &utf_16(&marked, true));
        }
    }
}

#[test]
fn what_excel_writes_first_is_passed_over_and_lines_are_still_counted() {
    for delimiter in [';', ',', '\t'] {
        let text = "sep=;\r\nreference;accommodation_type\r\nA-1;sponsor\r\n";
        let import = hosts(&text.replace(';', &delimiter.to_string())).unwrap();
        assert_eq!((import.rows.len(), import.rows[0].row), (1, 3));
    }
}

#[test]
fn blank_lines_and_line_breaks_in_cells_do_not_disturb_the_count() {
    let text = "\n\nreference,accommodation_type,comments\r\n\r\nA-1,sponsor,\"two\r\nlines\"\r\n,,\r\n\r\nA-2,sponsor,\r\n";
    let import = hosts(text).unwrap();
    let lines: Vec<u32> = import.rows.iter().map(|row| row.row).collect();
    assert_eq!(lines, [5, 9]);
    assert_eq!(import.rows[0].vault["comments"], "two\r\nlines");
}

fn workbook() -> Workbook {
    let mut workbook = Workbook::new();
    let notes = workbook.add_worksheet();
    notes.set_name("Notes").unwrap();
    notes.write(0, 0, "not a table").unwrap();
    workbook
}

#[test]
fn a_workbook_is_read_from_the_sheet_of_its_kind_or_the_first() {
    for (sheet_name, with_notes) in [("Hosts", true), ("host", true), ("Anything", false)] {
        let mut book = if with_notes {
            workbook()
        } else {
            Workbook::new()
        };
        let sheet = book.add_worksheet();
        sheet.set_name(sheet_name).unwrap();
        for (row, cells) in (0u32..).zip(ROWS) {
            for (column, cell) in (0u16..).zip(cells) {
                match cell.parse::<f64>() {
                    Ok(number) => sheet.write(row, column, number).unwrap(),
                    Err(_) => sheet.write(row, column, cell).unwrap(),
                };
            }
        }
        assert_is_both_hosts("hosts.xlsx", &book.save_to_buffer().unwrap());
        // What the bytes are counts, not what the file is called.
        assert_is_both_hosts("hosts.csv", &book.save_to_buffer().unwrap());
    }
}

#[test]
fn a_workbooks_dates_booleans_and_gaps_are_read() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let header = [
        "reference",
        "accommodation_type",
        "availability_start_date",
        "allow_pet",
        "date_of_birth",
    ];
    for (column, name) in (0u16..).zip(header) {
        sheet.write(4, column, name).unwrap();
    }
    let day = Format::new().set_num_format("dd/mm/yyyy");
    let date = |y, m, d| ExcelDateTime::from_ymd(y, m, d).unwrap();
    sheet.write(7, 0, 1042).unwrap();
    sheet.write(7, 1, "Sponsor").unwrap();
    sheet
        .write_with_format(7, 2, date(2026, 4, 1), &day)
        .unwrap();
    sheet.write(7, 3, true).unwrap();
    sheet
        .write_with_format(7, 4, date(1970, 12, 31), &day)
        .unwrap();
    let import = read(RecordKind::Host, "h.xlsx", &book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(
        (import.rows[0].reference.as_str(), import.rows[0].row),
        ("1042", 8)
    );
    let fields = fields_of(&import, 0);
    assert_eq!(fields["availability_start_date"], "2026-04-01");
    assert_eq!(fields["allow_pet"], "true");
    assert_eq!(import.rows[0].vault["date_of_birth"], "1970-12-31");
}

#[test]
fn each_template_reads_back_once_it_is_filled_in() {
    for kind in [RecordKind::Host, RecordKind::Listing] {
        let bytes = template(kind);
        let empty = only(read(kind, "template.csv", &bytes));
        assert_eq!(empty.found, "no rows");

        let header = String::from_utf8(bytes).unwrap();
        let names: Vec<&str> = header
            .trim_start_matches('\u{feff}')
            .trim()
            .split(',')
            .collect();
        let value = |name: &&str| match *name {
            "reference" => "R-1",
            "accommodation_type" => "sponsor",
            "tenure" => "lodging",
            "bedrooms" => "2",
            _ => "",
        };
        let row: Vec<&str> = names.iter().map(value).collect();
        let import = read(
            kind,
            "filled.csv",
            format!("{header}{}", row.join(",")).as_bytes(),
        )
        .unwrap();
        assert_eq!(import.rows.len(), 1);
        assert_eq!(
            import.covered.len(),
            schema::fields_of(NEWEST, kind).count()
        );
        assert_eq!(import.rows[0].vault.len(), vault_columns(kind).len());
    }
}

#[test]
fn a_host_template_is_one_template_and_not_an_export() {
    // `accommodation_type` and `sponsor_id` begin as Share's columns do.
    let import =
        hosts("reference,accommodation_type,sponsor_id,sponsor_type\nA,sponsor,S9,group\n");
    assert_eq!(import.unwrap().layout, Layout::Template);
}

#[test]
fn a_file_of_json_is_told_what_to_be() {
    for name in ["homes.json", "HOMES.JSON"] {
        let problems = read(RecordKind::Listing, name, b"[]").unwrap_err();
        assert!(problems[0].expected.contains("CSV or XLSX"), "{problems:?}");
    }
}
