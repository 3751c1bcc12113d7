//! What to ask an operator for, in the words of a profile: values of TOML, one line each.

use super::target::Target;
use crate::model::{Scheme, path};

/// Longest path that a sentence proposes as a prefix, in bytes; instead of a longer one it proposes the whole host.
const PATH_BYTES_MAX: usize = 256;

/// A scheme, as profiles write it.
pub(super) fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => "https",
        Scheme::Http => "http",
    }
}

/// The port that a rule has without naming one.
pub(super) fn own_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
    }
}

/// True for methods that a rule can name.
pub(super) fn is_method(method: &str) -> bool {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    method.starts_with(|c: char| c.is_ascii_uppercase()) && method.bytes().all(plain)
}

/// A string of TOML. What could end it or its line is escaped, whatever `text` is (TOML 1.0 "Basic strings").
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// An array of strings.
pub(super) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", values.map(text).collect::<Vec<_>>().join(", "))
}

/// An array of schemes.
pub(super) fn schemes(values: impl Iterator<Item = Scheme>) -> String {
    texts(values.map(scheme))
}

/// An array of ports.
pub(super) fn ports(values: impl Iterator<Item = u16>) -> String {
    format!("[{}]", values.map(|port| port.to_string()).collect::<Vec<_>>().join(", "))
}

/// The rule that would allow `target`, whose host is a name. In one line, for a sentence; what rules have by themselves is left out.
pub(super) fn rule(target: &Target) -> String {
    let mut keys = vec![format!("host = {}", text(&target.host))];
    if target.scheme != Scheme::Https {
        keys.push(format!("schemes = {}", schemes([target.scheme].into_iter())));
    }
    if target.port != own_port(target.scheme) {
        keys.push(format!("ports = {}", ports([target.port].into_iter())));
    }
    if !matches!(target.method.as_str(), "GET" | "HEAD") && is_method(&target.method) {
        keys.push(format!("methods = {}", texts([target.method.as_str()].into_iter())));
    }
    let path = target.path();
    if path != "/" && path.len() <= PATH_BYTES_MAX && path::is_plain(path) {
        keys.push(format!("path_prefix = {}", text(path)));
    }
    keys.push("reason = \"…\"".to_owned());
    format!("[[egress.rule]] with {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_string_of_toml_in_one_line_whatever_is_in_it() {
        for hostile in
            ["", "a\"b", "a\\", "a\\\"\n[[egress.rule]]\nhost = \"evil.example\"", "\0\u{1}\t\r\u{7f}\u{85}\u{2028}", "\"\"\"", "'''", "ä…"]
        {
            let line = format!("a = {}", text(hostile));
            let table: toml::Table = line.parse().expect("TOML");
            assert_eq!((table.len(), table["a"].as_str()), (1, Some(hostile)), "{line}");
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}'), "{line:?}");
        }
    }

    #[test]
    fn the_rule_to_ask_for_leaves_out_what_rules_have_by_themselves() {
        let wish = |method, url| rule(&Target::parse(method, url).expect("a target"));
        let long = format!("https://good.example/{}", "a".repeat(256));
        for url in ["https://good.example/", "https://good.example/a%2fb", &long] {
            assert_eq!(wish("GET", url), "[[egress.rule]] with host = \"good.example\", reason = \"…\"");
        }
        assert_eq!(
            wish("POST", "http://good.example:8080/v1?a=b"),
            "[[egress.rule]] with host = \"good.example\", schemes = [\"http\"], ports = [8080], methods = [\"POST\"], path_prefix = \"/v1\", reason = \"…\""
        );
    }
}
