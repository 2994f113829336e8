//! The command line of `smp-node`: what it takes, and which exit code means what.
//!
//! Every command's help ends in examples that a test parses.

mod check_config;
mod demo;
mod init;
mod join;
mod run;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use smp_node::config::Config;
use smp_node::demo::DemoArgs;
use smp_protocol::ids::{CouncilCode, RegionName};
use smp_protocol::limits;
use smp_protocol::time::UnixSeconds;

/// What stands under the help of every command.
macro_rules! exit_codes {
    () => {
        "Exit codes:\n  \
         0  done\n  \
         1  something unexpected went wrong\n  \
         2  the command line is not understood\n  \
         3  an address or the socket could not be bound, or not be reached\n  \
         4  a file or a value was refused; nothing was changed\n  \
         5  readers do not agree, or this machine lacks room, a port or a permission\n  \
         6  the node has not joined its region yet, or its store is damaged"
    };
}

/// One council's smp-sync node.
#[derive(Parser, Debug)]
#[command(
    name = "smp-node",
    version,
    about = "One council's smp-sync node: set it up, join a region, run it",
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = concat!(
        "Examples:\n  \
         smp-node init --dir /var/lib/smp-node --council E08000021 --region north-east \\\n      \
         --endpoint smp.newcastle.example.org:7400\n  \
         smp-node join --config /var/lib/smp-node/smp-node.toml bundle.txt\n  \
         smp-node run --config /var/lib/smp-node/smp-node.toml\n\n",
        exit_codes!()
    )
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a new node: configuration, keys, data directory, enrolment request
    #[command(after_help = concat!(
        "Examples:\n  \
         smp-node init --dir newcastle --council E08000021 --region north-east \\\n      \
         --endpoint smp.newcastle.example.org:7400\n  \
         smp-node init --dir /tmp/a --council E08000021 --region north-east \\\n      \
         --endpoint 127.0.0.1:7401 --listen 127.0.0.1:7401\n\n",
        exit_codes!()
    ))]
    Init(InitArgs),
    /// Join the region with the bundle that its admin sent back
    #[command(after_help = concat!(
        "Examples:\n  \
         smp-node join --config newcastle/smp-node.toml bundle.txt\n  \
         smp-node join --config newcastle/smp-node.toml --yes bundle.txt\n\n",
        exit_codes!()
    ))]
    Join(JoinArgs),
    /// Run the daemon until SIGTERM or SIGINT
    #[command(after_help = concat!(
        "Examples:\n  \
         smp-node run --config newcastle/smp-node.toml\n  \
         smp-node run\n\n",
        exit_codes!()
    ))]
    Run(ConfigArgs),
    /// Look whether the configuration, and what it names, is fit for use
    #[command(after_help = concat!(
        "Examples:\n  \
         smp-node check-config --config newcastle/smp-node.toml\n\n",
        exit_codes!()
    ))]
    CheckConfig(ConfigArgs),
    /// A whole region of real councils and made-up people on this machine
    #[command(after_help = concat!(
        "Examples:\n  \
         smp-node demo\n  \
         smp-node demo --region south-east --json\n  \
         smp-node demo --councils 3 --keep /tmp/region\n\n",
        exit_codes!()
    ))]
    Demo(DemoArgs),
}

/// Where the configuration is.
#[derive(Args, Debug)]
struct ConfigArgs {
    /// The node's configuration
    #[arg(
        long,
        value_name = "FILE",
        env = "SMP_NODE_CONFIG",
        default_value = "/etc/smp-node/smp-node.toml"
    )]
    config: PathBuf,
}

#[derive(Args, Debug)]
struct InitArgs {
    /// Where to make the node; what is there already is never overwritten
    #[arg(long)]
    dir: PathBuf,
    /// The council's GSS code
    #[arg(long, value_name = "CODE")]
    council: CouncilCode,
    /// The region to join, as its admin named it
    #[arg(long)]
    region: RegionName,
    /// Where other nodes reach this one; up to four, the best first
    #[arg(long = "endpoint", value_name = "HOST:PORT", required = true, value_parser = endpoint)]
    endpoints: Vec<String>,
    /// Where the node listens (UDP)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:7400")]
    listen: SocketAddr,
}

#[derive(Args, Debug)]
struct JoinArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The join bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The authority's fingerprint was compared already: do not ask
    #[arg(long)]
    yes: bool,
}

/// `host:port`, in the form that a roster takes.
fn endpoint(text: &str) -> Result<String, String> {
    let host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let good = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && host.chars().all(host_char)
            && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if good {
        Ok(text.to_owned())
    } else {
        Err(
            "expected a host name or address, a colon and a port, such as \
             smp.newcastle.example.org:7400 or [2001:db8::7]:7400"
                .to_owned(),
        )
    }
}

/// Why the process ends; the numbers are promised in every command's help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    Attention = 5,
    NotReady = 6,
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Exit::Unexpected.with(error)
    }
}

impl Exit {
    fn with(self, error: impl Into<anyhow::Error>) -> Failed {
        Failed {
            exit: self,
            error: error.into(),
        }
    }
}

/// Runs one command.
pub(crate) fn run(cli: Cli) -> Result<(), Failed> {
    match cli.command {
        Command::Init(args) => init::run(args),
        Command::Join(args) => join::run(args),
        Command::Run(args) => run::run(args),
        Command::CheckConfig(args) => check_config::run(args),
        Command::Demo(args) => demo::run(args),
    }
}

fn load(args: &ConfigArgs) -> Result<Config, Failed> {
    Config::load(&args.config).map_err(|error| Exit::Refused.with(error))
}

fn now() -> Result<UnixSeconds, Failed> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.context("the clock says that it is before 1970; set it")?;
    Ok(UnixSeconds(now.as_secs()))
}

/// Endpoints beyond what a roster takes would be refused only once the request has been
/// sent.
fn check_endpoints(endpoints: &[String]) -> Result<(), Failed> {
    if endpoints.len() <= limits::ENDPOINTS_PER_NODE {
        return Ok(());
    }
    let most = limits::ENDPOINTS_PER_NODE;
    Err(Exit::Usage.with(anyhow::anyhow!(
        "--endpoint is there more than {most} times"
    )))
}
