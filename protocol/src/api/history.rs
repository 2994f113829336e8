//! What became of a record, change by change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/history/{id}`: one change of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordChange {
    /// The record; of a host also its checks.
    pub record: String,
    /// The GSS code of the council that wrote it.
    pub council: String,
    /// That council's name.
    pub council_name: String,
    /// The node that wrote it.
    pub node: String,
    /// When it came to this node (RFC 3339): where it was written here, when it was written. Nothing
    /// that is shared says when somebody wrote what.
    pub came: String,
    /// `created` or `changed`.
    pub what: String,
    /// The fields that were set, by name; none where a field was cleared.
    pub fields: BTreeMap<String, Option<String>>,
}
