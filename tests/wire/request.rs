//! What a request says of itself.

use std::time::Duration;

use tidewire::codec::{HeaderList, Messages, Protocol, timeout};
use tidewire::status::{Code, Fault};

use super::replay::{ALL, MAX_MESSAGE, Wire};

fn request(wire: Wire, timeout: Option<Duration>) -> HeaderList {
    wire.protocol().request_headers(timeout)
}

fn value(headers: &HeaderList, name: &str) -> String {
    String::from_utf8_lossy(headers.first(name).unwrap_or(b"-")).into_owned()
}

#[test]
fn row_25_a_request_asks_for_the_dialect_that_it_speaks() {
    let table = [
        (Wire::Native, "application/grpc", "-"),
        (Wire::Binary, "application/grpc-web+proto", "application/grpc-web+proto"),
        (Wire::Text, "application/grpc-web-text+proto", "application/grpc-web-text+proto"),
        (Wire::Sockets, "application/grpc-web+proto", "application/grpc-web+proto"),
    ];
    for (wire, content_type, accept) in table {
        let headers = request(wire, None);
        assert_eq!(value(&headers, "content-type"), content_type, "{wire:?}");
        assert_eq!(value(&headers, "accept"), accept, "{wire:?}");
        assert_eq!(value(&headers, "x-grpc-web") == "1", wire != Wire::Native);
        assert_eq!(value(&headers, "te") == "trailers", wire == Wire::Native);
    }
}

fn in_json(wire: Wire) -> Box<dyn Protocol> {
    wire.protocol_of(Messages { subtype: "json".into(), ..Messages::new(MAX_MESSAGE) })
}

#[test]
fn row_25_a_format_other_than_protobuf_is_named_and_expected() {
    let table = [
        (Wire::Native, "application/grpc+json", "application/grpc+proto"),
        (Wire::Binary, "application/grpc-web+json", "application/grpc-web+proto"),
        (Wire::Text, "application/grpc-web-text+json", "application/grpc-web-text+proto"),
        (Wire::Connect, "application/connect+json", "application/connect+proto"),
        (Wire::ConnectUnary, "application/json", "application/proto"),
        (Wire::Triple, "application/json", "application/proto"),
    ];
    for (wire, asked, other) in table {
        let answered = |kind: &str| {
            let mut headers = HeaderList::from_iter([("content-type", kind)]);
            in_json(wire).handle_headers(200, &mut headers)
        };
        assert_eq!(value(&in_json(wire).request_headers(None), "content-type"), asked);
        answered(asked).unwrap();
        let refused = answered(other).unwrap_err();
        assert_eq!((refused.code, refused.fault), (Code::Internal, Fault::Peer), "{other} on {wire:?}");
    }
    // gRPC may leave the format out.
    for (wire, kind) in [(Wire::Native, "application/grpc"), (Wire::Binary, "application/grpc-web")] {
        let mut headers = HeaderList::from_iter([("content-type", kind)]);
        in_json(wire).handle_headers(200, &mut headers).unwrap();
    }
}

#[test]
fn row_25_a_message_goes_out_as_the_dialect_wraps_it() {
    assert_eq!(Wire::Native.protocol().encode(b"abc", false), b"\0\0\0\0\x03abc");
    assert_eq!(Wire::Binary.protocol().encode(b"abc", false), b"\0\0\0\0\x03abc");
    assert_eq!(Wire::Sockets.protocol().encode(b"abc", false), b"\0\0\0\0\x03abc");
    assert_eq!(Wire::Text.protocol().encode(b"abc", false), b"AAAAAANhYmM=");
    assert_eq!(Wire::Text.protocol().encode(b"", false), b"AAAAAAA=");
}

#[test]
fn row_40_a_deadline_goes_out_in_the_grammar_rounded_up() {
    let table = [
        (Duration::from_millis(1), "1000000n"),
        (Duration::from_secs(1), "1000000u"),
        (Duration::from_nanos(100_000_001), "100001u"),
        (Duration::from_secs(200_000), "200000S"),
        (Duration::from_millis(200_000_000_001), "3333334M"),
        // Just past what 64 bits of nanoseconds hold.
        (Duration::new(18_446_745_600, 1), "5124097H"),
        (Duration::from_secs(u64::MAX), "99999999H"),
    ];
    for wire in ALL {
        for (asked, header) in table {
            let sent = value(&request(wire, Some(asked)), "grpc-timeout");
            assert_eq!(sent, header, "{asked:?} on {wire:?}");
        }
        assert_eq!(value(&request(wire, None), "grpc-timeout"), "-");
    }
}

#[test]
fn row_40_no_deadline_is_cut_short_on_its_way() {
    proptest::proptest!(|(seconds in 0..350_000_000_000u64, nanos in 0..1_000_000_000u32)| {
        let asked = Duration::new(seconds, nanos);
        let sent = value(&request(Wire::Binary, Some(asked)), "grpc-timeout");
        proptest::prop_assert!(sent.len() <= 9);
        proptest::prop_assert!(timeout::decode_grpc(sent.as_bytes()).unwrap() >= asked);
    });
}
