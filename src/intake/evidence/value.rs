//! What an expression says before it runs: the text it adds up to, the global or member it names.

use oxc::ast::ast::{BinaryExpression, Expression, MemberExpression, TemplateLiteral};
use oxc::semantic::Scoping;
use oxc::syntax::operator::BinaryOperator;

/// Longest text that is put together from parts, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// How many members deep a global is looked for (`globalThis.self.eval`).
const MEMBERS_MAX: usize = 4;

/// The expression without parentheses, types, and what a comma throws away.
pub(super) fn peel<'e, 'a>(expression: &'e Expression<'a>) -> &'e Expression<'a> {
    let mut at = expression.get_inner_expression();
    while let Expression::SequenceExpression(sequence) = at
        && let Some(last) = sequence.expressions.last()
    {
        at = last.get_inner_expression();
    }
    at
}

/// The member that `expression` is, with or without `?.`.
pub(super) fn member<'e, 'a>(expression: &'e Expression<'a>) -> Option<&'e MemberExpression<'a>> {
    match peel(expression) {
        Expression::ChainExpression(chain) => chain.expression.as_member_expression(),
        other => other.as_member_expression(),
    }
}

/// The property that `member` names, where the text says it.
pub(super) fn property(member: &MemberExpression<'_>) -> Option<String> {
    match member {
        MemberExpression::StaticMemberExpression(member) => Some(member.property.name.to_string()),
        MemberExpression::ComputedMemberExpression(member) => text(&member.expression),
        MemberExpression::PrivateFieldExpression(_) => None,
    }
}

/// The global that `expression` names, by itself or as a member of the global object.
pub(super) fn global(expression: &Expression<'_>, scoping: &Scoping) -> Option<String> {
    let mut at = expression;
    let mut named = None;
    for _ in 0..MEMBERS_MAX {
        if let Some(name) = free(at, scoping) {
            return match named {
                None => Some(name.to_owned()),
                Some(named) => is_global_object(name).then_some(named),
            };
        }
        let member = member(at)?;
        let property = property(member)?;
        match &named {
            None => named = Some(property),
            Some(_) if is_global_object(&property) => {}
            Some(_) => return None,
        }
        at = member.object();
    }
    None
}

/// True for a name of the global object.
pub(super) fn is_global_object(name: &str) -> bool {
    matches!(name, "globalThis" | "self")
}

/// The free name that `expression` is.
pub(super) fn free<'e>(expression: &'e Expression<'_>, scoping: &Scoping) -> Option<&'e str> {
    let Expression::Identifier(identifier) = peel(expression) else { return None };
    let reference = scoping.get_reference(identifier.reference_id.get()?);
    reference.symbol_id().is_none().then(|| identifier.name.as_str())
}

/// The text that `expression` adds up to: a literal, a template without holes, or a sum of such.
pub(super) fn text(expression: &Expression<'_>) -> Option<String> {
    match peel(expression) {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) => single(template).map(str::to_owned),
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => sum_text(sum),
        _ => None,
    }
}

fn sum_text(sum: &BinaryExpression<'_>) -> Option<String> {
    let mut whole = String::new();
    for part in parts(sum) {
        whole.push_str(&part_text(part)?);
        if whole.len() > TEXT_BYTES_MAX {
            return None;
        }
    }
    Some(whole)
}

/// The text of a literal; sums in sums are not followed, so that no source costs more than its length.
pub(super) fn part_text(part: &Expression<'_>) -> Option<String> {
    match peel(part) {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) => single(template).map(str::to_owned),
        _ => None,
    }
}

/// The operands of a sum of sums, from left to right.
pub(super) fn parts<'e, 'a>(sum: &'e BinaryExpression<'a>) -> Vec<&'e Expression<'a>> {
    let (mut parts, mut at) = (vec![&sum.right], &sum.left);
    while let Expression::BinaryExpression(inner) = peel(at)
        && inner.operator == BinaryOperator::Addition
    {
        parts.push(&inner.right);
        at = &inner.left;
    }
    parts.push(at);
    parts.reverse();
    parts
}

/// True when `expression` is text, whatever text: a timer or a constructor that gets it would have to compile it.
pub(super) fn is_text(expression: &Expression<'_>) -> bool {
    match peel(expression) {
        Expression::StringLiteral(_) | Expression::TemplateLiteral(_) => true,
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            parts(sum).iter().any(|part| matches!(peel(part), Expression::StringLiteral(_) | Expression::TemplateLiteral(_)))
        }
        _ => false,
    }
}

fn single<'e>(template: &'e TemplateLiteral<'_>) -> Option<&'e str> {
    let [only] = template.quasis.as_slice() else { return None };
    only.value.cooked.as_ref().map(|cooked| cooked.as_str())
}
