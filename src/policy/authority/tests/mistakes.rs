//! Mistakes in an operator's files.

use super::super::depth::{NESTING_MAX, OPERATORS_MAX};
use super::super::read::{ID_CHARS_MAX, POLICIES_MAX};
use super::*;
use crate::config::Mistake;

fn mistakes(files: &[(&str, &str)]) -> Vec<Mistake> {
    load(files).expect_err("there are mistakes").mistakes().to_vec()
}

/// Line and message of the one mistake in `text`.
fn only(text: &str) -> (u32, String) {
    let found = mistakes(&[("a.cedar", text)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].file.ends_with("a.cedar") && !found[0].mend.is_empty(), "{found:?}");
    (found[0].position.map_or(0, |position| position.line), found[0].message.clone())
}

#[test]
fn a_folder_without_policies_gets_the_built_in_ones_and_one_with_policies_only_its_own() {
    let built_in = Authority::load(None).expect("built in");
    let without = load(&[("untrusted.toml", ""), ("x.cedarschema", "nonsense"), ("cedar", "nonsense")]).expect("no policies");
    assert_eq!((without.digest(), without.policy_ids().count()), (built_in.digest(), built_in.policy_ids().count()));
    let own = policies("@id(\"mine\") permit (principal, action, resource);");
    assert_eq!(own.policy_ids().collect::<Vec<_>>(), ["mine"]);
    assert_ne!(own.digest(), built_in.digest());
}

#[test]
fn policies_of_folders_inside_the_folder_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("inside")).expect("made");
    std::fs::write(folder.path().join("inside/a.cedar"), "@id(\"x\") permit (principal, action, resource);").expect("written");
    assert!(Authority::load(Some(folder.path())).expect("built in").policy_ids().all(|id| id != "x"));
}

#[test]
fn a_folder_that_cannot_be_read_is_a_mistake_and_not_the_built_in_policies() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Authority::load(Some(&folder.path().join("none"))).is_err());
    std::fs::create_dir(folder.path().join("a.cedar")).expect("made");
    assert!(Authority::load(Some(folder.path())).is_err());
}

#[test]
fn policies_are_told_in_the_order_of_files_and_lines() {
    let two = "@id(\"b\")\npermit (principal, action, resource);\n\n// why\n@id(\"a\") forbid (principal, action, resource);";
    let authority = load(&[("z.cedar", two), ("a.cedar", "@id(\"c\") permit (principal, action, resource);")]).expect("no mistake");
    assert_eq!(authority.policy_ids().collect::<Vec<_>>(), ["c", "b", "a"]);
    let last = authority.policies().last().expect("three");
    assert_eq!((last.line, last.text.as_str()), (5, "@id(\"a\") forbid (principal, action, resource);"));
}

#[test]
fn every_mistake_of_every_file_is_told_at_once_with_its_line() {
    let found = mistakes(&[
        ("a.cedar", "@id(\"one\")\npermit (principal, action == Action::\"sumbit\", resource);\n\npermit (principal, action, resource);"),
        ("b.cedar", "@id(\"two\") permit (principal, action, resource)\n"),
        ("c.cedar", "@id(\"one\") permit (principal, action, resource);"),
    ]);
    let places: Vec<_> = found
        .iter()
        .map(|mistake| (mistake.file.rsplit('/').next().unwrap_or_default(), mistake.position.map_or(0, |position| position.line)))
        .collect();
    assert_eq!(places, [("a.cedar", 2), ("a.cedar", 4), ("b.cedar", 1), ("c.cedar", 1)], "{found:#?}");
    assert!(found[3].message.contains("`one`") && found[3].message.contains("a.cedar:1"), "{found:#?}");
}

#[test]
fn a_policy_that_does_not_validate_is_a_mistake_at_its_place() {
    for (text, says) in [
        ("@id(\"x\")\npermit (principal,\n action == Action::\"submit\", resource) when { resource.owner == principal };", "owner"),
        ("@id(\"x\") permit (principal in Role::\"admin\", action, resource)\n\n;", "admin"),
        ("@id(\"x\") permit (principal, action == Action::\"trial\", resource)\n\nwhen { context.listener == \"public\" };", ""),
        ("@id(\"x\") permit (principal, action == Action::\"trial\", resource)\n\nwhen { resource.tier };", ""),
        ("@id(\"x\") permit (principal, action, resource)\n\nwhen { resource.tier == 0 };", "tier"),
        ("@id(\"x\") permit (principal == User::\"x\", action, resource);", "User"),
    ] {
        let found = mistakes(&[("a.cedar", text)]);
        let told = |mistake: &Mistake| format!("{} {}", mistake.message, mistake.mend);
        assert!(found.iter().any(|mistake| told(mistake).contains(says) && told(mistake).contains("`x`")), "{text}: {found:#?}");
        assert!(found.iter().all(|mistake| mistake.position.is_some()), "{text}: {found:#?}");
    }
}

#[test]
fn a_template_is_not_supported() {
    let (line, message) = only("\n@id(\"x\") permit (principal == ?principal, action, resource);");
    assert_eq!(line, 2);
    assert!(message.contains("not supported"), "{message}");
}

#[test]
fn every_policy_needs_an_id_of_its_own_at_the_cap_and_not_one_past_it() {
    let with = |id: &str| format!("@id(\"{id}\") permit (principal, action, resource);");
    let longest = "x".repeat(ID_CHARS_MAX);
    assert_eq!(policies(&with(&longest)).policy_ids().collect::<Vec<_>>(), [longest.as_str()]);
    for id in [format!("{longest}x"), String::new(), "a b".to_owned(), "ü".to_owned(), "\\n".to_owned()] {
        assert!(only(&with(&id)).1.contains("is no id of a policy"), "{id}");
    }
    assert!(only("@id permit (principal, action, resource);").1.contains("is no id"));
    assert!(only("@name(\"x\") permit (principal, action, resource);").1.contains("has no id"));
    assert!(only(&format!("{}\n{}", with("x"), with("x"))).1.contains("the id `x`"));
}

#[test]
fn as_many_policies_as_allowed_load_and_one_more_does_not() {
    let file = |count: usize| -> String {
        (0..count).map(|number| format!("@id(\"p{number}\") permit (principal, action == Action::\"submit\", resource);\n")).collect()
    };
    assert_eq!(policies(&file(POLICIES_MAX)).policy_ids().count(), POLICIES_MAX);
    assert!(mistakes(&[("a.cedar", &file(POLICIES_MAX + 1))]).iter().any(|mistake| mistake.message.contains("1001 policies")));
}

#[test]
fn a_policy_that_can_never_apply_is_a_warning() {
    let authority = policies("@id(\"x\")\npermit (principal, action == Action::\"submit\", resource is Run);");
    let says = |part: &str| authority.warnings().iter().any(|warning| warning.message.contains("`x`") && warning.message.contains(part));
    assert!(says("impossible"), "{:?}", authority.warnings());
}

#[test]
fn the_digest_tells_names_and_texts_apart_and_not_folders() {
    let text = "@id(\"x\") permit (principal, action, resource);";
    let of = |name: &str, text: &str| load(&[(name, text)]).expect("no mistake").digest();
    assert_eq!(of("a.cedar", text), of("a.cedar", text));
    assert_ne!(of("a.cedar", text), of("b.cedar", text));
    assert_ne!(of("a.cedar", text), of("a.cedar", &format!("{text} ")));
}

#[test]
fn any_text_is_read_or_refused_without_a_panic() {
    for text in
        ["@", "permit", "@id(\"x\"", "\"\\u{110000}\"", "@id(\"x\") permit (principal, action, resource) when { 9999999999999999999 };"]
    {
        assert!(!mistakes(&[("a.cedar", text)]).is_empty(), "{text}");
    }
}

#[test]
fn a_policy_nested_as_deep_as_allowed_loads_and_what_nests_without_end_is_a_mistake() {
    let when = |condition: &str| format!("@id(\"x\") permit (principal, action == Action::\"submit\", resource) when {{ {condition} }};");
    let nested = |levels: usize| when(&format!("{}true{}", "(".repeat(levels), ")".repeat(levels)));
    // The head has two signs of its own, a condition one bracket.
    let chains = |terms: usize| {
        let elses = "if true then false else ".repeat(terms);
        [format!("0{} > 0", "+1".repeat(terms - 1)), format!("{elses}true"), format!("true{}", "&&true".repeat(terms / 2))]
    };
    assert_eq!(policies(&nested(NESTING_MAX - 1)).policy_ids().count(), 1);
    for chain in chains(OPERATORS_MAX - 2) {
        let authority = policies(&when(&chain));
        let verdict = ask(&authority, &who("key:1", Role::Agent), Action::Submit, resource_of(Action::Submit));
        assert!(verdict.errors.is_empty() || !verdict.allowed, "{verdict:?}");
    }
    for deep in chains(30_000).into_iter().map(|chain| when(&chain)).chain([nested(NESTING_MAX), nested(100_000)]) {
        let found = mistakes(&[("a.cedar", &deep)]);
        assert_eq!((found.len(), found[0].mend.as_str()), (1, "split the policy, or write a list"));
    }
}
