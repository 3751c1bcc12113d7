//! Request bodies: bounded one by one and all together, in bytes and in time.

use super::gate::only;
use crate::model::{Problem, ProblemCode};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::Body as _;
use hyper::header::CONTENT_TYPE;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Bytes that one permit of the common budget stands for.
const PERMIT_BYTES: usize = 1024;

/// What a body may be.
#[derive(Debug, Clone)]
pub(super) struct BodyCaps {
    /// Its length in bytes.
    pub(super) bytes_max: usize,
    /// How long it may take.
    pub(super) time: Duration,
    /// What all bodies together may hold, in KiB.
    pub(super) budget: Arc<Semaphore>,
}

/// A whole body and its share of the common budget.
#[derive(Debug)]
pub(super) struct Whole {
    /// The bytes.
    pub(super) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Refuses a body that is not declared as JSON. A page can send any other type across origins without asking first, so none is taken.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let declared = only(headers, &CONTENT_TYPE)?.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = declared.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
    let utf8 = charset.is_none_or(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if essence.eq_ignore_ascii_case("application/json") && utf8 {
        return Ok(());
    }
    let detail = if declared.is_empty() {
        "the body has no content type".to_owned()
    } else {
        format!("the body's content type is `{}`", declared.chars().take(100).collect::<String>())
    };
    Err(Problem::new(
        ProblemCode::InvalidRequest,
        detail,
        "send the header `Content-Type: application/json` (with curl: -H 'content-type: application/json')",
    ))
}

impl BodyCaps {
    /// Reads `body` whole. Caused by the caller: too long, too slow, cut short. Overloaded: the common budget is used up.
    pub(super) async fn read(&self, mut body: Body) -> Result<Whole, Problem> {
        if body.size_hint().lower() > self.bytes_max as u64 {
            return Err(self.too_large());
        }
        let deadline = Instant::now() + self.time;
        let mut share = None;
        let mut first = Bytes::new();
        let mut joined = BytesMut::new();
        while let Some(chunk) = self.next(&mut body, deadline).await? {
            let total = first.len().max(joined.len()) + chunk.len();
            if total > self.bytes_max {
                return Err(self.too_large());
            }
            self.widen(&mut share, total)?;
            if total == chunk.len() {
                first = chunk;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(total.max(body.size_hint().exact().map_or(0, |rest| total + usize::try_from(rest).unwrap_or(0))));
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&chunk);
        }
        let bytes = if joined.is_empty() { first } else { joined.freeze() };
        Ok(Whole { bytes, _share: share })
    }

    /// The next bytes; `None` at the end. Trailers are left out.
    async fn next(&self, body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = timeout_at(deadline, body.frame()).await.map_err(|_| self.too_slow())?;
            match frame.transpose().map_err(|_| cut_short())?.map(hyper::body::Frame::into_data) {
                None => return Ok(None),
                Some(Ok(chunk)) => return Ok(Some(chunk)),
                Some(Err(_trailers)) => {}
            }
        }
    }

    /// Takes as much of the common budget as a body of `total` bytes needs.
    fn widen(&self, share: &mut Option<OwnedSemaphorePermit>, total: usize) -> Result<(), Problem> {
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = total.div_ceil(PERMIT_BYTES).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let more = u32::try_from(missing).ok().and_then(|missing| Arc::clone(&self.budget).try_acquire_many_owned(missing).ok());
        let more = more.ok_or_else(crowded)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        Ok(())
    }

    fn too_large(&self) -> Problem {
        let detail = format!("the body is longer than {} bytes", self.bytes_max);
        Problem::new(ProblemCode::TooLarge, detail, "send less source or a smaller input")
    }

    fn too_slow(&self) -> Problem {
        let detail = format!("the body did not arrive within {} ms", self.time.as_millis());
        Problem::new(ProblemCode::InvalidRequest, detail, "send the body at once")
    }
}

fn cut_short() -> Problem {
    Problem::new(
        ProblemCode::InvalidRequest,
        "the body ended early or is badly framed",
        "send as many bytes as Content-Length says, or well-formed chunks",
    )
}

fn crowded() -> Problem {
    let detail = "the bodies of other requests fill the memory that is set aside for them";
    Problem { retry_after: Some(1), ..Problem::new(ProblemCode::Overloaded, detail, "try again in a second") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf8_is_taken() {
        let declared = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().expect("a header value"));
            require_json(&headers).map_err(|problem| problem.status)
        };
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\"", "application/json; q=1"] {
            assert_eq!(declared(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=latin1",
            "application/jsonx",
            "text/plain;application/json",
        ] {
            assert_eq!(declared(bad), Err(400), "{bad}");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }

    #[tokio::test]
    async fn a_body_holds_its_share_of_the_budget_until_it_is_dropped() {
        let budget = Arc::new(Semaphore::new(4));
        let caps = BodyCaps { bytes_max: 4096, time: Duration::from_secs(5), budget: Arc::clone(&budget) };
        let whole = caps.read(Body::from(vec![b'x'; 1025])).await.expect("room for two KiB");
        assert_eq!((whole.bytes.len(), budget.available_permits()), (1025, 2));
        let refused = caps.read(Body::from(vec![b'x'; 2049])).await.expect_err("no room for three more");
        assert_eq!((refused.code, refused.retry_after), (ProblemCode::Overloaded, Some(1)));
        assert!(caps.read(Body::from(vec![b'x'; 2048])).await.is_ok());
        drop(whole);
        assert_eq!(budget.available_permits(), 4);
        assert!(caps.read(Body::from(vec![b'x'; 4096])).await.is_ok());
        assert_eq!(caps.read(Body::from(vec![b'x'; 4097])).await.map(|_| ()).map_err(|problem| problem.code), Err(ProblemCode::TooLarge));
    }
}
