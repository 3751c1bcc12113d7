//! What origins answer.

use super::notes::{Kind, Notes, Seen, State};
use super::peer::{Head, Peer};
use super::settings::API_KEY;
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::time::Duration;
use url::form_urlencoded;

/// Piece of a long body, in bytes.
const PIECE: usize = 64 << 10;

/// A request to be answered.
pub(super) struct Visit<'a> {
    pub(super) peer: &'a mut Peer,
    pub(super) head: &'a Head,
    pub(super) seen: &'a Seen,
    pub(super) number: usize,
    pub(super) notes: &'a Notes,
}

/// True where the body stays unread, so that whoever sends it has to wait.
pub(super) fn reads_no_body(head: &Head) -> bool {
    head.path.starts_with("/deaf")
}

/// Answers.
///
/// # Errors
/// When the other side leaves before the answer is whole.
pub(super) fn answer(visit: &mut Visit<'_>) -> io::Result<()> {
    match visit.seen.kind {
        Kind::Good => good(visit),
        Kind::Sink => visit.reply(200, &[], b"SINK"),
        Kind::Inside => visit.reply(200, &[], b"INSIDE"),
    }
}

fn good(visit: &mut Visit<'_>) -> io::Result<()> {
    let (path, query) = visit.head.path.split_once('?').unwrap_or((&visit.head.path, ""));
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let get = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let number = |name: &str, default: u64| get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    match path {
        "/json" => visit.json(&json!({"ok": true, "n": 42})),
        "/echo" => visit.json(&echo(visit.seen, &query)),
        "/auth" => {
            let authorized = visit.seen.all("authorization") == [format!("Bearer {API_KEY}")];
            visit.json(&json!({ "authorized": authorized }))
        }
        "/redirect" => visit.reply(number("status", 302) as u16, &[("location", get("to").unwrap_or("/text"))], b""),
        "/slow" => visit.slow(Duration::from_millis(number("ms", 1000))),
        "/late" => {
            visit.peer.wait(Duration::from_millis(number("ms", 1000)))?;
            visit.reply(200, &[], b"late")
        }
        // Answers when a request for that path is there.
        "/after" => {
            let wanted = get("path").unwrap_or_default();
            if visit.await_request(wanted) { visit.reply(200, &[], b"there") } else { visit.reply(504, &[], b"") }
        }
        "/hops" => match number("n", 0) {
            0 => visit.reply(200, &[], b"hello"),
            left => visit.reply(302, &[("location", &format!("/hops?n={}", left - 1))], b""),
        },
        // Does not read before it is told to, and never answers.
        "/deaf" => {
            visit.await_request("/heard");
            visit.peer.wait(super::WAIT_MAX)
        }
        "/mirror" => visit.reply(200, &[("content-type", "application/octet-stream")], &visit.seen.body),
        "/bytes" => visit.bytes(number("n", 0)),
        "/gzip" => visit.gzip(number("n", 0) as usize),
        "/cookies" => visit.reply(200, &[("set-cookie", "a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT"), ("set-cookie", "b=2")], b"fed"),
        _ => visit.reply(200, &[("content-type", "text/plain")], b"hello"),
    }
}

/// A request told as JSON. Several lines of one header are joined as HTTP joins them.
fn echo(seen: &Seen, query: &[(String, String)]) -> Value {
    let headers: Map<String, Value> = seen.headers.iter().map(|(name, _)| (name.clone(), json!(seen.all(name).join(", ")))).collect();
    let query: Map<String, Value> = query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"method": seen.method, "headers": headers, "body": String::from_utf8_lossy(&seen.body), "query": query})
}

impl Visit<'_> {
    /// Waits for a request for `path`; false when none comes.
    fn await_request(&self, path: &str) -> bool {
        let there = |state: &State| state.seen.iter().any(|seen| seen.path == path);
        self.notes.until(super::PATIENCE, |state| (state.over || there(state)).then(|| there(state))) == Some(true)
    }

    fn head(&mut self, status: u16, headers: &[(&str, &str)], length: usize) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status} As Asked\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.peer.send(format!("{head}\r\n").as_bytes())
    }

    fn reply(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        self.head(status, headers, body.len())?;
        self.send(body)
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        self.reply(200, &[("content-type", "application/json")], value.to_string().as_bytes())
    }

    /// Part of the body.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.head.method == "HEAD" {
            return Ok(());
        }
        self.peer.send(bytes)?;
        self.notes.note(self.number, |seen| seen.written += bytes.len() as u64);
        Ok(())
    }

    /// The first byte at once, the others after `time`.
    fn slow(&mut self, time: Duration) -> io::Result<()> {
        self.head(200, &[], 10)?;
        self.send(b"a")?;
        self.peer.wait(time)?;
        self.send(&[b'b'; 9])
    }

    fn bytes(&mut self, count: u64) -> io::Result<()> {
        let mut left = usize::try_from(count).map_err(io::Error::other)?;
        self.head(200, &[], left)?;
        let piece = [b'x'; PIECE];
        while left > 0 {
            let length = left.min(PIECE);
            self.send(&piece[..length])?;
            left -= length;
        }
        Ok(())
    }

    fn gzip(&mut self, count: usize) -> io::Result<()> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&vec![b'x'; count])?;
        let packed = packed.finish()?;
        self.reply(200, &[("content-encoding", "gzip")], &packed)
    }
}
