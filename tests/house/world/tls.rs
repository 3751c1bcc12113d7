//! The authority that signs the world's one certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;
use std::sync::Arc;

/// Names that the certificate is for: good ones and bad ones alike, so that TLS hides no request that policy should have refused.
const NAMES: [&str; 11] = [
    "*.example",
    "good.example",
    "*.good.example",
    "*.wild.example",
    "*.evil.example",
    "localhost",
    "127.0.0.1",
    "127.0.0.2",
    "::1",
    "127.0.9.1",
    "127.0.9.2",
];

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
    let leaf = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).expect("names");
    let leaf = leaf.signed_by(&own, &Issuer::new(params, key)).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der())))
        .expect("a certificate and its key");
    Arc::new(config)
}
