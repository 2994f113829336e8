//! The examples in the help of `smp` and `smp-node`: found as a reader of the help finds them, and
//! run as a shell would run them.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::binaries::{Ran, command, run};

/// One example, and the command whose it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Example {
    /// The command as it is typed, without what it is given: `smp cases hold`.
    pub command: String,
    /// The whole line; lines that go on in the next are one.
    pub line: String,
}

/// Every example in the help of a program and of all its commands, each once.
///
/// # Panics
/// Where a help cannot be printed, or shows no example of its own command.
pub fn examples(program: &str) -> Vec<Example> {
    let mut commands = vec![program.to_owned()];
    let mut lines = Vec::new();
    let mut next = 0;
    while let Some(path) = commands.get(next).cloned() {
        next += 1;
        let mut words: Vec<&str> = path.split(' ').skip(1).collect();
        words.push("--help");
        let help = run(command(program, &words)).ok().out;
        let inner = block(&help, "Commands:").filter(|line| !line.starts_with("   "));
        let inner = inner.filter_map(|line| line.split_whitespace().next());
        let inner = inner.filter(|name| *name != "help");
        commands.extend(inner.map(|name| format!("{path} {name}")));
        let shown = joined(block(&help, "Examples:"));
        let of_its_own = |line: &String| line == &path || line.starts_with(&format!("{path} "));
        assert!(shown.iter().any(of_its_own), "no example of `{path}`");
        lines.extend(shown);
    }
    lines.sort();
    lines.dedup();
    let examples = lines.into_iter().map(|line| {
        let is_it = |path: &&String| line == **path || line.contains(&format!("{path} "));
        let of = commands.iter().filter(is_it).max_by_key(|path| path.len());
        Example {
            command: of.cloned().unwrap_or_else(|| program.to_owned()),
            line,
        }
    });
    examples.collect()
}

/// The lines under a heading, to the next empty one.
fn block<'a>(help: &'a str, heading: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = help.lines().skip_while(move |line| *line != heading);
    lines.skip(1).take_while(|line| !line.is_empty())
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        let text = line.trim().trim_end_matches('\\').trim_end();
        match out.last_mut().filter(|_| goes_on) {
            Some(last) => *last = format!("{last} {text}"),
            None => out.push(text.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    out
}

/// The words of a line as a shell splits them, and the file that its output goes to.
pub fn words(line: &str) -> (Vec<String>, Option<String>) {
    let (line, file) = match line.split_once(" > ") {
        Some((line, file)) => (line, Some(file.trim().to_owned())),
        None => (line, None),
    };
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match (c, words.last_mut()) {
            ('"', _) => quoted = !quoted,
            (' ', _) if !quoted => words.push(String::new()),
            (_, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    (words, file)
}

/// A line of help, as it is run: in a directory, with what stands for the reader's own, in an
/// environment of its own, and what somebody types when asked.
pub struct Typed<'a> {
    /// The line.
    pub line: &'a str,
    /// What is written for what, in every word and in the name of a file.
    pub instead: &'a [(String, String)],
    /// Where it is run.
    pub dir: &'a Path,
    /// Variables.
    pub variables: &'a [(&'a str, String)],
    /// What somebody at a terminal answers; without it nobody is there.
    pub answer: Option<&'a str>,
}

impl Typed<'_> {
    /// The command, ready to be started, and the file for its output.
    ///
    /// # Panics
    /// Where there are no words, or no terminal can be made.
    pub fn command(&self) -> (Command, Option<String>) {
        let replaced = |text: &str| {
            let all = self.instead.iter();
            all.fold(text.to_owned(), |text, (what, by)| text.replace(what, by))
        };
        let (words, file) = words(self.line);
        let (program, rest) = words.split_first().expect("a command");
        let rest: Vec<String> = rest.iter().map(|word| replaced(word)).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let mut command = command(program, &rest);
        command.current_dir(self.dir);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        (command, file.map(|file| replaced(&file)))
    }

    /// Runs it to its end. What it prints is in the file as well that the line names.
    ///
    /// # Panics
    /// Where it cannot be started, or no terminal can be made.
    pub fn run(&self) -> Ran {
        let (mut command, file) = self.command();
        // Held until the command has ended: the terminal goes with it.
        let _terminal = self.answer.map(|answer| {
            let (near, far) = terminal();
            command.stdin(Stdio::from(far));
            let mut near = File::from(near);
            near.write_all(answer.as_bytes()).expect("a terminal");
            near
        });
        let ran = run(command);
        if let Some(file) = file {
            fs::write(self.dir.join(file), &ran.out).expect("a file");
        }
        ran
    }
}

/// Both ends of a new terminal: the one where somebody sits, and the one that a program sees.
fn terminal() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&near).expect("a terminal of ours");
    unlockpt(&near).expect("a terminal to be opened");
    let name = ptsname(&near, Vec::new()).expect("its name");
    let name = name.to_str().expect("text");
    let far = File::options().read(true).write(true).open(name);
    (near, far.expect("its other end").into())
}
