//! Label values of metrics: closed lists, so that no caller can grow the number of series.

pub use cells::{CellExit, CellKind, CellState, LayerState, Syscall, ZygoteReplacement};

use crate::model::{Outcome, ProblemCode, Rule, Tier};

/// A closed list of label values.
pub(super) trait Label: Copy + PartialEq + 'static {
    /// Every value.
    fn all() -> &'static [Self];
    /// Its spelling.
    fn text(self) -> &'static str;
}

/// Defines an enum of label values with their spelling.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its spelling as a label.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl Label for $name {
            fn all() -> &'static [Self] { Self::ALL }
            fn text(self) -> &'static str { self.as_str() }
        }
    };
}

// Below the macro that it uses.
mod cells;

/// Makes a closed list of the model a list of label values.
macro_rules! model_labels {
    ($($name:ident by $text:ident),+) => {
        $(impl Label for $name {
            fn all() -> &'static [Self] { &Self::ALL }
            fn text(self) -> &'static str { self.$text() }
        })+
    };
}

model_labels!(Tier by label, Outcome by as_str, ProblemCode by as_str, Rule by as_str);

labels! {
    /// Where an isolate came from.
    Start {
        /// An idle cell of the pool.
        Warm = "warm",
        /// A cell forked on demand because the pool was empty.
        Cold = "cold",
    }
}

labels! {
    /// What became of the code cache of an artifact that is large enough for one.
    CodeCache {
        /// A run had one.
        Hit = "hit",
        /// A run had none.
        Miss = "miss",
        /// A run had one that V8 did not take, as its cell tells.
        Rejected = "rejected",
        /// One was made.
        Made = "made",
        /// One could not be made: the source is too much for a cell, or what came back was no cache of it.
        Failed = "failed",
    }
}

labels! {
    /// A limit that a run can go past before it is stopped.
    Overshoot {
        /// `cpuMs`
        Cpu = "cpu",
        /// `wallMs`
        Wall = "wall",
    }
}

labels! {
    /// What right a guest lacked.
    Capability {
        /// Importing a module.
        Module = "module",
        /// Making code from text.
        Codegen = "codegen",
        /// Sending a request.
        Egress = "egress",
        /// Using a secret.
        Secret = "secret",
        /// None of the known ones: a cell names capabilities, and a cell may lie.
        Other = "other",
    }
}

labels! {
    /// Why the right was lacking.
    DenialReason {
        /// The module is not part of the artifact.
        NotInArtifact = "notInArtifact",
        /// It is off for every run.
        Disabled = "disabled",
        /// No egress rule names the host.
        NoRule = "noRule",
        /// A rule names the host, and not this way of asking it.
        RuleLacks = "ruleLacks",
        /// The host has an address that no run may reach.
        Address = "address",
        /// No fixture answers the request.
        NoFixture = "noFixture",
        /// The run has used up its requests.
        TooMany = "tooMany",
        /// A secret, its placeholder or a canary was not where it belongs.
        Secret = "secret",
        /// None of the known ones.
        Other = "other",
    }
}

/// The value spelled `text`, or `other`.
fn known_or<L: Label>(text: &str, other: L) -> L {
    L::all().iter().copied().find(|value| value.text() == text).unwrap_or(other)
}

impl Capability {
    /// The capability spelled `text`; anything else is [`Capability::Other`].
    pub fn of(text: &str) -> Self {
        known_or(text, Self::Other)
    }
}

impl DenialReason {
    /// The reason behind `rule`, such as `module.own-only`; a rule that is not known is [`DenialReason::Other`].
    pub fn of(rule: &str) -> Self {
        match rule {
            "module.own-only" => Self::NotInArtifact,
            "codegen.off" => Self::Disabled,
            "egress.default-deny" => Self::NoRule,
            "egress.address-gate" => Self::Address,
            "egress.fixtures" => Self::NoFixture,
            "egress.sub-requests" => Self::TooMany,
            rule if rule.starts_with("egress.") => Self::RuleLacks,
            rule if rule.starts_with("secret.") => Self::Secret,
            _ => Self::Other,
        }
    }
}

labels! {
    /// What became of an outbound request.
    EgressResult {
        /// An answer came, whatever its status.
        Answered = "answered",
        /// A fixture answered.
        Synthetic = "synthetic",
        /// It was refused.
        Denied = "denied",
        /// It, or its answer, failed on the way.
        Failed = "failed",
    }
}

labels! {
    /// A listener.
    Listener {
        /// For agents and developers.
        Public = "public",
        /// For operators.
        Operator = "operator",
    }
}

labels! {
    /// The class of an HTTP status.
    StatusClass {
        /// 100 to 199
        Informational = "1xx",
        /// 200 to 299
        Success = "2xx",
        /// 300 to 399
        Redirection = "3xx",
        /// 400 to 499
        ClientError = "4xx",
        /// 500 and above, and what is no status at all
        ServerError = "5xx",
    }
}

impl StatusClass {
    /// The class of `status`.
    pub fn of(status: u16) -> Self {
        match status {
            100..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            0..=99 | 500..=u16::MAX => Self::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_become_one_label_value() {
        assert_eq!((Capability::of("module"), Capability::of("sha256:00")), (Capability::Module, Capability::Other));
        assert_eq!((Syscall::of("bpf"), Syscall::of("run 0199")), (Syscall::Bpf, Syscall::Other));
        assert_eq!((DenialReason::of("codegen.off"), DenialReason::of("")), (DenialReason::Disabled, DenialReason::Other));
        let rules = ["egress.default-deny", "egress.*.example", "egress.address-gate", "secret.KEY", "Egress.x"].map(DenialReason::of);
        let reasons = [DenialReason::NoRule, DenialReason::RuleLacks, DenialReason::Address, DenialReason::Secret, DenialReason::Other];
        assert_eq!(rules, reasons);
        let states = ["enforced", "partial: ABI 3", "unavailable: old", "enforcedish"].map(LayerState::of);
        assert_eq!(states, [LayerState::Enforced, LayerState::Partial, LayerState::Unavailable, LayerState::Unavailable]);
    }

    #[test]
    fn each_status_is_in_its_class_at_both_ends() {
        for (status, class) in [
            (99, "5xx"),
            (100, "1xx"),
            (199, "1xx"),
            (200, "2xx"),
            (299, "2xx"),
            (399, "3xx"),
            (400, "4xx"),
            (499, "4xx"),
            (500, "5xx"),
            (u16::MAX, "5xx"),
        ] {
            assert_eq!(StatusClass::of(status).as_str(), class, "{status}");
        }
    }
}
