//! Exchanges on a WebSocket each: `grpc-websockets`, and dubbo-java's own. The wires are in
//! [`codec`](crate::codec).

use std::rc::Rc;

use super::builtins::Function;
use super::socket::Socket;
use super::{Exchange, HIGH_WATER, Request, Sink, Transport, web};
use crate::codec::grpc_websockets::{FINISH, SUBPROTOCOL, encode_data, encode_headers};
use crate::words::words;

/// One socket per exchange.
#[derive(Clone)]
pub(crate) struct CallSocket {
    pub(crate) constructor: Function,
    /// `ws(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// Bytes that may wait for the consumer: a WebSocket cannot hold the peer back.
    pub(crate) max_unread: usize,
    /// dubbo-java's wire: messages as they are, without subprotocol, headers or half-close. Else `grpc-websockets`.
    pub(crate) bare: bool,
}

impl Transport for CallSocket {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let url = words![self.base, request.path];
        let subprotocol = if self.bare { "" } else { SUBPROTOCOL };
        let socket = Socket::connect(&self.constructor, &url, subprotocol, web::tell(sink));
        if !self.bare {
            socket.send(&encode_headers(&request.headers));
        }
        Box::new(CallSocketExchange { socket: Some(socket), bare: self.bare })
    }

    fn max_unreleased(&self) -> usize {
        self.max_unread
    }
}

struct CallSocketExchange {
    /// Gone with the exchange's end.
    socket: Option<Socket>,
    bare: bool,
}

impl Exchange for CallSocketExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        if let Some(socket) = &self.socket {
            if self.bare {
                socket.send(&bytes);
            } else {
                encode_data(&bytes).for_each(|message| socket.send(&message));
            }
            if socket.queued() > HIGH_WATER {
                socket.watch(HIGH_WATER);
            }
        }
    }

    fn finish(&mut self) {
        // What half-closes by itself needs no word of it.
        if let (false, Some(socket)) = (self.bare, &self.socket) {
            socket.send(&FINISH);
        }
    }

    fn reset(&mut self) {
        self.socket = None;
    }

    fn done(&mut self) {
        self.socket = None;
    }

    fn release(&mut self, _: usize) {}

    fn queued(&self) -> usize {
        self.socket.as_ref().map_or(0, Socket::queued)
    }
}
