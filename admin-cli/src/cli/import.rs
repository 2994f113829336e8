//! Importing a file: the node reads it, all of it or nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use smp_protocol::api::ImportReport;
use smp_protocol::ids::RecordKind;

use super::Context;
use super::shared::{WriteArgs, held_elsewhere};
use crate::client::escape;
use crate::exit::Failure;

/// The largest file that is sent, which is the most that the API takes. A workbook of a
/// whole region has about 5 MB.
const FILE_BYTES: u64 = 16 << 20;

/// Imports a file: our template, an export of Share Homes for Ukraine, or what `--to` wrote of a
/// list
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The file: CSV or XLSX
    file: PathBuf,
    /// Say what it would do, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The file is the whole list: withdraw what it does not mention
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    write: WriteArgs,
}

impl ImportArgs {
    pub(super) fn run(&self, context: &Context, kind: RecordKind) -> Result<(), Failure> {
        let bytes = read(&self.file)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let mut path = format!("/v1/import/{kind}?file_name={}", escape(&name));
        let flags = [
            ("dry_run", self.dry_run),
            ("complete", self.complete),
            ("replicated", self.write.replicated()),
        ];
        for (flag, _) in flags.iter().filter(|(_, set)| *set) {
            path.push_str(&format!("&{flag}=true"));
        }
        let doing = format!("importing {name} ({} kB)", bytes.len().div_ceil(1000));
        let report: ImportReport = context.client.upload(&path, bytes, &doing)?;
        context.show(&report)?;
        let changed = report.created + report.updated + report.withdrawn > 0;
        match report.problems.len() {
            0 if report.applied && changed && self.write.replicated() => {
                held_elsewhere(report.held_by)
            }
            0 => Ok(()),
            1 => Err(problems(&name, "1 problem", kind)),
            n => Err(problems(&name, &format!("{n} problems"), kind)),
        }
    }
}

fn problems(file: &str, count: &str, kind: RecordKind) -> Failure {
    let noun = match kind {
        RecordKind::Host | RecordKind::Check => "hosts template".to_owned(),
        RecordKind::Listing | RecordKind::Interest => "housing template".to_owned(),
        _ => format!("pool template {kind}"),
    };
    Failure::refused(
        format!("{file}: {count}; nothing was changed"),
        format!("mend the file and import it again; `smp {noun}` prints the columns"),
    )
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::file(path, &e);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let read = file
        .take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > FILE_BYTES {
        return Err(Failure::refused(
            format!("{} is larger than {} MB", path.display(), FILE_BYTES >> 20),
            "import it in parts (without --complete)",
        ));
    }
    Ok(bytes)
}
