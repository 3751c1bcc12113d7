use super::*;

#[test]
fn env_has_variables_and_tokens_and_no_secret_that_is_injected() {
    let text = declarations(&orders(), &["Blob", "fetch"]);
    let members: Vec<&str> = text.lines().filter(|line| line.starts_with("  readonly") && line.ends_with(": string;")).collect();
    let (env, _) = text.split_once("interface Ctx").expect("both are there");
    assert!(env.contains("interface Env {\n  /**\n   * A variable of the profile.\n   */\n  readonly REGION: string;\n"), "{env}");
    assert!(members.contains(&"  readonly API_KEY: string;") && !text.contains("readonly CDN_KEY"), "{text}");
    assert!(text.contains("Secret CDN_KEY: the server sets the header `authorization`"), "{text}");
}

#[test]
fn rules_and_limits_are_in_comments_whose_end_no_pattern_is() {
    let text = declarations(&orders(), &["Blob", "fetch"]);
    assert!(text.contains(" * - 5000 ms of CPU time (waiting costs none), 30000 ms from start to end\n"), "{text}");
    let rule = " * - GET, POST api.example: https, port 443, the path /v1 and those below it; answers of at most 10 MiB; 50 requests; \
                reason: \"orders API, ticket 4711\"\n";
    assert!(text.contains(rule), "{text}");
    assert!(text.contains("paths that begin with /*\\/images/; answers of at most 1000 bytes; 1 request;"), "{text}");
    assert!(text.contains(" * Blob fetch\n"), "{text}");
    let canned = declarations(&canned(1), &[]);
    assert!(canned.contains(" * - any method https://api.example/v0/*\\/x\n"), "{canned}");
}

#[test]
fn a_profile_without_variables_has_an_empty_env() {
    for profile in shipped().iter() {
        assert!(declarations(profile, &["fetch"]).contains("interface Env {}\n"));
    }
}

#[test]
fn a_name_that_is_no_identifier_is_quoted() {
    let text = declarations(&hostile(), &[]);
    let rows = [
        "constructor",
        "class",
        "\"not-a-name\"",
        "__proto__",
        "\"0\"",
        "\"ä\"",
        "$",
        "let",
        "\"\"",
        "\"\\\\\"",
        "\"\\\"; escaped(); \\\"\"",
    ];
    for name in rows {
        assert!(text.contains(&format!("\n  readonly {name}: string;\n")), "{name}");
    }
}
