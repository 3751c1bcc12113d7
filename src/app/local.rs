//! How commands reach the store: through the running server that holds it, or directly.
//!
//! A running server leaves `server.json` in its data folder, readable by its owner only: the operator listener's address and a token for it.

use super::cli::Reach;
use super::failure::Failure;
use crate::config::Config;
use crate::model::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name.
const FILE: &str = "server.json";

/// How long a server on this machine may take to accept a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(2);

/// How long a server may take to answer a command.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// Longest answer that a command reads, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What a running server leaves for commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LocalServer {
    /// The operator listener, such as `http://127.0.0.1:8788`.
    pub(super) operator: String,
    /// Good on the operator listener as an operator's key.
    pub(super) token: String,
    /// The server's process.
    pub(super) pid: u32,
}

impl LocalServer {
    /// This process, whose operator listener is at `address`; commands on this machine reach one on every address by loopback.
    pub(super) fn at(address: SocketAddr, token: String) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self { operator: format!("http://{}", SocketAddr::new(ip, address.port())), token, pid: std::process::id() }
    }

    /// Writes the file, readable by the owner only. It replaces what an earlier server left.
    pub(super) fn announce(&self, data: &Path) -> std::io::Result<()> {
        let path = data.join(FILE);
        let fresh = data.join(format!("{FILE}.new"));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(serde_json::to_string(self).map_err(std::io::Error::other)?.as_bytes())?;
        std::fs::rename(fresh, path)
    }

    /// Removes the file at the end.
    pub(super) fn withdraw(data: &Path) {
        // A file that is gone already is as good; one that stays names a dead process, which commands notice.
        let _ = std::fs::remove_file(data.join(FILE));
    }

    fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data.join(FILE)).ok()?;
        let server: Self = serde_json::from_str(&text).ok()?;
        (Path::new(&format!("/proc/{}", server.pid)).exists() && server.answers()).then_some(server)
    }

    /// Whether somebody listens there. The number in a file that a killed server left may belong to another process by now.
    fn answers(&self) -> bool {
        let address = self.operator.strip_prefix("http://").and_then(|address| address.parse::<SocketAddr>().ok());
        address.is_some_and(|address| TcpStream::connect_timeout(&address, CONNECT_WAIT).is_ok())
    }
}

/// A server that answers commands.
pub(super) struct Server {
    address: String,
    token: Option<String>,
    answer_wait: Duration,
}

/// Where a command finds the store.
pub(super) enum Target {
    /// A running server.
    Server(Server),
    /// A folder that no server holds.
    Folder(PathBuf),
}

/// Finds the store that `reach` means.
pub(super) fn target(reach: &Reach) -> Result<Target, Failure> {
    let config = Config::load(&reach.common.overrides(), |name| std::env::var(name).ok())?;
    let running = LocalServer::read(&config.server.data);
    match (&reach.operator, running) {
        (Some(url), running) => {
            let own = running.filter(|server| server.operator == *url).map(|server| server.token);
            Ok(Target::Server(Server::at(address_of(url)?, reach.token.clone().or(own))))
        }
        (None, Some(server)) => {
            Ok(Target::Server(Server::at(address_of(&server.operator)?, Some(reach.token.clone().unwrap_or(server.token)))))
        }
        (None, None) => Ok(Target::Folder(config.server.data)),
    }
}

fn address_of(url: &str) -> Result<String, Failure> {
    let address = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned());
    address.filter(|address| !address.is_empty() && !address.contains('/')).ok_or_else(|| {
        Failure::bad_use(format!("`{url}` is not an operator listener"), "write it as the server prints it, such as http://127.0.0.1:8788")
    })
}

impl Server {
    fn at(address: String, token: Option<String>) -> Self {
        Self { address, token, answer_wait: ANSWER_WAIT }
    }

    /// This server, which may take `wait` to answer: for what runs code.
    pub(super) fn patiently(self, wait: Duration) -> Self {
        Self { answer_wait: wait, ..self }
    }

    /// One request, one answer.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let reply = self.exchange(method, path, body).map_err(|error| {
            Failure::machine(
                format!("the server at {} does not answer: {error}", self.address),
                "check that it runs, or stop it and use --data",
            )
        })?;
        let (head, text) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
        let succeeded = head.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        if succeeded {
            return serde_json::from_str(text)
                .map_err(|error| Failure::machine(format!("the server's answer is no JSON: {error}"), "check the address"));
        }
        match serde_json::from_str::<Problem>(text) {
            Ok(problem) => Err(problem.into()),
            Err(_) => {
                Err(Failure::machine(format!("the server answered `{}`", head.lines().next().unwrap_or_default()), "check the address"))
            }
        }
    }

    /// HTTP/1.0, so that the answer ends with the connection and is never chunked.
    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(self.answer_wait))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut reply = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut reply)?;
        Ok(reply)
    }
}

/// One line on stdout. An answer that could not be given is a failure; a reader that went away is none.
pub(super) fn print_line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::machine(format!("the answer could not be written to stdout: {error}"), "check where stdout goes"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
