//! What Dubbo's Triple has of its own, whatever it is spoken in: native gRPC, or its bare form, which is
//! [`bare`](super::bare). Its routing, `tri-service-version` and `tri-service-group`, is metadata.

use std::time::Duration;

use super::{HeaderList, timeout};
use crate::status::Code;

/// Adds Triple's timeout headers: dubbo-java and dubbo-js read the first, dubbo-go the second, each on the bare form.
pub fn push_timeout(timeout: Duration, headers: &mut HeaderList) {
    let millis = timeout::encode_millis(timeout);
    for name in ["tri-service-timeout", "triple-timeout-ms"] {
        headers.push(name, &millis);
    }
}

/// What a call to a Dubbo server may have met that is lost before any answer.
pub const LOST: &str =
    "; dubbo-go v3.2.0-rc2 hangs up where it has no such tri-service-group or tri-service-version";

/// The code of an error in JSON that names none, as dubbo-java's do: its HTTP status is what is left of the code.
pub fn code_from_http(http: u16) -> Code {
    match http {
        400 => Code::InvalidArgument,
        404 => Code::NotFound,
        408 | 504 => Code::DeadlineExceeded,
        429 => Code::ResourceExhausted,
        499 => Code::Cancelled,
        501 => Code::Unimplemented,
        _ => Code::from_http(http),
    }
}
