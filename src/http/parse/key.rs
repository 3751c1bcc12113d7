//! The body of `POST /v1/keys`.

use super::fields::Fields;
use super::refuse;
use crate::model::{Problem, Role};

const KNOWN: [&str; 2] = ["name", "role"];

/// Longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// A key that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct NewKey {
    /// What its holder is called.
    pub(in crate::http) name: String,
    /// What its holder may do.
    pub(in crate::http) role: Role,
}

/// The key that `body` asks for.
pub(in crate::http) fn new_key(body: &[u8]) -> Result<NewKey, Problem> {
    const EXAMPLE: &str = r#"send JSON, such as {"name": "ci", "role": "agent"}"#;
    let body = std::str::from_utf8(body).map_err(|_| refuse("the body is not UTF-8".to_owned(), EXAMPLE))?;
    let fields = Fields::of(body, "the body", "", &KNOWN)?;
    let missing = |name: &str| refuse(format!("`{name}` is missing"), EXAMPLE);
    let name = fields.short("name", NAME_BYTES_MAX)?.ok_or_else(|| missing("name"))?;
    if name.chars().any(char::is_control) || name.trim() != name {
        return Err(refuse("`name` has a control character, or a space at an end".to_owned(), "give a name of plain characters"));
    }
    let role = fields.string("role")?.ok_or_else(|| missing("role"))?;
    let role = role
        .parse()
        .map_err(|_| refuse(format!("`{}` is not a role", super::brief(&role, 40)), "use agent, developer, operator or auditor"))?;
    Ok(NewKey { name, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_plain_name_and_a_known_role() {
        let expected = NewKey { name: "build bot".to_owned(), role: Role::Agent };
        assert_eq!(new_key(br#"{"name":"build bot","role":"agent"}"#), Ok(expected));
        assert!(new_key(format!(r#"{{"name":"{}","role":"auditor"}}"#, "n".repeat(100)).as_bytes()).is_ok());
        let long = format!(r#"{{"name":"{}","role":"auditor"}}"#, "n".repeat(101));
        for wrong in [
            "",
            "{}",
            r#"{"name":"a"}"#,
            r#"{"role":"agent"}"#,
            r#"{"name":"a","role":"root"}"#,
            r#"{"name":"a\n","role":"agent"}"#,
            r#"{"name":" a","role":"agent"}"#,
            &long,
        ] {
            assert!(new_key(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
