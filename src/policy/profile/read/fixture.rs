//! `[[egress.fixture]]`: a canned answer, its body in the profile or in a file beside it.

use super::super::bounds::{LATENCY_MS, STATUS};
use super::words::{METHODS_MEND, header_name, header_value, method};
use crate::config::{Reader, Wrong, path};
use crate::model::{Digest, EgressFixture};
use bytes::Bytes;
use std::io::Read;
use std::path::Path;
use url::Url;

/// Longest body of a fixture, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Most bytes of all bodies of a profile: they stay in memory while it is in force.
const BODIES_BYTES_MAX: usize = 8 << 20;

/// Most `*` in a URL: each may make the matcher look again.
const STARS_MAX: usize = 16;

const URL_MEND: &str = "write a whole URL, such as https://api.example/v1/*, without user or fragment; * stands for any characters";

/// Where bodies are read from, how many bytes of them there may still be (none once that was too few), and what was read from files.
pub(in crate::policy) struct Bodies<'a> {
    folder: Option<&'a Path>,
    left: Option<usize>,
    files: Vec<Digest>,
}

impl<'a> Bodies<'a> {
    /// Bodies of a profile, or of a file of tests, in `folder`; what is built in has none.
    pub(in crate::policy) fn beside(folder: Option<&'a Path>) -> Self {
        Self { folder, left: Some(BODIES_BYTES_MAX), files: Vec::new() }
    }

    /// The digest of `text`, which named these files, and of what was in them, in the order in which they were read. Without a file it is the
    /// text's own; with one it is of a text that begins with its length, which no TOML file does.
    pub(in crate::policy) fn digest_with(&self, text: &str) -> Digest {
        if self.files.is_empty() {
            return Digest::of(text.as_bytes());
        }
        let files = self.files.iter().map(|digest| digest.as_bytes().as_slice());
        Digest::of_parts(std::iter::once(text.as_bytes()).chain(files))
    }

    /// Counts `bytes` of the value of `key`.
    fn take(&mut self, reader: &Reader<'_>, key: &str, bytes: usize) -> Option<()> {
        self.left = self.left?.checked_sub(bytes);
        if self.left.is_none() {
            let message = format!("with this body the profile's bodies have more than {BODIES_BYTES_MAX} bytes together");
            reader.note_at(key, message, "shorten the bodies");
        }
        self.left.map(|_| ())
    }
}

/// Reads one.
pub(super) fn read(reader: &mut Reader<'_>, bodies: &mut Bodies<'_>) -> Option<EgressFixture> {
    reader.require(&["url"]);
    let any_method = |text: &str| if text == "*" { Ok("*".to_owned()) } else { method(text) };
    let method = reader.checked("method", &format!("{METHODS_MEND}; \"*\" answers every method"), any_method);
    let url = reader.checked("url", URL_MEND, url_pattern);
    let status = reader.u64("status", STATUS).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let headers = read_headers(reader);
    let body = read_body(reader, bodies);
    if [204, 205, 304].contains(&status) && body.as_ref().is_some_and(|body| !body.is_empty()) {
        reader.note_at("status", format!("an answer of status {status} has no body"), "remove the body, or write another status");
    }
    let latency_ms = reader.u64("latency_ms", LATENCY_MS).unwrap_or(0);
    let (url, body) = (url?, body?);
    let method = method.unwrap_or_else(|| "GET".to_owned());
    Some(EgressFixture { method, url, status, headers, body_digest: Digest::of(&body), body, latency_ms })
}

/// Headers in lower case, in the order of their names as written.
fn read_headers(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mend = super::words::HEADER_MEND;
    let given = reader.text_map("headers", mend, |name| header_name(name).map(drop));
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in given {
        let lower = name.to_ascii_lowercase();
        if headers.iter().any(|(own, _)| *own == lower) {
            reader.note_at("headers", format!("`{lower}` is there twice"), "remove one of them");
        }
        if let Err(wrong) = header_value(&value) {
            reader.note_at("headers", format!("`{name}`: {wrong}"), "correct the value");
        }
        headers.push((lower, value));
    }
    headers
}

fn read_body(reader: &mut Reader<'_>, bodies: &mut Bodies<'_>) -> Option<Bytes> {
    let text = reader.long_text("body", BODY_BYTES_MAX);
    let file = reader.checked("file", "write a file's path, relative to the profile's folder", path);
    match (reader.has("body"), reader.has("file")) {
        (false, false) => Some(Bytes::new()),
        (true, false) => text.and_then(|text| bodies.take(reader, "body", text.len()).map(|()| Bytes::from(text))),
        (false, true) => read_file(reader, bodies, &file?),
        (true, true) => {
            reader.note_at("file", "`body` and `file` are there together", "remove one of them");
            None
        }
    }
}

fn read_file(reader: &Reader<'_>, bodies: &mut Bodies<'_>, file: &Path) -> Option<Bytes> {
    // Once there are too many bytes, no more of them are read.
    bodies.left?;
    let Some(folder) = bodies.folder else {
        reader.note_at("file", "a built-in profile has no files", "write the body here");
        return None;
    };
    match contents(&folder.join(file)) {
        Ok(bytes) => {
            bodies.take(reader, "file", bytes.len())?;
            bodies.files.push(Digest::of(&bytes));
            Some(Bytes::from(bytes))
        }
        Err(wrong) => {
            reader.note_at("file", format!("`{}`: {wrong}", file.display()), "name a readable file of at most 1 MiB, beside the profile");
            None
        }
    }
}

/// The bytes of a file, which is no pipe or device that might never end.
fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| format!("it cannot be read: {error}");
    if !std::fs::metadata(path).map_err(wrong)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() > BODY_BYTES_MAX { Err(format!("it has more than {BODY_BYTES_MAX} bytes")) } else { Ok(bytes) }
}

/// A URL with `*` in it, as the WHATWG parser writes the URLs that it is compared with; the parser leaves `*` alone wherever it may stand.
fn url_pattern(text: &str) -> Result<String, Wrong> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err(format!("`{}` is not a scheme that is sent", url.scheme()).into());
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` has a user or a fragment, which are never sent").into());
    }
    if text.matches('*').count() > STARS_MAX {
        return Err(format!("`{text}` has more than {STARS_MAX} `*`").into());
    }
    if url.as_str() != text {
        return Err(Wrong { message: format!("`{text}` is not written as it is compared"), mend: Some(format!("write `{url}`")) });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_url_in_the_form_that_requests_have() {
        for good in [
            "https://good.example/",
            "http://good.example:8080/a?b=*",
            "https://*/*",
            "https://*.good.example/v1/*",
            "https://good.example/*.json",
            "http://169.254.169.254/*",
            "https://[::1]/",
            "https://xn--bcher-kva.example/",
        ] {
            assert_eq!(url_pattern(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "*",
            "*://good.example/",
            "good.example",
            "//good.example/",
            "ftp://good.example/",
            "data:,x",
            "https://",
            "https://good.example",
            "https://good.example:443/",
            "https://good.example:*/",
            "https://a@good.example/",
            "https://:b@good.example/",
            "https://good.example/#a",
            "https://good.example/a/../b",
            "https://GOOD.example/",
            "https://bücher.example/",
            "http://2130706433/",
            "http://0x7f.1/",
            "https://good.example/a b",
            " https://good.example/",
            "https:\\\\good.example\\",
            "file:///etc/passwd",
        ] {
            assert!(url_pattern(bad).is_err(), "{bad:?}");
        }
        let mend = url_pattern("https://GOOD.example:443/a/../b*").expect_err("not as compared").mend;
        assert_eq!(mend.as_deref(), Some("write `https://good.example/b*`"));
        let stars = |count: usize| format!("https://good.example/{}", "*".repeat(count));
        assert!(url_pattern(&stars(16)).is_ok() && url_pattern(&stars(17)).is_err());
    }
}
