use super::*;
use std::time::Duration;

const MACHINE: Machine = Machine { cores: 2, memory_bytes: 4 << 30 };

/// A folder with `cordon.toml` of `text`, and flags that name it.
fn file(text: &str) -> (tempfile::TempDir, Overrides) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("cordon.toml");
    std::fs::write(&config, text).expect("written");
    (folder, Overrides { config: Some(config), ..Overrides::default() })
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let (_folder, flags) = file(text);
    Config::load_on(MACHINE, &flags, |name| lookup(env, name))
}

fn lookup(env: &[(&str, &str)], name: &str) -> Option<String> {
    env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn without_file_flags_or_variables_the_server_is_on_loopback_with_limits_for_this_machine() {
    let config = Config::load_on(MACHINE, &Overrides::default(), |_| None).expect("defaults are right");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.server.operator_listen.to_string(), "127.0.0.1:8788");
    assert_eq!(config.server.data, Path::new("cordon-data"));
    assert_eq!((config.server.policies, config.file), (None, None));
    assert_eq!((config.admission.running_max, config.admission.memory_mb), (8, 2048));
    assert_eq!((config.rate.burst, config.pool.untrusted, config.log.filter.as_str()), (10_000, 8, "info"));
}

#[test]
fn defaults_follow_the_machine_and_stay_in_range() {
    let on = |cores, memory_bytes| {
        let admission = Config::load_on(Machine { cores, memory_bytes }, &Overrides::default(), |_| None).expect("defaults").admission;
        (admission.running_max, admission.memory_mb)
    };
    assert_eq!(on(1, 1 << 20), (8, 16));
    assert_eq!(on(64, 256 << 30), (256, 128 << 10));
    assert_eq!(on(100_000, u64::MAX), (4096, 4 << 20));
}

#[test]
fn every_key_of_every_section_is_read() {
    let text = r#"
        [server]
        listen = "127.0.0.1:1"
        operator_listen = "[::1]:0"
        data = "/d"
        policies = "p"
        connections_max = 2
        header_read_timeout_ms = 300
        body_bytes_max = 4096
        keep_alive_ms = 0
        keep_alive_requests = 5
        drain_ms = 6
        allowed_hosts = ["a.example"]
        allowed_origins = ["https://a.example"]
        [admission]
        queue_max = 0
        queue_wait_ms = 8
        running_max = 9
        memory_mb = 16
        [rate]
        runs_per_second = 11
        burst = 12
        [pool]
        untrusted = 13
        validated = 14
        production = 15
        intake = 16
        replace_after_forks = 17
        replace_after_minutes = 18
        huge_pages = false
        [egress]
        resolver = ["127.0.0.1:5300", "[::1]:53"]
        allow_private_cidrs = ["10.1.2.0/24"]
        extra_ca_file = "ca.pem"
        connect_ms = 19
        first_byte_ms = 20
        total_ms = 21
        concurrent_per_run = 22
        redirects_max = 0
        request_bytes_max = 24
        header_bytes_max = 8192
        [secrets.A]
        env = "A_KEY"
        [secrets.B]
        file = "b.txt"
        [secrets.C]
        vault = "kv/orders/api#token"
        [vault]
        address = "https://vault.example:8200"
        token_file = "/run/token"
        namespace = "team/a"
        refresh_s = 25
        [log]
        format = "json"
        filter = "warn,cordon=debug"
    "#;
    let (folder, flags) = file(text);
    let config = Config::load_on(MACHINE, &flags, |_| None).expect("all right");
    let expected = Config {
        file: flags.config,
        server: Server {
            listen: "127.0.0.1:1".parse().expect("address"),
            operator_listen: "[::1]:0".parse().expect("address"),
            data: PathBuf::from("/d"),
            policies: Some(folder.path().join("p")),
            connections_max: 2,
            header_read_timeout: Duration::from_millis(300),
            body_bytes_max: 4096,
            keep_alive: Duration::ZERO,
            keep_alive_requests: 5,
            drain: Duration::from_millis(6),
            allowed_hosts: vec!["a.example".into()],
            allowed_origins: vec!["https://a.example".into()],
        },
        admission: Admission { queue_max: 0, queue_wait: Duration::from_millis(8), running_max: 9, memory_mb: 16 },
        rate: Rate { runs_per_second: 11, burst: 12 },
        pool: Pool {
            untrusted: 13,
            validated: 14,
            production: 15,
            intake: 16,
            replace_after_forks: 17,
            replace_after: Duration::from_secs(18 * 60),
            huge_pages: false,
        },
        egress: EgressSettings {
            resolver: vec!["127.0.0.1:5300".parse().expect("address"), "[::1]:53".parse().expect("address")],
            allow_private_cidrs: vec!["10.1.2.0/24".parse().expect("range")],
            extra_ca_file: Some(folder.path().join("ca.pem")),
            connect: Duration::from_millis(19),
            first_byte: Duration::from_millis(20),
            total: Duration::from_millis(21),
            concurrent_per_run: 22,
            redirects_max: 0,
            request_bytes_max: 24,
            header_bytes_max: 8192,
        },
        secrets: BTreeMap::from([
            ("A".into(), SecretSource::Env("A_KEY".into())),
            ("B".into(), SecretSource::File(folder.path().join("b.txt"))),
            ("C".into(), SecretSource::Vault { mount: "kv".into(), path: "orders/api".into(), field: "token".into() }),
        ]),
        vault: Some(VaultSettings {
            address: "https://vault.example:8200/".into(),
            token: VaultToken::File("/run/token".into()),
            namespace: Some("team/a".into()),
            refresh: Duration::from_secs(25),
        }),
        log: Log { format: LogFormat::Json, filter: "warn,cordon=debug".into() },
    };
    assert_eq!(config, expected);
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\ndata = \"from-file\"\n[log]\nfilter = \"warn\"\n";
    let env = [("CORDON_LISTEN", "127.0.0.1:2"), ("CORDON_DATA", "from-env"), ("CORDON_LOG", ""), ("CORDON_LOG_FORMAT", "json")];
    let config = load(text, &env).expect("all right");
    assert_eq!((config.server.listen.port(), config.server.data), (2, PathBuf::from("from-env")));
    assert_eq!((config.log.filter.as_str(), config.log.format), ("warn", LogFormat::Json));

    let (_folder, flags) = file(text);
    let flags = Overrides { listen: Some("127.0.0.1:3".into()), data: Some("from-flag".into()), policies: Some("p".into()), ..flags };
    let config = Config::load_on(MACHINE, &flags, |name| lookup(&env, name)).expect("all right");
    assert_eq!((config.server.listen.port(), config.server.data), (3, PathBuf::from("from-flag")));
    assert_eq!(config.server.policies, Some(PathBuf::from("p")));
}

#[test]
fn a_variable_can_name_the_file_and_a_file_that_is_not_there_is_a_mistake() {
    let (_folder, flags) = file("[rate]\nburst = 7\n");
    let named = flags.config.map(|file| file.display().to_string());
    let config = Config::load_on(MACHINE, &Overrides::default(), |name| named.clone().filter(|_| name == "CORDON_CONFIG"));
    assert_eq!(config.expect("all right").rate.burst, 7);
    let gone = Overrides { config: Some("/nowhere/cordon.toml".into()), ..Overrides::default() };
    let errors = Config::load_on(MACHINE, &gone, |_| None).expect_err("it is not there");
    assert_eq!(errors.mistakes().len(), 1, "{errors}");
}

#[test]
fn every_mistake_of_file_flags_and_variables_is_told_at_once_with_its_place() {
    let text = "[server]\nlisten = \"here\"\nlisen = 1\n[admission]\nmemory_mb = 15\n[pools]\n[egress]\nresolver = [\"dns\"]\n[secrets.API_KEY]\nenv = 1\n[secrets.B]\n";
    let errors = load(text, &[("CORDON_OPERATOR_LISTEN", "there"), ("CORDON_LOG_FORMAT", "xml")]).expect_err("many mistakes");
    let line = |m: &Mistake| m.position.map(|position| (position.line, position.column));
    let places: Vec<_> = errors.mistakes().iter().filter_map(line).collect();
    assert_eq!(places, [(2, 10), (3, 1), (5, 13), (6, 2), (8, 13), (10, 7), (11, 1)], "{errors}");
    assert_eq!(errors.mistakes().len(), 9, "{errors}");
    assert!(errors.mistakes().iter().all(|mistake| !mistake.mend.is_empty()));
}

#[test]
fn a_syntax_error_does_not_hide_the_mistake_in_a_variable() {
    let errors = load("[server\n", &[("CORDON_LISTEN", "there")]).expect_err("two mistakes");
    assert_eq!(errors.mistakes().len(), 2, "{errors}");
}

#[test]
fn both_listeners_on_one_address_are_a_mistake_unless_the_port_is_picked() {
    let both = |address: &str| load(&format!("[server]\nlisten = \"{address}\"\noperator_listen = \"{address}\"\n"), &[]);
    assert!(both("127.0.0.1:9000").is_err());
    assert!(both("127.0.0.1:0").is_ok());
}

#[test]
fn each_number_is_accepted_at_its_ends_and_refused_past_them() {
    let ranges = [
        ("server", "connections_max", 1, 65_536),
        ("server", "header_read_timeout_ms", 100, 120_000),
        ("server", "body_bytes_max", 1024, 64 << 20),
        ("server", "keep_alive_ms", 0, 3_600_000),
        ("server", "keep_alive_requests", 1, 10_000_000),
        ("server", "drain_ms", 0, 600_000),
        ("admission", "queue_max", 0, 65_536),
        ("admission", "queue_wait_ms", 1, 60_000),
        ("admission", "running_max", 1, 4096),
        ("admission", "memory_mb", 16, 4 << 20),
        ("rate", "runs_per_second", 1, 1_000_000),
        ("rate", "burst", 1, 1_000_000),
        ("pool", "untrusted", 1, 1024),
        ("pool", "validated", 1, 1024),
        ("pool", "production", 1, 1024),
        ("pool", "intake", 1, 1024),
        ("pool", "replace_after_forks", 1, 10_000_000),
        ("pool", "replace_after_minutes", 1, 10_080),
        ("egress", "connect_ms", 1, 60_000),
        ("egress", "first_byte_ms", 1, 300_000),
        ("egress", "total_ms", 1, 600_000),
        ("egress", "concurrent_per_run", 1, 256),
        ("egress", "redirects_max", 0, 20),
        ("egress", "request_bytes_max", 0, 1 << 30),
        ("egress", "header_bytes_max", 8192, 1 << 20),
    ];
    for (section, key, least, most) in ranges {
        for (number, right) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let text = format!("[{section}]\n{key} = {number}\n");
            assert_eq!(load(&text, &[]).is_ok(), right, "{text}");
        }
    }
}

#[test]
fn a_secret_comes_from_exactly_one_place() {
    let secret = |text: &str| load(&format!("[secrets.KEY]\n{text}\n"), &[]);
    assert!(secret("env = \"KEY\"").is_ok() && secret("file = \"key\"").is_ok());
    for bad in ["", "env = \"A\"\nfile = \"b\"", "env = \"\"", "env = \"1A\"", "file = \"\"", "value = \"x\"", "vault = \"kv/p\""] {
        assert!(secret(bad).is_err(), "{bad}");
    }
    for (name, right) in [("A_1", true), ("__proto__", false), ("\"a b\"", false), ("1", false), ("\"\"", false)] {
        assert_eq!(load(&format!("[secrets.{name}]\nenv = \"A\"\n"), &[]).is_ok(), right, "{name}");
    }
    assert!(load("[secrets]\nKEY = \"the value itself\"\n", &[]).is_err());
}

#[test]
fn a_secret_from_vault_needs_a_vault_with_an_address_and_one_token() {
    let secret = "[secrets.KEY]\nvault = \"kv/p#f\"\n";
    let vault = |text: &str| load(&format!("{secret}[vault]\n{text}\n"), &[]);
    let address = "address = \"https://vault.example\"";
    assert!(load(secret, &[]).expect_err("no vault").to_string().contains("there is no [vault]"));
    for (token, right) in
        [("token_env = \"T\"", true), ("token_file = \"t\"", true), ("", false), ("token_env = \"T\"\ntoken_file = \"t\"", false)]
    {
        assert_eq!(vault(&format!("{address}\n{token}")).is_ok(), right, "{token}");
    }
    assert!(vault("token_env = \"T\"").is_err() && vault("address = \"http://vault.example\"\ntoken_env = \"T\"").is_err());
    for (seconds, right) in [(9, false), (10, true), (86_400, true), (86_401, false)] {
        assert_eq!(vault(&format!("{address}\ntoken_env = \"T\"\nrefresh_s = {seconds}")).is_ok(), right, "{seconds}");
    }
    for (namespace, right) in [("a/b-c_1", true), ("", false), ("/", false), ("a b", false), ("a\\r\\nb", false)] {
        assert_eq!(vault(&format!("{address}\ntoken_env = \"T\"\nnamespace = \"{namespace}\"")).is_ok(), right, "{namespace}");
    }
}

#[test]
fn a_range_of_the_whole_internet_cannot_be_allowed() {
    let cidrs = |list: &str| load(&format!("[egress]\nallow_private_cidrs = [{list}]\n"), &[]);
    assert!(cidrs("\"10.1.2.0/24\", \"fd00::/16\"").is_ok() && cidrs("").is_ok());
    for bad in ["\"0.0.0.0/0\"", "\"::/0\"", "\"10.1.2.0/24\", \"10.1.2.0/24\"", "1"] {
        assert!(cidrs(bad).is_err(), "{bad}");
    }
}

/// The README's example of the configuration.
fn example() -> &'static str {
    let after = include_str!("../../README.md").split("\n```toml\n").nth(1).expect("an example");
    after.split("\n```\n").next().expect("it ends")
}

#[test]
fn the_readme_shows_the_defaults() {
    let mut shown = load(example(), &[]).expect("the example is right");
    let defaults = Config::load_on(MACHINE, &Overrides::default(), |_| None).expect("defaults are right");
    assert!(shown.server.data.ends_with(&defaults.server.data));
    (shown.file, shown.server.data) = (None, defaults.server.data.clone());
    assert_eq!(shown, defaults);
}

#[test]
fn the_readme_names_every_key() {
    for section in ["server", "admission", "rate", "pool", "egress", "secrets.NAME", "vault", "log"] {
        let mistakes = load(&format!("[{section}]\nno-such-key = 1\n"), &[]).expect_err("unknown").to_string();
        let known = mistakes.split("one of: ").nth(1).and_then(|rest| rest.lines().next()).expect("the known ones");
        // Sections that are off are shown as comments.
        let (start, next, example) = (format!("[{section}]"), "\n[", example().replace("\n# [", "\n["));
        let shown = example.split(&start).nth(1).expect("a section").split(next).next().expect("it ends");
        for key in known.split(", ") {
            assert!(shown.contains(key.trim_end_matches('`')), "[{section}] in the README lacks {key}");
        }
    }
}
