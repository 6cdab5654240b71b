//! Headers and statuses, between tonic's types and ours.

use std::sync::Arc;

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

use crate::base64;
use crate::codec::HeaderList;
use crate::status::Status;

/// Made by the compiler: a name that is looked up by its text goes through the table of all that HTTP knows.
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Headers without those of the status. `fetch` and proxies join repeats by commas, which base64 does not have.
pub(super) fn header_map(headers: &HeaderList) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.iter().count());
    for (name, value) in headers {
        if matches!(name, b"grpc-status" | b"grpc-message" | b"grpc-status-details-bin") {
            continue;
        }
        let is_binary = name.ends_with(b"-bin");
        let Ok(name) = HeaderName::from_bytes(name) else { continue };
        for part in value.split(|byte| is_binary && *byte == b',') {
            let Ok(value) = HeaderValue::from_bytes(part.trim_ascii()) else { continue };
            match map.entry(name.clone()) {
                Entry::Occupied(mut entry) => entry.append(value),
                Entry::Vacant(entry) => drop(entry.insert(value)),
            }
        }
    }
    map
}

/// The headers of an answer that is handed over before they are there: `encoding` is the one that there can be.
pub(super) fn set_encoding(headers: &mut HeaderMap, encoding: HeaderValue) {
    headers.insert(ENCODING, encoding);
}

/// The trailers of a call that ended with OK, as tonic wants to see them.
pub(super) fn ok_trailers(trailers: &HeaderList) -> HeaderMap {
    let mut map = header_map(trailers);
    map.insert(STATUS, HeaderValue::from_static("0"));
    map
}

/// The status with its details and metadata; ours is its source.
pub(super) fn tonic_status(status: Status, trailers: &HeaderList) -> tonic::Status {
    let details =
        trailers.first("grpc-status-details-bin").and_then(|text| base64::decode(text.trim_ascii()));
    let mut converted = tonic::Status::with_details_and_metadata(
        tonic::Code::from_i32(status.code as i32),
        status.message.as_str(),
        details.unwrap_or_default().into(),
        MetadataMap::from_headers(header_map(trailers)),
    );
    converted.set_source(Arc::new(status));
    converted
}
