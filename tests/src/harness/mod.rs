//! A region of real processes: the binaries, the region's directory, its nodes.
//!
//! ```no_run
//! use system_tests::harness::{Region, wait};
//! let mut region = Region::of(&["E08000021", "E08000037"]);
//! region.start_all();
//! region.open_register("E08000021", "E08000037");
//! region["E08000021"].smp(&["pool", "place", "--rooms", "1", "--people", "2"]).ok();
//! region.wait_agreed(wait::AGREEMENT);
//! ```

mod api;
mod binaries;
mod client;
pub mod examples;
mod files;
mod node;
mod ports;
mod random;
mod region;
mod shell;
pub mod wait;

pub use self::api::{Answer, Api};
pub use self::binaries::{Ran, binary, command, inside, run};
pub use self::client::Client;
pub use self::files::copy_tree;
pub use self::node::Node;
pub use self::ports::free_ports;
pub use self::random::Random;
pub use self::region::{PASSPHRASE, Region, agreed, name_of};
pub use self::shell::Shell;
pub use self::wait::until;
