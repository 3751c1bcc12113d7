use super::*;

#[test]
fn text_that_becomes_code_is_found_however_eval_is_reached() {
    finds(
        Check::CodeEval,
        &[
            "eval('1')",
            "const run = eval; run('1')",
            "(0, eval)('1')",
            "globalThis.eval('1')",
            "globalThis['ev' + 'al']('1')",
            "self?.[`eval`]('1')",
            "globalThis.self.globalThis.eval('1')",
            "\\u0065val('1')",
            "globalThis.ev\\u0061l('1')",
            "new Function('return 1')",
            "Function('return 1')()",
            "Function.apply(null, ['return 1'])",
            "Function.bind(null, 'return 1')()()",
            "Reflect.construct(Function, ['return 1'])",
            "globalThis.Function('a')",
            "[].constructor.constructor('return this')()",
            "''['constructor']['cons' + 'tructor']('1')()",
            "(() => {}).constructor('return 1')",
            "(async function () {})['constructor']('1')",
            "Object.getPrototypeOf(async () => {}).constructor('1')",
            "(function* () {}).__proto__.constructor",
            "const f = [].map; f.constructor('return ' + 'this')()",
            "setTimeout('f()', 1)",
            "setInterval(`f(${1})`, 1)",
            "globalThis.setTimeout('f(' + 1 + ')', 1)",
        ],
    );
}

#[test]
fn what_only_looks_like_eval_passes() {
    passes(&[
        "const evaluate = (text: string) => text; evaluate('1')",
        "function f(eval_: number) { return eval_ }",
        "export const has = typeof eval === 'function'",
        "export const is = (x: unknown) => x instanceof Function",
        "export const call = Function.prototype.call",
        "export const has = Function.call.bind(Object.prototype.hasOwnProperty)",
        "let f: Function = () => 1; f()",
        "const object = { eval() { return 1 } }; object.eval()",
        "class A {}; export const same = new A().constructor === A",
        "setTimeout(() => {}, 1)",
        "const text = 'eval(1)'; // eval(1)",
        "export default { Function: 1 }",
    ]);
    assert_eq!(checks("{ const setTimeout = (a: string) => a; setTimeout('f()') }"), []);
}

#[test]
fn a_finding_has_the_place_in_the_source_as_sent() {
    assert_eq!(places(Check::CodeEval, "// \u{1f600}\r\n'\u{1f600}'; eval('1')"), [(2, 7)]);
    let fenced = "Here it is:\n```ts\nconst a: number = eval('1')\n```\n";
    let evidence = examine(&order(&[("main.ts", fenced)], true));
    let hit = evidence.hits.iter().find(|hit| hit.check == Check::CodeEval).expect("a hit");
    assert_eq!(hit.location, Location { file: "main.ts".into(), line: 3, column: 19 });
}

#[test]
fn an_import_is_told_unless_it_is_a_literal_that_names_a_module() {
    finds(
        Check::ImportDynamic,
        &[
            "const name = './a.ts'; await import(name)",
            "import(`./${1}.ts`)",
            "import('node:fs')",
            "import('data:text/javascript,1')",
            "import('./' + 'none.ts')",
        ],
    );
    let pair = [("main.ts", "await import('./lib.ts'); await import('./l' + 'ib.ts')"), ("lib.ts", "export const a = 1")];
    assert_eq!(examine(&order(&pair, false)).hits, []);
    finds(Check::ImportUnanswered, &["import fs from 'node:fs'; fs()", "export * from './none.ts'"]);
    passes(&["import type { A } from 'somewhere'; export const a = (b: A) => b"]);
}

#[test]
fn what_intake_refuses_is_told_for_every_module_with_what_else_is_there() {
    let evidence = examine(&order(&[("main.ts", "const a = ;"), ("b.ts", "import 'x'; eval('1')"), ("c.txt", "")], false));
    let told: Vec<_> = evidence.hits.iter().map(|hit| (hit.check, hit.location.file.as_str(), hit.location.line)).collect();
    assert_eq!(
        told,
        [
            (Check::SourceRejected, "main.ts", 1),
            (Check::ImportUnanswered, "b.ts", 1),
            (Check::CodeEval, "b.ts", 1),
            (Check::SourceRejected, "c.txt", 1)
        ]
    );
    let missing = PrepareOrder { main: "none.ts".into(), modules: Vec::new(), normalise: false };
    assert_eq!(examine(&missing).hits.len(), 1, "the main module is missing");
    finds(Check::SourceRejected, &[&"(".repeat(501)]);
}

#[test]
fn writes_to_what_all_code_shares_are_found() {
    finds(
        Check::PrototypeTampering,
        &[
            "Array.prototype.map = () => []",
            "Array['proto' + 'type']['map'] = () => []",
            "(Object as any).prototype.x = 1",
            "({}).__proto__.x = 1",
            "const a: any = {}; a['__proto__'] = {}",
            "[].constructor.prototype.x = 1",
            "Object.getPrototypeOf([]).x = 1",
            "Object.setPrototypeOf(Array.prototype, null)",
            "Object.defineProperty(Object.prototype, 'x', { value: 1 })",
            "Reflect.set(Array.prototype, 'map', 1)",
            "Object.assign(String.prototype, { x: 1 })",
            "delete Array.prototype.map",
            "Array.prototype.length++",
            "[Array.prototype.map] = [1]",
            "for (Array.prototype.x of [1]) {}",
            "Object.prototype.__defineGetter__('x', () => 1)",
            "Math.random = () => 4",
            "globalThis.fetch = () => 1",
            "Object.defineProperty(globalThis, 'fetch', { value: 1 })",
            "globalThis.JSON.parse = () => 1",
        ],
    );
}

#[test]
fn writes_to_ones_own_objects_pass() {
    passes(&[
        "function A() {}; A.prototype.x = 1; new (A as any)()",
        "class E extends Error { constructor() { super(); Object.setPrototypeOf(this, new.target.prototype) } }; new E()",
        "const a: any = {}; Object.defineProperty(a, 'x', { value: 1 })",
        "Error.stackTraceLimit = 50",
        "globalThis.onerror = null",
        "export const a = { __proto__: null, x: 1 }",
        "export const map = Array.prototype.map",
        "const Math = { random: () => 1 }; Math.random = () => 4",
        "const a = Object.assign({}, { b: 1 }); Object.freeze(a)",
    ]);
}

#[test]
fn signs_of_obfuscation_are_found_and_plain_data_passes() {
    finds(
        Check::Escapes,
        &[
            "const a = '\\x65\\x76\\x61\\x6c'",
            "const a = `\\u0065\\u{76}\\u{000061}\\x6c`",
            "const a = { ev\\u0061l: 1 }",
            "let \\u{61}b = 1",
        ],
    );
    let table: Vec<String> = (0..40).map(|at| format!("'zGx{at}C2vUDa'")).collect();
    finds(Check::StringTable, &[&format!("const a = [{}]", table.join(",")), "const a = [[[['a', 'b']], [['c']]]]"]);
    let base64 = "aGVsbG8gd29ybGQh".repeat(8);
    let codes: Vec<String> = (0..24).map(|at| (97 + at).to_string()).collect();
    finds(
        Check::Encoded,
        &[
            &format!("atob('{base64}')"),
            &format!("const data = '{base64}', decode = globalThis.atob; decode(data); atob('')"),
            &format!("Uint8Array['from' + 'Base64'](`{base64}`)"),
            &format!("String.fromCharCode({})", codes.join(",")),
            &format!("String.fromCharCode(...[{}])", codes.join(",")),
        ],
    );
    finds(Check::MangledNames, &["const _0x1a2b = 1, _0x1a2c = 2, _0x1a2d = 3, _0x1a2e = 4, _0x1a2f = 5"]);
    finds(Check::LongLine, &[&format!("// {}", "x ".repeat(1000))]);
    let words: Vec<String> = (0..40).map(|at| format!("'word number {at}'")).collect();
    passes(&[
        &format!("export const words = [{}]", words.join(",")),
        &format!("export const data = '{base64}'"),
        "export const short = atob('aGVsbG8=')",
        "export const chinese = '\\u4e2d\\u6587\\u5b57\\u7b26\\u4e32'",
        "export const zero = '\\x00\\x01\\x02\\x03\\x1b'",
        "const _0x1a2b = 1, _0x1a2c = 2, _0x1a2d = 3, _0x1a2e = 4",
        "export const codes = String.fromCharCode(104, 105)",
        &format!("// {}", "x".repeat(1997)),
    ]);
}
