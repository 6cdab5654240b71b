//! Exchanges on a WebSocket each: `grpc-websockets`, and dubbo-java's own. The wires are in
//! [`codec`](crate::codec).

use std::cell::Cell;
use std::rc::Rc;

use super::builtins::Function;

use super::socket::{Event, Socket};
use super::{Chunk, Exchange, HIGH_WATER, Incoming, Request, Sink, Transport};
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
        let unread = Rc::new(Cell::new(0));
        let (counted, max_unread, bare) = (unread.clone(), self.max_unread, self.bare);
        let on_event = move |event| match event {
            // The answer to the upgrade is all the headers that there will be.
            Event::Opened if bare => sink.incoming(Incoming::Headers { status: 101, headers: Vec::new() }),
            Event::Opened => {}
            Event::Message(buffer) => {
                let bytes = buffer.copied();
                counted.set(counted.get() + bytes.len());
                sink.incoming(Incoming::Data(Chunk::new(&buffer, &bytes)));
                if counted.get() > max_unread {
                    sink.incoming(Incoming::Overflow { unread: counted.get() });
                }
            }
            Event::Closed { code, reason } => sink.incoming(Incoming::Closed { code, reason }),
            Event::Failed { message, cause } => sink.incoming(Incoming::Failed { message, cause }),
            Event::Room => sink.incoming(Incoming::Room),
        };
        let url = words![self.base, request.path];
        let subprotocol = if bare { "" } else { SUBPROTOCOL };
        let socket = Socket::connect(&self.constructor, &url, subprotocol, on_event);
        if !bare {
            socket.send(&encode_headers(&request.headers));
        }
        Box::new(CallSocketExchange { socket: Some(socket), unread, bare })
    }
}

struct CallSocketExchange {
    /// Gone with the exchange's end.
    socket: Option<Socket>,
    /// Bytes told and not released.
    unread: Rc<Cell<usize>>,
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

    fn release(&mut self, bytes: usize) {
        self.unread.set(self.unread.get().saturating_sub(bytes));
    }

    fn queued(&self) -> usize {
        self.socket.as_ref().map_or(0, Socket::queued)
    }
}
