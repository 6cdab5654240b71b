//! One stream from its open to its end.

use bytes::Bytes;

use super::{BUDGET, NOW, Pair, Told, answered, bytes, events, headers, opened, reset};
use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Event, Limits, OpenError, code};

#[test]
fn a_bidirectional_stream_from_open_to_trailers() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from_static(b"one"), false);
    assert_eq!(pair.client_speaks(), [opened(id, false), bytes(id, "one", false)]);

    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    pair.gateway.send_data(id, Bytes::from_static(b"hello one"), false);
    assert_eq!(pair.gateway_speaks(), [answered(id, false), bytes(id, "hello one", false)]);

    pair.client.send_data(id, Bytes::new(), true);
    assert_eq!(pair.client_speaks(), [bytes(id, "", true)]);

    pair.gateway.send_data(id, Bytes::from_static(b"bye"), false);
    pair.gateway.send_trailers(id, &headers(&[("grpc-status", "0")]));
    let trailers = Told::Other(Event::Trailers { id, headers: headers(&[("grpc-status", "0")]) });
    assert_eq!(pair.gateway_speaks(), [bytes(id, "bye", false), trailers]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn hello_open_body_and_half_close_leave_in_one_message() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from_static(b"all"), false);
    pair.client.send_data(id, Bytes::from_static(b" of it"), true);
    let message = pair.client.poll_transmit(BUDGET).expect("a message");
    assert_eq!(pair.client.poll_transmit(BUDGET), None);
    pair.gateway.handle_message(NOW, &message).expect("well-behaved");
    let told = events(&mut pair.gateway, &message);
    assert_eq!(told, [opened(id, false), bytes(id, "all of it", true)]);
}

#[test]
fn an_answer_without_a_body_is_one_frame() {
    let mut pair = Pair::new();
    let id = pair.open(true);
    assert_eq!(pair.client_speaks(), [opened(id, true)]);
    pair.gateway.send_headers(id, 200, &headers(&[]), true);
    assert_eq!(pair.gateway_speaks(), [answered(id, true)]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn data_waits_for_the_head_of_its_half() {
    let mut pair = Pair::new();
    let id = pair.open(true);
    pair.client_speaks();
    pair.gateway.send_data(id, Bytes::from_static(b"early"), true);
    assert_eq!(pair.gateway_speaks(), []);
    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    assert_eq!(pair.gateway_speaks(), [answered(id, false), bytes(id, "early", true)]);
}

#[test]
fn an_answer_that_ends_before_the_request_stops_the_request() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    pair.gateway.send_trailers(id, &headers(&[]));
    pair.gateway.reset(id, code::NO_ERROR, "as a relay might, too");
    let trailers = Told::Other(Event::Trailers { id, headers: headers(&[]) });
    assert_eq!(pair.gateway_speaks(), [answered(id, false), trailers, reset(id, code::NO_ERROR, "", true)]);

    pair.client.send_data(id, Bytes::from_static(b"late"), true);
    assert_eq!(pair.client_speaks(), []);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn a_reset_crosses_with_its_code_and_reason_and_drops_what_was_queued() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.client.send_data(id, Bytes::from_static(b"never sent"), false);
    pair.client.reset(id, code::CANCEL, "left the page");
    assert_eq!(pair.client_speaks(), [reset(id, code::CANCEL, "left the page", true)]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
    assert_eq!(events(&mut pair.client, &[]), []);
}

#[test]
fn both_sides_may_reset_at_once() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.client.reset(id, code::CANCEL, "");
    pair.gateway.reset(id, code::INTERNAL_ERROR, "");
    assert_eq!(pair.client_speaks(), []);
    assert_eq!(pair.gateway_speaks(), []);
}

#[test]
fn a_stream_whose_open_was_not_sent_vanishes_without_a_byte() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let gone = pair.open(false);
    let kept = pair.open(true);
    pair.client.reset(gone, code::CANCEL, "");
    assert_eq!(pair.client_speaks(), [opened(kept, true)]);
}

#[test]
fn headers_that_the_peer_does_not_take_are_not_sent() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let many: HeaderList = (0..500).map(|n| (format!("h{n}"), Vec::new())).collect();
    let Err(OpenError::TooLarge { size, limit: 16_384 }) = pair.client.open("POST", "/a", &many, true) else {
        panic!("500 headers count 16,000 bytes more than they have");
    };
    assert!(size > 500 * 32);
    assert_eq!(pair.client.open_streams(), 0);

    let (large, bad) = (pair.open(true), pair.open(true));
    pair.client_speaks();
    pair.gateway.send_headers(large, 200, &headers(&[("x", &"y".repeat(20_000))]), false);
    pair.gateway.send_headers(bad, 200, &headers(&[]), false);
    pair.gateway.send_trailers(bad, &headers(&[("Upper", "")]));
    let too_large = reset(
        large,
        code::ENHANCE_YOUR_CALM,
        "the response headers take 20038 bytes (each header counts 32 more), the client takes 16384",
        true,
    );
    let forbidden = "the trailers have a header name that is no lower-case HTTP token";
    let forbidden = reset(bad, code::INTERNAL_ERROR, forbidden, true);
    assert_eq!(events(&mut pair.gateway, &[]), [too_large, forbidden]);
    assert_eq!(pair.gateway_speaks().len(), 2);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn what_http_forbids_is_not_opened() {
    let mut pair = Pair::new();
    for (method, path, name, value) in [
        ("", "/a", "x", "y"),
        ("PO ST", "/a", "x", "y"),
        ("POST", "a", "x", "y"),
        ("POST", "/a b", "x", "y"),
        ("POST", "/a\r\n", "x", "y"),
        ("POST", "/a", "", "y"),
        ("POST", "/a", "X", "y"),
        ("POST", "/a", ":path", "y"),
        ("POST", "/a", "x", "a\nb"),
        ("POST", "/a", "x", "a\0b"),
    ] {
        let opened = pair.client.open(method, path, &headers(&[(name, value)]), true);
        assert!(matches!(opened, Err(OpenError::Invalid(_))), "{method:?} {path:?} {name:?} {value:?}");
    }
    assert_eq!(pair.client.open_streams(), 0);
    assert!(matches!(pair.gateway.open("POST", "/", &headers(&[]), true), Err(OpenError::Invalid(_))));
}
