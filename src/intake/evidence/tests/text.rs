use super::*;

#[test]
fn text_that_changes_its_direction_is_found_in_code_strings_and_comments() {
    finds(
        Check::Bidi,
        &["// \u{202e}x", "const a = '\u{2066}x\u{2069}'", "/* \u{202b} */", "const a = `\u{202d}`", "const a = /\u{2067}/"],
    );
    passes(&["export const a = '\\u202e'", "export const a = 'שלום עולם'", "// مرحبا"]);
    assert_eq!(places(Check::Bidi, "'😀'; // \u{202e}"), [(1, 10)]);
}

#[test]
fn characters_without_a_shape_are_found_unless_a_script_or_an_emoji_needs_them() {
    finds(
        Check::Invisible,
        &[
            "const a = 'x\u{200b}y'",
            "const \u{3164} = 1",
            "const a\u{200d} = 1",
            "// \u{e0041}\u{e0042}",
            "const a = '\u{1f600}\u{fe00}\u{fe01}'",
            "const a = '\u{1f600}\u{fe0f}\u{fe0f}'",
            "const a = 'a\u{fe0f}'",
            "const a = '\u{8}'",
            "'\u{feff}'",
            "const a = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e0061}\u{e0062}\u{e0063}\u{e007f}'",
        ],
    );
    passes(&[
        "\u{feff}export const a = 1",
        "export const a = '\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} ❤\u{fe0f} 1\u{fe0f}\u{20e3}'",
        "export const a = '\u{2764}\u{fe0f}\u{200d}\u{1f525}'",
        "export const a = 'می\u{200c}خواهم'",
        "export const a = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'",
        "export const a = '\\u200b'",
        "\texport const a = 1\r\n",
    ]);
}

#[test]
fn a_run_of_invisible_characters_is_told_once() {
    assert_eq!(places(Check::Invisible, &format!("// {}", "\u{200b}".repeat(50))), [(1, 4)]);
}

#[test]
fn names_that_look_like_others_are_found() {
    finds(
        Check::Homoglyph,
        &[
            "const аdmin = 1",
            "const scope = 1, ѕсоре = 2",
            "class A { #kеy = 1 }; new A()",
            "export const a = { usеr: 1 }",
            "const ｆetch = 1",
            "const \\u0430dmin = 1",
        ],
    );
    finds(Check::MixedScript, &["const a = 'раypal.com'", "// gооgle", "const a = `micrоsoft`"]);
    passes(&[
        "const Δx = 1, αβ = 2, größe = 3, 名前 = 4, имя = 5; Δx",
        "export const a = 'Привет, world'",
        "// это comment",
        "export const a = 'µs 5μm x²'",
    ]);
    assert_eq!(checks("const аdmin = 1; аdmin"), [Check::Homoglyph], "and not once more as a word");
}
