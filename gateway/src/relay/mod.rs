//! The `tidewire.v1` relay: one task owns a socket and its [`Connection`], one task each stream.

mod stream;
mod streams;

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use h2::Reason;
use http::HeaderMap;
use tidewire::codec::tidewire_v1::{Connection, Event, Limits, Role};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use self::stream::{News, Opened};
use self::streams::Streams;
use crate::gateway::Shared;

/// Bytes gathered into one WebSocket message.
const BUDGET: usize = 64 * 1024;
/// News taken at once: a burst becomes one message.
const BURST: usize = 256;
/// The largest WebSocket message taken.
const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Allocated for every socket; the library's own 128 KiB are much for one that is idle.
const READ_BUFFER: usize = 32 * 1024;
/// How long a client may take to answer a close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

const SHUTTING_DOWN: &str = "the gateway is shutting down";
const CLOSE_GOING_AWAY: u16 = 1001;
const CLOSE_PROTOCOL_ERROR: u16 = 1002;

pub(crate) fn accept(
    shared: Arc<Shared>,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
    permit: OwnedSemaphorePermit,
) -> Response {
    let of_upgrade = shared.headers.of_upgrade(headers);
    let upgrade = upgrade.max_message_size(LARGEST_MESSAGE).max_frame_size(LARGEST_MESSAGE);
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(move |socket| {
        let drain = shared.drain.clone();
        drain.bound(async move {
            Relay::new(shared, of_upgrade, socket).run().await;
            drop(permit);
        })
    })
}

struct Relay {
    shared: Arc<Shared>,
    connection: Connection,
    began: Instant,
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
    /// The socket has not taken the last message yet.
    writing: bool,
    /// Read since the socket last took a message: a client that sends and does not read is not read either.
    unanswered: usize,
    streams: Streams,
    news: mpsc::UnboundedReceiver<News>,
}

/// Why a socket ends.
enum End {
    /// It broke.
    Gone,
    /// The client closed it.
    Closed,
    /// It must be closed with this code.
    Close(u16, String),
}

impl Relay {
    fn new(shared: Arc<Shared>, of_upgrade: HeaderMap, socket: WebSocket) -> Self {
        let limits = &shared.limits;
        let limits = Limits {
            stream_window: limits.upload_window,
            connection_window: limits.connection_window,
            max_streams: limits.max_streams,
            max_headers: limits.max_header_bytes,
            ..Limits::default()
        };
        let (sink, stream) = socket.split();
        let (teller, news) = mpsc::unbounded_channel();
        let streams = Streams::new(Arc::clone(&shared), of_upgrade, teller);
        Self {
            shared,
            connection: Connection::new(Role::Gateway, limits, Duration::ZERO),
            began: Instant::now(),
            sink,
            stream,
            writing: false,
            unanswered: 0,
            streams,
            news,
        }
    }

    async fn run(mut self) {
        let end = self.relay().await;
        self.streams.cancel_all();
        let closed = async {
            match end {
                End::Gone => {}
                End::Closed => self.answer_close().await,
                End::Close(code, reason) => self.close(code, reason).await,
            }
        };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, closed).await;
        self.streams.all_ended().await;
    }

    async fn relay(&mut self) -> End {
        let drain = self.shared.drain.clone();
        // Made once: each message would pay for them again.
        let mut begun = pin!(drain.begun());
        let mut alarm = pin!(tokio::time::sleep_until(self.began));
        let mut going_away = false;
        let mut burst = Vec::new();
        loop {
            if let Err(end) = self.transmit().await {
                return end;
            }
            if going_away && self.connection.open_streams() == 0 && !self.writing {
                return End::Close(CLOSE_GOING_AWAY, SHUTTING_DOWN.to_owned());
            }
            let due = self.connection.poll_timeout().map(|at| self.began + at);
            // It is put off with every message; an alarm that comes too early is set again.
            if let Some(due) = due
                && (alarm.is_elapsed() || due < alarm.deadline())
            {
                alarm.as_mut().reset(due);
            }
            let done = tokio::select! {
                taken = self.sink.flush(), if self.writing => self.written(taken),
                message = self.stream.next(), if self.unanswered < self.most_unanswered() => self.receive(message),
                _ = self.news.recv_many(&mut burst, BURST) => {
                    self.gather(&mut burst).await;
                    burst.drain(..).for_each(|news| self.streams.hear(&mut self.connection, news));
                    Ok(())
                }
                () = self.streams.one_ended() => Ok(()),
                () = &mut alarm, if due.is_some() => self.tick(),
                () = &mut begun, if !going_away => {
                    going_away = true;
                    self.connection.go_away(u32::from(Reason::NO_ERROR), SHUTTING_DOWN);
                    Ok(())
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// A WebSocket message is dear to a browser: what other streams are just about to tell goes along.
    async fn gather(&mut self, burst: &mut Vec<News>) {
        if self.connection.open_streams() > 1 {
            tokio::task::yield_now().await;
        }
        while burst.len() < BURST
            && let Ok(news) = self.news.try_recv()
        {
            burst.push(news);
        }
    }

    /// What the client may send without reading: more than its windows allow it.
    fn most_unanswered(&self) -> usize {
        self.shared.limits.connection_window as usize + LARGEST_MESSAGE
    }

    /// Hands messages to the socket until it is full or there are none.
    async fn transmit(&mut self) -> Result<(), End> {
        self.drain_events(&Bytes::new());
        while !self.writing {
            let Some(message) = self.connection.poll_transmit(BUDGET) else { return Ok(()) };
            self.streams.give_back(&mut self.connection);
            self.drain_events(&Bytes::new());
            self.sink.feed(Message::Binary(message.into())).await.map_err(|_| End::Gone)?;
            self.writing = true;
            if let Some(taken) = self.sink.flush().now_or_never() {
                self.written(taken)?;
            }
        }
        Ok(())
    }

    fn written(&mut self, taken: Result<(), axum::Error>) -> Result<(), End> {
        self.writing = false;
        self.unanswered = 0;
        taken.map_err(|_| End::Gone)
    }

    fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Text(_))) => {
                let reason = "the client sent a text message; tidewire.v1 is binary only";
                self.connection.go_away(u32::from(Reason::PROTOCOL_ERROR), reason);
                return Err(End::Close(CLOSE_PROTOCOL_ERROR, reason.to_owned()));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) => return Err(End::Closed),
            Some(Err(_)) | None => return Err(End::Gone),
        };
        if self.writing {
            self.unanswered += bytes.len();
        }
        let handled = self.connection.handle_message(self.began.elapsed(), &bytes);
        if handled.is_err() {
            // Upstreams did nothing wrong: they see a client that left, not the code of its mistake.
            self.streams.cancel_all();
        }
        self.drain_events(&bytes);
        handled.map_err(|error| {
            tracing::info!(transport = "tidewire.v1", error = error.message, "connection error");
            End::Close(CLOSE_PROTOCOL_ERROR, error.message)
        })
    }

    fn tick(&mut self) -> Result<(), End> {
        self.connection.handle_timeout(self.began.elapsed()).map_err(|error| {
            tracing::info!(transport = "tidewire.v1", error = error.message, "client given up");
            End::Close(CLOSE_GOING_AWAY, error.message)
        })
    }

    /// `message`: what the ranges of data events refer to.
    fn drain_events(&mut self, message: &Bytes) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::Open { id, method, path, headers, fin } => {
                    let opened = Opened { id, method, path, headers, fin };
                    self.streams.open(&mut self.connection, opened);
                }
                Event::Data { id, range, fin } => {
                    self.streams.pass_on(&mut self.connection, id, cut(message, range), fin);
                }
                Event::Reset { id, code, .. } => self.streams.leave(id, code),
                // Of a client nothing else concerns a gateway, and the upstream's window bounds what is queued.
                _ => {}
            }
        }
    }

    /// The library queues the answer, and sends it when it is next asked for a message.
    async fn answer_close(&mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Says why, and waits for the client to hang up: leaving first may destroy what is on its way.
    async fn close(&mut self, code: u16, reason: String) {
        while let Some(message) = self.connection.poll_transmit(BUDGET) {
            if self.sink.send(Message::Binary(message.into())).await.is_err() {
                return;
            }
        }
        let close = CloseFrame { code, reason: shortened(&reason).into() };
        if self.sink.send(Message::Close(Some(close))).await.is_ok() {
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}

/// A small part of a large message is copied: as a slice it would keep all of it in memory while it waits.
fn cut(message: &Bytes, range: Range<usize>) -> Bytes {
    if range.len() >= message.len() / 4 {
        message.slice(range)
    } else {
        Bytes::copy_from_slice(&message[range])
    }
}

/// A close frame takes 123 bytes of reason.
fn shortened(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(123)]
}
