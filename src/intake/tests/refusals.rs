use super::*;

#[test]
fn what_the_type_stripper_or_the_engine_lacks_is_refused_where_it_stands() {
    for (name, source, message, line, column) in [
        ("main.ts", "class A {\n  @dec m() {}\n}", "decorators are not supported", 2, 3),
        ("main.js", "@dec class A {}", "decorators are not supported", 1, 1),
        ("main.ts", "export default 1;\nclass A { f(@dec a: number) {} }", "decorators are not supported", 2, 13),
        ("main.ts", "const a = 1;\nexport default <div>{a}</div>;", "JSX is not supported", 2, 16),
        ("main.js", "export default <></>;", "JSX is not supported", 1, 16),
        ("main.js", "export default [1, <br/>];", "JSX is not supported", 1, 20),
        ("main.ts", "class A { accessor x = 1 }", "the `accessor` keyword is not supported", 1, 11),
        ("main.ts", "import a = require('a'); a", "`import … = require(…)` belongs to CommonJS; modules here are ECMAScript modules", 1, 1),
        ("main.ts", "const a = 1;\nexport = a", "`export =` belongs to CommonJS; modules here are ECMAScript modules", 2, 1),
        ("main.js", "import defer * as a from './main.js'", "`import defer` is not supported", 1, 1),
        ("main.js", "import source a from './main.js'", "`import source` is not supported", 1, 1),
        ("main.js", "f(import.source('./main.js'))", "`import source` is not supported", 1, 3),
        ("main.js", "import a from './main.js' with { type: 'json' }", "import attributes are not supported", 1, 32),
        ("main.js", "export * from './main.js' with { type: 'json' }", "import attributes are not supported", 1, 32),
    ] {
        let rejection = module(name, source).expect_err(source);
        assert_eq!((rejection.message.as_str(), &rejection.location), (message, &at(name, line, column)), "{source}");
        assert!(!rejection.remediation.is_empty() && rejection.denial.is_none(), "{source}");
    }
    for fine in
        ["const accessor = 1; f(accessor, '@', import.meta)", "import a from './main.js' with {}; f(a)", "import type a = require('a')"]
    {
        assert!(module("main.js", fine).or(module("main.ts", fine)).is_ok() || fine.contains("main.js"), "{fine}");
    }
}

#[test]
fn what_an_engine_checks_before_it_runs_is_refused_here() {
    for (source, line, column) in [
        ("const a = 1; const a = 2", 1, 7),
        ("break", 1, 1),
        ("a: { continue a }", 1, 1),
        ("export { nothing }", 1, 10),
        ("let await = 1", 1, 5),
        ("with (a) {}", 1, 1),
        ("var a = 010", 1, 9),
        ("delete a", 1, 8),
        ("class A { m() { this.#p } }", 1, 22),
        ("new.target", 1, 1),
        ("/(/", 1, 2),
        ("/[/v", 1, 1),
        ("function f() { super.x }", 1, 16),
        ("a = b => { 'use strict'; eval = 1 }", 1, 26),
        ("1 +\n\n", 3, 1),
        ("'\n'", 1, 1),
        ("1 + \0 2", 1, 5),
        ("<!-- a", 1, 1),
        ("return 1", 1, 1),
        ("f(`${`)", 1, 6),
    ] {
        let rejection = module("main.js", source).expect_err(source);
        assert_eq!(rejection.location, at("main.js", line, column), "{source}: {}", rejection.message);
        assert!(!rejection.message.is_empty() && !rejection.message.contains('\u{1b}'), "{source}");
    }
}

#[test]
fn what_typescript_lets_pass_and_javascript_does_not_is_refused_at_its_place() {
    for (source, message, line, column) in [
        ("type T = 1;\nexport default 1;\nexport default 2;", "A module cannot have multiple default exports.", 2, 1),
        ("const a: number = 1; const a: number = 2", "Identifier `a` has already been declared", 1, 7),
        ("let n: number = 1;\nconst x = await", "Unexpected token", 2, 16),
        ("enum E { A }\n  yield", "The keyword 'yield' is reserved", 2, 3),
        ("namespace N { export let a = 1 }", "a namespace exports a variable that is not a `const`, which is not supported", 1, 26),
    ] {
        let rejection = module("main.ts", source).expect_err(source);
        assert_eq!((rejection.message.as_str(), rejection.location), (message, at("main.ts", line, column)), "{source}");
    }
}

#[test]
fn columns_count_as_editors_do() {
    let rejection = module("main.js", "const 😀é = 1").expect_err("an emoji is no name");
    assert_eq!(rejection.location, at("main.js", 1, 7));
    let rejection = module("main.js", "f('😀é'); const a; ").expect_err("no value");
    assert_eq!(rejection.location, at("main.js", 1, 17), "the emoji is two units wide: {}", rejection.message);
    let rejection = module("main.js", "\u{feff}1\r\n2\r3\u{2028}const ;").expect_err("no name");
    assert_eq!(rejection.location, at("main.js", 4, 7), "{}", rejection.message);
}

#[test]
fn an_import_reaches_the_modules_of_the_artifact_and_nothing_else() {
    let import = |from: &str, statement: &str| {
        let modules = [("main.ts", "export {}"), ("lib/a.ts", "export {}"), ("lib/b.js", "export {}")];
        let modules: Vec<_> = modules.iter().map(|&(name, source)| (name, if name == from { statement } else { source })).collect();
        prepare(&order(&modules, false))
    };
    for (from, statement) in [
        ("main.ts", "import './lib/a.ts'"),
        ("main.ts", "import * as a from \"./lib/../lib/b.js\"; f(a)"),
        ("lib/a.ts", "export * from './b.js'"),
        ("lib/b.js", "export { default } from '../main.ts'"),
        ("main.ts", "import type { A } from 'somewhere'; import { type B } from 'https://a.example/b'; export type { C } from 'c'"),
        ("main.ts", "await import('anything')"),
    ] {
        assert!(import(from, statement).is_ok(), "{statement}");
    }
    for (from, statement, target, column) in [
        ("main.ts", "import fs from 'node:fs'; fs", "node:fs", 16),
        ("main.ts", "import unused from 'fs'", "fs", 20),
        ("main.ts", "import {} from 'fs'", "fs", 16),
        ("main.ts", "import 'https://a.example/m.js'", "https://a.example/m.js", 8),
        ("main.ts", "export * from 'data:text/javascript,1'", "data:text/javascript,1", 15),
        ("main.ts", "export { a } from 'npm:a'", "npm:a", 19),
        ("main.ts", "import 'lib/a.ts'", "lib/a.ts", 8),
        ("main.ts", "import '/lib/a.ts'", "/lib/a.ts", 8),
        ("main.ts", "import './lib/a'", "./lib/a", 8),
        ("main.ts", "import './lib/a.ts?x'", "./lib/a.ts?x", 8),
        ("main.ts", "import './lib//a.ts'", "./lib//a.ts", 8),
        ("main.ts", "import '../main.ts'", "../main.ts", 8),
        ("lib/b.js", "import '../../main.ts'", "../../main.ts", 8),
        ("lib/b.js", "import 'ext:core/mod.js'", "ext:core/mod.js", 8),
        ("main.ts", "import ''", "", 8),
    ] {
        let rejection = import(from, statement).expect_err(statement);
        assert_eq!(rejection.location, at(from, 1, column), "{statement}");
        let denial = rejection.denial.expect("it asked for a capability");
        assert_eq!((denial.capability.as_str(), denial.target.as_str(), denial.rule.as_str()), ("module", target, "module.own-only"));
        assert!(!denial.reason.is_empty() && !denial.remediation.is_empty(), "{statement}");
    }
    let near = import("main.ts", "import './lib/a'").expect_err("no ending");
    assert_eq!(near.remediation, "Name the module exactly, with its ending: `./lib/a.ts`.");
}

#[test]
fn a_long_specifier_is_cut_in_what_is_said_about_it() {
    let rejection = module("main.ts", &format!("import '{}'", "x".repeat(100_000))).expect_err("not there");
    let denial = rejection.denial.expect("it asked for a capability");
    assert_eq!(denial.target.chars().count(), 200);
    assert!(rejection.message.len() < 600 && denial.reason.len() < 600);
}

#[test]
fn a_return_at_the_top_is_for_snippets_without_exports() {
    let rejection = snippet("export const a = 1;\nreturn a").expect_err("both");
    assert_eq!(rejection.location, at("main.ts", 2, 1));
    assert_eq!(rejection.message, "`return` stands outside of every function, in a module that has exports");
    assert!(module("main.ts", "return 1").is_err());
}

#[test]
fn a_missing_main_module_and_an_unknown_kind_are_refused() {
    let mut missing = order(&[("main.ts", "1")], true);
    missing.main = "other.ts".to_owned();
    assert_eq!(prepare(&missing).expect_err("no main").message, "the main module `other.ts` is not among the modules");
    assert!(prepare(&PrepareOrder { modules: Vec::new(), main: String::new(), normalise: true }).is_err());
    for name in ["main.py", "main", "main.tsx", "main.jsx", "main.cjs"] {
        assert_eq!(module(name, "1").expect_err(name).message, format!("module `{name}` has no known kind"));
    }
}

#[test]
fn the_first_module_that_is_wrong_decides() {
    let rejection = prepare(&order(&[("main.ts", "1"), ("a.ts", "const a"), ("b.ts", "const b")], true)).expect_err("two are wrong");
    assert_eq!(rejection.location.map(|location| location.file), Some("a.ts".to_owned()));
}

#[test]
fn a_flood_of_errors_gives_one_short_message() {
    let rejection = module("main.ts", &"const const;\n".repeat(20_000)).expect_err("all wrong");
    assert!(rejection.message.chars().count() <= 500);
    assert_eq!(rejection.location, at("main.ts", 1, 7));
}

#[test]
fn a_variable_that_a_namespace_exports_is_refused_without_a_link() {
    for (source, column) in [
        ("namespace N { export let a = 1 }", 26),
        ("namespace N { export var a = 1, b }", 26),
        ("export namespace N.M { export let a: number }", 35),
        ("namespace N { namespace M { export let a = 1 } }", 40),
    ] {
        let rejection = module("main.ts", source).expect_err(source);
        assert_eq!(rejection.location, at("main.ts", 1, column), "{source}");
        let said = rejection.message + &rejection.remediation;
        assert!(said.contains("export functions that read and set it") && !said.contains("http") && !said.contains("Oxc"), "{said}");
    }
    for fine in ["namespace N { let a = 1; export function f() { return a } }", "declare namespace N { export let a: number }"] {
        assert!(module("main.ts", fine).is_ok(), "{fine}");
    }
}
