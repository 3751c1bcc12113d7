//! The accept loop: connections bounded in number, drained gracefully.

use super::connection::{LINGER_TIME, serve};
use super::door::Door;
use crate::model::{Problem, ProblemCode};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// How long the acceptor rests when the system has no descriptor left: nothing can be awaited that says when there is one.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Connections over the cap that are being told so at once; beyond that they are closed without a word.
const SHED_MAX: usize = 64;

/// What a listener is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Takes and serves connections.
    Open,
    /// Takes no new connection, finishes the requests it has.
    Draining,
    /// Drops what is left.
    Cut,
}

/// Caused by the machine or the operator's addresses.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address or stop what holds it")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// An address that is held and not yet served.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Takes `address`; port 0 picks a free one.
    pub async fn take(address: SocketAddr) -> Result<Self, HttpError> {
        let fault = |source| HttpError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        Ok(Self { listener, address })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were dropped at the deadline; their runs were cancelled.
    pub cut: usize,
}

/// A listener at work. Dropping it drops its connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stage: watch::Sender<Stage>,
    gauge: ConnectionGauge,
}

/// How many connections a listener has open.
#[derive(Debug, Clone)]
pub struct ConnectionGauge {
    places: Arc<Semaphore>,
    places_max: u32,
}

impl ConnectionGauge {
    /// Their number now.
    pub fn count(&self) -> usize {
        (self.places_max as usize).saturating_sub(self.places.available_permits())
    }
}

impl Running {
    /// Serves `bound` through `door`.
    pub(super) fn start(bound: Bound, door: Door) -> Self {
        let places_max = door.shared.settings.connections_max;
        let places = Arc::new(Semaphore::new(places_max as usize));
        let (stage, watcher) = watch::channel(Stage::Open);
        let address = bound.address;
        tokio::spawn(accept(bound.listener, Arc::new(door), Arc::clone(&places), watcher));
        Self { address, stage, gauge: ConnectionGauge { places, places_max } }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.gauge.count()
    }

    /// Goes on counting them.
    pub fn gauge(&self) -> ConnectionGauge {
        self.gauge.clone()
    }

    /// Stops accepting, lets the requests in flight finish within `deadline`, then drops what is left, which cancels its runs.
    pub async fn drain(self, deadline: Duration) -> Drained {
        self.stage.send_replace(Stage::Draining);
        let everyone = || self.gauge.places.acquire_many(self.gauge.places_max);
        let cut = match timeout(deadline, everyone()).await {
            Ok(_places) => 0,
            Err(_elapsed) => self.connections(),
        };
        self.stage.send_replace(Stage::Cut);
        // Each connection has heard it and ends at its next turn.
        let _places = everyone().await;
        Drained { cut }
    }
}

async fn accept(listener: TcpListener, door: Arc<Door>, places: Arc<Semaphore>, mut stage: watch::Receiver<Stage>) {
    let shed = Arc::new(Semaphore::new(SHED_MAX));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stage.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _peer)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    tokio::spawn(serve(stream, Arc::clone(&door), place, stage.clone()));
                }
                Err(_full) => {
                    if let Ok(place) = Arc::clone(&shed).try_acquire_owned() {
                        tokio::spawn(turn_away(stream, Arc::clone(&door), place));
                    }
                }
            },
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(listener = door.name, %error, "cannot accept connections");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// True for errors of one connection that ended before it was accepted.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused)
}

/// Tells a peer over the cap that it is.
async fn turn_away(mut stream: TcpStream, door: Arc<Door>, place: OwnedSemaphorePermit) {
    let detail = "the server has as many connections as it takes";
    let problem =
        Problem { retry_after: Some(1), ..Problem::new(ProblemCode::Overloaded, detail, "try again in a second, over fewer connections") };
    door.shared.service.refused(None, "connection", &problem);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let told = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.shutdown().await?;
        let mut rest = [0u8; 4096];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether the peer listened or not, its connection ends here.
    let _ = timeout(LINGER_TIME, told).await;
    drop(place);
}
