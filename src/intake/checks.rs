//! What intake refuses although it parses: imports from outside the artifact, and syntax that the engine or the type stripper lacks.

use super::Fault;
use super::refusal::{Refusal, quoted};
use oxc::ast::ast::{
    AccessorProperty, Decorator, ImportDeclarationSpecifier, ImportExpression, ImportOrExportKind, ImportPhase, Program, Statement,
    StringLiteral, TSModuleReference, WithClause,
};
use oxc::ast_visit::{Visit, walk};
use std::collections::BTreeSet;

/// Refuses what `program`, module `name` of an artifact that has `modules`, may not contain.
pub(super) fn check(program: &Program<'_>, name: &str, modules: &BTreeSet<&str>) -> Result<(), Fault> {
    for statement in &program.body {
        check_statement(statement, name, modules)?;
    }
    // The walk over everything is only worth its time when the text holds one of its words.
    if ["@", "accessor", "import."].iter().any(|word| program.source_text.contains(word)) {
        let mut missing = Missing(None);
        missing.visit_program(program);
        return missing.0.map_or(Ok(()), Err);
    }
    Ok(())
}

/// The module declarations among the top statements; every other statement passes.
fn check_statement(statement: &Statement<'_>, name: &str, modules: &BTreeSet<&str>) -> Result<(), Fault> {
    let (source, clause) = match statement {
        Statement::ImportDeclaration(import) => {
            refuse_phase(import.phase, import.span.start)?;
            let types_only = import.import_kind == ImportOrExportKind::Type
                || import.specifiers.as_ref().is_some_and(|list| !list.is_empty() && list.iter().all(is_type));
            if types_only {
                return Ok(());
            }
            (&import.source, &import.with_clause)
        }
        Statement::ExportFromDeclaration(export) if export.export_kind == ImportOrExportKind::Value => {
            (&export.source, &export.with_clause)
        }
        Statement::ExportAllDeclaration(export) if export.export_kind == ImportOrExportKind::Value => (&export.source, &export.with_clause),
        Statement::TSExportAssignment(export) => return Err((Refusal::CommonJs("export ="), export.span.start)),
        Statement::TSImportEqualsDeclaration(import) => {
            let required = matches!(import.module_reference, TSModuleReference::ExternalModuleReference(_));
            let erased = import.import_kind == ImportOrExportKind::Type;
            return if required && !erased { Err((Refusal::CommonJs("import … = require(…)"), import.span.start)) } else { Ok(()) };
        }
        // Nothing else at the top of a module names another module.
        _ => return Ok(()),
    };
    check_specifier(source, name, modules)?;
    check_attributes(clause.as_deref())
}

/// True for `type T` in an import list.
fn is_type(specifier: &ImportDeclarationSpecifier<'_>) -> bool {
    match specifier {
        ImportDeclarationSpecifier::ImportSpecifier(specifier) => specifier.import_kind == ImportOrExportKind::Type,
        ImportDeclarationSpecifier::ImportDefaultSpecifier(_) | ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => false,
    }
}

fn refuse_phase(phase: Option<ImportPhase>, at: u32) -> Result<(), Fault> {
    match phase {
        None => Ok(()),
        Some(ImportPhase::Source) => Err((Refusal::Phase("source"), at)),
        Some(ImportPhase::Defer) => Err((Refusal::Phase("defer"), at)),
    }
}

fn check_attributes(clause: Option<&WithClause<'_>>) -> Result<(), Fault> {
    match clause {
        Some(clause) if !clause.with_entries.is_empty() => Err((Refusal::Attributes, clause.span.start)),
        Some(_) | None => Ok(()),
    }
}

fn check_specifier(source: &StringLiteral<'_>, name: &str, modules: &BTreeSet<&str>) -> Result<(), Fault> {
    let specifier = source.value.as_str();
    if resolve(name, specifier).is_some_and(|target| modules.contains(target.as_str())) {
        return Ok(());
    }
    let meant = meant(name, specifier, modules);
    Err((Refusal::Import { specifier: quoted(specifier), meant }, source.span.start))
}

/// The module that `specifier` names when module `from` says it; `None` unless it is relative and stays inside the artifact.
pub(super) fn resolve(from: &str, specifier: &str) -> Option<String> {
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        return None;
    }
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for segment in specifier.split('/') {
        match segment {
            "." => {}
            ".." => {
                path.pop()?;
            }
            segment => path.push(segment),
        }
    }
    Some(path.join("/"))
}

/// The specifier that was probably meant: `./lib`, `lib` or `./lib.js` where the module is `lib.ts`.
fn meant(from: &str, specifier: &str, modules: &BTreeSet<&str>) -> Option<String> {
    let relative = if specifier.starts_with('.') { specifier.to_owned() } else { format!("./{specifier}") };
    let stem = [".js", ".mjs", ".ts", ".mts"].iter().find_map(|end| relative.strip_suffix(end)).unwrap_or(&relative);
    ["", ".ts", ".js", ".mts", ".mjs"]
        .iter()
        .map(|end| format!("{stem}{end}"))
        .find(|candidate| resolve(from, candidate).is_some_and(|target| modules.contains(target.as_str())))
        .map(|candidate| quoted(&candidate))
}

/// The first piece of syntax that is not supported.
struct Missing(Option<Fault>);

impl Missing {
    fn found(&mut self, refusal: Refusal, at: u32) {
        if self.0.as_ref().is_none_or(|(_, first)| at < *first) {
            self.0 = Some((refusal, at));
        }
    }
}

impl<'a> Visit<'a> for Missing {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.found(Refusal::Decorator, decorator.span.start);
    }

    fn visit_accessor_property(&mut self, property: &AccessorProperty<'a>) {
        self.found(Refusal::AutoAccessor, property.span.start);
        walk::walk_accessor_property(self, property);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if let Err((refusal, at)) = refuse_phase(import.phase, import.span.start) {
            self.found(refusal, at);
        }
        walk::walk_import_expression(self, import);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specifier_resolves_inside_the_artifact_or_not_at_all() {
        for (from, specifier, target) in [
            ("main.ts", "./a.ts", Some("a.ts")),
            ("lib/b.ts", "./a.ts", Some("lib/a.ts")),
            ("lib/b.ts", "../a.ts", Some("a.ts")),
            ("lib/b.ts", "./../lib/./a.ts", Some("lib/a.ts")),
            ("lib/b.ts", "../../a.ts", None),
            ("main.ts", "../a.ts", None),
            ("main.ts", "a.ts", None),
            ("main.ts", "/a.ts", None),
            ("main.ts", "", None),
            ("main.ts", "file:///a.ts", None),
        ] {
            assert_eq!(resolve(from, specifier).as_deref(), target, "{specifier} from {from}");
        }
    }

    #[test]
    fn a_near_miss_is_named_as_it_should_be_written() {
        let modules = BTreeSet::from(["main.ts", "lib/math.ts", "plain.js"]);
        for (from, specifier, expected) in [
            ("main.ts", "./lib/math", Some("./lib/math.ts")),
            ("main.ts", "./lib/math.js", Some("./lib/math.ts")),
            ("main.ts", "lib/math.ts", Some("./lib/math.ts")),
            ("lib/math.ts", "../plain", Some("../plain.js")),
            ("main.ts", "node:fs", None),
            ("main.ts", "../plain.js", None),
        ] {
            assert_eq!(meant(from, specifier, &modules).as_deref(), expected, "{specifier} from {from}");
        }
    }
}
