//! Takes gzip and deflate off bodies, a bounded piece at a time: a bomb costs what its first bytes over the limit cost.

use super::exchange::Fault;
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::Write;

/// Output of one step of deflate, in bytes. A step of gzip gives as much, and at most twice that.
const STEP_BYTES: usize = 32 << 10;

/// How a body is encoded.
pub(super) enum Inflate {
    /// RFC 1952, one member or several.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// RFC 1950, or RFC 1951 without its wrapping, as some origins send it: the first two bytes tell.
    Deflate(Deflate),
}

/// The state of deflate.
#[derive(Default)]
pub(super) struct Deflate {
    head: Vec<u8>,
    engine: Option<Decompress>,
    over: bool,
}

impl Inflate {
    /// For a body whose encoding is `coding`; none when it is not one that is taken off.
    pub(super) fn for_coding(coding: &str) -> Option<Self> {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            "deflate" => Some(Self::Deflate(Deflate::default())),
            _ => None,
        }
    }

    /// Takes some of `input`, not all of it perhaps; returns how much, and what came out. When both are nothing, all of `input` was taken and all that
    /// came of it given; until then there may be more to come, even of no input.
    ///
    /// # Errors
    /// When it is not what it was said to be: the origin's doing.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Fault> {
        match self {
            Self::Gzip(decoder) => {
                let used = decoder.write(input).map_err(|error| wrong(&error))?;
                let out = std::mem::take(decoder.get_mut());
                if used == 0 && out.is_empty() && !input.is_empty() { Err(wrong(&"bytes after its end")) } else { Ok((used, out)) }
            }
            Self::Deflate(deflate) => deflate.step(input),
        }
    }

    /// What is left when the input is over.
    ///
    /// # Errors
    /// When the body is not complete: the origin's doing.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Gzip(decoder) => {
                decoder.try_finish().map_err(|error| wrong(&error))?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Deflate(deflate) if deflate.over => Ok(Vec::new()),
            Self::Deflate(_) => Err(wrong(&"it is not complete")),
        }
    }
}

impl Deflate {
    fn step(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Fault> {
        let Some(engine) = &mut self.engine else {
            return self.start(input);
        };
        while !self.over && !self.head.is_empty() {
            let (used, out, over) = run(engine, &self.head)?;
            self.head.drain(..used);
            self.over = over;
            if !out.is_empty() {
                return Ok((0, out));
            }
        }
        if self.over {
            return if self.head.is_empty() && input.is_empty() { Ok((0, Vec::new())) } else { Err(wrong(&"bytes after its end")) };
        }
        let (used, out, over) = run(engine, input)?;
        self.over = over;
        Ok((used, out))
    }

    /// Waits for two bytes, and chooses by them.
    fn start(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Fault> {
        let used = input.len().min(2 - self.head.len().min(2));
        self.head.extend(input.iter().take(used));
        if let [method, flags] = self.head[..] {
            let wrapped = method & 0x0f == 8 && method >> 4 <= 7 && (u16::from(method) << 8 | u16::from(flags)) % 31 == 0;
            self.engine = Some(Decompress::new(wrapped));
        }
        Ok((used, Vec::new()))
    }
}

/// One step of an engine: bytes taken, bytes given, and whether its stream is over.
fn run(engine: &mut Decompress, input: &[u8]) -> Result<(usize, Vec<u8>, bool), Fault> {
    let mut out = vec![0; STEP_BYTES];
    let (taken, given) = (engine.total_in(), engine.total_out());
    let status = engine.decompress(input, &mut out, FlushDecompress::None).map_err(|error| wrong(&error))?;
    let used = usize::try_from(engine.total_in() - taken).unwrap_or(usize::MAX);
    out.truncate(usize::try_from(engine.total_out() - given).unwrap_or(usize::MAX));
    let over = matches!(status, Status::StreamEnd);
    if used == 0 && out.is_empty() && !over && !input.is_empty() {
        return Err(wrong(&"it does not go on"));
    }
    Ok((used, out, over))
}

fn wrong(error: &dyn std::fmt::Display) -> Fault {
    Fault::failed("badEncoding", format!("the answer's body is not encoded as its head says: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn plain() -> Vec<u8> {
        (0..100_000_u32).flat_map(|number| (number.wrapping_mul(number) % 251).to_le_bytes()).collect()
    }

    /// Decodes `body`, which comes in pieces of `step` bytes.
    fn decode(coding: &str, body: &[u8], step: usize) -> Result<Vec<u8>, Fault> {
        let mut inflate = Inflate::for_coding(coding).expect("a coding");
        let mut all = Vec::new();
        for piece in body.chunks(step) {
            let mut rest = piece;
            loop {
                let (used, out) = inflate.step(rest)?;
                assert!(out.len() <= 3 * STEP_BYTES, "{} bytes at once", out.len());
                rest = &rest[used..];
                if used == 0 && out.is_empty() {
                    break;
                }
                all.extend(out);
            }
            assert!(rest.is_empty(), "all of a piece is taken");
        }
        all.extend(inflate.finish()?);
        Ok(all)
    }

    #[test]
    fn every_coding_is_taken_off_whatever_the_pieces_it_comes_in() {
        let plain = plain();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        for encoder in [&mut gzip as &mut dyn Write, &mut zlib, &mut raw] {
            encoder.write_all(&plain).expect("memory");
        }
        let bodies = [("gzip", gzip.finish()), ("deflate", zlib.finish()), ("deflate", raw.finish())];
        for (at, (coding, body)) in bodies.into_iter().enumerate() {
            let body = body.expect("memory");
            for step in [1, 2, 3, 1000, usize::MAX] {
                assert!(
                    decode(coding, &body, step).is_ok_and(|out| out == plain),
                    "{at} {coding} {step}: {:?}",
                    decode(coding, &body, step).map(|o| o.len())
                );
            }
        }
    }
}
