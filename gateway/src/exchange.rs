//! One HTTP exchange with an upstream, both halves at once, whatever carries it on the web side.

use std::future::{pending, poll_fn};
use std::pin::pin;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{FlowControl, Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, response};

use crate::backlog::Backlog;
use crate::read_ahead::ReadAhead;
use crate::status::Status;
use crate::upstream::{Exchange, Slot, Upstream};

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

    /// Called instead while there is no room for more; ends when the client is known to be gone.
    fn lost(&mut self) -> impl Future<Output = Part> + Send {
        pending()
    }

    /// Bytes that may wait for the upstream, by its window.
    fn limit(&self, window: usize) -> usize {
        window
    }

    /// Room for more than a window, for wires on which a client's leaving comes behind what it sent.
    fn read_ahead(&self) -> Option<ReadAhead> {
        None
    }

    /// The upstream's flow-control window took this many bytes.
    fn taken(&mut self, _bytes: usize) {}

    /// It takes no more for now.
    fn stalls(&mut self) {}
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
    let relayed = async {
        let mut backlog = Backlog::new(upload.limit(upstream.window()), upload.read_ahead(), half_closed);
        let first = attempt(upstream, request.clone(), upload, download, &mut backlog).await;
        // What gRPC calls a transparent retry: such a stream was not and will not be handled.
        let relayed = match first {
            Err(Untouched) if backlog.rewind() => {
                attempt(upstream, request, upload, download, &mut backlog).await
            }
            first => first,
        };
        relayed.unwrap_or(Ending::Reset(Reason::REFUSED_STREAM))
    };
    tokio::select! {
        biased;
        ending = relayed => ending,
        () = gone => Ending::Left(Reason::CANCEL),
    }
}

/// The upstream refused the stream, or went away before it.
struct Untouched;

async fn attempt(
    upstream: &Upstream,
    request: Request<()>,
    upload: &mut impl Upload,
    download: &mut impl Download,
    backlog: &mut Backlog,
) -> Result<Ending, Untouched> {
    let Exchange { mut send, response, mut slot } = match open(upstream, request, upload, backlog).await {
        Ok(exchange) => exchange,
        Err(ending) => return Ok(ending),
    };
    let ending = tokio::select! {
        biased;
        ending = receive(response, download, upstream) => ending?,
        ending = transmit(&mut send, upload, backlog, &mut slot) => ending,
    };
    match &ending {
        Ending::Left(reason) => send.send_reset(*reason),
        Ending::Refused(_) => send.send_reset(Reason::CANCEL),
        // The answer is complete, the rest of the request will not come. Where all of it was given to h2, only h2 knows
        // whether it has left; to what has, a reset does nothing.
        Ending::Complete(_) if !backlog.is_done() || slot.has_queued() => send.send_reset(Reason::NO_ERROR),
        _ => {}
    }
    Ok(ending)
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
            part = next(upload, backlog.has_room()) => backlog.push(part)?,
        }
    }
}

async fn next(upload: &mut impl Upload, has_room: bool) -> Part {
    if has_room { upload.next().await } else { upload.lost().await }
}

/// Ends only when the client gives up.
async fn transmit(
    send: &mut SendStream<Bytes>,
    upload: &mut impl Upload,
    backlog: &mut Backlog,
    slot: &mut Slot,
) -> Ending {
    loop {
        let before = backlog.bytes;
        backlog.transmit(send, upload);
        slot.sends(before.saturating_sub(backlog.bytes), backlog.waiting());
        if backlog.waiting() > 0 {
            send.reserve_capacity(backlog.waiting());
            if send.capacity() > 0 {
                continue;
            }
            upload.stalls();
        }
        tokio::select! {
            part = next(upload, backlog.has_room()) => {
                if let Err(ending) = backlog.push(part) {
                    return ending;
                }
            }
            open = capacity(send), if backlog.waiting() > 0 => {
                if !open {
                    // The upstream takes no more: its answer is about to end.
                    backlog.give_up();
                }
            }
        }
    }
}

/// Waits until the upstream's window has room; false if it takes no more.
async fn capacity(send: &mut SendStream<Bytes>) -> bool {
    matches!(poll_fn(|cx| send.poll_capacity(cx)).await, Some(Ok(_)))
}

async fn receive(
    response: ResponseFuture,
    download: &mut impl Download,
    upstream: &Upstream,
) -> Result<Ending, Untouched> {
    let (head, body) = match response.await {
        Ok(response) => response.into_parts(),
        Err(error) => {
            return match failure(&error, &upstream.name) {
                Ending::Reset(Reason::REFUSED_STREAM) => Err(Untouched),
                ending => Ok(ending),
            };
        }
    };
    Ok(receive_body(head, body, download, upstream).await.unwrap_or_else(|ending| ending))
}

async fn receive_body(
    head: response::Parts,
    mut body: RecvStream,
    download: &mut impl Download,
    upstream: &Upstream,
) -> Result<Ending, Ending> {
    let failed = |error: h2::Error| failure(&error, &upstream.name);
    fits(&head.headers, upstream)?;
    download.head(head, &mut body).await?;
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(failed)?;
        if !chunk.is_empty() {
            download.data(chunk, body.flow_control()).await?;
        }
    }
    let trailers = body.trailers().await.map_err(failed)?;
    trailers.iter().try_for_each(|trailers| fits(trailers, upstream))?;
    Ok(Ending::Complete(trailers))
}

/// Whether headers or trailers keep to the gateway's limit, counted as HTTP/2 does (RFC 9113, section 6.5.2).
fn fits(headers: &HeaderMap, upstream: &Upstream) -> Result<(), Ending> {
    let limit = upstream.max_headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    if size <= limit {
        return Ok(());
    }
    Err(Ending::Invalid(format!(
        "the answer of the upstream {} has larger headers than the gateway takes: {size} bytes, and \
         --max-header-bytes is {limit}",
        upstream.name
    )))
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
