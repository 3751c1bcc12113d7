//! The floor: a bare hyper client that keeps its connection. No policy, no record, no vetting of addresses, no guest.

use super::Outcome;
use super::body::{Length, Zeros};
use super::origin::count;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How to reach the origin.
#[derive(Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    name: String,
    tls: Option<TlsConnector>,
    two: bool,
}

impl Way {
    /// By `protocol`: `plain`, `one` (HTTP/1.1 over TLS) or `two` (HTTP/2 over TLS).
    pub(crate) fn new(address: SocketAddr, name: &str, pem: &Path, protocol: &str) -> Outcome<Self> {
        let tls = |protocol: &str| -> Outcome<Option<TlsConnector>> {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(pem)?)?;
            let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            config.alpn_protocols = vec![protocol.into()];
            Ok(Some(TlsConnector::from(Arc::new(config))))
        };
        let (tls, two) = match protocol {
            "plain" => (None, false),
            "one" => (tls("http/1.1")?, false),
            "two" => (tls("h2")?, true),
            other => return Err(format!("no protocol `{other}`").into()),
        };
        Ok(Self { address, name: name.to_owned(), tls, two })
    }

    async fn open(&self) -> Outcome<Line> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.speak(stream).await,
            Some(tls) => self.speak(tls.connect(ServerName::try_from(self.name.clone())?, stream).await?).await,
        }
    }

    async fn speak<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, io: T) -> Outcome<Line> {
        let io = TokioIo::new(io);
        if self.two {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            return Ok(Line::Two(sender));
        }
        let (sender, connection) = http1::handshake(io).await?;
        tokio::spawn(connection);
        Ok(Line::One(sender))
    }

    async fn send(&self, line: &mut Line, method: &str, path: &str, body: Zeros) -> Outcome<Response<Incoming>> {
        let request = Request::builder().method(method);
        let response = match line {
            Line::One(sender) => {
                sender.ready().await?;
                sender.send_request(request.uri(path).header(header::HOST, &self.name).body(body)?).await?
            }
            Line::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request.uri(format!("https://{}{path}", self.name)).body(body)?).await?
            }
        };
        if response.status() == 200 { Ok(response) } else { Err(format!("{path} answers {}", response.status()).into()) }
    }

    async fn get(&self, line: &mut Line, path: &str) -> Outcome<u64> {
        count(self.send(line, "GET", path, Zeros::none()).await?.into_body()).await
    }
}

/// A connection.
enum Line {
    One(http1::SendRequest<Zeros>),
    Two(http2::SendRequest<Zeros>),
}

/// Does `work`: `small` (so many requests), `take` or `give` (so many bytes, and a small request that marks the end), `wait` (so many at once, each on a
/// connection of its own, to an origin that takes a second; prints milliseconds and KB).
pub(crate) async fn work(way: Way, work: &str, number: u64) -> Outcome<()> {
    if work == "wait" {
        return wait(way, number).await;
    }
    let line = &mut way.open().await?;
    let moved = match work {
        "small" => {
            for _ in 0..number {
                way.get(line, "/small").await?;
            }
            return Ok(());
        }
        "take" => way.get(line, &format!("/bytes/{number}")).await?,
        "give" => {
            let response = way.send(line, "POST", "/sink", Zeros::new(number, Length::Untold)).await?;
            String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).parse()?
        }
        other => return Err(format!("no work `{other}`").into()),
    };
    if moved != number {
        return Err(format!("{moved} bytes instead of {number}").into());
    }
    way.get(line, "/small").await.map(drop)
}

async fn wait(way: Way, number: u64) -> Outcome<()> {
    let (start, before) = (Instant::now(), resident_kb()?);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..number {
        let way = way.clone();
        tasks.spawn(async move { way.get(&mut way.open().await?, "/wait/1000").await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    println!("{{\"ms\": {:.1}, \"kb\": {}}}", start.elapsed().as_secs_f64() * 1e3, resident_kb()?.saturating_sub(before));
    Ok(())
}

/// The most memory of this process that was resident so far, in KB.
fn resident_kb() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
