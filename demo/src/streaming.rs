//! What the handlers of streams have in common: requests read, replies sent and ends noted, each in the call's log.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::call::Call;

const DROPPED: &str = "the response stream was dropped before its end";

/// Where replies go.
pub(crate) type Sender<T> = mpsc::Sender<Result<T, Status>>;

/// Where tonic takes them from.
pub(crate) type Replies<T> = ReceiverStream<Result<T, Status>>;

/// The next request; nothing once the client has half-closed. `name` is what the log says of a request.
pub(crate) async fn next<T>(
    call: &Call,
    requests: &mut Streaming<T>,
    name: impl Fn(&T) -> &str,
) -> Result<Option<T>, Status> {
    match requests.message().await {
        Ok(Some(request)) => {
            call.message(name(&request));
            Ok(Some(request))
        }
        Ok(None) if !call.was_reset() => {
            call.half_close();
            Ok(None)
        }
        Ok(None) => Err(call.cancelled("")),
        Err(status) => {
            call.cancelled(&status.to_string());
            Err(status)
        }
    }
}

pub(crate) async fn send<T>(call: &Call, replies: &Sender<T>, reply: T) {
    if replies.send(Ok(reply)).await.is_err() {
        // The client is gone; `until_end` is about to see the same and takes over.
        std::future::pending::<()>().await;
    }
    call.reply();
}

/// How the work on a stream came to its end.
pub(crate) enum Ended {
    Returned(Result<(), Status>),
    /// Nobody takes the replies any more.
    Left,
}

pub(crate) async fn until_end<T>(
    call: &Call,
    talk: impl Future<Output = Result<(), Status>>,
    replies: &Sender<T>,
) -> Ended {
    // In this order, so that a flood of replies cannot keep the first two from being looked at.
    tokio::select! { biased;
        late = call.deadline() => Ended::Returned(Err(late)),
        () = replies.closed() => Ended::Left,
        outcome = talk => Ended::Returned(outcome),
    }
}

pub(crate) async fn finish<T>(call: &Call, end: Ended, replies: Sender<T>) {
    let outcome = match end {
        Ended::Left => Err(call.cancelled(DROPPED)),
        Ended::Returned(outcome) => outcome,
    };
    if let Err(status) = ended(call, outcome) {
        // It fails when the client is gone, which is written down already.
        let _ = replies.send(Err(status)).await;
    }
}

pub(crate) fn ended<T>(call: &Call, outcome: Result<T, Status>) -> Result<T, Status> {
    call.end(outcome.as_ref().map_or_else(Status::code, |_| Code::Ok));
    outcome
}

/// After the replies were dropped: polls the requests, for the request body to meet its failure (a reset code).
pub(crate) async fn hear_failure<T>(requests: &mut Streaming<T>) {
    while let Ok(Ok(Some(_))) = tokio::time::timeout(Duration::ZERO, requests.message()).await {}
}
