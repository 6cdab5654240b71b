//! Exchanges over `grpc-websockets`: one socket each. The wire is in [`codec`](crate::codec::grpc_websockets).

use std::cell::Cell;
use std::rc::Rc;

use super::builtins::Function;

use super::socket::{Event, Socket};
use super::{Chunk, Exchange, HIGH_WATER, Incoming, Request, Sink, Transport};
use crate::codec::grpc_websockets::{FINISH, SUBPROTOCOL, encode_data, encode_headers};
use crate::words::words;

/// One socket per exchange.
pub(crate) struct GrpcWebsockets {
    pub(crate) constructor: Function,
    /// `ws(s)://host[:port][/prefix]`.
    pub(crate) base: String,
    /// Bytes that may wait for the consumer: a WebSocket cannot hold the peer back.
    pub(crate) max_unread: usize,
}

impl Transport for GrpcWebsockets {
    fn open(&self, request: Request, sink: Rc<dyn Sink>) -> Box<dyn Exchange> {
        let unread = Rc::new(Cell::new(0));
        let (counted, max_unread) = (unread.clone(), self.max_unread);
        let on_event = move |event| match event {
            Event::Opened => {}
            Event::Message(buffer) => {
                let bytes = buffer.to_vec();
                counted.set(counted.get() + bytes.len());
                sink.incoming(Incoming::Data(Chunk { bytes: &bytes, buffer: &buffer, offset: 0 }));
                if counted.get() > max_unread {
                    sink.incoming(Incoming::Overflow { unread: counted.get() });
                }
            }
            Event::Closed { code, reason } => sink.incoming(Incoming::Closed { code, reason }),
            Event::Failed { message, cause } => sink.incoming(Incoming::Failed { message, cause }),
            Event::Room => sink.incoming(Incoming::Room),
        };
        let url = words![self.base, request.path];
        let socket = Socket::connect(&self.constructor, &url, SUBPROTOCOL, Box::new(on_event));
        socket.send(&encode_headers(&request.headers));
        Box::new(GrpcWebsocketsExchange { socket: Some(socket), unread })
    }
}

struct GrpcWebsocketsExchange {
    /// Gone with the exchange's end.
    socket: Option<Socket>,
    /// Bytes told and not released.
    unread: Rc<Cell<usize>>,
}

impl Exchange for GrpcWebsocketsExchange {
    fn send(&mut self, bytes: Vec<u8>) {
        if let Some(socket) = &self.socket {
            encode_data(&bytes).for_each(|message| socket.send(&message));
            if socket.queued() > HIGH_WATER {
                socket.watch(HIGH_WATER);
            }
        }
    }

    fn finish(&mut self) {
        if let Some(socket) = &self.socket {
            socket.send(&FINISH);
        }
    }

    fn reset(&mut self) {
        self.socket = None;
    }

    fn done(&mut self) {
        self.socket = None;
    }

    fn release(&mut self, bytes: usize) {
        self.unread.set(self.unread.get().saturating_sub(bytes));
    }

    fn queued(&self) -> usize {
        self.socket.as_ref().map_or(0, Socket::queued)
    }
}
