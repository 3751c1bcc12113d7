//! Both listeners over real sockets, in front of a house that is played.

mod capabilities;
mod connections;
mod drain;
mod fake;
mod operator;
mod runs;
mod served;
mod wire;

use super::{Bound, Front, Running, Settings};
use fake::Fake;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use wire::Wire;

/// Longer than anything here takes; what hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<F: Future>(what: F) -> F::Output {
    timeout(PATIENCE, what).await.expect("it happens in time")
}

struct House {
    fake: Arc<Fake>,
    front: Front,
    public: Running,
    operator: Running,
}

impl House {
    async fn open(settings: Settings) -> Self {
        let fake = Arc::new(Fake::default());
        let front = Front::new(fake.clone(), settings);
        let any = "127.0.0.1:0".parse().expect("an address");
        let public = front.serve_public(Bound::take(any).await.expect("a port"));
        let operator = front.serve_operator(Bound::take(any).await.expect("a port"));
        Self { fake, front, public, operator }
    }

    async fn wire(&self) -> Wire {
        Wire::open(self.public.address()).await
    }

    async fn operator_wire(&self) -> Wire {
        Wire::open(self.operator.address()).await
    }
}
