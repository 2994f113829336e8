//! What the daemon says about itself while it runs, on standard error.
//!
//! Lines name councils, nodes, documents, peers and counts. They never hold what is in a
//! document, a key, a query or anything about a person: whoever logs something new keeps
//! to that.

use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// How lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people and for journald.
    #[default]
    Text,
    /// One JSON object a line, for a log collector.
    Json,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What somebody must look at.
    Error,
    /// What somebody should look at.
    Warn,
    /// Starts, stops, peers that come and go.
    #[default]
    Info,
    /// Each exchange and each request.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The environment variable is not a filter.
    #[error(
        "RUST_LOG is not a log filter ({0}); unset it, or set it to `info` or `smp_node=debug`"
    )]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something logs already.
    #[error("the log was set up twice")]
    Twice,
}

/// Starts logging to standard error. `RUST_LOG`, where it is set, overrides `level`.
///
/// # Errors
/// [`LogError`] where `RUST_LOG` cannot be read.
pub fn start(format: LogFormat, level: LogLevel) -> Result<(), LogError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(text)?,
        _ => EnvFilter::default().add_directive(LevelFilter::from(level).into()),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|_| LogError::Twice)
}
