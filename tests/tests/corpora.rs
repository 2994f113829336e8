//! The corpora that fuzzing found (docs/FUZZING.md), through the same functions on every run
//! of the tests. A file `found-…` was a defect once.

// Memory is counted by the global allocator of this one test, so there is only one.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where it does"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use peak_alloc::PeakAlloc;
use system_tests::fuzz::TARGETS;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn every_input_that_fuzzing_kept_still_does_no_harm() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
    let mut failed = Vec::new();
    for target in TARGETS {
        for (name, seed) in (target.seeds)() {
            let run = catch_unwind(AssertUnwindSafe(|| (target.run)(&seed)));
            failed.extend(
                run.is_err()
                    .then(|| format!("{}: seed {name}", target.name)),
            );
        }
        let corpus = corpora.join(target.name);
        let mut inputs = 0;
        for file in fs::read_dir(&corpus).unwrap() {
            let path = file.unwrap().path();
            let input = fs::read(&path).unwrap();
            let run = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
            failed.extend(run.is_err().then(|| path.display().to_string()));
            inputs += 1;
        }
        assert!(inputs > 0, "no corpus in {}", corpus.display());
        eprintln!("{}: {inputs} inputs", target.name);
    }
    assert_eq!(failed, Vec::<String>::new());
}
