//! Every command's help has examples, and each example is a command line that is understood.

use clap::{Command, CommandFactory, Parser};

use super::Cli;

/// A command line as a shell would split it: quotes kept together, `> file` cut off.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" > ").next().unwrap_or_default();
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => out.push(String::new()),
            _ => out.last_mut().unwrap().push(c),
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

/// The examples of a command. A line that ends in a backslash goes on in the next.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines: Vec<&str> = lines.take_while(|line| line.starts_with("  ")).collect();
    for line in &lines {
        // A longer one is broken where it cannot be copied.
        assert!(line.chars().count() <= 100, "{line}");
    }
    let joined = lines.join("\n").replace("\\\n", "");
    joined.lines().map(|line| line.trim().to_owned()).collect()
}

fn walk(command: &Command, path: &str, visit: &mut dyn FnMut(&Command, &str)) {
    visit(command, path);
    for inner in command.get_subcommands() {
        walk(inner, &format!("{path} {}", inner.get_name()), visit);
    }
}

#[test]
fn every_command_has_examples_that_are_understood() {
    let mut seen = 0;
    walk(&Cli::command(), "smp", &mut |command, path| {
        let examples = examples(command);
        assert!(!examples.is_empty(), "{path} has no examples");
        for example in examples {
            seen += 1;
            if let Err(e) = Cli::try_parse_from(words(&example)) {
                panic!("{path}: {example}\n{e}");
            }
            // An example of a command is one of that command.
            let plain = example.replace("smp --socket /tmp/region/E08000021/smp-node.sock", "smp");
            assert!(plain.starts_with(path), "{path}: {example}");
        }
    });
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn every_option_says_what_it_is() {
    walk(&Cli::command(), "smp", &mut |command, path| {
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{path} {}",
                argument.get_id()
            );
        }
    });
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = Cli::command().render_help().to_string();
    for code in 0..=5 {
        assert!(help.contains(&format!("\n  {code}  ")), "{help}");
    }
}

#[test]
fn no_help_shows_how_a_character_is_written_in_the_source() {
    walk(&Cli::command(), "smp", &mut |command, path| {
        let help = command.clone().render_long_help().to_string();
        assert!(!help.contains("\\u{"), "{path}: {help}");
    });
}
