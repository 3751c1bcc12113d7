//! Reading values from HashiCorp Vault, KV version 2. Requests and answers are `vaultrs`'; the sending is ours, because its own client takes proxies
//! from the environment, follows redirects with the token in hand, and reads answers of any length.

use super::source::{Trouble, VaultSpec};
use super::value::{VALUE_BYTES_MAX, Value};
use super::wire::Wire;
use crate::config::SecretSource;
use rustify::endpoint::Endpoint;
use rustify::errors::ClientError;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use url::Url;
use vaultrs::api::kv2::requests::ReadSecretRequest;
use vaultrs::api::kv2::responses::ReadSecretResponse;
use vaultrs::api::{EndpointMiddleware, EndpointResult};
use zeroize::{Zeroize, Zeroizing};

/// One value that is to be read.
pub(super) struct Wanted<'a> {
    /// Name of the secret.
    pub(super) name: &'a str,
    place: (&'a str, &'a str),
    field: &'a str,
}

impl<'a> Wanted<'a> {
    /// What is to be read for the secret `name`, if it comes from Vault.
    pub(super) fn of(name: &'a str, spec: &'a SecretSource) -> Option<Self> {
        match spec {
            SecretSource::Vault { mount, path, field } => Some(Self { name, place: (mount, path), field }),
            SecretSource::Env(_) | SecretSource::File(_) => None,
        }
    }
}

/// What reading brought, by the secret's name.
type Read<'a> = Vec<(&'a str, Result<Value, Trouble>)>;

/// Why one place brought nothing.
enum Failure {
    /// Others may.
    Here(Trouble),
    /// Nor will others: the server or the token is the reason.
    Everywhere(Trouble),
}

/// The token that `text` is.
pub(super) fn token(text: &[u8]) -> Result<Zeroizing<String>, Trouble> {
    let text = text.trim_ascii();
    let right = !text.is_empty() && text.len() <= VALUE_BYTES_MAX && text.iter().all(u8::is_ascii_graphic);
    let token = std::str::from_utf8(text).ok().filter(|_| right).map(|token| Zeroizing::new(token.to_owned()));
    token.ok_or_else(|| {
        Trouble::new("what should be Vault's token is none", "put the token, and nothing else, where token_env or token_file says")
    })
}

/// Reads all that is `wanted`, each place once.
pub(super) async fn read<'a>(spec: &VaultSpec, token: &str, wanted: &[Wanted<'a>]) -> Result<Read<'a>, Trouble> {
    let session = Session::open(spec, token)?;
    let mut places: BTreeMap<(&str, &str), Vec<&Wanted<'a>>> = BTreeMap::new();
    for one in wanted {
        places.entry(one.place).or_default().push(one);
    }
    let mut values = Vec::with_capacity(wanted.len());
    for ((mount, path), wanted) in places {
        let place = session.read(mount, path).await;
        let mut fields = match place {
            Ok(fields) => Ok(fields),
            Err(Failure::Here(trouble)) => Err(trouble),
            Err(Failure::Everywhere(trouble)) => return Err(trouble),
        };
        for one in &wanted {
            values.push((one.name, field(&fields, one)));
        }
        if let Ok(fields) = &mut fields {
            wipe(fields);
        }
    }
    Ok(values)
}

fn field(fields: &Result<Json, Trouble>, wanted: &Wanted<'_>) -> Result<Value, Trouble> {
    let fields = fields.as_ref().map_err(Clone::clone)?;
    let (mount, path) = wanted.place;
    match fields.get(wanted.field) {
        Some(Json::String(text)) => Value::new(Zeroizing::new(text.clone().into_bytes())),
        Some(_) => Err(Trouble::new(format!("the field `{}` of `{mount}/{path}` is not a string", wanted.field), "store it as a string")),
        None => Err(Trouble::new(format!("`{mount}/{path}` has no field `{}`", wanted.field), "check the field's name after the `#`")),
    }
}

/// A client with one token.
struct Session {
    wire: Wire,
    middle: EndpointMiddleware,
}

impl Session {
    fn open(spec: &VaultSpec, token: &str) -> Result<Self, Trouble> {
        let mut base = Url::parse(&spec.address).map_err(|error| Trouble::new(format!("Vault's address is no URL: {error}"), "mend it"))?;
        // `vaultrs` puts the version in front of the whole path; a Vault behind a prefix has it after the prefix.
        let version = format!("{}/v1", base.path().trim_matches('/')).trim_start_matches('/').to_owned();
        base.set_path("/");
        let wire = Wire::new(&base, spec.extra_ca_pem.as_deref())?;
        Ok(Self { wire, middle: EndpointMiddleware { token: token.to_owned(), version, wrap: None, namespace: spec.namespace.clone() } })
    }

    /// All fields of one secret's latest version.
    async fn read(&self, mount: &str, path: &str) -> Result<Json, Failure> {
        let request = ReadSecretRequest { mount: mount.to_owned(), path: path.to_owned(), version: None };
        let mut answer = request.with_middleware(&self.middle).exec(&self.wire).await.map_err(|error| failure(&error, mount, path))?;
        let parsed = answer.wrap::<EndpointResult<ReadSecretResponse>>();
        answer.response.body_mut().zeroize();
        let data = parsed.ok().and_then(|result| result.data).map(|data| data.data);
        match data {
            Some(fields @ Json::Object(_)) => Ok(fields),
            Some(Json::Null) => Err(Failure::Here(deleted(mount, path))),
            _ => Err(Failure::Here(Trouble::new(
                format!("Vault's answer for `{mount}/{path}` is not a secret of KV version 2"),
                "check that the mount is one, and that the address is Vault's",
            ))),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.middle.token.zeroize();
    }
}

fn failure(error: &ClientError, mount: &str, path: &str) -> Failure {
    match error {
        ClientError::ServerResponseError { code, content } => refused(*code, content.as_deref().unwrap_or_default(), mount, path),
        ClientError::RequestError { source, .. } | ClientError::ResponseError { source } => {
            let causes: Vec<String> = source.chain().map(ToString::to_string).collect();
            let what = format!("Vault cannot be asked: {}", causes.join(": "));
            Failure::Everywhere(Trouble::new(what, "check the address, that Vault runs there, and its certificate"))
        }
        other => Failure::Here(Trouble::new(format!("Vault cannot be asked: {other}"), "check the address and the path")),
    }
}

/// What an answer that is not 200 means. Source: Vault's HTTP API, "HTTP status codes", and KV version 2, "Read secret version".
fn refused(code: u16, content: &str, mount: &str, path: &str) -> Failure {
    match code {
        403 => Failure::Here(Trouble::new(
            format!("Vault does not let the token read `{mount}/{path}`"),
            format!("renew the token, or give it a policy with `read` on `{mount}/data/{path}`"),
        )),
        404 if content.contains("\"deletion_time\"") => Failure::Here(deleted(mount, path)),
        404 => Failure::Here(Trouble::new(
            format!("Vault has no secret at `{mount}/{path}`"),
            "check mount, path and namespace, and that the mount is of KV version 2",
        )),
        300..=399 => Failure::Everywhere(Trouble::new(
            "Vault redirects to another server, which does not get the token",
            "give the address of the active server, or of one that forwards",
        )),
        503 => Failure::Everywhere(Trouble::new("Vault is sealed or in maintenance", "unseal it")),
        _ => Failure::Here(Trouble::new(format!("Vault answers `{mount}/{path}` with status {code}"), "see Vault's log")),
    }
}

fn deleted(mount: &str, path: &str) -> Trouble {
    Trouble::new(format!("the latest version of `{mount}/{path}` is deleted"), "undelete it, or put a new version there")
}

/// Wipes every string of an answer.
fn wipe(json: &mut Json) {
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(wipe),
        Json::Object(fields) => fields.values_mut().for_each(wipe),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
