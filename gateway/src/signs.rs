//! Whether a client still lives: `grpc-websockets` has no keep-alive but WebSocket's pings, and the close of either
//! translated wire comes behind all that was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{FutureExt as _, SinkExt as _};
use http::Version;
use http::request::Parts;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior};

use crate::line::Line;

/// The sending half of a socket, shared by the answer and the pings.
pub(crate) type Sink = Arc<Mutex<SplitSink<WebSocket, Message>>>;

/// How often a client is looked after that nobody reads.
const LOOK: Duration = Duration::from_secs(1);

/// Notices that a client left although nobody reads what it sent.
pub(crate) struct Watch {
    /// What was found below the request; not in every server, and of no use for one of many HTTP/2 streams.
    line: Option<Line>,
    looks: Interval,
    /// The socket has not taken the last ping.
    pinging: bool,
}

impl Watch {
    pub(crate) fn of(parts: &Parts) -> Self {
        let line = parts.extensions.get().filter(|_| parts.version < Version::HTTP_2).cloned();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { line, looks, pinging: false }
    }

    /// Ends once the client is known to be gone. Safe to drop and call again.
    pub(crate) async fn lost(&mut self, sink: Option<&Sink>) {
        loop {
            self.looks.tick().await;
            if self.line.as_ref().is_some_and(Line::is_closed) {
                return;
            }
            if let Some(sink) = sink
                && self.ping(sink).is_err()
            {
                return;
            }
        }
    }

    /// Does not wait. A client that closed its socket with bytes on their way says so only when it is sent some.
    fn ping(&mut self, sink: &Sink) -> Result<(), axum::Error> {
        // Who holds it writes, and will see the same.
        let Ok(mut sink) = sink.try_lock() else { return Ok(()) };
        if !self.pinging {
            let Some(fed) = sink.feed(Message::Ping(Bytes::new())).now_or_never() else { return Ok(()) };
            fed?;
            self.pinging = true;
        }
        if let Some(sent) = sink.flush().now_or_never() {
            self.pinging = false;
            sent?;
        }
        Ok(())
    }
}

/// What is known of the client's life.
#[derive(Default)]
pub(crate) struct Signs {
    messages: AtomicU64,
    /// False while the upstream takes nothing: then nobody hears the client.
    listening: AtomicBool,
}

/// Pings, and ends when a ping was answered by nothing within the interval.
pub(crate) async fn until_dead(sink: Sink, signs: Arc<Signs>, interval: Duration) {
    let mut asked_at = None;
    loop {
        tokio::time::sleep(interval).await;
        let messages = signs.messages.load(Ordering::Relaxed);
        if asked_at == Some(messages) && signs.listening.load(Ordering::Relaxed) {
            return;
        }
        asked_at = None;
        // A sink that is busy waits for a slow reader, which is no sign of death.
        if let Ok(mut sink) = sink.try_lock() {
            if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                return;
            }
            asked_at = Some(messages);
        }
    }
}

impl Signs {
    /// Something came from the client.
    pub(crate) fn heard(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Until the guard is dropped, somebody waits for the client.
    pub(crate) fn listen(&self) -> Listening<'_> {
        self.listening.store(true, Ordering::Relaxed);
        Listening(&self.listening)
    }
}

/// See [`Signs::listen`].
pub(crate) struct Listening<'a>(&'a AtomicBool);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
