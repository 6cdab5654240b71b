//! What gRPC and gRPC-Web share at the end of a call: the trailer block, `grpc-status`, `grpc-message`, and the HTTP
//! answers that stand in their place.

use super::HeaderList;
use crate::status::{Code, Fault, Status};
use crate::words::{lossy, words};

/// Reads a block of `name: value` lines as gRPC-Web's trailer frame and `grpc-websockets` carry it. Takes what peers
/// really send: bare `\n`, no blank after the colon, empty values, upper-case names, a blank line at the end.
pub fn parse_block(block: &[u8]) -> HeaderList {
    let mut headers = HeaderList::new();
    for line in block.split(|b| *b == b'\n') {
        if let Some(colon) = line.iter().position(|b| *b == b':') {
            let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
            headers.push(name.to_ascii_lowercase(), value);
        }
    }
    headers
}

/// Writes a block for the wire, lower-case names and `\r\n`.
pub fn write_block(headers: &HeaderList) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.extend_from_slice(name);
        block.extend_from_slice(b": ");
        block.extend_from_slice(value);
        block.extend_from_slice(b"\r\n");
    }
    block
}

/// The status that a list of headers or trailers carries; `None` where it has no `grpc-status`.
pub fn status(headers: &HeaderList) -> Option<Status> {
    let mut codes = headers.all("grpc-status");
    let code = codes.next()?;
    if codes.next().is_some() {
        return Some(Status::internal("the server sent grpc-status more than once"));
    }
    let message = headers.first("grpc-message").map(percent_decode).unwrap_or_default();
    let Some(raw) = parse_code(code) else {
        let text = lossy(code);
        let words = words!["the server sent grpc-status \"", text, "\", which is no number: ", message];
        return Some(Status::new(Code::Unknown, Fault::Peer, words));
    };
    Some(Status::from_peer(raw, message))
}

/// The status of an HTTP answer that is not the service's: the code by gRPC's table, which is Connect's too, the words by
/// what came and what it `lacks`.
pub fn http_status(http: u16, headers: &HeaderList, lacks: &str) -> Status {
    let kind = headers.first("content-type").map(lossy).unwrap_or_default();
    let cause = if http == 505 {
        ": the server takes such calls by another version of HTTP only, often HTTP/2"
    } else {
        ": something before the service may have answered in its place, or the path is not served"
    };
    let words = words![
        "the server answered HTTP ",
        http,
        if kind.is_empty() { "" } else { " with " },
        kind,
        " and no ",
        lacks,
        cause,
    ];
    Status::new(Code::from_http(http), Fault::Peer, words)
}

pub(super) fn parse_code(text: &[u8]) -> Option<i32> {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let number = parse_digits(digits, 10)? as i64;
    i32::try_from(if digits.len() < text.len() { -number } else { number }).ok()
}

/// A number of at most so many digits, all of which fit.
pub(super) fn parse_digits(digits: &[u8], most: usize) -> Option<u64> {
    if digits.is_empty() || digits.len() > most || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Decodes `%XX` where it is valid and leaves everything else as it is: a bad message never costs the status.
pub fn percent_decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| match error.as_bytes() {
        // dubbo-java sends its words as they are, in Latin-1.
        latin1 if !text.is_ascii() => latin1.iter().map(|byte| char::from(*byte)).collect(),
        broken => lossy(broken).into_owned(),
    })
}

/// Encodes a `grpc-message`: printable ASCII but `%` stays.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) && byte != b'%' {
            encoded.push(byte as char);
        } else {
            encoded.push('%');
            encoded.push(DIGITS[(byte >> 4) as usize] as char);
            encoded.push(DIGITS[(byte & 0xf) as usize] as char);
        }
    }
    encoded
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(block: &str) -> Option<Status> {
        status(&parse_block(block.as_bytes()))
    }

    /// Rows 6 to 9, 31 to 33 and 37 of the edge cases in `docs/wire.md`.
    #[test]
    fn blocks_as_peers_write_them() {
        let ok = Some(Status::ok());
        for block in [
            "grpc-status: 0\r\n",
            "grpc-status:0\r\n",
            "grpc-message:\r\ngrpc-status:0\r\n",
            "Grpc-Status: 0\n",
            "GRPC-STATUS:  0 \r\n\r\n",
            "x: a:b\r\ngrpc-status: 0",
        ] {
            assert_eq!(of(block), ok, "{block:?}");
        }
        assert_eq!(of(""), None);
        assert_eq!(of("grpc-message: lonely\r\n"), None);
        assert_eq!(of("no colon here\r\n"), None);
    }

    #[test]
    fn names_are_lower_case_values_keep_their_colons_and_repeats_stay() {
        let block = parse_block(b"X-Tag: a:b\r\nx-tag:c\r\nempty:\r\n");
        let expected = [("x-tag", "a:b"), ("x-tag", "c"), ("empty", "")];
        assert_eq!(block, HeaderList::from_iter(expected));
        assert_eq!(parse_block(&write_block(&block)), block);
    }

    #[test]
    fn a_number_that_grpc_does_not_know_is_unknown_and_keeps_number_and_message() {
        for raw in [17, 99, -1] {
            let status = of(&format!("grpc-status: {raw}\r\ngrpc-message: biz\r\n")).unwrap();
            assert_eq!((status.code, status.raw_code, status.message.as_str()), (Code::Unknown, raw, "biz"));
        }
        for text in ["abc", "", "99999999999"] {
            let status = of(&format!("grpc-status: {text}\r\ngrpc-message: biz\r\n")).unwrap();
            assert_eq!(status.code, Code::Unknown, "{text:?}");
            assert!(status.message.contains("biz") && status.message.contains(text));
        }
    }

    #[test]
    fn a_status_sent_twice_is_the_servers_fault() {
        let status = of("grpc-status: 0\r\ngrpc-status: 5\r\n").unwrap();
        assert_eq!((status.code, status.fault), (Code::Internal, Fault::Peer));
    }

    #[test]
    fn messages_are_percent_decoded_leniently() {
        let table = [
            ("100%25 gr%C3%BC%C3%9Ft", "100% grüßt"),
            ("50% off", "50% off"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("grüßt", "grüßt"),
            ("%ff", "\u{fffd}"),
        ];
        for (wire, text) in table {
            assert_eq!(percent_decode(wire.as_bytes()), text);
        }
        assert_eq!(percent_decode(b"100% gr\xfc\xdft"), "100% gr\u{fc}\u{df}t", "dubbo-java's Latin-1");
        assert_eq!(percent_decode(percent_encode("100% \"grüßt\"\n").as_bytes()), "100% \"grüßt\"\n");
    }
}
