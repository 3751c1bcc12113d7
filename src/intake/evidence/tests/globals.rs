use super::*;
use crate::intake::evidence::globals::{OFFERED, instead};

#[test]
fn the_table_is_what_the_isolate_shows() {
    let surface = include_str!("../../../../tests/behaviour/surface/list.txt");
    let line = surface.lines().find_map(|line| line.strip_prefix("globalThis: ")).expect("the line of the global object");
    let names = line.split(' ').filter(|name| !name.starts_with('['));
    let mut names: Vec<&str> = names.map(|name| name.split('{').next().expect("split gives one at least")).collect();
    names.sort_unstable();
    assert_eq!(OFFERED, names);
}

#[test]
fn a_free_name_that_is_not_offered_is_found_once_with_a_mend() {
    let source = "process.exit(1); process.env; require('fs'); nothing_like_it";
    let evidence = examine(&order(&[("main.ts", source)], false));
    let told: Vec<_> = evidence.hits.iter().map(|hit| (hit.check, hit.message.as_str(), hit.location.column)).collect();
    assert_eq!(
        told,
        [
            (Check::GlobalUnknown, "`process` is not defined here", 1),
            (Check::GlobalUnknown, "`require` is not defined here", 31),
            (Check::GlobalUnknown, "`nothing_like_it` is not defined here", 46)
        ]
    );
    assert!(evidence.hits[0].remediation.contains("`env`"));
    assert!(OFFERED.iter().all(|name| instead(name).is_none()), "no advice against what is there");
    finds(Check::GlobalUnknown, &["wind\\u006fw.x", "WebAssembly.compile", "x = 1", "export default (b: number) => input + b"]);
}

#[test]
fn what_is_declared_offered_or_asked_for_passes() {
    passes(&[
        "fetch; JSON; structuredClone; addEventListener; hasOwnProperty",
        "export const here = typeof process !== 'undefined' ? process.env : {}",
        "function f() { return arguments.length }; f()",
        "let a: NodeJS.Process | undefined; a",
        "import type { Buffer } from 'x'; export const f = (a: Buffer): HTMLElement | Buffer => a as HTMLElement",
        "try { x() } catch (e) { e } function x() {}",
        "enum A { B, C = B } export default A.C",
    ]);
    for snippet in ["input.a + env.B", "return ctx.run", "```js\ninput\n```"] {
        assert_eq!(examine(&order(&[("main.ts", snippet)], true)).hits, [], "{snippet}");
    }
}
