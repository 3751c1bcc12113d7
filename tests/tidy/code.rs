//! Rust source without what is not code.

/// `source` with comments and the insides of literals blanked. Line breaks stay, so lines can still be counted.
pub(crate) fn code_of(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let (mut code, mut at) = (String::with_capacity(source.len()), 0);
    while let Some(&c) = chars.get(at) {
        let skipped = not_code(&chars[at..]);
        if skipped == 0 {
            code.push(c);
            at += 1;
        } else {
            let end = (at + skipped).min(chars.len());
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// How many characters at the front of `rest` are a comment or a literal; 0 when code stands there.
fn not_code(rest: &[char]) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        ['r', '"' | '#', ..] => raw_string(rest),
        ['\'', '\\', ..] => quoted(rest, '\''),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A raw string, or 0 for a raw identifier such as `r#type`.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 2 + hashes;
    rest[body..].windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| body + at + end.len())
}

/// The words of `code`, each with what stands directly before and after it, spaces left out.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_word)?;
        let end = start + code[start..].find(|c| !is_word(c)).unwrap_or(code.len() - start);
        at = end;
        Some((code[..start].trim_end(), &code[start..end], code[end..].trim_start()))
    })
}

/// Whether `code` names the crate `name`: by a path that starts with it, or by `use`.
pub(crate) fn names_crate(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '>';
    words(code).any(|(before, word, after)| {
        // `crate::sled` is a segment of another path, ` ::sled` starts at the crates.
        let path_start = before.strip_suffix("::").is_none_or(|rest| !rest.ends_with(is_word));
        let used = ["use", "use ::", "extern crate"].iter().any(|end| before.ends_with(end));
        word == name && path_start && !before.ends_with('.') && (after.starts_with("::") || used)
    })
}

#[test]
fn comments_and_literals_are_blanked_and_lines_stay() {
    let source = "a // crate::x\n/* crate::y /* z */ */ b \"crate::\\\"w\" 'c' '\\'' <'a> r#\"q\"w\"# r#type e";
    let code = code_of(source);
    assert_eq!(code.lines().count(), 2);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "<'a>", "r#type", "e"]);
}

#[test]
fn a_crate_is_named_by_a_path_or_a_use_and_not_by_a_method_or_a_segment() {
    for named in ["sled::open(x)", "use sled;", "use sled::Db;", "fn f() -> sled :: Db", "(::sled::x)"] {
        assert!(names_crate(&code_of(named), "sled"), "{named}");
    }
    for other in ["crate::sled::open()", "x.sled()", "let sled = 1;", "my_sled::x", "// sled::open"] {
        assert!(!names_crate(&code_of(other), "sled"), "{other}");
    }
}
