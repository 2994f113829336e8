//! Files that councils import: read whole or not at all, and what is read passes the schema.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use smp_node::import::{Fields, Import, PROBLEMS, Plan, Problem, plan, read, template};
use smp_protocol::ids::{DocumentKind, RecordId, RecordKind};
use smp_protocol::schema::{Edit, NEWEST, check_edits, kinds_of};

use super::{Seeds, bounded};

/// Reading text takes its cells, each a string, and the rows made of them.
const PER_BYTE: usize = 400;

/// What a small workbook may take: a part of it may inflate to the limit, and the library
/// reserves memory for as many texts as it says that it has, at most two million.
const WORKBOOK: usize = 256 << 20;

/// A byte that says which kind of record, then a text file.
pub(super) fn csv(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let bound = (4 << 20) + PER_BYTE * bytes.len();
    import(kind_of(*kind), "file.csv", bytes, bound);
}

/// A byte that says which kind of record, then a workbook, or the parts of one.
pub(super) fn xlsx(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let packed = match bytes {
        [b'P', b'K', ..] => bytes.to_vec(),
        parts => pack(parts),
    };
    import(kind_of(*kind), "file.xlsx", &packed, WORKBOOK);
}

fn kind_of(byte: u8) -> RecordKind {
    RecordKind::EDITED[usize::from(byte) % RecordKind::EDITED.len()]
}

/// The parts of a workbook, as they stand in its archive.
const PARTS: [&str; 6] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "_rels/.rels",
    "xl/styles.xml",
];

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Hosts" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

/// An archive of the parts, which zero bytes separate. One that is not there is as a
/// spreadsheet program writes it, so that a short input is still a workbook.
fn pack(parts: &[u8]) -> Vec<u8> {
    let given: Vec<&[u8]> = parts.split(|byte| *byte == 0).collect();
    let usual = ["", "", BOOK, BOOK_RELATIONS, RELATIONS, STYLES];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default();
    for (index, (name, usual)) in PARTS.into_iter().zip(usual).enumerate() {
        let part = given.get(index).copied().unwrap_or(usual.as_bytes());
        archive.start_file(name, stored).expect("a part");
        archive.write_all(part).expect("memory");
    }
    archive.finish().expect("an archive").into_inner()
}

fn import(kind: RecordKind, name: &str, bytes: &[u8], bound: usize) {
    match bounded(bound, name, || read(kind, name, bytes)) {
        Ok(import) => {
            assert_eq!(import.kind, kind);
            assert!(!import.rows.is_empty());
            writes(&import);
        }
        Err(problems) => told(&problems),
    }
}

fn told(problems: &[Problem]) {
    assert!((1..=PROBLEMS + 1).contains(&problems.len()));
    for problem in problems {
        assert!(!problem.found.is_empty() && !problem.expected.is_empty());
    }
}

/// What was read can be written, and a second import of the same file changes nothing.
fn writes(import: &Import) {
    let mut counter = 0u64;
    let mut random = |bytes: &mut [u8]| {
        counter += 1;
        let digits = counter.to_le_bytes();
        bytes.iter_mut().zip(digits).for_each(|(b, d)| *b = d);
    };
    let first = plan(import, &|_| None, true, &[], &mut random);
    assert_eq!(first.creates, import.rows.len());
    let document = DocumentKind::OF_EACH
        .into_iter()
        .find(|document| kinds_of(*document).contains(&import.kind))
        .expect("every kind is in some document");
    for edit in &first.edits {
        let checked = check_edits(NEWEST, document, std::slice::from_ref(edit));
        assert_eq!(checked, Ok(()), "what is read passes the schema");
    }
    let held = made_by(&first);
    let existing = |reference: &str| held.get(reference).cloned();
    let known: Vec<(String, RecordId)> = first.references.clone();
    let second = plan(import, &existing, true, &known, &mut random);
    assert_eq!(second.edits, [], "importing it again changes nothing");
    assert_eq!(second.unchanged, import.rows.len());
}

/// The records as they stand after the first import, by reference.
fn made_by(plan: &Plan) -> BTreeMap<String, (RecordId, Fields)> {
    let created: BTreeMap<RecordId, &Fields> = plan.edits.iter().filter_map(fields_of).collect();
    let made = |(reference, record): &(String, RecordId)| {
        let fields = created.get(record)?;
        Some((reference.clone(), (*record, (*fields).clone())))
    };
    plan.references.iter().filter_map(made).collect()
}

fn fields_of(edit: &Edit) -> Option<(RecordId, &Fields)> {
    match edit {
        Edit::Create { record, fields } => Some((*record, fields)),
        Edit::Update { .. } => None,
    }
}

/// Two hosts who do not exist, in our template and in Share's export.
const HOSTS: &str = "reference,accommodation_type,full_name,postcode,current_capacity,languages\n\
    A-1,sponsor,Zelda Fictional,LS6 3AB,2,uk;en\n\
    A-2,Self contained,\"Quentin \"\"Q\"\" Fictional, senior\",ls1 1aa,3,\n";
const SHARE: &str = "accommodation_id,sponsor_id,sponsor_type,accommodation_type,\
    sponsor_full_name,sponsor_phone_number,accommodation_postcode,\
    accommodation_number_of_single_rooms,accommodation_availability_start_date,\
    sponsor_languages,accommodation_step_free_access,person_full_name\n\
    ACC1,SP1,individual,sponsor,Zelda Fictional,01632 960001,ls6 3ab,2,01/04/2026,\
    \"{uk,en}\",Yes,Guest One Fictional\n\
    ACC1,SP1,individual,sponsor,Zelda Fictional,01632 960001,ls6 3ab,2,01/04/2026,\
    \"{uk,en}\",Yes,Guest Two Fictional\n";

/// What a list writes, with a conflict and a cell that was made harmless.
const EXPORT: &str = "id,council,council_name,conflicts,accommodation_type,status,comments\n\
    host-aebagbafaydqqcikbmga2dqp,E08000021,Newcastle upon Tyne,,sponsor,paused,'=1+1\n\
    host-aebagbafaydqqcikbmga2dqq,E08000021,Newcastle upon Tyne,status,sponsor,paused | checking,\n";

pub(super) fn csv_seeds() -> Seeds {
    let utf_16: Vec<u8> = HOSTS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut seeds = vec![
        ("hosts".to_owned(), HOSTS.as_bytes().to_vec()),
        ("hosts as UTF-16".to_owned(), utf_16),
        (
            "hosts in Share's export".to_owned(),
            SHARE.as_bytes().to_vec(),
        ),
        (
            "hosts in a list's export".to_owned(),
            EXPORT.as_bytes().to_vec(),
        ),
        (
            "hosts with semicolons".to_owned(),
            format!("sep=;\r\n{}", HOSTS.replace(',', ";")).into_bytes(),
        ),
    ];
    for (_, bytes) in &mut seeds {
        bytes.insert(0, 0);
    }
    for (n, kind) in (0u8..).zip(RecordKind::EDITED.iter().copied()) {
        let mut bytes = vec![n];
        bytes.extend(template(kind));
        seeds.push((format!("template of {kind}"), bytes));
    }
    seeds
}

pub(super) fn xlsx_seeds() -> Seeds {
    let space = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main""#;
    let texts = ["reference", "accommodation_type", "A-1", "sponsor"]
        .map(|t| format!("<si><t>{t}</t></si>"));
    let strings = format!(
        r#"<sst {space} count="4" uniqueCount="4">{}</sst>"#,
        texts.concat()
    );
    let sheet = |cells: &str| {
        format!(
            r#"<worksheet {space}><dimension ref="A1:C2"/><sheetData>{cells}</sheetData></worksheet>"#
        )
    };
    let shared = sheet(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>"#,
    );
    let inline = sheet(
        r#"<row r="1"><c r="A1" t="inlineStr"><is><t>reference</t></is></c><c r="B1" t="str"><v>accommodation_type</v></c><c r="C1" t="str"><v>availability_start_date</v></c></row><row r="2"><c r="A2"><v>17</v></c><c r="B2" t="str"><v>sponsor</v></c><c r="C2" s="1"><v>46113</v></c></row>"#,
    );
    let whole = [&shared, &strings, BOOK, BOOK_RELATIONS, RELATIONS, STYLES].map(str::to_owned);
    let cases = [
        (
            "shared strings",
            format!("{shared}\0{strings}").into_bytes(),
        ),
        ("inline strings and a date", inline.into_bytes()),
        ("every part", whole.join("\0").into_bytes()),
        (
            "a workbook",
            pack(format!("{shared}\0{strings}").as_bytes()),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), [&[0], bytes.as_slice()].concat()))
        .collect()
}
