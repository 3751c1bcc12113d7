//! The one walk over a module's tree.

use super::names::Names;
use super::sink::{Sink, shown};
use super::value;
use super::{arrays, globals, pattern};
use crate::intake::read::{self, Form};
use crate::intake::{Fault, Language, checks};
use crate::model::Check;
use oxc::allocator::Allocator;
use oxc::ast::ast::{
    ArrayExpression, AssignmentExpression, BinaryExpression, BindingIdentifier, BindingPattern, CallExpression, Expression, IdentifierName,
    IdentifierReference, ImportExpression, MemberExpression, NewExpression, ObjectProperty, PrivateIdentifier, PropertyDefinition,
    RegExpLiteral, SimpleAssignmentTarget, StringLiteral, TSInterfaceDeclaration, TSType, TSTypeAliasDeclaration, TSTypeAnnotation,
    TemplateLiteral, UnaryExpression, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder};
use oxc::syntax::operator::{BinaryOperator, UnaryOperator};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at `text` of module `name`, which has been sent as `form`. A fault when it does not parse.
pub(super) fn look(name: &str, text: &str, language: Language, form: Form, modules: &BTreeSet<&str>) -> Result<Sink, Fault> {
    let allocator = Allocator::default();
    let reading = read::read(&allocator, text, language, form)?;
    // Its errors are the business of what prepares the module.
    let scoping = SemanticBuilder::new_compiler().build(&reading.program).semantic.into_scoping();
    let mut look = Look {
        source: text,
        scoping: &scoping,
        module: name,
        modules,
        sink: Sink::default(),
        names: Names::default(),
        harmless: BTreeSet::new(),
        tested: BTreeSet::new(),
        unknown: BTreeMap::new(),
        operands: BTreeSet::new(),
        encoded: Vec::new(),
        decodes: false,
    };
    look.visit_program(&reading.program);
    Ok(look.finish(form))
}

/// What the walk knows so far.
pub(super) struct Look<'l> {
    pub(super) source: &'l str,
    pub(super) scoping: &'l Scoping,
    module: &'l str,
    modules: &'l BTreeSet<&'l str>,
    pub(super) sink: Sink,
    names: Names,
    /// Offsets of names that are used in a harmless way: asked for their type, or compared with.
    harmless: BTreeSet<u32>,
    /// Names whose type is asked for, which is how code finds out what there is.
    tested: BTreeSet<String>,
    /// Free names that nobody offers, with the first place.
    unknown: BTreeMap<String, u32>,
    /// Offsets of operands of a sum that another one follows.
    pub(super) operands: BTreeSet<u32>,
    /// Long encoded literals.
    pub(super) encoded: Vec<u32>,
    /// True when something decodes such.
    pub(super) decodes: bool,
}

impl Look<'_> {
    fn finish(mut self, form: Form) -> Sink {
        self.tell_unknown(form);
        if self.decodes {
            for at in std::mem::take(&mut self.encoded) {
                self.sink.hit(Check::Encoded, at, "a long encoded literal, in a module that decodes such data");
            }
        }
        self.names.tell(&mut self.sink);
        self.sink
    }

    fn tell_unknown(&mut self, form: Form) {
        let wrapped = form != Form::Module;
        for (name, at) in std::mem::take(&mut self.unknown) {
            if self.tested.contains(&name) || (wrapped && globals::PARAMETERS.contains(&name.as_str())) {
                continue;
            }
            let mend = globals::instead(&name).unwrap_or(Check::GlobalUnknown.remediation());
            self.sink.hit_with(Check::GlobalUnknown, at, format!("`{}` is not defined here", shown(&name)), mend);
        }
    }

    fn name(&mut self, name: &str, span: oxc::span::Span) {
        let written = self.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        if written.contains("\\u") {
            self.sink.hit(Check::Escapes, span.start, format!("the name `{}` is written with escapes", shown(name)));
        }
        self.names.take(name, span.start);
    }

    fn unused_as_code(&mut self, operand: &Expression<'_>) {
        if let Expression::Identifier(identifier) = value::peel(operand) {
            self.harmless.insert(identifier.span.start);
        }
    }
}

impl<'a> Visit<'a> for Look<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.name(it.name.as_str(), it.span);
        let Some(id) = it.reference_id.get() else { return };
        let reference = self.scoping.get_reference(id);
        if reference.symbol_id().is_some() || !reference.is_value() {
            return;
        }
        let name = it.name.as_str();
        match name {
            "eval" | "Function" if !self.harmless.contains(&it.span.start) => self.compiles(name, it.span.start),
            "atob" => self.decodes = true,
            _ => {}
        }
        let known = [globals::INHERITED, globals::IMPLIED].iter().any(|names| names.contains(&name)) || globals::is_offered(name);
        if !known {
            self.unknown.entry(name.to_owned()).or_insert(it.span.start);
        }
    }

    fn visit_identifier_name(&mut self, it: &IdentifierName<'a>) {
        self.name(it.name.as_str(), it.span);
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.name(it.name.as_str(), it.span);
    }

    fn visit_private_identifier(&mut self, it: &PrivateIdentifier<'a>) {
        self.name(it.name.as_str(), it.span);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        match it.operator {
            UnaryOperator::Typeof => {
                self.unused_as_code(&it.argument);
                if let Some(name) = value::free(&it.argument, self.scoping) {
                    self.tested.insert(name.to_owned());
                }
            }
            UnaryOperator::Delete => {
                if let Some(member) = value::member(&it.argument) {
                    self.writes(member, it.span.start);
                }
            }
            UnaryOperator::UnaryPlus
            | UnaryOperator::UnaryNegation
            | UnaryOperator::LogicalNot
            | UnaryOperator::BitwiseNot
            | UnaryOperator::Void => {}
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        if it.operator == BinaryOperator::Addition {
            let parts = value::parts(it);
            self.sum(&parts);
            // The parts one by one: a sum of thousands is no deeper than its parts.
            parts.into_iter().for_each(|part| self.visit_expression(part));
            return;
        }
        match it.operator {
            BinaryOperator::Instanceof
            | BinaryOperator::Equality
            | BinaryOperator::Inequality
            | BinaryOperator::StrictEquality
            | BinaryOperator::StrictInequality => self.unused_as_code(&it.right),
            _ => {}
        }
        walk::walk_binary_expression(self, it);
    }

    fn visit_member_expression(&mut self, it: &MemberExpression<'a>) {
        if let Some(property) = value::property(it) {
            // Of its own properties none leads to code unless it is called, and `calls` looks at that.
            if property != "constructor" {
                self.unused_as_function(it.object());
            }
            self.reads(it, &property);
        }
        walk::walk_member_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.calls(&it.callee, &it.arguments, it.span.start);
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        self.calls(&it.callee, &it.arguments, it.span.start);
        walk::walk_new_expression(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        match value::text(&it.source) {
            None => self.sink.hit(Check::ImportDynamic, it.span.start, "`import()` of what is not a literal"),
            Some(specifier) => {
                let known = checks::resolve(self.module, &specifier).is_some_and(|target| self.modules.contains(target.as_str()));
                if !known {
                    let message = format!("`import()` of `{}`, which is not a module of this artifact", shown(&specifier));
                    self.sink.hit(Check::ImportDynamic, it.span.start, message);
                }
            }
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_simple_assignment_target(&mut self, it: &SimpleAssignmentTarget<'a>) {
        self.assigns(it);
        walk::walk_simple_assignment_target(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        let name = match &it.left {
            oxc::ast::ast::AssignmentTarget::AssignmentTargetIdentifier(identifier) => Some(identifier.name.to_string()),
            left => left.as_simple_assignment_target().and_then(|left| left.as_member_expression()).and_then(value::property),
        };
        self.named(name.as_deref(), &it.right);
        walk::walk_assignment_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (BindingPattern::BindingIdentifier(name), Some(init)) = (&it.id, &it.init) {
            self.named(Some(name.name.as_str()), init);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        self.named(it.key.static_name().as_deref(), &it.value);
        walk::walk_object_property(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if let Some(value) = &it.value {
            self.named(it.key.static_name().as_deref(), value);
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_array_expression(&mut self, it: &ArrayExpression<'a>) {
        if let Some(message) = arrays::table(it) {
            self.sink.hit(Check::StringTable, it.span.start, message);
        }
        if arrays::is_character_codes(it) {
            self.encoded.push(it.span.start);
        }
        walk::walk_array_expression(self, it);
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        let raw = it.raw.as_ref().map_or("", |raw| raw.as_str());
        self.literal(it.span.start, raw, it.value.as_str());
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        self.template(it);
        walk::walk_template_literal(self, it);
    }

    fn visit_reg_exp_literal(&mut self, it: &RegExpLiteral<'a>) {
        if let Some(pattern) = &it.regex.pattern.pattern
            && let Some(why) = pattern::slow(pattern, it.regex.flags)
        {
            self.sink.hit(Check::RegexSlow, it.span.start, why);
        }
    }

    // Types do nothing: what they say is gone before anything runs.
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}

    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}

    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}
}

impl Look<'_> {
    fn unused_as_function(&mut self, object: &Expression<'_>) {
        if value::free(object, self.scoping) == Some("Function") {
            self.unused_as_code(object);
        }
    }
}
