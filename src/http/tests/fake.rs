//! A house that is played: it knows five programs and remembers what happened.

use super::soon;
use crate::http::{Answer, Later, Service, Stretch};
use crate::model::exchange::ServedRequest;
use crate::model::{
    Action, AliasMove, AliasName, AliasRow, CheckReport, DecisionId, Digest, Door, Principal, Problem, ProblemCode, Role, RunId,
    RunRequest, RunSource, Tier,
};
use crate::policy::capabilities::Form;
use crate::run::{CancelSignal, Destination, Idempotency, LadderOrder, NewArtifact, Page, RunFilter, Serving, Shelved};
use bytes::Bytes;
use serde_json::{Value, json, value::RawValue};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, oneshot};

#[derive(Default)]
pub(super) struct Fake {
    pub(super) seen: Mutex<Vec<(Principal, RunRequest, Option<Idempotency>)>>,
    pub(super) refusals: Mutex<Vec<(Option<String>, &'static str, ProblemCode)>>,
    pub(super) observations: Mutex<Vec<(&'static str, u16)>>,
    pub(super) lists: Mutex<Vec<RunFilter>>,
    pub(super) unready: AtomicBool,
    /// A `wait` run has begun, was cancelled, may end.
    pub(super) begun: Notify,
    pub(super) cancelled: std::sync::Arc<Notify>,
    pub(super) release: std::sync::Arc<Notify>,
}

fn principal(role: Role) -> Principal {
    Principal { id: format!("key:{role}"), name: role.to_string(), role }
}

impl Fake {
    pub(super) async fn begins(&self) {
        soon(self.begun.notified()).await;
    }

    /// The latest request that came through.
    pub(super) fn last(&self) -> (Principal, RunRequest, Option<Idempotency>) {
        self.seen.lock().expect("a lock").last().cloned().expect("a run")
    }

    pub(super) fn refusals(&self) -> Vec<(Option<String>, &'static str, ProblemCode)> {
        std::mem::take(&mut *self.refusals.lock().expect("a lock"))
    }

    fn by_token(authorization: Option<&str>) -> Result<Principal, Problem> {
        match authorization {
            None => Ok(Principal::local()),
            Some(header) => header
                .strip_prefix("Bearer ")
                .and_then(|token| token.parse().ok())
                .map(principal)
                .ok_or_else(|| Problem::new(ProblemCode::Unauthenticated, "the key is unknown", "use a key")),
        }
    }
}

impl Service for Fake {
    fn authenticate(&self, authorization: Option<&str>) -> Result<Principal, Problem> {
        Self::by_token(authorization)
    }

    fn authenticate_operator(&self, authorization: Option<&str>) -> Result<Principal, Problem> {
        match authorization {
            Some("Bearer local-token") => Ok(Principal::local()),
            other => Self::by_token(other),
        }
    }

    fn admit_rate(&self, principal: &Principal) -> Result<(), Problem> {
        if principal.role == Role::Developer {
            return Err(Problem { retry_after: Some(3), ..Problem::new(ProblemCode::RateLimited, "too often", "wait") });
        }
        Ok(())
    }

    fn submit(
        &self,
        by: Principal,
        request: RunRequest,
        key: Option<Idempotency>,
        cancel: CancelSignal,
    ) -> Later<'_, Result<Answer, Problem>> {
        let program = match &request.source {
            RunSource::Inline(artifact) => artifact.modules().values().next().cloned().unwrap_or_default(),
            RunSource::Stored(digest) => digest.to_string(),
            RunSource::Alias(alias) => alias.to_string(),
        };
        let answer = Answer { body: Bytes::from(request.input.get().to_owned()), replayed: program == "replay" };
        self.seen.lock().expect("a lock").push((by, request, key));
        let (cancelled, release, mut cancel) = (self.cancelled.clone(), self.release.clone(), cancel);
        Box::pin(async move {
            match program.as_str() {
                "panic" => panic!("as asked for"),
                "refuse" => Err(Problem { retry_after: Some(7), ..Problem::new(ProblemCode::Overloaded, "full", "wait") }),
                "big" => Ok(Answer { body: Bytes::from(vec![b'1'; 32 << 20]), replayed: false }),
                "wait" => {
                    let (done, end) = oneshot::channel();
                    // A task of its own, as a real run is.
                    tokio::spawn(async move {
                        tokio::select! {
                            () = cancel.cancelled() => cancelled.notify_one(),
                            () = release.notified() => {}
                        }
                        let _ = done.send(());
                    });
                    self.begun.notify_one();
                    let _ = end.await;
                    Ok(answer)
                }
                _echo => Ok(answer),
            }
        })
    }

    fn serve(&self, by: Principal, request: RunRequest, serving: Serving, cancel: CancelSignal) -> Later<'_, Result<Bytes, Problem>> {
        let asked: ServedRequest = serde_json::from_str(request.input.get()).expect("a served request");
        self.seen.lock().expect("a lock").push((by, request, None));
        Box::pin(super::served::play(asked.url, serving, cancel, (self.cancelled.clone(), self.release.clone())))
    }

    fn shelve(&self, _: Principal, new: NewArtifact) -> Later<'_, Result<Shelved, Problem>> {
        Box::pin(async move {
            let checks = CheckReport { tier: Tier::Validated, findings: Vec::new(), more: Vec::new() };
            Ok(Shelved { artifact: new.artifact.id(), created: true, checks })
        })
    }

    fn permit<'a>(&'a self, by: &'a Principal, action: Action, _: Door) -> Later<'a, Result<(), Problem>> {
        let may = match by.role {
            Role::Operator => true,
            Role::Auditor => matches!(action, Action::ReadLog | Action::ReadDecisions),
            Role::Agent | Role::Developer => action == Action::ShelveArtifact,
        };
        let answer = if may { Ok(()) } else { Err(Problem::new(ProblemCode::PolicyDenied, "not yours", "ask")) };
        Box::pin(std::future::ready(answer))
    }

    fn artifact<'a>(&'a self, by: &'a Principal, id: Digest, sources: bool, at: Door) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "artifact": id, "by": by.name, "sources": sources, "at": at })) })
    }

    fn ladder(&self, by: Principal, id: Digest, order: LadderOrder, at: Door) -> Later<'_, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "artifact": id, "by": by.name, "order": format!("{order:?}"), "at": at })) })
    }

    fn revalidate<'a>(&'a self, _: &'a Principal, only: Option<Digest>) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "only": only })) })
    }

    fn reload_policies<'a>(&'a self, by: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "by": by.name })) })
    }

    fn move_alias(&self, by: Principal, alias: AliasName, to: Destination) -> Later<'_, Result<AliasRow, Problem>> {
        let moved = AliasMove { alias, artifact: to.artifact, previous: to.expected, by };
        Box::pin(async move { Ok(AliasRow { what: moved, sequence: 1, at_ms: 2 }) })
    }

    fn alias(&self, alias: &AliasName) -> Result<Value, Problem> {
        Ok(json!({ "alias": alias }))
    }

    fn aliases(&self, after: Option<&AliasName>) -> Result<Value, Problem> {
        Ok(json!({ "after": after }))
    }

    fn report<'a>(&'a self, by: &'a Principal, run: RunId, _: Door) -> Later<'a, Result<Bytes, Problem>> {
        Box::pin(async move {
            if by.role == Role::Agent {
                return Err(Problem::new(ProblemCode::NotFound, "no such run", "look at your own"));
            }
            Ok(Bytes::from(format!(r#"{{"run":"{run}"}}"#)))
        })
    }

    fn list<'a>(&'a self, _: &'a Principal, filter: RunFilter, _: Door) -> Later<'a, Result<Page, Problem>> {
        self.lists.lock().expect("a lock").push(filter);
        Box::pin(async {
            Ok(Page { runs: vec![RawValue::from_string(r#"{"run":1}"#.to_owned()).expect("JSON")], cursor: Some("next".to_owned()) })
        })
    }

    fn refused(&self, principal: Option<&Principal>, route: &'static str, problem: &Problem) {
        self.refusals.lock().expect("a lock").push((principal.map(|principal| principal.name.clone()), route, problem.code));
    }

    fn observed(&self, route: &'static str, status: u16, seconds: f64) {
        assert!(seconds >= 0.0);
        self.observations.lock().expect("a lock").push((route, status));
    }

    fn capabilities(&self, principal: &Principal) -> Value {
        json!({ "for": principal.name })
    }

    fn capabilities_of(&self, principal: &Principal, name: &str, form: Form) -> Result<String, Problem> {
        if name == "unknown" {
            return Err(Problem::new(ProblemCode::NotFound, "no such profile", "name another"));
        }
        Ok(format!("\"{} {name} {}\"", principal.name, form.as_str()))
    }

    fn metrics(&self) -> String {
        "# HELP up up\n".to_owned()
    }

    fn ready(&self) -> Result<(), String> {
        if self.unready.load(Ordering::SeqCst) { Err("no cells".to_owned()) } else { Ok(()) }
    }

    fn doctor(&self) -> Value {
        json!({ "layers": [] })
    }

    fn create_key<'a>(&'a self, by: &'a Principal, name: String, role: Role) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "by": by.name, "name": name, "role": role })) })
    }

    fn list_keys<'a>(&'a self, _: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async { Ok(json!({ "keys": [] })) })
    }

    fn rotate_key<'a>(&'a self, _: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "rotated": id })) })
    }

    fn revoke_key<'a>(&'a self, _: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "revoked": id })) })
    }

    fn decisions(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "decisions": [], "cursor": stretch.cursor, "limit": stretch.limit })) })
    }

    fn decision(&self, id: DecisionId) -> Later<'_, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "decision_id": id })) })
    }

    fn explain<'a>(&'a self, by: &'a Principal, id: DecisionId, at: Door) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "id": id, "by": by.name, "at": at })) })
    }

    fn egress(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>> {
        Box::pin(async move { Ok(json!({ "runs": [], "until": stretch.until_ms })) })
    }

    fn verify_log<'a>(&'a self, _: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async { Ok(json!({ "ok": true })) })
    }
}
