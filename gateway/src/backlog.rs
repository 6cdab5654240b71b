//! A request's body on its way to the upstream.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use h2::SendStream;

use crate::exchange::{Ending, Part, Upload};
use crate::read_ahead::{Held, ReadAhead};

/// Chunks below this are put together while they wait.
const SMALL: usize = 4096;
/// A request up to this size can be sent a second time.
const REPLAYED: usize = 16 * 1024;
/// Each may keep a larger buffer alive.
const REPLAYED_PIECES: usize = 16;
/// A stream has a window only once its headers have left; what h2 is given before leaves with them, in one write. All
/// that there is, if it is no more than this.
const WITH_HEADERS: usize = 4 * 1024;

/// What the client sent and the upstream's window has not taken. Stops reading when it holds a window, and what may be
/// read ahead.
pub(crate) struct Backlog {
    chunks: VecDeque<Bytes>,
    /// Small chunks behind those, in one piece: kept apart, a flood of them would take many times its size.
    tail: BytesMut,
    pub(crate) bytes: usize,
    /// What h2 may hold of it beyond the upstream's window.
    with_headers: usize,
    limit: usize,
    held: Held,
    /// All that was sent, while it is little: the upstream may refuse the stream yet.
    replay: Option<Vec<Bytes>>,
    /// Bytes to be sent again, which the client has been told of.
    told: usize,
    /// The request has no body.
    bodyless: bool,
    /// The client has half-closed.
    ended: bool,
    /// Nothing more goes to the upstream.
    closed: bool,
    end_sent: bool,
}

impl Backlog {
    pub(crate) fn new(limit: usize, read_ahead: Option<ReadAhead>, bodyless: bool) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            bytes: 0,
            with_headers: WITH_HEADERS,
            limit,
            held: Held::new(read_ahead),
            replay: Some(Vec::new()),
            told: 0,
            bodyless,
            ended: bodyless,
            closed: bodyless,
            end_sent: bodyless,
        }
    }

    /// Whether to read on. A call that waits for the room of others looks again when it has sent something.
    pub(crate) fn has_room(&self) -> bool {
        (self.bytes < self.limit || self.held.has_room()) && (self.ended || !self.closed)
    }

    /// Bytes that wait for the upstream's window.
    pub(crate) fn waiting(&self) -> usize {
        if self.closed { 0 } else { self.bytes }
    }

    /// Whether the request's end is on its way.
    pub(crate) fn is_done(&self) -> bool {
        self.end_sent
    }

    pub(crate) fn push(&mut self, part: Part) -> Result<(), Ending> {
        match part {
            Part::Data(chunk) if chunk.is_empty() || self.closed => {}
            Part::Data(chunk) => {
                self.bytes += chunk.len();
                self.held.set(self.bytes.saturating_sub(self.limit));
                if chunk.len() < SMALL && !self.chunks.is_empty() {
                    self.tail.extend_from_slice(&chunk);
                } else {
                    self.end_tail();
                    self.chunks.push_back(chunk);
                }
            }
            Part::End => self.ended = true,
            Part::Left(reason) => return Err(Ending::Left(reason)),
            Part::Refused(status) => return Err(Ending::Refused(status)),
        }
        Ok(())
    }

    /// Sends what fits the window now.
    pub(crate) fn transmit(&mut self, send: &mut SendStream<Bytes>, upload: &mut impl Upload) {
        self.fill(send, upload);
        self.held.set(self.bytes.saturating_sub(self.limit));
    }

    /// For a second attempt; false if not all of the request is there any more.
    pub(crate) fn rewind(&mut self) -> bool {
        let Some(sent) = self.replay.take() else { return false };
        for piece in sent.into_iter().rev() {
            self.bytes += piece.len();
            self.told += piece.len();
            self.chunks.push_front(piece);
        }
        self.with_headers = WITH_HEADERS;
        self.closed = self.bodyless;
        self.end_sent = self.bodyless;
        true
    }

    fn fill(&mut self, send: &mut SendStream<Bytes>, upload: &mut impl Upload) {
        if self.closed {
            return;
        }
        while let Some(chunk) = self.chunks.front_mut() {
            let capacity = if self.bytes <= self.with_headers { self.bytes } else { send.capacity() };
            let room = capacity.min(chunk.len());
            if room == 0 {
                return;
            }
            self.with_headers = self.with_headers.saturating_sub(room);
            let piece = chunk.split_to(room);
            if chunk.is_empty() {
                self.chunks.pop_front();
                if self.chunks.is_empty() {
                    self.end_tail();
                }
            }
            self.bytes -= room;
            self.remember(&piece);
            let end = self.ended && self.bytes == 0;
            if send.send_data(piece, end).is_err() {
                return self.give_up();
            }
            let told = self.told.min(room);
            self.told -= told;
            upload.taken(room - told);
            self.end_sent |= end;
        }
        if self.ended && !self.end_sent && !self.closed {
            self.end_sent = send.send_data(Bytes::new(), true).is_ok();
        }
        self.closed |= self.end_sent;
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }

    fn remember(&mut self, piece: &Bytes) {
        if let Some(sent) = &mut self.replay {
            sent.push(piece.clone());
            if sent.len() > REPLAYED_PIECES || sent.iter().map(Bytes::len).sum::<usize>() > REPLAYED {
                self.replay = None;
            }
        }
    }

    /// Why is told by the answer; if the stream was refused, what is here is needed again.
    pub(crate) fn give_up(&mut self) {
        self.closed = true;
        if self.replay.is_none() {
            self.chunks.clear();
            self.tail.clear();
            self.bytes = 0;
        }
    }
}
