//! A result in a file: `--to`.
//!
//! An export of a register is as much worth protecting as the register: only its owner may read
//! it, it is there whole or not at all, and nothing is overwritten unless that is asked for.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Format, Look, View, WIDTH, csv, json, xlsx};
use crate::exit::{self, Failure};

/// Where a result goes.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    path: PathBuf,
    format: Format,
    force: bool,
}

impl Export {
    /// Looks at the path before anything is asked or changed. Without `format` the ending of the
    /// file's name says it.
    pub(crate) fn new(path: &Path, format: Option<Format>, force: bool) -> Result<Self, Failure> {
        let Some(format) = format.or_else(|| by_ending(path)) else {
            return Err(Failure::new(
                exit::USAGE,
                format!(
                    "{}: the file's name does not say its format",
                    path.display()
                ),
                "end it in .csv, .xlsx or .json, or say `--output csv`",
            ));
        };
        match fs::symlink_metadata(path) {
            Ok(_) if !force => return Err(exists(path)),
            // A device or a directory would be replaced, not written to; of a link the link.
            Ok(there) if !there.is_file() => {
                return Err(Failure::refused(
                    format!("{} is there already, and no plain file", path.display()),
                    "nothing was done; name another file",
                ));
            }
            _ => {}
        }
        Ok(Self {
            path: path.to_owned(),
            format,
            force,
        })
    }

    /// Writes a value, and says so.
    pub(crate) fn put<V: View>(&self, value: &V) -> Result<(), Failure> {
        let bytes = match self.format {
            Format::Table => {
                let look = Look {
                    colour: false,
                    width: Some(WIDTH),
                    ..Look::of_stdout()
                };
                value.words(&look).into_bytes()
            }
            Format::Json => json(value)?.into_bytes(),
            Format::Csv => value.csv()?.into_bytes(),
            Format::Xlsx => xlsx::workbook(&csv::cells(&value.csv()?)?)?,
        };
        self.put_bytes(&bytes)
    }

    /// Writes what is text already, such as a template: as it is, or its cells as a workbook.
    pub(crate) fn put_text(&self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Csv => self.put_bytes(text.as_bytes()),
            Format::Xlsx => {
                let plain = text.trim_start_matches('\u{feff}');
                self.put_bytes(&xlsx::workbook(&csv::cells(plain)?)?)
            }
            Format::Json => Err(Failure::new(
                exit::USAGE,
                "this is text, and has no form as JSON",
                "end the file's name in .csv or .xlsx",
            )),
        }
    }

    fn put_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(bytes).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::refused(
                format!("{}: there is no room for it", self.path.display()),
                "make room, or name a file elsewhere; nothing is left of this one",
            ),
            io::ErrorKind::NotFound => Failure::refused(
                format!("{}: its directory is not there", self.path.display()),
                "make the directory, or name a file elsewhere",
            ),
            // Without the name that it has until it is whole, which nobody has typed.
            kind => Failure::file(&self.path, &io::Error::from(kind)),
        })?;
        let path = self.path.display();
        super::print(&format!("Written to {path}, which only you may read.\n"))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let dir = match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        // Made with mode 0600, and removed if anything fails before it has its name.
        let mut file = tempfile::Builder::new()
            .prefix(".smp-export-")
            .tempfile_in(dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match self.force {
            true => file.persist(&self.path).map_err(io::Error::from)?,
            false => file
                .persist_noclobber(&self.path)
                .map_err(io::Error::from)?,
        };
        // The file is whole and has its name. A directory that may not be read is not waited for.
        match File::open(dir) {
            Ok(dir) => dir.sync_all(),
            Err(_) => Ok(()),
        }
    }
}

/// A workbook is not printed.
pub(crate) fn needs_a_file() -> Failure {
    Failure::new(
        exit::USAGE,
        "a workbook is written to a file",
        "say which: `--to FILE`",
    )
}

fn by_ending(path: &Path) -> Option<Format> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Some(Format::Csv),
        "xlsx" => Some(Format::Xlsx),
        "json" => Some(Format::Json),
        _ => None,
    }
}

fn exists(path: &Path) -> Failure {
    Failure::refused(
        format!("{} is there already; nothing was done", path.display()),
        "name another file, or overwrite it with --force",
    )
}
