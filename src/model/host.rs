//! Names of hosts, and whether a pattern allows one. Both sides are as the WHATWG parser writes hosts, so this compares letter by letter and
//! knows no spellings. The one matcher of the house: profiles are read, sources checked and requests decided by it.

use super::HostPattern;
use url::Host;

/// Longest label and longest name in bytes, of RFC 1035 §2.3.4, the name without its final dot.
const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 253;

/// True when `pattern` allows `host`: the name itself, or a name of exactly one label more. Never an address, nor what is no name in DNS.
pub fn matches(pattern: &HostPattern, host: &str) -> bool {
    let named = match pattern {
        HostPattern::Name(name) => name == host,
        HostPattern::OneBelow(parent) => below(parent, host) == Some(1),
    };
    named && is_name(host)
}

/// How many labels more than `parent` the name `host` has; none when it is not below it.
pub fn below(parent: &str, host: &str) -> Option<usize> {
    let labels = host.strip_suffix(parent)?.strip_suffix('.')?;
    (!labels.is_empty()).then(|| labels.split('.').count())
}

/// True when `host` is a name that DNS carries, and the WHATWG parser's own spelling of it.
pub fn is_name(host: &str) -> bool {
    has_plain_labels(host) && matches!(Host::parse(host), Ok(Host::Domain(domain)) if domain == host)
}

/// True when `name` has the letters and lengths that DNS carries. An address in digits has them too.
pub fn has_plain_labels(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && name.split('.').all(label)
}

fn label(label: &str) -> bool {
    let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    plain && (1..=LABEL_BYTES_MAX).contains(&label.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> HostPattern {
        HostPattern::Name(name.to_owned())
    }

    fn one_below(parent: &str) -> HostPattern {
        HostPattern::OneBelow(parent.to_owned())
    }

    #[test]
    fn a_name_allows_itself_and_nothing_else() {
        assert!(matches(&name("good.example"), "good.example"));
        for host in ["a.good.example", "ood.example", "good.example.", "good.example.evil", "GOOD.example", "good", "example", "", "."] {
            assert!(!matches(&name("good.example"), host), "{host}");
        }
    }

    #[test]
    fn a_wildcard_allows_names_of_one_label_more_and_never_its_parent() {
        assert!(matches(&one_below("wild.example"), "a.wild.example"));
        assert!(matches(&one_below("wild.example"), "xn--bcher-kva.wild.example"));
        for host in [
            "wild.example",
            "a.b.wild.example",
            "awild.example",
            ".wild.example",
            "a..wild.example",
            "a.wild.example.",
            "wild.example.evil",
        ] {
            assert!(!matches(&one_below("wild.example"), host), "{host}");
        }
    }

    #[test]
    fn the_label_that_a_wildcard_stands_for_is_one_that_dns_carries() {
        let label = |length: usize| format!("{}.wild.example", "a".repeat(length));
        assert!(matches(&one_below("wild.example"), &label(63)) && !matches(&one_below("wild.example"), &label(64)));
        for host in ["*.wild.example", "a!b.wild.example", "a%b.wild.example", "A.wild.example", "a b.wild.example", "é.wild.example"] {
            assert!(!matches(&one_below("wild.example"), host), "{host}");
        }
    }

    #[test]
    fn a_rule_that_holds_an_address_allows_it_no_more_than_others_do() {
        for address in ["127.0.0.1", "[::1]", "::1", "10.0.0.1", "2130706433", "0x7f.1"] {
            assert!(!matches(&name(address), address), "{address}");
        }
        assert!(!matches(&one_below("0.0.1"), "127.0.0.1"));
        assert!(!matches(&one_below("0x7f"), "a.0x7f"));
    }
}
