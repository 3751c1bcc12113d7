use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn telemetry() -> Telemetry {
    let build = Build { version: "0.1.0".into(), v8_version: "15.0".into() };
    Telemetry::new(&build, &["/v1/runs", "/v1/runs/{run}"]).expect("the buckets are right")
}

/// Does each thing once.
fn everything() -> Telemetry {
    let telemetry = telemetry();
    let ms = Duration::from_millis;
    telemetry.run_finished(Tier::Untrusted, Outcome::Ok, ms(2), ms(1));
    telemetry.isolate_started(Start::Warm, ms(1));
    telemetry.code_cache(CodeCache::Hit);
    telemetry.policy_decision(Rule::Granted, ms(1));
    telemetry.denial(Capability::Module, DenialReason::NotInArtifact);
    telemetry.egress_request(Tier::Validated, EgressResult::Denied);
    telemetry.egress_would_deny(Tier::Validated);
    telemetry.limit_overshoot(Overshoot::Cpu, ms(4));
    telemetry.cells(CellKind::Intake, CellState::Idle, 4);
    telemetry.cell_exit(Tier::Production.into(), CellExit::Done);
    telemetry.zygote_replaced(CellKind::Intake, ZygoteReplacement::Age);
    telemetry.seccomp_refusal(Syscall::of("bpf"));
    telemetry.provenance_records(1);
    telemetry.trace_complete(1, 2);
    telemetry.hardening(&BTreeMap::from([("landlock".into(), "partial: ABI 3".into()), ("seccomp".into(), "enforced".into())]));
    telemetry.refusal(ProblemCode::TooLarge);
    telemetry.admission(1, 2, 3);
    telemetry.admitted(ms(1));
    telemetry.http_request("/v1/runs", 200, ms(2));
    telemetry.connections(Listener::Operator, 5);
    telemetry
}

/// The samples of the text, by series.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| line.rsplit_once(' ').and_then(|(series, value)| Some((series.to_owned(), value.parse().ok()?)));
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

#[test]
fn every_series_with_bounded_labels_is_there_before_anything_happened() {
    let before = samples(&telemetry().render());
    let after = samples(&everything().render());
    let fresh: BTreeSet<&String> = after.keys().filter(|series| !before.contains_key(*series)).collect();
    assert!(fresh.iter().all(|series| series.starts_with("cordon_hardening_layer_info{")), "{fresh:?}");
    let not_zero: Vec<_> = before.iter().filter(|(_, value)| **value != 0.0).map(|(series, _)| series.as_str()).collect();
    assert_eq!(not_zero, ["cordon_build_info{version=\"0.1.0\",v8_version=\"15.0\"}", "cordon_trace_complete_ratio"]);
}

#[test]
fn each_event_is_counted_under_its_name_and_labels() {
    let samples = samples(&everything().render());
    let expected = [
        ("cordon_runs_total{tier=\"0\",outcome=\"ok\"}", 1.0),
        ("cordon_runs_total{tier=\"0\",outcome=\"exception\"}", 0.0),
        ("cordon_egress_requests_total{tier=\"1\",result=\"denied\"}", 1.0),
        ("cordon_egress_requests_total{tier=\"1\",result=\"answered\"}", 0.0),
        ("cordon_egress_would_deny_total{tier=\"1\"}", 1.0),
        ("cordon_egress_would_deny_total{tier=\"2\"}", 0.0),
        ("cordon_run_duration_seconds_sum{tier=\"0\"}", 0.002),
        ("cordon_run_duration_seconds_bucket{tier=\"0\",le=\"0.001\"}", 0.0),
        ("cordon_run_duration_seconds_bucket{tier=\"0\",le=\"0.002\"}", 1.0),
        ("cordon_run_cpu_seconds_count{tier=\"0\"}", 1.0),
        ("cordon_isolate_start_seconds_count{state=\"warm\"}", 1.0),
        ("cordon_policy_decision_seconds_count", 1.0),
        ("cordon_policy_decisions_total{decision=\"allow\",reason=\"granted\"}", 1.0),
        ("cordon_policy_decisions_total{decision=\"deny\",reason=\"inputBytes\"}", 0.0),
        ("cordon_denials_total{capability=\"module\",reason=\"notInArtifact\"}", 1.0),
        ("cordon_limit_overshoot_seconds_bucket{limit=\"cpu\",le=\"0.005\"}", 1.0),
        ("cordon_cells{tier=\"intake\",state=\"idle\"}", 4.0),
        ("cordon_cell_exits_total{tier=\"2\",cause=\"done\"}", 1.0),
        ("cordon_zygote_replacements_total{tier=\"intake\",reason=\"age\"}", 1.0),
        ("cordon_seccomp_refusals_total{syscall=\"bpf\"}", 1.0),
        ("cordon_provenance_records_total", 1.0),
        ("cordon_trace_complete_ratio", 0.5),
        ("cordon_hardening_layer_info{layer=\"landlock\",state=\"partial\"}", 1.0),
        ("cordon_refusals_total{code=\"tooLarge\"}", 1.0),
        ("cordon_admission_waiting", 1.0),
        ("cordon_admission_running", 2.0),
        ("cordon_admission_memory_bytes", 3.0),
        ("cordon_admission_wait_seconds_count", 1.0),
        ("cordon_http_requests_total{route=\"/v1/runs\",status=\"2xx\"}", 1.0),
        ("cordon_http_request_duration_seconds_count{route=\"/v1/runs\"}", 1.0),
        ("cordon_http_connections{listener=\"operator\"}", 5.0),
    ];
    for (series, value) in expected {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
}

#[test]
fn every_metric_has_help_and_a_type_and_no_histogram_is_a_summary() {
    let text = everything().render();
    let named = |start: &str| text.lines().filter_map(|line| line.strip_prefix(start)?.split(' ').next()).collect::<BTreeSet<_>>();
    assert_eq!(named("# HELP "), named("# TYPE "));
    assert!(named("# TYPE ").len() > 20 && named("# TYPE ").iter().all(|name| name.starts_with("cordon_")));
    assert!(!text.contains(" summary") && !text.contains("quantile="));
}

#[test]
fn what_callers_and_cells_say_cannot_grow_the_number_of_series() {
    let telemetry = telemetry();
    let count = samples(&telemetry.render()).len();
    for n in 0..100u16 {
        telemetry.http_request(&format!("/v1/runs/{n}"), n * 10, Duration::ZERO);
        let word = n.to_string();
        let denial = crate::model::Denial {
            capability: word.clone(),
            target: word.clone(),
            rule: word.clone(),
            reason: word.clone(),
            remediation: word,
        };
        telemetry.denial_told(&denial);
    }
    let samples = samples(&telemetry.render());
    assert_eq!(samples.len(), count);
    assert_eq!(samples.get("cordon_http_request_duration_seconds_count{route=\"other\"}"), Some(&100.0));
    assert_eq!(samples.get("cordon_denials_total{capability=\"other\",reason=\"other\"}"), Some(&100.0));
}

#[test]
fn upkeep_keeps_what_was_counted_and_instances_share_nothing() {
    let (one, other) = (telemetry(), telemetry());
    one.limit_overshoot(Overshoot::Wall, Duration::from_millis(1));
    one.upkeep();
    one.upkeep();
    let series = "cordon_limit_overshoot_seconds_count{limit=\"wall\"}";
    assert_eq!(samples(&one.render()).get(series), Some(&1.0));
    assert_eq!(samples(&other.render()).get(series), Some(&0.0));
}

#[test]
fn without_intents_no_trace_is_incomplete() {
    let telemetry = telemetry();
    for (sealed, intents, ratio) in [(0, 0, 1.0), (0, 1, 0.0), (3, 4, 0.75), (4, 4, 1.0)] {
        telemetry.trace_complete(sealed, intents);
        assert_eq!(samples(&telemetry.render()).get("cordon_trace_complete_ratio"), Some(&ratio));
    }
}
