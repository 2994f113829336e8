//! Reads what a request says: names in the path, the query, the body.
//!
//! Strict, since a misspelt `dry_run` that is passed over changes a register. Nothing here
//! repeats a value back.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use smp_protocol::ids::{CouncilCode, RecordId, RecordKind};
use utoipa::ToSchema;

use super::problem::Problem;

/// A JSON body: the largest is a roster of 384 KiB as base 64.
pub(super) const JSON_BYTES: usize = 1 << 20;

/// A file to import: twice what the import itself takes, so that it, and not the API, says
/// what is wrong with a file that is too large.
pub(super) const FILE_BYTES: usize = crate::import::FILE_BYTES;

/// How long a body may take to arrive; it comes from this machine.
const UPLOAD_SECONDS: u64 = 60;

/// Reads a body whole, within its limits of size and time.
async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let reading = axum::body::to_bytes(body, limit);
    match tokio::time::timeout(Duration::from_secs(UPLOAD_SECONDS), reading).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) if is_over_limit(&error) => Err(Problem::too_large(limit)),
        Ok(Err(_)) => Err(Problem::bad_request(
            "cut_short",
            "the body ended before its length",
        )),
        Err(_) => Err(Problem::upload_too_slow(UPLOAD_SECONDS)),
    }
}

fn is_over_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|e| e.is::<http_body_util::LengthLimitError>())
}

/// A file, as it is.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(super) struct File(pub(super) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read_body(request.into_body(), FILE_BYTES).await.map(File)
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read_body(request.into_body(), JSON_BYTES).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|error| {
            // The library's own message quotes what it found.
            let what = match error.classify() {
                Category::Data => "a field is missing or of another type than it takes",
                Category::Eof => "it is cut short",
                Category::Syntax | Category::Io => "it is not JSON",
            };
            let (line, column) = (error.line(), error.column());
            Problem::bad_request(
                "bad_body",
                format!(
                    "the body is not what this route takes, at line {line}, column {column}: {what}"
                ),
            )
        })
    }
}

/// The last part of the path.
pub(super) struct Named<T>(pub(super) T);

/// What can stand there.
pub(super) trait Name: Sized {
    fn named(text: &str) -> Result<Self, Problem>;
}

impl Name for RecordKind {
    fn named(text: &str) -> Result<Self, Problem> {
        let kinds = RecordKind::EDITED.iter().map(|kind| kind.as_str());
        let kinds = kinds.collect::<Vec<&str>>().join(", ");
        RecordKind::EDITED
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let message = format!("the path names no kind of record; the kinds are {kinds}");
                Problem::bad_request("unknown_kind", message)
            })
    }
}

impl Name for RecordId {
    fn named(text: &str) -> Result<Self, Problem> {
        text.parse()
            .map_err(|error| Problem::bad_request("bad_id", format!("in the path: {error}")))
    }
}

impl<S: Send + Sync, T: Name> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => T::named(&text).map(Named),
            Err(_) => Err(Problem::bad_request("bad_path", "the path is not UTF-8")),
        }
    }
}

/// The query's parameters.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query; each parameter at most once, and none but `accepted`.
    pub(super) fn read(uri: &Uri, accepted: &[&str]) -> Result<Self, Problem> {
        let bad = |what: &str| {
            let accepted = match accepted {
                [] => "it takes none".to_owned(),
                names => format!("it takes {}", names.join(", ")),
            };
            Problem::bad_request("bad_query", format!("{what}; {accepted}"))
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("the query is not one of names and values"))?;
        let mut seen: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            if !accepted.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                return Err(bad(&format!("this route has no parameter {name:?}")));
            }
            if seen.iter().any(|(other, _)| *other == name) {
                return Err(bad(&format!("the parameter {name} is there twice")));
            }
            seen.push((name, value));
        }
        Ok(Self(seen))
    }

    /// A parameter's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `true` or `false`; absent is false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad_request(
                "bad_query",
                format!("the parameter {name} takes true or false"),
            )),
        }
    }

    /// A council's code.
    pub(super) fn council(&self, name: &str) -> Result<Option<CouncilCode>, Problem> {
        let parsed = self.text(name).map(str::parse::<CouncilCode>).transpose();
        parsed.map_err(|error| {
            Problem::bad_request("bad_query", format!("the parameter {name} is {error}"))
        })
    }
}
