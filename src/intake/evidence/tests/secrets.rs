use super::*;

/// Twenty, thirty-six and more random characters, put together here so that no scanner takes this file for a leak.
const RANDOM: &str = "q7Zt2LxV9bKd4RmW8sYc1NfH6gPj3TeA5uQo";

#[test]
fn credentials_in_known_formats_are_found_and_never_repeated() {
    let jwt = format!("eyJ{}.eyJ{}.{}", "hbGciOiJIUzI1NiJ9", "zdWIiOiIxMjM0NTY3In0", "dQw4w9WgXcQ");
    for secret in [
        format!("AKIA{}", "Q3ZT7LXV2BKD5RMW"),
        format!("ghp_{RANDOM}"),
        format!("github_pat_{RANDOM}{RANDOM}"),
        format!("sk-{RANDOM}"),
        format!("sk-proj-{RANDOM}"),
        format!("xoxb-{RANDOM}"),
        format!("xoxp-{RANDOM}"),
        format!("AIza{}", &RANDOM[1..]),
        format!("hvs.{RANDOM}"),
        jwt,
        format!("-----BEGIN {} KEY-----\\n{RANDOM}", "RSA PRIVATE"),
    ] {
        finds(
            Check::SecretFormat,
            &[&format!("export const a = '{secret}'"), &format!("// {secret}"), &format!("export const a = `Bearer ${{1}} {secret}`")],
        );
        let (head, tail) = secret.split_at(6);
        let kept = secret.rsplit("KEY-----\\n").next().expect("split gives one at least");
        let escaped: String = secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        finds(Check::SecretFormat, &[&format!("export const a = '{head}' + '{tail}'"), &format!("export const a = '{escaped}'")]);
        let evidence = examine(&order(&[("main.ts", &format!("export const a = '{secret}'"))], false));
        assert!(evidence.hits.iter().all(|hit| !hit.message.contains(kept.get(4..).expect("longer"))), "{:?}", evidence.hits);
    }
}

#[test]
fn what_stands_in_documentation_passes() {
    passes(&[
        "export const a = 'AKIAIOSFODNN7EXAMPLE'",
        "export const a = 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "export const a = 'ghp_short'",
        "export const a = 'sk-spinner-with-a-long-class-name-indeed'",
        "export const a = '-----BEGIN PRIVATE KEY-----\\nXXXX\\n-----END PRIVATE KEY-----'",
        &format!("export const a = `-----BEGIN PUBLIC KEY-----\n{}`", "MCowBQYDK2VwAyEA".repeat(2)),
        "export const a = 'eyJhbGciOiJIUzI1NiJ9'",
        &format!("export const a = 'x{}{RANDOM}'", "ghp_").replace("q7Zt2LxV9bKd4RmW8sYc1NfH6gPj3TeA5uQo", "aaaaaaa"),
    ]);
}

#[test]
fn random_literals_and_those_that_are_named_like_credentials_are_found() {
    finds(
        Check::SecretEntropy,
        &[
            &format!("export const a = '{RANDOM}'"),
            "export const apiToken = 'b4k2m9x7q1z8'",
            "export default { db_password: 'hunter2-Zebra9' }",
            "class A { static clientSecret = `b4k2m9x7q1z8` }; new A()",
            "const a: any = {}; a['access' + '_token'] = 'b4k2m9x7q1z8'",
        ],
    );
    passes(&[
        "export const a = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'",
        "export const a = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "export const a = '123e4567-e89b-12d3-a456-426614174000'",
        "export const token = 'your-token-1234'",
        "export const tokenName = 'authorization'",
        "export const name = 'b4k2m9x7q1z8'",
        "export const secret = env_secret; function env_secret() {}",
    ]);
}
