//! Origins on loopback, as hostile as a test writes them. They count their connections, so that a request that was denied is seen to have opened none.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection, on the origin's side.
pub(super) struct Peer {
    pub(super) stream: Box<dyn Stream>,
    /// How many were opened before it.
    pub(super) nth: usize,
    buffer: Vec<u8>,
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// False when the connection ended before the body did.
    pub(super) complete: bool,
}

impl Seen {
    /// The values of a header.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

impl Peer {
    pub(super) fn new(stream: impl Stream + 'static, nth: usize) -> Self {
        Self { stream: Box::new(stream), nth, buffer: Vec::new() }
    }

    /// Reads more; false at the end.
    async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.is_ok_and(|bytes| bytes > 0)
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.drain(..at + 2).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn exactly(&mut self, bytes: usize, into: &mut Vec<u8>) -> bool {
        while self.buffer.len() < bytes {
            if !self.more().await {
                into.append(&mut self.buffer);
                return false;
            }
        }
        into.extend(self.buffer.drain(..bytes));
        true
    }

    /// The next head.
    pub(super) async fn head(&mut self) -> Option<Seen> {
        let mut head = String::new();
        loop {
            match self.line().await?.as_str() {
                "" if head.is_empty() => {}
                "" => return Some(Seen { head, ..Seen::default() }),
                line => head += &format!("{line}\n"),
            }
        }
    }

    /// The next request with its body.
    pub(super) async fn request(&mut self) -> Option<Seen> {
        let mut seen = self.head().await?;
        if seen.all("transfer-encoding") == ["chunked"] {
            seen.complete = self.chunks(&mut seen.body, |_| ()).await;
        } else {
            let length = seen.all("content-length").first().map_or(0, |length| length.parse().expect("a length"));
            seen.complete = self.exactly(length, &mut seen.body).await;
        }
        Some(seen)
    }

    /// Reads a body in chunks, and tells after each how long it is by now; false when it breaks off.
    pub(super) async fn chunks(&mut self, into: &mut Vec<u8>, so_far: impl Fn(u64)) -> bool {
        loop {
            let Some(line) = self.line().await else { return false };
            let length = usize::from_str_radix(&line, 16).expect("a chunk's length");
            if !self.exactly(length, into).await || self.line().await.is_none() {
                return false;
            }
            so_far(into.len() as u64);
            if length == 0 {
                return true;
            }
        }
    }

    /// Reads a body in chunks, and counts it.
    pub(super) async fn count(&mut self) -> u64 {
        let (mut count, mut chunk) = (0, Vec::new());
        loop {
            let line = self.line().await.expect("a chunk's length");
            let length = usize::from_str_radix(&line, 16).expect("a chunk's length");
            assert!(self.exactly(length, &mut chunk).await && self.line().await.is_some(), "a whole chunk");
            chunk.clear();
            count += length as u64;
            if length == 0 {
                return count;
            }
        }
    }

    /// Sends; whether it arrives is not this side's matter.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Answers 200 with `body`.
    pub(super) async fn answer(&mut self, body: impl AsRef<[u8]>) -> bool {
        let body = body.as_ref();
        self.send(format!("HTTP/1.1 200 Fine\r\ncontent-length: {}\r\n\r\n", body.len())).await && self.send(body).await
    }

    /// Waits until the other side closes, or breaks off.
    pub(super) async fn closed(&mut self) {
        while self.more().await {
            self.buffer.clear();
        }
    }
}

/// A server.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    opened: Arc<AtomicUsize>,
    live: watch::Receiver<usize>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What an origin notes.
#[derive(Clone)]
pub(super) struct Notes(Arc<Mutex<Vec<Seen>>>);

impl Notes {
    pub(super) fn add(&self, seen: Seen) {
        self.0.lock().expect("notes").push(seen);
    }
}

impl Origin {
    /// Serves each connection with `serve`; the connection counts as open until that returns.
    pub(super) async fn start<F, Served>(serve: F) -> Self
    where
        F: Fn(Peer, Notes) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        Self::listen(None, serve).await
    }

    /// The same over TLS, with the protocols that `tls` offers.
    pub(super) async fn start_tls<F, Served>(tls: &Tls, protocols: &[&str], serve: F) -> Self
    where
        F: Fn(Peer, Notes) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        Self::listen(Some(tls.acceptor(protocols)), serve).await
    }

    async fn listen<F, Served>(tls: Option<TlsAcceptor>, serve: F) -> Self
    where
        F: Fn(Peer, Notes) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (opened, seen) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (count, live) = watch::channel(0);
        let (notes, total, serve) = (Notes(Arc::clone(&seen)), opened.clone(), Arc::new(serve));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let nth = total.fetch_add(1, Ordering::SeqCst);
                count.send_modify(|live| *live += 1);
                let (tls, serve, notes, count) = (tls.clone(), serve.clone(), notes.clone(), count.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(Peer::new(stream, nth), notes).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(Peer::new(stream, nth), notes).await;
                            }
                        }
                    }
                    count.send_modify(|live| *live -= 1);
                });
            }
        });
        Self { address, opened, live, seen }
    }

    /// Answers every request with its own head and body, on as many connections and as often as asked.
    pub(super) async fn echo() -> Self {
        Self::start(echo).await
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that were ever opened.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Waits until so many connections are open.
    pub(super) async fn live(&self, count: usize) {
        self.live.clone().wait_for(|live| *live == count).await.expect("the origin");
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("notes").clone()
    }
}

/// Answers every request with its own head and body.
pub(super) async fn echo(mut peer: Peer, notes: Notes) {
    while let Some(seen) = peer.request().await {
        notes.add(seen.clone());
        if !seen.complete || !peer.answer([seen.head.as_bytes(), &seen.body].concat()).await {
            return;
        }
    }
}

/// A certificate that a broker can be told to trust.
pub(super) struct Tls {
    pub(super) pem: String,
    key: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Tls {
    pub(super) fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = rcgen::generate_simple_self_signed(names).expect("a certificate");
        Self { pem: key.cert.pem(), key }
    }

    fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.signing_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.key.cert.der().clone()], key)
            .expect("a certificate");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
