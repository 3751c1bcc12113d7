//! W3C trace context: the `traceparent` header, read strictly and written as version 00.

use std::fmt;
use std::str::FromStr;

/// Length of a version 00 header.
const LENGTH: usize = 55;

/// The flag that says that the caller records this trace. The other flags mean nothing in version 00 and are not passed on.
const SAMPLED: u8 = 1;

/// A trace, and the span in it that whatever follows belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

/// Why there is no trace context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// Caused by the caller: the header has another form. The standard says to start a trace of one's own then.
    #[error("traceparent is not of the form 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, lower case, ids not all zero")]
    Form,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Random(String),
}

impl Traceparent {
    /// A new trace with a first span. Not sampled: nobody has asked for it to be recorded.
    pub fn start() -> Result<Self, TraceError> {
        Ok(Self { trace: random()?, span: random()?, sampled: false })
    }

    /// A new span of the same trace.
    pub fn child(&self) -> Result<Self, TraceError> {
        Ok(Self { span: random()?, ..*self })
    }

    /// A child of the caller's span, or a new trace when the caller sent none or a malformed one.
    pub fn continue_or_start(header: Option<&str>) -> Result<Self, TraceError> {
        match header.and_then(|header| header.parse::<Self>().ok()) {
            Some(caller) => caller.child(),
            None => Self::start(),
        }
    }

    /// The trace's id: 32 hex digits.
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// The span's id: 16 hex digits.
    pub fn span_id(&self) -> String {
        hex::encode(self.span)
    }

    /// Whether the caller records this trace.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }
}

/// Bytes that are not all zero, which would mean "none".
fn random<const N: usize>() -> Result<[u8; N], TraceError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| TraceError::Random(error.to_string()))?;
    if bytes == [0; N] { Err(TraceError::Random("it gave zeros only".to_owned())) } else { Ok(bytes) }
}

impl FromStr for Traceparent {
    type Err = TraceError;

    /// Version 00 has exactly this form; a later version may go on after another `-`, and is read as far as version 00 goes.
    fn from_str(text: &str) -> Result<Self, TraceError> {
        let (head, rest) = text.split_at_checked(LENGTH).ok_or(TraceError::Form)?;
        let mut parts = head.split('-');
        let [version] = digits(parts.next())?;
        let (trace, span, [flags]) = (digits(parts.next())?, digits(parts.next())?, digits(parts.next())?);
        let ends = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
        if version == 0xff || !ends || parts.next().is_some() || trace == [0; 16] || span == [0; 8] {
            return Err(TraceError::Form);
        }
        Ok(Self { trace, span, sampled: flags & SAMPLED != 0 })
    }
}

/// Exactly `2 * N` lower-case hex digits.
fn digits<const N: usize>(text: Option<&str>) -> Result<[u8; N], TraceError> {
    let text = text.filter(|text| !text.bytes().any(|b| b.is_ascii_uppercase())).ok_or(TraceError::Form)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| TraceError::Form)?;
    Ok(bytes)
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", hex::encode(self.trace), hex::encode(self.span), u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_header_of_version_00_reads_back_what_it_writes() {
        let parent: Traceparent = GOOD.parse().expect("the standard's own example");
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!((parent.trace_id().as_str(), parent.span_id().as_str()), (&GOOD[3..35], &GOOD[36..52]));
    }

    #[test]
    fn any_other_form_is_refused() {
        let wrong = [
            String::new(),
            GOOD[..54].to_owned(),
            format!("{GOOD}-00"),
            format!("{GOOD} "),
            GOOD.to_uppercase(),
            GOOD.replacen("00-", "ff-", 1),
            GOOD.replacen("00-", "0-0", 1),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace("b7", "g7"),
            GOOD.replace('-', "_"),
            "é".repeat(55),
        ];
        for wrong in wrong {
            assert_eq!(wrong.parse::<Traceparent>(), Err(TraceError::Form), "{wrong}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_version_00_goes() {
        let later = GOOD.replacen("00-", "01-", 1);
        for (text, right) in [(later.clone(), true), (format!("{later}-more"), true), (format!("{later}more"), false)] {
            assert_eq!(text.parse::<Traceparent>().is_ok(), right, "{text}");
        }
        assert_eq!(later.parse::<Traceparent>().map(|parent| parent.to_string()), Ok(GOOD.to_owned()));
    }

    #[test]
    fn unknown_flags_are_not_passed_on() {
        for (flags, written) in [("00", "00"), ("01", "01"), ("ff", "01"), ("fe", "00")] {
            let parent: Traceparent = GOOD.replace("-01", &format!("-{flags}")).parse().expect("the form is right");
            assert_eq!(parent.to_string(), GOOD.replace("-01", &format!("-{written}")));
        }
    }

    #[test]
    fn a_child_keeps_the_trace_and_has_a_span_of_its_own() {
        let parent: Traceparent = GOOD.parse().expect("right");
        let child = Traceparent::continue_or_start(Some(GOOD)).expect("random");
        assert_eq!((child.trace_id(), child.is_sampled()), (parent.trace_id(), true));
        assert_ne!(child.span_id(), parent.span_id());
        for header in [None, Some("nonsense")] {
            let own = Traceparent::continue_or_start(header).expect("random");
            assert!(own.trace_id() != parent.trace_id() && !own.is_sampled());
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_in_the_form_of_version_00(text in "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,5})?") {
            if let Ok(parent) = text.parse::<Traceparent>() {
                let written = parent.to_string();
                prop_assert_eq!(&written[2..52], &text[2..52]);
                prop_assert_eq!(written.parse::<Traceparent>(), Ok(parent));
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail(text in ".{0,70}") {
            let _parsed = text.parse::<Traceparent>();
        }
    }
}
