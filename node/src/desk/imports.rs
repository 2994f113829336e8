//! Imports: all of a file or nothing, shared fields and vault in one flush.

use std::collections::BTreeMap;

use smp_protocol::api::ImportReport;
use smp_protocol::housing::Way;
use smp_protocol::ids::{DocumentName, RecordId, RecordKind};
use smp_protocol::session::Receipt;

use super::records::{broken, no_randomness, vault_record};
use super::{Desk, cases, document_of, homes, refused};
use crate::engine::{Core, clock};
use crate::import::{self, Fields, Import, Layout, Plan, Problem};
use crate::service::{Answer, Failure, FailureKind, ImportOptions};
use crate::store::{Change, StoreError, Table};

/// Which record a row of the council's own file is, as `Table::Rows` keeps it: kind and
/// reference make the key, the record id the value.
fn row_key(kind: RecordKind, reference: &str) -> Vec<u8> {
    format!("{kind}\0{reference}").into_bytes()
}

impl Desk {
    pub(super) async fn import_file(
        &self,
        kind: RecordKind,
        options: ImportOptions,
        bytes: Vec<u8>,
    ) -> Answer<ImportReport> {
        let file = options.file_name.clone();
        let read = tokio::task::spawn_blocking(move || import::read(kind, &file, &bytes));
        let import = match read.await {
            Ok(Ok(import)) => import,
            Ok(Err(problems)) => return Ok(with_problems(&options, problems)),
            Err(_) => {
                return Err(Failure::new(
                    FailureKind::BadRequest,
                    "unreadable",
                    "the file cannot be read",
                    "nothing was changed; save it again as CSV (UTF-8) and import that",
                ));
            }
        };
        let asked = options.clone();
        let work = move |core: &mut Core| apply(core, &import, &asked);
        // A dry run writes nothing, so it needs no room on the disk.
        let (mut report, receipts) = match options.dry_run {
            true => self.ask(work).await??,
            false => self.write(work).await??,
        };
        report.held_by = self
            .held_by(receipts, options.replicated && report.applied)
            .await;
        Ok(report)
    }
}

fn with_problems(options: &ImportOptions, problems: Vec<Problem>) -> ImportReport {
    ImportReport {
        file: options.file_name.clone(),
        layout: String::new(),
        rows: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        withdrawn: 0,
        dropped_columns: Vec::new(),
        applied: false,
        problems: problems.into_iter().map(Into::into).collect(),
        held_by: 0,
    }
}

/// On the engine's thread: plans against what stands now, and writes documents, vault and
/// the memory of rows together.
fn apply(
    core: &mut Core,
    import: &Import,
    options: &ImportOptions,
) -> Answer<(ImportReport, Vec<Receipt>)> {
    let Some(document) = document_of(import.kind) else {
        return Err(Failure::new(
            FailureKind::BadRequest,
            "not_importable",
            format!("{} records are not imported", import.kind),
            "hosts and housing are: `smp hosts import`, `smp housing import`",
        ));
    };
    let name = document.of(core.member.identity().council);
    let known = match import.layout {
        Layout::Export => own_ids(core, name, import.kind),
        Layout::Template | Layout::Share => {
            known_rows(core, import.kind).map_err(|error| broken(&error))?
        }
    };
    let strangers = import::strangers(import, &known);
    if !strangers.is_empty() {
        return Ok((with_problems(options, strangers), Vec::new()));
    }
    let all_known: Vec<(String, RecordId)> = known.iter().map(|(r, id)| (r.clone(), *id)).collect();
    let existing = |reference: &str| -> Option<(RecordId, Fields)> {
        let id = *known.get(reference)?;
        let fields = core.member.document(name)?.record(id)?;
        // Of a conflict no value stands: whichever the file names is written, and settles it.
        let fields = fields
            .into_iter()
            .filter_map(|(f, v)| match <[_; 1]>::try_from(v) {
                Ok([only]) => Some((f, only)),
                Err(_) => None,
            });
        Some((id, fields.collect()))
    };
    let mut random = Ok(());
    let mut fill = |bytes: &mut [u8]| random = random.and(getrandom::fill(bytes));
    let plan = import::plan(import, &existing, options.complete, &all_known, &mut fill);
    random.map_err(|_| no_randomness())?;
    let mut report = ImportReport {
        file: options.file_name.clone(),
        layout: import.layout.as_str().to_owned(),
        rows: import.rows.len(),
        created: plan.creates,
        updated: plan.updates,
        unchanged: plan.unchanged,
        withdrawn: plan.withdrawn,
        dropped_columns: import.dropped_columns.clone(),
        applied: false,
        problems: Vec::new(),
        held_by: 0,
    };
    homes::guard(core, &plan.edits, Way::File)?;
    cases::guard(core, &plan.edits)?;
    if options.dry_run {
        return Ok((report, Vec::new()));
    }
    // After what the rows say of the vault, which may be of the same listing.
    let mut private =
        private_changes(core, import, &plan, &known).map_err(|error| broken(&error))?;
    homes::forget_offers(core, &plan.edits, &mut private)?;
    let receipts = core
        .member
        .write(&[(document, plan.edits)], clock())
        .map_err(|error| refused(&error))?;
    core.also_store(private);
    report.applied = true;
    Ok((report, receipts))
}

/// Every record of a kind in this council's own document, by its id as a list prints it.
fn own_ids(
    core: &mut Core,
    document: DocumentName,
    kind: RecordKind,
) -> BTreeMap<String, RecordId> {
    let Some(document) = core.member.document(document) else {
        return BTreeMap::new();
    };
    let ids = document.records().map(|(id, _)| id);
    let ids = ids.filter(|id| id.kind() == kind);
    ids.map(|id| (id.to_string(), id)).collect()
}

fn known_rows(core: &Core, kind: RecordKind) -> Result<BTreeMap<String, RecordId>, StoreError> {
    let prefix = row_key(kind, "");
    let rows = core.store().scan(Table::Rows, &prefix, None, usize::MAX)?;
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let reference = String::from_utf8(key.get(prefix.len()..)?.to_vec()).ok()?;
        let id = RecordId::from_bytes(value.as_slice().try_into().ok()?)?;
        Some((reference, id))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// What changes in the vault and in the memory of rows.
fn private_changes(
    core: &Core,
    import: &Import,
    plan: &Plan,
    known: &BTreeMap<String, RecordId>,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    for (row, (reference, id)) in import.rows.iter().zip(&plan.references) {
        if known.get(reference) != Some(id) {
            changes.push(Change::Put {
                table: Table::Rows,
                key: row_key(import.kind, reference),
                value: id.to_bytes().to_vec(),
            });
        }
        let before = vault_record(core, *id)?;
        let after = row.vault_after(&before);
        if after != before {
            changes.push(Change::Put {
                table: Table::Vault,
                key: id.to_bytes().to_vec(),
                value: serde_json::to_vec(&after).unwrap_or_default(),
            });
        }
    }
    Ok(changes)
}
