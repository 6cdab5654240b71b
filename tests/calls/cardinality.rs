//! How many messages a method may answer with.

use tidewire::status::{Code, Fault};

use crate::harness::{Pair, bidi, client_stream, server_stream, unary};

/// Both kinds that are answered by one message.
fn one_reply() -> impl Iterator<Item = Pair> {
    unary().on_every_wire().chain(client_stream().on_every_wire())
}

/// Both kinds that are answered by any number.
fn many_replies() -> impl Iterator<Item = Pair> {
    server_stream().on_every_wire().chain(bidi().on_every_wire())
}

#[test]
fn a_second_message_where_one_is_due_breaks_the_call_off() {
    for pair in one_reply() {
        pair.talks();
        pair.peer.replies("one");
        pair.peer.replies("two");
        pair.peer.expects_reset();
        pair.client.receives("one");
        pair.client.ends(Code::Unimplemented).by(Fault::Peer).says("second message");
        pair.is_over();
    }
}

#[test]
fn ok_without_a_message_where_one_is_due_is_not_ok() {
    for pair in one_reply() {
        pair.talks();
        pair.peer.ends(&[("grpc-status", "0"), ("greeted", "0")]);
        pair.peer.expects_done();
        pair.client.ends(Code::Unimplemented).by(Fault::Peer).says("no message").with_trailer("greeted", "0");
        pair.is_over();
    }
}

#[test]
fn ok_in_the_headers_without_a_message_is_not_ok_either() {
    for pair in one_reply() {
        pair.opens();
        pair.peer.answers_trailers_only(&[("grpc-status", "0")]);
        pair.peer.expects_done();
        pair.client.receives_headers();
        pair.client.ends(Code::Unimplemented).by(Fault::Peer).says("no message");
    }
}

#[test]
fn an_error_without_a_message_keeps_its_own_code() {
    for pair in one_reply() {
        pair.talks();
        pair.peer.ends(&[("grpc-status", "5")]);
        pair.peer.expects_done();
        pair.client.ends(Code::NotFound).by(Fault::Peer);
    }
}

#[test]
fn an_error_after_the_message_is_the_status() {
    for pair in one_reply() {
        pair.talks();
        pair.peer.replies("one");
        pair.peer.ends(&[("grpc-status", "15")]);
        pair.peer.expects_done();
        pair.client.receives("one");
        pair.client.ends(Code::DataLoss).by(Fault::Peer);
    }
}

#[test]
fn an_empty_message_is_a_message() {
    for pair in one_reply() {
        pair.talks();
        pair.peer.replies("");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.receives("");
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn a_stream_of_none_is_a_stream() {
    for pair in many_replies() {
        pair.talks();
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
    for pair in many_replies() {
        pair.opens();
        pair.peer.answers_trailers_only(&[("grpc-status", "0")]);
        pair.peer.expects_done();
        pair.client.receives_headers();
        pair.client.ends(Code::Ok);
    }
}
