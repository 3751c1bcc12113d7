use super::*;

fn literal(pattern: &str) -> String {
    format!("export const a = /{pattern}/")
}

#[test]
fn patterns_that_take_exponential_time_are_found() {
    for pattern in [
        "(a+)+$",
        "(a*)*b",
        "(?:a|a)*$",
        "(a|aa)+$",
        "(\\w|\\d)+$",
        "(.|\\s)*x",
        "([a-zA-Z]+)*\\d",
        "(\\w+\\s?)*$",
        "(\\w+\\w)*$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
        "(?<word>\\w+){10,}$",
        "(a{1,5})*$",
        "(?=(a+)+$)",
        "((a+)|b)*c",
        "(.*,)*x",
        "(\\/[\\w .-]*)*\\/?$|([\\/\\w .-]*)*$",
        "(é+)+$",
        "(?:[^x]|y)*z",
    ] {
        finds(Check::RegexSlow, &[&literal(pattern), &format!("export const a = new RegExp({pattern:?})")]);
    }
    finds(
        Check::RegexSlow,
        &[
            "export const a = /(A|a)*$/i",
            "export const a = /(?:.|\\n)*x/s",
            "export const a = RegExp('(a' + '+)+$')",
            "export const a = new globalThis.RegExp(`(a+)+$`, 'u')",
            "export const a = new RegExp('(a\\x2b)+$')",
            &format!("export const a = new RegExp('{}')", "(".repeat(101)),
        ],
    );
}

#[test]
fn patterns_that_repeat_in_one_way_only_pass() {
    for pattern in [
        "(\\w+,)*\\w+",
        "(a|b)*",
        "(.|\\n)*",
        "(?:[^\"\\\\]|\\\\.)*",
        "^\\s+|\\s+$",
        "(\\r\\n|\\r|\\n)+",
        "(a+){1,9}",
        "(ab|ac)+",
        "(?:\\s+\\S+)*",
        "^[\\w.+-]+@[\\w-]+(\\.[\\w-]+)+$",
        "\\d{4}-\\d{2}-\\d{2}",
        "(?:é+ü)*",
        "(\\d{3})*",
    ] {
        passes(&[&literal(pattern)]);
    }
    passes(&["export const a = /(A|a)*$/", "new RegExp('(a'); export const a = (b: string) => new RegExp(b)"]);
}
