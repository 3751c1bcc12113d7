//! `cordon serve`: start, listen, drain, stop.

use super::cli::Serve;
use super::failure::Failure;
use super::local::{LocalServer, print_line};
use super::service::Rooms;
use super::{house, outbound};
use crate::config::{Config, Server};
use crate::http::{Bound, Front, Running, Settings};
use crate::model::{Digest, Durability, Principal};
use crate::policy::RateLimiter;
use crate::policy::keys::KeyRing;
use crate::provenance::{Log, ServerEvent, ServerEventKind};
use crate::run::Conduct;
use crate::telemetry::{Listener, init_logging};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often metrics are folded and gauges refreshed.
const UPKEEP: Duration = Duration::from_secs(5);

/// How often old idempotency keys are forgotten.
const FORGET: Duration = Duration::from_secs(3600);

/// How often it is looked whether evidence went stale.
const REVALIDATE: Duration = Duration::from_secs(600);

/// Random bytes of the local token.
const TOKEN_BYTES: usize = 32;

/// Serves until SIGTERM or SIGINT, then drains and exits 0.
pub(super) fn serve(options: &Serve) -> Result<ExitCode, Failure> {
    let config = Config::load(&options.overrides(), |name| std::env::var(name).ok())?;
    init_logging(&config.log).map_err(|error| Failure::bad_use(error.to_string(), "set log.filter in cordon.toml or CORDON_LOG"))?;
    let log = house::open_log(&config.server.data)?;
    let runtime = super::runtime()?;
    let closing = log.clone();
    let served = runtime.block_on(run(&config, log));
    // Everything that holds the store is gone with the runtime; then it is closed in order.
    drop(runtime);
    closing.store().close().map_err(|error| Failure::machine(error.to_string(), "the next start replays the journal"))?;
    LocalServer::withdraw(&config.server.data);
    served.map(|()| ExitCode::SUCCESS)
}

async fn run(config: &Config, log: Log) -> Result<(), Failure> {
    // First of all, so that an order to stop that comes while the house is being put in order is obeyed when it is.
    let stop = Stop::listen()?;
    // A signal that nobody listens for ends the process.
    let reload = signal(SignalKind::hangup()).map_err(no_signals)?;
    let keys = Arc::new(house::open_keys(&log)?);
    check_exposure(&config.server, &keys)?;
    // Taken first, as an address that is in use is the likeliest reason not to start; served when there is a house behind them.
    let (public, operator) = (bind(config.server.listen).await?, bind(config.server.operator_listen).await?);
    let house = house::furnish(config, log, keys, ROUTES).await?;
    let conduct = house.conduct.clone();
    outbound::keep_out(&conduct.parts().broker, [public.address(), operator.address()]);
    let token = local_token()?;
    let build = house.identities.values().next().map(crate::model::BuildIdentity::digest);
    record(&conduct, ServerEventKind::Started, build).await?;
    house.reloader.record().await?;
    let rooms = Arc::new(Rooms::new(house, RateLimiter::new(&config.rate), token.clone()));
    let front = Front::new(Arc::clone(&rooms) as Arc<dyn crate::http::Service>, settings(&config.server));
    let public = front.serve_public(public);
    let operator = front.serve_operator(operator);
    rooms.watch_connections([(Listener::Public, public.gauge()), (Listener::Operator, operator.gauge())]);
    let local = LocalServer::at(operator.address(), token);
    local
        .announce(&config.server.data)
        .map_err(|error| Failure::machine(format!("server.json cannot be written: {error}"), "check the data folder's rights"))?;
    print_line(&format!("listening public http://{}\nlistening operator http://{}", public.address(), operator.address()))?;
    let upkeep = tokio::spawn(upkeep(Arc::clone(&rooms)));
    let fresh = tokio::spawn(Arc::clone(&conduct.parts().secrets).keep_fresh(std::future::pending()));
    let policies = tokio::spawn(reload_on_hangup(Arc::clone(&rooms), reload));
    let evidence = tokio::spawn(keep_evidence(Arc::clone(&rooms)));
    stop.asked().await;
    policies.abort();
    evidence.abort();
    upkeep.abort();
    fresh.abort();
    drain(&front, public, operator, &conduct, config.server.drain).await;
    record(&conduct, ServerEventKind::Stopped, build).await
}

/// Refuses to be reached from outside without keys.
fn check_exposure(server: &Server, keys: &KeyRing) -> Result<(), Failure> {
    let exposed = [server.listen, server.operator_listen].into_iter().find(|address| !address.ip().is_loopback());
    match exposed {
        Some(address) if keys.is_empty() => Err(Failure::bad_use(
            format!("{address} can be reached from outside, and there are no API keys"),
            "make an operator's key first: cordon key new --name NAME --role operator; or listen on 127.0.0.1",
        )),
        Some(_) | None => Ok(()),
    }
}

fn local_token() -> Result<String, Failure> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Failure::machine(format!("no randomness: {error}"), "check the kernel's random device"))?;
    Ok(hex::encode(bytes))
}

async fn record(conduct: &Conduct, event: ServerEventKind, build: Option<Digest>) -> Result<(), Failure> {
    let event = ServerEvent { event, build, runs: None };
    let recorded = conduct.parts().log.server(event, Durability::Strict).await;
    recorded.map(drop).map_err(|error| Failure::machine(error.to_string(), "check the data folder's disk"))
}

fn settings(server: &Server) -> Settings {
    Settings {
        connections_max: u32::try_from(server.connections_max).unwrap_or(u32::MAX),
        requests_per_connection_max: u32::try_from(server.keep_alive_requests).unwrap_or(u32::MAX),
        idle_time: server.keep_alive,
        head_time: server.header_read_timeout,
        body_bytes_max: usize::try_from(server.body_bytes_max).unwrap_or(usize::MAX),
        allowed_hosts: server.allowed_hosts.clone(),
        allowed_origins: server.allowed_origins.clone(),
        ..Settings::default()
    }
}

async fn bind(address: SocketAddr) -> Result<Bound, Failure> {
    Bound::take(address)
        .await
        .map_err(|error| Failure::machine(error.to_string(), "choose another address with --listen or --operator-listen"))
}

async fn upkeep(rooms: Arc<Rooms>) {
    let mut metrics = tokio::time::interval(UPKEEP);
    let mut forget = tokio::time::interval(FORGET);
    loop {
        tokio::select! {
            _ = metrics.tick() => {
                rooms.house.conduct.parts().telemetry.upkeep();
                seal_missing(&rooms).await;
            }
            _ = forget.tick() => rooms.house.conduct.forget_old_keys().await,
        }
    }
}

/// Reads the policies again on SIGHUP. What is wrong is told in the log, and recorded.
async fn reload_on_hangup(rooms: Arc<Rooms>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        // Told already, wherever it went wrong.
        drop(rooms.reload(&Principal::server().id).await);
    }
}

/// Gathers stale evidence again: at the start, when policies were replaced, and now and then, as it expires. Takes runs, and nothing waits for it.
async fn keep_evidence(rooms: Arc<Rooms>) {
    let mut again = tokio::time::interval(REVALIDATE);
    loop {
        tokio::select! {
            _ = again.tick() => {}
            () = rooms.policies_replaced() => {}
        }
        match rooms.house.conduct.revalidate(None, &Principal::server()).await {
            Ok(told) if told.revalidated.is_empty() && told.failed.is_empty() => {}
            Ok(told) => tracing::info!(
                revalidated = told.revalidated.len(),
                failed = told.failed.len(),
                "evidence of artifacts above tier 0 was gathered again"
            ),
            Err(problem) => tracing::error!(detail = problem.detail, "stale evidence could not be gathered again"),
        }
    }
}

/// Seals runs whose seal could not be stored when they ended, once it can.
async fn seal_missing(rooms: &Rooms) {
    let log = rooms.house.conduct.parts().log.clone();
    match tokio::task::spawn_blocking(move || log.seal_missing()).await {
        Ok(Ok(runs)) => {
            runs.iter().for_each(|run| tracing::warn!(%run, "a run whose end could not be recorded was sealed as internalError"))
        }
        Ok(Err(error)) => tracing::error!(%error, "runs are without their seal"),
        Err(error) => tracing::error!(%error, "looking for missing seals failed"),
    }
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure::machine(format!("signals cannot be received: {error}"), "report this")
}

/// The signals that ask a server to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(no_signals);
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn asked(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("asked to stop: draining");
    }
}

/// No new runs; those under way finish within `deadline` or are ended; their answers leave; the operator listener goes last.
async fn drain(front: &Front, public: Running, operator: Running, conduct: &Conduct, deadline: Duration) {
    front.begin_drain();
    let (_, drained) = tokio::join!(conduct.drain(deadline), public.drain(deadline + UPKEEP));
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "connections were cut at the end of the drain");
    }
    operator.drain(Duration::from_secs(1)).await;
    conduct.parts().cells.stop();
}
const ROUTES: &[&str] = &[
    "/v1/runs",
    "/v1/runs/{run}",
    "/v1/capabilities",
    "/v1/capabilities/{profile}",
    "/v1/artifacts",
    "/v1/aliases",
    "/v1/aliases/{alias}",
    "/v1/artifacts/{id}",
    "/v1/artifacts/{id}/validate",
    "/v1/artifacts/{id}/promote",
    "/v1/artifacts/{id}/demote",
    "/v1/artifacts/{id}/reviews",
    "/v1/policies/reload",
    "/v1/revalidate",
    "/w/{artifact}",
    "/metrics",
    "/healthz",
    "/readyz",
    "/v1/doctor",
    "/v1/keys",
    "/v1/keys/{id}",
    "/v1/keys/{id}/rotate",
    "/v1/log/verify",
    "/v1/decisions",
    "/v1/decisions/{id}",
    "/v1/explain/{id}",
    "/v1/egress",
];
