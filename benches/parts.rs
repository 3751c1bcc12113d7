//! Benchmarks of parts, by criterion: what a run costs the supervisor besides its cell, and what intake costs a cell.
//!
//! `cargo bench --bench parts`. The whole, beside a bare isolate and workerd, is `python3 benches/load.py`.

use cordon::artifact::Artifacts;
use cordon::config::Config;
use cordon::egress::judge;
use cordon::intake;
use cordon::model::frame::{self, FromCell, PrepareOrder, ReadyModule, RunEnd};
use cordon::model::{
    Action, Artifact, Ask, Digest, Door, EgressGrant, EgressMode, EgressRule, EgressTerms, Enforcement, Grant, HostPattern, JsonCaps,
    LimitsRequest, Outcome, Principal, Profile, Resource, Role, Scheme, Tier, check_json,
};
use cordon::policy::{self, Authority, PolicySet, Question, Sizes};
use cordon::provenance::{Log, Refusal};
use cordon::store::{Batch, Options, Store, wait};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The frame that ends an ordinary run.
fn frames(c: &mut Criterion) {
    let uncounted = RunEnd::uncounted(Outcome::Ok, Some("{\"ok\":2}".to_owned()), None);
    let end = FromCell::Finished(Box::new(RunEnd { start_us: 300, heap_peak_bytes: 2 << 20, ..uncounted }));
    let Ok(bytes) = frame::encode(&end, usize::MAX) else { return };
    c.bench_function("frame/decode the end of a run", |b| b.iter(|| frame::decode::<FromCell>(black_box(&bytes), 1 << 20)));
}

/// The one validator of what comes out of a cell.
fn results(c: &mut Criterion) {
    let mut group = c.benchmark_group("result/check");
    for kilobytes in [1, 100] {
        let row = "{\"id\":12345,\"name\":\"a name\",\"tags\":[\"x\",\"y\"],\"nested\":{\"a\":null}},";
        let text = format!("[{}1]", row.repeat((kilobytes << 10) / row.len()));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let caps = JsonCaps { bytes: text.len(), depth: 512 };
        group.bench_function(format!("{kilobytes} KB"), |b| b.iter(|| check_json(black_box(&text), caps)));
    }
    group.finish();
}

/// A machine that has nothing to say.
struct Machine(BTreeMap<String, String>);

impl policy::Machine for Machine {
    fn hardening(&self, _: &Profile) -> &BTreeMap<String, String> {
        &self.0
    }

    fn evidence_build(&self, _: &Profile) -> Digest {
        Digest::of(b"")
    }

    fn now_ms(&self) -> u64 {
        0
    }
}

/// A decision with its grant, by the policies that come along.
fn decisions(c: &mut Criterion) {
    let Ok(set) = PolicySet::load(None) else { return };
    let (principal, asked, machine) = (Principal::local(), LimitsRequest::default(), Machine(BTreeMap::new()));
    let artifact = Artifact::snippet("export default () => ({ ok: 1 + 1 });".to_owned());
    let question = Question {
        principal: &principal,
        door: Door::Public,
        profile: None,
        standing: None,
        asked: &asked,
        sizes: Sizes::of(&artifact, 4),
        machine: &machine,
    };
    c.bench_function("policy/grant", |b| b.iter(|| policy::grant(black_box(&set), &question).is_ok()));
}

/// Terms with so many rules, every other one a wildcard.
fn terms(rules: usize) -> EgressTerms {
    let rule = |at: usize| EgressRule {
        host: if at.is_multiple_of(2) {
            HostPattern::Name(format!("h{at}.example"))
        } else {
            HostPattern::OneBelow(format!("h{at}.example"))
        },
        ports: vec![443],
        schemes: vec![Scheme::Https],
        methods: vec!["GET".to_owned(), "HEAD".to_owned()],
        path_prefix: "/v1".to_owned(),
        max_response_bytes: 1 << 20,
        max_requests: 50,
        inject: None,
        enforcement: Enforcement::Enforce,
        reason: "orders API, ticket 4711".to_owned(),
    };
    EgressGrant { mode: EgressMode::Allowlist, rules: (0..rules).map(rule).collect(), ..EgressGrant::default() }.into()
}

/// A decision on a request, its URL parsed, under few and many rules; and what a record of a run under them costs.
fn egress(c: &mut Criterion) {
    let Ok(set) = PolicySet::load(None) else { return };
    let Some(profile) = set.profiles.by_name("production") else { return };
    let mut group = c.benchmark_group("egress");
    for rules in [10, 1_000, 10_000] {
        let terms = std::sync::Arc::new(terms(rules));
        let grant = Grant { egress: std::sync::Arc::clone(&terms), ..Grant::new(profile, profile.limits) };
        let last = rules - 1;
        for (what, url) in [
            ("allowed", format!("https://a.h{last}.example/v1/orders")),
            ("path denied", format!("https://a.h{last}.example/v2")),
            ("host denied", "https://a.b.evil.example/v1".to_owned()),
        ] {
            group.bench_function(format!("{what}, {rules} rules"), |b| {
                b.iter(|| judge(black_box(&terms), 1, "GET", black_box(&url)).is_ok())
            });
        }
        group.bench_function(format!("digest of a grant, {rules} rules"), |b| b.iter(|| black_box(&grant).recorded().digest()));
    }
    group.finish();
}

/// A question to the policies of an operator who has many: all speak of the action, one permits, half of them look at attributes.
fn authorizations(c: &mut Criterion) {
    let mut group = c.benchmark_group("policy/decide");
    for count in [10, 100, 300] {
        let Ok(folder) = tempfile::tempdir() else { return };
        let Ok(()) = std::fs::write(folder.path().join("many.cedar"), policies_of(count)) else { return };
        let Ok(authority) = Authority::load(Some(folder.path())) else { return };
        let principal = Principal { id: "key:7f3a".to_owned(), name: "ci".to_owned(), role: Role::Agent };
        let resource = Resource::Profile { name: "untrusted", tier: Tier::Untrusted };
        let ask = Ask { principal: &principal, action: Action::Submit, resource, listener: Door::Public };
        group.bench_function(format!("{count} policies"), |b| b.iter(|| authority.decide(black_box(&ask)).allowed));
        let p99 = percentile_99(|| authority.decide(black_box(&ask)).allowed);
        println!("policy/decide/{count} policies: p99 of 20,000 single decisions {p99:?}");
    }
    group.finish();
}

/// `count` policies, of which the first permits.
fn policies_of(count: usize) -> String {
    let rest = (1..count).map(|n| match n % 2 {
        0 => format!("@id(\"p{n}\") permit (principal == Principal::\"key:{n}\", action, resource);\n"),
        _ => format!("@id(\"p{n}\") forbid (principal, action == Action::\"submit\", resource) when {{ resource.name == \"p{n}\" && resource.tier > 0 }};\n"),
    });
    std::iter::once("@id(\"p0\") permit (principal in Role::\"agent\", action, resource);\n".to_owned()).chain(rest).collect()
}

/// The time that 99 of 100 calls stay under: criterion tells means.
fn percentile_99(mut call: impl FnMut() -> bool) -> Duration {
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let start = Instant::now();
            black_box(call());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

/// TypeScript of about so many kilobytes.
fn typescript(kilobytes: usize) -> String {
    let part = "export function f(a: number, b: Array<string> = []): { n: number } { return { n: a + b.length }; }\n";
    let unique = (0..(kilobytes << 10) / part.len()).map(|n| part.replace(" f(", &format!(" f{n}("))).collect::<String>();
    format!("{unique}export default (input: number): number => input;\n")
}

/// Parsing, checking and stripping of TypeScript.
fn intakes(c: &mut Criterion) {
    let mut group = c.benchmark_group("intake/prepare TypeScript");
    intake::warm();
    for kilobytes in [1, 100, 500] {
        let source = typescript(kilobytes);
        group.throughput(Throughput::Bytes(source.len() as u64));
        let order = PrepareOrder { modules: vec![("main.ts".to_owned(), source)], main: "main.ts".to_owned(), normalise: false };
        group.bench_function(format!("{kilobytes} KB"), |b| b.iter(|| intake::prepare(black_box(&order)).is_ok()));
    }
    group.finish();
}

/// The same for a source that was prepared before: its id is computed, and what is kept of it found.
fn known(c: &mut Criterion) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let Ok((store, _)) = Store::open(folder.path(), Options::default()) else { return };
    let artifacts = Artifacts::new(store);
    let mut group = c.benchmark_group("intake/known TypeScript");
    for kilobytes in [1, 100, 500] {
        let artifact = Artifact::snippet(typescript(kilobytes));
        let modules = vec![ReadyModule { name: "main.ts".to_owned(), code: typescript(kilobytes), source_map: None }];
        artifacts.keep_prepared(artifact.id(), Arc::new(modules));
        group.throughput(Throughput::Bytes(artifact.source_bytes()));
        group.bench_function(format!("{kilobytes} KB"), |b| b.iter(|| artifacts.prepared(&black_box(&artifact).id()).is_some()));
    }
    group.finish();
}

/// A record from the call to its acknowledgement.
fn records(c: &mut Criterion) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let Ok((store, _)) = Store::open(folder.path(), Options::default()) else { return };
    let Ok((log, _)) = Log::open(store) else { return };
    let mut group = c.benchmark_group("record/append");
    for (name, durability) in [("batched", cordon::model::Durability::Batched), ("strict", cordon::model::Durability::Strict)] {
        let problem = cordon::model::Problem::new(cordon::model::ProblemCode::Rejected, "a detail", "a mend");
        group.bench_function(name, |b| b.iter(|| wait(log.refuse(Refusal::of(&problem, None, None), Batch::new(), durability)).is_ok()));
    }
    group.finish();
}

/// The configuration of a server without a file.
fn configuration(c: &mut Criterion) {
    c.bench_function("config/defaults", |b| b.iter(|| Config::load(&cordon::config::Overrides::default(), |_| None).is_ok()));
}

criterion_group!(parts, frames, results, decisions, authorizations, egress, intakes, known, records, configuration);
criterion_main!(parts);
