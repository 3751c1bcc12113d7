//! One connection as the door sees it: in which phase it is, until when, and whether its peer is still there.

mod peer;

use super::settings::Settings;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// What log and metrics call a request that no route took.
const NO_ROUTE: &str = "unmatched";

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing, between two requests.
    Idle,
    /// A head is on its way.
    Head,
    /// A request has its head and no answer.
    Handling,
    /// An answer is being handed over.
    Answering,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// When the peer last took a byte of what is not yet written.
    unwritten: Option<Instant>,
    /// Until when the timekeeper sleeps.
    armed: Option<Instant>,
    /// The peer finished sending.
    finished: bool,
    /// The number of the run in flight.
    flight: Option<u64>,
    flights: u64,
    /// The body of an answer is not all there yet.
    streaming: bool,
    /// An answer that says its end by closing alone ended before it.
    torn: bool,
    /// The route that took the latest request.
    route: &'static str,
}

/// A connection's socket and state, shared by what reads and writes it and what watches over it, all in one task.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    local: IpAddr,
    idle_time: Duration,
    head_time: Duration,
    stall_time: Duration,
    state: Mutex<State>,
    rearm: Notify,
    took_off: Notify,
}

/// While it lives, a run of this connection is in flight and no byte of its answer is written.
#[derive(Debug)]
pub(super) struct Flight(Option<Arc<Link>>);

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(link) = &self.0 {
            link.state().flight = None;
        }
    }
}

/// While it lives, the body of an answer is not all there yet. What is written of it meanwhile does not make the connection idle.
#[derive(Debug)]
pub(super) struct Streaming {
    link: Arc<Link>,
    /// Its end says itself that it is one: it was reached, or it comes in chunks.
    ends_well: bool,
}

impl Streaming {
    /// All of the body is there.
    pub(super) fn end(mut self) {
        self.ends_well = true;
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.streaming = false;
        state.torn |= !self.ends_well;
    }
}

impl Link {
    /// A link over an accepted socket.
    pub(super) fn new(stream: TcpStream, settings: &Settings) -> io::Result<Self> {
        let state = State {
            phase: Phase::Head,
            since: Instant::now(),
            unwritten: None,
            armed: None,
            finished: false,
            flight: None,
            flights: 0,
            streaming: false,
            torn: false,
            route: NO_ROUTE,
        };
        Ok(Self {
            local: stream.local_addr()?.ip().to_canonical(),
            stream,
            idle_time: settings.idle_time,
            head_time: settings.head_time,
            stall_time: settings.stall_time,
            state: Mutex::new(state),
            rearm: Notify::new(),
            took_off: Notify::new(),
        })
    }

    /// The socket.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The address that the peer connected to.
    pub(super) fn local(&self) -> IpAddr {
        self.local
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came in.
    pub(super) fn read_some(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Head;
            state.since = Instant::now();
        }
    }

    /// A head is complete.
    pub(super) fn request_begins(&self) {
        let mut state = self.state();
        state.phase = Phase::Handling;
        state.route = NO_ROUTE;
    }

    /// The route `route` took the request.
    pub(super) fn routed(&self, route: &'static str) {
        self.state().route = route;
    }

    /// The route that took the latest request, for log and metrics.
    pub(super) fn route(&self) -> &'static str {
        self.state().route
    }

    /// True between two requests.
    pub(super) fn is_idle(&self) -> bool {
        self.state().phase == Phase::Idle
    }

    /// The answer is ready to be written.
    pub(super) fn answer_begins(&self) {
        self.state().phase = Phase::Answering;
    }

    /// Bytes are being written; `taken` when the peer took some.
    pub(super) fn writing(&self, taken: bool) {
        let mut state = self.state();
        if taken || state.unwritten.is_none() {
            state.unwritten = Some(Instant::now());
        }
    }

    /// Everything is written.
    pub(super) fn written(&self) {
        let mut state = self.state();
        state.unwritten = None;
        if state.phase == Phase::Answering && !state.streaming {
            state.phase = Phase::Idle;
            state.since = Instant::now();
        }
    }

    /// A run takes off. A peer that speaks HTTP/1.0 knows no interim response and is not probed.
    pub(super) fn take_off(self: &Arc<Self>, version: hyper::Version) -> Flight {
        if version != hyper::Version::HTTP_11 {
            return Flight(None);
        }
        let mut state = self.state();
        state.flights += 1;
        state.flight = Some(state.flights);
        if state.finished {
            self.took_off.notify_one();
        }
        drop(state);
        Flight(Some(Arc::clone(self)))
    }

    /// An answer begins whose body comes as it is made. A peer that finishes sending meanwhile has gone: nothing tells the two apart that could be
    /// sent in the middle of an answer. Of one that had finished before, the answer's own bytes tell.
    pub(super) fn stream_body(self: &Arc<Self>, version: hyper::Version) -> Streaming {
        self.state().streaming = true;
        // HTTP/1.0 has no chunks: its answers end where the connection does.
        Streaming { link: Arc::clone(self), ends_well: version == hyper::Version::HTTP_11 }
    }

    /// True when closing the socket will reset the connection, so that its peer does not take what it has of an answer for the whole.
    pub(super) fn reset_if_torn(&self) -> bool {
        // Fails only on a socket that is not connected any more.
        self.state().torn && self.stream.set_zero_linger().is_ok()
    }

    fn deadline(&self, state: &State) -> Option<Instant> {
        let by_phase = match state.phase {
            Phase::Idle => Some(state.since + self.idle_time),
            Phase::Head => Some(state.since + self.head_time),
            Phase::Handling | Phase::Answering => None,
        };
        let by_stall = state.unwritten.map(|since| since + self.stall_time);
        [by_phase, by_stall].into_iter().flatten().min()
    }

    /// To be called after each turn of the connection: wakes the timekeeper when it would sleep too long.
    pub(super) fn settle(&self) {
        let state = self.state();
        let sooner = match (self.deadline(&state), state.armed) {
            (Some(deadline), Some(armed)) => deadline < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if sooner {
            self.rearm.notify_one();
        }
    }

    /// Returns, with what was too slow, when the connection has used up its time.
    pub(super) async fn overdue(&self) -> &'static str {
        loop {
            let deadline = {
                let mut state = self.state();
                let deadline = self.deadline(&state);
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    return match (state.unwritten, state.phase) {
                        (Some(_), _) => "the peer does not take its answer",
                        (None, Phase::Head) => "the request's head does not end",
                        (None, Phase::Idle | Phase::Handling | Phase::Answering) => "idle",
                    };
                }
                state.armed = deadline;
                deadline
            };
            match deadline {
                None => self.rearm.notified().await,
                Some(deadline) => tokio::select! {
                    () = sleep_until(deadline) => {}
                    () = self.rearm.notified() => {}
                },
            }
        }
    }

    /// Says that nothing more will be sent, unless that would be a lie.
    pub(super) fn finish_sending(&self) {
        use nix::sys::socket::{Shutdown, shutdown};
        use std::os::fd::AsRawFd as _;
        if self.reset_if_torn() {
            return;
        }
        // Fails only on a socket that is not connected any more, which is what was wanted.
        let _ = shutdown(self.stream.as_raw_fd(), Shutdown::Write);
    }
}
