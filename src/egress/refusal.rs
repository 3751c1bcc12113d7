//! Why a request is not sent: one value for the guest, the answer, the ledger and the record.

use crate::model::Denial;

/// Longest URL in a refusal, in characters; what is cut ends in [`CUT`].
pub(crate) const URL_CHARS_MAX: usize = 2048;

/// Longest word of the guest's (a method, a host) inside a sentence, in characters.
const WORD_CHARS_MAX: usize = 256;

/// Stands where text was cut.
const CUT: char = '…';

/// Every code of a refusal, and when it is used. Guests see them: a code is never renamed.
pub const CODES: [(&str, &str); 13] = [
    ("egressDenied", "no rule names the host, or the profile lets nothing out"),
    ("badTarget", "the URL or the method is of a form that is never sent"),
    ("methodDenied", "a rule names the host and not the method, or the method is never sent"),
    ("portDenied", "a rule names the host and not the port"),
    ("schemeDenied", "a rule names the host and not the scheme"),
    ("pathDenied", "a rule names the host and the path does not begin as it says"),
    ("tooManyRequests", "the run made as many requests as its limits allow"),
    ("ruleExhausted", "the run made as many requests as the rule allows"),
    ("addressDenied", "the name leads to an address that is not reached"),
    ("noFixture", "no canned answer matches"),
    ("redirectDenied", "an answer sent the request on to where it may not go"),
    ("secretDenied", "a secret would have gone where it may not go"),
    ("headerDenied", "a header of the request is not the guest's to set"),
];

/// The rule that decides where no rule matched.
pub(crate) const DEFAULT_DENY: &str = "egress.default-deny";

/// The rule of refusals for a missing fixture.
pub(crate) const FIXTURES: &str = "egress.fixtures";

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One of [`CODES`].
    pub code: &'static str,
    /// The rule that decided: `egress.` and the host of a rule, or `egress.default-deny`, `egress.address-gate`, `egress.fixtures`, or
    /// `secret.` and a name.
    pub rule: String,
    /// The URL, as the WHATWG parser writes it where it could be parsed, and cut.
    pub target: String,
    /// What right was missing.
    pub capability: String,
    /// What was asked, and what the nearest rule lacks.
    pub reason: String,
    /// What would help.
    pub remediation: String,
    /// Its kind, where the attempt is a violation by itself.
    pub violation: Option<&'static str>,
}

impl Refusal {
    /// A refusal of the right `egress` that is no violation. `target` is cleaned and cut here; guests' text in the other two is their
    /// writer's care (see [`word`]).
    pub fn new(
        code: &'static str,
        rule: impl Into<String>,
        target: &str,
        reason: impl Into<String>,
        remediation: impl Into<String>,
    ) -> Self {
        Self {
            code,
            rule: rule.into(),
            target: clean(target, URL_CHARS_MAX),
            capability: "egress".to_owned(),
            reason: reason.into(),
            remediation: remediation.into(),
            violation: None,
        }
    }

    /// What answers and records say of it.
    pub fn denial(&self) -> Denial {
        Denial {
            capability: self.capability.clone(),
            target: self.target.clone(),
            rule: self.rule.clone(),
            reason: self.reason.clone(),
            remediation: self.remediation.clone(),
        }
    }
}

/// A URL as rows and refusals have it: in one line, at most [`URL_CHARS_MAX`] characters.
pub(crate) fn shown(url: &str) -> String {
    clean(url, URL_CHARS_MAX)
}

/// A word of the guest's as sentences have it: in one line, at most 256 characters, without the backquote that ends it.
pub(crate) fn word(text: &str) -> String {
    clean(text, WORD_CHARS_MAX).replace('`', "'")
}

/// At most `most` characters of `text`, the last one telling that more were there; what would break or reorder a line is replaced.
fn clean(text: &str, most: usize) -> String {
    let plain = |c: char| if breaks(c) { char::REPLACEMENT_CHARACTER } else { c };
    let mut kept: String = text.chars().take(most).map(plain).collect();
    if text.chars().nth(most).is_some() {
        kept.pop();
        kept.push(CUT);
    }
    kept
}

/// Control characters, line and paragraph separators, and those that change the direction of writing (UAX #9).
fn breaks(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_whole_up_to_its_most_characters_and_marked_as_cut_past_them() {
        let longest = "ä".repeat(URL_CHARS_MAX);
        assert_eq!(shown(&longest), longest);
        let cut = shown(&format!("{longest}b"));
        assert_eq!((cut.chars().count(), cut.chars().last()), (URL_CHARS_MAX, Some(CUT)));
    }

    #[test]
    fn text_of_the_guests_stays_in_its_line_and_in_its_quotes() {
        let hostile = "a\nb\r\u{2028}c\u{202e}d\0e\u{1b}[31m\u{85}`f";
        for text in [shown(hostile), word(hostile)] {
            assert!(!text.chars().any(breaks), "{text:?}");
        }
        assert!(!word(hostile).contains('`'));
        assert_eq!(Refusal::new("badTarget", DEFAULT_DENY, hostile, "", "").target, shown(hostile));
    }

    #[test]
    fn a_denial_has_all_that_the_refusal_says_and_each_code_is_there_once() {
        let refusal = Refusal::new("pathDenied", "egress.good.example", "https://good.example/", "no", "ask");
        let denial = refusal.denial();
        assert_eq!((denial.capability.as_str(), denial.rule.as_str()), ("egress", "egress.good.example"));
        assert_eq!((denial.target.as_str(), denial.reason.as_str(), denial.remediation.as_str()), ("https://good.example/", "no", "ask"));
        for (at, (code, _)) in CODES.iter().enumerate() {
            assert!(CODES.iter().skip(at + 1).all(|(other, _)| other != code), "{code}");
        }
    }
}
