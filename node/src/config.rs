//! A node's configuration: one TOML file, read whole or refused.
//!
//! It says where things are on this machine and nothing about the region: council, region
//! and members come from the join bundle, so that no file edited by hand can change who
//! this node is. It holds no secret.

mod check;
mod events;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::logging::{LogFormat, LogLevel};
use crate::store::EngineKind;

pub use self::check::{Finding, Severity};
pub use self::events::EventsConfig;

/// Longest file: the example with all its comments has 2 KB.
const FILE_BYTES: usize = 64 << 10;

/// The keys of the file, for error messages.
const KEYS: &str =
    "data_dir, keys_dir, socket, listen, [store] engine, [log] format, level, [events] hook";

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(
        "cannot read the configuration {}: {source}; make one with `smp-node init`, or name it \
         with --config",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is longer than any of ours.
    #[error("{} is not a configuration: it has more than {FILE_BYTES} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It says something that is not understood.
    #[error(
        "{}, line {line}, {key}: {problem}. The keys are {KEYS}; mend the line, then run \
         `smp-node check-config`",
        path.display()
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key, as it stands in the file.
        key: String,
        /// What is wrong and what is accepted.
        problem: String,
    },
    /// A key is missing.
    #[error(
        "{}: {problem}. The keys are {KEYS}; add it, then run `smp-node check-config`",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Which one.
        problem: String,
    },
    /// The keys would be copied with every backup of the data.
    #[error(
        "{}: keys_dir ({}) lies inside data_dir ({}), so every copy of the data would carry the \
         keys; set keys_dir to a directory beside it",
        path.display(), keys.display(), data.display()
    )]
    KeysInData {
        /// The file.
        path: PathBuf,
        /// Where the keys are to be.
        keys: PathBuf,
        /// Where the data are to be.
        data: PathBuf,
    },
}

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    data_dir: PathBuf,
    keys_dir: PathBuf,
    socket: PathBuf,
    #[serde(default = "default_listen")]
    listen: SocketAddr,
    #[serde(default)]
    store: StoreConfig,
    #[serde(default)]
    log: LogConfig,
    #[serde(default)]
    events: EventsConfig,
}

/// All addresses, on the port that the documentation opens in firewalls.
fn default_listen() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 7400))
}

/// `[store]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Which engine keeps the store.
    #[serde(default)]
    pub engine: EngineKind,
}

/// `[log]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How lines look.
    #[serde(default)]
    pub format: LogFormat,
    /// How much is said.
    #[serde(default)]
    pub level: LogLevel,
}

/// A node's configuration, with every path made absolute or relative to where it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The file that it came from.
    pub file: PathBuf,
    /// Where the store and the membership are.
    pub data_dir: PathBuf,
    /// Where the node's private keys are; never inside `data_dir`.
    pub keys_dir: PathBuf,
    /// The Unix socket of the local API.
    pub socket: PathBuf,
    /// Where peers reach this node (UDP).
    pub listen: SocketAddr,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[events]`.
    pub events: EventsConfig,
}

impl Config {
    /// Reads the file. Whether what it names is there, [`Config::check`] says.
    ///
    /// # Errors
    /// [`ConfigError`] naming file, line, key and the accepted keys.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = read_limited(path)?;
        let text = String::from_utf8(bytes).map_err(|_| ConfigError::Missing {
            path: path.to_owned(),
            problem: "the file is not UTF-8 text".to_owned(),
        })?;
        let raw: Raw = toml::from_str(&text).map_err(|error| parse_error(path, &text, &error))?;
        let base = path.parent().unwrap_or(Path::new(""));
        let config = Self {
            file: path.to_owned(),
            data_dir: base.join(raw.data_dir),
            keys_dir: base.join(raw.keys_dir),
            socket: base.join(raw.socket),
            listen: raw.listen,
            store: raw.store,
            log: raw.log,
            events: raw.events,
        };
        if resolve(&config.keys_dir).starts_with(resolve(&config.data_dir)) {
            return Err(ConfigError::KeysInData {
                path: config.file,
                keys: config.keys_dir,
                data: config.data_dir,
            });
        }
        Ok(config)
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, ConfigError> {
    use io::Read;
    let read = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(read)?;
    let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() > FILE_BYTES {
        return Err(ConfigError::TooLong {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// Says where in the file the trouble is. The library knows the place and what was
/// expected, but not always the key.
fn parse_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let path = path.to_owned();
    let problem = error.message().replace('\n', "; ");
    let before = match error.span() {
        Some(span) if !problem.starts_with("missing field") => text.get(..span.start),
        _ => None,
    };
    let Some(before) = before else {
        return ConfigError::Missing { path, problem };
    };
    let line = before.matches('\n').count() + 1;
    let found = text.lines().nth(line - 1).unwrap_or_default();
    let key = found.split('=').next().unwrap_or_default().trim();
    ConfigError::Parse {
        path,
        line,
        key: format!("{:?}", key.chars().take(60).collect::<String>()),
        problem,
    }
}

/// Where a path leads, as far as it exists; the rest by its words alone.
fn resolve(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
        if let Ok(real) = out.canonicalize() {
            out = real;
        }
    }
    out
}
