//! What the sender asks of a run's secrets: look at the request, load its headers, look at its body, hide values in what comes back.

use super::guard::{Watch, owners_in};
use super::misuse::{CANARY, When, Wrong, unavailable, wrong};
use super::net::Net;
use super::run::{Granted, Guard, Owner, RunSecrets};
use super::scrub::{Scrub, whole};
use crate::egress::{BodyGuard, Carrier, Misuse, Scrubber, Target};
use crate::model::{EgressRule, Scheme, SecretGrant, SecretMode, path};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A request's headers as names and the bytes of values.
type Lines = Vec<(String, Vec<u8>)>;

impl RunSecrets {
    /// Checks every stand-in in `lines`; the names of the secrets whose placeholders are right. Decoys are looked for first: they are the graver finding.
    fn check_lines(&self, target: &Target, lines: &Lines, when: When) -> Result<Vec<String>, Misuse> {
        let guard = self.guard()?;
        let found: Vec<Vec<usize>> = lines.iter().map(|line| owners_of(&guard.net, line)).collect();
        found.iter().try_for_each(|owners| self.decoy_among(owners))?;
        let mut names = Vec::new();
        for (line, owners) in lines.iter().zip(&found) {
            for granted in self.placeholders(owners) {
                self.check_line(granted, target, line, lines, when)?;
                names.push(granted.grant.name.clone());
            }
        }
        Ok(names)
    }

    fn placeholders(&self, owners: &[usize]) -> impl Iterator<Item = &Granted> {
        owners.iter().filter_map(|&number| match self.owner(number) {
            Some(Owner::Placeholder(granted)) => Some(granted),
            Some(Owner::Decoy(_)) | None => None,
        })
    }

    /// Checks one placeholder in one header.
    fn check_line(&self, granted: &Granted, target: &Target, line: &(String, Vec<u8>), lines: &Lines, when: When) -> Result<(), Misuse> {
        let (name, value) = line;
        let grant = &granted.grant;
        let alone = lines.iter().filter(|(other, _)| other == name).count() == 1;
        let clean = alone && *name == grant.header && self.token(granted).is_some_and(|token| is_form(grant, token, value));
        let fault = if clean { misfit(grant, target).or_else(|| partial(lines).then_some(Wrong::Range)) } else { Some(Wrong::Header) };
        fault.map_or(Ok(()), |fault| Err(wrong(grant, fault, when)))
    }

    /// Replaces placeholders; returns the names of their secrets. The headers were checked.
    fn replace(&self, headers: &mut HeaderMap) -> Result<Vec<String>, Misuse> {
        let mut names = Vec::new();
        for granted in &self.grants {
            let Some(token) = self.token(granted) else { continue };
            let Some(value) = headers.get_mut(&granted.grant.header) else { continue };
            if is_form(&granted.grant, token, value.as_bytes()) {
                *value = filled(granted)?;
                names.push(granted.grant.name.clone());
            }
        }
        Ok(names)
    }

    /// Sets the headers of grants of mode `inject`; returns the names of their secrets. Of two for one header the first in the profile is set.
    fn inject(&self, target: &Target, rule: &EgressRule, headers: &mut HeaderMap) -> Result<Vec<String>, Misuse> {
        let mut set: Vec<(HeaderName, String)> = Vec::new();
        for granted in self.grants.iter().filter(|granted| granted.grant.mode == SecretMode::Inject) {
            let grant = &granted.grant;
            let wanted = rule.inject.as_ref().is_none_or(|names| names.contains(&grant.name));
            if !wanted || misfit(grant, target).is_some() {
                continue;
            }
            let header = HeaderName::try_from(&grant.header).map_err(|_| unavailable(&grant.name, "its header's name is none"))?;
            if set.iter().all(|(other, _)| *other != header) {
                headers.insert(&header, filled(granted)?);
                set.push((header, grant.name.clone()));
            }
        }
        Ok(set.into_iter().map(|(_, name)| name).collect())
    }
}

impl Carrier for RunSecrets {
    fn inspect(&self, target: &Target, headers: &[(String, String)]) -> Result<Vec<String>, Misuse> {
        let in_url = owners_in(&self.guard()?.net, target.url.as_str().as_bytes());
        self.decoy_among(&in_url)?;
        let lines: Lines = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), bytes_of(value))).collect();
        let checked = self.check_lines(target, &lines, When::Asked);
        match (checked, self.placeholders(&in_url).next()) {
            (Err(misuse), _) if misuse.kind == CANARY => Err(misuse),
            (_, Some(granted)) => Err(wrong(&granted.grant, Wrong::Url, When::Asked)),
            (checked, None) => checked,
        }
    }

    fn load(&self, target: &Target, rule: &EgressRule, headers: &mut HeaderMap) -> Result<Vec<String>, Misuse> {
        let lines: Lines = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
        self.check_lines(target, &lines, When::Sent)?;
        // Without a search for values no value may come near a request: its answer could not be scrubbed.
        self.hidden()?;
        let mut names = self.inject(target, rule, headers)?;
        names.extend(self.replace(headers)?);
        match names.first().and_then(|name| self.grants.iter().find(|granted| granted.grant.name == *name)) {
            Some(granted) if partial(&lines) => Err(wrong(&granted.grant, Wrong::Range, When::Sent)),
            _ => Ok(names),
        }
    }

    fn body_guard(&self) -> Option<Box<dyn BodyGuard>> {
        Some(Box::new(Body(self.guard().map(|guard| (Watch::new(&guard.net), guard)))))
    }

    fn scrubber(&self) -> Option<Box<dyn Scrubber>> {
        self.hidden().ok().flatten().map(|hidden| Box::new(Scrub::new(hidden)) as Box<dyn Scrubber>)
    }

    fn scrub_text(&self, text: &str) -> Option<String> {
        let hidden = self.hidden().ok().flatten()?;
        whole(&hidden, text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// One body on its way out. An error stays: what was found is in the body for good.
struct Body(Result<(Watch, Arc<Guard>), Misuse>);

impl BodyGuard for Body {
    fn feed(&mut self, piece: &[u8]) -> Result<usize, Misuse> {
        let (watch, guard) = self.0.as_mut().map_err(|misuse| misuse.clone())?;
        let fed = watch.feed(&guard.net, piece).map_err(|owner| guard.in_body(owner));
        if let Err(misuse) = &fed {
            self.0 = Err(misuse.clone());
        }
        fed
    }

    fn finish(&mut self) -> Result<(), Misuse> {
        self.0.as_ref().map(|_| ()).map_err(Clone::clone)
    }
}

/// Values of the guest's headers have a character for each byte; what has others is no header, and is looked at as UTF-8.
fn bytes_of(value: &str) -> Vec<u8> {
    let latin: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
    latin.unwrap_or_else(|_| value.as_bytes().to_vec())
}

fn owners_of(net: &Net, (name, value): &(String, Vec<u8>)) -> Vec<usize> {
    let mut owners = owners_in(net, value);
    owners.extend(owners_in(net, name.as_bytes()));
    owners.sort_unstable();
    owners.dedup();
    owners
}

/// What stands before and after the secret in its header.
fn around(grant: &SecretGrant) -> (&str, &str) {
    grant.format.split_once("{}").unwrap_or((&grant.format, ""))
}

/// True when `value` is the token alone, or exactly the grant's format with the token in it.
fn is_form(grant: &SecretGrant, token: &str, value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let (before, after) = around(grant);
    let inner =
        value.strip_prefix(before.trim_ascii_start().as_bytes()).and_then(|rest| rest.strip_suffix(after.trim_ascii_end().as_bytes()));
    value == token.as_bytes() || inner == Some(token.as_bytes())
}

/// The header's value with the real secret in it.
fn filled(granted: &Granted) -> Result<HeaderValue, Misuse> {
    let grant = &granted.grant;
    let value = granted.value.as_ref().map_err(|trouble| unavailable(&grant.name, &trouble.what))?;
    let (before, after) = around(grant);
    let whole = Zeroizing::new([before.as_bytes(), value.expose(), after.as_bytes()].concat());
    let mut header = HeaderValue::from_bytes(&whole).map_err(|_| unavailable(&grant.name, "no header can carry it"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Why the grant does not reach to `target`. The port is the rule's matter: whoever may be asked at another port of a granted host is the granted host.
fn misfit(grant: &SecretGrant, target: &Target) -> Option<Wrong> {
    if !grant.hosts.contains(&target.host) {
        return Some(Wrong::Host);
    }
    if target.scheme != Scheme::Https {
        return Some(Wrong::Scheme);
    }
    if !grant.methods.is_empty() && !grant.methods.contains(&target.method) {
        return Some(Wrong::Method);
    }
    (!path::fit(&grant.path_prefix, target.path())).then_some(Wrong::Path)
}

/// True when a request asks for a part of the answer: a value that comes back in parts is found in none of them.
fn partial(lines: &Lines) -> bool {
    lines.iter().any(|(name, _)| name == "range" || name == "if-range")
}
