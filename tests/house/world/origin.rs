//! A listener of the world and its connections, a thread for each.

use super::notes::{End, Kind, Notes, Seen};
use super::peer::Peer;
use super::routes::{self, Visit};
use rustls::ServerConfig;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A listener. Its connections are closed, and all threads gone, when it is dropped.
pub(super) struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    kind: Kind,
    tls: Option<Arc<ServerConfig>>,
    notes: Arc<Notes>,
    over: AtomicBool,
    connections: Mutex<Vec<(TcpStream, JoinHandle<()>)>>,
}

impl Listener {
    /// Listens.
    pub(super) fn start(at: (&str, u16), kind: Kind, tls: Option<Arc<ServerConfig>>, notes: &Arc<Notes>) -> Self {
        let listener = TcpListener::bind(at).unwrap_or_else(|error| panic!("{}", mend(at, &error)));
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { kind, tls, notes: Arc::clone(notes), over: AtomicBool::new(false), connections: Mutex::default() });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &own));
        Self { address, shared, thread: Some(thread) }
    }
}

/// What to do about a port that cannot be had.
fn mend((address, port): (&str, u16), error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            "the tests' world needs {address}:{port}, and only root may listen there: run the tests as root, or allow it once with \
             `sysctl -w net.ipv4.ip_unprivileged_port_start=0`"
        ),
        ErrorKind::AddrInUse => format!("the tests' world needs {address}:{port}, where something listens already: stop that first"),
        _ => format!("the tests' world needs {address}:{port}: {error}"),
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // Wakes the thread, which then lets the port go.
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
        let connections = std::mem::take(&mut *self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for (socket, thread) in connections {
            // One that is closed already stays closed.
            let _ = socket.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming().map_while(Result::ok) {
        if shared.over.load(Ordering::Acquire) {
            return;
        }
        let Ok(own) = socket.try_clone() else { continue };
        let serving = Arc::clone(shared);
        // A connection ends with an error as often as not: who asks goes away when done.
        let thread = std::thread::spawn(move || drop(serve(socket, &serving)));
        let mut connections = shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.retain(|(_, thread)| !thread.is_finished());
        connections.push((own, thread));
    }
}

fn serve(socket: TcpStream, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let closing = socket.try_clone()?;
    let mut peer = Peer::new(socket, shared.tls.clone())?;
    let served = loop {
        if let Err(error) = serve_one(&mut peer, shared) {
            break Err(error);
        }
    };
    // The list of connections has another handle on the socket, which would keep it open.
    let _ = closing.shutdown(Shutdown::Both);
    served
}

fn serve_one(peer: &mut Peer, shared: &Shared) -> io::Result<()> {
    let head = peer.head()?;
    let mut seen = Seen {
        kind: shared.kind,
        tls: shared.tls.is_some(),
        method: head.method.clone(),
        host: head.get("host").unwrap_or_default().to_owned(),
        path: head.path.clone(),
        headers: head.headers.clone(),
        body: Vec::new(),
        written: 0,
        end: End::Open,
    };
    let number = shared.notes.arrived(seen.clone());
    let result = if routes::reads_no_body(&head) { Ok(()) } else { peer.body(&head, |piece| seen.body.extend(piece)) };
    shared.notes.search(&seen);
    shared.notes.note(number, |noted| noted.body.clone_from(&seen.body));
    let result = result.and_then(|()| routes::answer(&mut Visit { peer, head: &head, seen: &seen, number, notes: &shared.notes }));
    let end = if result.is_ok() { End::Answered } else { End::Left };
    shared.notes.note(number, |noted| noted.end = end);
    result
}
