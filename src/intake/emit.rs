//! From tree to JavaScript: types stripped, TypeScript's own constructs turned into code, positions kept in a source map.

use super::read::{self, Form};
use super::refusal::Refusal;
use super::{Fault, Language, place};
use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::codegen::{Codegen, CodegenOptions, CodegenReturn, CommentOptions};
use oxc::semantic::{Scoping, SemanticBuilder};
use oxc::transformer::{TransformOptions, Transformer};
use std::path::Path;

/// JavaScript and the way back.
pub(super) struct Emitted {
    /// The code.
    pub(super) code: String,
    /// Source map (version 3, JSON), without the source itself.
    pub(super) source_map: Option<String>,
}

/// How the transformer's warning about `export let` in a namespace begins. Held by
/// `tests::refusals::what_typescript_lets_pass_and_javascript_does_not_is_refused_at_its_place`.
const NAMESPACE_VARIABLE: &str = "Namespaces exporting non-const";

/// Scopes and symbols of `program`, after the checks that an engine makes before it runs anything.
pub(super) fn analyse(program: &Program<'_>) -> Result<Scoping, Fault> {
    // Without enum evaluation a string enum that names another enum's member gets a reverse mapping it must not have.
    let analysed = SemanticBuilder::new_compiler().with_enum_eval(true).build(program);
    match read::first_error(&analysed.diagnostics) {
        Some(fault) => Err(fault),
        None => Ok(analysed.semantic.into_scoping()),
    }
}

/// Prints `program`, module `name`, turned into JavaScript where it is TypeScript.
pub(super) fn emit<'a>(
    allocator: &'a Allocator,
    program: &mut Program<'a>,
    scoping: Scoping,
    name: &str,
    language: Language,
) -> Result<Emitted, Fault> {
    match language {
        Language::JavaScript => {}
        Language::TypeScript => strip(allocator, program, scoping, name)?,
    }
    let options = CodegenOptions { source_map_path: Some(name.into()), comments: CommentOptions::disabled(), ..CodegenOptions::default() };
    let printed = Codegen::new().with_options(options).build(program);
    if language == Language::TypeScript {
        check_output(&printed, program.source_text)?;
    }
    let source_map = printed.map.map(|mut map| {
        // The caller has the text; sending it back a second time would double what crosses from cell to cell.
        map.set_source_contents(Vec::new());
        map.to_json_string()
    });
    Ok(Emitted { code: printed.code, source_map })
}

/// TypeScript is read more laxly than JavaScript: a second default export or a second body of a function comes through. What was printed is
/// therefore read once more, as the engine will read it, and an error is traced back to its place in `text`. It nests no deeper than what was read.
fn check_output(printed: &CodegenReturn<'_>, text: &str) -> Result<(), Fault> {
    let allocator = Allocator::default();
    let checked = read::parse(&allocator, &printed.code, Language::JavaScript, Form::Module).and_then(|reading| analyse(&reading.program));
    checked.map(drop).map_err(|(refusal, at)| (refusal, traced_back(printed, at, text)))
}

/// The byte offset in `text` of what stands at byte `at` of the printed code.
fn traced_back(printed: &CodegenReturn<'_>, at: u32, text: &str) -> u32 {
    let Some(map) = &printed.map else { return 0 };
    let (line, column) = place::of_offset(&printed.code, at as usize);
    let table = map.generate_lookup_table();
    let token = map.lookup_token(&table, line - 1, column - 1);
    token.map_or(0, |token| read::offset(place::to_offset(text, token.get_src_line() + 1, token.get_src_col() + 1)))
}

/// Strips types. The default options lower no JavaScript, so nothing can ask for a helper module.
fn strip<'a>(allocator: &'a Allocator, program: &mut Program<'a>, scoping: Scoping, name: &str) -> Result<(), Fault> {
    let done = Transformer::new(allocator, Path::new(name), &TransformOptions::default()).build_with_scoping(scoping, program);
    // Its warnings are about constructs that it leaves out of the output: silence would change what the code means.
    match done.diagnostics.iter().next() {
        Some(first) => Err((untransformable(&first.message), read::place(first))),
        None => Ok(()),
    }
}

/// The transformer's words about a namespace's variables name itself and a page of its own.
fn untransformable(message: &str) -> Refusal {
    if message.starts_with(NAMESPACE_VARIABLE) { Refusal::NamespaceVariable } else { Refusal::Untransformable(message.to_owned()) }
}
