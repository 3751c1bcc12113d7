//! W3C trace context, level 1: `traceparent` in and out.

use hyper::HeaderMap;
use hyper::header::HeaderName;

/// The header.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// What the caller sent, when it is well-formed; otherwise the one made here.
    pub(super) recorded: String,
    /// What the answer carries: the same trace with a span id of ours.
    pub(super) answered: String,
}

impl Trace {
    /// The caller's trace; a new one when there is none, or more than one, or it is malformed (the standard says: ignore it).
    /// `None` only when the operating system gives no random bytes.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let received = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().and_then(well_formed),
            (None, _) | (Some(_), Some(_)) => None,
        };
        let mut random = [0u8; 24];
        getrandom::fill(&mut random).ok()?;
        // All zeros mean "invalid"; one bit that is always set costs nothing.
        random[0] |= 1;
        random[16] |= 1;
        let span = hex::encode(&random[16..]);
        Some(match received {
            // Only what version 00 defines is passed on.
            Some(parent) => Self { answered: format!("00-{}-{span}-{}", &parent[3..35], &parent[53..55]), recorded: parent.to_owned() },
            None => {
                let made = format!("00-{}-{span}-00", hex::encode(&random[..16]));
                Self { recorded: made.clone(), answered: made }
            }
        })
    }
}

/// The first 55 characters of a well-formed `traceparent`.
fn well_formed(text: &str) -> Option<&str> {
    let hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (start, rest) = text.split_at_checked(55)?;
    let mut parts = start.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let shape = parts.next().is_none() && [version.len(), trace.len(), span.len(), flags.len()] == [2, 32, 16, 2];
    let digits = [version, trace, span, flags].into_iter().all(hex);
    let set = [trace, span].into_iter().all(|id| id.bytes().any(|byte| byte != b'0'));
    // A later version may be longer, behind another dash; version 00 may not; ff is not a version.
    let length = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    (shape && digits && set && length && version != "ff").then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(values: &[&str]) -> Trace {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().expect("a header value"));
        }
        Trace::of(&headers).expect("random bytes")
    }

    #[test]
    fn a_well_formed_trace_goes_on_with_a_span_of_ours() {
        let trace = of(&[GOOD]);
        assert_eq!(trace.recorded, GOOD);
        assert_eq!(&trace.answered[..36], &GOOD[..36]);
        assert_eq!(&trace.answered[52..], "-01");
        assert_ne!(&trace.answered[36..52], &GOOD[36..52]);
        assert!(well_formed(&trace.answered).is_some());
        let later = format!("cc{}-what-comes", &GOOD[2..]);
        assert_eq!(&of(&[&later]).answered[..36], &GOOD[..36]);
    }

    #[test]
    fn a_malformed_or_repeated_trace_is_ignored_and_a_new_one_made() {
        let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let no_span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        let (upper, long, version) = (GOOD.to_uppercase(), format!("{GOOD}-00"), format!("ff{}", &GOOD[2..]));
        for bad in ["", "00", &GOOD[..54], &zeros, &no_span, &upper, &long, &version, &GOOD.replace('-', "_")] {
            let trace = of(&[bad]);
            assert_eq!(trace.recorded, trace.answered, "{bad}");
            assert!(well_formed(&trace.recorded).is_some());
        }
        assert_ne!(of(&[GOOD, GOOD]).recorded, GOOD);
        assert_ne!(of(&[]).recorded, of(&[]).recorded);
    }
}
