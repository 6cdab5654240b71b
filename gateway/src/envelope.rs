//! Watches the gRPC envelopes of an upload go by: none larger than allowed, none cut off, nothing else in between.

use crate::status::{Code, Status};

/// Follows `[flag u8][length u32]` prefixes through chunks of any size; holds five bytes, never a message.
#[derive(Debug)]
pub(crate) struct Envelopes {
    max: u32,
    prefix: [u8; 5],
    prefix_len: usize,
    /// Bytes of the current message that are still to come.
    rest: usize,
}

impl Envelopes {
    pub(crate) fn new(max: u32) -> Self {
        Self { max, prefix: [0; 5], prefix_len: 0, rest: 0 }
    }

    /// Refuses a message as soon as its prefix declares it too large.
    pub(crate) fn check(&mut self, mut chunk: &[u8]) -> Result<(), Status> {
        while !chunk.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(chunk.len());
                self.rest -= skipped;
                chunk = &chunk[skipped..];
            } else {
                self.prefix[self.prefix_len] = chunk[0];
                self.prefix_len += 1;
                chunk = &chunk[1..];
                if self.prefix_len == 5 {
                    self.begin_message()?;
                }
            }
        }
        Ok(())
    }

    /// An upload that ends inside a message was cut: it must not look like a clean half-close.
    pub(crate) fn finish(&self) -> Result<(), Status> {
        if self.prefix_len == 0 && self.rest == 0 {
            return Ok(());
        }
        let missing = if self.rest > 0 { self.rest } else { 5 - self.prefix_len };
        Err(Status::new(
            Code::InvalidArgument,
            format!(
                "the client's request ended inside a message: at least {missing} more bytes were announced"
            ),
        ))
    }

    fn begin_message(&mut self) -> Result<(), Status> {
        let [flags, a, b, c, d] = self.prefix;
        // The lowest bit is "compressed"; gRPC has no other.
        if flags > 1 {
            return Err(Status::new(
                Code::InvalidArgument,
                format!(
                    "the client sent a message with the flags {flags:#04x}, which gRPC does not know; base64 needs the \
                     content type application/grpc-web-text"
                ),
            ));
        }
        let length = u32::from_be_bytes([a, b, c, d]);
        if length > self.max {
            return Err(Status::new(
                Code::ResourceExhausted,
                format!(
                    "the client sent a message of {length} bytes, the gateway takes {} (--max-message-bytes)",
                    self.max
                ),
            ));
        }
        self.prefix_len = 0;
        self.rest = length as usize;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_messages_pass_at_any_cut() {
        let bytes = b"\0\0\0\0\x03abc\0\0\0\0\0\x01\0\0\0\x01z";
        for size in 1..=bytes.len() {
            let mut envelopes = Envelopes::new(3);
            bytes.chunks(size).for_each(|chunk| envelopes.check(chunk).unwrap());
            envelopes.finish().unwrap();
        }
    }

    #[test]
    fn the_largest_declared_length_is_refused_at_its_prefix() {
        let status = Envelopes::new(1000).check(b"\0\xff\xff\xff\xff").unwrap_err();
        assert_eq!(status.code, Code::ResourceExhausted);
        assert!(status.message.contains("4294967295"), "{}", status.message);
    }

    #[test]
    fn flags_that_grpc_does_not_know_are_refused() {
        for flags in [2, 0x80, 0x81, b'A'] {
            let status = Envelopes::new(1000).check(&[flags, 0, 0, 0, 0]).unwrap_err();
            assert_eq!(status.code, Code::InvalidArgument);
            assert!(status.message.contains(&format!("{flags:#04x}")), "{}", status.message);
        }
    }

    #[test]
    fn an_end_inside_prefix_or_message_is_a_cut() {
        for cut in [&b"\0"[..], b"\0\0\0\0", b"\0\0\0\0\x03", b"\0\0\0\0\x03ab"] {
            let mut envelopes = Envelopes::new(10);
            envelopes.check(cut).unwrap();
            assert_eq!(envelopes.finish().unwrap_err().code, Code::InvalidArgument);
        }
    }
}
