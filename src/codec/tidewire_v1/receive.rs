//! What each frame of the peer's does.

use super::code;
use super::connection::{Connection, Phase};
use super::event::{ConnectionError, Event};
use super::frame::{self, Frame, Frames, Malformed, kind};
use super::limits::Limits;
use super::stream::{Half, Stream, Violation};
use super::window::Overflow;
use crate::words::words;

/// What the peer may make us answer without reading our answers.
const MAX_CONTROL: usize = 1024 * 1024;

impl Connection {
    pub(super) fn receive(&mut self, message: &[u8]) -> Result<(), ConnectionError> {
        if message.is_empty() {
            return Err(self.broke(words!["sent an empty WebSocket message; each holds at least one frame"]));
        }
        if message.len() > self.limits.max_message() {
            let (came, most) = (message.len(), self.limits.max_message());
            let what = words!["sent a WebSocket message of ", came, " bytes, ", most, " were allowed"];
            return Err(self.broke_with(code::FRAME_SIZE_ERROR, what));
        }
        for frame in Frames::of(message) {
            let frame = frame.map_err(|cut| {
                self.broke(words![
                    "sent a WebSocket message that ends inside a frame: ",
                    cut.came,
                    " of its ",
                    cut.promised,
                    " bytes came"
                ])
            })?;
            self.receive_frame(&frame)?;
            if self.control.len() > MAX_CONTROL {
                let message = words!["the ", self.them(), " asks and does not read the answers"];
                return Err(ConnectionError { code: code::ENHANCE_YOUR_CALM, message });
            }
        }
        Ok(())
    }

    fn receive_frame(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        if self.phase == Phase::Greeting && frame.kind != kind::HELLO {
            return Err(self.broke(words!["began with a frame of type ", frame.kind, ", not with HELLO"]));
        }
        if matches!(frame.kind, kind::HELLO | kind::PING | kind::GOAWAY) && frame.stream != 0 {
            let (kind, id) = (frame.kind, frame.stream);
            return Err(self.broke(words![
                "sent a frame of type ",
                kind,
                " on stream ",
                id,
                ", it belongs on 0"
            ]));
        }
        match (frame.kind, self.role.is_gateway()) {
            (kind::HELLO, _) => self.receive_hello(frame),
            (kind::OPEN, true) => self.receive_open(frame),
            (kind::HEADERS, false) => self.receive_headers(frame),
            (kind::TRAILERS, false) => self.receive_trailers(frame),
            (kind::OPEN | kind::HEADERS | kind::TRAILERS, _) => {
                Err(self.broke(words!["sent a frame of type ", frame.kind, ", which is not its to send"]))
            }
            (kind::DATA, _) => self.receive_data(frame),
            (kind::RESET, _) => self.receive_reset(frame),
            (kind::WINDOW, _) => self.receive_window(frame),
            (kind::PING, _) => self.receive_ping(frame),
            (kind::GOAWAY, _) => self.receive_goaway(frame),
            _ => Ok(()), // v1 grows by new types
        }
    }

    fn receive_hello(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        if self.phase != Phase::Greeting {
            return Err(self.broke(words!["sent a second HELLO"]));
        }
        let mut peer = Limits::default();
        for (id, value) in frame::read_hello(frame.payload).map_err(|_| self.garbled("HELLO"))? {
            peer.set(id, value).map_err(|bad| {
                self.broke(words![
                    "announced a ",
                    bad.name,
                    " of ",
                    bad.value,
                    " in HELLO; ",
                    bad.least,
                    " to ",
                    bad.most,
                    " are allowed"
                ])
            })?;
        }
        self.phase = Phase::Running;
        self.raise_windows(&peer).map_err(|Overflow| self.overflow(0))?;
        self.peer = peer;
        Ok(())
    }

    /// Streams opened in the same flight as HELLO began under the defaults.
    fn raise_windows(&mut self, peer: &Limits) -> Result<(), Overflow> {
        self.send_window.grow(peer.connection_window - self.peer.connection_window)?;
        for stream in self.streams.iter_mut() {
            stream.send_window.grow(peer.stream_window - self.peer.stream_window)?;
        }
        for id in self.streams.ids() {
            self.schedule(id);
        }
        Ok(())
    }

    fn receive_open(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let id = frame.stream;
        if id <= self.last_opened {
            let last = self.last_opened;
            return Err(self.broke(words!["opened stream ", id, " after stream ", last, "; ids must grow"]));
        }
        self.last_opened = id;
        if self.going_away {
            return self.refuse(id, code::REFUSED_STREAM, "the gateway is shutting down");
        }
        let most = self.limits.max_streams;
        if self.streams.len() >= most as usize {
            return self.refuse(
                id,
                code::REFUSED_STREAM,
                &words![most, " streams are open, no more are allowed"],
            );
        }
        let (method, path, headers) = match frame::read_open(frame.payload, self.limits.max_headers) {
            Ok(opened) => opened,
            Err(error) => return self.reject(id, &error, "OPEN"),
        };
        let fin = frame.fin();
        let stream = self.new_stream(id, if fin { Half::Ended } else { Half::Body });
        self.streams.push(stream);
        self.events.push_back(Event::Open { id, method, path, headers, fin });
        Ok(())
    }

    fn receive_headers(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let (id, limit) = (frame.stream, self.limits.max_headers);
        let Some(stream) = self.live(id)? else { return Ok(()) };
        if let Err(violation) = stream.received.head(frame.fin()) {
            return self.violated(id, violation, "HEADERS");
        }
        match frame::read_headers(frame.payload, limit) {
            Ok((status, headers)) => {
                self.events.push_back(Event::Headers { id, status, headers, fin: frame.fin() });
                self.remove_if_ended(id);
                Ok(())
            }
            Err(error) => self.reject(id, &error, "HEADERS"),
        }
    }

    fn receive_data(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let (id, length, fin) = (frame.stream, frame.payload.len(), frame.fin());
        if length > self.limits.max_frame as usize {
            let most = self.limits.max_frame;
            let what = words!["sent ", length, " bytes in one DATA frame, ", most, " were allowed"];
            return Err(self.broke_with(code::FRAME_SIZE_ERROR, what));
        }
        if let Err(allowed) = self.recv_window.receive(length) {
            let what = words!["sent ", length, " bytes on the connection, ", allowed, " were allowed"];
            return Err(self.broke_with(code::FLOW_CONTROL_ERROR, what));
        }
        let Some(stream) = self.live(id)? else {
            self.recv_window.release(length);
            return Ok(());
        };
        if let Err(allowed) = stream.recv_window.receive(length) {
            let what = words!["sent ", length, " bytes on stream ", id, ", ", allowed, " were allowed"];
            return Err(self.broke_with(code::FLOW_CONTROL_ERROR, what));
        }
        if let Err(violation) = stream.received.data(fin) {
            return self.violated(id, violation, "DATA");
        }
        if length > 0 || fin {
            self.events.push_back(Event::Data { id, range: frame.offset..frame.offset + length, fin });
        }
        self.remove_if_ended(id);
        Ok(())
    }

    fn receive_trailers(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let (id, limit) = (frame.stream, self.limits.max_headers);
        let Some(stream) = self.live(id)? else { return Ok(()) };
        if let Err(violation) = stream.received.trailers() {
            return self.violated(id, violation, "TRAILERS");
        }
        match frame::read_trailers(frame.payload, limit) {
            Ok(headers) => {
                self.events.push_back(Event::Trailers { id, headers });
                self.remove_if_ended(id);
                Ok(())
            }
            Err(error) => self.reject(id, &error, "TRAILERS"),
        }
    }

    fn receive_reset(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let (code, reason) = frame::read_reset(frame.payload).map_err(|_| self.garbled("RESET"))?;
        if self.live(frame.stream)?.is_some() {
            self.end(frame.stream, code, &reason);
        }
        Ok(())
    }

    fn receive_window(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let id = frame.stream;
        let increment = frame::read_window(frame.payload).map_err(|_| self.garbled("WINDOW"))?;
        let grown = match id {
            0 => self.send_window.grow(increment),
            _ => self.live(id)?.map_or(Ok(()), |stream| stream.send_window.grow(increment)),
        };
        grown.map_err(|Overflow| self.overflow(id))?;
        self.schedule(id);
        Ok(())
    }

    fn receive_ping(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let payload = frame.payload.try_into().map_err(|_| self.garbled("PING"))?;
        if frame.flags & frame::ACK == 0 {
            frame::write_ping(&mut self.control, frame::ACK, payload);
        }
        Ok(())
    }

    fn receive_goaway(&mut self, frame: &Frame<'_>) -> Result<(), ConnectionError> {
        let (last, code, reason) = frame::read_goaway(frame.payload).map_err(|_| self.garbled("GOAWAY"))?;
        self.events.push_back(Event::GoAway { last, code, reason: reason.clone() });
        if !self.role.is_gateway() {
            self.going_away = true;
            let handled = last.min(self.last_opened);
            for id in self.streams.ids().into_iter().filter(|&id| id > handled) {
                self.end(id, code::REFUSED_STREAM, &reason);
            }
        }
        Ok(())
    }

    /// The stream, unless it has ended; an error if it was never opened.
    fn live(&mut self, id: u32) -> Result<Option<&mut Stream>, ConnectionError> {
        if id == 0 || id > self.last_opened {
            return Err(self.broke(words!["sent a frame for stream ", id, ", which was never opened"]));
        }
        Ok(self.streams.get_mut(id))
    }

    fn remove_if_ended(&mut self, id: u32) {
        if self.streams.get(id).is_some_and(Stream::has_ended) {
            self.remove(id);
        }
    }

    /// Answers an OPEN that makes no stream.
    fn refuse(&mut self, id: u32, code: u32, reason: &str) -> Result<(), ConnectionError> {
        frame::write_reset(&mut self.control, id, code, reason);
        Ok(())
    }

    /// A header block that cannot be taken ends its stream, one that is no header block the connection.
    fn reject(&mut self, id: u32, error: &Malformed, what: &str) -> Result<(), ConnectionError> {
        let them = self.them();
        match error {
            Malformed::Grammar => return Err(self.garbled(what)),
            Malformed::Forbidden(found) => {
                self.fail_stream(
                    id,
                    code::PROTOCOL_ERROR,
                    &words!["the ", them, " sent ", found, " in ", what],
                );
            }
            Malformed::TooLarge(size) => {
                let limit = self.limits.max_headers;
                let reason = words![
                    "the ",
                    them,
                    " sent ",
                    size,
                    " bytes of ",
                    what,
                    " (each header counts 32 more), ",
                    limit,
                    " are allowed"
                ];
                self.fail_stream(id, code::ENHANCE_YOUR_CALM, &reason);
            }
        }
        Ok(())
    }

    fn violated(&mut self, id: u32, violation: Violation, what: &str) -> Result<(), ConnectionError> {
        let (code, when) = match violation {
            Violation::TooEarly => (code::PROTOCOL_ERROR, "before HEADERS"),
            Violation::Twice => (code::PROTOCOL_ERROR, "twice"),
            Violation::TooLate => (code::STREAM_CLOSED, "after the end"),
        };
        let reason = words!["the ", self.them(), " sent ", what, " ", when];
        self.fail_stream(id, code, &reason);
        Ok(())
    }

    fn garbled(&self, what: &str) -> ConnectionError {
        self.broke(words!["sent ", what, " with a payload that breaks the grammar"])
    }

    fn overflow(&self, id: u32) -> ConnectionError {
        let what = words!["raised the window of stream ", id, " above 2^31-1 (0 is the connection)"];
        self.broke_with(code::FLOW_CONTROL_ERROR, what)
    }

    #[inline(never)]
    fn broke(&self, what: String) -> ConnectionError {
        self.broke_with(code::PROTOCOL_ERROR, what)
    }

    #[inline(never)]
    fn broke_with(&self, code: u32, what: String) -> ConnectionError {
        ConnectionError { code, message: words!["the ", self.them(), " ", what] }
    }
}
