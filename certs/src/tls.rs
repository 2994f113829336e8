//! TLS between nodes: one version, one key exchange, one protocol, both sides certified.
//!
//! TLS 1.3 with X25519MLKEM768 only, since these records stay sensitive for decades. No
//! session is ever resumed and no early data taken: a resumed session would skip the
//! verifier, and with it the roster. There is no setting to weaken any of this.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig};
use smp_protocol::ids::NodeId;

use crate::keys::NodeKeys;
use crate::profile::{self, BadCertificate, PeerIdentity};
use crate::verify::{Anchor, PeerVerifier};
pub use crate::verify::{Gate, Refusal, Verdict, judge};

/// The protocol's name in TLS (ALPN); another version of it is another name.
pub const ALPN: &[u8] = b"smp-sync/1";

/// What a dialler names as server. Nobody looks at it: a node is known by its certificate.
pub const SERVER_NAME: &str = "smp-sync";

/// Why there is no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// This node's own certificate is not of the profile.
    #[error("this node's certificate is not usable: {0}; run `smp-node join` with a new bundle")]
    Certificate(#[from] BadCertificate),
    /// The certificate is for other keys than this node's.
    #[error(
        "this node's certificate is for node {found}, or for another TLS key than its own; run \
         `smp-node join` with the bundle that was made for it"
    )]
    OtherKeys {
        /// The node in the certificate.
        found: NodeId,
    },
    /// The CA certificate cannot be read.
    #[error("the region's CA certificate cannot be read; run `smp-node join` again")]
    Ca,
    /// The library refused.
    #[error("TLS could not be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// This node's certificate with its key.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    certified: Arc<CertifiedKey>,
    identity: PeerIdentity,
}

impl TlsIdentity {
    /// Brings a certificate and the keys that it is for together.
    ///
    /// # Errors
    /// [`TlsError`] where it is not of the profile, or for other keys.
    pub fn new(certificate: CertificateDer<'static>, keys: &NodeKeys) -> Result<Self, TlsError> {
        let identity = profile::peer_identity(&certificate)?;
        if identity.node != keys.node_id() || identity.tls_key != keys.tls_key() {
            return Err(TlsError::OtherKeys {
                found: identity.node,
            });
        }
        let key = aws_lc_rs::sign::any_ecdsa_type(&keys.tls_private())?;
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(vec![certificate], key)),
            identity,
        })
    }

    /// What the certificate says of this node.
    pub fn peer(&self) -> &PeerIdentity {
        &self.identity
    }

    fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)))
    }
}

/// The library's cipher suites of TLS 1.3 (QUIC needs `TLS13_AES_128_GCM_SHA256` among
/// them) and our one key exchange.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some());
    Arc::new(provider)
}

/// How this node answers a connection.
///
/// # Errors
/// [`TlsError`] where the CA cannot be read or the library refuses.
pub fn server_config(
    identity: &TlsIdentity,
    ca: &CertificateDer<'_>,
    gate: Arc<dyn Gate>,
) -> Result<ServerConfig, TlsError> {
    let verifier = PeerVerifier::new(Anchor::new(ca)?, &identity.identity, gate, None);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(identity.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// How this node dials the node `expected`, and no other.
///
/// # Errors
/// [`TlsError`] where the CA cannot be read or the library refuses.
pub fn client_config(
    identity: &TlsIdentity,
    ca: &CertificateDer<'_>,
    gate: Arc<dyn Gate>,
    expected: NodeId,
) -> Result<ClientConfig, TlsError> {
    let verifier = PeerVerifier::new(Anchor::new(ca)?, &identity.identity, gate, Some(expected));
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(identity.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.enable_sni = false;
    Ok(config)
}
