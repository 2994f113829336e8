//! A node's three private keys: made on the node, kept in one file, never leaving it.
//!
//! One file, so that a crash leaves all of them or none. Only its owner may read it, and a
//! file that others may read is refused rather than used. An existing file is never
//! replaced: a node without its keys is another node.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use smp_protocol::codec;
use smp_protocol::crypto::Signing;
use smp_protocol::ids::{BadName, Hash, NodeId};
use smp_protocol::roster::SealingKey;
use x_wing::{Decapsulator, KeyExport};
use zeroize::{Zeroize, Zeroizing};

use crate::armour::{self, ArmourError};
use crate::files::{self, FileError};
use crate::{NoRandomness, profile, random};

/// The file's name.
const FILE: &str = "node.key";

/// What the file is called inside.
const KIND: &str = "SMP-SYNC NODE KEYS";

/// The most that the file may have; it has about 600 bytes.
const FILE_BYTES: u64 = 8192;

/// Why there are no keys to use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There are keys already. Nothing was changed.
    #[error(
        "{} holds this node's keys already; nothing was changed. To use them, go on with \
         `smp-node run` or `smp-node join`; for a new node, name another directory",
        path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There are none yet.
    #[error("there are no keys at {}; make them with `smp-node init`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others on this machine may read them.
    #[error(
        "{} may be read by others than its owner (mode {mode:03o}); run \
         `chmod 600 {}`, and if somebody else may have read it, enrol a new node instead",
        path.display(), path.display()
    )]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is damaged.
    #[error("{}: {source}; put it back from its backup", path.display())]
    Armour {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ArmourError,
    },
    /// The text is whole, the keys in it are not.
    #[error("{} does not hold a node's keys; put it back from its backup", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No key could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The library could not make or read a key.
    #[error("the TLS key could not be made: {0}")]
    Tls(#[from] rcgen::Error),
    /// The library made a key of another kind than it is to make.
    #[error("the sealing key could not be made: {0}")]
    Sealing(#[from] BadName),
}

/// The private keys of a node.
pub struct NodeKeys {
    tls: KeyPair,
    seed: Zeroizing<[u8; 32]>,
    signing: Signing,
    unsealing: x_wing::DecapsulationKey,
    sealing: SealingKey,
}

/// As they stand in the file; erased from memory when dropped.
#[derive(Serialize, Deserialize)]
struct Stored {
    tls: Vec<u8>,
    signing: [u8; 32],
    sealing: [u8; 32],
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.tls.zeroize();
        self.signing.zeroize();
        self.sealing.zeroize();
    }
}

impl NodeKeys {
    /// Makes new keys from the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`] or [`KeyError::Tls`].
    pub fn generate() -> Result<Self, KeyError> {
        let tls = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let (seed, sealing) = (random::<32>()?, random::<32>()?);
        Self::assemble(tls, &seed, &sealing)
    }

    fn assemble(tls: KeyPair, seed: &[u8; 32], sealing: &[u8; 32]) -> Result<Self, KeyError> {
        let unsealing = x_wing::DecapsulationKey::from(*sealing);
        let public = unsealing.encapsulation_key().to_bytes();
        Ok(Self {
            tls,
            signing: Signing::from_seed(seed),
            seed: Zeroizing::new(*seed),
            sealing: SealingKey::try_from(public.to_vec())?,
            unsealing,
        })
    }

    /// Keeps them in `dir`, made if need be, for this node's user alone. All of them are
    /// there after a crash, or none.
    ///
    /// # Errors
    /// [`KeyError::Exists`] where there are keys already, which stay as they were.
    pub fn save(&self, dir: &Path) -> Result<(), KeyError> {
        let path = dir.join(FILE);
        let stored = Stored {
            tls: self.tls.serialized_der().to_vec(),
            signing: *self.seed,
            sealing: *self.unsealing.as_bytes(),
        };
        let bytes = Zeroizing::new(codec::encode(&stored));
        let text = Zeroizing::new(armour::encode(KIND, &self.lines(), &bytes));
        files::private_dir(dir)?;
        files::write_new(&path, text.as_bytes()).map_err(|error| match error {
            FileError::Exists { path } => KeyError::Exists { path },
            error => error.into(),
        })
    }

    /// Reads them back.
    ///
    /// # Errors
    /// [`KeyError`] naming the file and what to do.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        let metadata = match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyError::Missing { path });
            }
            other => other.map_err(files::io("look at", &path))?,
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::NotPrivate { path, mode });
        }
        let text = files::read(&path, FILE_BYTES)?;
        let limit = usize::try_from(FILE_BYTES).unwrap_or(usize::MAX);
        let armoured = armour::decode(KIND, &text, limit).map_err(|source| KeyError::Armour {
            path: path.clone(),
            source,
        })?;
        let malformed = || KeyError::Malformed { path: path.clone() };
        let stored: Stored = codec::decode(&armoured.bytes, limit).map_err(|_| malformed())?;
        let key = PrivateKeyDer::Pkcs8(stored.tls.as_slice().into());
        let tls = KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)
            .map_err(|_| malformed())?;
        let keys = Self::assemble(tls, &stored.signing, &stored.sealing)?;
        armoured
            .says(&keys.lines())
            .map_err(|source| KeyError::Armour { path, source })?;
        Ok(keys)
    }

    fn lines(&self) -> [(&'static str, String); 1] {
        [("Node", self.node_id().to_string())]
    }

    /// The key that signs entries.
    pub fn signing(&self) -> &Signing {
        &self.signing
    }

    /// The public half of the key that handovers are sealed to.
    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// The node that these keys make.
    pub fn node_id(&self) -> NodeId {
        self.signing.node_id()
    }

    /// SHA-256 of the TLS key, as the roster lists it.
    pub fn tls_key(&self) -> Hash {
        profile::sha256(&self.tls.subject_public_key_info())
    }

    pub(crate) fn tls(&self) -> &KeyPair {
        &self.tls
    }

    pub(crate) fn tls_private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.tls.serialized_der().to_vec()))
    }
}

impl std::fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeKeys({})", self.node_id().short())
    }
}
