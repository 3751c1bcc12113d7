//! Rules on trial: what only they allow is let through, and its row says so.

use super::house::{House, code, get, rule, text};
use super::origin::Origin;
use crate::model::{EgressRule, Enforcement};

fn on_trial(host: &str, origin: &Origin) -> EgressRule {
    EgressRule { enforcement: Enforcement::Audit, ..rule(host, &[origin.port()]) }
}

fn url(host: &str, origin: &Origin, path: &str) -> String {
    format!("http://{host}:{}{path}", origin.port())
}

#[tokio::test]
async fn what_only_a_rule_on_trial_allows_is_let_through_and_its_row_says_so() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let desk = house.desk(vec![on_trial("tried.example", &origin), rule("good.example", &[origin.port()])]);
    text(&desk, get(url("tried.example", &origin, "/"))).await.expect("an answer");
    text(&desk, get(url("good.example", &origin, "/"))).await.expect("an answer");
    assert_eq!(code(&desk, get(url("evil.example", &origin, "/"))).await, "egressDenied");
    let rows = desk.ledger();
    assert_eq!(rows.iter().map(|row| row.would_deny).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((rows[0].rule.as_deref(), rows[0].status, rows[0].error.as_deref()), (Some("egress.tried.example"), 200, None));
    assert_eq!(house.codes(), [None, None, Some("egressDenied".to_owned())]);
    let json = serde_json::to_string(&rows[..2]).expect("JSON");
    assert_eq!(json.matches("wouldDeny").count(), 1, "left out where it is false: {json}");
}

#[tokio::test]
async fn what_an_enforced_rule_allows_is_allowed_by_that_one_wherever_it_stands() {
    let (house, origin) = (House::new().await, Origin::echo().await);
    let tried = EgressRule { max_requests: 1, ..on_trial("good.example", &origin) };
    let narrow = EgressRule { path_prefix: "/v1".to_owned(), max_requests: 2, ..rule("good.example", &[origin.port()]) };
    let desk = house.desk(vec![tried, narrow]);
    for _ in 0..2 {
        text(&desk, get(url("good.example", &origin, "/v1/a"))).await.expect("an answer");
    }
    text(&desk, get(url("good.example", &origin, "/v2"))).await.expect("an answer");
    assert_eq!(desk.ledger().iter().map(|row| row.would_deny).collect::<Vec<_>>(), [false, false, true]);
    // Each has its own count, and one that is used up is not made good by the other.
    assert_eq!(code(&desk, get(url("good.example", &origin, "/v1/a"))).await, "ruleExhausted");
    assert_eq!(code(&desk, get(url("good.example", &origin, "/v2"))).await, "ruleExhausted");
    assert_eq!(desk.ledger().iter().filter(|row| row.would_deny).count(), 1, "what was denied would not have been: it was");
}
