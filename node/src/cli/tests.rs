//! Holds the help to the parser.

use clap::{CommandFactory, Parser};

use super::{Cli, endpoint};

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_examples_that_parse_and_says_its_exit_codes() {
    let root = Cli::command();
    let mut commands: Vec<_> = root.get_subcommands().cloned().collect();
    commands.push(root);
    for command in commands {
        let name = command.get_name().to_owned();
        let help = command
            .get_after_long_help()
            .or(command.get_after_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(help.contains("Exit codes:"), "{name} says no exit codes");
        // A line that ends in a backslash goes on in the next.
        let help = help.replace("\\\n", "");
        let examples: Vec<_> = help
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("smp-node"))
            .collect();
        assert!(!examples.is_empty(), "{name} has no examples");
        for example in examples {
            let parsed = Cli::try_parse_from(example.split_whitespace());
            assert!(parsed.is_ok(), "{name}: {example}: {:?}", parsed.err());
            assert!(
                name == "smp-node" || example.split_whitespace().nth(1) == Some(&*name),
                "{name}: {example} is another command's"
            );
        }
    }
}

#[test]
fn endpoints_are_host_and_port() {
    for good in ["a.example.org:7400", "127.0.0.1:1", "[2001:db8::7]:7400"] {
        assert_eq!(endpoint(good).as_deref(), Ok(good));
    }
    for bad in ["", "a.example.org", ":7400", "a:0", "a:70000", "a b:7400"] {
        assert!(endpoint(bad).is_err(), "{bad}");
    }
}
