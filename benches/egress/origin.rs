//! An origin that notes when each request arrives: the one clock of the benchmark, since a guest's is coarse on purpose.
//!
//! Three listeners: plain HTTP/1.1, HTTP/1.1 over TLS, HTTP/2 over TLS. Their ports are the first line on stdout. Paths: `/small`; `/bytes/N`, an answer
//! of N bytes; `/sink`, which counts what it is sent; `/wait/MS`; `/gather/N`, which says `gathered` on stdout once N requests wait and answers them all
//! when told `release`. On stdin: `take` gives what arrived since the last time, as JSON, and `release`.

use super::Outcome;
use super::body::{Length, Zeros};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// What the listeners share.
#[derive(Default)]
struct Notes {
    arrived: Mutex<Vec<(String, Instant)>>,
    waiting: AtomicU64,
    release: Notify,
}

/// A protocol and what it is spoken over.
#[derive(Clone)]
enum Speech {
    Plain,
    One(TlsAcceptor),
    Two(TlsAcceptor),
}

/// Serves until stdin ends. Writes its certificate, for `name`, to the file `pem`.
pub(crate) async fn serve(address: IpAddr, name: &str, pem: &Path) -> Outcome<()> {
    let key = rcgen::generate_simple_self_signed(vec![name.to_owned()])?;
    std::fs::write(pem, key.cert.pem())?;
    let tls = |protocol: &str| -> Outcome<TlsAcceptor> {
        let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der())?;
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], secret)?;
        config.alpn_protocols = vec![protocol.into()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    };
    let notes = Arc::<Notes>::default();
    let mut ports = Vec::new();
    for speech in [Speech::Plain, Speech::One(tls("http/1.1")?), Speech::Two(tls("h2")?)] {
        let listener = TcpListener::bind((address, 0)).await?;
        ports.push(listener.local_addr()?.port().to_string());
        tokio::spawn(accept(listener, speech, notes.clone()));
    }
    println!("{}", ports.join(" "));
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(order) = orders.next_line().await? {
        match order.as_str() {
            "take" => println!("{}", notes.take()),
            "release" => notes.release.notify_waiters(),
            other => return Err(format!("no order `{other}`").into()),
        }
    }
    Ok(())
}

async fn accept(listener: TcpListener, speech: Speech, notes: Arc<Notes>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without it the figures are those of delayed acknowledgements.
        stream.set_nodelay(true).ok();
        let (speech, notes) = (speech.clone(), notes.clone());
        tokio::spawn(async move {
            match speech {
                Speech::Plain => converse_one(stream, notes).await,
                Speech::One(tls) => converse_one(tls.accept(stream).await?, notes).await,
                Speech::Two(tls) => {
                    let service = service_fn(move |request| answer(request, notes.clone()));
                    let io = TokioIo::new(tls.accept(stream).await?);
                    http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await.map_err(Into::into)
                }
            }
        });
    }
}

async fn converse_one<T: AsyncRead + AsyncWrite + Unpin>(io: T, notes: Arc<Notes>) -> Outcome<()> {
    let service = service_fn(move |request| answer(request, notes.clone()));
    http1::Builder::new().serve_connection(TokioIo::new(io), service).await.map_err(Into::into)
}

async fn answer(request: Request<Incoming>, notes: Arc<Notes>) -> Outcome<Answer> {
    let path = request.uri().path().to_owned();
    notes.arrived.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), Instant::now()));
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (work, number) = (parts.next().unwrap_or_default(), parts.next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0));
    match work {
        "small" => {}
        "bytes" => return Ok(Response::new(Zeros::new(number, Length::Told).boxed())),
        "sink" => return Ok(Response::new(Full::from(count(request.into_body()).await?.to_string()).boxed())),
        "wait" => tokio::time::sleep(Duration::from_millis(number)).await,
        "gather" => notes.gather(number).await,
        _ => return Err(format!("no path `{path}`").into()),
    }
    Ok(Response::new(Full::from("ok").boxed()))
}

/// The length of a body, which is read to its end.
pub(crate) async fn count(mut body: impl Body<Data = Bytes, Error = hyper::Error> + Unpin) -> Outcome<u64> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}

impl Notes {
    /// What arrived, as pairs of path and microseconds after the first.
    fn take(&self) -> String {
        let arrived = std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        let first = arrived.first().map_or_else(Instant::now, |(_, at)| *at);
        let rows = arrived.iter().map(|(path, at)| format!("[\"{path}\",{:.1}]", at.duration_since(first).as_secs_f64() * 1e6));
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    }

    /// Waits until all are told to go on.
    async fn gather(&self, all: u64) {
        let mut released = std::pin::pin!(self.release.notified());
        released.as_mut().enable();
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == all {
            self.waiting.store(0, Ordering::Release);
            println!("gathered");
        }
        released.await;
    }
}
