//! Why a stream or the connection ended: the numbers of HTTP/2 (RFC 9113 §7), so that those of an upstream pass
//! as they are.

/// Ended without an error; after a complete answer: nobody wants the rest of the request.
pub const NO_ERROR: u32 = 0x0;
/// A frame, header or order of frames that the wire forbids.
pub const PROTOCOL_ERROR: u32 = 0x1;
/// The fault of whoever sends it.
pub const INTERNAL_ERROR: u32 = 0x2;
/// More DATA than the window allowed, or a window above 2^31-1.
pub const FLOW_CONTROL_ERROR: u32 = 0x3;
/// A frame on a half that had ended.
pub const STREAM_CLOSED: u32 = 0x5;
/// A frame larger, or of another size, than the wire allows.
pub const FRAME_SIZE_ERROR: u32 = 0x6;
/// Nothing of the stream reached the upstream: safe to try again.
pub const REFUSED_STREAM: u32 = 0x7;
/// Nobody wants the answer any more.
pub const CANCEL: u32 = 0x8;
/// The connection below was lost.
pub const CONNECT_ERROR: u32 = 0xa;
/// A limit was passed.
pub const ENHANCE_YOUR_CALM: u32 = 0xb;
