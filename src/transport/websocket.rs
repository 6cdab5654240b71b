//! One WebSocket, binary messages both ways, whatever is spoken on it.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::sys::{self, SocketEvent, WebSocket};

const CONNECTING: u16 = 0;
const OPEN: u16 = 1;
const CLOSED: u16 = 3;

/// What a socket tells.
pub(super) enum Event {
    Opened,
    Message(Uint8Array),
    /// Text, which none of our protocols has.
    Text,
    /// Told once, also where the socket never opened.
    Closed {
        code: u16,
        reason: String,
    },
}

/// A socket whose handlers go with it: dropping it closes it and tells nothing more.
pub(super) struct Socket {
    socket: WebSocket,
    opened: Rc<Cell<bool>>,
    _handlers: [Closure<dyn FnMut(SocketEvent)>; 4],
}

impl Socket {
    /// Connects. Every event comes in a task of its own, after this has returned.
    pub(super) fn connect(
        constructor: &Function,
        url: &str,
        subprotocol: &str,
        on_event: impl Fn(Event) + Clone + 'static,
    ) -> Result<Self, JsValue> {
        let arguments = js_sys::Array::of2(&url.into(), &subprotocol.into());
        let socket: WebSocket = Reflect::construct(constructor, &arguments)?.unchecked_into();
        socket.set_binary_type("arraybuffer");

        let opened = Rc::new(Cell::new(false));
        let (tell, is_open) = (on_event.clone(), opened.clone());
        let open = Closure::new(move |_| {
            is_open.set(true);
            tell(Event::Opened);
        });
        let tell = on_event.clone();
        let message = Closure::new(move |event: SocketEvent| match event.data().dyn_into::<ArrayBuffer>() {
            Ok(buffer) => tell(Event::Message(Uint8Array::new(&buffer))),
            Err(_) => tell(Event::Text),
        });
        let tell = on_event.clone();
        let closed = Closure::new(move |event: SocketEvent| {
            // Deno says 0 where a connection was lost; the standard says 1006.
            let code = event.code().filter(|code| *code != 0).unwrap_or(1006);
            tell(Event::Closed { code, reason: event.reason().unwrap_or_default() });
        });
        let this: WebSocket = socket.clone().unchecked_into();
        let failed = Closure::new(move |_| {
            // Node 22 tells no close after a refused upgrade.
            if this.ready_state() == CLOSED {
                on_event(Event::Closed { code: 1006, reason: String::new() });
            }
        });
        socket.set_onopen(open.as_ref());
        socket.set_onmessage(message.as_ref());
        socket.set_onclose(closed.as_ref());
        socket.set_onerror(failed.as_ref());
        Ok(Self { socket, opened, _handlers: [open, message, closed, failed] })
    }

    /// Whether it ever opened.
    pub(super) fn was_open(&self) -> bool {
        self.opened.get()
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.socket.ready_state() == CONNECTING
    }

    /// Hands one message to the runtime's own buffer; `false` where the socket is not open.
    pub(super) fn send(&self, message: &[u8]) -> bool {
        self.socket.ready_state() == OPEN && self.socket.send(message).is_ok()
    }

    /// Bytes that the runtime has not handed to the network.
    pub(super) fn buffered(&self) -> usize {
        self.socket.buffered_amount() as usize
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // `ws` throws an 'error' event without a listener at whoever runs the process.
        let ignore = sys::get(&sys::global("Object"), "is");
        self.socket.set_onopen(&JsValue::NULL);
        self.socket.set_onmessage(&JsValue::NULL);
        self.socket.set_onclose(&JsValue::NULL);
        self.socket.set_onerror(&ignore);
        let _ = self.socket.close_with(1000);
    }
}
