//! Whether a link's peer is still there.
//!
//! A peer that closed and a peer that only finished sending look the same on the wire: both send FIN. What tells them apart is
//! an answer: bytes sent to a closed peer come back as RST. So while a run is in flight after a FIN, the link sends the interim
//! response `100 Continue`, which every HTTP/1.1 client takes and ignores (RFC 9110 §15.2), and waits for the error.

use super::Link;
use std::io;
use std::time::Duration;
use tokio::io::Interest;
use tokio::time::sleep;

/// Sent to find out whether a peer that finished sending is still there.
const PROBE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Waits after each probe of one run. A peer that closed before the first is found in one round trip; later ones find a
/// peer that finished sending first and closed afterwards. Few, since clients bound the interim responses they take (Go: 5).
const PROBE_PAUSES: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9), Duration::from_secs(27)];

impl Link {
    /// Returns when the peer is gone for good. A peer that only finished sending is not, unless it does so in the middle of an answer.
    pub(in crate::http) async fn peer_gone(&self) {
        // PRIORITY stands for "the peer finished sending" alone: urgent data is never asked for at registration.
        match self.stream.ready(Interest::PRIORITY | Interest::ERROR).await {
            Ok(ready) if !ready.is_error() => {
                let mut state = self.state();
                state.finished = true;
                if state.streaming {
                    return;
                }
            }
            Ok(_) | Err(_) => return,
        }
        loop {
            let flight = self.state().flight;
            let probed = async {
                match flight {
                    Some(number) => self.probe_while(number).await,
                    None => {
                        self.took_off.notified().await;
                        Ok(())
                    }
                }
            };
            tokio::select! {
                _ = self.stream.ready(Interest::ERROR) => return,
                probed = probed => match probed {
                    Ok(()) => {}
                    Err(_broken) => return,
                },
            }
        }
    }

    /// Probes until the run `number` has landed, then waits for the next one to take off.
    async fn probe_while(&self, number: u64) -> io::Result<()> {
        for pause in PROBE_PAUSES {
            let quiet = {
                let state = self.state();
                if state.flight != Some(number) {
                    break;
                }
                state.unwritten.is_none()
            };
            if quiet {
                self.probe()?;
            }
            sleep(pause).await;
        }
        self.took_off.notified().await;
        Ok(())
    }

    /// INVARIANT (interim whole): never in the middle of an earlier answer (the caller sees to it), and never half a probe: one that
    /// is cut short leaves a stream that no client can read, so it counts as broken.
    fn probe(&self) -> io::Result<()> {
        match self.stream.try_write(PROBE) {
            Ok(taken) if taken == PROBE.len() => Ok(()),
            Ok(_short) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}
