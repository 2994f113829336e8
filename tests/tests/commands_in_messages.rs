//! Messages name the next command to run. Every `smp …` and `smp-node …` that the sources put
//! between backticks is one that the binaries have, with the options that it names.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use system_tests::harness::{command, run};

/// All Rust sources below a directory, without its tests.
fn sources(dir: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, out);
        } else if name.ends_with(".rs") {
            out.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// What stands between backticks in a source's texts; a text that goes on after a backslash is
/// one text.
fn quoted(source: &str) -> Vec<String> {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut joined = String::new();
    for line in code {
        match line.strip_suffix('\\') {
            Some(line) if joined.ends_with('\u{1}') => {
                joined.pop();
                joined.push_str(line.trim_start());
                joined.push('\u{1}');
            }
            Some(line) => {
                joined.push_str(line);
                joined.push('\u{1}');
            }
            None if joined.ends_with('\u{1}') => {
                joined.pop();
                joined.push_str(line.trim_start());
                joined.push('\n');
            }
            None => {
                joined.push_str(line);
                joined.push('\n');
            }
        }
    }
    let inside = joined
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    inside.map(str::to_owned).collect()
}

#[test]
fn the_commands_that_messages_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    for package in ["protocol", "certs", "node", "admin-cli"] {
        sources(&root.join(package).join("src"), &mut texts);
    }
    let mut named: BTreeSet<String> = texts.iter().flat_map(|text| quoted(text)).collect();
    named.retain(|text| text.starts_with("smp ") || text.starts_with("smp-node "));
    assert!(named.len() > 20, "{named:?}");
    let mut wrong = Vec::new();
    for text in &named {
        let words: Vec<&str> = text.split(' ').collect();
        let is_command = |word: &&str| {
            let lower = |c: char| c.is_ascii_lowercase() || c == '-';
            word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(lower)
        };
        let mut args: Vec<&str> = words[1..].iter().copied().take_while(is_command).collect();
        args.push("--help");
        let help = run(command(words[0], &args));
        let mut options = words.iter().filter(|word| word.starts_with("--"));
        if help.code != Some(0) || !options.all(|option| help.out.contains(option)) {
            wrong.push(text);
        }
    }
    assert!(
        wrong.is_empty(),
        "no such command, or not with these options: {wrong:#?}"
    );
}
