//! What waits for a slow reader is bounded: the peer is held back, and no byte is lost.

use tidewire::status::{Code, Fault};

use crate::harness::bidi;
use crate::harness::wire::Wire;

/// What a message costs in the reader's queue beside its bytes.
const PLACE: usize = 64;

#[test]
fn a_reader_that_keeps_up_never_holds_the_peer_back() {
    for pair in bidi().window(100).on_every_wire() {
        pair.talks();
        for _ in 0..50 {
            pair.peer.replies("twenty bytes of text");
            pair.client.receives("twenty bytes of text");
            pair.client.takes(&[20]);
            pair.peer.is_held_back_by(0);
        }
    }
}

#[test]
fn nothing_is_given_back_above_the_window_and_all_of_it_below() {
    for pair in bidi().window(2 * (20 + PLACE)).on_every_wire() {
        pair.talks();
        pair.peer.replies("twenty bytes of text");
        pair.peer.replies("twenty bytes of text");
        pair.peer.is_held_back_by(0);
        pair.peer.replies("one byte more than t");
        let message = pair.peer.wire.message(&[0; 20]).len();
        // Byte by byte, all but the byte that makes the third message whole has been given back before.
        let (first, more) = if pair.peer.cut == 1 { (1, message) } else { (message, message) };
        pair.peer.is_held_back_by(first);
        pair.peer.replies("and it goes on above");
        pair.peer.is_held_back_by(first + more);
        pair.client.takes(&[20]);
        pair.peer.is_held_back_by(first + more);
        pair.client.takes(&[20]);
        pair.peer.is_held_back_by(0);
        for reply in
            ["twenty bytes of text", "twenty bytes of text", "one byte more than t", "and it goes on above"]
        {
            pair.client.receives(reply);
        }
    }
}

#[test]
fn a_message_larger_than_the_window_passes() {
    for wire in Wire::GRPC {
        let pair = bidi().window(1_000).over(wire);
        pair.talks();
        let message = vec![7; 64 * 1024];
        let bytes = wire.message(&message);
        let (last, parts) = bytes.split_last().unwrap();
        for part in parts.chunks(777) {
            pair.peer.sends(part);
            pair.client.waits();
            pair.peer.is_held_back_by(0);
        }
        pair.peer.sends(&[*last]);
        pair.client.receives_bytes(&message);
        pair.peer.is_held_back_by(1);
        pair.client.takes(&[message.len()]);
        pair.peer.is_held_back_by(0);
    }
}

#[test]
fn a_flood_of_empty_messages_is_held_back_too() {
    for pair in bidi().window(1_000).on_every_wire() {
        pair.talks();
        for _ in 0..1_000 / PLACE {
            pair.peer.replies("");
            pair.client.receives("");
        }
        pair.peer.is_held_back_by(0);
        pair.peer.replies("");
        pair.client.receives("");
        pair.peer.is_held_back();
        pair.client.takes(&[0]);
        pair.peer.is_held_back_by(0);
    }
}

#[test]
fn a_window_of_zero_lets_one_message_wait_at_a_time() {
    for pair in bidi().window(0).on_every_wire() {
        pair.talks();
        pair.peer.is_held_back_by(0);
        for reply in ["a", "b"] {
            pair.peer.replies(reply);
            pair.client.receives(reply);
            pair.peer.is_held_back();
            pair.client.takes(&[1]);
            pair.peer.is_held_back_by(0);
        }
    }
}

#[test]
fn a_reader_that_is_behind_is_freed_by_a_cancel_all_the_same() {
    for pair in bidi().window(0).on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        pair.client.cancel("too slow");
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.ends(Code::Cancelled);
        pair.client.takes(&[1]);
        pair.is_over();
    }
}

#[test]
fn what_is_taken_after_the_end_gives_nothing_back() {
    for pair in bidi().window(0).on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        let released = pair.peer.exchange.borrow().released;
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.receives("a");
        pair.client.ends(Code::Ok);
        pair.client.takes(&[1]);
        assert_eq!(pair.peer.exchange.borrow().released, released);
    }
}

#[test]
fn a_reader_that_says_it_took_more_than_there_was_gains_nothing() {
    for pair in bidi().window(0).on_every_wire() {
        pair.talks();
        pair.client.takes(&[1_000_000, 1_000_000]);
        pair.peer.replies("a");
        pair.client.receives("a");
        pair.peer.is_held_back();
    }
}

#[test]
fn a_message_of_the_largest_size_passes_and_one_byte_more_does_not() {
    for pair in bidi().max_message(300).on_every_wire() {
        pair.talks();
        pair.peer.sends(&pair.peer.wire.message(&[1; 300]));
        pair.client.receives_bytes(&[1; 300]);
        pair.peer.sends(&pair.peer.wire.message(&[1; 301]));
        pair.peer.expects_reset();
        pair.client.ends(Code::ResourceExhausted).by(Fault::Peer).says("301 bytes").says("at most 300");
        pair.is_over();
    }
}

#[test]
fn a_declared_length_of_four_gigabytes_fails_at_its_prefix() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        // One byte of payload, so that base64 has whole quanta to show.
        pair.peer.sends(&pair.peer.wire.text(vec![0, 0xff, 0xff, 0xff, 0xff, 0]));
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.ends(Code::ResourceExhausted).by(Fault::Peer).says("4294967295");
        pair.is_over();
    }
}

#[test]
fn a_trailer_block_that_would_never_end_fails_at_its_prefix() {
    for pair in bidi().on_every_wire().filter(|pair| pair.peer.wire != Wire::Grpc) {
        pair.talks();
        let flag = if pair.peer.wire == Wire::Connect { 0x02 } else { 0x80 };
        pair.peer.sends(&pair.peer.wire.text(vec![flag, 0x7f, 0xff, 0xff, 0xff, 0]));
        pair.peer.expects_reset();
        pair.client.ends(Code::Internal).by(Fault::Peer).says("trailer block");
        pair.is_over();
    }
}
