//! Vault's KV version 2, spoken by a stand-in on loopback.

use super::*;
use crate::config::VaultToken;
use crate::egress::secrets::{Problem, VaultSpec};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A Vault that knows a few paths and writes down what it was asked.
#[derive(Clone)]
struct StandIn {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    value: Arc<Mutex<String>>,
}

impl StandIn {
    /// A stand-in that speaks TLS, and its certificate in PEM.
    async fn start_tls() -> (Self, String) {
        let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let config = builder.with_single_cert(vec![own.cert.der().clone()], key).expect("a server");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = format!("https://{}", listener.local_addr().expect("an address"));
        let this = Self { address, asked: Arc::default(), value: Arc::new(Mutex::new("first-value".to_owned())) };
        let (served, acceptor) = (this.clone(), TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    tokio::spawn(served.clone().answer(stream));
                }
            }
        });
        (this, own.cert.pem())
    }

    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let this = Self { address, asked: Arc::default(), value: Arc::new(Mutex::new("first-value".to_owned())) };
        let served = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().answer(stream));
            }
        });
        this
    }

    async fn answer(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).expect("text");
        let path = head.split([' ', '?']).nth(1).expect("a path").to_owned();
        let right = head.to_lowercase().contains("x-vault-token: hvs.right\r\n");
        self.asked.lock().expect("asked").push(head);
        if path.ends_with("/slow") {
            std::future::pending::<()>().await;
        }
        let (status, body) = if right { self.secret(&path) } else { ("403 Forbidden", r#"{"errors":["permission denied"]}"#.to_owned()) };
        let head =
            format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        _ = stream.write_all(head.as_bytes()).await;
        _ = stream.write_all(body.as_bytes()).await;
    }

    fn secret(&self, path: &str) -> (&'static str, String) {
        let time = r#""created_time":"2026-01-01T00:00:00Z","custom_metadata":null,"destroyed":false,"version":1"#;
        let envelope = |data: &str| {
            format!(
                r#"{{"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,"data":{data},"wrap_info":null,"warnings":null,"auth":null}}"#
            )
        };
        let live = |data: &str| envelope(&format!(r#"{{"data":{data},"metadata":{{{time},"deletion_time":""}}}}"#));
        let deleted = envelope(&format!(r#"{{"data":null,"metadata":{{{time},"deletion_time":"2026-01-02T00:00:00Z"}}}}"#));
        let value = self.value.lock().expect("a value").clone();
        match path.trim_start_matches("/behind/this") {
            "/v1/kv/data/orders/api" => ("200 OK", live(&format!(r#"{{"token":"{value}","number":12345678,"short":"1234567"}}"#))),
            "/v1/kv/data/deleted" => ("404 Not Found", deleted),
            "/v1/kv/data/null" => ("200 OK", deleted),
            "/v1/kv/data/garbage" => ("200 OK", "<html>not Vault".to_owned()),
            "/v1/kv/data/flat" => ("200 OK", envelope(r#"{"token":"first-value"}"#)),
            "/v1/kv/data/huge" => ("200 OK", live(&format!(r#"{{"token":"{}"}}"#, "x".repeat(3 << 20)))),
            "/v1/kv/data/moved" => ("307 Temporary Redirect", String::new()),
            "/v1/kv/data/sealed" => ("503 Service Unavailable", r#"{"errors":["Vault is sealed"]}"#.to_owned()),
            "/v1/kv/data/forbidden" => ("403 Forbidden", r#"{"errors":["1 error occurred"]}"#.to_owned()),
            _ => ("404 Not Found", r#"{"errors":[]}"#.to_owned()),
        }
    }

    fn spec(&self) -> VaultSpec {
        VaultSpec {
            address: self.address.clone(),
            token: VaultToken::Env("VAULT".into()),
            namespace: None,
            refresh: Duration::from_millis(20),
            extra_ca_pem: None,
        }
    }
}

fn at(path: &str, field: &str) -> SecretSource {
    SecretSource::Vault { mount: "kv".into(), path: path.into(), field: field.into() }
}

fn store(spec: VaultSpec, sources: &[(&str, SecretSource)]) -> Arc<Secrets> {
    Secrets::with(specs(sources), Some(spec), environment)
}

fn value(secrets: &Secrets, name: &str) -> Option<String> {
    secrets.value(name).ok().and_then(|value| String::from_utf8(value.expose().to_vec()).ok())
}

/// What is wrong with a secret at `path`.
async fn wrong(spec: VaultSpec, path: &str, field: &str) -> Problem {
    let problems = store(spec, &[("API_KEY", at(path, field))]).read_all().await;
    assert!(!format!("{problems:?}").contains("hvs.") && !format!("{problems:?}").contains("first-value"), "{problems:?}");
    problems.into_iter().next().expect("a problem")
}

#[tokio::test]
async fn a_field_is_read_with_token_and_namespace_and_each_place_once() {
    let vault = StandIn::start().await;
    let sources = [("API_KEY", at("orders/api", "token")), ("AGAIN", at("orders/api", "token"))];
    let secrets = store(VaultSpec { namespace: Some("team/a".into()), ..vault.spec() }, &sources);
    assert_eq!(secrets.read_all().await, []);
    assert_eq!((value(&secrets, "API_KEY"), value(&secrets, "AGAIN")), (Some("first-value".into()), Some("first-value".into())));
    let asked = vault.asked.lock().expect("asked").clone();
    assert_eq!(asked.len(), 1);
    let head = asked[0].to_lowercase();
    assert!(head.starts_with("get /v1/kv/data/orders/api? http/1.1\r\n") && head.contains("x-vault-namespace: team/a\r\n"), "{head}");
}

#[tokio::test]
async fn a_vault_behind_a_prefix_is_found_there() {
    let vault = StandIn::start().await;
    for prefix in ["/behind/this", "/behind/this/"] {
        let spec = VaultSpec { address: format!("{}{prefix}", vault.address), ..vault.spec() };
        let secrets = store(spec, &[("API_KEY", at("orders/api", "token"))]);
        assert_eq!(secrets.read_all().await, []);
    }
    assert!(vault.asked.lock().expect("asked").iter().all(|head| head.starts_with("GET /behind/this/v1/kv/data/orders/api? ")));
}

#[tokio::test]
async fn each_refusal_of_vault_has_its_own_mend() {
    let vault = StandIn::start().await;
    for (path, field, what) in [
        ("orders/api", "absent", "has no field `absent`"),
        ("orders/api", "number", "is not a string"),
        ("orders/api", "short", "too short"),
        ("absent", "token", "no secret at `kv/absent`"),
        ("deleted", "token", "is deleted"),
        ("null", "token", "is deleted"),
        ("garbage", "token", "not a secret of KV version 2"),
        ("flat", "token", "not a secret of KV version 2"),
        ("huge", "token", "too long"),
        ("moved", "token", "redirects"),
        ("sealed", "token", "sealed"),
        ("forbidden", "token", "does not let the token read"),
    ] {
        let problem = wrong(vault.spec(), path, field).await;
        assert!(problem.what.contains(what), "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_wrong_token_or_none_is_said_and_never_shown() {
    let vault = StandIn::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let spec = VaultSpec { token: VaultToken::File(path.clone()), ..vault.spec() };
    assert!(wrong(spec.clone(), "orders/api", "token").await.what.contains("cannot be read"));
    for (token, what) in [("hvs.wrong", "does not let the token read"), ("", "is none"), ("two words", "is none"), ("a\nb", "is none")] {
        std::fs::write(&path, token).expect("written");
        assert!(wrong(spec.clone(), "orders/api", "token").await.what.contains(what), "{token}");
    }
    std::fs::write(&path, "hvs.right\n").expect("written");
    assert_eq!(store(spec, &[("API_KEY", at("orders/api", "token"))]).read_all().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_never_answers_is_given_up_and_the_rest_is_not_asked() {
    let vault = StandIn::start().await;
    let secrets = store(vault.spec(), &[("A", at("a/slow", "token")), ("B", at("b/slow", "token"))]);
    let problems = secrets.read_all().await;
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.what.contains("cannot be asked")), "{problems:?}");
    assert!(vault.asked.lock().expect("asked").len() <= 1);
}

#[tokio::test]
async fn a_vault_that_is_not_there_is_a_problem() {
    let spec = VaultSpec { address: "http://127.0.0.1:1".into(), ..StandIn::start().await.spec() };
    let problem = wrong(spec, "orders/api", "token").await;
    assert!(problem.what.contains("cannot be asked") && problem.what.contains("refused"), "{problem}");
}

#[tokio::test]
async fn a_value_is_read_again_by_the_clock_and_stays_when_vault_fails() {
    let vault = StandIn::start().await;
    let secrets = store(vault.spec(), &[("API_KEY", at("orders/api", "token"))]);
    assert_eq!(secrets.read_all().await, []);
    let (stop, stopped) = oneshot::channel::<()>();
    let watch = tokio::spawn(Arc::clone(&secrets).keep_fresh(async { _ = stopped.await }));
    *vault.value.lock().expect("a value") = "second-value".to_owned();
    secrets.until(|secrets| value(secrets, "API_KEY").as_deref() == Some("second-value")).await;
    *vault.value.lock().expect("a value") = "short".to_owned();
    secrets.until(|secrets| !secrets.problems().is_empty()).await;
    assert_eq!(value(&secrets, "API_KEY").as_deref(), Some("second-value"));
    drop(stop);
    watch.await.expect("it stops");
}

#[tokio::test]
async fn a_vault_is_believed_over_tls_only_when_its_certificate_is_trusted() {
    let (vault, pem) = StandIn::start_tls().await;
    let problem = wrong(vault.spec(), "orders/api", "token").await;
    assert!(problem.what.contains("certificate"), "{problem}");
    assert!(vault.asked.lock().expect("asked").is_empty(), "the token never left");
    let spec = VaultSpec { extra_ca_pem: Some(pem.into_bytes()), ..vault.spec() };
    let secrets = store(spec.clone(), &[("API_KEY", at("orders/api", "token"))]);
    assert_eq!(secrets.read_all().await, []);
    assert_eq!(value(&secrets, "API_KEY").as_deref(), Some("first-value"));
    let elsewhere = VaultSpec { address: vault.address.replace("127.0.0.1", "localhost"), ..spec.clone() };
    assert!(wrong(elsewhere, "orders/api", "token").await.what.contains("certificate"), "the name counts");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = VaultSpec { extra_ca_pem: Some(broken.as_bytes().to_vec()), ..spec };
    assert!(wrong(broken, "orders/api", "token").await.what.contains("extra_ca_file"));
}
