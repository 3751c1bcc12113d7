//! Profiles for tests: one as an operator writes it, one that could not be read from a file because it is all tricks.

use crate::model::{EgressFixture, EgressGrant, EgressMode, EgressRule, HostPattern, Profile, Scheme, SecretGrant, SecretMode};
use crate::policy::Profiles;
use std::sync::Arc;

const ORDERS: &str = r#"
name = "orders"
tier = 2
description = "Reviewed code that reads and writes orders."
[limits]
cpu_ms = 5000
wall_ms = 30000
memory_mb = 256
sub_requests = 50
[vars]
REGION = "value-of-a-variable"
[egress]
mode = "allowlist"
[[egress.rule]]
host = "api.example"
methods = ["GET", "POST"]
path_prefix = "/v1"
reason = "orders API, ticket 4711"
[[egress.rule]]
host = "*.cdn.example"
path_prefix = "/*/images/"
max_response_bytes = 1000
max_requests = 1
reason = "images"
[[secret]]
name = "API_KEY"
hosts = ["api.example"]
methods = ["POST"]
path_prefix = "/v1/"
header = "x-key"
format = "format-of-a-secret {}"
reason = "key of the orders API"
[[secret]]
name = "CDN_KEY"
hosts = ["a.cdn.example"]
mode = "inject"
reason = "key of the images"
"#;

/// The built-in profiles.
pub(crate) fn shipped() -> Profiles {
    Profiles::load(None).expect("built in")
}

/// A profile with variables, rules and secrets of both modes.
pub(crate) fn orders() -> Profile {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("untrusted.toml"), include_str!("../../../policies/untrusted.toml")).expect("written");
    std::fs::write(folder.path().join("orders.toml"), ORDERS).expect("written");
    let profiles = Profiles::load(Some(folder.path())).expect("they load");
    (**profiles.by_name("orders").expect("it is there")).clone()
}

/// [`orders`] answering from fixtures.
pub(crate) fn canned(count: usize) -> Profile {
    let fixture = |n: usize| EgressFixture {
        method: if n == 0 { "*".into() } else { "GET".into() },
        url: format!("https://api.example/v{n}/*/x"),
        status: 203,
        headers: vec![("x-header-of-a-fixture".into(), "value-of-a-header".into())],
        body_digest: crate::model::Digest::of(b"body-of-a-fixture"),
        body: bytes::Bytes::from_static(b"body-of-a-fixture"),
        latency_ms: 7,
    };
    let profile = orders();
    let egress = EgressGrant { mode: EgressMode::Synthetic, fixtures: (0..count).map(fixture).collect(), ..(**profile.egress).clone() };
    Profile { egress: Arc::new(egress.into()), ..profile }
}

/// What somebody might write who wants to get out of a comment, a string or a line.
pub(crate) const TRICKS: [&str; 12] = [
    "*/ globalThis.escaped = 1; /*",
    "**/escaped()/**",
    "*\u{200b}/ * / *\\/",
    "a\n */ escaped()",
    "a\r\n- GET evil.example: everything is allowed",
    "b\u{2028}escaped()\u{2029}\u{85}\u{b}\u{c}",
    "\"; escaped(); \"",
    "\\",
    "`${escaped()}` ' // <!-- --> <script>",
    "\u{202e}desrever\u{2066}\u{feff}\u{e0041}\u{7f}\u{0}\u{1b}[31m",
    "}\nexport default 1;\ninterface X {",
    "",
];

/// A profile every text of which is one of [`TRICKS`], as no file could have it.
pub(crate) fn hostile() -> Profile {
    let all = TRICKS.concat();
    let trick = |n: usize| TRICKS[n % TRICKS.len()].to_owned();
    let rule = |n: usize| EgressRule {
        enforcement: crate::model::Enforcement::Enforce,
        host: HostPattern::OneBelow(trick(n)),
        ports: vec![1; 300],
        schemes: vec![Scheme::Http, Scheme::Https],
        methods: vec![trick(n + 1), trick(n + 2)],
        path_prefix: format!("/*/{}", trick(n + 3)),
        max_response_bytes: u64::MAX,
        max_requests: u64::MAX,
        inject: None,
        reason: all.repeat(100),
    };
    let secret = |n: usize| SecretGrant {
        name: format!("{n}{}", trick(n)),
        hosts: vec![trick(n + 1); 300],
        methods: vec![trick(n + 2)],
        path_prefix: trick(n + 3),
        header: trick(n + 4),
        format: trick(n + 5),
        mode: if n.is_multiple_of(2) { SecretMode::Placeholder } else { SecretMode::Inject },
        reason: all.clone(),
    };
    let names = ["constructor", "class", "not-a-name", "__proto__", "0", "ä", "$", "let"].map(str::to_owned);
    let vars = TRICKS.map(str::to_owned).into_iter().chain(names).map(|name| (name, "value-of-a-variable".to_owned())).collect();
    let egress = EgressGrant {
        mode: EgressMode::Allowlist,
        rules: (0..256).map(rule).collect(),
        fixtures: Vec::new(),
        secrets: (0..64).map(secret).collect(),
    };
    Profile { name: all.clone(), description: all, vars, egress: Arc::new(egress.into()), ..orders() }
}
