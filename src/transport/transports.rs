//! The transports of one client or channel.

#[cfg(feature = "tidewire-v1")]
use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::Transport;
use super::builtins::Function;
use super::call_socket::CallSocket;
use super::fetch::Fetch;
use super::select::{Name, left_out};
#[cfg(feature = "tidewire-v1")]
use super::tidewire_v1::TidewireV1;
use crate::status::Status;
#[cfg(feature = "tidewire-v1")]
use crate::words::words;

/// A WebSocket cannot hold the peer back: this many receive windows may come before the call is given up.
const OVERFLOW: usize = 8;

/// What transports stand on. A function that there is not is `undefined`, and [`select`](super::select::select) sees to it
/// that nobody calls it.
pub(crate) struct Ground {
    pub(crate) fetch: Function,
    pub(crate) web_socket: Function,
    /// `http(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// The same with `ws`.
    pub(crate) sockets: String,
    /// As in `RequestInit`; `undefined` leaves it to the runtime.
    pub(crate) credentials: JsValue,
    /// Bytes of request streams that are collected where `fetch` cannot stream them.
    pub(crate) buffer: usize,
    pub(crate) receive_window: usize,
    pub(crate) max_message: usize,
}

pub(crate) struct Transports {
    fetch: Rc<Fetch>,
    call_socket: CallSocket,
    #[cfg(feature = "tidewire-v1")]
    tidewire_v1: Rc<TidewireV1>,
}

impl Transports {
    pub(crate) fn on(ground: Ground) -> Self {
        let Ground { fetch, web_socket, base, sockets, credentials, buffer, receive_window, max_message } =
            ground;
        let max_unread = OVERFLOW * receive_window + max_message;
        #[cfg(feature = "tidewire-v1")]
        let tidewire_v1 = TidewireV1 {
            constructor: web_socket.clone(),
            url: words![sockets, "/tidewire.v1"],
            current: RefCell::new(None),
        };
        Self {
            fetch: Rc::new(Fetch { fetch, base, buffer, credentials }),
            call_socket: CallSocket { constructor: web_socket, base: sockets, max_unread, bare: false },
            #[cfg(feature = "tidewire-v1")]
            tidewire_v1: Rc::new(tidewire_v1),
        }
    }

    /// The only way to a transport: code that this cannot reach is not in the build.
    pub(crate) fn get(&self, name: Name) -> Result<Rc<dyn Transport>, Status> {
        Ok(match name {
            Name::Fetch if cfg!(feature = "fetch") => self.fetch.clone(),
            Name::GrpcWebsockets if cfg!(feature = "grpc-websockets") => Rc::new(self.call_socket.clone()),
            Name::TripleWebsocket if cfg!(feature = "triple-websocket") => {
                Rc::new(CallSocket { bare: true, ..self.call_socket.clone() })
            }
            #[cfg(feature = "tidewire-v1")]
            Name::TidewireV1 => self.tidewire_v1.clone(),
            _ => return Err(left_out(name.as_str())),
        })
    }

    /// Whether a call would find the shared socket open.
    pub(crate) fn has_open_socket(&self) -> bool {
        #[cfg(feature = "tidewire-v1")]
        return self.tidewire_v1.is_open();
        #[cfg(not(feature = "tidewire-v1"))]
        false
    }

    /// Closes the shared socket.
    #[cfg(feature = "js")]
    pub(crate) fn close(&self) {
        #[cfg(feature = "tidewire-v1")]
        self.tidewire_v1.close();
    }
}
