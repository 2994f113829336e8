//! The region authority's commands: they work on the region directory, never on a node.
//!
//! The machine that holds that directory need not be on any network. A passphrase is never
//! taken from the command line, where other users could read it.

mod passphrase;
mod region_dir;

pub(crate) use passphrase::{PassphraseArgs, Use, passphrase};
pub(crate) use region_dir::{
    RegionDir, members, must_be_new, now, read_text, refused, unlock, view, write_new,
};
