//! Reading a source: as JavaScript where it is JavaScript, as TypeScript otherwise, and for a snippet as one expression where that is what it is.

use super::refusal::Refusal;
use super::{Fault, Language, nesting, trail};
use oxc::allocator::{Allocator, ArenaVec};
use oxc::ast::ast::{ExportDefaultDeclaration, Expression, JSXElement, JSXFragment, Program, Statement};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::Visit;
use oxc::diagnostics::{Diagnostics, OxcDiagnostic, Severity};
use oxc::parser::{ParseOptions, Parser};
use oxc::span::{GetSpan, SourceType, Span};

/// A source as a tree.
pub(super) struct Reading<'a> {
    /// The tree.
    pub(super) program: Program<'a>,
    /// What it was read as: JavaScript, whatever the module's name says, when it is valid JavaScript.
    pub(super) language: Language,
    /// True when the tree says more than the text: the text is an expression and the tree exports it.
    pub(super) reshaped: bool,
}

/// What the caller sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A module.
    Module,
    /// Model output: `return` may stand at the top, and the whole may be one expression.
    Snippet,
    /// The text of a block that is marked as JSON: one expression.
    Value,
}

/// Reads `text`.
pub(super) fn read<'a>(allocator: &'a Allocator, text: &'a str, language: Language, form: Form) -> Result<Reading<'a>, Fault> {
    if let Some(at) = nesting::too_deep_at(text) {
        return Err((Refusal::TooDeep { steps: nesting::STEPS_MAX, links: nesting::LINKS_MAX }, offset(at)));
    }
    let reading = match form {
        Form::Module => read_module(allocator, text, language, form),
        Form::Snippet => read_snippet(allocator, text, language),
        Form::Value => read_expression(allocator, text, language),
    };
    reading.map_err(|fault| jsx(allocator, text).unwrap_or(fault))
}

/// A module, or else an expression. What is neither has the error of the module.
fn read_snippet<'a>(allocator: &'a Allocator, text: &'a str, language: Language) -> Result<Reading<'a>, Fault> {
    let module = read_module(allocator, text, language, Form::Snippet);
    if module.as_ref().is_ok_and(|reading| !is_one_block(&reading.program)) {
        return module;
    }
    read_expression(allocator, text, language).or(module)
}

/// `{ a: 1 }` is a block with a label, and yet hardly ever meant as one.
fn is_one_block(program: &Program<'_>) -> bool {
    let Some((Statement::BlockStatement(_), rest)) = program.body.split_first() else { return false };
    rest.iter().all(|statement| matches!(statement, Statement::EmptyStatement(_)))
}

fn read_module<'a>(allocator: &'a Allocator, text: &'a str, language: Language, form: Form) -> Result<Reading<'a>, Fault> {
    let mut result = parse(allocator, text, Language::JavaScript, form);
    if language == Language::TypeScript && result.is_err() {
        result = parse(allocator, text, Language::TypeScript, form);
    }
    result
}

/// Parses `text`, whose depth is known to be bounded, in one language.
pub(super) fn parse<'a>(allocator: &'a Allocator, text: &'a str, language: Language, form: Form) -> Result<Reading<'a>, Fault> {
    let parsed = Parser::new(allocator, text, source_type(language)).with_options(options(form)).parse();
    match first_error(&parsed.diagnostics) {
        Some(fault) => Err(fault),
        None => Ok(Reading { program: parsed.program, language, reshaped: false }),
    }
}

/// The whole text, but for semicolons and comments at its end, as one expression: an object literal or a function without a name.
fn read_expression<'a>(allocator: &'a Allocator, text: &'a str, language: Language) -> Result<Reading<'a>, Fault> {
    let code = trail::without(text);
    let mut result = parse_expression(allocator, text, code, Language::JavaScript);
    if language == Language::TypeScript && result.is_err() {
        result = parse_expression(allocator, text, code, Language::TypeScript);
    }
    result
}

/// Parses `code`, the beginning of `text`, as an expression.
fn parse_expression<'a>(allocator: &'a Allocator, text: &'a str, code: &'a str, language: Language) -> Result<Reading<'a>, Fault> {
    let parser = Parser::new(allocator, code, source_type(language)).with_options(options(Form::Snippet));
    match parser.parse_expression() {
        Ok(expression) => Ok(Reading { program: exporting(allocator, text, source_type(language), expression), language, reshaped: true }),
        Err(errors) => Err(first_error(&errors).unwrap_or((Refusal::NoExpression, 0))),
    }
}

/// A module that exports `expression` and does nothing else.
fn exporting<'a>(allocator: &'a Allocator, text: &'a str, source_type: SourceType, expression: Expression<'a>) -> Program<'a> {
    let build = AstBuilder::new(allocator);
    let export = ExportDefaultDeclaration::boxed(expression.span(), expression.into(), &build);
    let body = ArenaVec::from_array_in([Statement::ExportDefaultDeclaration(export)], &build);
    let span = Span::new(0, offset(text.len()));
    Program::new(span, source_type, text, ArenaVec::new_in(&build), None, ArenaVec::new_in(&build), body, &build)
}

/// The refusal to give when the text fails to parse only because it holds JSX.
fn jsx(allocator: &Allocator, text: &str) -> Option<Fault> {
    if !text.contains("</") && !text.contains("/>") {
        return None;
    }
    let parsed = Parser::new(allocator, text, SourceType::tsx().with_module(true)).with_options(options(Form::Snippet)).parse();
    if parsed.diagnostics.has_errors() {
        return None;
    }
    let mut first = FirstJsx(None);
    first.visit_program(&parsed.program);
    first.0.map(|at| (Refusal::Jsx, at))
}

/// Where JSX begins.
struct FirstJsx(Option<u32>);

impl<'a> Visit<'a> for FirstJsx {
    fn visit_jsx_element(&mut self, element: &JSXElement<'a>) {
        self.0 = self.0.or(Some(element.span.start));
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment<'a>) {
        self.0 = self.0.or(Some(fragment.span.start));
    }
}

fn source_type(language: Language) -> SourceType {
    match language {
        Language::JavaScript => SourceType::mjs(),
        // Its own default is to find out whether it is a module, and a script is read by laxer rules.
        Language::TypeScript => SourceType::ts().with_module(true),
    }
}

fn options(form: Form) -> ParseOptions {
    let allow_return_outside_function = match form {
        Form::Snippet => true,
        Form::Module | Form::Value => false,
    };
    ParseOptions { parse_regular_expression: true, allow_return_outside_function, ..ParseOptions::default() }
}

/// The first error as a fault; warnings pass.
pub(super) fn first_error(diagnostics: &Diagnostics) -> Option<Fault> {
    diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error).map(|error| (syntax(error), place(error)))
}

fn syntax(error: &OxcDiagnostic) -> Refusal {
    Refusal::Syntax { message: error.message.to_string(), help: error.help.as_ref().map(ToString::to_string) }
}

/// Where a diagnostic points, as a byte offset.
pub(super) fn place(diagnostic: &OxcDiagnostic) -> u32 {
    diagnostic.labels.first().map_or(0, |label| label.offset())
}

/// A byte offset as the parser counts; sources are far shorter than its range.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
