//! Which origins are believed to be who they say: the system's root certificates and those of the operator.

use rustls::{ClientConfig, RootCertStore, client::Resumption};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// The TLS side of connections, and what of the system's roots could not be read.
///
/// # Errors
/// When `extra_pem` has no certificate, or one that cannot be read: the operator's file.
pub(super) fn client(extra_pem: Option<&[u8]>) -> Result<(TlsConnector, Vec<String>), String> {
    let (mut roots, problems) = system();
    if let Some(pem) = extra_pem {
        add(&mut roots, pem)?;
    }
    // The provider is named here: nothing depends on which one a process would choose by itself.
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A ticket would let an origin recognise one principal's connection in another's.
    config.resumption = Resumption::disabled();
    Ok((TlsConnector::from(Arc::new(config)), problems))
}

/// The system's roots. Without any, https fails for origins that `extra_ca_file` does not cover, and nothing is trusted instead.
fn system() -> (RootCertStore, Vec<String>) {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    let mut problems: Vec<String> = found.errors.iter().map(|error| format!("root certificates of the system: {error}")).collect();
    if added == 0 {
        problems.push(
            "no root certificate of the system could be read: only origins that `extra_ca_file` covers can be reached over https"
                .to_owned(),
        );
    }
    (roots, problems)
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let mut some = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("extra_ca_file: {error}"))?;
        roots.add(certificate).map_err(|error| format!("extra_ca_file: {error}"))?;
        some = true;
    }
    if some { Ok(()) } else { Err("extra_ca_file has no certificate in PEM".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n"] {
            assert!(client(Some(pem.as_bytes())).is_err(), "{pem:?}");
        }
        assert!(client(None).is_ok());
    }
}
