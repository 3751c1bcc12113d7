//! What is wrong with a request that carries a stand-in, in words that help whoever wrote the code.

use crate::egress::Misuse;
use crate::model::SecretGrant;

/// Kind of the misuse of a decoy.
pub(super) const CANARY: &str = "canary";

/// Where a stand-in was, or what it lacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Url,
    Body,
    Header,
    Host,
    Scheme,
    Method,
    Path,
    Range,
}

/// When it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// In the request as the code wrote it.
    Asked,
    /// At a hop: a server redirected the request, for which the code is not to blame.
    Sent,
}

/// The placeholder of `grant` was used wrongly.
pub(super) fn wrong(grant: &SecretGrant, wrong: Wrong, when: When) -> Misuse {
    let (kind, message) = match wrong {
        Wrong::Url => ("inUrl", "its placeholder is in the URL".to_owned()),
        Wrong::Body => ("inBody", "its placeholder is in the body".to_owned()),
        Wrong::Header => ("wrongHeader", "its placeholder is in a header that is not its own, or not in the granted form".to_owned()),
        Wrong::Host => ("wrongHost", "its placeholder is in a request to a host that the grant does not name".to_owned()),
        Wrong::Scheme => ("plainText", "its placeholder is in a request without TLS".to_owned()),
        Wrong::Method => ("wrongMethod", "its placeholder is in a request with a method that the grant does not name".to_owned()),
        Wrong::Path => ("wrongPath", "its placeholder is in a request to a path that the grant does not name".to_owned()),
        Wrong::Range => ("rangeWithSecret", "a request that carries it asks for a part of the answer".to_owned()),
    };
    let remediation = match wrong {
        Wrong::Range => "send no `range` and `if-range` with it".to_owned(),
        _ => format!("send it as {}", granted(grant)),
    };
    let violation = when == When::Asked && wrong != Wrong::Range;
    Misuse { secret: grant.name.clone(), rule: rule(&grant.name), kind, message, remediation, violation }
}

/// What the grant allows, in one line.
fn granted(grant: &SecretGrant) -> String {
    let methods = if grant.methods.is_empty() { "any method".to_owned() } else { grant.methods.join(", ") };
    let form = grant.format.replacen("{}", &format!("${{env.{}}}", grant.name), 1);
    let places: Vec<String> = grant.hosts.iter().map(|host| format!("https://{host}{}", grant.path_prefix)).collect();
    format!("`{}: {form}` with {methods} to {}, or ask the operator for another grant", grant.header, places.join(", "))
}

/// The secret would go where it may, but has no value here. Nobody's misdeed.
pub(super) fn unavailable(name: &str, why: &str) -> Misuse {
    Misuse {
        secret: name.to_owned(),
        rule: rule(name),
        kind: "unavailable",
        message: format!("it has no value: {why}"),
        remediation: "ask the operator to check the secret's source".to_owned(),
        violation: false,
    }
}

/// A decoy was about to leave.
pub(super) fn canary(name: &str) -> Misuse {
    Misuse {
        secret: name.to_owned(),
        rule: rule(name),
        kind: CANARY,
        message: "the request carries a decoy that no profile grants".to_owned(),
        remediation: "send only what the profile grants".to_owned(),
        violation: true,
    }
}

fn rule(name: &str) -> String {
    format!("secret.{name}")
}
