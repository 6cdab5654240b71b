//! One line per call.

use std::time::Instant;

use http::HeaderMap;

use crate::exchange::Ending;
use crate::status::GRPC_STATUS;

/// Written when the call has ended.
pub(crate) struct CallLog {
    transport: &'static str,
    path: String,
    began: Instant,
}

impl CallLog {
    pub(crate) fn begin(transport: &'static str, path: &str) -> Self {
        Self { transport, path: path.to_owned(), began: Instant::now() }
    }

    /// `head_status`: what the answer's headers said, for answers without trailers.
    pub(crate) fn end(self, ending: &Ending, head_status: Option<String>) {
        let ms = self.began.elapsed().as_secs_f64() * 1000.0;
        let ms = (ms * 10.0).round() / 10.0;
        let end = describe(ending, head_status);
        tracing::info!(transport = self.transport, path = self.path, end, ms, "call");
    }
}

/// The `grpc-status` or HTTP status of an answer's head, for the log.
pub(crate) fn head_status(status: http::StatusCode, headers: &HeaderMap) -> String {
    grpc_status(headers).unwrap_or_else(|| format!("http {}", status.as_u16()))
}

fn describe(ending: &Ending, head_status: Option<String>) -> String {
    match ending {
        Ending::Complete(trailers) => {
            trailers.as_ref().and_then(grpc_status).or(head_status).unwrap_or_else(|| "no status".to_owned())
        }
        Ending::Reset(reason) => format!("reset by the upstream: {reason:?}"),
        Ending::Left(reason) => format!("left by the client: {reason:?}"),
        Ending::Broken(sentence) | Ending::Unreachable(sentence) | Ending::Invalid(sentence) => {
            sentence.clone()
        }
        Ending::Refused(status) => format!("refused: {}", status.message),
    }
}

fn grpc_status(headers: &HeaderMap) -> Option<String> {
    headers.get(GRPC_STATUS).map(|value| format!("grpc-status {}", String::from_utf8_lossy(value.as_bytes())))
}
