//! What came of a call, as the suite wants it told.

use http::HeaderMap;
use prost::Message;
use prost_types::Any;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::proto::{ClientResponseResult, ConformancePayload, Error, Header};

#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) headers: MetadataMap,
    pub(crate) payloads: Vec<ConformancePayload>,
    pub(crate) error: Option<Status>,
    pub(crate) trailers: MetadataMap,
    pub(crate) unsent: usize,
}

impl Outcome {
    pub(crate) fn failed(self, error: Status) -> Self {
        Self { trailers: error.metadata().clone(), error: Some(error), ..self }
    }
}

impl From<Outcome> for ClientResponseResult {
    fn from(outcome: Outcome) -> Self {
        Self {
            response_headers: headers(outcome.headers),
            payloads: outcome.payloads,
            error: outcome.error.as_ref().map(error),
            response_trailers: headers(outcome.trailers),
            num_unsent_requests: outcome.unsent as i32,
            ..Self::default()
        }
    }
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

fn error(status: &Status) -> Error {
    // Broken ones are shown as none, and the suite minds.
    let details = RpcStatus::decode(status.details()).unwrap_or_default().details;
    Error { code: status.code() as i32, message: Some(status.message().to_owned()), details }
}

fn headers(metadata: MetadataMap) -> Vec<Header> {
    let map: HeaderMap = metadata.into_headers();
    let values = |name| {
        let values = map.get_all(name).iter();
        // Of base64 the suite has the form without padding.
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).trim_end_matches('=').to_owned())
            .collect()
    };
    map.keys().map(|name| Header { name: name.to_string(), value: values(name) }).collect()
}
