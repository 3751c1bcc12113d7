//! Writes the seed corpora: of `from_cell`, one frame of each kind and one of each kind of fault; of `egress_host`, spellings of hosts and paths;
//! of `egress_gate`, an address of each kind.

#[path = "../../src/model/mod.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use model::frame::{FromCell, ReadyModule, Rejection, RunEnd, VERSION, encode};
use model::{Denial, GuestError, Location, LogLevel, ModuleCache, Outcome};

fn denial() -> Denial {
    let text = |text: &str| text.to_owned();
    Denial {
        capability: text("module"),
        target: text("node:fs"),
        rule: text("modules"),
        reason: text("not a module of the artifact"),
        remediation: text("send the module along"),
    }
}

fn end(outcome: Outcome, result: Option<&str>) -> FromCell {
    let error = result.is_none().then(|| GuestError {
        code: outcome.as_str().to_owned(),
        name: "TypeError".to_owned(),
        message: "x is not a function".to_owned(),
        stack: Some("at main.ts:1:1".to_owned()),
        remediation: "call a function".to_owned(),
    });
    let result = result.map(str::to_owned);
    FromCell::Finished(Box::new(RunEnd {
        outcome,
        result,
        error,
        logs_truncated: 1,
        denials_truncated: 2,
        start_us: 300,
        heap_peak_bytes: 1 << 20,
        external_peak_bytes: 0,
    }))
}

fn frames() -> Vec<(&'static str, FromCell)> {
    let module =
        ReadyModule { name: "main.ts".to_owned(), code: "export default 1".to_owned(), source_map: Some("{\"version\":3}".to_owned()) };
    let cache = ModuleCache { module: "main.ts".to_owned(), bytes: vec![0xde, 0xc0, 0xde, 0xc0].into() };
    let rejection = Rejection {
        message: "unexpected token".to_owned(),
        remediation: "close the brace".to_owned(),
        location: Some(Location { file: "main.ts".to_owned(), line: 1, column: 2 }),
        denial: Some(denial()),
    };
    vec![
        ("log", FromCell::Log { level: LogLevel::Warn, message: "hello".to_owned(), at_ms: 3 }),
        ("denied", FromCell::Denied(denial())),
        ("ok", end(Outcome::Ok, Some("{\"ok\":2}"))),
        ("exception", end(Outcome::Exception, None)),
        ("lie", end(Outcome::KillSwitch, None)),
        ("prepared", FromCell::Prepared(vec![module])),
        ("rejected", FromCell::Rejected(rejection)),
        ("out-of-memory", FromCell::OutOfMemory),
        ("dropped", FromCell::Dropped { logs: 64, denials: 1 }),
        ("compiled", FromCell::Compiled(vec![cache])),
        ("cache-rejected", FromCell::CacheRejected),
    ]
}

/// Method, host of the rule, prefix of its paths, URL.
const REQUESTS: [(&str, &str); 24] = [
    ("name", "GET\ngood.example\n/\nhttps://good.example/a?b#c"),
    ("wildcard", "POST\n*.wild.example\n/\nhttps://a.wild.example:8443/"),
    ("apex", "GET\n*.wild.example\n/\nhttps://wild.example/"),
    ("two-below", "GET\n*.wild.example\n/\nhttps://a.b.wild.example/"),
    ("final-dot", "GET\ngood.example\n/\nhttps://good.example./"),
    ("upper-case", "get\ngood.example\n/\nHTTPS://GOOD.EXAMPLE:443/"),
    ("escaped-host", "GET\ngood.example\n/\nhttps://good%2eexample/"),
    ("wide-dots", "GET\ngood.example\n/\nhttps://good\u{3002}example/"),
    ("idn", "GET\nxn--bcher-kva.example\n/\nhttps://b\u{fc}cher.example/"),
    ("user", "GET\ngood.example\n/\nhttps://good.example@evil.example/"),
    ("backslash", "GET\ngood.example\n/\nhttps:\\\\good.example\\@evil.example/"),
    ("tab", "GET\ngood.example\n/\nhttps://go\tod.exam\nple/"),
    ("short-address", "GET\n127.0.0.1\n/\nhttp://127.1/"),
    ("number-address", "GET\n127.0.0.1\n/\nhttp://2130706433/"),
    ("hex-address", "GET\n0x7f.1\n/\nhttp://0x7f.1/"),
    ("six-address", "GET\n[::1]\n/\nhttp://[::ffff:127.0.0.1]/"),
    ("prefix", "GET\ngood.example\n/v1\nhttps://good.example/v1/a"),
    ("prefix-slash", "GET\ngood.example\n/v1/\nhttps://good.example/v1/a;b=c"),
    ("encoded-slash", "GET\ngood.example\n/v1\nhttps://good.example/v1/..%2fadmin"),
    ("encoded-twice", "GET\ngood.example\n/v1\nhttps://good.example/v1/%252e%252e%255cadmin"),
    ("dot-parameter", "GET\ngood.example\n/v1\nhttps://good.example/v1/..;a/admin"),
    ("overlong", "GET\ngood.example\n/v1\nhttps://good.example/v1/%c0%ae%c0%ae/admin"),
    ("percent", "GET\ngood.example\n/a%25b\nhttps://good.example/a%25b/c%20d"),
    ("connect", "CONNECT\ngood.example\n/\nhttps://good.example/"),
];

/// Addresses, each with what its input allows, one bit a range.
const ADDRESSES: [(&str, &str, u8); 24] = [
    ("global", "::ffff:1.1.1.1", 0),
    ("global-six", "2606:4700::1111", 0),
    ("loopback", "::ffff:127.0.0.1", 0),
    ("loopback-allowed", "::ffff:127.0.0.1", 1),
    ("loopback-six", "::1", 4),
    ("private", "::ffff:10.0.0.1", 2),
    ("shared", "::ffff:100.64.0.1", 32),
    ("link-local", "::ffff:169.254.169.254", 127),
    ("metadata-alibaba", "::ffff:100.100.100.200", 127),
    ("metadata-azure", "::ffff:168.63.129.16", 0),
    ("metadata-six", "fd00:ec2::254", 127),
    ("unique-local", "fd00::1", 8),
    ("link-local-six", "fe80::1", 127),
    ("multicast", "ff02::1", 127),
    ("broadcast", "::ffff:255.255.255.255", 127),
    ("unspecified", "::", 127),
    ("compatible", "::127.0.0.1", 64),
    ("translated", "::ffff:0:127.0.0.1", 64),
    ("nat64", "64:ff9b::1.1.1.1", 16),
    ("nat64-loopback", "64:ff9b::127.0.0.1", 127),
    ("nat64-local", "64:ff9b:1::1.1.1.1", 127),
    ("six-to-four", "2002:7f00:1::1", 64),
    ("teredo", "2001:0:101:101::80ff:fffe", 127),
    ("isatap", "2606:4700::5efe:127.0.0.1", 64),
];

/// One seed of `egress_gate` for each address, with a listener on the wildcard address and the same port.
fn gate_seed(address: &str, switches: u8) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let address: std::net::Ipv6Addr = address.parse()?;
    let port = 8787_u16.to_be_bytes();
    Ok([&address.octets()[..], &port, &[switches], &[0; 16], &port].concat())
}

fn write_egress(corpora: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    for (name, text) in REQUESTS {
        std::fs::write(corpora.join(format!("egress_host/seed-{name}")), text)?;
    }
    for (name, address, switches) in ADDRESSES {
        let seed = gate_seed(address, switches)?;
        std::fs::write(corpora.join(format!("egress_gate/seed-{name}")), &seed)?;
        // The same address without a listener that it would meet.
        std::fs::write(corpora.join(format!("egress_gate/seed-{name}-alone")), seed.get(..19).unwrap_or_default())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    write_egress(&corpora)?;
    let folder = corpora.join("from_cell");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(format!("seed-{name}")), bytes);
    for (name, frame) in frames() {
        write(name, &encode(&frame, usize::MAX)?)?;
    }
    write("empty", &[0; 4])?;
    write("half", &[9, 0, 0, 0, VERSION, 0])?;
    write("version", &[1, 0, 0, 0, VERSION + 1])?;
    write("too-long", &u32::MAX.to_le_bytes())?;
    write("left-over", &[3, 0, 0, 0, VERSION, 5, 0])?;
    Ok(())
}
