use super::*;

/// The rows of the room's table: what a model wrote, and the module it becomes.
const ROWS: [(&str, &str); 66] = [
    // One function without a name, or an object literal.
    ("async (input) => input.n", "export default async (input) => input.n;\n"),
    ("(input: { n: number }): number => { return input.n };", "export default (input) => {\n\treturn input.n;\n};\n"),
    ("async function (input) { return input.n }", "export default (async function(input) {\n\treturn input.n;\n});\n"),
    ("{ a: 1 }", "export default { a: 1 };\n"),
    ("{ a: 1, \"b\": 2 };", "export default {\n\ta: 1,\n\t\"b\": 2\n};\n"),
    ("({ a: 1 })", "export default { a: 1 };\n"),
    ("{ fetch(request: Request) { return request } }", "export default { fetch(request) {\n\treturn request;\n} };\n"),
    ("{}", "export default {};\n"),
    // What trails after it, and what stands before it, does not matter.
    ("{ a: 1 };", "export default { a: 1 };\n"),
    ("{ a: 1 }; // done", "export default { a: 1 };\n"),
    ("{ a: 1, b: 2 }; // done", "export default {\n\ta: 1,\n\tb: 2\n};\n"),
    ("/* a */ // b\n{ a: 1 } /* c\n */ ; ; // d\n// e\n;", "export default { a: 1 };\n"),
    ("function (input) { return input.a }; // end", "export default (function(input) {\n\treturn input.a;\n});\n"),
    ("// f\nfunction (input: T) { return input.a } /* g */ ;;", "export default (function(input) {\n\treturn input.a;\n});\n"),
    ("{ a: '; // b' }; // c", "export default { a: \"; // b\" };\n"),
    ("{ a: 1 }; f()", "{\n\ta: 1;\n}\n;\nexport default await f();\n"),
    // `return` outside every function.
    ("return 1", "export default async (input, env, ctx) => {\n\t{\n\t\treturn 1;\n\t}\n};\n"),
    (
        "import './lib.ts'; const input = 1; if (input) { return await f(input) } 2",
        "import \"./lib.ts\";\nexport default async (input, env, ctx) => {\n\t{\n\t\tconst input = 1;\n\t\tif (input) {\n\t\t\treturn await f(input);\n\t\t}\n\t\t2;\n\t}\n};\n",
    ),
    (
        "namespace N { export const a = 1 }\nreturn N.a as number",
        "let N;\n(function(_N) {\n\tconst a = _N.a = 1;\n})(N || (N = {}));\nexport default async (input, env, ctx) => {\n\t{\n\t\treturn N.a;\n\t}\n};\n",
    ),
    ("const f = () => { return 1 }; f()", "const f = () => {\n\treturn 1;\n};\nexport default await f();\n"),
    // Free use of the parameters.
    (
        "const n: number = input.n; n * 2",
        "export default async (input, env, ctx) => {\n\t{\n\t\tconst n = input.n;\n\t\treturn n * 2;\n\t}\n};\n",
    ),
    ("env.KEY", "export default async (input, env, ctx) => {\n\t{\n\t\treturn env.KEY;\n\t}\n};\n"),
    (
        "ctx.run; (x) => x",
        "export default async (input, env, ctx) => {\n\t{\n\t\tctx.run;\n\t\treturn ((x) => x)(input, env, ctx);\n\t}\n};\n",
    ),
    (
        "const n = input.n; function main() { return n }",
        "export default async (input, env, ctx) => {\n\t{\n\t\tconst n = input.n;\n\t\tfunction main() {\n\t\t\treturn n;\n\t\t}\n\t\treturn main(input, env, ctx);\n\t}\n};\n",
    ),
    ("const input = 1; input", "const input = 1;\nexport default await input;\n"),
    ("const a = { input: 1 }; a.input", "const a = { input: 1 };\nexport default await a.input;\n"),
    ("type T = typeof input; 1", "export default 1;\n"),
    // An expression at the end.
    ("1 + 1", "export default 1 + 1;\n"),
    ("const x = 1; x * 2", "const x = 1;\nexport default x * 2;\n"),
    ("const x = await f(); x", "const x = await f();\nexport default await x;\n"),
    ("f()", "export default await f();\n"),
    ("await f()", "export default await f();\n"),
    ("console.log(1)", "export default await console.log(1);\n"),
    ("const f = (x) => x; f", "const f = (x) => x;\nexport default await f;\n"),
    ("const k = 2;\n(x) => x * k", "const k = 2;\nexport default (x) => x * k;\n"),
    ("main()\nasync function main() { return 1 }", "export default await main();\nasync function main() {\n\treturn 1;\n}\n"),
    ("interface A { x: number }\n1 as number\ntype B = A", "export default 1;\n"),
    ("export type A = number; const a: A = 1; a", "const a = 1;\nexport default await a;\n"),
    // A function that nothing else mentions.
    ("async function main(input) { return input }", "export default async function main(input) {\n\treturn input;\n}\n"),
    (
        "function fact(n) { return n < 2 ? 1 : n * fact(n - 1) }",
        "export default function fact(n) {\n\treturn n < 2 ? 1 : n * fact(n - 1);\n}\n",
    ),
    (
        "function main() { return help() }\nfunction help() {}",
        "export default function main() {\n\treturn help();\n}\nfunction help() {}\n",
    ),
    ("function f(a: string): void;\nfunction f(a: unknown) {}", "export default function f(a) {}\n"),
    // The same in a constant or a variable.
    ("const main = async (input) => input.a;", "const main = async (input) => input.a;\nexport default main;\n"),
    ("let main: F = function (input) { return input } // end", "let main = function(input) {\n\treturn input;\n};\nexport default main;\n"),
    ("var main = ((input) => input) as F; type F = 1", "var main = ((input) => input);\nexport default main;\n"),
    ("const f = (n) => n < 2 ? 1 : n * f(n - 1)", "const f = (n) => n < 2 ? 1 : n * f(n - 1);\nexport default f;\n"),
    (
        "const main = (n) => help(n);\nconst help = (n) => n;",
        "const main = (n) => help(n);\nconst help = (n) => n;\nexport default main;\n",
    ),
    (
        "function main(n) { return help(n) }\nconst help = (n) => n;",
        "export default function main(n) {\n\treturn help(n);\n}\nconst help = (n) => n;\n",
    ),
    (
        "const k = input.k; const main = (n) => n * k",
        "export default async (input, env, ctx) => {\n\t{\n\t\tconst k = input.k;\n\t\tconst main = (n) => n * k;\n\t\treturn main(input, env, ctx);\n\t}\n};\n",
    ),
    ("const f = (x) => x; f(1)", "const f = (x) => x;\nexport default await f(1);\n"),
    ("g().then(() => f()); const f = () => 1", "g().then(() => f());\nconst f = () => 1;\nexport default null;\n"),
    ("const f = () => 1, g = 2", "const f = () => 1, g = 2;\nexport default null;\n"),
    ("const { f } = () => 1", "const { f } = () => 1;\nexport default null;\n"),
    ("const f = g(() => 1)", "const f = g(() => 1);\nexport default null;\n"),
    ("const f = class {}", "const f = class {};\nexport default null;\n"),
    ("using f = () => 1", "using f = () => 1;\nexport default null;\n"),
    // Only a string.
    ("'hello'", "export default \"hello\";\n"),
    ("\"use strict\"; 1", "\"use strict\";\nexport default 1;\n"),
    // Anything else.
    ("for (const a of [1]) { f(a) }", "for (const a of [1]) {\n\tf(a);\n}\nexport default null;\n"),
    ("const a = 1", "const a = 1;\nexport default null;\n"),
    ("{ const a = 1; f(a) }", "{\n\tconst a = 1;\n\tf(a);\n}\nexport default null;\n"),
    ("", "export default null;\n"),
    ("// nothing", "export default null;\n"),
    ("#!/usr/bin/env node\n1", "#!/usr/bin/env node\nexport default 1;\n"),
    ("\u{feff}1", "export default 1;\n"),
    ("const a = 1;\r\na;\r\n", "const a = 1;\nexport default await a;\n"),
];

#[test]
fn each_form_of_model_output_becomes_the_module_the_table_says() {
    for (written, expected) in ROWS {
        let ready = prepare(&order(&[("main.ts", written), ("lib.ts", "")], true)).map(|mut modules| modules.remove(0));
        assert_eq!(code(ready), expected, "from {written:?}");
    }
}

#[test]
fn a_module_that_exports_a_value_is_left_alone() {
    for written in [
        "export default (input) => input.n",
        "export const a = 1",
        "const a = 1; export { a }",
        "export * from './main.ts'",
        "export { a } from './main.ts'; const b = 1",
        "export default 1; 2",
    ] {
        let ready = snippet(written).unwrap_or_else(|rejection| panic!("{written}: {}", rejection.message));
        assert_eq!((ready.code.as_str(), ready.source_map), (written, None));
    }
    assert_eq!(
        code(snippet("export enum E { A }\n1")),
        "export let E = function(E) {\n\tE[E[\"A\"] = 0] = \"A\";\n\treturn E;\n}({});\n1;\n"
    );
}

#[test]
fn what_no_reading_accepts_is_refused_with_the_error_of_the_module_reading() {
    for (source, line, column) in
        [("Sure! Here you go.", 1, 6), ("const a = ;", 1, 11), ("function (a) { } 1", 1, 10), ("```js\nconst = 1\n```", 2, 7)]
    {
        let rejection = snippet(source).expect_err(source);
        assert_eq!(rejection.location, at("main.ts", line, column), "{source}: {}", rejection.message);
    }
}
