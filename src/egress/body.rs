//! The body of an answer on its way to the guest: decoded, bounded, scrubbed, in pieces.

use super::carrier::Scrubber;
use super::desk::Case;
use super::exchange::{Failure, Fault};
use super::inflate::Inflate;
use super::wire::Wire;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Longest piece that the guest gets, in bytes.
const PIECE_BYTES_MAX: usize = crate::model::exchange::PIECE_BYTES_MAX;

/// Where a body comes from.
pub(super) enum Origin {
    /// A connection.
    Wire(Box<Wire>),
    /// A fixture.
    Canned(Bytes),
}

/// What becomes of the bytes of a body.
pub(super) struct Filter {
    pub(super) inflate: Option<Inflate>,
    pub(super) scrubber: Option<Box<dyn Scrubber>>,
    /// Most bytes, before and after decoding.
    pub(super) bytes_max: u64,
}

/// The body of an answer. Dropping it ends the exchange: the connection is closed, and the ledger's row ends `aborted`, unless the end was reached.
pub struct InBody {
    case: Arc<Case>,
    filter: Filter,
    /// The source and the run's slot; none when the exchange is over.
    open: Option<(Origin, OwnedSemaphorePermit)>,
    deadline: Instant,
    /// Not decoded yet.
    raw: Bytes,
    /// Decoded and scrubbed, not handed out yet.
    clear: Bytes,
    raw_bytes: u64,
    clear_bytes: u64,
    at: Stage,
    fault: Option<Fault>,
}

/// How far a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// The source is at its end; what decoder and scrubber hold is to come.
    Draining,
    Over,
}

impl fmt::Debug for InBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InBody").field("at", &self.at).field("bytes", &self.clear_bytes).finish_non_exhaustive()
    }
}

impl InBody {
    pub(super) fn new(case: Arc<Case>, origin: Origin, filter: Filter, slot: OwnedSemaphorePermit, deadline: Instant) -> Self {
        Self {
            case,
            filter,
            open: Some((origin, slot)),
            deadline,
            raw: Bytes::new(),
            clear: Bytes::new(),
            raw_bytes: 0,
            clear_bytes: 0,
            at: Stage::Reading,
            fault: None,
        }
    }

    /// The next piece, of 1 byte to 64 KiB; none at the end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the body breaks off, is too long, is not encoded as its head says, or does not end within the total time. The same error comes again.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match self.advance().await {
            Ok(piece) => Ok(piece),
            Err(fault) => {
                self.open = None;
                let fault = self.case.fail(fault);
                self.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// True when the piece before was the last, as far as that is known without waiting. The exchange is over then, as if the end had been read.
    pub fn is_at_end(&mut self) -> bool {
        // Decoders and scrubbers hold bytes back: they are asked by `next`.
        let held = self.filter.inflate.is_some() || self.filter.scrubber.is_some() || !self.raw.is_empty() || !self.clear.is_empty();
        let at_end = match &self.open {
            Some((Origin::Canned(bytes), _)) => bytes.is_empty(),
            Some((Origin::Wire(wire), _)) => wire.is_empty() && wire.check_request().is_ok(),
            None => false,
        };
        if self.at == Stage::Reading && at_end && !held {
            self.end();
        }
        self.at == Stage::Over
    }

    /// All was read: others may use the connection and the slot.
    fn end(&mut self) {
        self.at = Stage::Over;
        if let Some((Origin::Wire(wire), _)) = self.open.take() {
            wire.give_back(&self.case);
        }
        self.case.row.end(None);
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if !self.clear.is_empty() {
                let piece = self.clear.split_to(self.clear.len().min(PIECE_BYTES_MAX));
                return Ok(Some(piece));
            }
            if self.decode()? {
                continue;
            }
            match self.at {
                Stage::Reading => self.read().await?,
                Stage::Draining => self.drain()?,
                Stage::Over => return Ok(None),
            }
        }
    }

    /// Reads a piece of the source, or notices its end.
    async fn read(&mut self) -> Result<(), Fault> {
        let next = match &mut self.open {
            None => None,
            Some((Origin::Canned(bytes), _)) => (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(PIECE_BYTES_MAX))),
            Some((Origin::Wire(wire), _)) => {
                let next = timeout_at(self.deadline, wire.next()).await;
                next.unwrap_or_else(|_| Err(Fault::failed(Failure::Timeout, "the answer did not end within the total time")))?
            }
        };
        let Some(bytes) = next else {
            self.at = Stage::Draining;
            return Ok(());
        };
        self.raw_bytes = self.raw_bytes.saturating_add(bytes.len() as u64);
        if self.raw_bytes > self.filter.bytes_max {
            return Err(self.too_large());
        }
        self.raw = bytes;
        Ok(())
    }

    /// Decodes some of what was read; false when there is nothing to decode.
    fn decode(&mut self) -> Result<bool, Fault> {
        let Some(inflate) = &mut self.filter.inflate else {
            let raw = std::mem::take(&mut self.raw);
            let some = !raw.is_empty();
            self.pass(raw)?;
            return Ok(some);
        };
        let (used, out) = inflate.step(&self.raw)?;
        let progress = used > 0 || !out.is_empty();
        drop(self.raw.split_to(used.min(self.raw.len())));
        self.pass(out.into())?;
        Ok(progress)
    }

    /// The source is over: so are decoder and scrubber.
    fn drain(&mut self) -> Result<(), Fault> {
        if let Some(mut inflate) = self.filter.inflate.take() {
            // A body of no bytes is complete, whatever its head says as origins do it.
            if self.raw_bytes == 0 {
                return Ok(());
            }
            let out = inflate.finish()?;
            return self.pass(out.into());
        }
        if let Some(mut scrubber) = self.filter.scrubber.take() {
            self.clear = scrubber.finish();
            return Ok(());
        }
        self.end();
        Ok(())
    }

    /// Counts decoded bytes and scrubs them.
    fn pass(&mut self, bytes: Bytes) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.clear_bytes = self.clear_bytes.saturating_add(bytes.len() as u64);
        if self.clear_bytes > self.filter.bytes_max {
            return Err(self.too_large());
        }
        self.case.row.write(|row| row.response_bytes += bytes.len() as u64);
        self.clear = match &mut self.filter.scrubber {
            Some(scrubber) => scrubber.feed(bytes),
            None => bytes,
        };
        Ok(())
    }

    fn too_large(&self) -> Fault {
        Fault::failed(
            Failure::ResponseTooLarge,
            format!("the answer is longer than the {} bytes that its rule allows", self.filter.bytes_max),
        )
    }
}
