//! What the room promises, by the text that comes out.

mod blocks;
mod declarations;
mod length;
mod normalise;
mod odd;
mod positions;
mod refusals;
mod typescript;

use super::*;
use crate::model::Location;

fn order(modules: &[(&str, &str)], normalise: bool) -> PrepareOrder {
    let modules: Vec<(String, String)> = modules.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect();
    PrepareOrder { main: modules[0].0.clone(), modules, normalise }
}

/// One module as intake hands it on.
fn module(name: &str, source: &str) -> Result<ReadyModule, Rejection> {
    prepare(&order(&[(name, source)], false)).map(|mut modules| modules.remove(0))
}

/// A bare snippet as intake hands it on.
fn snippet(source: &str) -> Result<ReadyModule, Rejection> {
    prepare(&order(&[("main.ts", source)], true)).map(|mut modules| modules.remove(0))
}

fn code(ready: Result<ReadyModule, Rejection>) -> String {
    match ready {
        Ok(ready) => ready.code,
        Err(rejection) => format!("rejected: {} at {:?}", rejection.message, rejection.location),
    }
}

fn at(file: &str, line: u32, column: u32) -> Option<Location> {
    Some(Location { file: file.to_owned(), line, column })
}

#[test]
fn every_module_comes_out_in_the_order_it_came_in() {
    let ready = prepare(&order(
        &[("main.ts", "import { a } from './lib/a.ts'; export default a"), ("lib/a.ts", "export const a: number = 1")],
        false,
    ));
    let ready = ready.expect("both are right");
    assert_eq!(ready.iter().map(|module| module.name.as_str()).collect::<Vec<_>>(), ["main.ts", "lib/a.ts"]);
    assert_eq!(ready[1].code, "export const a = 1;\n");
}

#[test]
fn only_the_main_module_of_a_snippet_is_normalised() {
    let ready = prepare(&order(&[("main.ts", "import './lib.ts'; 1"), ("lib.ts", "1 + 1")], true)).expect("both are right");
    assert_eq!(ready[0].code, "import \"./lib.ts\";\nexport default 1;\n");
    assert_eq!(ready[1].code, "1 + 1");
    assert_eq!(code(module("main.ts", "1 + 1")), "1 + 1", "and no module of an artifact");
}

#[test]
fn the_warming_sample_is_accepted() {
    for normalise in [true, false] {
        prepare(&order(&[("main.ts", WARM_MAIN), ("lib.ts", WARM_LIB)], normalise)).expect("it must exercise the whole way");
    }
    warm();
}
