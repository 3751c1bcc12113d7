use super::*;
use crate::intake::prepare;
use crate::model::frame::PrepareOrder;

/// One way to make a tree deep: text that is repeated on both sides of a core, and which limit it meets.
struct Shape {
    name: &'static str,
    before: &'static str,
    open: &'static str,
    core: &'static str,
    close: &'static str,
    after: &'static str,
    /// How many levels the limit lets through.
    most: u32,
}

const fn shape(name: &'static str, parts: [&'static str; 5], most: u32) -> Shape {
    let [before, open, core, close, after] = parts;
    Shape { name, before, open, core, close, after, most }
}

impl Shape {
    fn source(&self, levels: u32) -> String {
        let levels = levels as usize;
        ["type Z = 1;\n", self.before, &self.open.repeat(levels), self.core, &self.close.repeat(levels), self.after].concat()
    }
}

fn order(source: String) -> PrepareOrder {
    PrepareOrder { modules: vec![("main.ts".into(), source)], main: "main.ts".into(), normalise: false }
}

/// Everything that makes a parser or a later pass go down one level, with the deepest that passes.
fn shapes() -> Vec<Shape> {
    vec![
        shape("parentheses", ["export default ", "(", "1", ")", ""], 500),
        shape("arrays", ["export default ", "[", "1", "]", ""], 500),
        shape("objects", ["export default ", "{a:", "1", "}", ""], 500),
        shape("blocks", ["", "{", ";", "}", ""], 500),
        shape("functions", ["", "function f(){", "", "}", ""], 500),
        shape("calls inward", ["export default ", "f(", "1", ")", ""], 500),
        shape("calls outward", ["export default f", "()", "", "", ""], 3000),
        shape("calls outward, typed", ["export default f", "<T>()", "", "", ""], 3000),
        shape("indexes", ["export default f", "[0]", "", "", ""], 3000),
        shape("members", ["export default a", ".a", "", "", ""], 3000),
        shape("optional members", ["export default a", "?.a", "", "", ""], 3000),
        shape("bangs after", ["export default a", "!", "", "", ""], 3000),
        shape("templates", ["export default ", "`${", "1", "}`", ""], 250),
        shape("tagged templates", ["export default f", "``", "", "", ""], 3000),
        shape("bangs", ["export default ", "!", "1", "", ""], 500),
        shape("signs", ["export default ", "- ", "1", "", ""], 500),
        shape("typeofs", ["export default ", "typeof ", "1", "", ""], 500),
        shape("awaits", ["export default ", "await ", "1", "", ""], 500),
        shape("news", ["export default ", "new ", "A", "", ""], 500),
        shape("assertions", ["export default ", "<T>", "a", "", ""], 499),
        shape("powers", ["export default 1", "**1", "", "", ""], 500),
        shape("sums", ["export default 1", "+1", "", "", ""], 3000),
        shape("alternatives", ["export default 1", "??1", "", "", ""], 3000),
        shape("comparisons", ["export default a", "==a", "", "", ""], 3000),
        shape("casts", ["export default a", " as T", "", "", ""], 3000),
        shape("assignments", ["", "a=", "1", "", ""], 500),
        shape("conditions", ["export default ", "a?b:", "1", "", ""], 500),
        shape("conditions in the middle", ["export default ", "a?", "1", ":b", ""], 500),
        shape("arrows", ["const f = ", "x=>", "1", "", ""], 499),
        shape("arrows with types", ["const f = ", "(x: T) => ", "1", "", ""], 499),
        shape("else ifs", ["", "if(a)b;else ", "b", "", ""], 499),
        shape("else ifs with blocks", ["", "if(a){b}else ", "b", "", ""], 498),
        shape("ifs", ["", "if(a)\n", "b", "", ""], 499),
        shape("fors", ["", "for(;;)", "b", "", ""], 499),
        shape("whiles", ["", "while(a)\n", "b", "", ""], 499),
        shape("dos", ["", "do ", "b;", "while(0);", ""], 500),
        shape("labels", ["", "a:", ";", "", ""], 3000),
        shape("classes", ["export default ", "class extends ", "A", "{}", ""], 499),
        shape("type arguments", ["type T = ", "A<", "B", ">", ""], 499),
        shape("type arguments after a comma", ["type T = ", "A<B,", "B", ">", ""], 500),
        shape("function types", ["type T = ", "()=>", "B", "", ""], 499),
        shape("constructor types", ["type T = ", "new()=>", "B", "", ""], 249),
        shape("conditional types", ["type T = ", "A extends B?C:", "B", "", ""], 499),
        shape("key types", ["type T = ", "keyof ", "B", "", ""], 499),
        shape("array types", ["type T = A", "[]", "", "", ""], 3000),
        shape("object types", ["type T = ", "{a:", "B", "}", ""], 499),
        shape("tuple types", ["type T = ", "[", "B", "]", ""], 499),
        shape("qualified types", ["type T = a", ".a", "", "", ""], 3000),
        shape("namespaces", ["namespace a", ".a", "{ export const x = 1 }", "", ""], 498),
        shape("namespaces in namespaces", ["", "export namespace a{", "export const x = 1", "}", ""], 499),
        shape("functions in arguments", ["", "f(function(){", "", "})", ""], 250),
        shape("patterns", ["const ", "{a:", "b", "}", "=c"], 500),
        shape("groups", ["export default /", "(", "a", ")", "/"], 500),
        shape("classes in a pattern", ["export default /", "[", "a", "]", "/v"], 500),
    ]
}

/// The stack that the work may take: half of what a main thread usually has.
const STACK_BYTES: usize = 4 << 20;

fn prepared_on_a_small_stack(source: String) -> Result<(), String> {
    let work = move || prepare(&order(source)).map(drop).map_err(|rejection| rejection.message);
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread").join().expect("no panic")
}

#[test]
fn the_stack_of_a_main_thread_carries_every_shape_at_its_limit() {
    for shape in shapes() {
        let outcome = prepared_on_a_small_stack(shape.source(shape.most));
        // The same label twice is an error, but one that is found at the bottom; what indents much is found too long after all else.
        let at_the_end = outcome.as_ref().is_err_and(|message| message.starts_with("as prepared, "));
        assert!(outcome.is_ok() || at_the_end || shape.name == "labels", "{}: {outcome:?}", shape.name);
    }
}

#[test]
fn one_level_past_the_limit_is_refused_and_so_is_a_hundred_thousand() {
    for shape in shapes() {
        assert_eq!(too_deep_at(&shape.source(shape.most)), None, "{} at the limit", shape.name);
        for levels in [shape.most + 1, 100_000] {
            let source = shape.source(levels);
            assert!(too_deep_at(&source).is_some(), "{} at {levels}", shape.name);
            let rejection = prepare(&order(source)).expect_err(shape.name);
            assert_eq!(
                rejection.message,
                "the syntax nests more than 500 levels deep, or chains more than 3000 operators, calls or members"
            );
            assert!(rejection.location.is_some(), "{}", shape.name);
        }
    }
}

#[test]
fn depth_adds_up_over_different_brackets() {
    let nested = |levels: usize| format!("export default {}1{}", "f([!{a:".repeat(levels), "}])".repeat(levels));
    // Three brackets and a `!`, five steps with the colon's value in its own bracket.
    assert_eq!(too_deep_at(&nested(125)), None);
    assert!(too_deep_at(&nested(126)).is_some());
}

#[test]
fn long_sources_that_are_flat_pass() {
    let flat = [
        "f(a, b < c, [1, 2], { d: -e });\n".repeat(20_000),
        "const a = b\nif (a) { c() }\nelse { d() }\nlet x = !y\nx++\n".repeat(10_000),
        "if (a) b; else c;\n".repeat(20_000),
        "function f<T>(a: Map<string, T[]>): void { return a > 1 ? b : c }\n".repeat(10_000),
        format!("export default [{}]", "-1.5, 'a' + `b${c}`, /[(]\\//g, a => b, x ? y : z, 1 << 3,\n".repeat(10_000)),
        format!("type T = {}1", "| 'a' & 'b'\n".repeat(1_400)),
        format!("const s = ''{}", "\n  + 'a)(' + b".repeat(1_400)),
        format!("class A {{ {} }}", "get a() { return this.b }\n static c = 1\n d: string\n".repeat(10_000)),
        format!("switch (a) {{ {} }}", "case 'x':\n case 1: f(); break;\n".repeat(10_000)),
        "// ((((\n/* [[[[ */ '((((' + \"{{{{\" + `((((${a}((((`;\n".repeat(10_000),
        "const re = /[/(]((((/;\n".repeat(10_000),
        "if (a) /((/.test(b)\n".repeat(10_000),
    ];
    for source in flat {
        let at = too_deep_at(&source);
        assert_eq!(at, None, "{:?}", at.map(|at| source[..at].chars().rev().take(80).collect::<String>()));
    }
}

#[test]
fn brackets_that_do_not_match_neither_panic_nor_count_below_zero() {
    for source in [
        ")]}", "}}}`", "`${", "`${`${", "/*", "/", "'", "'\\", "`\\", "<<<>>>>>", "#", "\\", "a\\u{", "/[", "/\\", "((((]]]]", "\u{2028}",
        "é`",
    ] {
        assert_eq!(too_deep_at(source), None, "{source}");
        assert!(too_deep_at(&format!("{source}\n{}", "`${[(".repeat(400))).is_some() || source.contains(['`', '/', '\'']), "{source}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_scanned_without_a_panic(text in "(\\PC|[`~;*${}()<>/\\\\'\"\\n]){0,200}") {
        let _ = too_deep_at(&text);
        let _ = prepare(&PrepareOrder { normalise: true, ..order(text) });
    }
}
