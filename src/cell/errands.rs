//! Who serves a cell's requests while its order is under way.

use crate::model::exchange::Talk;
use crate::model::frame::ToCell;
use std::future::pending;

/// Serves the requests of one cell. What it says is a claim, checked against what the supervisor stored.
pub trait Errands: Send {
    /// Takes what the cell said, at once. The error says why it is a lie: the cell is killed.
    fn take(&mut self, talk: Talk) -> Result<(), String>;

    /// The next frame for the cell; never ready when none is due. Cancelling loses none.
    fn next(&mut self) -> impl Future<Output = ToCell> + Send;
}

/// For cells that have nothing to ask.
pub struct NoErrands;

impl Errands for NoErrands {
    fn take(&mut self, _: Talk) -> Result<(), String> {
        Err("it asked for something that its order does not need".into())
    }

    async fn next(&mut self) -> ToCell {
        pending().await
    }
}
