//! The region authority's two private keys, and what encrypts them on disk.
//!
//! They are in memory only while an admin's command runs, and on disk only under the
//! passphrase (age, scrypt). Nothing here writes a file.

use age::{DecryptError, scrypt};
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use smp_protocol::codec;
use smp_protocol::crypto::Signing;
use zeroize::{Zeroize, Zeroizing};

use crate::{NoRandomness, Passphrase, random};

/// What a guess at the passphrase costs: 2 to this power, in scrypt's measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// One to three seconds and 256 MB for each guess.
    pub const STANDARD: Self = Self(18);
    /// No protection: for tests and the demo, whose regions are thrown away.
    pub const NONE: Self = Self(2);
    /// The most that is accepted from a file: one that asks for more than four times the
    /// standard is damaged, and would take more memory than an office computer has.
    const MAX: u8 = 20;
}

/// Why the keys were not opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No other way of saying it: the file does not tell a wrong passphrase from a wrong
    /// file.
    #[error("the passphrase is not the one that it was encrypted with")]
    WrongPassphrase,
    /// The file is damaged, or none of ours.
    #[error("it is damaged ({0}); put it back from its backup")]
    Damaged(String),
    /// The keys could not be encrypted.
    #[error("it could not be encrypted: {0}")]
    Encrypt(String),
    /// No key could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The library could not make or read the CA's key.
    #[error("the CA's key could not be made: {0}")]
    Ca(#[from] rcgen::Error),
}

/// The authority's keys, in memory.
pub(crate) struct Authority {
    seed: Zeroizing<[u8; 32]>,
    pub(crate) signing: Signing,
    ca: KeyPair,
}

/// As they are encrypted; erased from memory when dropped.
#[derive(Serialize, Deserialize)]
struct Stored {
    signing: [u8; 32],
    ca: Vec<u8>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.signing.zeroize();
        self.ca.zeroize();
    }
}

/// The most bytes of the two keys; they have about 180.
const STORED_BYTES: usize = 1024;

impl Authority {
    pub(crate) fn generate() -> Result<Self, SealError> {
        let seed = random::<32>()?;
        Ok(Self {
            signing: Signing::from_seed(&seed),
            seed,
            ca: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        })
    }

    pub(crate) fn ca_key(&self) -> &KeyPair {
        &self.ca
    }

    /// Turns the CA's key and its certificate into what signs node certificates.
    pub(crate) fn into_issuer(
        self,
        certificate: &CertificateDer<'_>,
    ) -> Result<(Signing, Issuer<'static, KeyPair>), SealError> {
        let issuer = Issuer::from_ca_cert_der(certificate, self.ca)?;
        Ok((self.signing, issuer))
    }

    /// Encrypts the keys, as text.
    pub(crate) fn seal(
        &self,
        passphrase: &Passphrase,
        work: WorkFactor,
    ) -> Result<String, SealError> {
        let stored = Stored {
            signing: *self.seed,
            ca: self.ca.serialized_der().to_vec(),
        };
        let mut recipient = scrypt::Recipient::new(passphrase.secret());
        recipient.set_work_factor(work.0);
        let plain = Zeroizing::new(codec::encode(&stored));
        age::encrypt_and_armor(&recipient, &plain).map_err(|e| SealError::Encrypt(e.to_string()))
    }

    /// Decrypts them.
    pub(crate) fn open(text: &str, passphrase: &Passphrase) -> Result<Self, SealError> {
        let mut identity = scrypt::Identity::new(passphrase.secret());
        identity.set_max_work_factor(WorkFactor::MAX);
        let plain = age::decrypt(&identity, text.as_bytes()).map_err(|error| match error {
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::NoMatchingKeys => SealError::WrongPassphrase,
            other => SealError::Damaged(other.to_string()),
        })?;
        let plain = Zeroizing::new(plain);
        let stored: Stored = codec::decode(&plain, STORED_BYTES)
            .map_err(|error| SealError::Damaged(error.to_string()))?;
        let key = PrivateKeyDer::Pkcs8(stored.ca.as_slice().into());
        Ok(Self {
            signing: Signing::from_seed(&stored.signing),
            seed: Zeroizing::new(stored.signing),
            ca: KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)?,
        })
    }
}
