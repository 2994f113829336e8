//! `smp-node check-config`: says what is wrong with a configuration, and changes nothing.

use anyhow::anyhow;
use smp_node::config::Severity;
use smp_node::membership;

use super::{ConfigArgs, Exit, Failed};

pub(super) fn run(args: ConfigArgs) -> Result<(), Failed> {
    let config = super::load(&args)?;
    let findings = config.check();
    for finding in &findings {
        let what = match finding.severity {
            Severity::Problem => "problem",
            Severity::Note => "note",
        };
        println!(
            "{what}: {}: {}\n  {}",
            finding.key, finding.text, finding.next
        );
    }
    let problems = findings.iter().filter(|f| f.severity == Severity::Problem);
    match problems.count() {
        0 => {
            // Before it has joined, there is nothing more that could be wrong.
            if let Ok(Some(_)) = membership::load(&config.data_dir) {
                super::run::refuse_unready(&config)?;
            }
            println!("{} is fit for use", config.file.display());
            Ok(())
        }
        count => Err(Exit::Refused.with(anyhow!(
            "{} has {count} problem(s), listed above; mend them and run this again",
            config.file.display()
        ))),
    }
}
