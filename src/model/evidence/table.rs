//! The table of checks: words, and the severity at tiers 0, 1 and 2. At tier 0 nothing is trusted and the cell holds whatever runs, so that
//! little is refused there; at tier 2 real systems are in reach.

use super::Severity::{Note, Reject, Warn};
use super::{Check, Row, Severity};

impl Check {
    /// Every check, in the order of the table.
    pub const ALL: [Self; 19] = [
        Self::SourceRejected,
        Self::ImportUnanswered,
        Self::ImportDynamic,
        Self::GlobalUnknown,
        Self::CodeEval,
        Self::PrototypeTampering,
        Self::LongLine,
        Self::Escapes,
        Self::Encoded,
        Self::StringTable,
        Self::MangledNames,
        Self::Bidi,
        Self::Invisible,
        Self::Homoglyph,
        Self::MixedScript,
        Self::SecretFormat,
        Self::SecretEntropy,
        Self::EgressUrl,
        Self::RegexSlow,
    ];

    pub(super) fn row(self) -> Row {
        match self {
            Self::SourceRejected => row(
                ["source.rejected", "Intake refuses the source"],
                "The source does not parse, breaks a rule that engines check first, nests too deep, or uses syntax that is not supported.",
                "Correct the source at this place.",
                [Reject, Reject, Reject],
            ),
            Self::ImportUnanswered => row(
                ["import.unanswered", "An import that no module answers"],
                "Only modules of the artifact can be imported; there are no packages, URLs or built-in modules.",
                "Put what is needed into the artifact's modules and import it by a relative path.",
                [Reject, Reject, Reject],
            ),
            Self::ImportDynamic => row(
                ["import.dynamic", "A computed import"],
                "`import()` of what is not a literal, or names no module of the artifact: what it loads is not known before it runs.",
                "Import by a literal that names a module of the artifact.",
                [Warn, Reject, Reject],
            ),
            Self::GlobalUnknown => row(
                ["global.unknown", "An unknown global"],
                "A free name that guests are not offered: using it throws ReferenceError.",
                "Declare it, import it, or use what docs/WEB_API.md lists.",
                [Note, Warn, Reject],
            ),
            Self::CodeEval => row(
                ["code.eval", "Text is turned into code"],
                "eval, Function and what leads to it, and timers with text. Cells refuse to compile text; trying is a sign of hidden intent.",
                "Write the code out, or look functions up in a table.",
                [Warn, Reject, Reject],
            ),
            Self::PrototypeTampering => row(
                ["prototype.tampering", "A built-in object is changed"],
                "Writing to built-in objects and prototypes changes what all other code of the run does.",
                "Write a function or a subclass of your own.",
                [Note, Warn, Reject],
            ),
            Self::LongLine => row(
                ["obfuscation.line", "A very long line"],
                "Lines that no reader scrolls through hide code; minified code cannot be reviewed.",
                "Send the source as it was written, not minified.",
                [Note, Note, Warn],
            ),
            Self::Escapes => row(
                ["obfuscation.escapes", "Characters are escaped without need"],
                "Escapes of plain characters in strings, or any in names, keep words from being found.",
                "Write the characters themselves.",
                [Note, Warn, Reject],
            ),
            Self::Encoded => row(
                ["obfuscation.encoded", "Long encoded data is decoded"],
                "A long base64, hexadecimal or character-code literal in a module that also decodes such data.",
                "Write the data out in plain text, or pass it in as input.",
                [Note, Warn, Reject],
            ),
            Self::StringTable => row(
                ["obfuscation.table", "A table of encoded strings"],
                "Obfuscators move all strings of a program into one table of encoded or nested entries.",
                "Send the source as it was written.",
                [Note, Warn, Reject],
            ),
            Self::MangledNames => row(
                ["obfuscation.names", "Names as obfuscators make them"],
                "Many names of the form `_0x1a2b`, or made of I, l, O, 0 and 1 only, are the work of an obfuscator.",
                "Send the source as it was written.",
                [Note, Warn, Reject],
            ),
            Self::Bidi => row(
                ["text.bidi", "Text changes its direction"],
                "Bidirectional controls show reviewers another order of characters than the engine reads (CVE-2021-42574).",
                "Remove the control character, or write it as an escape in a string.",
                [Warn, Reject, Reject],
            ),
            Self::Invisible => row(
                ["text.invisible", "Invisible characters"],
                "Characters without a shape make two names look the same, or carry text that nobody sees.",
                "Remove the character, or write it as an escape in a string.",
                [Warn, Reject, Reject],
            ),
            Self::Homoglyph => row(
                ["text.homoglyph", "A name that looks like another"],
                "A name with letters of another script that look like Latin ones (CVE-2021-42694).",
                "Write the name in one script.",
                [Warn, Reject, Reject],
            ),
            Self::MixedScript => row(
                ["text.mixed-script", "A word in two scripts"],
                "A word of a string or comment mixes Latin letters with letters that look like them, as counterfeit host names do.",
                "Write the word in one script.",
                [Note, Warn, Warn],
            ),
            Self::SecretFormat => row(
                ["secret.format", "A credential in the source"],
                "A literal or comment in the format of a known kind of credential. Sources are stored and shown.",
                "Revoke the credential, and use a secret that the profile grants instead.",
                [Warn, Reject, Reject],
            ),
            Self::SecretEntropy => row(
                ["secret.entropy", "What may be a credential"],
                "A literal that is as random as a key, or one of a name such as `token`.",
                "If it is a credential, revoke it and use a secret that the profile grants instead.",
                [Note, Warn, Warn],
            ),
            Self::EgressUrl => row(
                ["egress.url", "A URL that is not allowed"],
                "A URL literal whose scheme, host and port no egress rule of the profile allows. URLs that are put together at run time are not seen.",
                "Ask the operator for a rule, or remove the URL.",
                [Note, Warn, Reject],
            ),
            Self::RegexSlow => row(
                ["regex.slow", "A regular expression that can take exponential time"],
                "A repetition inside a repetition, or alternatives that match the same text inside one: some inputs use up the whole CPU budget.",
                "Make each character match in one way only.",
                [Note, Warn, Reject],
            ),
        }
    }
}

fn row([id, title]: [&'static str; 2], meaning: &'static str, remediation: &'static str, severity: [Severity; 3]) -> Row {
    Row { id, title, meaning, remediation, severity }
}
