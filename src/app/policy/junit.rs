//! The results of tests as JUnit XML, in the form that build servers read: suites by file, cases by name.

use super::tell::story;
use super::verdict::Verdict;
use std::fmt::Write;
use std::time::Duration;

/// The whole document. Everything that came from a file or a guest is escaped.
pub(super) fn document(verdicts: &[Verdict<'_>], took: Duration) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let sum = counts(verdicts.iter());
    // Writing to a string cannot fail.
    let _ = writeln!(xml, "<testsuites name=\"cordon policy test\" {sum} time=\"{:.3}\">", took.as_secs_f64());
    for suite in verdicts.chunk_by(|a, b| a.test.file == b.test.file) {
        let file = suite.first().map(|verdict| verdict.test.file.as_str()).unwrap_or_default();
        let time: f64 = suite.iter().map(|verdict| verdict.tried.took.as_secs_f64()).sum();
        let _ = writeln!(xml, "  <testsuite name=\"{}\" {} time=\"{time:.3}\">", escaped(file), counts(suite.iter()));
        suite.iter().for_each(|verdict| xml.push_str(&case(verdict)));
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counts<'a>(verdicts: impl Iterator<Item = &'a Verdict<'a>> + Clone) -> String {
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\"",
        verdicts.clone().count(),
        verdicts.filter(|verdict| !verdict.passed()).count()
    )
}

fn case(verdict: &Verdict<'_>) -> String {
    let test = verdict.test;
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
        escaped(&test.name),
        escaped(&test.profile),
        escaped(&test.file),
        test.position.line,
        verdict.tried.took.as_secs_f64()
    );
    match &verdict.tried.lack {
        None => format!("{head}/>\n"),
        Some(lack) => {
            let (what, story) = (escaped(&lack.what), escaped(&story(verdict, lack)));
            format!("{head}>\n      <failure type=\"expectation\" message=\"{what}\">{story}</failure>\n    </testcase>\n")
        }
    }
}

/// `text` for an attribute or an element: what would end it is written as a reference, and what XML 1.0 (§2.2) has no character for is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // Attributes would lose them as they are (§3.3.3).
            '\n' | '\r' | '\t' => escaped.push_str(&format!("&#{};", u32::from(c))),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::policy::verdict::{Lack, Tried};
    use crate::config::Position;
    use crate::policy::suite::{Asked, ExpectedDecision, PolicyTest, RequestTest};
    use serde_json::json;

    #[test]
    fn nothing_that_a_file_says_ends_an_attribute_or_an_element() {
        assert_eq!(escaped("a\"<b>&'\n\t\0\u{1b}\u{ffff}ü"), "a&quot;&lt;b&gt;&amp;&apos;&#10;&#9;\u{fffd}\u{fffd}\u{fffd}ü");
        let hostile = "\"/></testsuites><x y=']]>\u{0}";
        let test = PolicyTest {
            file: hostile.to_owned(),
            position: Position { line: 3, column: 1 },
            name: hostile.to_owned(),
            reason: hostile.to_owned(),
            profile: hostile.to_owned(),
            asked: Asked::Request(RequestTest {
                method: "GET".to_owned(),
                url: hostile.to_owned(),
                expect: ExpectedDecision { allows: false, rule: Some(hostile.to_owned()), code: None },
            }),
        };
        let lack = Lack::of_decision(hostile.to_owned(), json!(hostile), Vec::new(), None);
        let verdict = |lack| Verdict { test: &test, tried: Tried { took: Duration::from_millis(7), lack } };
        let xml = document(&[verdict(Some(lack)), verdict(None)], Duration::from_secs(1));
        let opened: Vec<&str> = xml.split('<').skip(1).map(|rest| rest.split([' ', '>', '/']).next().unwrap_or_default()).collect();
        assert_eq!(opened, ["?xml", "testsuites", "testsuite", "testcase", "failure", "", "", "testcase", "", ""], "{xml}");
        assert!(xml.contains("tests=\"2\" failures=\"1\"") && xml.contains("time=\"0.007\""), "{xml}");
    }
}
