//! The connection to Vault: no proxy, no redirect, TLS by `ring`, an end to time and length.

use super::source::Trouble;
use async_trait::async_trait;
use http::{Request, Response};
use reqwest::redirect::Policy;
use rustify::errors::ClientError;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroize;

/// How long one answer may take, from the first byte of the request to the last of the answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest answer, in bytes. Vault's own limit for one secret is 1 MiB with its integrated storage.
const ANSWER_BYTES_MAX: usize = 2 << 20;

/// Sends requests of `vaultrs`.
pub(super) struct Wire {
    http: reqwest::Client,
    base: String,
}

impl Wire {
    pub(super) fn new(base: &Url, extra_ca_pem: Option<&[u8]>) -> Result<Self, Trouble> {
        let builder = reqwest::Client::builder().no_proxy().redirect(Policy::none()).referer(false).timeout(ANSWER_TIME_MAX);
        let http = builder.tls_backend_preconfigured(tls(base.scheme() == "https", extra_ca_pem)?).build();
        let http = http.map_err(|error| Trouble::new(format!("there is no client for Vault: {error}"), "tell the makers of Cordon"))?;
        Ok(Self { http, base: base.to_string() })
    }
}

/// What is trusted: the system's roots and those of the configuration. Without TLS nothing is.
fn tls(wanted: bool, extra_ca_pem: Option<&[u8]>) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    if wanted {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in CertificateDer::pem_slice_iter(extra_ca_pem.unwrap_or_default()) {
            let added = certificate.map_err(|error| error.to_string()).and_then(|der| roots.add(der).map_err(|error| error.to_string()));
            added.map_err(|error| Trouble::new(format!("a certificate of extra_ca_file cannot be used: {error}"), "mend the file"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| Trouble::new(format!("there is no TLS: {error}"), "tell the makers of Cordon"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[async_trait]
impl rustify::client::Client for Wire {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let request = reqwest::Request::try_from(request).map_err(|source| ClientError::ReqwestBuildError { source })?;
        let (url, method) = (request.url().to_string(), request.method().to_string());
        let sent = self.http.execute(request).await;
        let mut answer = sent.map_err(|error| ClientError::RequestError { source: error.into(), url, method })?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| ClientError::ResponseError { source: error.into() })? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                body.zeroize();
                return Err(ClientError::ResponseError { source: io::Error::other("the answer is too long").into() });
            }
            body.extend_from_slice(&piece);
        }
        let built = Response::builder().status(answer.status()).body(body);
        built.map_err(|error| ClientError::ResponseError { source: error.into() })
    }

    fn base(&self) -> &str {
        &self.base
    }
}
