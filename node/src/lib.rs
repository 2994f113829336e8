//! placeholder
pub mod import;
