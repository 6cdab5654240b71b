//! User metadata ⇄ HTTP headers: ASCII values as they are, `-bin` values as base64 (`PROTOCOL-HTTP2.md`,
//! "Custom-Metadata").

use crate::base64;
use crate::codec::HeaderList;
use crate::status::{Code, Status};
use crate::words::words;

/// One metadata value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Printable ASCII.
    Text(String),
    /// Bytes, under a name that ends in `-bin`.
    Binary(Vec<u8>),
}

/// Names and values in order, repeats kept.
pub type Metadata = Vec<(String, Value)>;

/// Turns user metadata into headers. Refuses what HTTP forbids and what the protocol itself sends.
pub fn encode(metadata: Metadata, into: &mut HeaderList) -> Result<(), Status> {
    for (name, value) in metadata {
        check_name(&name)?;
        let value = match (value, name.ends_with("-bin")) {
            (Value::Text(text), false) => check_text(&name, text)?.into_bytes(),
            (Value::Binary(bytes), true) => base64::encode_unpadded(&bytes),
            (Value::Text(_), true) => return Err(refused(&name, "names that end in -bin take bytes")),
            (Value::Binary(_), false) => return Err(refused(&name, "bytes need a name that ends in -bin")),
        };
        into.push((name, value));
    }
    Ok(())
}

/// Turns headers or trailers into user metadata. What carries the status is left out; a `-bin` value that is no
/// base64 is left out too, since nothing else in the block may be lost for it.
pub fn decode(headers: &HeaderList) -> Metadata {
    let mut metadata = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        if matches!(name.as_str(), "grpc-status" | "grpc-message" | "grpc-status-details-bin") {
            continue;
        }
        if name.ends_with("-bin") {
            // Proxies and `fetch` join repeats by commas, which base64 does not have.
            for part in value.split(|b| *b == b',') {
                if let Some(bytes) = base64::decode(part.trim_ascii()) {
                    metadata.push((name.clone(), Value::Binary(bytes)));
                }
            }
        } else {
            metadata.push((name.clone(), Value::Text(String::from_utf8_lossy(value).into_owned())));
        }
    }
    metadata
}

/// What [`is_name`] demands.
pub(crate) const NAMES: &str = "names are made of a-z, 0-9, '-', '_' and '.'";

/// Whether HTTP takes it as a name everywhere.
pub(crate) fn is_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.bytes().all(token)
}

fn check_name(name: &str) -> Result<(), Status> {
    if !is_name(name) {
        return Err(refused(name, NAMES));
    }
    if is_reserved(name) {
        return Err(refused(name, "the protocol or the HTTP stack sends it itself"));
    }
    Ok(())
}

/// Refuses a header of user metadata that is encoded already.
#[cfg(all(target_family = "wasm", feature = "channel"))]
pub(crate) fn check(name: &str, value: &[u8]) -> Result<(), Status> {
    check_name(name)?;
    check_text(name, String::from_utf8_lossy(value).into_owned()).map(drop)
}

fn check_text(name: &str, text: String) -> Result<String, Status> {
    if !text.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
        return Err(refused(
            name,
            "its value is not printable ASCII: put bytes under a name that ends in -bin",
        ));
    }
    Ok(text)
}

/// What `fetch` drops without a word (the forbidden request headers of the WHATWG standard), hop-by-hop headers, and
/// those of the protocols: refused on every transport, so that a call means the same on each.
fn is_reserved(name: &str) -> bool {
    let begins = ["grpc-", "connect-", "sec-", "proxy-", "access-control-request-"];
    begins.iter().any(|prefix| name.starts_with(prefix))
        || RESERVED.as_bytes().split(|byte| *byte == b' ').any(|reserved| reserved == name.as_bytes())
}

/// One text, since a comparison with each of thirty literals is a kilobyte of code.
const RESERVED: &str = "accept accept-charset accept-encoding connection content-encoding content-length content-type \
    cookie cookie2 date dnt expect host keep-alive origin referer set-cookie te trailer transfer-encoding \
    tri-service-timeout triple-timeout-ms upgrade via x-grpc-web";

fn refused(name: &str, why: &str) -> Status {
    Status::misuse(Code::InvalidArgument, words!["metadata \"", name, "\" cannot be sent: ", why])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(name: &str, value: Value) -> Result<Vec<u8>, Status> {
        let mut headers = HeaderList::new();
        encode(vec![(name.into(), value)], &mut headers)?;
        Ok(headers.remove(0).1)
    }

    fn received(name: &str, value: &str) -> Vec<Value> {
        decode(&vec![(name.into(), value.into())]).into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn bytes_go_out_as_unpadded_base64() {
        assert_eq!(sent("trace-bin", Value::Binary(vec![0xff, 0])).unwrap(), b"/wA");
    }

    #[test]
    fn base64_comes_in_padded_unpadded_and_comma_joined() {
        let (a, b) = (Value::Binary(vec![0xff, 0]), Value::Binary(vec![1]));
        assert_eq!(received("t-bin", "/wA"), std::slice::from_ref(&a));
        assert_eq!(received("t-bin", "/wA="), std::slice::from_ref(&a));
        assert_eq!(received("t-bin", "/wA=,AQ, /wA"), [a.clone(), b, a]);
        assert_eq!(received("t-bin", ""), [Value::Binary(vec![])]);
    }

    #[test]
    fn one_bad_base64_value_does_not_hide_the_others() {
        let headers = vec![("x-bin".into(), b"!!".to_vec()), ("y".into(), b"1".to_vec())];
        assert_eq!(decode(&headers), [("y".into(), Value::Text("1".into()))]);
    }

    #[test]
    fn raw_utf8_and_broken_utf8_are_read_leniently() {
        assert_eq!(received("who", "grüßt"), [Value::Text("grüßt".into())]);
        assert_eq!(decode(&vec![("w".into(), vec![b'a', 0xff])])[0].1, Value::Text("a\u{fffd}".into()));
    }

    #[test]
    fn what_http_forbids_and_what_the_protocol_sends_is_refused_by_name() {
        for name in
            ["", "Upper", "sp ace", "grpc-timeout", "te", "content-type", ":path", "host", "cookie", "ü"]
        {
            let status = sent(name, Value::Text("1".into())).unwrap_err();
            assert_eq!(status.code, Code::InvalidArgument, "{name}");
            assert!(status.message.contains(name));
        }
        for text in ["line\r\nbreak", "grüßt", "\0"] {
            assert_eq!(sent("x", Value::Text(text.into())).unwrap_err().code, Code::InvalidArgument);
        }
    }

    #[test]
    fn text_and_bytes_are_not_mixed_up() {
        assert!(sent("x-bin", Value::Text("/wA".into())).unwrap_err().message.contains("take bytes"));
        assert!(sent("x", Value::Binary(vec![1])).unwrap_err().message.contains("-bin"));
    }
}
