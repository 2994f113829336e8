//! Directories of nodes and of the SMP's admin, copied as a backup would.

use std::fs;
use std::path::Path;

/// Copies a directory with its files and what is inside into another. What is neither is left out:
/// a socket belongs to its process.
///
/// # Panics
/// Where something cannot be read or written.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("its kind") {
            kind if kind.is_dir() => copy_tree(&entry.path(), &target),
            kind if kind.is_file() => drop(fs::copy(entry.path(), target).expect("a copy")),
            _ => {}
        }
    }
}
