//! Help, version and completions of the program as it is installed.

#![allow(
    clippy::unwrap_used,
    reason = "clippy sees only the functions marked #[test] as tests"
)]

mod common;

use common::{run, smp};

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_command_has_help_with_examples() {
    let mut seen = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
        words.push("--help");
        let help = run(&mut smp(&words)).ok().out;
        assert!(help.contains("\nExamples:\n  smp "), "{path:?}: {help}");
        for name in commands(&help) {
            open.push([path.clone(), vec![name]].concat());
        }
        seen.push(path.join(" "));
    }
    for expected in [
        "region init",
        "region show",
        "member enrol",
        "member list",
        "roster show",
        "roster verify",
        "roster publish",
        "readers list",
        "readers accept",
        "readers propose",
        "status",
        "peers",
        "documents",
        "hosts import",
        "hosts list",
        "hosts show",
        "hosts template",
        "pool place",
        "pool request",
        "pool list",
        "housing add",
        "housing homes",
        "housing import",
        "housing interest",
        "housing list",
        "housing offer",
        "indicators",
        "completions",
    ] {
        assert!(
            seen.iter().any(|path| path == expected),
            "{expected}: {seen:?}"
        );
    }
}

#[test]
fn completions_know_the_fields_of_a_place() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&mut smp(&["completions", shell])).ok().out;
        assert!(script.contains("accommodation-type"), "{shell}");
    }
}

#[test]
fn what_is_not_understood_is_code_2() {
    for words in [
        vec![],
        vec!["hosts"],
        vec!["hosts", "lost"],
        vec!["status", "-o", "xml"],
    ] {
        assert_eq!(run(&mut smp(&words)).code, 2, "{words:?}");
    }
    assert!(run(&mut smp(&["--version"])).ok().out.starts_with("smp "));
}
