//! A client that sends exactly what it is told, byte by byte.

use super::soon;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(super) struct Wire {
    pub(super) stream: TcpStream,
    unread: Vec<u8>,
    /// Interim responses seen so far.
    pub(super) interim: usize,
}

pub(super) struct Reply {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["remediation"].as_str().is_some_and(|mend| !mend.is_empty()));
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// A request for a run of `code`; the fake house knows what to do with it.
pub(super) fn run_of(code: &str) -> String {
    post("", &format!(r#"{{"code":"{code}","input":{{"n":1}}}}"#))
}

/// A request with more headers, each ending in CRLF.
pub(super) fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

impl Wire {
    pub(super) async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("a connection"), unread: Vec::new(), interim: 0 }
    }

    pub(super) async fn send(&mut self, text: impl AsRef<[u8]>) {
        soon(self.stream.write_all(text.as_ref())).await.expect("it is sent");
    }

    pub(super) async fn ask(&mut self, text: impl AsRef<[u8]>) -> Reply {
        self.send(text).await;
        self.reply().await
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0u8; 16 << 10];
        match soon(self.stream.read(&mut bytes)).await {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.unread.extend_from_slice(&bytes[..length]);
                true
            }
        }
    }

    /// The next final response.
    pub(super) async fn reply(&mut self) -> Reply {
        self.reply_to(false).await
    }

    /// The next final response, without a body when `head_only`.
    pub(super) async fn reply_to(&mut self, head_only: bool) -> Reply {
        loop {
            let end = loop {
                if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at + 4;
                }
                assert!(self.more().await, "the connection ended before a response did: {:?}", String::from_utf8_lossy(&self.unread));
            };
            let head = String::from_utf8(self.unread.drain(..end).collect()).expect("a head is text");
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            if status == 100 {
                self.interim += 1;
                continue;
            }
            let mut reply = Reply { status, head, body: Vec::new() };
            let length = if head_only { 0 } else { reply.header("content-length").map_or(0, |length| length.parse().expect("a length")) };
            while self.unread.len() < length {
                assert!(self.more().await, "the connection ended inside a body");
            }
            reply.body = self.unread.drain(..length).collect();
            return reply;
        }
    }

    /// Waits for the connection's end; true when nothing came before it.
    pub(super) async fn ends_quietly(&mut self) -> bool {
        while self.more().await {}
        self.unread.is_empty()
    }

    /// What came before the connection's end.
    pub(super) async fn rest(&mut self) -> String {
        while self.more().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    pub(super) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("half closed");
    }
}
