//! What makes no sense ends the call, says whose fault it is, and loses nothing that came before.

use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{Pair, bidi, headers};

/// The wires whose headers are HTTP's own.
fn over_http() -> impl Iterator<Item = Pair> {
    bidi().on_every_wire().filter(|pair| !pair.peer.wire.has_headers_in_body())
}

/// The wires whose trailers are part of the body.
fn over_web() -> impl Iterator<Item = Pair> {
    bidi().on_every_wire().filter(|pair| pair.peer.wire != Wire::Grpc)
}

#[test]
fn an_end_before_the_headers() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.peer.body_ends(None);
        pair.peer.expects_done();
        pair.client.ends(Code::Internal).by(Fault::Peer).says(pair.peer.wire.missing()).without_trailers();
        pair.is_over();
    }
}

#[test]
fn an_end_without_a_status() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        pair.peer.body_ends(None);
        pair.peer.expects_done();
        pair.client.receives("a");
        pair.client.ends(Code::Internal).by(Fault::Peer).says(pair.peer.wire.missing());
        pair.is_over();
    }
}

#[test]
fn trailers_without_a_status() {
    // To Connect that is success.
    for pair in bidi().on_every_wire().filter(|pair| pair.peer.wire != Wire::Connect) {
        pair.talks();
        pair.peer.ends(&[("greeted", "1")]);
        pair.peer.expects_done();
        pair.client.ends(Code::Internal).by(Fault::Peer).says("without grpc-status");
    }
}

#[test]
fn headers_twice() {
    for pair in over_http() {
        pair.talks();
        pair.peer.replies("a");
        pair.peer.headers();
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.ends(Code::Internal).by(Fault::Peer).says("headers twice");
        pair.is_over();
    }
}

#[test]
fn a_second_block_over_websockets_is_the_trailers() {
    let pair = bidi().over(Wire::GrpcWebSockets);
    pair.talks();
    pair.peer.headers();
    pair.peer.expects_done();
    pair.client.ends(Code::Internal).by(Fault::Peer).says("without grpc-status");
}

#[test]
fn a_message_before_the_headers() {
    // Before the headers nobody knows that the body is text.
    for pair in bidi().on_every_wire().filter(|pair| pair.peer.wire != Wire::GrpcWebText) {
        pair.opens();
        pair.peer.replies("a");
        pair.peer.expects_reset();
        pair.client.ends(Code::Internal).by(Fault::Peer).says("before its headers");
        pair.is_over();
    }
}

#[test]
fn a_body_that_is_cut_inside_a_message() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        let wire = pair.peer.wire;
        let cut = [wire.message(b"a"), wire.text(b"\x00\x00\x00\x00\x09abcdef".to_vec())].concat();
        pair.peer.sends(&cut);
        pair.peer.body_ends(None);
        pair.peer.expects_done();
        pair.client.receives("a");
        pair.client.ends(Code::Internal).by(Fault::Peer).says("9 bytes were promised, 6 came");
        pair.is_over();
    }
}

#[test]
fn a_peer_that_says_why_it_broke_off_inside_a_message_is_believed() {
    let pair = bidi().over(Wire::Grpc);
    pair.talks();
    pair.peer.sends(b"\x00\x00\x00\x00\x09abc");
    pair.peer.ends(&[("grpc-status", "14"), ("grpc-message", "shutting down")]);
    pair.peer.expects_done();
    pair.client.ends(Code::Unavailable).by(Fault::Peer).says("shutting down");

    let pair = bidi().over(Wire::Grpc);
    pair.talks();
    pair.peer.sends(b"\x00\x00\x00\x00\x09abc");
    pair.peer.ends_ok();
    pair.peer.expects_done();
    pair.client.ends(Code::Internal).by(Fault::Peer).says("9 bytes were promised, 3 came");
}

#[test]
fn messages_before_a_broken_frame_in_the_same_chunk_are_delivered_first() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        let wire = pair.peer.wire;
        let broken = wire.envelope(0x42, b"c");
        pair.peer.sends(&[wire.message(b"a"), wire.message(b"b"), broken, wire.message(b"d")].concat());
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.receives("b");
        pair.client.ends(Code::Internal).by(Fault::Peer).says("flags 66");
        pair.is_over();
    }
}

#[test]
fn a_compressed_message_that_nobody_asked_for() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.sends(&pair.peer.wire.envelope(1, b"\x1f\x8b"));
        pair.peer.expects_reset();
        pair.client.ends(Code::Internal).by(Fault::Peer).says("compressed");
        pair.is_over();
    }
}

#[test]
fn more_after_the_trailers() {
    for pair in over_web().filter(|pair| pair.peer.cut > 1) {
        pair.talks();
        let wire = pair.peer.wire;
        let trailers = wire.block(&headers(&[("grpc-status", "0")]));
        pair.peer.sends(&[wire.message(b"a"), trailers, wire.message(b"b")].concat());
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.ends(Code::Internal).by(Fault::Peer).says("after the trailers");
        pair.is_over();
    }
}

#[test]
fn text_that_is_no_base64() {
    let pair = bidi().over(Wire::GrpcWebText);
    pair.talks();
    pair.peer.replies("a");
    pair.peer.sends(b"{\"error\": 1}");
    pair.peer.expects_reset();
    pair.client.receives("a");
    pair.client.ends(Code::Internal).by(Fault::Peer).says("base64");
    pair.is_over();
}

#[test]
fn a_page_in_the_place_of_the_service() {
    let page = headers(&[("content-type", "text/html; charset=utf-8")]);
    for pair in over_http() {
        pair.opens();
        pair.peer.answers_http(200, page.clone());
        pair.peer.expects_done();
        assert_eq!(pair.client.receives_headers(), page);
        pair.client.ends(Code::Unknown).by(Fault::Peer).says("text/html");
        pair.is_over();
    }
}

#[test]
fn an_http_error_that_is_not_the_services_own() {
    let table = [(401, Code::Unauthenticated), (404, Code::Unimplemented), (503, Code::Unavailable)];
    for (http, code) in table {
        for pair in over_http() {
            pair.opens();
            pair.peer.answers_http(http, headers(&[("content-type", "text/plain"), ("retry-after", "9")]));
            pair.peer.expects_done();
            pair.client.receives_headers();
            let ending = pair.client.ends(code).by(Fault::Peer).says(&http.to_string());
            ending.with_trailer("retry-after", "9");
            pair.is_over();
        }
    }
}

#[test]
fn an_http_error_that_is_the_services_own() {
    for pair in over_http().filter(|pair| pair.peer.wire != Wire::Connect) {
        pair.opens();
        pair.peer.answers_http(404, headers(&[("grpc-status", "7"), ("grpc-message", "not you")]));
        pair.peer.expects_done();
        pair.client.receives_headers();
        pair.client.ends(Code::PermissionDenied).by(Fault::Peer).says("not you");
    }
}

#[test]
fn a_reset_says_what_http_2_meant() {
    let table = [
        (0x0, Code::Internal),
        (0x1, Code::Internal),
        (0x2, Code::Internal),
        (0x3, Code::Internal),
        (0x4, Code::Internal),
        (0x5, Code::Internal),
        (0x6, Code::Internal),
        (0x7, Code::Unavailable),
        (0x8, Code::Cancelled),
        (0x9, Code::Internal),
        (0xa, Code::Unavailable),
        (0xb, Code::ResourceExhausted),
        (0xc, Code::PermissionDenied),
        (0xd, Code::Internal),
        (0xe, Code::Internal),
        (u32::MAX, Code::Internal),
    ];
    for (reset, code) in table {
        for pair in bidi().on_every_wire() {
            pair.talks();
            pair.peer.replies("a");
            pair.peer.resets(reset, "so there");
            pair.peer.expects_reset();
            pair.client.receives("a");
            pair.client.ends(code).by(Fault::Peer).says(&format!("error {reset}): so there"));
            pair.is_over();
        }
    }
}

#[test]
fn a_reset_before_the_headers_and_inside_a_message() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.peer.resets(2, "");
        pair.peer.expects_reset();
        pair.client.ends(Code::Internal).by(Fault::Peer);
    }
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("whole");
        pair.peer.sends(&pair.peer.wire.message(b"cut off")[..8]);
        pair.peer.resets(2, "");
        pair.peer.expects_reset();
        pair.client.receives("whole");
        pair.client.ends(Code::Internal).by(Fault::Peer);
    }
}

#[test]
fn a_call_that_never_left_may_be_tried_again() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.peer.is_not_reached(7, "the gateway is going away");
        pair.peer.expects_reset();
        pair.client
            .ends(Code::Unavailable)
            .by(Fault::Transport)
            .says("tried again: the gateway is going away");
        pair.is_over();
    }
}

#[test]
fn a_connection_that_fails_keeps_its_own_words() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        pair.peer.connection_fails("the connection was lost");
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.ends(Code::Unavailable).by(Fault::Transport).says("the connection was lost");
        pair.is_over();
    }
}

#[test]
fn what_comes_before_the_open_means_nothing() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.peer.headers();
        pair.peer.replies("too early");
        pair.peer.ends_ok();
        pair.peer.resets(8, "too early");
        pair.peer.connection_fails("too early");
        pair.timer_fires();
        pair.client.waits();
        pair.peer.expects_nothing();
        pair.talks();
        pair.peer.replies("in time");
        pair.client.receives("in time");
    }
}

#[test]
fn what_a_dubbo_server_may_mean_by_hanging_up_without_a_word() {
    let hint = "has no such tri-service-group";
    for pair in bidi().triple().on_every_wire() {
        pair.opens();
        pair.peer.connection_fails("the connection was lost");
        pair.peer.expects_reset();
        pair.client.ends(Code::Unavailable).by(Fault::Transport).says(hint);
    }
    for pair in bidi().triple().on_every_wire() {
        pair.opens();
        pair.peer.resets(0xa, "the upstream is gone");
        pair.peer.expects_reset();
        pair.client.ends(Code::Unavailable).by(Fault::Peer).says(hint);
    }
    // Not to any other server, nor by one that has spoken, nor where it was not reached.
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.peer.connection_fails("the connection was lost");
        pair.peer.expects_reset();
        assert!(!pair.client.ends(Code::Unavailable).status.message.contains(hint));
    }
    for pair in bidi().triple().on_every_wire() {
        pair.talks();
        pair.peer.connection_fails("the connection was lost");
        pair.peer.expects_reset();
        assert!(!pair.client.ends(Code::Unavailable).status.message.contains(hint));
    }
    for pair in bidi().triple().on_every_wire() {
        pair.opens();
        pair.peer.is_not_reached(7, "the gateway is going away");
        pair.peer.expects_reset();
        assert!(!pair.client.ends(Code::Unavailable).status.message.contains(hint));
    }
    // Nor where the caller asked for more than is sent.
    for pair in bidi().triple().on_every_wire() {
        pair.opens();
        pair.peer.is_asked_too_much("the requests are more than is kept");
        pair.peer.expects_reset();
        assert!(!pair.client.ends(Code::ResourceExhausted).by(Fault::Misuse).status.message.contains(hint));
    }
}
