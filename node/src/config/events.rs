//! `[events]`: the hook, and whether it can be run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde::Deserialize;
use smp_protocol::limits::HOOK_WORDS;

use super::{Config, Finding};
use crate::events::HookCommand;

/// `[events]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    /// The program that is run for each event, and its arguments; empty for none.
    #[serde(default)]
    pub hook: Vec<String>,
}

impl EventsConfig {
    /// The command, with its program where the configuration's other paths are.
    pub fn command(&self, base: &Path) -> Option<HookCommand> {
        let (program, arguments) = self.hook.split_first()?;
        let program = base.join(program);
        // It is run in another directory.
        let program = std::path::absolute(&program).unwrap_or(program);
        Some(HookCommand {
            program,
            arguments: arguments.to_vec(),
        })
    }
}

impl Config {
    /// The hook, if there is one.
    pub fn hook(&self) -> Option<HookCommand> {
        let base = self.file.parent().map_or_else(PathBuf::new, Path::to_owned);
        self.events.command(&base)
    }

    pub(super) fn check_hook(&self, found: &mut Vec<Finding>) {
        const KEY: &str = "events.hook";
        if self.events.hook.len() > HOOK_WORDS {
            let text = format!("the command has over {HOOK_WORDS} words");
            let next = "put what it is to do into a script, and name that";
            found.push(Finding::problem(KEY, text, next));
        }
        let Some(hook) = self.hook() else {
            return;
        };
        let shown = hook.program.display();
        match fs::metadata(&hook.program) {
            Ok(metadata) if !metadata.is_file() => found.push(Finding::problem(
                KEY,
                format!("{shown} is no file"),
                "name a program or an executable script",
            )),
            Ok(metadata) if metadata.permissions().mode() & 0o022 != 0 => {
                found.push(Finding::problem(
                    KEY,
                    format!("others than its owner may change {shown}, which the node runs"),
                    format!("run `chmod go-w {shown}`"),
                ));
            }
            Ok(_) if others_may_replace(&hook.program) => found.push(Finding::problem(
                KEY,
                format!("others may replace {shown}: its directory is theirs to change"),
                "put it where only root, or the node's user, may write",
            )),
            Ok(_) if access(&hook.program, Access::EXEC_OK).is_err() => {
                found.push(Finding::problem(
                    KEY,
                    format!("this user may not run {shown}"),
                    format!("run `chmod +x {shown}`, and this as the node's user"),
                ));
            }
            Ok(_) => {}
            Err(error) => found.push(Finding::problem(
                KEY,
                format!("cannot look at {shown}: {error}"),
                "name a program by its whole path, and each argument by itself: \
                 hook = [\"/etc/smp/on-event\"]",
            )),
        }
    }
}

/// Whether anybody may put another file in its place. Where a directory is sticky, as `/tmp` is, only
/// the owner of the file may.
fn others_may_replace(program: &Path) -> bool {
    let mode = |dir: &Path| fs::metadata(dir).map(|metadata| metadata.permissions().mode());
    let theirs = |mode: u32| mode & 0o022 != 0 && mode & 0o1000 == 0;
    let mut above = program.ancestors().skip(1);
    above.any(|dir| mode(dir).is_ok_and(theirs))
}
