//! Writes to built-in objects and prototypes.

use super::globals;
use super::look::Look;
use super::value;
use crate::model::Check;
use oxc::ast::ast::{Argument, Expression, MemberExpression, SimpleAssignmentTarget};
use oxc::span::GetSpan;

/// How many members deep a built-in root is looked for.
const MEMBERS_MAX: usize = 6;

/// Functions of `Object` and `Reflect` that change their first argument.
const CHANGERS: [&str; 7] = ["setPrototypeOf", "defineProperty", "defineProperties", "assign", "set", "deleteProperty", "freeze"];

impl Look<'_> {
    /// A target of an assignment, also in a pattern or a loop's head.
    pub(super) fn assigns(&mut self, target: &SimpleAssignmentTarget<'_>) {
        if let SimpleAssignmentTarget::AssignmentTargetIdentifier(identifier) = target {
            let unbound = identifier.reference_id.get().is_some_and(|id| self.scoping.get_reference(id).symbol_id().is_none());
            if unbound && is_builtin(identifier.name.as_str()) {
                self.tampers(identifier.span.start, &format!("the global `{}` is written to", identifier.name));
            }
        } else if let Some(member) = target.as_member_expression() {
            self.writes(member, member.span().start);
        } else if let Some(expression) = target.get_expression()
            && let Some(member) = value::member(expression)
        {
            self.writes(member, member.span().start);
        }
    }

    /// A member that is assigned to or deleted.
    pub(super) fn writes(&mut self, member: &MemberExpression<'_>, at: u32) {
        let property = value::property(member);
        let named = property.as_deref().unwrap_or_default();
        if named == "__proto__" {
            self.tampers(at, "the prototype of an object is replaced by way of `__proto__`");
        } else if self.is_global_object(member.object()) {
            if is_builtin(named) {
                self.tampers(at, &format!("the global `{named}` is written to"));
            }
        } else if named != "stackTraceLimit" && !is_handler(named) && self.is_shared(member.object()) {
            self.tampers(at, "a built-in object or prototype is written to");
        }
    }

    /// A call of member `property`, which may change its first argument or the object it is called on.
    pub(super) fn changes(&mut self, member: &MemberExpression<'_>, property: &str, arguments: &[Argument<'_>], at: u32) {
        if matches!(property, "__defineGetter__" | "__defineSetter__") && self.is_shared(member.object()) {
            self.tampers(at, &format!("`{property}` is called on a built-in object"));
            return;
        }
        let of = value::global(member.object(), self.scoping);
        if !matches!(of.as_deref(), Some("Object" | "Reflect")) || !CHANGERS.contains(&property) {
            return;
        }
        let Some(first) = arguments.first().and_then(Argument::as_expression) else { return };
        let second = arguments.get(1).and_then(Argument::as_expression).and_then(value::text);
        let changed = if self.is_global_object(first) { second.as_deref().is_some_and(is_builtin) } else { self.is_shared(first) };
        if changed {
            self.tampers(at, &format!("`{property}` is called with a built-in object"));
        }
    }

    fn tampers(&mut self, at: u32, message: &str) {
        self.sink.hit(Check::PrototypeTampering, at, message);
    }

    fn is_global_object(&self, expression: &Expression<'_>) -> bool {
        value::global(expression, self.scoping).is_some_and(|name| value::is_global_object(&name))
    }

    /// True for what all code of a run shares: a built-in, what hangs on one, and a prototype that is reached through an object.
    fn is_shared(&self, expression: &Expression<'_>) -> bool {
        let mut at = expression;
        for _ in 0..MEMBERS_MAX {
            if value::global(at, self.scoping).is_some_and(|name| is_builtin(&name)) {
                return true;
            }
            if let Expression::CallExpression(call) = value::peel(at) {
                let asked = value::member(&call.callee).and_then(value::property);
                return asked.is_some_and(|name| name == "getPrototypeOf");
            }
            let Some(member) = value::member(at) else { return false };
            let property = value::property(member).unwrap_or_default();
            let through = value::member(member.object()).and_then(value::property);
            if property == "__proto__" || (property == "prototype" && through.as_deref() == Some("constructor")) {
                return true;
            }
            at = member.object();
        }
        false
    }
}

/// True for a global that code relies on; handlers are there to be set, and the global object is its owner's.
fn is_builtin(name: &str) -> bool {
    globals::is_offered(name) && !value::is_global_object(name) && !is_handler(name)
}

fn is_handler(name: &str) -> bool {
    name.starts_with("on")
}
