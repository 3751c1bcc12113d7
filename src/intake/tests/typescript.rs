use super::*;

/// TypeScript and the JavaScript it becomes.
const ROWS: [(&str, &str); 22] = [
    ("let a: number | undefined = (1 as unknown as number)!; a satisfies unknown", "let a = 1;\na;\n"),
    ("import type { A } from 'a'; import { type B } from 'b'; export type { A, B }; export type * from 'c'", "export {};\n"),
    ("import type X = require('x'); declare const d: X; declare global { interface Y {} } interface Z {} type T = Z", ""),
    ("function f(a: string): void; function f(this: unknown, a?: unknown): asserts a is string {}", "function f(a) {}\n"),
    (
        "abstract class A<T> implements I<T> { abstract a(): T; protected abstract b: T; declare c: T; [k: string]: unknown }",
        "class A {}\n",
    ),
    (
        "class A { readonly a!: number; private static override b?: string; get c(): number { return 1 } set c(v: number) {} }",
        "class A {\n\ta;\n\tstatic b;\n\tget c() {\n\t\treturn 1;\n\t}\n\tset c(v) {}\n}\n",
    ),
    (
        "class A { b = 1; constructor(public a: number, private readonly c = 2) { this.b } }",
        "class A {\n\ta;\n\tc;\n\tb = 1;\n\tconstructor(a, c = 2) {\n\t\tthis.a = a;\n\t\tthis.c = c;\n\t\tthis.b;\n\t}\n}\n",
    ),
    (
        "class A extends B { constructor(public a: number) { super(); f() } }",
        "class A extends B {\n\ta;\n\tconstructor(a) {\n\t\tsuper();\n\t\tthis.a = a;\n\t\tf();\n\t}\n}\n",
    ),
    (
        "enum E { A, B = 5, C, D = 'd', F = B * 2 }",
        "var E = function(E) {\n\tE[E[\"A\"] = 0] = \"A\";\n\tE[E[\"B\"] = 5] = \"B\";\n\tE[E[\"C\"] = 6] = \"C\";\n\tE[\"D\"] = \"d\";\n\tE[E[\"F\"] = 10] = \"F\";\n\treturn E;\n}(E || {});\n",
    ),
    (
        "enum S { A = 'a', B = A } enum T { C = S.A }",
        "var S = function(S) {\n\tS[\"A\"] = \"a\";\n\tS[\"B\"] = \"a\";\n\treturn S;\n}(S || {});\nvar T = function(T) {\n\tT[\"C\"] = \"a\";\n\treturn T;\n}(T || {});\n",
    ),
    (
        "const enum K { A = 1 << 3 } export default K.A as number",
        "var K = function(K) {\n\tK[K[\"A\"] = 8] = \"A\";\n\treturn K;\n}(K || {});\nexport default K.A;\n",
    ),
    ("declare enum E { A } declare namespace N { const a: number }", ""),
    (
        "namespace N { export const a = 1; export function f() { return a } const hidden = 2 }",
        "let N;\n(function(_N) {\n\tconst a = _N.a = 1;\n\tfunction f() {\n\t\treturn a;\n\t}\n\t_N.f = f;\n\tconst hidden = 2;\n})(N || (N = {}));\n",
    ),
    (
        "namespace N { export type T = 1 } namespace M.O { export const a = 1 }",
        "let M;\n(function(_M) {\n\tlet O;\n\t(function(_O) {\n\t\tconst a = _O.a = 1;\n\t})(O || (O = _M.O || (_M.O = {})));\n})(M || (M = {}));\n",
    ),
    (
        "namespace N { export const a = 1 } import b = N.a; b",
        "let N;\n(function(_N) {\n\tconst a = _N.a = 1;\n})(N || (N = {}));\nvar b = N.a;\nb;\n",
    ),
    ("const f = <T,>(a: T): T => a; f<number>(1); new Map<string, number>()", "const f = (a) => a;\nf(1);\nnew Map();\n"),
    ("for (const a of b as number[]) { (<any>a).c = 1 }", "for (const a of b) {\n\ta.c = 1;\n}\n"),
    ("using a: D = f(); await using b = g()", "using a = f();\nawait using b = g();\n"),
    ("const a: number = b?.c ?? 1 ** 2; a ||= 1", "const a = b?.c ?? 1 ** 2;\na ||= 1;\n"),
    ("class A { static #p: number = 1; static { A.#p } }", "class A {\n\tstatic #p = 1;\n\tstatic {\n\t\tA.#p;\n\t}\n}\n"),
    ("const a: RegExp = /(?<y>\\d{4})/dgv; const b: bigint = 1_000n", "const a = /(?<y>\\d{4})/dgv;\nconst b = 1000n;\n"),
    ("/** doc */ const a: string = 'x' // note", "const a = \"x\";\n"),
];

#[test]
fn types_go_and_the_constructs_of_typescript_become_code() {
    for (source, expected) in ROWS {
        assert_eq!(code(module("main.ts", source)), expected, "from {source}");
        assert_eq!(code(module("lib.mts", source)), expected, "from {source}");
    }
}

#[test]
fn class_fields_are_defined_and_not_assigned() {
    let source = "class A extends B { a: number = 1; b?: string; declare c: number }";
    assert_eq!(code(module("main.ts", source)), "class A extends B {\n\ta = 1;\n\tb;\n}\n");
}

#[test]
fn javascript_passes_byte_for_byte() {
    for source in
        ["  export  default   1 ;", "// note\r\nexport const a = 1\r\n", "#!/bin/x\nexport {}", "\u{feff}export default \"\u{2028}\0\"", ""]
    {
        for name in ["main.js", "main.mjs", "main.ts", "main.mts"] {
            let ready = module(name, source).unwrap_or_else(|rejection| panic!("{source:?}: {}", rejection.message));
            assert_eq!((ready.code.as_str(), ready.source_map), (source, None), "{name}");
        }
    }
}

#[test]
fn an_import_that_only_types_need_is_left_out_and_one_for_its_effects_stays() {
    let source = "import { T, v } from './lib.ts'; import './lib.ts'; import { U } from './lib.ts'; const a: T | U = v";
    let ready = prepare(&order(&[("main.ts", source), ("lib.ts", "")], false)).expect("all resolve");
    assert_eq!(ready[0].code, "import { v } from \"./lib.ts\";\nimport \"./lib.ts\";\nconst a = v;\n");
}

#[test]
fn nothing_that_is_printed_asks_for_a_helper_module() {
    let modern = "class A { #a = 1; static b = 2; accessible = this.#a; async *g() { yield* [await 1] } m() { return #a in this } }\n\
        const { a, ...rest } = { ...b }; a ??= rest?.[0] ** 2; for await (const x of y) { try { x } catch {} }\n\
        enum E { A } namespace N { export const a = 1 } class P { constructor(public p: E) {} } using d: D = f`t${1}`;";
    for source in [modern, WARM_LIB] {
        let printed = code(module("main.ts", source));
        assert!(!printed.contains("rejected"), "{printed}");
        assert!(!printed.contains("@oxc") && !printed.contains("import") && !printed.contains("babelHelpers"), "{printed}");
    }
}
