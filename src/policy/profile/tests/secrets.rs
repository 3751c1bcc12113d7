//! `[[secret]]`, and how it fits the rules.

use super::egress::{extra, told};
use super::*;
use crate::model::{SecretGrant, SecretMode};

/// A profile with a rule for good.example (its lines in `rule`) and these secrets.
fn with(rule: &str, secrets: &str) -> Result<Arc<Profile>, ConfigErrors> {
    let head = "[vars]\nREGION = \"eu\"\n[egress]\nmode = \"allowlist\"\n[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n";
    extra(&format!("{head}{rule}\n{secrets}\n"))
}

/// A secret for good.example with these lines besides.
fn secret(lines: &str) -> String {
    format!("[[secret]]\nname = \"KEY\"\nhosts = [\"good.example\"]\nreason = \"r\"\n{lines}\n")
}

fn only(profile: Result<Arc<Profile>, ConfigErrors>) -> SecretGrant {
    profile.expect("right").egress.secrets.first().expect("a secret").clone()
}

#[test]
fn a_secret_is_by_itself_a_placeholder_that_fills_the_authorization_header() {
    let expected = SecretGrant {
        name: "KEY".into(),
        hosts: vec!["good.example".into()],
        methods: vec![],
        path_prefix: "/".into(),
        header: "authorization".into(),
        format: "{}".into(),
        mode: SecretMode::Placeholder,
        reason: "r".into(),
    };
    assert_eq!(only(with("", &secret(""))), expected);
}

#[test]
fn every_key_of_a_secret_is_read() {
    let lines = "methods = [\"GET\"]\npath_prefix = \"/v1/\"\nheader = \"X-Api-Key\"\nformat = \"Key {}\"\nmode = \"inject\"";
    let grant = only(with("path_prefix = \"/v1/orders\"", &secret(lines)));
    assert_eq!((grant.methods, grant.path_prefix, grant.header), (vec!["GET".to_owned()], "/v1/".to_owned(), "x-api-key".to_owned()));
    assert_eq!((grant.format, grant.mode), ("Key {}".to_owned(), SecretMode::Inject));
}

#[test]
fn a_secret_bound_to_less_than_exact_hosts_and_one_header_is_refused() {
    for bad in [
        "methods = []",
        "methods = [\"get\"]",
        "path_prefix = \"v1\"",
        "path_prefix = \"/%2e\"",
        "header = \"host\"",
        "header = \"Connection\"",
        "header = \"proxy-authorization\"",
        "header = \"content-length\"",
        "header = \"\"",
        "format = \"\"",
        "format = \"{}{}\"",
        "format = \"{}\\r\\n\"",
        "mode = \"env\"",
        "value = \"x\"",
    ] {
        assert_eq!(told(with("", &secret(bad))).len(), 1, "{bad}");
    }
    assert!(with("", &secret("header = \"cookie\"\nformat = \"sid={}\"")).is_ok());
    for hosts in [
        "[]",
        "[\"*.good.example\"]",
        "[\"*\"]",
        "[\"127.0.0.1\"]",
        "[\"good.example.\"]",
        "[\"GOOD.example\"]",
        "[\"good.example\", \"good.example\"]",
        "\"good.example\"",
    ] {
        let text = secret("").replace("[\"good.example\"]", hosts);
        assert_eq!(told(with("", &text)).len(), 1, "{hosts}");
    }
    assert_eq!(told(with("", "[[secret]]")).len(), 3);
    assert_eq!(told(with("", &secret("").replace("reason = \"r\"", "reason = \"\""))).len(), 1);
}

#[test]
fn what_env_shows_has_one_name_each() {
    for (name, right) in [("KEY_2", true), ("REGION", false), ("__proto__", false), ("a-b", false), ("1", false), ("", false)] {
        assert_eq!(with("", &secret("").replace("KEY", name)).is_ok(), right, "{name}");
    }
    assert_eq!(told(with("", &format!("{}{}", secret(""), secret("")))).len(), 1);
}

#[test]
fn a_profile_has_at_most_64_secrets() {
    for (count, right) in [(64, true), (65, false)] {
        let secrets: String = (0..count).map(|n| secret("").replace("KEY", &format!("KEY_{n}"))).collect();
        assert_eq!(with("", &secrets).is_ok(), right, "{count}");
    }
}

#[test]
fn a_secret_goes_nowhere_that_only_a_rule_on_trial_reaches() {
    let audit = "enforcement = \"audit\"";
    for mode in ["placeholder", "inject"] {
        let secret = secret(&format!("mode = \"{mode}\""));
        let wrong = told(with(audit, &secret));
        assert_eq!(wrong.len(), 1, "{mode}: {wrong:?}");
        assert!(wrong[0].1.contains("which only rules on trial reach"), "{mode}: {wrong:?}");
        // By an enforced rule it goes there anyhow, so a rule on trial may carry it as well.
        let other = |lines: &str| format!("[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n{lines}\n{secret}");
        assert!(with(audit, &other("")).is_ok(), "{mode}");
        assert!(with("", &other(audit)).is_ok(), "{mode}");
        // Not one that could not carry it.
        for lines in ["schemes = [\"http\"]", audit] {
            assert_eq!(told(with(audit, &other(lines))).len(), 1, "{mode} {lines}");
        }
    }
}

#[test]
fn a_secret_that_no_rule_can_carry_is_a_mistake() {
    let cases = [
        ("", "", true),
        ("schemes = [\"http\"]", "", false),
        ("schemes = [\"http\", \"https\"]", "", true),
        ("methods = [\"GET\"]", "methods = [\"POST\"]", false),
        ("methods = [\"GET\", \"POST\"]", "methods = [\"POST\", \"PUT\"]", true),
        ("path_prefix = \"/a\"", "path_prefix = \"/b\"", false),
        ("path_prefix = \"/a/b\"", "path_prefix = \"/a\"", true),
    ];
    for (rule, lines, right) in cases {
        assert_eq!(with(rule, &secret(lines)).is_ok(), right, "{rule} {lines}");
    }
    let other = secret("").replace("[\"good.example\"]", "[\"good.example\", \"other.example\", \"a.good.example\"]");
    let messages = ["other.example", "a.good.example"]
        .map(|host| (19, format!("the secret `KEY` is for {host}, which no rule reaches over https with its methods and path")));
    assert_eq!(told(with("", &other)), messages);
}

#[test]
fn a_rule_injects_only_secrets_of_that_mode_for_its_host() {
    let inject = secret("mode = \"inject\"");
    assert!(with("inject = [\"KEY\"]", &inject).is_ok() && with("inject = []", &inject).is_ok());
    assert!(told(with("inject = [\"KEY\"]", &secret("")))[0].1.contains("mode `placeholder`"));
    assert!(told(with("inject = [\"OTHER\"]", &inject))[0].1.contains("is no [[secret]]"));
    let wild = "[[egress.rule]]\nhost = \"*.wild.example\"\nreason = \"r\"\ninject = [\"KEY\"]\n";
    let told = told(with(wild, &inject));
    assert_eq!(
        told,
        [(
            19,
            "`inject` of the rule for *.wild.example names `KEY`, which is not for the rule's host over https with its methods and path"
                .to_owned()
        )]
    );
    assert!(with(wild, &inject.replace("[\"good.example\"]", "[\"good.example\", \"a.wild.example\"]")).is_ok());
}

#[test]
fn two_secrets_that_would_set_one_header_are_a_mistake_until_one_is_chosen() {
    let two = |second: &str| {
        format!("{}{}", secret("mode = \"inject\""), secret(&format!("mode = \"inject\"\n{second}")).replace("KEY", "SECOND"))
    };
    assert_eq!(told(with("", &two(""))), [(13, "`KEY` and `SECOND` would both set `authorization` at good.example".to_owned())]);
    assert!(with("", &two("header = \"x-key\"")).is_ok());
    assert!(with("inject = [\"SECOND\"]", &two("")).is_ok());
    assert_eq!(told(with("inject = [\"SECOND\", \"KEY\"]", &two(""))).len(), 1);
    let apart = format!(
        "{}{}",
        secret("mode = \"inject\"\nmethods = [\"GET\"]"),
        secret("mode = \"inject\"\nmethods = [\"POST\"]").replace("KEY", "SECOND")
    );
    assert!(with("methods = [\"GET\", \"POST\"]", &apart).is_ok());
}

#[test]
fn one_wrong_rule_leads_to_no_mistake_about_the_secrets_that_it_was_for() {
    assert_eq!(told(with("methods = [\"get\"]", &secret(""))).len(), 1);
}

#[test]
fn in_other_modes_a_secret_is_a_token_that_opens_nothing() {
    for mode in ["deny", "synthetic"] {
        let text = format!("[egress]\nmode = \"{mode}\"\n{}", secret("mode = \"inject\""));
        assert_eq!(extra(&text).expect("right").egress.secrets.len(), 1, "{mode}");
    }
    assert_eq!(extra(&secret("")).expect("right").egress.mode, EgressMode::Deny);
}

#[test]
fn a_granted_secret_that_the_server_does_not_define_is_found_at_start() {
    let text = |mode: &str, rule: &str| {
        let head = LEAST.replace("untrusted", "validated").replace("tier = 0", "tier = 1");
        format!("{head}sub_requests = 1\n[egress]\nmode = \"{mode}\"\n{rule}{}", secret(""))
    };
    let rule = "[[egress.rule]]\nhost = \"good.example\"\nreason = \"r\"\n";
    let load = |text: &str| folder(&[("untrusted.toml", LEAST), ("validated.toml", text)]).expect("right");
    let allowlist = load(&text("allowlist", rule));
    assert_eq!(missing_secrets(&allowlist, |name| name == "KEY"), Ok(()));
    let errors = missing_secrets(&allowlist, |_| false).expect_err("it is missing").to_string();
    for part in ["validated.toml", "`KEY`", "[secrets.KEY]"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    assert_eq!(missing_secrets(&load(&text("synthetic", "")), |_| false), Ok(()), "no value is needed");
}

#[test]
fn the_profiles_of_the_red_teams_world_are_right() {
    let rule = |host: &str| {
        format!(
            "[[egress.rule]]\nhost = \"{host}\"\nports = [443]\nschemes = [\"https\"]\nmethods = [\"GET\", \"POST\", \"PUT\", \"DELETE\", \"HEAD\"]\nreason = \"corpus world\"\n"
        )
    };
    let secret = "[[secret]]\nname = \"API_KEY\"\nhosts = [\"good.example\"]\nheader = \"authorization\"\nformat = \"Bearer {}\"\nmode = \"placeholder\"\nreason = \"corpus world\"\n";
    let limits = "[limits]\ncpu_ms = 300\nwall_ms = 8000\nmemory_mb = 64\nsub_requests = 200\n";
    let profile = |name: &str, tier: u8, mode: &str, tables: &str| {
        format!("name = \"{name}\"\ntier = {tier}\ndescription = \"corpus world\"\n{limits}[egress]\nmode = \"{mode}\"\n{tables}")
    };
    let (one, two) = (rule("good.example") + &rule("*.wild.example"), rule("other.example"));
    let profiles = folder(&[
        ("untrusted.toml", &profile("untrusted", 0, "deny", "")),
        ("validated.toml", &profile("validated", 1, "allowlist", &format!("{one}{secret}"))),
        ("production.toml", &profile("production", 2, "allowlist", &format!("{one}{two}{secret}"))),
    ]);
    assert_eq!(profiles.expect("right").default_for(Tier::Production).map(|profile| profile.egress.rules.len()), Some(3));
}
