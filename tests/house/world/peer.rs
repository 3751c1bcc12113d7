//! One connection on the origin's side: requests in, answers out, in raw HTTP/1.1.

use super::WAIT_MAX;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// Either kind of connection.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection.
pub(super) struct Peer {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// A request's head.
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Peer {
    pub(super) fn new(socket: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let own = socket.try_clone()?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(own),
            Some(config) => Box::new(StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, own)),
        };
        Ok(Self { stream, socket, buffer: Vec::new() })
    }

    /// Reads more; false when the other side has closed.
    fn more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 << 10];
        let length = self.stream.read(&mut piece)?;
        self.buffer.extend(&piece[..length]);
        Ok(length > 0)
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                return Ok(line[..at].iter().map(|byte| char::from(*byte)).collect());
            }
            if self.buffer.len() > HEAD_BYTES_MAX || !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next request's head.
    pub(super) fn head(&mut self) -> io::Result<Head> {
        let first = self.line()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
                None => return Ok(Head { method, path, headers }),
            }
        }
    }

    /// The body that `head` tells of, in pieces as they come.
    pub(super) fn body(&mut self, head: &Head, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        if head.get("transfer-encoding") != Some("chunked") {
            let length = head.get("content-length").map_or(Ok(0), |text| text.parse().map_err(io::Error::other))?;
            return self.exactly(length, &mut each);
        }
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            self.exactly(length, &mut each)?;
            self.line()?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, mut length: usize, each: &mut impl FnMut(&[u8])) -> io::Result<()> {
        while length > 0 {
            if self.buffer.is_empty() && !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let piece: Vec<u8> = self.buffer.drain(..length.min(self.buffer.len())).collect();
            length -= piece.len();
            each(&piece);
        }
        Ok(())
    }

    /// Writes, and waits until the system has it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Waits for `time`, or fails as soon as the other side closes. What it sends meanwhile is lost.
    pub(super) fn wait(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time.min(WAIT_MAX);
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.socket.set_read_timeout(Some(left))?;
            let more = self.more();
            self.socket.set_read_timeout(None)?;
            match more {
                Ok(true) => self.buffer.clear(),
                Ok(false) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
