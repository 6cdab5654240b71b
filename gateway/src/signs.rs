//! Whether the client of a `grpc-websockets` call still lives: its wire has no keep-alive but WebSocket's pings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::sync::Mutex;

/// The sending half of a socket, shared by the answer and the pings.
pub(crate) type Sink = Arc<Mutex<SplitSink<WebSocket, Message>>>;

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
