//! One HTTP exchange with an upstream, both halves at once, whatever carries it on the web side.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::{FlowControl, Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, response};

use crate::status::Status;
use crate::upstream::{Exchange, Upstream};

/// Chunks below this are put together while they wait.
const SMALL: usize = 4096;

/// What the web side sends.
pub(crate) enum Part {
    Data(Bytes),
    /// Half-close.
    End,
    /// The client reset the call, or is gone.
    Left(Reason),
    /// The client broke a rule or a limit.
    Refused(Status),
}

/// The request's body as it comes from the web side.
pub(crate) trait Upload: Send {
    /// Safe to drop and call again. After `End` it goes on to tell whether the client left.
    fn next(&mut self) -> impl Future<Output = Part> + Send;

    /// The upstream's flow-control window took this many bytes.
    fn taken(&mut self, _bytes: usize) {}
}

/// The answer on its way to the web side. Waiting in here is back-pressure on the upstream.
pub(crate) trait Download: Send {
    /// An error ends the exchange.
    fn head(
        &mut self,
        head: response::Parts,
        body: &mut RecvStream,
    ) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Gives the bytes back to `flow` once they are on their way.
    fn data(
        &mut self,
        chunk: Bytes,
        flow: &mut FlowControl,
    ) -> impl Future<Output = Result<(), Ending>> + Send;
}

/// How an exchange ended: exactly one of these, whoever came first.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The upstream ended its half, with trailers or without.
    Complete(Option<HeaderMap>),
    /// The upstream reset the stream.
    Reset(Reason),
    /// The connection to the upstream broke; a sentence.
    Broken(String),
    /// The upstream's answer broke HTTP/2's rules or the gateway's limits; a sentence.
    Invalid(String),
    /// There was no connection to the upstream, nothing was sent; a sentence.
    Unreachable(String),
    /// The client left.
    Left(Reason),
    /// The gateway ended it: a rule or a limit.
    Refused(Status),
}

/// Relays both halves until the answer has ended or somebody gave up. `half_closed`: the request has no body.
/// `gone` ends it too; for web sides that notice a client leave without reading.
pub(crate) async fn run(
    upstream: &Upstream,
    request: Request<()>,
    half_closed: bool,
    upload: &mut impl Upload,
    download: &mut impl Download,
    gone: impl Future<Output = ()> + Send,
) -> Ending {
    let mut gone = pin!(gone);
    let mut backlog = Backlog::new(upstream.window(), half_closed);
    let opened = tokio::select! {
        biased;
        opened = open(upstream, request, upload, &mut backlog) => opened,
        () = &mut gone => Err(Ending::Left(Reason::CANCEL)),
    };
    let Exchange { mut send, response, slot: _slot } = match opened {
        Ok(exchange) => exchange,
        Err(ending) => return ending,
    };
    let ending = tokio::select! {
        biased;
        ending = receive(response, download, &upstream.name) => ending,
        ending = transmit(&mut send, upload, &mut backlog) => ending,
        () = &mut gone => Ending::Left(Reason::CANCEL),
    };
    match &ending {
        Ending::Left(reason) => send.send_reset(*reason),
        Ending::Refused(_) => send.send_reset(Reason::CANCEL),
        // The answer is complete, the rest of the request will not come.
        Ending::Complete(_) if !backlog.is_done() => send.send_reset(Reason::NO_ERROR),
        _ => {}
    }
    ending
}

/// Takes in what the client sends meanwhile: a cancel must not wait for a slow connection.
async fn open(
    upstream: &Upstream,
    request: Request<()>,
    upload: &mut impl Upload,
    backlog: &mut Backlog,
) -> Result<Exchange, Ending> {
    let mut opening = pin!(upstream.open(request, backlog.is_done()));
    loop {
        tokio::select! {
            biased;
            opened = &mut opening => return opened.map_err(Ending::Unreachable),
            part = upload.next(), if backlog.has_room() => backlog.push(part)?,
        }
    }
}

/// Ends only when the client gives up.
async fn transmit(send: &mut SendStream<Bytes>, upload: &mut impl Upload, backlog: &mut Backlog) -> Ending {
    loop {
        backlog.transmit(send, upload);
        tokio::select! {
            part = upload.next(), if backlog.has_room() => {
                if let Err(ending) = backlog.push(part) {
                    return ending;
                }
            }
            open = capacity(send, backlog.bytes), if backlog.bytes > 0 => {
                if !open {
                    backlog.give_up();
                }
            }
            // The upstream takes no more: its answer is about to end.
            else => return pending().await,
        }
    }
}

/// Waits until the upstream's window has room; false if it takes no more.
async fn capacity(send: &mut SendStream<Bytes>, wanted: usize) -> bool {
    send.reserve_capacity(wanted);
    send.capacity() > 0 || matches!(poll_fn(|cx| send.poll_capacity(cx)).await, Some(Ok(_)))
}

async fn receive(response: ResponseFuture, download: &mut impl Download, upstream: &str) -> Ending {
    let failed = |error: h2::Error| failure(&error, upstream);
    let (head, mut body) = match response.await {
        Ok(response) => response.into_parts(),
        Err(error) => return failed(error),
    };
    if let Err(ending) = download.head(head, &mut body).await {
        return ending;
    }
    while let Some(chunk) = body.data().await {
        let chunk = match chunk {
            Ok(chunk) if chunk.is_empty() => continue,
            Ok(chunk) => chunk,
            Err(error) => return failed(error),
        };
        if let Err(ending) = download.data(chunk, body.flow_control()).await {
            return ending;
        }
    }
    body.trailers().await.map_or_else(failed, Ending::Complete)
}

fn failure(error: &h2::Error, upstream: &str) -> Ending {
    match error.reason() {
        Some(reason) if error.is_reset() && error.is_remote() => Ending::Reset(reason),
        Some(_) if error.is_reset() => Ending::Invalid(format!(
            "the answer of the upstream {upstream} breaks HTTP/2's rules or has larger headers than the gateway \
             takes (--max-header-bytes): {error}"
        )),
        // A graceful GOAWAY fails only the streams above the last one that is handled.
        Some(Reason::NO_ERROR) if error.is_go_away() => Ending::Reset(Reason::REFUSED_STREAM),
        _ => Ending::Broken(format!("the connection to the upstream {upstream} broke: {error}")),
    }
}

/// What the client sent and the upstream's window has not taken. Stops reading when it holds a window.
struct Backlog {
    chunks: VecDeque<Bytes>,
    /// Small chunks behind those, in one piece: kept apart, a flood of them would take many times its size.
    tail: BytesMut,
    bytes: usize,
    limit: usize,
    /// The client has half-closed.
    ended: bool,
    /// Nothing more goes to the upstream.
    closed: bool,
    end_sent: bool,
}

impl Backlog {
    fn new(limit: usize, half_closed: bool) -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            bytes: 0,
            limit,
            ended: half_closed,
            closed: half_closed,
            end_sent: half_closed,
        }
    }

    fn has_room(&self) -> bool {
        self.bytes < self.limit && (self.ended || !self.closed)
    }

    /// Whether the request's end is on its way.
    fn is_done(&self) -> bool {
        self.end_sent
    }

    fn push(&mut self, part: Part) -> Result<(), Ending> {
        match part {
            Part::Data(chunk) if chunk.is_empty() || self.closed => {}
            Part::Data(chunk) => {
                self.bytes += chunk.len();
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
    fn transmit(&mut self, send: &mut SendStream<Bytes>, upload: &mut impl Upload) {
        while let Some(chunk) = self.chunks.front_mut() {
            let room = send.capacity().min(chunk.len());
            if room == 0 {
                return;
            }
            let piece = chunk.split_to(room);
            if chunk.is_empty() {
                self.chunks.pop_front();
                if self.chunks.is_empty() {
                    self.end_tail();
                }
            }
            self.bytes -= room;
            let end = self.ended && self.bytes == 0;
            if send.send_data(piece, end).is_err() {
                return self.give_up();
            }
            upload.taken(room);
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

    fn give_up(&mut self) {
        self.chunks.clear();
        self.tail.clear();
        self.bytes = 0;
        self.closed = true;
    }
}
