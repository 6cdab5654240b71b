//! `cancel`: the peer sees it, and whoever waits here is free at once.

use tidewire::call::{Event, Transmit};
use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{START, bidi};

#[test]
fn a_pending_receive_is_freed_whatever_the_peer_does() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.send("a");
        pair.peer.expects_message("a");
        pair.client.waits();
        pair.client.cancel("left the page");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled).by(Fault::Local).says("left the page").without_trailers();
        pair.is_over();
    }
}

#[test]
fn the_reset_is_asked_for_before_the_end_is_told() {
    let mut call = bidi().call(Wire::Grpc);
    call.open(START).unwrap();
    assert!(matches!(call.poll_transmit(), Some(Transmit::Open { .. })));
    call.cancel(START, "");
    assert_eq!(call.poll_transmit(), Some(Transmit::Reset));
    assert!(matches!(call.poll_event(), Some(Event::End(..))));
    assert_eq!((call.poll_transmit(), call.poll_event()), (None, None));
}

#[test]
fn without_a_reason_there_are_words_all_the_same() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.client.cancel("");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled).says("cancelled here");
    }
}

#[test]
fn before_the_open_nothing_is_sent_at_all() {
    for pair in bidi().on_every_wire() {
        pair.client.cancel("changed my mind");
        pair.peer.expects_nothing();
        pair.client.ends(Code::Cancelled).by(Fault::Local);
        let status = pair.client.try_open().unwrap_err();
        assert_eq!((status.code, status.fault), (Code::FailedPrecondition, Fault::Misuse));
        assert!(status.message.contains("open after the end"), "{status}");
        pair.is_over();
    }
}

#[test]
fn what_has_not_left_in_the_same_task_never_leaves() {
    let mut call = bidi().call(Wire::Grpc);
    call.open(START).unwrap();
    call.send(b"a").unwrap();
    call.close_send().unwrap();
    call.cancel(START, "changed my mind");
    assert_eq!(call.poll_transmit(), None);
    assert!(matches!(call.poll_event(), Some(Event::End(..))));
}

#[test]
fn a_message_that_waits_to_leave_does_not_overtake_the_reset() {
    let mut call = bidi().call(Wire::Grpc);
    call.open(START).unwrap();
    assert!(matches!(call.poll_transmit(), Some(Transmit::Open { .. })));
    call.send(b"a").unwrap();
    call.cancel(START, "");
    assert_eq!(call.poll_transmit(), Some(Transmit::Reset));
    assert_eq!(call.poll_transmit(), None);
}

#[test]
fn messages_that_came_before_it_are_told_before_the_end() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("a");
        pair.peer.replies("b");
        pair.client.cancel("enough");
        pair.peer.expects_reset();
        pair.client.receives("a");
        pair.client.receives("b");
        pair.client.ends(Code::Cancelled);
    }
}

#[test]
fn in_the_middle_of_a_message_it_leaves_nothing_behind() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        let message = pair.peer.wire.message(&[b'x'; 300]);
        pair.peer.sends(&message[..200]);
        pair.client.cancel("enough");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
        pair.peer.sends(&message[200..]);
        pair.is_over();
    }
}

#[test]
fn the_first_of_two_reasons_is_the_one_told() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        pair.client.cancel("first");
        pair.client.cancel("second");
        pair.after(300);
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled).says("first");
    }
}

#[test]
fn after_the_peers_status_it_means_nothing() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.ends(&[("grpc-status", "5"), ("grpc-message", "no such person")]);
        pair.client.cancel("too late");
        pair.peer.expects_done();
        pair.client.ends(Code::NotFound).by(Fault::Peer).says("no such person");
    }
}

#[test]
fn a_status_that_comes_after_it_means_nothing() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.cancel("enough");
        pair.peer.replies("a");
        pair.peer.ends_ok();
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
    }
}
