//! Names of hosts, read as the WHATWG parser reads those of a guest's URLs, so that both sides of a comparison are of one form.
//!
//! A name must be written in that form already (lower case, A-labels): what a reviewer reads in the file is what is compared, letter by
//! letter, and a look-alike shows as `xn--…`.

use crate::config::Wrong;
use crate::model::HostPattern;
use url::Host;

/// Longest label and longest name in bytes, of RFC 1035 §2.3.4, the name without its final dot.
const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 253;

/// Mend for a host.
pub(super) const HOST_MEND: &str = "write a lower-case name such as api.example, without scheme, port, path or final dot";

/// Mend for the host of a rule.
pub(super) const PATTERN_MEND: &str = "write a lower-case name such as api.example, or *.api.example for the names of one more label, without scheme, port, path or final dot";

/// The host of a rule: a name, or `*.` and a name of at least two labels. Caused by the operator's profile.
pub fn host_pattern(text: &str) -> Result<HostPattern, Wrong> {
    let Some(parent) = text.strip_prefix("*.") else { return host_name(text).map(HostPattern::Name) };
    let parent = host_name(parent).map_err(|wrong| Wrong { mend: wrong.mend.map(|mend| mend.replacen('`', "`*.", 1)), ..wrong })?;
    if parent.contains('.') {
        return Ok(HostPattern::OneBelow(parent));
    }
    Err(format!("`{text}` would allow every name of a whole domain of the top").into())
}

/// One exact name. Addresses, in whatever spelling, are no names. Caused by the operator's profile.
pub fn host_name(text: &str) -> Result<String, Wrong> {
    let parsed = Host::parse(text).map_err(|error| format!("`{text}` is not a host: {error}"))?;
    let domain = match parsed {
        Host::Domain(domain) => domain,
        Host::Ipv4(address) => return Err(format!("`{text}` is the address {address}, and hosts are allowed by name").into()),
        Host::Ipv6(address) => return Err(format!("`{text}` is the address {address}, and hosts are allowed by name").into()),
    };
    let name = domain.strip_suffix('.').unwrap_or(&domain);
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(label) {
        return Err(format!("`{text}` is not a host name").into());
    }
    if name != text {
        return Err(Wrong { message: format!("`{text}` is not written as it is compared"), mend: Some(format!("write `{name}`")) });
    }
    Ok(domain)
}

/// True when `pattern` allows `host`, a name as [`host_name`] gives it.
pub(in crate::policy) fn covers(pattern: &HostPattern, host: &str) -> bool {
    match pattern {
        HostPattern::Name(name) => name == host,
        HostPattern::OneBelow(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
    }
}

fn label(label: &str) -> bool {
    let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    plain && (1..=LABEL_BYTES_MAX).contains(&label.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_in_its_compared_form_is_a_host_and_a_wildcard_is_its_whole_first_label() {
        for good in ["good.example", "localhost", "a_b.example", "xn--bcher-kva.example", "1.example", "a-b.c-d.example", "0x7f.example"] {
            assert_eq!(host_name(good), Ok(good.to_owned()));
            assert_eq!(host_pattern(good), Ok(HostPattern::Name(good.to_owned())));
        }
        assert_eq!(host_pattern("*.wild.example"), Ok(HostPattern::OneBelow("wild.example".to_owned())));
        assert!(host_name("*.wild.example").is_err());
    }

    #[test]
    fn no_other_spelling_of_a_host_is_taken() {
        let hostile = [
            "",
            ".",
            "..",
            "a..example",
            ".example",
            "*",
            "*.",
            "*.com",
            "*.com.",
            "*good.example",
            "a.*.example",
            "*.*.example",
            "good.*",
            "**.good.example",
            "good.example.",
            "good.example..",
            "good.example:443",
            "good.example:",
            "https://good.example",
            "//good.example",
            "good.example/",
            "a@good.example",
            "a:b@good.example",
            "good%2eexample",
            "good%2Eexample",
            "%67ood.example",
            "good.example?",
            "good.example#",
            "good\\.example",
            "good .example",
            " good.example",
            "good.example\t",
            "good.exam\nple",
            "good.example\0",
            "GOOD.example",
            "ｇood.example",
            "good。example",
            "good．example",
            "bücher.example",
            "gооd.example",
            "goo\u{ad}d.example",
            "xn--a",
            "xn--.example",
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0X7F.0.0.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f000001",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "good.1",
            "good.0x1",
            "１２７.0.0.1",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "[::1",
            "fe80::1%eth0",
            "*.127.0.0.1",
            "*.[::1]",
            "a,b.example",
            "(a).example",
            "a!b.example",
            "a*.example",
        ];
        for text in hostile {
            assert!(host_pattern(text).is_err(), "{text:?}");
            assert!(host_name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_mend_shows_the_right_spelling_where_there_is_one() {
        let mend = |text: &str| host_pattern(text).expect_err("not as it is compared").mend;
        for (text, right) in [
            ("GOOD.example", "good.example"),
            ("good.example.", "good.example"),
            ("ｇood.example", "good.example"),
            ("*.GOOD.example", "*.good.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("good%2eexample", "good.example"),
        ] {
            assert_eq!(mend(text), Some(format!("write `{right}`")), "{text}");
        }
        assert_eq!((mend("127.1"), mend("*.com"), mend("a..example")), (None, None, None));
    }

    #[test]
    fn labels_and_names_are_taken_up_to_the_length_that_dns_carries() {
        for (length, right) in [(63, true), (64, false)] {
            assert_eq!(host_name(&format!("{}.example", "a".repeat(length))).is_ok(), right, "{length}");
        }
        let name = |last: usize| format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(last));
        assert!(host_name(&name(61)).is_ok() && host_name(&name(62)).is_err());
    }

    #[test]
    fn a_wildcard_covers_one_label_and_never_its_own_parent() {
        let wild = HostPattern::OneBelow("wild.example".to_owned());
        assert!(covers(&wild, "a.wild.example"));
        for host in ["wild.example", "a.b.wild.example", "awild.example", ".wild.example", "a.wild.example.", "wild.example.evil", ""] {
            assert!(!covers(&wild, host), "{host}");
        }
        let name = HostPattern::Name("good.example".to_owned());
        assert!(covers(&name, "good.example") && !covers(&name, "a.good.example") && !covers(&name, "ood.example"));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_what_the_parser_makes_of_a_url_with_it(text in "[a-zA-Z0-9._*%:@/\\[\\]x-]{0,24}|.{0,12}") {
            if let Ok(name) = host_name(&text) {
                prop_assert_eq!(&name, &text);
                let url = url::Url::parse(&format!("https://{text}/")).expect("a URL");
                prop_assert_eq!(url.host(), Some(Host::Domain(name.as_str())));
                prop_assert!(covers(&HostPattern::Name(name.clone()), &name) && !covers(&HostPattern::OneBelow(name.clone()), &name));
            }
        }
    }
}
