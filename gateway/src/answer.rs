//! Answers of the gateway itself: a status and a sentence.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, StatusCode};

use crate::status::{Code, Status};

/// The WebSocket subprotocols the gateway speaks.
pub(crate) const SUBPROTOCOLS: [&str; 2] = ["tidewire.v1", "grpc-websockets"];

pub(crate) fn text(status: StatusCode, sentence: impl Into<String>) -> Response {
    let mut sentence = sentence.into();
    sentence.push('\n');
    let mut response = Response::new(Body::from(sentence));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Also as a gRPC status, which wins over the HTTP status for a gRPC client and keeps the sentence.
pub(crate) fn not_found(path: &str, sentence: &str) -> Response {
    let mut response = text(StatusCode::NOT_FOUND, format!("{path}: {sentence}"));
    response.headers_mut().extend(unimplemented(path, sentence));
    response
}

/// The headers of [`not_found`].
pub(crate) fn unimplemented(path: &str, sentence: &str) -> HeaderMap {
    Status::new(Code::Unimplemented, format!("{path}: {sentence}")).to_headers()
}

/// What to say where a path does not name a method.
pub(crate) const EXPECTED_PATH: &str =
    "no such path here; calls go to /<service>/<method>, tidewire.v1 sockets to /tidewire.v1";

/// What to say where no route takes a service.
pub(crate) const NO_UPSTREAM: &str = "no upstream of this gateway takes this service; see --upstream";
