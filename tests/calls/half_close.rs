//! `closeSend`: our half ends, the other goes on.

use tidewire::status::Code;

use crate::harness::bidi;

#[test]
fn receiving_goes_on_until_the_peer_ends() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.client.waits();
        for reply in ["Goodbye 1", "Goodbye 2", "Goodbye 3"] {
            pair.peer.replies(reply);
            pair.client.receives(reply);
        }
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
        pair.is_over();
    }
}

#[test]
fn it_may_come_before_the_peers_headers_and_outlasts_them() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.peer.headers();
        pair.client.receives_headers();
        pair.client.cannot_send("after closeSend");
        pair.client.close_send();
        pair.peer.expects_nothing();
        pair.peer.replies("a");
        pair.client.receives("a");
    }
}

#[test]
fn said_twice_it_is_one_half_close() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.close_send();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.peer.expects_nothing();
        pair.client.waits();
    }
}

#[test]
fn a_send_after_it_is_refused_and_the_call_goes_on() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.client.cannot_send("after closeSend");
        pair.peer.expects_nothing();
        pair.peer.replies("still here");
        pair.client.receives("still here");
    }
}

#[test]
fn before_the_open_it_means_nothing_and_a_send_is_refused() {
    for pair in bidi().on_every_wire() {
        pair.client.close_send();
        pair.client.cannot_send("before the call was opened");
        pair.peer.expects_nothing();
        pair.talks();
        pair.client.send("a");
        pair.peer.expects_message("a");
    }
}

#[test]
fn a_half_closed_call_can_still_be_cancelled() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.client.cancel("enough");
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
        pair.is_over();
    }
}
