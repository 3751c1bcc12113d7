//! Source maps, read by another implementation than the one that wrote them.

use super::*;
use sourcemap::SourceMap;

/// Where `needle` in the printed code stands in the text that was sent, 1-based line and column.
fn traced(ready: &ReadyModule, needle: &str) -> (u32, u32) {
    let map = SourceMap::from_slice(ready.source_map.as_ref().expect("a map").as_bytes()).expect("version 3");
    let (line, column) = place::of_offset(&ready.code, ready.code.find(needle).expect(needle));
    let token = map.lookup_token(line - 1, column - 1).expect("a mapping");
    assert_eq!(token.get_source(), Some("main.ts"));
    (token.get_src_line() + 1, token.get_src_col() + 1)
}

fn sent(source: &str, needle: &str) -> (u32, u32) {
    place::of_offset(source, source.find(needle).expect(needle))
}

#[test]
fn every_place_leads_back_to_the_text_as_it_was_sent() {
    for source in [
        "interface A { x: number }\n\nconst a: A = { x: 1 };\n  throw new Error('here');",
        "type T = number; const s = '😀é' as string; throw new Error('here')",
        "Here's it:\n\n```ts\ntype T = 1;\n  throw new Error('here');\n```\nBye.",
        "Text 😀\r\n```ts\r\ntype T = 1;\r\n\tthrow new Error('here');\r\n```\r\n",
        "const a = input.n;\n  if (a) throw new Error('here');\na",
        "const a: number = 1;\nif (a) { throw new Error('here') }\n return a",
        "(input: number) => {\n  throw new Error('here');\n}",
        "async function (input: number) {\n\n  throw new Error('here');\n}",
        "{ a: 1,\n  fetch() { throw new Error('here') } }",
        "enum E { A }\nnamespace N { export const a = 1 }\nclass P { constructor(public p: E) { throw new Error('here') } }\n P",
        "const main = (a: number) => {\n  throw new Error('here') }",
        "const k = input.k;\nlet main = function () {\n  throw new Error('here'); };",
        "/* a */ { a: 1,\n  f() { throw new Error('here') } }; // b\n;",
        "Look:\n~~~ts\ntype T = 1;\n  throw new Error('here');\n~~~\nBye.",
        "> Look:\n>\n> ```ts\n> type T = 1;\n>   throw new Error('here');\n> ```",
        " ```ts type T = 1; throw new Error('here') ``` ",
        "const a = 1;\nfunction main() {\n  throw new Error('here') }",
        "\u{feff}type T = 1; throw new Error('here')",
        "type T = 1;\rthrow new Error('here')",
        "type T = '\u{2028}'; throw new Error('here')",
    ] {
        let ready = snippet(source).unwrap_or_else(|rejection| panic!("{source}: {}", rejection.message));
        assert_eq!(traced(&ready, "new Error"), sent(source, "new Error"), "{source}\n{}", ready.code);
    }
}

#[test]
fn an_exported_expression_keeps_its_place() {
    let source = "const x: number = 1;\n\n   fails(x)";
    let ready = snippet(source).expect("right");
    assert_eq!(traced(&ready, "fails"), (3, 4));
    let source = "input.a.b;\n  const y = 2;   fails(y)";
    let ready = snippet(source).expect("right");
    assert_eq!(traced(&ready, "fails"), sent(source, "fails"));
}

#[test]
fn a_map_does_not_carry_the_source_along() {
    let ready = module("main.ts", "const secretive: number = 1").expect("right");
    let map = ready.source_map.expect("a map");
    assert!(map.starts_with("{\"version\":3,"), "{map}");
    assert!(!map.contains("sourcesContent") && !map.contains("number"), "{map}");
}
