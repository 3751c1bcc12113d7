//! Calls: text that becomes code, patterns that are text, and decoders.

use super::look::Look;
use super::value;
use super::{arrays, pattern};
use crate::model::Check;
use oxc::ast::ast::{Argument, Expression, MemberExpression};

impl Look<'_> {
    /// `name` is used where it can compile text.
    pub(super) fn compiles(&mut self, name: &str, at: u32) {
        self.sink.hit(Check::CodeEval, at, format!("`{name}` turns text into code"));
    }

    /// A member that is read, called or written.
    pub(super) fn reads(&mut self, member: &MemberExpression<'_>, property: &str) {
        let at = oxc::span::GetSpan::span(member).start;
        match property {
            "eval" | "Function" if value::global(member.object(), self.scoping).is_some_and(|name| value::is_global_object(&name)) => {
                self.compiles(property, at);
            }
            "constructor" if is_function_by_its_text(member.object()) => {
                self.sink.hit(Check::CodeEval, at, "the constructor of a function turns text into code");
            }
            "fromCharCode" | "fromCodePoint" | "fromBase64" | "fromHex" => self.decodes = true,
            _ => {}
        }
    }

    /// A call of `callee`, with or without `new`.
    pub(super) fn calls(&mut self, callee: &Expression<'_>, arguments: &[Argument<'_>], at: u32) {
        let first = arguments.first().and_then(Argument::as_expression);
        let has_text = || arguments.iter().filter_map(Argument::as_expression).any(value::is_text);
        let member = value::member(callee);
        let property = member.and_then(value::property);
        if property.as_deref() == Some("constructor") && has_text() {
            self.sink.hit(Check::CodeEval, at, "a constructor that is read from an object is called with text");
        }
        if let (Some(member), Some("call" | "apply" | "bind")) = (member, property.as_deref())
            && value::global(member.object(), self.scoping).as_deref() == Some("Function")
        {
            self.compiles("Function", at);
        }
        if arrays::are_character_codes(arguments.iter().map(Argument::as_expression)) {
            self.encoded.push(at);
        }
        match value::global(callee, self.scoping).as_deref() {
            Some(timer @ ("setTimeout" | "setInterval")) if first.is_some_and(value::is_text) => {
                self.sink.hit(Check::CodeEval, at, format!("`{timer}` is given text instead of a function"));
            }
            Some("RegExp") => self.pattern(arguments, at),
            Some("atob") => self.decodes = true,
            _ => {}
        }
        if let (Some(member), Some(property)) = (member, property) {
            self.changes(member, &property, arguments, at);
        }
    }

    fn pattern(&mut self, arguments: &[Argument<'_>], at: u32) {
        let text_of = |at: usize| arguments.get(at).and_then(Argument::as_expression).and_then(value::text);
        if let Some(source) = text_of(0)
            && let Some(why) = pattern::slow_text(&source, &text_of(1).unwrap_or_default())
        {
            self.sink.hit(Check::RegexSlow, at, why);
        }
    }
}

/// True for what is a function whatever it does, so that its constructor compiles text: a function, a constructor, or a function's prototype.
fn is_function_by_its_text(object: &Expression<'_>) -> bool {
    match value::peel(object) {
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) | Expression::ClassExpression(_) => true,
        Expression::CallExpression(call) => {
            let asked = value::member(&call.callee).and_then(value::property).is_some_and(|name| name == "getPrototypeOf");
            let first = call.arguments.first().and_then(Argument::as_expression).map(value::peel);
            asked && matches!(first, Some(Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_)))
        }
        _ => {
            let Some(member) = value::member(object) else { return false };
            match value::property(member).as_deref() {
                Some("constructor") => true,
                Some("__proto__") => {
                    matches!(value::peel(member.object()), Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_))
                }
                _ => false,
            }
        }
    }
}
