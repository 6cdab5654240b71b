//! Compressed messages on their way in. Inflating takes time, and meanwhile what comes behind waits in its order.

use super::Transmit;
use crate::codec::{HeaderList, gzip};
use crate::status::Status;

/// What is to be inflated, and what waits behind it.
#[derive(Default)]
pub(super) struct Inflating {
    /// What it is, for the protocol; absent where nothing is to be inflated.
    flags: Option<u8>,
    /// Until its turn comes.
    parked: Option<Transmit>,
    /// Bytes that came behind it.
    pub(super) held: Vec<u8>,
    /// How the body ended behind them.
    pub(super) end: Option<End>,
}

/// How a body ends.
pub(super) enum End {
    Whole(Option<HeaderList>),
    Broken(Status),
}

impl Inflating {
    /// Whether anything that comes has to wait.
    pub(super) fn is_busy(&self) -> bool {
        gzip::IS_BUILT && self.flags.is_some()
    }

    pub(super) fn park(&mut self, flags: u8, bytes: Vec<u8>, limit: usize) {
        self.flags = Some(flags);
        self.parked = Some(Transmit::Inflate { bytes, limit });
    }

    /// Its turn has come. Once.
    pub(super) fn start(&mut self) -> Option<Transmit> {
        if gzip::IS_BUILT { self.parked.take() } else { None }
    }

    /// It is done with: what it was. `None` where its turn has not come, or there is none.
    pub(super) fn finish(&mut self) -> Option<u8> {
        if !gzip::IS_BUILT || self.parked.is_some() { None } else { self.flags.take() }
    }
}
