//! What may be sent as user metadata (`PROTOCOL-HTTP2.md`, "Custom-Metadata"). The faces know `-bin` values as bytes; here
//! they are the base64 that they travel as.

use crate::status::{Code, Status};
use crate::words::{lossy, words};

/// Refuses what HTTP forbids and what the protocol itself sends.
pub fn check(name: &[u8], value: &[u8]) -> Result<(), Status> {
    let why = if !is_name(name) {
        NAMES
    } else if is_reserved(name) {
        "the protocol or the HTTP stack sends it itself"
    } else if !value.iter().all(|b| (0x20..=0x7e).contains(b)) {
        "its value is not printable ASCII: put bytes under a name that ends in -bin"
    } else {
        return Ok(());
    };
    Err(Status::misuse(Code::InvalidArgument, words!["metadata \"", lossy(name), "\" cannot be sent: ", why]))
}

/// What [`is_name`] demands.
pub(crate) const NAMES: &str = "names are made of a-z, 0-9, '-', '_' and '.'";

/// Whether HTTP takes it as a name everywhere.
pub(crate) fn is_name(name: &[u8]) -> bool {
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.iter().copied().all(token)
}

/// What `fetch` drops without a word (the forbidden request headers of the WHATWG standard), hop-by-hop headers, and
/// those of the protocols: refused on every transport, so that a call means the same on each.
fn is_reserved(name: &[u8]) -> bool {
    let begins = ["grpc-", "connect-", "sec-", "proxy-", "access-control-request-"];
    begins.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || RESERVED.as_bytes().split(|byte| *byte == b' ').any(|reserved| reserved == name)
}

/// One text, since a comparison with each of thirty literals is a kilobyte of code.
const RESERVED: &str = "accept accept-charset accept-encoding connection content-encoding content-length content-type \
    cookie cookie2 date dnt expect host keep-alive origin referer set-cookie te trailer transfer-encoding \
    tri-service-timeout triple-timeout-ms upgrade via x-grpc-web";
