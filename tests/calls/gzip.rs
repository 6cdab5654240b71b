//! Compressed messages. The platform takes its time over each, and what is behind it keeps its place.

use tidewire::codec::gzip::Unfit;
use tidewire::status::{Code, Fault};

use crate::harness::gzip::deflate;
use crate::harness::wire::Wire;
use crate::harness::{Pair, Setup, bidi, server_stream, unary};

/// Headers have gone both ways, and the peer's name gzip.
fn talk(setup: Setup) -> impl Iterator<Item = Pair> {
    setup.gzip().on_every_wire().inspect(|pair| {
        let (encoding, accept) = pair.peer.wire.encodings();
        pair.opens().with(encoding, "gzip").with(accept, "gzip");
        pair.peer.headers_with(&[(encoding, "gzip")]);
        pair.client.receives_headers();
    })
}

fn on_the_web(pair: &Pair) -> bool {
    pair.peer.wire != Wire::Grpc
}

#[test]
fn messages_are_compressed_one_after_the_other_and_the_half_close_waits_for_them() {
    for pair in talk(bidi()) {
        pair.client.send("one");
        pair.client.send("two");
        pair.client.close_send();
        pair.client.cannot_send("after closeSend");
        pair.platform().deflates("one");
        pair.peer.expects_compressed("one");
        pair.platform().deflates("two");
        pair.peer.expects_compressed("two");
        pair.peer.expects_half_close();
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn a_message_of_no_bytes_goes_out_as_it_is_in_its_place() {
    for pair in talk(bidi()) {
        pair.client.send("");
        pair.peer.expects_message("");
        pair.client.send("one");
        pair.client.send("");
        pair.platform().deflates("one");
        pair.peer.expects_compressed("one");
        pair.peer.expects_message("");
        pair.client.cancel("");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
    }
}

#[test]
fn what_waits_to_be_compressed_is_counted() {
    for pair in talk(bidi()) {
        let queued = || pair.client.0.borrow().call.queued();
        pair.client.send("one");
        pair.client.send("three");
        assert_eq!(queued(), 8);
        pair.platform().deflates("one");
        pair.peer.expects_compressed("one");
        assert_eq!(queued(), 5);
        pair.platform().deflates("three");
        pair.peer.expects_compressed("three");
        assert_eq!(queued(), 0);
        pair.client.send("in vain");
        pair.client.cancel("");
        assert_eq!(queued(), 0);
        pair.platform().is_to_deflate("in vain");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
        // The platform is not stopped here, and its answer comes too late.
        pair.platform().has_deflated(&deflate(b"in vain"));
        pair.is_over();
    }
}

#[test]
fn what_comes_behind_a_compressed_message_waits_for_it() {
    for pair in talk(bidi()) {
        pair.peer.replies("zero");
        pair.client.receives("zero");
        pair.peer.replies_compressed("one");
        pair.peer.replies("two");
        pair.peer.replies_compressed("three");
        pair.peer.ends(&[("grpc-status", "9"), ("grpc-message", "enough")]);
        pair.client.waits();
        pair.platform().inflates();
        pair.client.receives("one");
        pair.client.receives("two");
        pair.client.waits();
        pair.platform().inflates();
        pair.peer.expects_done();
        pair.client.receives("three");
        pair.client.ends(Code::FailedPrecondition).says("enough");
        pair.is_over();
    }
}

#[test]
fn trailers_may_be_compressed() {
    for pair in talk(server_stream()).filter(on_the_web) {
        pair.peer.replies("one");
        pair.client.receives("one");
        pair.peer.sends(&pair.peer.wire.compressed_block(&[("grpc-status", "0"), ("x-tag", "1")]));
        pair.peer.body_ends(None);
        pair.client.waits();
        pair.platform().inflates();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok).with_trailer("x-tag", "1");
        pair.is_over();
    }
}

#[test]
fn a_reset_and_a_lost_connection_come_after_the_message_before_them() {
    for resets in [true, false] {
        for pair in talk(bidi()) {
            pair.peer.replies_compressed("one");
            let expected = if resets {
                pair.peer.resets(8, "so there");
                Code::Cancelled
            } else {
                pair.peer.connection_fails("lost");
                Code::Unavailable
            };
            pair.client.waits();
            pair.platform().inflates();
            pair.peer.expects_reset();
            pair.client.receives("one");
            pair.client.ends(expected);
            pair.is_over();
        }
    }
}

#[test]
fn cancel_and_deadline_do_not_wait_for_the_platform() {
    for expires in [true, false] {
        for pair in talk(bidi().deadline(300)) {
            pair.peer.replies_compressed("one");
            pair.peer.replies("two");
            pair.peer.ends_ok();
            pair.client.send("in vain");
            pair.platform().is_to_inflate();
            pair.platform().is_to_deflate("in vain");
            if expires {
                pair.after(300);
            } else {
                pair.client.cancel("enough");
            }
            pair.peer.expects_reset();
            pair.client.ends(if expires { Code::DeadlineExceeded } else { Code::Cancelled }).by(Fault::Local);
            pair.platform().has_inflated(Ok(b"one".to_vec()));
            pair.platform().has_deflated(&deflate(b"in vain"));
            pair.is_over();
        }
    }
}

#[test]
fn the_deadline_wins_over_what_the_platform_brings_when_it_has_passed() {
    for pair in talk(bidi().deadline(300)) {
        pair.peer.replies_compressed("one");
        pair.platform().is_to_inflate();
        pair.after_without_timer(300);
        pair.platform().has_inflated(Ok(b"one".to_vec()));
        pair.peer.expects_reset();
        pair.client.ends(Code::DeadlineExceeded);
        pair.is_over();
    }
}

#[test]
fn the_server_may_end_while_we_compress() {
    for pair in talk(bidi()) {
        pair.client.send("one");
        pair.client.close_send();
        pair.platform().is_to_deflate("one");
        pair.peer.ends(&[("grpc-status", "5")]);
        pair.peer.expects_done();
        pair.client.ends(Code::NotFound);
        pair.platform().has_deflated(&deflate(b"one"));
        pair.is_over();
    }
}

#[test]
fn a_message_that_inflates_to_the_limit_passes_and_one_byte_more_does_not() {
    for pair in talk(bidi().max_message(3_000)) {
        let largest = "a".repeat(3_000);
        pair.peer.replies_compressed(&largest);
        pair.platform().inflates();
        pair.client.receives(&largest);
        pair.peer.replies_compressed(&"a".repeat(3_001));
        pair.platform().inflates();
        pair.peer.expects_reset();
        let came = deflate("a".repeat(3_001).as_bytes()).len();
        pair.client
            .ends(Code::ResourceExhausted)
            .by(Fault::Peer)
            .says(&format!("{came} bytes of gzip"))
            .says("more than 3000, as many as are taken here");
        pair.is_over();
    }
}

#[test]
fn what_is_no_gzip_is_the_servers_fault() {
    let whole = deflate(b"one");
    let mut changed = whole.clone();
    changed[12] ^= 0xff;
    for bytes in [b"no gzip", b"a".as_slice(), &whole[..whole.len() - 1], &changed] {
        for pair in talk(unary()) {
            pair.peer.sends(&pair.peer.wire.envelope(1, bytes));
            pair.platform().inflates();
            pair.peer.expects_reset();
            pair.client.ends(Code::Internal).by(Fault::Peer).says("cannot be inflated");
            pair.is_over();
        }
    }
}

#[test]
fn nothing_is_given_back_while_the_platform_is_at_it() {
    for pair in talk(bidi()) {
        pair.peer.is_held_back_by(0);
        pair.peer.replies_compressed("one");
        pair.peer.replies("two");
        pair.peer.is_held_back();
        pair.client.takes(&[]);
        pair.peer.is_held_back();
        pair.platform().inflates();
        pair.client.receives("one");
        pair.client.receives("two");
        pair.peer.is_held_back_by(0);
    }
}

#[test]
fn many_messages_of_one_chunk_are_inflated_only_as_the_reader_takes_them() {
    for pair in talk(bidi().window(1_000)) {
        let long = "a".repeat(10_000);
        pair.peer.replies_compressed(&long);
        pair.peer.replies_compressed(&long);
        pair.peer.ends_ok();
        pair.platform().inflates();
        pair.client.receives(&long);
        pair.peer.expects_nothing();
        pair.client.takes(&[10_000]);
        pair.platform().inflates();
        pair.client.receives(&long);
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn a_call_that_cannot_hold_its_server_back_ends_at_once_when_too_much_has_come() {
    for pair in talk(bidi()) {
        pair.peer.replies_compressed("one");
        pair.platform().is_to_inflate();
        pair.peer.overflows();
        pair.peer.expects_reset();
        pair.client.ends(Code::ResourceExhausted).by(Fault::Local);
        pair.platform().has_inflated(Ok(b"one".to_vec()));
        pair.is_over();
    }
}

#[test]
fn a_platform_that_answers_what_nobody_asked_for_changes_nothing() {
    for pair in talk(bidi().window(10)) {
        pair.platform().has_inflated(Ok(b"one".to_vec()));
        pair.platform().has_inflated(Err(Unfit { too_large: true, words: "".into() }));
        pair.platform().has_deflated(b"one");
        // To be inflated, but not yet.
        pair.peer.replies("long enough to wait");
        pair.client.receives("long enough to wait");
        pair.peer.replies_compressed("one");
        pair.platform().has_inflated(Ok(b"none".to_vec()));
        pair.client.takes(&[19]);
        pair.platform().inflates();
        pair.client.receives("one");
    }
}

#[test]
fn without_the_option_nothing_is_compressed() {
    for pair in bidi().on_every_wire() {
        pair.opens().without("grpc-encoding").without("grpc-accept-encoding");
        pair.client.send("one");
        pair.peer.expects_message("one");
        pair.client.cancel("");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
    }
}
