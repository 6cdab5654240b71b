//! Headers across the border, as one text: names and values, a NUL behind each. `-bin` values are base64 on both sides.

use crate::codec::HeaderList;
use crate::metadata;
use crate::status::Status;

/// What the caller wants sent, if it may be.
pub(super) fn unpack(packed: &str) -> Result<HeaderList, Status> {
    let mut headers = HeaderList::new();
    let mut parts = packed.as_bytes().split(|byte| *byte == 0);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let name = String::from_utf8_lossy(name).into_owned();
        metadata::check(&name, value)?;
        headers.push((name, value.to_vec()));
    }
    Ok(headers)
}

/// What the peer sent.
pub(super) fn pack(headers: &HeaderList) -> Vec<u8> {
    let mut packed = Vec::new();
    for (name, value) in headers {
        for part in [name.as_bytes(), value] {
            packed.extend(part.iter().filter(|byte| **byte != 0));
            packed.push(0);
        }
    }
    packed
}
