//! A gateway at the other end of a scripted socket: the same connection that the real one runs.

use std::time::Duration;

use bytes::Bytes;
use js_sys::ArrayBuffer;

use super::script::FakeSocket;
use super::stage::{Stage, message};
use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Connection, Event, Limits, Role};

pub(crate) struct Gateway {
    pub(crate) socket: FakeSocket,
    connection: Connection,
    /// WebSocket messages that came.
    pub(crate) messages: usize,
}

impl Gateway {
    /// Opens the `i`th socket. Nothing has been read from it.
    pub(crate) fn accepts(stage: &Stage, i: usize) -> Self {
        let socket = stage.sockets.socket(i);
        socket.opens();
        Self::on(socket)
    }

    pub(crate) fn on(socket: FakeSocket) -> Self {
        let connection = Connection::new(Role::Gateway, Limits::default(), Duration::ZERO);
        Self { socket, connection, messages: 0 }
    }

    /// What the client has sent since the last time, a line for each frame.
    pub(crate) fn hears(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for bytes in self.socket.sent() {
            self.messages += 1;
            self.connection.handle_message(Duration::ZERO, &bytes).unwrap();
            while let Some(event) = self.connection.poll_event() {
                lines.push(line(&event, &bytes));
            }
        }
        lines
    }

    pub(crate) fn headers(&mut self, id: u32) {
        let headers = HeaderList::from_iter([("content-type", "application/grpc")]);
        self.connection.send_headers(id, 200, &headers, false);
    }

    pub(crate) fn replies(&mut self, id: u32, text: &str) {
        self.connection.send_data(id, Bytes::from(message(text)), false);
    }

    pub(crate) fn ends(&mut self, id: u32, status: &str) {
        self.connection.send_trailers(id, &HeaderList::from_iter([("grpc-status", status)]));
    }

    pub(crate) fn resets(&mut self, id: u32, code: u32, reason: &str) {
        self.connection.reset(id, code, reason);
    }

    pub(crate) fn leaves(&mut self) {
        self.connection.go_away(0, "a new version");
    }

    /// Its consumer took `bytes` of a request.
    pub(crate) fn takes(&mut self, id: u32, bytes: usize) {
        self.connection.release(id, bytes);
    }

    /// What waits for window.
    pub(crate) fn holds_back(&self, id: u32) -> usize {
        self.connection.queued(id)
    }

    /// All that may leave does, in as many messages as it takes. Gives back the last.
    pub(crate) fn flushes(&mut self) -> Option<ArrayBuffer> {
        let mut last = None;
        while let Some(bytes) = self.connection.poll_transmit(64 * 1024) {
            last = Some(self.socket.message(&bytes));
        }
        last
    }
}

fn line(event: &Event, message: &[u8]) -> String {
    match event {
        Event::Open { id, method, path, fin, .. } => {
            format!("open {id} {method} {path}{}", if *fin { " fin" } else { "" })
        }
        Event::Data { id, range, fin } => {
            let text = String::from_utf8_lossy(&message[range.clone()]).replace('\0', "");
            let text = text.trim_start_matches(|c: char| c.is_control());
            let text = if text.len() > 100 { format!("{} bytes", range.len()) } else { text.to_string() };
            format!("data {id} {text}{}", if *fin { " fin" } else { "" }).replace("  ", " ")
        }
        Event::Reset { id, code, .. } => format!("reset {id} {code}"),
        other => format!("{other:?}"),
    }
}
