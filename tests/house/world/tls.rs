//! The authority that signs the world's certificates, one for whatever name is asked for: TLS hides no request that policy should have refused.

use super::{GOOD, INSIDE, SINK};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Signs on demand.
#[derive(Debug)]
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The key of every certificate.
    key: KeyPair,
    signed: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

/// What listeners accept TLS with. The authority's certificate is at `pem` then.
pub(super) fn authority(pem: &Path) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "the tests' world");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    std::fs::write(pem, certificate.pem()).expect("written");
    let own = KeyPair::generate().expect("a key");
    let authority = Authority { issuer: Issuer::new(params, key), key: own, signed: Mutex::default() };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(authority));
    Arc::new(config)
}

impl Authority {
    fn sign(&self, names: Vec<String>) -> Option<Arc<CertifiedKey>> {
        let leaf = CertificateParams::new(names).ok()?.signed_by(&self.key, &self.issuer).ok()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        Some(Arc::new(CertifiedKey::new(vec![leaf.der().clone()], ring::sign::any_supported_type(&key).ok()?)))
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        // Who asks for an address names nobody.
        let name = hello.server_name().unwrap_or_default();
        if let Some(known) = signed.get(name) {
            return Some(Arc::clone(known));
        }
        let addresses = INSIDE.into_iter().chain([GOOD, SINK]).map(str::to_owned).collect();
        let made = self.sign(if name.is_empty() { addresses } else { vec![name.to_owned()] })?;
        signed.insert(name.to_owned(), Arc::clone(&made));
        Some(made)
    }
}
