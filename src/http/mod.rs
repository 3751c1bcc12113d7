//! The door: the public and the operator listener. HTTP/1.1 only, on hyper, with axum as the router.
//!
//! * `listener` accepts, bounds and drains connections; `connection` drives one of them, `link` and `socket` watch over it.
//! * `door` is what every request passes: `gate` (Host and Origin), the router, the log line, the metrics.
//! * `public` and `operator` are the routes; `parse`, `filter`, `body` and `trace` read what callers send, once.
//! * `service` is all that the door knows of the house behind it.

mod body;
mod capabilities;
mod connection;
mod decisions;
mod door;
mod filter;
mod gate;
mod ladder;
mod link;
mod listener;
mod operator;
mod parse;
mod public;
mod reply;
mod routes;
mod served;
mod service;
mod settings;
mod shelf;
mod socket;
#[cfg(test)]
mod tests;
mod time;
mod trace;
mod unread;

pub use listener::{Bound, ConnectionGauge, Drained, HttpError, Running};
pub use service::{Answer, Later, Service, Stretch};
pub use settings::Settings;

use crate::model::Door as Listener;
use door::{Door, Shared};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;

/// Both listeners of one server.
pub struct Front {
    service: Arc<dyn Service>,
    settings: Settings,
    draining: Arc<AtomicBool>,
}

impl Front {
    /// A front of `service`.
    pub fn new(service: Arc<dyn Service>, settings: Settings) -> Self {
        Self { service, settings, draining: Arc::new(AtomicBool::new(false)) }
    }

    /// Serves runs on `bound`.
    pub fn serve_public(&self, bound: Bound) -> Running {
        self.serve(Listener::Public, bound, public::router)
    }

    /// Serves operators on `bound`.
    pub fn serve_operator(&self, bound: Bound) -> Running {
        self.serve(Listener::Operator, bound, operator::router)
    }

    /// From now on `/readyz` says no and new runs are refused as `draining`. Comes before [`Running::drain`] of the public
    /// listener; the operator's is drained last, so that it can be asked until the end.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    fn serve(&self, listener: Listener, bound: Bound, router: fn(Arc<Shared>) -> axum::Router) -> Running {
        let shared = Arc::new(Shared {
            listener,
            service: Arc::clone(&self.service),
            settings: self.settings.clone(),
            bodies: Arc::new(Semaphore::new(self.settings.bodies_kib_max as usize)),
            draining: Arc::clone(&self.draining),
        });
        Running::start(bound, Door { name: listener.as_str(), router: router(Arc::clone(&shared)), shared })
    }
}
