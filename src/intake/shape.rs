//! Giving a snippet the shape of a module. The table is in the room's page; nodes keep the places they had in the text.

use super::ending::{self, Ending, ending};
use oxc::allocator::{Allocator, ArenaVec, TakeIn};
use oxc::ast::ast::{
    Argument, ArrowFunctionBody, BindingPattern, BlockStatement, Class, Declaration, ExportDefaultDeclaration,
    ExportDefaultDeclarationKind, Expression, FormalParameter, FormalParameterKind, FormalParameters, Function, FunctionBody,
    ImportOrExportKind, Program, ReturnStatement, Statement,
};
use oxc::ast::builder::AstBuilder;
use oxc::ast_visit::Visit;
use oxc::semantic::Scoping;
use oxc::span::{GetSpan, SPAN, Span};
use oxc::syntax::scope::ScopeFlags;

/// The parameters of a wrapped snippet, and the names whose free use makes a snippet the body of a function.
const PARAMETERS: [&str; 3] = ["input", "env", "ctx"];

/// True when `program` exports a value, so that it is a module already.
pub(super) fn exports(program: &Program<'_>) -> bool {
    program.body.iter().any(|statement| match statement {
        Statement::ExportDefaultDeclaration(_) | Statement::TSExportAssignment(_) => true,
        Statement::ExportAllDeclaration(export) => export.export_kind == ImportOrExportKind::Value,
        Statement::ExportFromDeclaration(export) => export.export_kind == ImportOrExportKind::Value,
        Statement::ExportNamedDeclaration(export) => export.export_kind == ImportOrExportKind::Value && !export.specifiers.is_empty(),
        Statement::ExportDeclaration(export) => declares_value(&export.declaration),
        // Every other statement exports nothing.
        _ => false,
    })
}

/// True when something of the declaration is left once types are stripped.
fn declares_value(declaration: &Declaration<'_>) -> bool {
    match declaration {
        Declaration::VariableDeclaration(_)
        | Declaration::FunctionDeclaration(_)
        | Declaration::ClassDeclaration(_)
        | Declaration::TSEnumDeclaration(_)
        | Declaration::TSNamespaceDeclaration(_)
        | Declaration::TSImportEqualsDeclaration(_) => !declaration.declare(),
        Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => false,
    }
}

/// Where `return` stands outside every function, if it does.
pub(super) fn top_level_return(program: &Program<'_>) -> Option<Span> {
    let mut found = TopLevelReturn(None);
    if program.source_text.contains("return") {
        found.visit_program(program);
    }
    found.0
}

/// True when the snippet uses `input`, `env` or `ctx` without declaring it: it was written as the body of a function that has them.
pub(super) fn uses_parameters(scoping: &Scoping) -> bool {
    let free = scoping.root_unresolved_references();
    PARAMETERS.iter().any(|name| free.get(*name).is_some_and(|uses| uses.iter().any(|id| scoping.get_reference(*id).is_value())))
}

/// Makes the snippet's ending its default export.
pub(super) fn export_ending<'a>(allocator: &'a Allocator, program: &mut Program<'a>) -> Scopes {
    let build = AstBuilder::new(allocator);
    let ending = ending(program);
    let (at, kind) = match ending {
        Ending::Function(at) => match program.body[at].take_in(&build) {
            Statement::FunctionDeclaration(function) => (Some(at), ExportDefaultDeclarationKind::FunctionDeclaration(function)),
            _ => (Some(at), Expression::new_null_literal(SPAN, &build).into()),
        },
        Ending::Expression(at) => (Some(at), awaited(take_expression(&mut program.body[at], &build), &build).into()),
        Ending::Variable(at) => {
            (None, variable_name(&program.body[at], &build).unwrap_or_else(|| Expression::new_null_literal(SPAN, &build)).into())
        }
        Ending::Directive => (None, last_directive(program, &build).into()),
        Ending::Nothing => (None, Expression::new_null_literal(SPAN, &build).into()),
    };
    let export = Statement::ExportDefaultDeclaration(ExportDefaultDeclaration::boxed(kind.span(), kind, &build));
    match at {
        Some(at) => program.body[at] = export,
        None => program.body.push(export),
    }
    match ending {
        Ending::Variable(_) => Scopes::Changed,
        Ending::Function(_) | Ending::Expression(_) | Ending::Directive | Ending::Nothing => Scopes::Kept,
    }
}

/// Whether what is known of a program's scopes is still right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scopes {
    /// No scope and no mention of a name was added.
    Kept,
    /// They have to be analysed once more.
    Changed,
}

/// Makes the snippet the body of `export default async (input, env, ctx) => { … }`. With [`Falls::Result`] its ending is returned.
pub(super) fn wrap<'a>(allocator: &'a Allocator, program: &mut Program<'a>, falls: Falls) {
    let build = AstBuilder::new(allocator);
    match falls {
        Falls::Result => return_ending(program, &build),
        Falls::Undefined => {}
    }
    let (top, mut inner) = (ArenaVec::new_in(&build), ArenaVec::new_in(&build));
    let body = std::mem::replace(&mut program.body, top);
    for statement in body {
        if stays_on_top(&statement) { program.body.push(statement) } else { inner.push(statement) }
    }
    // A block of its own, so that `const input = …` in the snippet hides the parameter instead of clashing with it.
    let block = Statement::BlockStatement(BlockStatement::boxed(SPAN, inner, &build));
    let body = FunctionBody::boxed(SPAN, ArenaVec::new_in(&build), ArenaVec::from_array_in([block], &build), &build);
    let arrow = Expression::new_arrow_function_expression(
        SPAN,
        true,
        None,
        parameters(&build),
        None,
        ArrowFunctionBody::FunctionBody(body),
        &build,
    );
    program.body.push(Statement::ExportDefaultDeclaration(ExportDefaultDeclaration::boxed(SPAN, arrow.into(), &build)));
}

/// What a wrapped snippet gives when it runs to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Falls {
    /// Its ending.
    Result,
    /// Nothing: it says `return` where it means a result.
    Undefined,
}

fn return_ending<'a>(program: &mut Program<'a>, build: &AstBuilder<'a>) {
    let result = match ending(program) {
        Ending::Nothing => return,
        Ending::Directive => (None, last_directive(program, build)),
        Ending::Expression(at) => {
            let expression = take_expression(&mut program.body[at], build);
            (Some(at), if is_function(&expression) { called(expression, build) } else { expression })
        }
        Ending::Function(at) => {
            let Statement::FunctionDeclaration(function) = &program.body[at] else { return };
            let Some(id) = &function.id else { return };
            (None, called(Expression::new_identifier(id.span, id.name, build), build))
        }
        Ending::Variable(at) => {
            let Some(name) = variable_name(&program.body[at], build) else { return };
            (None, called(name, build))
        }
    };
    let (at, expression) = result;
    let give = Statement::ReturnStatement(ReturnStatement::boxed(expression.span(), Some(expression), build));
    match at {
        Some(at) => program.body[at] = give,
        None => program.body.push(give),
    }
}

/// `callee(input, env, ctx)`
fn called<'a>(callee: Expression<'a>, build: &AstBuilder<'a>) -> Expression<'a> {
    let arguments = ArenaVec::from_iter_in(PARAMETERS.map(|name| Argument::from(Expression::new_identifier(SPAN, name, build))), build);
    Expression::new_call_expression(callee.span(), callee, None, arguments, false, build)
}

/// `(input, env, ctx)`
fn parameters<'a>(build: &AstBuilder<'a>) -> oxc::allocator::Box<'a, FormalParameters<'a>> {
    let parameter = |name| {
        let pattern = BindingPattern::new_binding_identifier(SPAN, name, build);
        FormalParameter::new(SPAN, ArenaVec::new_in(build), pattern, None, None, false, None, false, false, build)
    };
    let items = ArenaVec::from_iter_in(PARAMETERS.map(parameter), build);
    FormalParameters::boxed(SPAN, FormalParameterKind::ArrowFormalParameters, items, None, build)
}

fn take_expression<'a>(statement: &mut Statement<'a>, build: &AstBuilder<'a>) -> Expression<'a> {
    match statement {
        Statement::ExpressionStatement(statement) => statement.expression.take_in(build),
        _ => Expression::new_null_literal(SPAN, build),
    }
}

/// The name of the variable that `statement` declares.
fn variable_name<'a>(statement: &Statement<'a>, build: &AstBuilder<'a>) -> Option<Expression<'a>> {
    let (name, _) = ending::held_function(statement)?;
    Some(Expression::new_identifier(name.span, name.name, build))
}

fn last_directive<'a>(program: &mut Program<'a>, build: &AstBuilder<'a>) -> Expression<'a> {
    match program.directives.pop() {
        Some(directive) => Expression::StringLiteral(oxc::allocator::Box::new_in(directive.expression, build)),
        None => Expression::new_null_literal(SPAN, build),
    }
}

/// Statements that may stand at the top of a module only.
fn stays_on_top(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::TSNamespaceDeclaration(_) | Statement::TSExternalModuleDeclaration(_) | Statement::TSGlobalDeclaration(_) => true,
        statement => statement.is_module_declaration() || matches!(statement, Statement::TSImportEqualsDeclaration(_)),
    }
}

pub(super) fn is_function(expression: &Expression<'_>) -> bool {
    matches!(expression.get_inner_expression(), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
}

/// `await expression`, unless the expression cannot be a promise by its form.
fn awaited<'a>(expression: Expression<'a>, build: &AstBuilder<'a>) -> Expression<'a> {
    let settled = matches!(
        expression.get_inner_expression(),
        Expression::ArrowFunctionExpression(_)
            | Expression::FunctionExpression(_)
            | Expression::ClassExpression(_)
            | Expression::ObjectExpression(_)
            | Expression::ArrayExpression(_)
            | Expression::TemplateLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::BigIntLiteral(_)
            | Expression::StringLiteral(_)
            | Expression::BinaryExpression(_)
            | Expression::UnaryExpression(_)
            | Expression::UpdateExpression(_)
            | Expression::AwaitExpression(_)
    );
    if settled { expression } else { Expression::new_await_expression(expression.span(), expression, build) }
}

/// The first `return` outside every function.
struct TopLevelReturn(Option<Span>);

impl<'a> Visit<'a> for TopLevelReturn {
    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        self.0 = self.0.or(Some(statement.span));
    }

    // Functions have a `return` of their own, and inside an expression or a class there is none but theirs.
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}
    fn visit_expression(&mut self, _: &Expression<'a>) {}
    fn visit_class(&mut self, _: &Class<'a>) {}
}
