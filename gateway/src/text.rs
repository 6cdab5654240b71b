//! gRPC-Web-Text: base64 in pieces of any size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::status::{Code, Status};

/// Decodes group by group; padding may stand in the middle, where a sender flushed.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The begin of a group of four.
    held: Vec<u8>,
}

impl Decoder {
    pub(crate) fn decode(&mut self, chunk: &[u8]) -> Result<Bytes, Status> {
        let mut out = Vec::with_capacity(chunk.len() / 4 * 3 + 3);
        let text: Vec<u8> = std::mem::take(&mut self.held)
            .into_iter()
            .chain(chunk.iter().copied().filter(|byte| !byte.is_ascii_whitespace()))
            .collect();
        let whole = text.len() / 4 * 4;
        for run in runs(&text[..whole]) {
            let decoded = STANDARD.decode(run).map_err(|error| {
                Status::new(Code::InvalidArgument, format!("the client sent invalid base64: {error}"))
            })?;
            out.extend_from_slice(&decoded);
        }
        self.held = text[whole..].to_vec();
        Ok(out.into())
    }

    pub(crate) fn finish(&self) -> Result<(), Status> {
        if self.held.is_empty() {
            return Ok(());
        }
        Err(Status::new(
            Code::InvalidArgument,
            format!("the client's base64 ended {} characters into a group of 4", self.held.len()),
        ))
    }
}

/// Encodes one piece by itself, padded: it must reach the reader now, not with the next piece.
pub(crate) fn encode(piece: &[u8]) -> Bytes {
    STANDARD.encode(piece).into()
}

/// Cuts after each padded group.
fn runs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.chunks(4).position(|group| group.ends_with(b"=")).map_or(rest.len(), |at| at * 4 + 4);
        let (run, tail) = rest.split_at(end);
        rest = tail;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_decodes_alike_with_padding_in_the_middle() {
        let mut text = encode(b"a").to_vec();
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&encode(b"bc"));
        text.extend_from_slice(&encode(b"defghi"));
        for size in 1..=text.len() {
            let mut decoder = Decoder::default();
            let decoded: Vec<u8> =
                text.chunks(size).flat_map(|chunk| decoder.decode(chunk).unwrap()).collect();
            assert_eq!(decoded, b"abcdefghi", "in pieces of {size}");
            decoder.finish().unwrap();
        }
    }

    #[test]
    fn what_is_not_base64_is_the_clients_fault() {
        assert!(Decoder::default().decode(b"AA*A").unwrap_err().message.contains("client"));
        let mut decoder = Decoder::default();
        decoder.decode(b"AAAAA").unwrap();
        assert_eq!(decoder.finish().unwrap_err().code, Code::InvalidArgument);
    }
}
