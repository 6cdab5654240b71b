//! The call in the middle. Every command and every input passes here, and what holds for any call is checked each time.

use std::collections::VecDeque;
use std::time::Duration;

use tidewire::call::{Call, Event, Transmit};
use tidewire::codec::HeaderList;
use tidewire::codec::gzip::Unfit;
use tidewire::status::Status;

/// What the caller was told, messages copied out of their chunk.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Headers(HeaderList),
    Message(Vec<u8>),
    End(Status, HeaderList),
}

/// A call, the clock, and what came out of it.
pub(crate) struct Exchange {
    pub(crate) call: Call,
    pub(crate) now: Duration,
    /// What the transport was told to do and no test has looked at yet; releases are only counted.
    pub(crate) asked: VecDeque<Transmit>,
    /// What the caller was told and no test has looked at yet.
    pub(crate) told: VecDeque<Told>,
    /// Body bytes given to the call before its end.
    pub(crate) fed: usize,
    /// Of these, bytes that the transport was told it may have again.
    pub(crate) released: usize,
    /// The conversation so far, for whoever reads a failure.
    pub(crate) log: Vec<String>,
    rules: Rules,
}

impl Exchange {
    pub(crate) fn new(call: Call, now: Duration) -> Self {
        let (asked, told) = Default::default();
        Self { call, now, asked, told, fed: 0, released: 0, log: Vec::new(), rules: Rules::default() }
    }

    /// One command or input, then all outputs in the order that [`Call`] demands.
    pub(crate) fn step<T>(&mut self, what: String, act: impl FnOnce(&mut Call, Duration) -> T) -> T {
        self.step_with(what, &[], act)
    }

    /// Body bytes, cut into chunks of at most `cut`.
    pub(crate) fn feed(&mut self, bytes: &[u8], cut: usize) {
        for chunk in bytes.chunks(cut) {
            if !self.call.is_ended() {
                self.fed += chunk.len();
            }
            let what = format!("peer: {} body bytes {:02x?}", chunk.len(), &chunk[..chunk.len().min(24)]);
            self.step_with(what, chunk, |call, now| call.handle_data(now, chunk));
        }
    }

    /// What the platform was to inflate is inflated, or cannot be.
    pub(crate) fn inflated(&mut self, result: Result<Vec<u8>, Unfit>) {
        self.rules.inflates = false;
        self.step(format!("platform: inflated {:?}", result.as_ref().map(Vec::len)), |call, now| {
            call.handle_inflated(now, result);
        });
    }

    /// What the platform was to compress is compressed.
    pub(crate) fn deflated(&mut self, gzip: &[u8]) {
        self.rules.deflates = false;
        let what = format!("platform: deflated to {} bytes", gzip.len());
        self.step(what, |call, now| call.handle_deflated(now, gzip));
    }

    fn step_with<T>(&mut self, what: String, chunk: &[u8], act: impl FnOnce(&mut Call, Duration) -> T) -> T {
        self.log.push(format!("{:>8?}  {what}", self.now));
        let result = act(&mut self.call, self.now);
        self.drain(chunk);
        result
    }

    fn drain(&mut self, chunk: &[u8]) {
        while let Some(transmit) = self.call.poll_transmit() {
            self.log.push(format!("            transport is to {transmit:?}"));
            self.rules.asks(&transmit);
            match transmit {
                Transmit::Release(bytes) => self.released += bytes,
                other => self.asked.push_back(other),
            }
        }
        assert!(self.released <= self.fed, "released {} of {} bytes", self.released, self.fed);
        while let Some(event) = self.call.poll_event() {
            self.log.push(format!("            caller is told {event:?}"));
            self.rules.tells(&event);
            self.told.push_back(match event {
                Event::Headers(headers) => Told::Headers(headers),
                Event::Message(payload) => Told::Message(payload.bytes(chunk).to_vec()),
                Event::End(status, trailers) => Told::End(status, trailers),
            });
        }
        assert_eq!(self.call.is_ended(), self.rules.told_end, "an end is told in the step that brings it");
        assert!(!self.call.is_ended() || self.call.poll_timeout().is_none(), "a timer outlives its call");
    }
}

/// What holds for any call, whatever happens to it.
#[derive(Default)]
struct Rules {
    opened: bool,
    finished: bool,
    /// Reset or done.
    let_go: bool,
    told_headers: bool,
    told_end: bool,
    inflates: bool,
    deflates: bool,
}

impl Rules {
    fn asks(&mut self, transmit: &Transmit) {
        assert!(!self.let_go, "{transmit:?} after the transport was to let go");
        if let Transmit::Open { .. } = transmit {
            assert!(!self.opened, "opened twice");
            self.opened = true;
        }
        assert!(self.opened, "{transmit:?} before the transport was to open");
        match transmit {
            Transmit::Open { .. } => {}
            Transmit::Data(_) => assert!(!self.finished, "data after the half-close"),
            Transmit::Finish => assert!(!std::mem::replace(&mut self.finished, true), "half-closed twice"),
            Transmit::Inflate { .. } => assert!(!std::mem::replace(&mut self.inflates, true), "two at once"),
            Transmit::Deflate(message) => {
                assert!(!std::mem::replace(&mut self.deflates, true), "two at once");
                assert!(
                    !self.finished && !message.is_empty(),
                    "after the half-close, or nothing to compress"
                );
            }
            Transmit::Release(bytes) => assert_ne!(*bytes, 0, "a release of nothing"),
            Transmit::Reset | Transmit::Done => self.let_go = true,
        }
    }

    fn tells(&mut self, event: &Event) {
        assert!(!self.told_end, "{event:?} after the end");
        match event {
            Event::Headers(_) => assert!(!std::mem::replace(&mut self.told_headers, true), "headers twice"),
            Event::Message(_) => assert!(self.told_headers, "a message before the headers"),
            Event::End(..) => {
                assert!(self.let_go || !self.opened, "the end is told before the transport lets go");
                self.told_end = true;
            }
        }
    }
}
