use super::*;

#[test]
fn markdown_is_blanked_in_place_and_nothing_moves() {
    let plain = "export default () => 1;\n";
    for (before, after) in [
        ("```js\n", "```\n"),
        ("Here's the code, it `works`:\n\n```javascript title=\"a.js\"\n", "```\nDon't worry.\n"),
        ("Text 😀é\r\n```\r\n", "```\r\nMore"),
        ("```TS\n", ""),
        ("````js\n", "````\n"),
        ("```bash\nnpm i\n```\n\n```ts\n", "```\n\n```\nits output\n```\n"),
        ("A lone ` and then\n```js\n", "```"),
        ("   ```js\n", "   ```\n"),
        ("~~~js\n", "~~~\n"),
        ("Here's the code:\n\n~~~~ts title=\"`a`\"\n", "~~~~~\nDon't worry.\n"),
        ("~~~\n", "~~~"),
        ("~~~JS\n", ""),
        ("~~~bash\nnpm i\n```\n~~~\n```ts\n", "```\n~~~\nits output\n~~~\n"),
    ] {
        let source = [before, plain, after].concat();
        let ready = snippet(&source).unwrap_or_else(|rejection| panic!("{source}: {}", rejection.message));
        assert_eq!(ready.code.len(), source.len(), "{source}");
        assert_eq!(ready.code.find(plain), source.find(plain), "{source}");
        assert_eq!(ready.code.trim(), plain.trim(), "{source}");
        assert_eq!(ready.code.matches('\n').count(), source.matches('\n').count(), "{source}");
    }
}

#[test]
fn fences_inside_comments_and_templates_are_no_markdown() {
    for source in [
        "export default `\n~~~js\n1\n~~~\n`",
        "/*\n~~~js\n1\n~~~\n*/\nexport default 2",
        "export default `\n> ~~~js\n> 1\n> ~~~\n`",
        "const a = 1;\nexport default\n~~~a",
        "/*\n```js\n1\n```\n*/\nexport default 2",
        "export default `\n\\`\\`\\`js\n`",
        "// a\n// ```js\nexport default 3",
    ] {
        assert_eq!(code(snippet(source)), source);
    }
    let template = "const fence = `\n```;\nexport default 1\n`";
    assert_ne!(code(snippet(template)).trim(), "", "a fence that only looks like one is read as code first");
}

#[test]
fn of_several_blocks_the_one_that_is_marked_as_code_is_taken_and_two_are_refused() {
    assert_eq!(code(snippet("```\n1\n```\n```ts\n2\n```\n")), "export default 2;\n");
    assert_eq!(code(snippet("```json\n{}\n```\n```\n2\n```\n")), "export default 2;\n");
    for (source, line) in [("```ts\n1\n```\n\n```js\n2\n```\n", 5), ("```\n1\n```\n```\n2\n```", 4)] {
        let rejection = snippet(source).expect_err(source);
        assert_eq!(rejection.message, "the text has 2 fenced code blocks, and which of them to run is not clear");
        assert_eq!(rejection.location, at("main.ts", line, 1));
    }
    let rejection = snippet("Run this:\n```python\nprint(1)\n```").expect_err("python");
    assert_eq!(rejection.message, "the fenced block is marked `python`, which is neither JavaScript nor TypeScript");
    assert_eq!(rejection.location, at("main.ts", 2, 1));
}

#[test]
fn code_with_a_fence_of_tildes_in_a_template_is_never_taken_for_what_the_fence_holds() {
    let rejection = snippet("const text = `\n~~~js\n1\n~~~\n`;\nconst = 2").expect_err("no name");
    assert_eq!(rejection.location, at("main.ts", 6, 7), "{}", rejection.message);
}

#[test]
fn a_fence_closes_only_with_its_own_kind_and_length() {
    assert_eq!(code(snippet("~~~js\n/*\n```\n*/ 1\n~~~\n")), "export default 1;\n");
    assert_eq!(code(snippet("~~~~js\n1;\n~~~\n2\n~~~~\n")), "1;\nexport default ~~~2;\n");
    assert!(snippet("```js\nconst a = 1; a\n~~~\n").is_err(), "tildes do not close backticks");
    for source in ["~~~python\nprint(1)\n~~~", "~~~\n1\n~~~\n```\n2\n```"] {
        let rejection = snippet(source).expect_err(source);
        assert!(rejection.message.contains("fenced"), "{source}: {}", rejection.message);
    }
}

#[test]
fn a_block_in_a_quote_is_taken_out_of_it_and_nothing_moves() {
    let source = "He wrote:\n\n> Look:\n> ```js\n> const a = 1;\n>\n>export default a > 0;\n> ```\n\nWell.";
    let ready = snippet(source).unwrap_or_else(|rejection| panic!("{}", rejection.message));
    assert_eq!(ready.code.len(), source.len());
    assert_eq!(ready.code.find("const a"), source.find("const a"));
    assert_eq!(ready.code.trim(), "const a = 1;\n \n export default a > 0;");
    assert_eq!(code(snippet("> ~~~\n> `${1}`\n")), "export default `${1}`;\n");
    let rejection = snippet("> ```ts\n> const = 1\n> ```").expect_err("no name");
    assert_eq!(rejection.location, at("main.ts", 2, 9), "{}", rejection.message);
    assert_eq!(code(snippet("```js\n/*\n> ```\n*/ 1\n```")), "export default 1;\n", "a `>` inside a block is the block's own");
}

#[test]
fn a_block_that_cannot_be_taken_out_of_its_quote_is_refused_with_the_reason() {
    for (source, reason, line) in [
        ("> ```js\n1\n> ```", "not each of its lines begins with `>`", 2),
        ("> ```js\n> 1\n```", "not each of its lines begins with `>`", 3),
        ("> ```js\n> 1\n\nText", "not each of its lines begins with `>`", 3),
        ("Text\n> ```js\n> `a\n> b`\n> ```", "a template literal in it goes over several lines", 2),
        ("> ```js\n> `${`${\n> 1}\n> `}`\n> ```", "a template literal in it goes over several lines", 1),
        ("> ```js\n> `a\n> ```", "a template literal in it goes over several lines", 1),
    ] {
        let rejection = snippet(source).expect_err(source);
        assert_eq!(rejection.message, format!("the fenced block stands in a quote (`>`), and {reason}"), "{source}");
        assert_eq!(rejection.location, at("main.ts", line, 1), "{source}");
        assert_eq!(rejection.remediation, "Send the code without the `>` before its lines.");
    }
}

#[test]
fn a_lone_block_of_json_is_its_value() {
    for (source, expected) in [
        ("Here:\n```json\n{\"a\": 1}\n```\nBye", "export default { \"a\": 1 };\n"),
        ("~~~JSON\n[1, \"b\", null]\n", "export default [\n\t1,\n\t\"b\",\n\tnull\n];\n"),
        ("> ```json\n> \"text\"\n> ```", "export default \"text\";\n"),
        ("```json\n{}\n```", "export default {};\n"),
        ("```json\n-1\n```", "export default -1;\n"),
        ("```json {\"a\": 1} ```", "export default { \"a\": 1 };\n"),
        ("```json\n1\n```\n```\n2\n```", "export default 2;\n"),
    ] {
        assert_eq!(code(snippet(source)), expected, "{source}");
    }
    for (source, line, column) in [
        ("Text\n```json\n{\"a\" 1}\n```", 3, 6),
        ("```json\nconst a = 1\n```", 2, 1),
        ("```json\n1\n2\n```", 3, 1),
        ("```jsonc\n1\n```", 1, 1),
        ("```json\n1\n```\n```json\n2\n```", 1, 1),
    ] {
        let rejection = snippet(source).expect_err(source);
        assert_eq!(rejection.location, at("main.ts", line, column), "{source}: {}", rejection.message);
    }
    assert!(snippet("```json\n```").is_err(), "nothing is no value");
}

#[test]
fn one_code_span_in_a_line_is_read_as_what_it_holds() {
    for (source, expected) in [
        ("```js 1+1 ```", "export default 1 + 1;\n"),
        ("```1 + 1```", "export default 1 + 1;\n"),
        ("\n  ```TS\tconst a: number = 1; a```\r\n", "const a = 1;\nexport default await a;\n"),
        ("````js `a` + ```b``` ````", "export default `a` + ```b```;\n"),
        ("```(input) => input.a```", "export default (input) => input.a;\n"),
        ("```{ a: 1 }; // b```", "export default { a: 1 };\n"),
        ("```js export default 1 ```", "      export default 1    "),
    ] {
        assert_eq!(code(snippet(source)), expected, "{source}");
    }
    let rejection = snippet(" ```js const = 1 ```").expect_err("no name");
    assert_eq!(rejection.location, at("main.ts", 1, 14), "{}", rejection.message);
}

#[test]
fn backticks_that_are_no_span_of_one_line_are_read_as_before() {
    for source in
        ["``", "``````", "```````", "` a `", "`` a ``", "```js a ````", "```js\n", "```a\u{2028}b```", "```a``` ```b```", "f ```a```"]
    {
        let _ = snippet(source);
        assert!(markdown::span(source).is_none(), "{source}");
    }
}
