//! The life of one connection, from its accept to its end.

use super::door::{Door, Shared};
use super::link::Link;
use super::listener::Stage;
use super::socket::Socket;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

/// Largest read and write buffer of a connection, in bytes: one read of a middling body.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// How long, and for how many bytes, a closed connection still takes what its peer sends: closing earlier would send RST, which can
/// destroy the answer before the peer reads it. Source: nginx's lingering_close, shortened.
pub(super) const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 4 << 20;

fn builder(shared: &Shared) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The link keeps the time: hyper's timer cannot tell an idle connection from a slow head.
        .header_read_timeout(None)
        // The link also tells a peer that finished sending from one that is gone; hyper would take both for gone.
        .half_close(true)
        .max_buf_size(BUFFER_BYTES_MAX.max(shared.settings.head_bytes_max))
        .max_header_size(shared.settings.head_bytes_max);
    builder
}

/// How a connection ended.
enum End {
    /// By HTTP's rules.
    Done(Result<(), hyper::Error>),
    /// The server stops and the connection had nothing to do.
    Idle,
    /// The peer is gone; what it asked for is dropped.
    Gone,
    /// It was too slow.
    Overdue(&'static str),
    /// The drain's deadline has passed.
    Cut,
}

pub(super) async fn serve(stream: TcpStream, door: Arc<Door>, place: OwnedSemaphorePermit, stage: watch::Receiver<Stage>) {
    let link = match stream.set_nodelay(true).and_then(|()| Link::new(stream, &door.shared.settings)) {
        Ok(link) => Arc::new(link),
        Err(_gone) => return,
    };
    let name = door.name;
    match converse(Arc::clone(&link), door, stage).await {
        End::Done(outcome) => {
            if let Err(error) = outcome {
                tracing::debug!(listener = name, %error, "a connection ended early");
            }
            if !link.reset_if_torn() {
                let _ = timeout(LINGER_TIME, linger(link.stream())).await;
            }
        }
        End::Idle => {}
        End::Gone => tracing::debug!(listener = name, "the peer went away"),
        End::Overdue(why) => tracing::debug!(listener = name, why, "a connection was closed"),
        End::Cut => tracing::info!(listener = name, "a connection was cut at the drain's deadline"),
    }
    link.reset_if_torn();
    drop(place);
}

/// Drives the connection to its end. Whatever ends it, its handler is dropped here, and with it the guard of its run.
async fn converse(link: Arc<Link>, door: Arc<Door>, mut stage: watch::Receiver<Stage>) -> End {
    let connection = {
        let builder = builder(&door.shared);
        let socket = Socket(Arc::clone(&link));
        let (link, taken) = (Arc::clone(&link), Arc::new(AtomicU32::new(0)));
        let service = service_fn(move |request| {
            let answer = Arc::clone(&door).answer(Arc::clone(&link), Arc::clone(&taken), request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        builder.serve_connection(TokioIo::new(socket), service)
    };
    let mut connection = pin!(connection);
    let mut gone = pin!(link.peer_gone());
    let mut overdue = pin!(link.overdue());
    loop {
        let now = *stage.borrow_and_update();
        match now {
            Stage::Open => {}
            Stage::Draining if link.is_idle() => return End::Idle,
            Stage::Draining => connection.as_mut().graceful_shutdown(),
            Stage::Cut => return End::Cut,
        }
        let turn = poll_fn(|cx| {
            let polled = connection.as_mut().poll(cx);
            if polled.is_pending() {
                link.settle();
            }
            polled
        });
        tokio::select! {
            biased;
            outcome = turn => return End::Done(outcome),
            () = &mut gone => return End::Gone,
            why = &mut overdue => return End::Overdue(why),
            changed = stage.changed() => if changed.is_err() {
                return End::Cut;
            },
        }
    }
}

/// Takes and throws away what the peer still sends until it is done too.
async fn linger(stream: &TcpStream) -> io::Result<()> {
    let mut thrown_away = 0;
    let mut bytes = [0u8; 4096];
    while thrown_away < LINGER_BYTES_MAX {
        stream.readable().await?;
        match stream.try_read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(length) => thrown_away += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
