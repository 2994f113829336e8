//! Who belongs to a region, and how its nodes prove it to each other.
//!
//! A node makes its keys ([`NodeKeys`]) and an [`EnrolmentRequest`]; the SMP admin checks
//! it and answers with a [`JoinBundle`] out of the [`Region`] directory; from then on the
//! TLS configurations of [`tls`] let members in and nobody else. This crate opens no
//! socket and starts no thread. Private keys never leave the files that it writes, and no
//! error or `Debug` output shows one.

mod armour;
mod authority;
mod bundle;
mod change;
mod files;
mod fingerprint;
mod keys;
mod passphrase;
mod profile;
mod region;
mod request;
mod roster_file;
pub mod tls;
mod verify;
mod vouching_file;

pub use armour::ArmourError;
pub use authority::{SealError, WorkFactor};
pub use bundle::{BundleError, JoinBundle, authority_fingerprint};
pub use change::{EnrolError, Unlocked};
pub use files::FileError;
pub use fingerprint::{BadFingerprint, Fingerprint};
pub use keys::{KeyError, NodeKeys};
pub use passphrase::Passphrase;
pub use profile::{BadCertificate, IssueError, PeerIdentity, peer_identity};
pub use region::{Region, RegionError};
pub use request::{EnrolmentRequest, RequestError};
pub use roster_file::{roster_from_text, roster_to_text};
pub use vouching_file::{vouching_from_text, vouching_to_text};

/// The operating system gave no random bytes. Nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes; try again, and if it persists, restart")]
pub struct NoRandomness;

/// Fills a buffer from the operating system, through the library that TLS uses too.
fn random<const N: usize>() -> Result<zeroize::Zeroizing<[u8; N]>, NoRandomness> {
    let mut bytes = zeroize::Zeroizing::new([0u8; N]);
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(bytes.as_mut_slice())
        .map_err(|_| NoRandomness)?;
    Ok(bytes)
}
