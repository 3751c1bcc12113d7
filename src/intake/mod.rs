//! Intake: from sources as they were sent to modules that V8 can run. Pure functions for a cell that never runs what it reads.
//!
//! Each module is checked for depth before anything recursive sees it, parsed, checked for what an engine would refuse before running, and
//! for imports from outside its artifact. JavaScript is passed on byte for byte. TypeScript is stripped of types, with enums, namespaces and
//! parameter properties turned into code; class fields are defined, not assigned, as in ECMAScript. Nothing is lowered and nothing is type-checked.
//! A module named `.ts` that is valid JavaScript is JavaScript.
//!
//! A bare snippet (`normalise`) may come as models write it. Markdown around it is blanked in place. Then, unless it exports a value:
//!
//! | the snippet | becomes |
//! |---|---|
//! | one function without a name, or an object literal (`{ a: 1 }`, `{ fetch() { … } }`) | the default export |
//! | `return` outside every function | the body of `export default async (input, env, ctx) => { … }` |
//! | free use of `input`, `env` or `ctx` | the same, and its last expression is returned; a function there is called with the three |
//! | its last statement is an expression | the expression, awaited, is the default export (a function expression: the function itself) |
//! | its last statement declares a function that nothing else mentions (`function f() { … }`, `const f = () => …`) | that function is the default export |
//! | only a string | that string |
//! | anything else | `null` is the default export, after it ran |
//!
//! "Last" does not count types, imports, and functions that the rest mentions. Imports, and what else may only stand at the top of a module, stay there.
//!
//! Fences are made of backticks or tildes. A block may stand in a quote, with `>` before each of its lines.
//! Of several fenced blocks the only one marked as JavaScript or TypeScript is taken, else the only unmarked one, else none: the snippet is refused.
//! A lone block that is marked as JSON is one expression. A snippet that is one code span in a line (```` ```js 1 + 1 ``` ````) is what the span holds.
//! An expression is evaluated once. A block (`{ … }`) that also reads as an object literal is an object literal; semicolons and comments after it
//! do not matter. What no reading accepts is refused with the error of the module reading.

mod checks;
mod emit;
mod ending;
mod evidence;
mod fence;
mod growth;
mod markdown;
mod nesting;
mod place;
mod read;
mod refusal;
mod scan;
mod shape;
#[cfg(test)]
mod tests;
mod trail;
mod words;

pub use evidence::{OFFERED, Sarif, SarifColumns, SarifResult, SarifRule, check, examine, judge};
pub use growth::answer_bytes_max;

use crate::model::frame::{PrepareOrder, ReadyModule, Rejection};
use markdown::Look;
use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::semantic::Scoping;
use read::{Form, Reading};
use refusal::Refusal;
use shape::Scopes;
use std::collections::BTreeSet;

/// A refusal and the byte offset it is about.
type Fault = (Refusal, u32);

/// How a module is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    JavaScript,
    TypeScript,
}

/// Prepares every module of an artifact, in the order given. The first module that cannot be prepared decides the rejection, which the caller's source causes.
pub fn prepare(order: &PrepareOrder) -> Result<Vec<ReadyModule>, Rejection> {
    let names: BTreeSet<&str> = order.modules.iter().map(|(name, _)| name.as_str()).collect();
    if !names.contains(order.main.as_str()) {
        return Err(Refusal::NoMain(refusal::quoted(&order.main)).nowhere());
    }
    let ready = |(name, source): &(String, String)| prepare_module(name, source, form_of(order, name), &names);
    let ready: Vec<ReadyModule> = order.modules.iter().map(ready).collect::<Result<_, _>>()?;
    growth::check(order, &ready)?;
    Ok(ready)
}

/// Prepares a small sample, so that a zygote has touched the code and the tables that every intake cell needs. Call it before the first fork.
pub fn warm() {
    let modules = vec![("main.ts".to_owned(), WARM_MAIN.to_owned()), ("lib.ts".to_owned(), WARM_LIB.to_owned())];
    for normalise in [true, false] {
        // The sample's outcome is a test's business (`tests::the_warming_sample_is_accepted`).
        let _ = prepare(&PrepareOrder { modules: modules.clone(), main: "main.ts".to_owned(), normalise });
    }
}

/// The main module that [`warm`] prepares.
const WARM_MAIN: &str = include_str!("warm/main.ts");

/// The module that it imports.
const WARM_LIB: &str = include_str!("warm/lib.ts");

/// How module `name` was sent.
fn form_of(order: &PrepareOrder, name: &str) -> Form {
    if order.normalise && name == order.main { Form::Snippet } else { Form::Module }
}

fn prepare_module(name: &str, source: &str, form: Form, names: &BTreeSet<&str>) -> Result<ReadyModule, Rejection> {
    let Some(language) = language_of(name) else { return Err(Refusal::Kind(refusal::quoted(name)).nowhere()) };
    let result = match form {
        Form::Module | Form::Value => prepare_text(name, source, language, form, names),
        Form::Snippet => prepare_snippet(name, source, language, names),
    };
    result.map_err(|(refusal, offset)| refusal.at(name, source, offset as usize))
}

fn language_of(name: &str) -> Option<Language> {
    let ends = |endings: [&str; 2]| endings.iter().any(|ending| name.ends_with(ending));
    if ends([".ts", ".mts"]) {
        Some(Language::TypeScript)
    } else if ends([".js", ".mjs"]) {
        Some(Language::JavaScript)
    } else {
        None
    }
}

fn prepare_snippet(name: &str, source: &str, language: Language, names: &BTreeSet<&str>) -> Result<ReadyModule, Fault> {
    read_snippet(source, |text, form| prepare_text(name, text, language, form, names))
}

/// Gives `read` what of a snippet is code. A snippet that is Markdown by its look is read without it; one that may be gets that second chance
/// when it does not parse.
fn read_snippet<T>(source: &str, read: impl Fn(&str, Form) -> Result<T, Fault>) -> Result<T, Fault> {
    let unfenced = || markdown::unfence(source).and_then(|code| read(&code.text, code.form));
    if let Some(code) = markdown::span(source) {
        return read(&code.text, code.form);
    }
    match markdown::look(source) {
        Look::Markdown => unfenced(),
        Look::Code => read(source, Form::Snippet),
        Look::Either => match read(source, Form::Snippet) {
            Err((Refusal::Syntax { .. }, _)) => unfenced(),
            result => result,
        },
    }
}

/// Prepares the text of module `name`. Markdown in it has been blanked in place, so its positions are those of the text as sent.
fn prepare_text(name: &str, text: &str, language: Language, form: Form, names: &BTreeSet<&str>) -> Result<ReadyModule, Fault> {
    let allocator = Allocator::default();
    let Reading { mut program, language, reshaped } = read::read(&allocator, text, language, form)?;
    checks::check(&program, name, names)?;
    let (scoping, changed) = match form {
        Form::Module => (emit::analyse(&program)?, false),
        Form::Snippet | Form::Value => give_shape(&allocator, &mut program)?,
    };
    if language == Language::JavaScript && !reshaped && !changed {
        return Ok(ReadyModule { name: name.to_owned(), code: text.to_owned(), source_map: None });
    }
    let emitted = emit::emit(&allocator, &mut program, scoping, name, language)?;
    Ok(ReadyModule { name: name.to_owned(), code: emitted.code, source_map: emitted.source_map })
}

/// Makes a snippet a module, unless it is one; also gives its scopes, and whether the tree changed.
fn give_shape<'a>(allocator: &'a Allocator, program: &mut Program<'a>) -> Result<(Scoping, bool), Fault> {
    let exports = shape::exports(program);
    if let Some(at) = shape::top_level_return(program) {
        if exports {
            return Err((Refusal::StrayReturn, at.start));
        }
        shape::wrap(allocator, program, shape::Falls::Undefined);
        return Ok((emit::analyse(program)?, true));
    }
    let scoping = emit::analyse(program)?;
    if exports {
        return Ok((scoping, false));
    }
    if shape::uses_parameters(&scoping) {
        shape::wrap(allocator, program, shape::Falls::Result);
        return Ok((emit::analyse(program)?, true));
    }
    match shape::export_ending(allocator, program) {
        Scopes::Kept => Ok((scoping, true)),
        Scopes::Changed => Ok((emit::analyse(program)?, true)),
    }
}
