//! One WebSocket, binary messages both ways, whatever is spoken on it.

use super::builtins::Function;
use super::web::{Tell, WebSocketLink};

/// A socket that closes when it is dropped, and tells nothing more.
pub(super) struct Socket {
    link: WebSocketLink,
    _tell: Tell,
}

impl Socket {
    /// Connects. Every event comes in a task of its own, after this has returned.
    pub(super) fn connect(constructor: &Function, url: &str, subprotocol: &str, tell: Tell) -> Self {
        Self { link: WebSocketLink::new(constructor, url, subprotocol, &tell), _tell: tell }
    }

    #[cfg(feature = "tidewire-v1")]
    pub(super) fn is_open(&self) -> bool {
        self.link.is_open()
    }

    /// Sends one message, or keeps it until the socket opens.
    pub(super) fn send(&self, message: &[u8]) {
        self.link.send(message);
    }

    /// Bytes that the network has not taken.
    pub(super) fn queued(&self) -> usize {
        self.link.queued()
    }

    /// Asks to be told of room, once at most `limit` bytes are queued.
    pub(super) fn watch(&self, limit: usize) {
        self.link.watch(limit);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.link.close();
    }
}
