//! HTTP/1.1 as far as these tests need it: one request per connection, answers by length or by chunks.

use super::PATIENCE;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    stays: bool,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// A request without a body.
    pub(crate) fn get(path: &str) -> Self {
        Self { stays: false, method: "GET".to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// A request with a body of JSON.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::post_text(path, body.to_string())
    }

    /// A request whose body says that it is JSON.
    pub(crate) fn post_text(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".to_owned(), body: body.into(), ..Self::get(path) }.with("content-type", "application/json")
    }

    /// Another method.
    pub(crate) fn by(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// One more header, or another value of one.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Does not ask the server to close the connection; it is half-closed by this side, so the server closes it all the same.
    pub(crate) fn staying(self) -> Self {
        Self { stays: true, ..self }
    }

    /// With a key.
    pub(crate) fn bearing(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The request as it goes over the wire to `address`.
    pub(crate) fn wire(&self, address: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            head.push_str(&format!("host: {address}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let connection = if self.stays { "" } else { "connection: close\r\n" };
        head.push_str(&format!("{connection}content-length: {}\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }

    /// A connection on which the request has been sent.
    pub(crate) fn begin(&self, address: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // A server that refuses early may not read the rest; its answer counts all the same.
        let _ = stream.write_all(&self.wire(address));
        if self.stays {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        Ok(stream)
    }

    /// Sends it and reads the answer.
    pub(crate) fn send(&self, address: &str) -> io::Result<Reply> {
        Reply::read(self.begin(address)?)
    }
}

impl Reply {
    /// The answer on `stream`, which the server closes after it.
    pub(crate) fn read(mut stream: TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        // A connection that is reset behind a whole answer is as good as one that is closed.
        let ended = stream.read_to_end(&mut bytes);
        Self::parse(&bytes).ok_or_else(|| match ended {
            Err(error) => error,
            Ok(_) => io::Error::new(io::ErrorKind::UnexpectedEof, format!("no whole answer: {:?}", String::from_utf8_lossy(&bytes))),
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let mut reply = Self { status, headers, body: Vec::new() };
        let rest = &bytes[end + 4..];
        reply.body = match reply.header("content-length").map(str::parse::<usize>) {
            Some(length) => rest.get(..length.ok()?)?.to_vec(),
            None if reply.header("transfer-encoding") == Some("chunked") => unchunked(rest)?,
            None => rest.to_vec(),
        };
        Some(reply)
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(end + 2..end + 2 + length)?);
        rest = rest.get(end + 2 + length + 2..)?;
    }
}
