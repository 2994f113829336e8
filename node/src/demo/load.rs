//! Fills the region: each council imports its files and types in the rest.
//!
//! Through the same calls that the local API makes for `smp`, and no others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use smp_protocol::api::{ReaderDecision, RecordEdit};
use smp_protocol::ids::RecordKind;

use super::councils::{Council, nearest};
use super::error::DemoError;
use super::records::{self, Fields};
use super::region::FILES_DIR;
use crate::import::REFERENCE;
use crate::service::{Answer, ImportOptions, Service};

/// What one council is going to have.
pub(super) struct Load {
    council: String,
    files: Vec<(RecordKind, PathBuf)>,
    contact: Fields,
    readers: Vec<String>,
}

/// Makes up a council's records and writes its files.
pub(super) fn prepare(
    home: &Path,
    council: &Council,
    councils: &[Council],
    seed: u64,
) -> Result<Load, DemoError> {
    let near = nearest(council, councils);
    let made = records::make(council, &near, seed)?;
    let dir = home.join(FILES_DIR).join(&council.slug);
    fs::create_dir_all(&dir).map_err(|source| DemoError::File {
        path: dir.clone(),
        source,
    })?;
    let places = records::file(RecordKind::Place, &referenced('P', made.places))?;
    let requests = records::file(RecordKind::Request, &referenced('R', made.requests))?;
    let files = [
        (RecordKind::Host, "hosts.csv", made.hosts),
        (RecordKind::Listing, "housing.csv", made.housing),
        (RecordKind::Place, "places.csv", places),
        (RecordKind::Request, "requests.csv", requests),
    ];
    let written: Result<Vec<(RecordKind, PathBuf)>, DemoError> = files
        .into_iter()
        .map(|(kind, name, bytes)| Ok((kind, write(dir.join(name), &bytes)?)))
        .collect();
    Ok(Load {
        council: council.name.clone(),
        files: written?,
        contact: made.contact,
        readers: near.iter().map(|near| near.code.to_string()).collect(),
    })
}

/// Rows with the council's own number for each.
fn referenced(letter: char, rows: Vec<Fields>) -> Vec<Fields> {
    let numbered = (1u32..).zip(rows).map(|(number, mut row)| {
        row.insert(REFERENCE.to_owned(), format!("{letter}-{number:05}"));
        row
    });
    numbered.collect()
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<PathBuf, DemoError> {
    match fs::write(&path, bytes) {
        Ok(()) => Ok(path),
        Err(source) => Err(DemoError::File { path, source }),
    }
}

/// Turns a node's refusal into an error that names its council.
pub(super) fn answered<T>(
    council: &str,
    what: &'static str,
    answer: Answer<T>,
) -> Result<T, DemoError> {
    answer.map_err(|failure| DemoError::Refused {
        council: council.to_owned(),
        what,
        failure,
    })
}

impl Load {
    /// Accepts the readers that the region names for the register.
    pub(super) async fn accept_readers<S: Service>(&self, service: &S) -> Result<(), DemoError> {
        for reader in &self.readers {
            let decision = ReaderDecision {
                reader: reader.clone(),
                accept: true,
            };
            let answer = service.decide_reader(decision).await;
            answered(&self.council, "accept a reader", answer)?;
        }
        Ok(())
    }

    /// Imports the files and types the placement team in. Gives how many records it wrote.
    pub(super) async fn run<S: Service>(self, service: S) -> Result<usize, DemoError> {
        let mut records = 1usize;
        for (kind, file) in &self.files {
            records = records.saturating_add(self.import(&service, *kind, file).await?);
        }
        create(&service, &self.council, RecordKind::Contact, self.contact).await?;
        Ok(records)
    }

    async fn import<S: Service>(
        &self,
        service: &S,
        kind: RecordKind,
        file: &Path,
    ) -> Result<usize, DemoError> {
        let bytes = fs::read(file).map_err(|source| DemoError::File {
            path: file.to_owned(),
            source,
        })?;
        let options = ImportOptions {
            file_name: file.display().to_string(),
            ..ImportOptions::default()
        };
        let answer = service.import(kind, options, bytes).await;
        let report = answered(&self.council, "import a file", answer)?;
        if report.applied {
            return Ok(report.created);
        }
        let problem = report.problems.first().map(|problem| {
            let column = problem.column.as_deref().unwrap_or("the file");
            let row = problem.row.unwrap_or(0);
            format!("row {row}, {column}: expected {}", problem.expected)
        });
        Err(DemoError::NotImported {
            council: self.council.clone(),
            file: file.to_owned(),
            problem: problem.unwrap_or_else(|| "nothing was applied".to_owned()),
        })
    }
}

/// Writes one record, as `smp pool place` does.
pub(super) async fn create<S: Service>(
    service: &S,
    council: &str,
    kind: RecordKind,
    fields: BTreeMap<String, String>,
) -> Result<(), DemoError> {
    let edit = RecordEdit {
        fields,
        ..RecordEdit::default()
    };
    answered(council, "write a record", service.create(kind, edit).await)?;
    Ok(())
}
