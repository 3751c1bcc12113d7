//! What a snippet's result is. The table is in the room's page.

use super::shape::is_function;
use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Function, IdentifierReference, Program, Statement, VariableDeclarationKind, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::span::Span;
use oxc::syntax::scope::ScopeFlags;

/// What a snippet's result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The function declared by this statement, which nothing else mentions.
    Function(usize),
    /// The variable declared by this statement: it holds a function, and nothing else mentions it.
    Variable(usize),
    /// The expression of this statement.
    Expression(usize),
    /// The directive at the end of a snippet that has nothing else, such as `"text"`.
    Directive,
    /// There is none: it runs for its effects.
    Nothing,
}

/// The last statement that does something decides. Types do nothing; a function that is mentioned elsewhere is a helper, wherever it stands.
pub(super) fn ending(program: &Program<'_>) -> Ending {
    let mut helpers_follow = false;
    for (at, statement) in program.body.iter().enumerate().rev() {
        match statement {
            // An expression that is returned or awaited before its helpers are there could not use them.
            Statement::ExpressionStatement(_) if helpers_follow => return Ending::Nothing,
            Statement::ExpressionStatement(_) => return Ending::Expression(at),
            Statement::FunctionDeclaration(function) if is_main(function, program) => return Ending::Function(at),
            Statement::VariableDeclaration(_) => match held_function(statement) {
                Some((name, span)) if !is_mentioned(name.name.as_str(), span, program) => return Ending::Variable(at),
                Some(_) => helpers_follow = true,
                None => return Ending::Nothing,
            },
            Statement::FunctionDeclaration(_)
            | Statement::EmptyStatement(_)
            | Statement::ImportDeclaration(_)
            | Statement::ExportNamedDeclaration(_)
            | Statement::ExportDeclaration(_)
            | Statement::TSTypeAliasDeclaration(_)
            | Statement::TSInterfaceDeclaration(_) => {}
            // Every other statement runs for its effects.
            _ => return Ending::Nothing,
        }
    }
    if program.body.is_empty() && !program.directives.is_empty() { Ending::Directive } else { Ending::Nothing }
}

/// The variable that `statement` declares, if it declares one by a simple name and that holds a function; also where its declarator stands.
pub(super) fn held_function<'s, 'a>(statement: &'s Statement<'a>) -> Option<(&'s BindingIdentifier<'a>, Span)> {
    let Statement::VariableDeclaration(variables) = statement else { return None };
    let plain = match variables.kind {
        VariableDeclarationKind::Const | VariableDeclarationKind::Let | VariableDeclarationKind::Var => !variables.declare,
        // It is disposed of before anyone could call it.
        VariableDeclarationKind::Using | VariableDeclarationKind::AwaitUsing => false,
    };
    let ([only], true) = (variables.declarations.as_slice(), plain) else { return None };
    let BindingPattern::BindingIdentifier(name) = &only.id else { return None };
    only.init.as_ref().is_some_and(is_function).then_some((&**name, only.span))
}

/// True for a function that has a body and that nothing outside it mentions.
fn is_main(function: &Function<'_>, program: &Program<'_>) -> bool {
    let Some(id) = &function.id else { return false };
    function.body.is_some() && !function.declare && !is_mentioned(id.name.as_str(), function.span, program)
}

/// True when something in `program`, but for what stands at `but_for`, mentions `name`.
fn is_mentioned(name: &str, but_for: Span, program: &Program<'_>) -> bool {
    let mut mention = Mention { name, but_for, found: false };
    mention.visit_program(program);
    mention.found
}

/// A mention of a name outside one place.
struct Mention<'n> {
    name: &'n str,
    but_for: Span,
    found: bool,
}

impl<'a> Visit<'a> for Mention<'_> {
    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        self.found |= reference.name == self.name;
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        if function.span != self.but_for {
            walk::walk_function(self, function, flags);
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if declarator.span != self.but_for {
            walk::walk_variable_declarator(self, declarator);
        }
    }
}
