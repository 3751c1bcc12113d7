//! The house as the door sees it.

use super::house::House;
use super::policy::explain::{self, Facts, explained};
use super::{audit, capabilities, decisions, doctor, keys};
use crate::artifact::ALIASES_MAX;
use crate::http::{Answer, ConnectionGauge, Later, Service, Stretch};
use crate::model::{
    Action, AliasName, AliasRow, Ask, DecisionId, Digest, Door, Principal, Problem, ProblemCode, Resource, Role, RunId, RunRequest,
};
use crate::policy::RateLimiter;
use crate::policy::capabilities::Form;
use crate::provenance;
use crate::run::{CancelSignal, Destination, Idempotency, LadderOrder, NewArtifact, Page, RunFilter, Serving, Shelved};
use crate::telemetry::Listener;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Notify;

/// Answers both listeners.
pub(super) struct Rooms {
    pub(super) house: House,
    rate: RateLimiter,
    /// Good on the operator listener as an operator's key.
    local_token: String,
    /// Who has how many connections; known once the listeners serve.
    connections: OnceLock<[(Listener, ConnectionGauge); 2]>,
    /// Rings when policies were replaced.
    replaced: Notify,
}

impl Rooms {
    pub(super) fn new(house: House, rate: RateLimiter, local_token: String) -> Self {
        Self { house, rate, local_token, connections: OnceLock::new(), replaced: Notify::new() }
    }

    /// Reads the policies again. A task of its own: what is recorded to be in force is, also when its caller goes away.
    pub(super) async fn reload(&self, by: &str) -> Result<Value, Problem> {
        let (reloader, by) = (self.house.reloader.clone(), by.to_owned());
        let reloaded = tokio::spawn(async move { reloader.reload(&by).await });
        let told = reloaded.await.unwrap_or_else(|error| Err(ended(&error)))?;
        self.replaced.notify_one();
        Ok(told)
    }

    /// Returns when policies were replaced since the last time.
    pub(super) async fn policies_replaced(&self) {
        self.replaced.notified().await;
    }

    /// From now on the metrics show these listeners' connections.
    pub(super) fn watch_connections(&self, listeners: [(Listener, ConnectionGauge); 2]) {
        // Called once, after the listeners were started.
        let _ = self.connections.set(listeners);
    }

    /// Runs a change of keys where blocking is allowed.
    fn change_keys<'a>(&'a self, by: &'a Principal, change: keys::Change) -> Later<'a, Result<Value, Problem>> {
        let (ring, log, by) = (Arc::clone(&self.house.keys), self.house.conduct.parts().log.clone(), keys::by(by).to_owned());
        Box::pin(async move {
            let changed = tokio::task::spawn_blocking(move || keys::change(&ring, &log, &by, change)).await;
            changed.unwrap_or_else(|error| Err(Problem::new(ProblemCode::InternalError, error.to_string(), "see the server's log")))
        })
    }
}

/// Reads where blocking is allowed.
fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Later<'static, Result<T, Problem>> {
    Box::pin(async move { tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(ended(&error))) })
}

fn ended(error: &tokio::task::JoinError) -> Problem {
    Problem::new(ProblemCode::InternalError, error.to_string(), "see the server's log")
}

impl Service for Rooms {
    fn authenticate(&self, authorization: Option<&str>) -> Result<Principal, Problem> {
        self.house.keys.authenticate(authorization).map_err(|problem| *problem)
    }

    fn authenticate_operator(&self, authorization: Option<&str>) -> Result<Principal, Problem> {
        let given = authorization.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        if bool::from(given.as_bytes().ct_eq(self.local_token.as_bytes())) {
            return Ok(Principal { id: "local-token".to_owned(), name: "local-token".to_owned(), role: Role::Operator });
        }
        self.authenticate(authorization)
    }

    fn admit_rate(&self, principal: &Principal) -> Result<(), Problem> {
        self.rate.check(principal).map_err(|retry| retry.problem())
    }

    fn submit(
        &self,
        principal: Principal,
        request: RunRequest,
        idempotency: Option<Idempotency>,
        cancel: CancelSignal,
    ) -> Later<'_, Result<Answer, Problem>> {
        Box::pin(async move {
            let answer = self.house.conduct.submit(principal, request, idempotency, cancel).await?;
            Ok(Answer { body: answer.body, replayed: answer.replayed })
        })
    }

    fn serve(
        &self,
        principal: Principal,
        request: RunRequest,
        serving: Serving,
        cancel: CancelSignal,
    ) -> Later<'_, Result<Bytes, Problem>> {
        Box::pin(self.house.conduct.serve(principal, request, serving, cancel))
    }

    fn shelve(&self, principal: Principal, new: NewArtifact) -> Later<'_, Result<Shelved, Problem>> {
        Box::pin(self.house.conduct.shelve(principal, new))
    }

    fn permit<'a>(&'a self, principal: &'a Principal, action: Action, listener: Door) -> Later<'a, Result<(), Problem>> {
        Box::pin(async move {
            let ask = Ask { principal, action, resource: Resource::Server, listener };
            self.house.conduct.permit(&ask).await
        })
    }

    fn artifact<'a>(&'a self, by: &'a Principal, id: Digest, sources: bool, listener: Door) -> Later<'a, Result<Value, Problem>> {
        Box::pin(self.house.conduct.artifact_shown(by, id, sources, listener))
    }

    fn ladder(&self, by: Principal, id: Digest, order: LadderOrder, listener: Door) -> Later<'_, Result<Value, Problem>> {
        let conduct = self.house.conduct.clone();
        // A task of its own: a step that was asked for is taken, or not, also when its caller goes away.
        let step = tokio::spawn(async move { conduct.ladder(by, id, order, listener).await });
        Box::pin(async move { step.await.unwrap_or_else(|error| Err(ended(&error))) })
    }

    fn revalidate<'a>(&'a self, by: &'a Principal, only: Option<Digest>) -> Later<'a, Result<Value, Problem>> {
        Box::pin(async move { self.house.conduct.revalidate(only, by).await.map(|told| json!(told)) })
    }

    fn reload_policies<'a>(&'a self, by: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        Box::pin(self.reload(&by.id))
    }

    fn move_alias(&self, principal: Principal, alias: AliasName, to: Destination) -> Later<'_, Result<AliasRow, Problem>> {
        Box::pin(self.house.conduct.move_alias(principal, alias, to))
    }

    fn alias(&self, alias: &AliasName) -> Result<Value, Problem> {
        let (artifact, moves) = self.house.conduct.alias(alias)?;
        Ok(json!({ "alias": alias, "artifact": artifact, "moves": moves }))
    }

    fn aliases(&self, after: Option<&AliasName>) -> Result<Value, Problem> {
        let aliases = self.house.conduct.aliases(after)?;
        let cursor = aliases.last().filter(|_| aliases.len() == ALIASES_MAX).map(|last| last.what.alias.clone());
        Ok(json!({ "aliases": aliases, "after": cursor }))
    }

    fn report<'a>(&'a self, principal: &'a Principal, run: RunId, listener: Door) -> Later<'a, Result<Bytes, Problem>> {
        Box::pin(self.house.conduct.report(principal, run, listener))
    }

    fn list<'a>(&'a self, principal: &'a Principal, filter: RunFilter, listener: Door) -> Later<'a, Result<Page, Problem>> {
        let conduct = self.house.conduct.clone();
        Box::pin(async move {
            let reach = conduct.reach(principal, listener).await?;
            let principal = principal.clone();
            blocking(move || conduct.list(&principal, listener, reach, filter)).await
        })
    }

    fn refused(&self, principal: Option<&Principal>, _route: &'static str, problem: &Problem) {
        let (conduct, principal, problem) = (self.house.conduct.clone(), principal.cloned(), problem.clone());
        tokio::spawn(async move { conduct.refused(principal.as_ref(), None, &problem).await });
    }

    fn observed(&self, route: &'static str, status: u16, seconds: f64) {
        self.house.conduct.parts().telemetry.http_request(route, status, Duration::from_secs_f64(seconds.max(0.0)));
    }

    fn capabilities(&self, principal: &Principal) -> Value {
        capabilities::list(&self.house.conduct.parts().policy.current(), principal)
    }

    fn capabilities_of(&self, principal: &Principal, name: &str, form: Form) -> Result<String, Problem> {
        capabilities::one(&self.house.conduct.parts().policy.current(), principal, name, form)
    }

    fn metrics(&self) -> String {
        self.house.gauge();
        for (listener, gauge) in self.connections.get().into_iter().flatten() {
            self.house.conduct.parts().telemetry.connections(*listener, gauge.count());
        }
        self.house.conduct.parts().telemetry.render()
    }

    fn ready(&self) -> Result<(), String> {
        self.house.ready()
    }

    fn doctor(&self) -> Value {
        let parts = self.house.conduct.parts();
        let secrets = parts.secrets.problems().into_iter().map(|problem| problem.to_string());
        let mut shown = doctor::shown(&self.house.identities);
        shown["outbound"] = json!({ "problems": parts.broker.problems().into_iter().chain(secrets).collect::<Vec<_>>() });
        shown
    }

    fn create_key<'a>(&'a self, by: &'a Principal, name: String, role: Role) -> Later<'a, Result<Value, Problem>> {
        self.change_keys(by, keys::Change::Create(name, role))
    }

    fn list_keys<'a>(&'a self, _by: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        Box::pin(std::future::ready(Ok(keys::list(&self.house.keys))))
    }

    fn rotate_key<'a>(&'a self, by: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>> {
        self.change_keys(by, keys::Change::Rotate(id))
    }

    fn revoke_key<'a>(&'a self, by: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>> {
        self.change_keys(by, keys::Change::Revoke(id))
    }

    fn decisions(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>> {
        let store = self.house.conduct.parts().log.store().clone();
        blocking(move || decisions::page(&store, &stretch))
    }

    fn decision(&self, id: DecisionId) -> Later<'_, Result<Value, Problem>> {
        let store = self.house.conduct.parts().log.store().clone();
        blocking(move || decisions::one(&store, id))
    }

    fn explain<'a>(&'a self, by: &'a Principal, id: DecisionId, listener: Door) -> Later<'a, Result<Value, Problem>> {
        let (store, set) = (self.house.conduct.parts().log.store().clone(), self.house.conduct.parts().policy.current());
        Box::pin(async move {
            let facts = blocking(move || Facts::gather(&store, id).map_err(|error| crate::run::unreadable(&error))).await?;
            let facts = facts.ok_or_else(|| explain::unknown(id))?;
            if let Some(run) = &facts.run {
                let (run, owner, tier) = (run.intent.run.to_string(), &run.intent.principal.id, run.intent.grant.tier);
                let ask = Ask { principal: by, action: Action::ReadRun, resource: Resource::Run { id: &run, owner, tier }, listener };
                // Whoever may not read a run does not learn that it exists.
                let may = self.house.conduct.permit(&ask).await;
                may.map_err(|problem| if problem.status == 403 { explain::unknown(id) } else { problem })?;
            }
            Ok(explained(&facts, &set))
        })
    }

    fn egress(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>> {
        let store = self.house.conduct.parts().log.store().clone();
        blocking(move || decisions::egress(&store, &stretch))
    }

    fn verify_log<'a>(&'a self, _by: &'a Principal) -> Later<'a, Result<Value, Problem>> {
        let store = self.house.conduct.parts().log.store().clone();
        Box::pin(async move {
            let internal = |detail: String| Problem::new(ProblemCode::InternalError, detail, "see the server's log");
            let verdict =
                tokio::task::spawn_blocking(move || provenance::verify(&store)).await.map_err(|error| internal(error.to_string()))?;
            verdict.map(|verdict| audit::shown(&verdict)).map_err(|error| internal(error.to_string()))
        })
    }
}
