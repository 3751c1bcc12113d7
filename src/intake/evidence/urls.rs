//! URLs in literals, as far as they can be known before a run.

use super::sink::Site;
use crate::model::UrlLiteral;
use url::{Host, Url};

/// Longest piece of a literal that is parsed as a URL, in bytes: what the broker takes at most.
const URL_BYTES_MAX: usize = 8 << 10;

/// Most URLs of one literal; what comes after them counts as one that is not known.
const URLS_MAX: usize = 100;

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// With itself.
    Here,
    /// Something that only a run can know follows.
    GoesOn,
}

/// Gives `found` each site of an absolute URL in `text`. A host that goes on after the text is not known and not told.
pub(super) fn find(text: &str, ends: Ends, mut found: impl FnMut(Site)) {
    if let Some(site) = whole(text, ends) {
        found(site);
        return;
    }
    let mut rest = text;
    for _ in 0..URLS_MAX {
        let Some(at) = rest.find("://") else { return };
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + 3..).unwrap_or_default());
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ')' | ']' | '}' | ','))
            .unwrap_or(after.len());
        let ends_here = if end < after.len() { Ends::Here } else { ends };
        if let Some(url) = rest.get(at - scheme.len()..at + 3 + end)
            && let Some(site) = whole(url, ends_here)
        {
            found(site);
        }
        rest = after;
    }
}

/// The site of a text that is one URL by the WHATWG parser, which knows more spellings than `https://` (`HTTPS:\\`, `https:host`, tabs inside).
fn whole(text: &str, ends: Ends) -> Option<Site> {
    let text = text.trim_start_matches(|c: char| c <= ' ');
    if !matches!(text.as_bytes().first(), Some(b'h' | b'H' | b'w' | b'W')) {
        return None;
    }
    let text = if text.len() > URL_BYTES_MAX { text.get(..text.floor_char_boundary(URL_BYTES_MAX))? } else { text };
    let known = known_scheme(text)?;
    if ends == Ends::GoesOn && !is_authority_finished(text.get(known..)?) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let address = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    // Names of XML vocabularies, which nobody fetches.
    if url.host_str() == Some("www.w3.org") && url.scheme() == "http" {
        return None;
    }
    // No longer name is in DNS, so that nothing is sent there.
    let host = url.host_str().filter(|host| host.len() <= UrlLiteral::HOST_BYTES_MAX)?.to_owned();
    Some(Site { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()?, address })
}

/// Where the colon of an http, https, ws or wss scheme ends. The parser drops tabs and line ends, wherever they stand.
fn known_scheme(text: &str) -> Option<usize> {
    let mut scheme = String::new();
    for (at, c) in text.char_indices().take(20) {
        match c {
            '\t' | '\n' | '\r' => {}
            ':' => return matches!(scheme.as_str(), "http" | "https" | "ws" | "wss").then_some(at + 1),
            c => scheme.push(c.to_ascii_lowercase()),
        }
    }
    None
}

/// True when the host, and a port, cannot go on after `rest`, which is what follows the scheme.
fn is_authority_finished(rest: &str) -> bool {
    rest.trim_start_matches(['/', '\\', '\t', '\n', '\r']).contains(['/', '\\', '?', '#'])
}
