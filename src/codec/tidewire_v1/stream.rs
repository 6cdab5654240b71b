//! One stream: where each of its two halves stands, and what waits to be sent.
//!
//! The halves are independent and go the same way:
//!
//! ```text
//!          head              FIN on DATA, or TRAILERS
//!   Head ────────► Body ─────────────────────────────► Ended
//!     │            │  ▲                                 ▲
//!     │            └──┘ DATA                            │
//!     └──────────── head with FIN ──────────────────────┘
//!
//!   head: OPEN on the client's half, HEADERS on the gateway's
//! ```
//!
//! A stream whose halves have both ended is gone, and so is one that either side resets, wherever it stands.

use super::frame;
use super::window::{RecvWindow, SendWindow};

/// The smallest piece that a DATA frame is cut to for want of room in its message.
const MIN_CUT: usize = 512;

/// One direction of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// Nothing has travelled.
    Head,
    /// The head has, and bytes may follow.
    Body,
    /// All has travelled.
    Ended,
}

/// A frame that its half did not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Violation {
    /// Before the head.
    TooEarly,
    /// A second head.
    Twice,
    /// After the end.
    TooLate,
}

impl Half {
    pub(super) fn head(&mut self, fin: bool) -> Result<(), Violation> {
        match self {
            Self::Head => self.advance(fin),
            Self::Body => return Err(Violation::Twice),
            Self::Ended => return Err(Violation::TooLate),
        }
        Ok(())
    }

    pub(super) fn data(&mut self, fin: bool) -> Result<(), Violation> {
        match self {
            Self::Head => return Err(Violation::TooEarly),
            Self::Body => self.advance(fin),
            Self::Ended => return Err(Violation::TooLate),
        }
        Ok(())
    }

    pub(super) fn trailers(&mut self) -> Result<(), Violation> {
        self.data(true)
    }

    fn advance(&mut self, fin: bool) {
        *self = if fin { Self::Ended } else { Self::Body };
    }
}

/// How a half will end, as far as its owner has said.
#[derive(Debug, PartialEq, Eq)]
enum End {
    NotYet,
    Fin,
    /// A whole TRAILERS frame.
    Trailers(Vec<u8>),
}

/// What became of a stream's turn to write one frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Wrote,
    /// The frame waits for the next message.
    NoRoom,
    /// The frame waits for the connection's window.
    NoCredit,
    /// Nothing to write, or the stream's own window is used up.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// What we have sent of our half.
    pub(super) sent: Half,
    /// What we have received of the peer's.
    pub(super) received: Half,
    pub(super) send_window: SendWindow,
    pub(super) recv_window: RecvWindow,
    /// Whether its id stands in the connection's list of those that wait for a turn.
    pub(super) scheduled: bool,
    /// Our OPEN or HEADERS, whole, until it is sent.
    head: Option<Vec<u8>>,
    /// Body bytes; those before `taken` were sent.
    body: Vec<u8>,
    taken: usize,
    end: End,
}

impl Stream {
    pub(super) fn new(id: u32, received: Half, send_window: u32, recv_window: u32) -> Self {
        Self {
            id,
            sent: Half::Head,
            received,
            send_window: SendWindow::new(send_window),
            recv_window: RecvWindow::new(recv_window),
            scheduled: false,
            head: None,
            body: Vec::new(),
            taken: 0,
            end: End::NotYet,
        }
    }

    /// Bytes of the body that were not sent.
    pub(super) fn queued(&self) -> usize {
        self.body.len() - self.taken
    }

    pub(super) fn has_ended(&self) -> bool {
        self.sent == Half::Ended && self.received == Half::Ended
    }

    /// Whether the owner may still add to our half.
    pub(super) fn is_writable(&self) -> bool {
        self.end == End::NotYet
    }

    /// Whether the owner has given the head.
    pub(super) fn has_head(&self) -> bool {
        self.sent != Half::Head || self.head.is_some()
    }

    pub(super) fn queue_head(&mut self, head: Vec<u8>) {
        self.head = Some(head);
    }

    pub(super) fn queue_data(&mut self, data: &[u8]) {
        // What was sent makes room, once it is as much as what was not: each byte moves once at most.
        if self.taken > 0 && self.taken >= self.queued() {
            self.body.drain(..self.taken);
            self.taken = 0;
        }
        self.body.extend_from_slice(data);
    }

    pub(super) fn queue_fin(&mut self) {
        self.end = End::Fin;
    }

    pub(super) fn queue_trailers(&mut self, trailers: Vec<u8>) {
        self.end = End::Trailers(trailers);
    }

    /// Whether [`Self::write`] would write, given room and the connection's window.
    pub(super) fn wants_turn(&self) -> bool {
        match self.sent {
            Half::Head => self.head.is_some(),
            Half::Body if self.queued() > 0 => self.send_window.available() > 0,
            Half::Body => self.end != End::NotYet,
            Half::Ended => false,
        }
    }

    /// Writes the next frame, at most `budget` bytes of message if that can be.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        budget: usize,
        connection: &mut SendWindow,
        max_frame: u32,
    ) -> Turn {
        match self.sent {
            Half::Head => self.write_head(out, budget),
            Half::Body if self.queued() > 0 => self.write_data(out, budget, connection, max_frame),
            Half::Body => self.write_end(out, budget),
            Half::Ended => Turn::Nothing,
        }
    }

    fn write_head(&mut self, out: &mut Vec<u8>, budget: usize) -> Turn {
        let Some(mut head) = self.head.take() else { return Turn::Nothing };
        if !fits(out, head.len(), budget) {
            self.head = Some(head);
            return Turn::NoRoom;
        }
        let fin = self.queued() == 0 && self.end == End::Fin;
        if fin {
            frame::set_fin(&mut head);
        }
        out.extend_from_slice(&head);
        self.sent.advance(fin);
        Turn::Wrote
    }

    fn write_data(
        &mut self,
        out: &mut Vec<u8>,
        budget: usize,
        connection: &mut SendWindow,
        max_frame: u32,
    ) -> Turn {
        if self.send_window.available() == 0 {
            return Turn::Nothing;
        }
        if connection.available() == 0 {
            return Turn::NoCredit;
        }
        let most = self
            .queued()
            .min(max_frame as usize)
            .min(self.send_window.available())
            .min(connection.available());
        let smallest = most.min(MIN_CUT);
        if !fits(out, frame::HEADER_LEN + smallest, budget) {
            return Turn::NoRoom;
        }
        let room = budget.saturating_sub(out.len() + frame::HEADER_LEN);
        let length = most.min(room.max(smallest));
        let fin = length == self.queued() && self.end == End::Fin;
        self.copy_data(out, length, fin);
        self.send_window.take(length);
        connection.take(length);
        self.sent.advance(fin);
        Turn::Wrote
    }

    fn copy_data(&mut self, out: &mut Vec<u8>, length: usize, fin: bool) {
        out.reserve(frame::HEADER_LEN + length);
        let start = frame::begin(out, frame::kind::DATA, if fin { frame::FIN } else { 0 }, self.id);
        out.extend_from_slice(&self.body[self.taken..self.taken + length]);
        self.taken += length;
        if self.taken == self.body.len() {
            // A burst's memory goes with the burst.
            self.body = Vec::new();
            self.taken = 0;
        }
        frame::finish(out, start);
    }

    fn write_end(&mut self, out: &mut Vec<u8>, budget: usize) -> Turn {
        match &self.end {
            End::NotYet => return Turn::Nothing,
            End::Fin if fits(out, frame::HEADER_LEN, budget) => {
                let start = frame::begin(out, frame::kind::DATA, frame::FIN, self.id);
                frame::finish(out, start);
            }
            End::Trailers(trailers) if fits(out, trailers.len(), budget) => out.extend_from_slice(trailers),
            End::Fin | End::Trailers(_) => return Turn::NoRoom,
        }
        self.sent = Half::Ended;
        Turn::Wrote
    }
}

/// A message takes its first frame whatever its size.
fn fits(out: &[u8], frame: usize, budget: usize) -> bool {
    out.is_empty() || out.len() + frame <= budget
}

#[cfg(test)]
mod tests {
    use super::Violation::{TooEarly, TooLate, Twice};
    use super::*;

    #[test]
    fn every_event_in_every_state() {
        use Half::{Body, Ended, Head};
        type Event = fn(&mut Half) -> Result<(), Violation>;
        let events: [Event; 5] =
            [|h| h.head(false), |h| h.head(true), |h| h.data(false), |h| h.data(true), Half::trailers];
        let table = [
            (Head, [Ok(Body), Ok(Ended), Err(TooEarly), Err(TooEarly), Err(TooEarly)]),
            (Body, [Err(Twice), Err(Twice), Ok(Body), Ok(Ended), Ok(Ended)]),
            (Ended, [Err(TooLate), Err(TooLate), Err(TooLate), Err(TooLate), Err(TooLate)]),
        ];
        for (from, outcomes) in table {
            for (event, expected) in events.iter().zip(outcomes) {
                let mut half = from;
                let outcome = event(&mut half);
                assert_eq!(outcome.map(|()| half), expected, "from {from:?}");
                assert!(outcome.is_ok() || half == from, "a forbidden event moved {from:?} to {half:?}");
            }
        }
    }
}
