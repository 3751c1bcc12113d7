//! What a server in the world is told: its configuration, its profiles, its secrets.

use std::net::SocketAddr;
use std::path::Path;

/// The secret that profiles grant, for `good.example` alone.
pub(crate) const API_KEY: &str = "canary-api-key-7f3a91c2";

/// Secrets that the server has, by name.
pub(super) const SECRETS: [(&str, &str); 3] =
    [("API_KEY", API_KEY), ("OTHER_KEY", "canary-other-55d0e1aa"), ("ADMIN_TOKEN", "canary-admin-c0ffee42")];

/// `cordon.toml`, with these lines in `[egress]` besides.
pub(super) fn config(resolver: SocketAddr, ca: &Path, egress: &str) -> String {
    let secrets = SECRETS.map(|(name, _)| format!("[secrets.{name}]\nenv = \"{name}\"\n")).concat();
    format!(
        "[egress]\nresolver = [\"{resolver}\"]\nallow_private_cidrs = [\"127.0.9.0/24\"]\nextra_ca_file = \"{}\"\n{egress}\n{secrets}",
        ca.display()
    )
}

/// The three profiles of the corpus, by tier as its README wants them, and two more of tier 2: `wide`, whose rules allow long bodies over http as
/// well, and `narrow`, whose rule allows short ones. `fixed` answers from fixtures, `lax` allows what leads to the sink,
/// `tried` has rules on trial, one of them in front of a rule that is enforced.
pub(super) fn profiles() -> Vec<(String, String)> {
    let (one, two) = ([rule("good.example", ""), rule("*.wild.example", "")].concat(), rule("other.example", ""));
    let wide = "max_response_bytes = 1073741824\npath_prefix = \"/\"\n";
    let wide = [rule("good.example", wide), rule("*.wild.example", wide), plain("other.example")].concat();
    let narrow = rule("good.example", "max_response_bytes = 1000\nmax_requests = 5\n");
    let tried = [rule("good.example", AUDIT), rule("good.example", "path_prefix = \"/text\"\n"), rule("*.wild.example", AUDIT)].concat();
    [
        ("untrusted", profile("untrusted", 0, 560, 200, "mode = \"synthetic\"", "")),
        ("validated", profile("validated", 1, 2000, 200, "mode = \"allowlist\"", &[&one, SECRET].concat())),
        ("production", profile("production", 2, 2000, 200, "mode = \"allowlist\"", &[&one, &two, SECRET].concat())),
        ("wide", profile("wide", 2, 20_000, 200, "mode = \"allowlist\"", &wide)),
        ("narrow", profile("narrow", 2, 2000, 10, "mode = \"allowlist\"", &narrow)),
        ("lax", profile("lax", 2, 2000, 10, "mode = \"allowlist\"", &rule("evil.example", ""))),
        ("tried", profile("tried", 2, 2000, 10, "mode = \"allowlist\"", &tried)),
        ("fixed", profile("fixed", 0, 5000, 1100, "mode = \"synthetic\"", FIXTURES)),
    ]
    .map(|(name, text)| (format!("{name}.toml"), text))
    .to_vec()
}

const SECRET: &str = "[[secret]]\nname = \"API_KEY\"\nhosts = [\"good.example\"]\nheader = \"authorization\"\nformat = \"Bearer {}\"\n\
    mode = \"placeholder\"\nreason = \"the tests' world\"\n";

const AUDIT: &str = "enforcement = \"audit\"\n";

const FIXTURES: &str = "[[egress.fixture]]\nurl = \"https://good.example/v0/*\"\nbody = \"at once\"\n\
    [[egress.fixture]]\nurl = \"https://good.example/v1/*\"\nstatus = 203\nbody = \"canned\"\nlatency_ms = 50\n\
    headers = { x-from = \"fixture\", content-type = \"text/x-canned\" }\n";

/// `cpu` in ms. The wall time has room for a debug build on a busy machine.
fn profile(name: &str, tier: u8, cpu: u32, requests: u32, mode: &str, rest: &str) -> String {
    format!(
        "name = \"{name}\"\ntier = {tier}\ndescription = \"The tests' world\"\n\
         [limits]\ncpu_ms = {cpu}\nwall_ms = 25000\nmemory_mb = 64\nsub_requests = {requests}\n[egress]\n{mode}\n{rest}"
    )
}

fn rule(host: &str, more: &str) -> String {
    format!(
        "[[egress.rule]]\nhost = \"{host}\"\nports = [443]\nschemes = [\"https\"]\n\
         methods = [\"GET\", \"POST\", \"PUT\", \"DELETE\", \"HEAD\"]\nreason = \"the tests' world\"\n{more}"
    )
}

fn plain(host: &str) -> String {
    format!("[[egress.rule]]\nhost = \"{host}\"\nschemes = [\"http\"]\nreason = \"the tests' world, in plain text\"\n")
}
