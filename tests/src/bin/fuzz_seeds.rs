//! Writes the inputs that fuzzing begins from: `fuzz_seeds DIR` makes a directory for each
//! target in DIR, with a file for each seed. What fuzzing made of them is kept in
//! `tests/corpora/`, see docs/FUZZING.md.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use system_tests::fuzz::TARGETS;

fn main() -> anyhow::Result<()> {
    let dir = std::env::args_os().nth(1);
    let dir = PathBuf::from(dir.context("usage: fuzz_seeds DIR")?);
    for target in TARGETS {
        let corpus = dir.join(target.name);
        fs::create_dir_all(&corpus).with_context(|| format!("make {}", corpus.display()))?;
        for (name, bytes) in (target.seeds)() {
            // Every seed holds what it claims to hold.
            (target.run)(&bytes);
            let path = corpus.join(format!("seed-{}", name.replace([' ', '\''], "-")));
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(())
}
