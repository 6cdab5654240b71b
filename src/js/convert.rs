//! Rust ⇄ JS for metadata, statuses and messages.

use wasm_bindgen::JsCast as _;

use crate::transport::builtins::{Array, Uint8Array, Uint32Array};

use crate::codec::HeaderList;
use crate::codec::envelope::Payload;
use crate::metadata::{self, Metadata, Value};
use crate::status::{Detail, Status};
use crate::transport::Chunk;

/// `[name, value, name, value, …]` to headers; values are strings or `Uint8Array`s.
pub(super) fn metadata_from_js(flat: &Array) -> Result<HeaderList, Status> {
    let mut entries = Metadata::new();
    for i in (0..flat.length()).step_by(2) {
        let value = flat.get(i + 1);
        let value = match value.as_string() {
            Some(text) => Value::Text(text),
            None => Value::Binary(value.unchecked_into::<Uint8Array>().to_vec()),
        };
        entries.push((flat.get(i).as_string().unwrap_or_default(), value));
    }
    let mut headers = HeaderList::with_capacity(entries.len());
    metadata::encode(entries, &mut headers)?;
    Ok(headers)
}

/// Headers to `[name, value, name, value, …]`.
pub(super) fn metadata_to_js(headers: &HeaderList) -> Array {
    let flat = Array::new();
    for (name, value) in metadata::decode(headers) {
        flat.push(&name.into());
        flat.push(&match value {
            Value::Text(text) => text.into(),
            Value::Binary(bytes) => Uint8Array::new(bytes.as_slice()).into(),
        });
    }
    flat
}

/// `[code, raw code, message, fault]`.
pub(super) fn status_to_js(status: &Status) -> Array {
    Array::of4(
        &(status.code as u8).into(),
        &status.raw_code.into(),
        &status.message.as_str().into(),
        &(status.fault as u8).into(),
    )
}

/// `[type URL, bytes, …]`.
pub(super) fn details_to_js(details: &[Detail]) -> Array {
    let flat = Array::new();
    for detail in details {
        flat.push(&detail.type_url.as_str().into());
        flat.push(&Uint8Array::new(detail.value.as_slice()).into());
    }
    flat
}

/// Messages as they are handed over: those that had to be joined, in full, and those that lie in the buffer, as
/// `offset, length, …`. Where there are both, the joined one came first.
pub(super) fn messages_to_js(chunk: Option<Chunk<'_>>, messages: &[Payload]) -> (Array, Uint32Array) {
    let joined = Array::new();
    let mut spans = Vec::with_capacity(messages.len() * 2);
    for message in messages {
        match (message, chunk) {
            (Payload::Joined(bytes), _) => drop(joined.push(&Uint8Array::new(bytes.as_slice()))),
            (Payload::InChunk(range), Some(chunk)) => {
                spans.extend([(chunk.offset + range.start) as u32, range.len() as u32]);
            }
            // Only a chunk gives such a payload.
            (Payload::InChunk(_), None) => {}
        }
    }
    (joined, Uint32Array::new(spans.as_slice()))
}
