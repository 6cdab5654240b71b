//! Base64, standard alphabet (RFC 4648 §4). Our own forty lines, because the usual crate's tables and engines are four
//! kilobytes of every page's download (`docs/sizes.md`).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes without padding, as gRPC sends metadata.
pub(crate) fn encode_unpadded(bytes: &[u8]) -> Vec<u8> {
    let mut text = encode(bytes);
    while text.last() == Some(&b'=') {
        text.pop();
    }
    text
}

/// Encodes for a URL (RFC 4648 §5), without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> Vec<u8> {
    let mut text = encode_unpadded(bytes);
    for byte in &mut text {
        *byte = match *byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => byte,
        };
    }
    text
}

/// Encodes with padding.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for piece in bytes.chunks(3) {
        let at = |i: usize| u32::from(piece.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let sextet = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= piece.len() { sextet } else { b'=' });
        }
    }
    text
}

/// Decodes, padded or not. `None` where a byte is not of the alphabet or the length is impossible.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    decode_into(text, &mut bytes).then_some(bytes)
}

/// Appends what `text` decodes to; `false` where it is no base64.
pub(crate) fn decode_into(text: &[u8], into: &mut Vec<u8>) -> bool {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    for quantum in text.chunks(4) {
        let mut bits = 0;
        for byte in quantum {
            let Some(sextet) = sextet(*byte) else { return false };
            bits = bits << 6 | u32::from(sextet);
        }
        bits <<= 6 * (4 - quantum.len());
        let whole = quantum.len() * 6 / 8;
        if whole == 0 {
            return false;
        }
        into.extend_from_slice(&bits.to_be_bytes()[1..1 + whole]);
    }
    true
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    #[test]
    fn the_usual_crate_agrees_on_everything() {
        proptest::proptest!(|(bytes: Vec<u8>)| {
            proptest::prop_assert_eq!(encode(&bytes), STANDARD.encode(&bytes).into_bytes());
            proptest::prop_assert_eq!(encode_unpadded(&bytes), STANDARD_NO_PAD.encode(&bytes).into_bytes());
            proptest::prop_assert_eq!(encode_url(&bytes), URL_SAFE_NO_PAD.encode(&bytes).into_bytes());
            proptest::prop_assert_eq!(decode(&encode(&bytes)), Some(bytes.clone()));
            proptest::prop_assert_eq!(decode(&encode_unpadded(&bytes)), Some(bytes));
        });
    }

    #[test]
    fn what_is_no_base64_is_none() {
        for bad in ["A", "AAAAA", "A===", "=AAA", "AA=A", "AA!A", "AA A", "====", "-_AA"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decode(b""), Some(vec![]));
    }
}
