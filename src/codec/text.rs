//! `application/grpc-web-text`: base64 over the whole stream, padded wherever the sender flushed.

use crate::base64;

/// Whether this build reads and writes it.
pub(super) const IS_BUILT: bool = cfg!(feature = "grpc-web-text");

/// Decodes base64 that comes in any chunking, with padding anywhere and blanks between.
#[derive(Debug, Default)]
pub struct TextDecoder {
    quantum: [u8; 4],
    got: usize,
}

/// A byte that base64 does not have, or padding where none may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBase64(pub u8);

impl TextDecoder {
    /// Appends what `text` decodes to.
    pub fn decode(&mut self, text: &[u8], into: &mut Vec<u8>) -> Result<(), NotBase64> {
        into.reserve(text.len() / 4 * 3 + 3);
        for &byte in text.iter().filter(|b| !b.is_ascii_whitespace()) {
            self.quantum[self.got] = byte;
            self.got += 1;
            if self.got == 4 {
                self.got = 0;
                if !base64::decode_into(&self.quantum, into) {
                    return Err(NotBase64(byte));
                }
            }
        }
        Ok(())
    }

    /// Whether the text may end here: not inside a quantum of four.
    pub fn is_whole(&self) -> bool {
        self.got == 0
    }
}

/// Encodes one piece, padded: pieces may stand one after the other.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    base64::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_in_the_middle_blanks_and_any_cut() {
        let text = [encode(b"a"), b"\r\n".to_vec(), encode(b"bc"), encode(b"def"), encode(b"")].concat();
        for cut in 0..=text.len() {
            let mut decoder = TextDecoder::default();
            let mut bytes = Vec::new();
            decoder.decode(&text[..cut], &mut bytes).unwrap();
            decoder.decode(&text[cut..], &mut bytes).unwrap();
            assert_eq!(bytes, b"abcdef", "cut at {cut}");
            assert!(decoder.is_whole());
        }
    }

    #[test]
    fn what_is_no_base64_is_an_error_and_an_open_quantum_is_seen() {
        let mut decoder = TextDecoder::default();
        assert!(decoder.decode(b"AA!A", &mut Vec::new()).is_err());
        let mut decoder = TextDecoder::default();
        assert!(decoder.decode(b"=AAA", &mut Vec::new()).is_err());
        let mut decoder = TextDecoder::default();
        decoder.decode(b"AAA", &mut Vec::new()).unwrap();
        assert!(!decoder.is_whole());
    }
}
