//! The peer ends while we are still sending: sends stop, its word stands.

use tidewire::call::{Event, Transmit};
use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{START, bidi, client_stream, has};

#[test]
fn with_ok_in_the_middle_of_our_stream() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.send("a");
        pair.peer.expects_message("a");
        pair.peer.replies("enough");
        pair.peer.ends(&[("grpc-status", "0"), ("greeted", "1")]);
        pair.peer.expects_done();
        pair.client.cannot_send("after the end");
        pair.client.receives("enough");
        pair.client.ends(Code::Ok).by(Fault::None).with_trailer("greeted", "1");
        pair.is_over();
    }
}

#[test]
fn with_an_error_and_its_words() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.send("a");
        pair.peer.expects_message("a");
        pair.peer
            .ends(&[("grpc-status", "9"), ("grpc-message", "asked to fail: 100%25 \"gr%C3%BC%C3%9Ft\"")]);
        pair.peer.expects_done();
        pair.client.ends(Code::FailedPrecondition).by(Fault::Peer).says("asked to fail: 100% \"grüßt\"");
        pair.is_over();
    }
}

#[test]
fn messages_before_an_error_are_delivered_first() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        pair.peer.replies("b");
        pair.peer.ends(&[("grpc-status", "13")]);
        pair.peer.expects_done();
        pair.client.receives("a");
        pair.client.receives("b");
        pair.client.ends(Code::Internal);
    }
}

#[test]
fn with_its_one_reply_before_we_half_close() {
    for pair in client_stream().on_every_wire() {
        pair.talks();
        pair.client.send("a");
        pair.peer.expects_message("a");
        pair.peer.replies("enough, a");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.receives("enough, a");
        pair.client.ends(Code::Ok);
        pair.is_over();
    }
}

#[test]
fn at_once_with_a_status_in_the_headers() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        let trailers =
            [("grpc-status", "16"), ("grpc-message", "who are you"), ("www-authenticate", "Bearer")];
        pair.peer.answers_trailers_only(&trailers);
        pair.peer.expects_done();
        let headers = pair.client.receives_headers();
        assert!(has(&headers, "www-authenticate", "Bearer"), "{headers:?}");
        pair.client
            .ends(Code::Unauthenticated)
            .by(Fault::Peer)
            .says("who are you")
            .with_trailer("www-authenticate", "Bearer");
        pair.is_over();
    }
}

#[test]
fn with_a_number_that_grpc_does_not_know() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.ends(&[("grpc-status", "17"), ("grpc-message", "business")]);
        pair.peer.expects_done();
        let ending = pair.client.ends(Code::Unknown).by(Fault::Peer).says("business");
        assert_eq!(ending.status.raw_code, 17);
    }
}

#[test]
fn with_details_for_a_program() {
    // Those of Connect are JSON: `tests/wire/connect.rs`.
    for pair in bidi().on_every_wire().filter(|pair| pair.peer.wire != Wire::Connect) {
        pair.talks();
        // google.rpc.Status { code: 5, message: "m", details: [Any { type_url: "t", value: [1] }] }
        let details = "CAUSAW0aBgoBdBIBAQ";
        pair.peer.ends(&[("grpc-status", "5"), ("grpc-status-details-bin", details)]);
        pair.peer.expects_done();
        pair.client.ends(Code::NotFound).with_trailer("grpc-status-details-bin", details);
    }
}

#[test]
fn the_reset_no_error_that_follows_an_early_end_means_nothing() {
    let pair = bidi().over(Wire::Grpc);
    pair.talks();
    pair.peer.ends_ok();
    pair.peer.resets(0, "");
    pair.peer.expects_done();
    pair.client.ends(Code::Ok);
}

#[test]
fn a_message_that_waits_to_leave_is_not_sent_to_a_peer_that_has_ended() {
    let mut call = bidi().call(Wire::Grpc);
    call.open(START).unwrap();
    assert!(matches!(call.poll_transmit(), Some(Transmit::Open { .. })));
    call.handle_headers(START, 200, crate::harness::headers(&[("content-type", "application/grpc")]));
    assert!(matches!(call.poll_event(), Some(Event::Headers(_))));
    call.send(b"a").unwrap();
    call.close_send().unwrap();
    call.handle_end(START, Some(crate::harness::headers(&[("grpc-status", "0")])));
    assert_eq!(call.poll_transmit(), Some(Transmit::Done));
    assert_eq!(call.poll_transmit(), None);
    assert!(matches!(call.poll_event(), Some(Event::End(status, _)) if status.is_ok()));
}
