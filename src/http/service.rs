//! What the door needs from the house behind it. The wiring implements it; tests use a fake.

use crate::model::{Action, AliasName, AliasRow, DecisionId, Digest, Door, Principal, Problem, Role, RunId, RunRequest};
use crate::policy::capabilities::Form;
use crate::run::{CancelSignal, Destination, Idempotency, LadderOrder, NewArtifact, Page, RunFilter, Serving, Shelved};
use bytes::Bytes;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// A future behind a pointer, so that [`Service`] can be a trait object.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The answer to a run that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The run's report as JSON text, serialised once.
    pub body: Bytes,
    /// True when an earlier request with the same `Idempotency-Key` had this answer first.
    pub replayed: bool,
}

/// A stretch of a log, to be read a page at a time, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// What is of this time or later, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// What is before this time, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Where the page before this one ended.
    pub cursor: Option<String>,
    /// Most entries on the page.
    pub limit: u32,
}

/// What answers the two listeners. Every method is safe to call from any thread and returns at once or by its future.
pub trait Service: Send + Sync + 'static {
    /// Who asks on the public listener, by the value of its one `Authorization` header.
    fn authenticate(&self, authorization: Option<&str>) -> Result<Principal, Problem>;

    /// Who asks on the operator listener: the server's own local token is good here too.
    fn authenticate_operator(&self, authorization: Option<&str>) -> Result<Principal, Problem>;

    /// Takes one request from the principal's rate; `rateLimited` with `retry_after` when none is left.
    fn admit_rate(&self, principal: &Principal) -> Result<(), Problem>;

    /// Runs it. The run is a task of its own and always seals, also when this future is dropped; `cancel` fires when the
    /// client went away and never does for a request with an idempotency key. Refusals from here on are recorded below.
    fn submit(
        &self,
        principal: Principal,
        request: RunRequest,
        idempotency: Option<Idempotency>,
        cancel: CancelSignal,
    ) -> Later<'_, Result<Answer, Problem>>;

    /// Runs what serves an HTTP exchange; the sealed report as JSON text. Otherwise like [`Service::submit`].
    fn serve(&self, principal: Principal, request: RunRequest, serving: Serving, cancel: CancelSignal)
    -> Later<'_, Result<Bytes, Problem>>;

    /// Takes an artifact in.
    fn shelve(&self, principal: Principal, new: NewArtifact) -> Later<'_, Result<Shelved, Problem>>;

    /// Leave for `principal` to do `action` to the server, on this listener.
    fn permit<'a>(&'a self, principal: &'a Principal, action: Action, listener: Door) -> Later<'a, Result<(), Problem>>;

    /// Everything that is known of an artifact, with its sources when `sources`.
    fn artifact<'a>(&'a self, by: &'a Principal, id: Digest, sources: bool, listener: Door) -> Later<'a, Result<Value, Problem>>;

    /// A step of an artifact on the ladder, or a review of it; what was recorded.
    fn ladder(&self, by: Principal, id: Digest, order: LadderOrder, listener: Door) -> Later<'_, Result<Value, Problem>>;

    /// Gathers evidence again for what stands on stale evidence: for `only`, or for all.
    fn revalidate<'a>(&'a self, by: &'a Principal, only: Option<Digest>) -> Later<'a, Result<Value, Problem>>;

    /// Reads the policies again, and puts them in force when they have no mistake.
    fn reload_policies<'a>(&'a self, by: &'a Principal) -> Later<'a, Result<Value, Problem>>;

    /// Moves an alias, or takes it away; the move as it was recorded.
    fn move_alias(&self, principal: Principal, alias: AliasName, to: Destination) -> Later<'_, Result<AliasRow, Problem>>;

    /// Where an alias leads, with its latest moves.
    fn alias(&self, alias: &AliasName) -> Result<Value, Problem>;

    /// The aliases that lead somewhere, after `after`, with what to ask for next.
    fn aliases(&self, after: Option<&AliasName>) -> Result<Value, Problem>;

    /// The stored report of `run` as JSON text; `notFound` also when it is not this principal's to read.
    fn report<'a>(&'a self, principal: &'a Principal, run: RunId, listener: Door) -> Later<'a, Result<Bytes, Problem>>;

    /// One page of the runs that this principal may read.
    fn list<'a>(&'a self, principal: &'a Principal, filter: RunFilter, listener: Door) -> Later<'a, Result<Page, Problem>>;

    /// Takes note of a refusal that the door itself made: every one of `POST /v1/runs`, and 401, 403 and 429 elsewhere.
    fn refused(&self, principal: Option<&Principal>, route: &'static str, problem: &Problem);

    /// Takes note of one answered request. `status` is 499 when the client went away first.
    fn observed(&self, route: &'static str, status: u16, seconds: f64);

    /// What the profiles grant that `principal` may know of: the answer of `GET /v1/capabilities`.
    fn capabilities(&self, principal: &Principal) -> Value;

    /// What the profile called `name` grants, in this form; `notFound` also when `principal` may not know of it.
    fn capabilities_of(&self, principal: &Principal, name: &str, form: Form) -> Result<String, Problem>;

    /// The metrics in Prometheus' text format 0.0.4.
    fn metrics(&self) -> String;

    /// `Err` with the reason while no run could be admitted.
    fn ready(&self) -> Result<(), String>;

    /// The state of machine and build, as `cordon doctor --json` prints it.
    fn doctor(&self) -> Value;

    /// Creates a key; its token is in the answer and nowhere else.
    fn create_key<'a>(&'a self, by: &'a Principal, name: String, role: Role) -> Later<'a, Result<Value, Problem>>;

    /// Every key, without its token.
    fn list_keys<'a>(&'a self, by: &'a Principal) -> Later<'a, Result<Value, Problem>>;

    /// Gives the key `id` a new token; the old one is void at once.
    fn rotate_key<'a>(&'a self, by: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>>;

    /// Voids the key `id`.
    fn revoke_key<'a>(&'a self, by: &'a Principal, id: String) -> Later<'a, Result<Value, Problem>>;

    /// One page of the decision log: `decisions` and `cursor`.
    fn decisions(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>>;

    /// The entry of the decision `id`; `notFound` when there is none.
    fn decision(&self, id: DecisionId) -> Later<'_, Result<Value, Problem>>;

    /// Why the run or the decision `id` was decided so, and what would change it; `notFound` when there is none, and for runs that are not this
    /// principal's to read.
    fn explain<'a>(&'a self, by: &'a Principal, id: DecisionId, listener: Door) -> Later<'a, Result<Value, Problem>>;

    /// One page of runs with the outbound requests that their seals have: `runs` and `cursor`. `limit` runs are looked at; those without any are left out.
    fn egress(&self, stretch: Stretch) -> Later<'_, Result<Value, Problem>>;

    /// Recomputes the log's tree and checks that every intent has its seal.
    fn verify_log<'a>(&'a self, by: &'a Principal) -> Later<'a, Result<Value, Problem>>;
}
