//! How a call ends: a gRPC code, words for a person, and who is at fault. Details for a program are in the trailers: as
//! gRPC sends them, whatever the protocol.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// gRPC status codes (`grpc/grpc`, `doc/statuscodes.md`). There is no "unset": a call without a status is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    /// The call ended as it should.
    Ok = 0,
    /// The caller gave up.
    Cancelled = 1,
    /// No better code is known, or the peer sent one that gRPC does not have (see [`Fields::raw_code`]).
    Unknown = 2,
    /// The arguments can never be right, whatever the state of the system.
    InvalidArgument = 3,
    /// Time ran out before the end.
    DeadlineExceeded = 4,
    /// What was asked for is not there.
    NotFound = 5,
    /// What was to be made is already there.
    AlreadyExists = 6,
    /// Known caller, not allowed.
    PermissionDenied = 7,
    /// A quota or a limit: of the server, or of this client.
    ResourceExhausted = 8,
    /// The system's state does not allow it.
    FailedPrecondition = 9,
    /// A conflict; trying again at a higher level may help.
    Aborted = 10,
    /// Past the valid range.
    OutOfRange = 11,
    /// The server has no such method, or this runtime cannot carry such a call.
    Unimplemented = 12,
    /// Somebody broke the protocol.
    Internal = 13,
    /// Not reachable now; trying again later may help.
    Unavailable = 14,
    /// Data are lost for good.
    DataLoss = 15,
    /// Unknown caller.
    Unauthenticated = 16,
}

const CODES: [(Code, &str); 17] = [
    (Code::Ok, "OK"),
    (Code::Cancelled, "CANCELLED"),
    (Code::Unknown, "UNKNOWN"),
    (Code::InvalidArgument, "INVALID_ARGUMENT"),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (Code::NotFound, "NOT_FOUND"),
    (Code::AlreadyExists, "ALREADY_EXISTS"),
    (Code::PermissionDenied, "PERMISSION_DENIED"),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    (Code::FailedPrecondition, "FAILED_PRECONDITION"),
    (Code::Aborted, "ABORTED"),
    (Code::OutOfRange, "OUT_OF_RANGE"),
    (Code::Unimplemented, "UNIMPLEMENTED"),
    (Code::Internal, "INTERNAL"),
    (Code::Unavailable, "UNAVAILABLE"),
    (Code::DataLoss, "DATA_LOSS"),
    (Code::Unauthenticated, "UNAUTHENTICATED"),
];

impl Code {
    /// The code of a number on the wire; numbers that gRPC does not know are [`Code::Unknown`].
    pub fn from_wire(raw: i32) -> Self {
        usize::try_from(raw).ok().and_then(|i| CODES.get(i)).map_or(Self::Unknown, |(code, _)| *code)
    }

    /// The name that the specification gives it.
    pub fn name(self) -> &'static str {
        CODES[self as usize].1
    }

    /// The code of Connect's name for it: gRPC's own, but for `canceled`, and in lower case, which is not insisted on. OK
    /// has none.
    pub fn from_connect(name: &str) -> Option<Self> {
        let name = if name == "canceled" { "CANCELLED" } else { name };
        CODES[1..].iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(code, _)| *code)
    }

    /// The code that an HTTP status stands for where the service said none (`http-grpc-status-mapping.md`, and the
    /// same table in Connect's protocol reference).
    pub fn from_http(status: u16) -> Self {
        match status {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// The code that an HTTP/2 reset stands for (`PROTOCOL-HTTP2.md`, "Errors").
    pub fn from_reset(http2: u32) -> Self {
        match http2 {
            // REFUSED_STREAM, and our gateway's CONNECT_ERROR for an upstream that was lost.
            0x7 | 0xa => Self::Unavailable,
            0x8 => Self::Cancelled,
            0xb => Self::ResourceExhausted,
            0xc => Self::PermissionDenied,
            _ => Self::Internal,
        }
    }
}

/// Who is at fault for an end other than OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Nobody: the call ended with OK.
    None = 0,
    /// The server, or something that answers in its place, said so or broke the protocol.
    Peer = 1,
    /// The network, or what stands between.
    Transport = 2,
    /// The caller used the API against its contract.
    Misuse = 3,
    /// This side ended the call: cancel or deadline.
    Local = 4,
}

/// How a call ended; its [`Fields`] are its own. Made once per call and handed from layer to layer: in a box, handing
/// it on is one word, where the fields would be six at every step.
#[derive(Clone, PartialEq)]
pub struct Status(Box<Fields>);

/// What a [`Status`] says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// The code, as gRPC knows it.
    pub code: Code,
    /// The number on the wire: dubbo-go sends 17, which gRPC does not know.
    pub raw_code: i32,
    /// For a person.
    pub message: String,
    /// Who is at fault.
    pub fault: Fault,
}

impl Status {
    /// OK.
    pub fn ok() -> Self {
        Self::from_peer(0, String::new())
    }

    /// A status made on this side.
    pub fn new(code: Code, fault: Fault, message: impl Into<String>) -> Self {
        Self(Box::new(Fields { code, raw_code: code as i32, message: message.into(), fault }))
    }

    /// What the peer said, with the number as it came.
    pub fn from_peer(raw_code: i32, message: String) -> Self {
        let code = Code::from_wire(raw_code);
        let fault = if code == Code::Ok { Fault::None } else { Fault::Peer };
        Self(Box::new(Fields { code, raw_code, message, fault }))
    }

    /// The peer broke the protocol.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, Fault::Peer, message)
    }

    /// The caller broke the contract of the API.
    pub fn misuse(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Fault::Misuse, message)
    }

    /// Whether the code is OK.
    pub fn is_ok(&self) -> bool {
        self.code == Code::Ok
    }
}

impl Deref for Status {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl DerefMut for Status {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        f.write_str(": ")?;
        f.write_str(&self.message)
    }
}

/// The words of `Display` and the fault. The derived one escapes texts, by tables that take kilobytes in a page: an
/// error's `source` cannot be without it.
impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        f.write_str(" (fault: ")?;
        fmt::Debug::fmt(&self.fault, f)?;
        f.write_str(")")
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_at_its_own_number() {
        for (i, (code, name)) in CODES.iter().enumerate() {
            assert_eq!(*code as usize, i, "{name}");
            assert_eq!(Code::from_wire(i as i32), *code);
        }
    }

    #[test]
    fn numbers_that_grpc_does_not_know_are_unknown() {
        for raw in [17, 99, -1, i32::MIN, i32::MAX] {
            assert_eq!(Code::from_wire(raw), Code::Unknown, "{raw}");
        }
    }

    #[test]
    fn resets_map_as_grpc_says() {
        for (reset, code) in [
            (0x0, Code::Internal),
            (0x1, Code::Internal),
            (0x2, Code::Internal),
            (0x7, Code::Unavailable),
            (0x8, Code::Cancelled),
            (0xb, Code::ResourceExhausted),
            (0xc, Code::PermissionDenied),
            (4711, Code::Internal),
        ] {
            assert_eq!(Code::from_reset(reset), code, "{reset:#x}");
        }
    }
}
