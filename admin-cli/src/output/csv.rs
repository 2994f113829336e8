//! CSV: the API's JSON fields under the same names, one row for each item.
//!
//! A cell that begins like a formula gets an apostrophe in front, since a spreadsheet
//! would run it. So a telephone number such as `+44 …` reads `'+44 …`; JSON is exact, and an
//! import takes the apostrophe away again.

use serde::Serialize;
use serde_json::Value;
use smp_protocol::schema::{harmless, taken_back};

use crate::exit::{self, Failure};

/// Rows of text as CSV, with formulas made harmless.
pub(crate) fn rows(
    heads: &[impl AsRef<str>],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String, Failure> {
    let failed = |e: String| Failure::new(exit::FAILURE, format!("cannot write CSV: {e}"), "");
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer
        .write_record(heads.iter().map(AsRef::as_ref))
        .map_err(|e| failed(e.to_string()))?;
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| harmless(cell)))
            .map_err(|e| failed(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}

/// The rows of such a text as they were before, the headings first.
pub(super) fn cells(text: &str) -> Result<Vec<Vec<String>>, Failure> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.map_err(|e| Failure::new(exit::FAILURE, format!("cannot write: {e}"), ""))?;
        Ok(row.iter().map(|cell| taken_back(cell).to_owned()).collect())
    });
    rows.collect()
}

/// Items as rows, with those of their JSON fields that `columns` names.
pub(crate) fn items<T: Serialize>(columns: &[&str], items: &[T]) -> Result<String, Failure> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let value = to_value(item)?;
        let cells = columns.iter().map(|name| value.get(name).map(text));
        out.push(cells.map(Option::unwrap_or_default).collect());
    }
    rows(columns, out)
}

/// One object as rows of name and value; a field of a nested object is `outer.inner`.
pub(crate) fn object<T: Serialize>(object: &T) -> Result<String, Failure> {
    let mut out = Vec::new();
    flatten("", &to_value(object)?, &mut out);
    rows(&["name", "value"], out)
}

fn to_value<T: Serialize>(item: &T) -> Result<Value, Failure> {
    serde_json::to_value(item)
        .map_err(|e| Failure::new(exit::FAILURE, format!("cannot write CSV: {e}"), ""))
}

/// Lists of objects are left out: they have a command of their own.
fn flatten(prefix: &str, value: &Value, out: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = match prefix {
                    "" => name.clone(),
                    _ => format!("{prefix}.{name}"),
                };
                flatten(&name, value, out);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {}
        _ => out.push(vec![prefix.to_owned(), text(value)]),
    }
}

/// A JSON value in one cell.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<String>>().join(";"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_made_harmless_and_quotes_are_kept() {
        let cells = ["=cmd()", "+44 1632 960000", "a,\"b\"", "plain", ""];
        let row = cells.map(str::to_owned).to_vec();
        let text = rows(&["a", "b", "c", "d", "e"], [row]).unwrap();
        assert_eq!(
            text,
            "a,b,c,d,e\n'=cmd(),'+44 1632 960000,\"a,\"\"b\"\"\",plain,\n"
        );
        let before = super::cells(&text).unwrap();
        assert_eq!(before[1], cells);
    }

    #[test]
    fn an_object_is_names_and_values() {
        let value = serde_json::json!({"b": {"c": 1, "d": null}, "a": ["x", "y"], "e": [{}]});
        assert_eq!(object(&value).unwrap(), "name,value\na,x;y\nb.c,1\nb.d,\n");
    }
}
