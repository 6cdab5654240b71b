//! Messages that are compressed on their way out. One at a time, and they leave in their order.

use std::collections::VecDeque;

use super::Transmit;
use crate::codec::gzip;

/// What waits to be compressed, and what waits behind it.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Transmit>,
    /// The length of the message that is being compressed: never zero.
    busy: usize,
    bytes: usize,
}

impl Outbox {
    pub(super) fn put(&mut self, transmit: Transmit) {
        if let Transmit::Deflate(message) = &transmit {
            self.bytes += message.len();
        }
        self.waiting.push_back(transmit);
    }

    /// What may leave now: nothing past a message that is being compressed.
    pub(super) fn next(&mut self) -> Option<Transmit> {
        if self.busy > 0 {
            return None;
        }
        let next = self.waiting.pop_front();
        if let Some(Transmit::Deflate(message)) = &next {
            self.busy = message.len();
        }
        next
    }

    /// The message is compressed. `false` where there is none.
    pub(super) fn finish(&mut self) -> bool {
        let length = std::mem::take(&mut self.busy);
        self.bytes -= length;
        gzip::IS_BUILT && length > 0
    }

    /// Bytes of messages that are not compressed yet.
    pub(super) fn bytes(&self) -> usize {
        if gzip::IS_BUILT { self.bytes } else { 0 }
    }
}
