//! What the sender asks of whoever keeps secrets: may this request go as it stands, which headers does it get, what must not leave with its body, what
//! must not come back to the guest. The sender knows no secret itself.

use super::Target;
use crate::model::EgressRule;
use bytes::Bytes;

/// A secret, or its stand-in, was about to go where it must not. Caused by the guest's request, except for kind `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// Name of the secret.
    pub secret: String,
    /// What decided: `secret.NAME`.
    pub rule: String,
    /// How: `wrongHost`, `wrongHeader`, `inUrl`, `inBody`, `plainText`, `wrongMethod`, `wrongPath`, `rangeWithSecret`, `canary`, `unavailable`.
    pub kind: &'static str,
    /// In words, without the secret or its stand-in.
    pub message: String,
    /// What would help.
    pub remediation: String,
    /// True when no honest code does this.
    pub violation: bool,
}

/// The secrets of one run, as far as requests have to do with them.
pub trait Carrier: Send + Sync {
    /// Looks at a request as the guest wrote it, before any rule is asked, in every mode; returns the names of the secrets whose stand-ins are where they
    /// belong.
    ///
    /// # Errors
    /// When the URL or a header has a stand-in, in any spelling, that must not be there.
    fn inspect(&self, target: &Target, headers: &[(String, String)]) -> Result<Vec<String>, Misuse>;

    /// Puts secrets into the headers of a hop that `rule` allows; returns the names of those that were used.
    ///
    /// # Errors
    /// When a secret would go where it is not bound to, or cannot be had.
    fn load(&self, target: &Target, rule: &EgressRule, headers: &mut http::HeaderMap) -> Result<Vec<String>, Misuse>;

    /// What looks at one body on its way out; none when there is nothing to look for.
    fn body_guard(&self) -> Option<Box<dyn BodyGuard>>;

    /// What takes real values out of one body on its way in; none when there is no real value to hide.
    fn scrubber(&self) -> Option<Box<dyn Scrubber>>;

    /// `text` without real values; none when it had none.
    fn scrub_text(&self, text: &str) -> Option<String>;
}

/// Looks at one body on its way out.
pub trait BodyGuard: Send {
    /// Takes the next piece; returns how many bytes, counted from the body's start, may be sent by now.
    ///
    /// # Errors
    /// When the body has what must not leave.
    fn feed(&mut self, piece: &[u8]) -> Result<usize, Misuse>;

    /// The body is over, and all of it may be sent.
    ///
    /// # Errors
    /// As with `feed`.
    fn finish(&mut self) -> Result<(), Misuse>;
}

/// Takes real values out of one body on its way in.
pub trait Scrubber: Send {
    /// Takes the next piece; returns what may be passed on by now, and holds back what could be the start of a value.
    fn feed(&mut self, piece: Bytes) -> Bytes;

    /// What was held back, when the body is over.
    fn finish(&mut self) -> Bytes;
}

/// For runs that have no secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Carrier for NoSecrets {
    fn inspect(&self, _: &Target, _: &[(String, String)]) -> Result<Vec<String>, Misuse> {
        Ok(Vec::new())
    }

    fn load(&self, _: &Target, _: &EgressRule, _: &mut http::HeaderMap) -> Result<Vec<String>, Misuse> {
        Ok(Vec::new())
    }

    fn body_guard(&self) -> Option<Box<dyn BodyGuard>> {
        None
    }

    fn scrubber(&self) -> Option<Box<dyn Scrubber>> {
        None
    }

    fn scrub_text(&self, _: &str) -> Option<String> {
        None
    }
}
