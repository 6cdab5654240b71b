//! Compressed messages (gRPC's `compression.md`): what a call offers and does, what the answer's headers allow, and what
//! cannot be inflated. The bytes themselves are the platform's to inflate and to deflate.

use super::HeaderList;
use crate::status::{Code, Fault, Status};
use crate::words::{lossy, words};

/// Whether this build inflates and deflates. Without it nothing is asked for, and what comes compressed is refused.
pub(crate) const IS_BUILT: bool = cfg!(feature = "gzip");

/// The bit of an envelope's flags that says: compressed.
pub const COMPRESSED: u8 = 1;

/// What a call wants of gzip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    /// The peer may compress what it sends.
    pub accept: bool,
    /// What we send is compressed.
    pub send: bool,
}

/// Why there are no inflated bytes: they would be more than the limit, or it is not one whole of gzip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Inflating stopped at the limit.
    pub too_large: bool,
    /// The platform's words, which name what came: "100 bytes of gzip become more than 3000".
    pub words: String,
}

impl Unfit {
    pub(crate) fn status(self) -> Status {
        let (code, cure) = if self.too_large {
            let cure =
                ", as many as are taken here: raise maxReceiveMessageBytes, or have it send less at once";
            (Code::ResourceExhausted, cure)
        } else {
            (Code::Internal, "")
        };
        Status::new(code, Fault::Peer, words!["the server sent ", self.words, cure])
    }
}

/// The headers of an encoding: that which names it, and that which offers to take it.
pub(super) type Names = (&'static str, &'static str);

pub(super) const GRPC: &Names = &("grpc-encoding", "grpc-accept-encoding");
pub(super) const CONNECT: &Names = &("connect-content-encoding", "connect-accept-encoding");
pub(super) const HTTP: &Names = &("content-encoding", "accept-encoding");

/// What was asked for, and what the answer's headers say of its messages.
#[derive(Debug)]
pub(super) struct Encoding {
    pub(super) asked: Compression,
    names: &'static Names,
    /// The answer's own word, as it came.
    pub(super) named: Vec<u8>,
    /// The bits of flags that can be undone.
    undone: u8,
}

impl Encoding {
    pub(super) fn new(asked: Compression, names: &'static Names) -> Self {
        Self { asked, names, named: Vec::new(), undone: 0 }
    }

    /// What the request's headers say.
    pub(super) fn offer(&self) -> (Compression, &'static Names) {
        (self.asked, self.names)
    }

    /// The answer's headers came.
    pub(super) fn handle_headers(&mut self, headers: &HeaderList) {
        self.named = headers.first(self.names.0).unwrap_or_default().to_vec();
        // Servers take whoever sends gzip for one who reads it.
        if IS_BUILT && (self.asked.accept || self.asked.send) && self.named == b"gzip" {
            self.undone = COMPRESSED;
        }
    }

    /// Whether these flags can be read; `known`: the bits that the dialect has besides.
    pub(super) fn has(&self, flags: u8, known: u8) -> bool {
        flags & !(known | self.undone) == 0
    }

    /// The words for what has the flag and cannot be inflated.
    pub(super) fn refusal(&self) -> Status {
        let named = lossy(&self.named);
        let (why, what, cure) = match &*named {
            _ if !self.asked.accept && !self.asked.send => {
                (", though this call did not offer to take any: set acceptCompression", "", "")
            }
            "" | "identity" => (
                " and named no encoding, or CORS hides it (the server must list ",
                self.names.0,
                " in Access-Control-Expose-Headers)",
            ),
            other => (" in \"", other, "\"; this call takes gzip"),
        };
        let words = words!["the server sent a compressed message", why, what, cure];
        Status::internal(words)
    }
}
