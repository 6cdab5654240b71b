//! One WebSocket, binary messages both ways, whatever is spoken on it.

use super::builtins::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::web::WebSocketLink;

/// What a socket tells.
pub(super) enum Event {
    Opened,
    Message(Uint8Array),
    /// It had been open. Told once, and last.
    Closed {
        code: u16,
        reason: String,
    },
    /// It never opened. Told once, and last.
    Failed {
        message: String,
        cause: JsValue,
    },
    /// What it had queued has gone below the watched limit.
    Room,
}

impl Event {
    fn of(event: u8, a: JsValue, b: JsValue) -> Self {
        let text = |value: &JsValue| value.as_string().unwrap_or_default();
        match event {
            0 => Self::Opened,
            1 => Self::Message(a.unchecked_into()),
            2 => Self::Closed { code: a.as_f64().unwrap_or_default() as u16, reason: text(&b) },
            3 => Self::Failed { message: text(&a), cause: b },
            _ => Self::Room,
        }
    }
}

/// A socket that closes when it is dropped, and tells nothing more.
pub(super) struct Socket {
    link: WebSocketLink,
    _tell: Closure<dyn FnMut(u8, JsValue, JsValue)>,
}

impl Socket {
    /// Connects. Every event comes in a task of its own, after this has returned.
    pub(super) fn connect(
        constructor: &Function,
        url: &str,
        subprotocol: &str,
        on_event: impl Fn(Event) + 'static,
    ) -> Self {
        let tell = Closure::new(move |event: u8, a: JsValue, b: JsValue| on_event(Event::of(event, a, b)));
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
