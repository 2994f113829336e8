//! What bytes from outside are put through: one plain function for each decoder, one for the
//! import of files, one for sequences of session events.
//!
//! A fuzzer calls them with bytes that it makes up (`tests/fuzz/`, docs/FUZZING.md), `cargo
//! test` with the corpora that are kept (`tests/corpora/`). Each panics where a promise does
//! not hold: a decoder that panics, takes more memory than it may, or reads a value that it
//! would write otherwise; a refused input that changed something. Nothing here may depend on
//! time, randomness or a file, so that an input does the same in every run.

#[path = "../../../protocol/tests/common/mod.rs"]
mod common;

mod enrolment;
mod entries;
mod frames;
mod imports;
mod roster;
mod script;
mod session;
mod statements;

use peak_alloc::PeakAlloc;

/// Inputs to begin from, each with a name.
type Seeds = Vec<(String, Vec<u8>)>;

/// Something that takes bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its fuzz target and of the directory of its corpus.
    pub name: &'static str,
    /// Puts one input through it.
    pub run: fn(&[u8]),
    /// Inputs that are well formed, for a fuzzer to begin from.
    pub seeds: fn() -> Seeds,
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    Target {
        name: "control_frame",
        run: frames::control_frame,
        seeds: frames::control_seeds,
    },
    Target {
        name: "stream_frame",
        run: frames::stream_frame,
        seeds: frames::stream_seeds,
    },
    Target {
        name: "entries",
        run: entries::entries,
        seeds: entries::seeds,
    },
    Target {
        name: "statement",
        run: statements::statement,
        seeds: statements::seeds,
    },
    Target {
        name: "roster",
        run: roster::roster,
        seeds: roster::seeds,
    },
    Target {
        name: "enrolment",
        run: enrolment::enrolment,
        seeds: enrolment::seeds,
    },
    Target {
        name: "import_csv",
        run: imports::csv,
        seeds: imports::csv_seeds,
    },
    Target {
        name: "import_xlsx",
        run: imports::xlsx,
        seeds: imports::xlsx_seeds,
    },
    Target {
        name: "session",
        run: session::session,
        seeds: session::seeds,
    },
];

/// The target of this name.
///
/// # Panics
/// Where there is none.
pub fn target(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no fuzz target {name}"))
}

/// Does something that may take so much memory at its peak. It is counted where the binary's
/// global allocator is [`PeakAlloc`] and nothing else runs beside it.
fn bounded<T>(bound: usize, what: &str, act: impl FnOnce() -> T) -> T {
    PeakAlloc.reset_peak_usage();
    let before = PeakAlloc.current_usage();
    let done = act();
    let peak = PeakAlloc.peak_usage().saturating_sub(before);
    assert!(peak <= bound, "{what} took {peak} bytes, {bound} at most");
    done
}
