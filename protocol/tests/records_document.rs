//! Holds `docs/RECORDS.md` to the table of fields, so that the two cannot drift apart.
//!
//! After a change of the table: `UPDATE_DOCS=1 cargo test -p smp-protocol --test
//! records_document`, and commit what it wrote.

use std::path::Path;

use smp_protocol::ids::DocumentKind;
use smp_protocol::schema::{self, Field, NEWEST};

const INTRODUCTION: &str = "\
# Records: every field that is shared

This file is generated from the table in `protocol/src/schema/table.rs`; a test compares the
two. What a node refuses and what an import template asks for come from the same table.

Field names are those of *Share Homes for Ukraine* wherever it has the field, so that an
export loads without renaming. A record has an id (its kind and 15 random bytes) and these
fields, and there is no free text. Everything else that a council holds about a host, a
household or a home stays in its own node. A set with nothing in it is left out. A record is
never deleted: a status, a state or `withdrawn` says that it has ended.
";

fn readers(document: DocumentKind) -> &'static str {
    match document {
        DocumentKind::HostRegister => {
            "Read by the council, its area partners, and neighbours named in the roster under an \
             agreement that the council has accepted."
        }
        DocumentKind::RematchingPool | DocumentKind::HousingList => {
            "Read by every member of the region."
        }
        DocumentKind::Casework(_) => {
            "Read by the two councils alone. What is written here is never changed (docs/BOOKING.md)."
        }
    }
}

fn generated() -> String {
    let mut lines = vec![
        INTRODUCTION.to_owned(),
        format!("The schema's version is {}.", NEWEST.0),
    ];
    let casework = "E08000032".parse().map(DocumentKind::Casework);
    for document in DocumentKind::OF_EACH.into_iter().chain(casework) {
        let counterpart = match document {
            DocumentKind::Casework(_) => "/<counterpart>",
            _ => "",
        };
        lines.push(format!("\n## `{document}/<council>{counterpart}`\n"));
        lines.push(readers(document).to_owned());
        for kind in schema::kinds_of(document) {
            lines.push(format!("\n### `{kind}`\n"));
            lines.push("| no. | field | needed | accepts | meaning |".to_owned());
            lines.push("|--:|---|---|---|---|".to_owned());
            lines.extend(schema::fields_of(NEWEST, *kind).map(row));
        }
    }
    lines.join("\n") + "\n"
}

fn row(field: &Field) -> String {
    let needed = if field.required { "yes" } else { "" };
    let accepts = schema::describe(field.accepts);
    let (id, name, meaning) = (field.id.0, field.name, field.meaning);
    format!("| {id} | `{name}` | {needed} | {accepts} | {meaning} |")
}

#[test]
fn the_document_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/RECORDS.md");
    let wanted = generated();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).expect("writing docs/RECORDS.md");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == wanted,
        "docs/RECORDS.md does not match the table: run \
         `UPDATE_DOCS=1 cargo test -p smp-protocol --test records_document` and commit it"
    );
}
