//! CSV as councils' programs write it: four encodings, three delimiters.
//!
//! A file does not say what it is, so it is looked at: a byte order mark, the zero bytes of
//! UTF-16, whether it is UTF-8; and which delimiter the first line uses. Nothing here is
//! guessed twice: bytes that fit no encoding are refused.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::problem::Problem;
use super::sheet::{Builder, Sheet};

/// Bytes that are looked at to tell UTF-16 without a byte order mark.
const SAMPLE: usize = 512;

/// Reads the file as rows of text.
pub(super) fn read_sheet(bytes: &[u8]) -> Result<Sheet, Problem> {
    let text = decode(bytes)?;
    let (delimiter, start) = delimiter(&text);
    let body = text.get(start..).unwrap_or_default();
    let skipped = line_breaks(text.get(..start).unwrap_or_default());

    if let Some(offset) = unclosed_quote(body, delimiter) {
        let line = skipped.saturating_add(line_breaks(body.get(..offset).unwrap_or_default()));
        return Err(Problem {
            row: Some(line.saturating_add(1)),
            column: None,
            found: "a quotation mark that is never closed",
            expected: "a second one at the end of the cell; the rows after it cannot be told apart"
                .to_owned(),
        });
    }

    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut builder = Builder::default();
    let mut record = csv::StringRecord::new();
    let mut lines = Lines {
        text: body,
        offset: 0,
        line: skipped,
    };
    while reader.read_record(&mut record).map_err(|_| unreadable())? {
        let start = record.position().map_or(0, csv::Position::byte);
        let number = lines.at(usize::try_from(start).unwrap_or(usize::MAX));
        let mut cells = Vec::with_capacity(record.len().min(super::COLUMNS));
        for (column, cell) in record.iter().enumerate() {
            builder.count(number, column, cell)?;
            cells.push(cell.to_owned());
        }
        builder.push(number, cells)?;
    }
    builder.finish()
}

fn unreadable() -> Problem {
    Problem::of_file(
        "bytes that are not text",
        "a CSV file in UTF-8, UTF-16 or Windows-1252, or an XLSX workbook; save it again as \
         \"CSV UTF-8\""
            .to_owned(),
    )
}

/// The file's text, without a byte order mark.
fn decode(bytes: &[u8]) -> Result<String, Problem> {
    let (encoding, mark) = encoding_of(bytes);
    let body = bytes.get(mark..).unwrap_or_default();
    let (text, broken) = encoding.decode_without_bom_handling(body);
    // Windows-1252 reads any bytes; its five unused ones come out as control characters.
    let control = |c: char| c == '\0' || ('\u{80}'..='\u{9f}').contains(&c);
    if broken || text.contains(control) {
        return Err(unreadable());
    }
    Ok(text.into_owned())
}

/// The encoding, and the length of the byte order mark.
fn encoding_of(bytes: &[u8]) -> (&'static Encoding, usize) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return (encoding, mark);
    }
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    let (pairs, _) = sample.as_chunks::<2>();
    let zeros = |index: usize| pairs.iter().filter(|p| p.get(index) == Some(&0)).count();
    let most = |count: usize| count > 0 && count.saturating_mul(2) > pairs.len();
    if most(zeros(1)) && zeros(0) == 0 {
        (UTF_16LE, 0)
    } else if most(zeros(0)) && zeros(1) == 0 {
        (UTF_16BE, 0)
    } else if std::str::from_utf8(bytes).is_ok() {
        (UTF_8, 0)
    } else {
        (WINDOWS_1252, 0)
    }
}

/// The delimiter, and where the table begins: after a line `sep=;`, which Excel writes and
/// reads, or at the start.
fn delimiter(text: &str) -> (u8, usize) {
    let first = text.lines().next().unwrap_or_default();
    let named = first.strip_prefix("sep=").unwrap_or_default();
    let known = [b',', b';', b'\t']
        .into_iter()
        .find(|byte| named.as_bytes() == [*byte]);
    if let Some(byte) = known {
        let rest = text.get(first.len()..).unwrap_or_default();
        let line_break = if rest.starts_with("\r\n") {
            2
        } else {
            usize::from(!rest.is_empty())
        };
        return (byte, first.len().saturating_add(line_break));
    }
    // The header decides: its names hold no delimiter unless they are quoted.
    let mut quoted = false;
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0)];
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if !quoted => {
                for (_, count) in counts.iter_mut().filter(|(b, _)| *b == byte) {
                    *count = count.saturating_add(1);
                }
            }
            _ => {}
        }
    }
    // Of equals the first, so that a file of one column is read with commas.
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    (best.map_or(b',', |(byte, _)| byte), 0)
}

/// Where a cell begins with a quotation mark that is not closed. The CSV reader takes all
/// that follows as one cell, and the rows in it would be lost without a word.
fn unclosed_quote(text: &str, delimiter: u8) -> Option<usize> {
    let mut opened: Option<usize> = None;
    let mut at_start = true;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((offset, byte)) = bytes.next() {
        match opened {
            Some(_) if byte == b'"' => {
                if bytes.next_if(|(_, next)| *next == b'"').is_none() {
                    opened = None;
                    at_start = false;
                }
            }
            Some(_) => {}
            None if byte == b'"' && at_start => opened = Some(offset),
            None => at_start = byte == delimiter || byte == b'\n' || byte == b'\r',
        }
    }
    opened
}

/// Line numbers as an editor shows them: cells may hold line breaks and blank lines count.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the first record byte at or after `offset`; offsets must ascend.
    fn at(&mut self, offset: usize) -> u32 {
        let blank = |text: &str| {
            text.bytes()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .count()
        };
        let rest = self.text.get(offset..).unwrap_or_default();
        let start = offset.saturating_add(blank(rest));
        let passed = self.text.get(self.offset..start).unwrap_or_default();
        self.line = self.line.saturating_add(line_breaks(passed));
        self.offset = start;
        self.line.saturating_add(1)
    }
}

fn line_breaks(text: &str) -> u32 {
    let mut breaks = 0u32;
    let mut previous = 0u8;
    for byte in text.bytes() {
        if byte == b'\r' || (byte == b'\n' && previous != b'\r') {
            breaks = breaks.saturating_add(1);
        }
        previous = byte;
    }
    breaks
}
