mod cases;
mod egress;
mod promotion;
mod secrets;

use super::*;
use crate::model::{Digest, Durability, EgressMode, Jit, Limits};

pub(super) const LEAST: &str = "name = \"untrusted\"\ntier = 0\ndescription = \"d\"\n[limits]\ncpu_ms = 1\nwall_ms = 1\nmemory_mb = 16\n";

/// Loads a folder of these files.
pub(super) fn folder(files: &[(&str, &str)]) -> Result<Profiles, ConfigErrors> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    Profiles::load(Some(folder.path()))
}

fn one(text: &str) -> Result<Arc<Profile>, ConfigErrors> {
    folder(&[("untrusted.toml", text)]).map(|profiles| profiles.default_for(Tier::Untrusted).expect("always there").clone())
}

/// [`LEAST`] with a line put in the place of another that starts alike, or added to the limits.
fn with(key: &str, value: &str) -> String {
    let line = format!("{key} = {value}");
    let kept: Vec<&str> = LEAST.lines().filter(|line| !line.starts_with(&format!("{key} "))).collect();
    format!("{}\n{line}\n", kept.join("\n"))
}

#[test]
fn the_built_in_profiles_stand_for_the_three_tiers_and_reach_nothing() {
    let profiles = Profiles::load(None).expect("built in");
    assert_eq!(profiles.iter().count(), 3);
    for tier in Tier::ALL {
        let profile = profiles.default_for(tier).expect("each tier has one");
        assert_eq!((profile.tier, profile.name.as_str()), (tier, name_of(tier)));
        let asked = if tier == Tier::Untrusted { (EgressMode::Synthetic, 50) } else { (EgressMode::Deny, 0) };
        assert_eq!((profile.egress.mode, profile.limits.sub_requests), asked);
        assert!(profile.egress.rules.is_empty() && profile.egress.fixtures.is_empty() && profile.egress.secrets.is_empty());
        assert!(profile.limits.memory_mb < 1024, "the containment corpus calls a GiB an escape");
    }
    let durability = |tier| profiles.default_for(tier).map(|profile| profile.durability);
    assert_eq!(durability(Tier::Untrusted), Some(Durability::Batched));
    assert_eq!(durability(Tier::Production), Some(Durability::Strict));
}

#[test]
fn a_profile_is_identified_by_the_bytes_of_its_file() {
    let profile = one(LEAST).expect("right");
    assert_eq!(profile.digest, Digest::of(LEAST.as_bytes()));
    assert_ne!(profile.digest, one(&format!("{LEAST}# a remark\n")).expect("right").digest);
}

#[test]
fn what_a_profile_leaves_out_is_the_least_and_the_safest() {
    let profile = one(LEAST).expect("right");
    assert_eq!((profile.egress.mode, profile.durability, profile.limits.sub_requests), (EgressMode::Deny, Durability::Batched, 0));
    assert!(profile.vars.is_empty() && profile.require_hardening.is_empty());
    let higher = LEAST.replace("untrusted", "careful").replace("tier = 0", "tier = 1");
    let profiles = folder(&[("untrusted.toml", LEAST), ("careful.toml", &higher)]).expect("right");
    assert_eq!(profiles.by_name("careful").map(|profile| profile.durability), Some(Durability::Strict));
}

#[test]
fn every_field_is_read() {
    let text = format!(
        "durability = \"strict\"\njitless = true\nrequire_hardening = [\"seccomp_cell\", \"landlock\"]\n{LEAST}sub_requests = 3\noutput_bytes = 64\nlog_bytes = 5\nlog_lines = 6\n\
         source_bytes = 7\nmodules = 8\ninput_bytes = 9\n[vars]\nREGION = \"eu\"\n[egress]\nmode = \"deny\"\n"
    );
    let profile = one(&text).expect("right");
    let limits = Limits {
        cpu_ms: 1,
        wall_ms: 1,
        memory_mb: 16,
        sub_requests: 3,
        output_bytes: 64,
        log_bytes: 5,
        log_lines: 6,
        source_bytes: 7,
        modules: 8,
        input_bytes: 9,
    };
    assert_eq!((profile.limits, profile.durability), (limits, Durability::Strict));
    assert_eq!(profile.vars, BTreeMap::from([("REGION".to_owned(), "eu".to_owned())]));
    assert_eq!(profile.require_hardening, ["seccomp_cell", "landlock"]);
    assert_eq!(profile.jit, Jit::Off);
}

#[test]
fn each_limit_is_accepted_at_its_ends_and_refused_past_them() {
    let ranges: [(&str, i64, i64); 8] = [
        ("memory_mb", 16, 4096),
        ("sub_requests", 0, 10_000),
        ("output_bytes", 64, 64 << 20),
        ("log_bytes", 0, 16 << 20),
        ("log_lines", 0, 100_000),
        ("source_bytes", 1, 16 << 20),
        ("modules", 1, 1024),
        ("input_bytes", 4, 32 << 20),
    ];
    for (key, least, most) in ranges {
        for (number, right) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(one(&with(key, &number.to_string())).is_ok(), right, "{key} = {number}");
        }
    }
    for (cpu, wall, right) in [(600_000, 600_000, true), (5, 5, true), (6, 5, false), (0, 1, false), (1, 600_001, false), (1, 0, false)] {
        let text = LEAST.replace("cpu_ms = 1", &format!("cpu_ms = {cpu}")).replace("wall_ms = 1", &format!("wall_ms = {wall}"));
        assert_eq!(one(&text).is_ok(), right, "{text}");
    }
}

#[test]
fn missing_wrong_and_unknown_keys_of_every_file_are_told_at_once() {
    let errors =
        folder(&[("untrusted.toml", "tier = 3\n[limits]\ncpu_ms = 1\ncpu_sm = 1\n"), ("other.toml", LEAST)]).expect_err("mistakes");
    let told = errors.to_string();
    for part in [
        "`name` is missing",
        "`description` is missing",
        "`tier` is 3",
        "`limits.wall_ms` is missing",
        "`limits.memory_mb` is missing",
        "`limits.cpu_sm` is not a key",
        "in a file called `other.toml`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(errors.mistakes().len(), 7, "{told}");
}

#[test]
fn the_names_of_the_tiers_cannot_be_given_to_another_tier() {
    assert!(one(&LEAST.replace("tier = 0", "tier = 2")).is_err());
    let production = LEAST.replace("untrusted", "production");
    assert!(folder(&[("untrusted.toml", LEAST), ("production.toml", &production)]).is_err());
}

#[test]
fn a_folder_replaces_the_built_in_profiles_and_needs_one_for_untrusted_code() {
    let profiles = folder(&[("untrusted.toml", LEAST), ("notes.md", "x"), ("rules.cedar", "x")]).expect("right");
    assert!(profiles.default_for(Tier::Production).is_none());
    assert!(folder(&[("extra.toml", &LEAST.replace("untrusted", "extra"))]).is_err());
    assert!(folder(&[]).is_err());
    assert!(Profiles::load(Some(Path::new("/nowhere"))).is_err());
}

#[test]
fn names_of_profiles_layers_and_variables_are_plain() {
    let long = "a".repeat(65);
    for (name, right) in [("a-1_b", true), (&long[..64], true), (&long, false), ("Big", false), ("9a", false), ("a b", false), ("-", false)]
    {
        let text = LEAST.replace("untrusted", name);
        assert_eq!(folder(&[("untrusted.toml", LEAST), (&format!("{name}.toml"), &text)]).is_ok(), right, "{name}");
    }
    for (list, right) in
        [("[\"landlock\"]", true), ("[\"seccomp\"]", false), ("[\"landlock\", \"landlock\"]", false), ("\"landlock\"", false)]
    {
        assert_eq!(one(&format!("require_hardening = {list}\n{LEAST}")).is_ok(), right, "{list}");
    }
    let named = |name: &str| one(&format!("{LEAST}[vars]\n\"{name}\" = \"x\"\n")).is_ok();
    for (name, right) in [("A_1", true), ("_a", true), ("__proto__", false), ("1A", false), ("a-b", false), ("", false), ("ä", false)] {
        assert_eq!(named(name), right, "{name}");
    }
    assert!(named(&"a".repeat(128)) && !named(&"a".repeat(129)));
}

#[test]
fn variables_are_accepted_up_to_64_kib_together() {
    let vars = |last: usize| {
        (0..16).fold(format!("{LEAST}[vars]\n"), |text, n| {
            text + &format!("V{n:03} = \"{}\"\n", "x".repeat(if n == 15 { last } else { 4092 }))
        })
    };
    assert!(one(&vars(4092)).is_ok());
    assert!(one(&vars(4093)).is_err());
}

/// A number as the README writes it.
fn written(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

fn bytes(number: u64) -> String {
    match number {
        n if n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n => format!("{} KiB", n >> 10),
    }
}

#[test]
fn the_readme_tells_the_limits_of_the_built_in_profiles() {
    let profiles = Profiles::load(None).expect("built in");
    let limits = Tier::ALL.map(|tier| profiles.default_for(tier).expect("each tier has one").limits);
    let row = |start: &str, cell: fn(&Limits) -> String| {
        let line = include_str!("../../../README.md").lines().find(|line| line.starts_with(&format!("| {start}"))).expect(start);
        let cells = limits.each_ref().map(cell).join(" | ");
        assert!(line.ends_with(&format!("| {cells} |")), "{line} is not {cells}");
    };
    row("`cpuMs`", |limits| written(limits.cpu_ms));
    row("`wallMs`", |limits| written(limits.wall_ms));
    row("`memoryMb`", |limits| written(limits.memory_mb));
    row("`subRequests`", |limits| written(limits.sub_requests));
    row("`outputBytes`", |limits| bytes(limits.output_bytes));
    row("`logBytes` and `logLines`", |limits| format!("{}, {}", bytes(limits.log_bytes), written(limits.log_lines)));
    row("sources and modules", |limits| format!("{}, {}", bytes(limits.source_bytes), written(limits.modules)));
    row("input", |limits| bytes(limits.input_bytes));
}

/// The README's example of a profile, with the tables that are shown as comments.
pub(super) fn example() -> String {
    let after = include_str!("../../../README.md").split("\n```toml\n").nth(2).expect("a second example");
    after.split("\n```\n").next().expect("it ends").to_owned()
}

#[test]
fn the_readmes_profile_is_right_and_shows_the_defaults_of_a_rule() {
    let profiles = folder(&[("untrusted.toml", LEAST), ("orders.toml", &example())]).expect("right");
    let shown = profiles.by_name("orders").expect("there").egress.rules.first().expect("a rule").clone();
    let rule = |lines: &str| {
        let text = example()
            .replace("[[egress.rule]]", &format!("[[egress.rule]]\nhost = \"api.example\"\nreason = \"r\"\n{lines}\n[[egress.rule]]"));
        let profiles = folder(&[("untrusted.toml", LEAST), ("orders.toml", &text)]).expect("right");
        profiles.by_name("orders").expect("there").egress.rules.first().expect("a rule").clone()
    };
    let plain = rule("inject = [\"API_KEY\"]");
    assert_eq!(crate::model::EgressRule { reason: plain.reason.clone(), ..shown }, plain);
}

#[test]
fn the_readmes_profile_names_every_key() {
    let example = format!("\n{}", example());
    let tables = [
        "",
        "[limits]",
        "[egress]",
        "[[egress.rule]]",
        "[[egress.fixture]]",
        "[[secret]]",
        "[promotion]",
        "[[case]]",
        "[[case]]\n[[case.fixture]]",
        "[[case]]\n[case.expect]",
        "[[case]]\n[[case.expect.denials]]",
    ];
    for table in tables {
        let told = one(&format!("{table}\nno-such-key = 1\n")).expect_err("unknown").to_string();
        let known = told.split("`no-such-key` is not a key").nth(1).or(told.split(".no-such-key` is not a key").nth(1)).expect("told");
        let known = known.split("one of: ").nth(1).and_then(|rest| rest.lines().next()).expect("the known ones");
        for key in known.split(", ") {
            let words = ["\n", "\n# ", " or ", "{ ", ", "].map(|before| format!("{before}{key} = "));
            let named = words.iter().chain(&[format!("[{key}]"), format!(".{key}]")]).any(|named| example.contains(named));
            assert!(named, "the README's profile lacks {key} of {table}");
        }
    }
}

#[test]
fn the_folder_of_shipped_profiles_loads_as_a_whole() {
    let shipped = Profiles::load(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))).expect("right");
    let names: Vec<&str> = shipped.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["data-transform", "production", "untrusted", "validated"]);
    let built_in = Profiles::load(None).expect("built in");
    assert!(built_in.iter().all(|profile| shipped.by_name(&profile.name) == Some(profile)) && built_in.by_name("data-transform").is_none());
    for profile in shipped.iter().filter(|profile| profile.tier != Tier::Untrusted) {
        assert!(!profile.cases.is_empty(), "{}", profile.name);
    }
    let production = built_in.default_for(Tier::Production).expect("there").promotion;
    assert_eq!(production, crate::model::Promotion::default_for(Tier::Production));
}

#[test]
fn files_of_folders_inside_the_folder_are_no_profiles() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("tests")).expect("a folder");
    std::fs::write(folder.path().join("tests/any.toml"), "no = \"profile\"").expect("written");
    std::fs::write(folder.path().join("untrusted.toml"), LEAST).expect("written");
    assert_eq!(Profiles::load(Some(folder.path())).map(|profiles| profiles.iter().count()), Ok(1));
}
