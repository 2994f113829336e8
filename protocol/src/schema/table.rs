//! The table of fields: the one place that says what a shared record may hold.

use super::Field;
use crate::ids::{DocumentKind, RecordKind};

/// Schema version 1.
pub const FIELDS_V1: &[Field] = &[];

/// The kinds of record that a document of this kind holds.
pub fn kinds_of(document: DocumentKind) -> &'static [RecordKind] {
    match document {
        DocumentKind::HostRegister => &[RecordKind::Host, RecordKind::Check],
        DocumentKind::RematchingPool => {
            &[RecordKind::Place, RecordKind::Request, RecordKind::Contact]
        }
        DocumentKind::HousingList => &[RecordKind::Listing, RecordKind::Interest],
    }
}
