//! Both sides stream, in any order, and end as they should.

use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{bidi, client_stream, has, server_stream, unary};

#[test]
fn each_message_is_answered_before_the_next_is_sent() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.client.open();
        let told = if pair.peer.wire == Wire::Connect { "300" } else { "300000u" };
        pair.peer.expects_open("/greet.GreetService/GreetStream").with(pair.peer.wire.timeout(), told);
        pair.peer.headers();
        pair.client.receives_headers();
        for (request, reply) in [("a", "A"), ("b", "B"), ("", ""), ("grüßt", "GRÜßT")] {
            pair.client.send(request);
            pair.peer.expects_message(request);
            pair.client.waits();
            pair.peer.replies(reply);
            pair.client.receives(reply);
        }
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.peer.ends(&[("grpc-status", "0"), ("greeted", "4")]);
        pair.peer.expects_done();
        pair.client.ends(Code::Ok).by(Fault::None).with_trailer("greeted", "4");
        pair.is_over();
    }
}

#[test]
fn the_request_headers_leave_before_anything_is_sent() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        pair.peer.headers_with(&[("x-server", "1")]);
        assert!(has(&pair.client.receives_headers(), "x-server", "1"));
        pair.client.waits();
    }
}

#[test]
fn the_client_sends_all_before_the_peer_says_a_word() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        for message in ["a", "b", "c"] {
            pair.client.send(message);
        }
        pair.client.close_send();
        for message in ["a", "b", "c"] {
            pair.peer.expects_message(message);
        }
        pair.peer.expects_half_close();
        pair.client.waits();
        pair.peer.headers();
        pair.client.receives_headers();
        pair.peer.replies("abc");
        pair.client.receives("abc");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn the_peer_speaks_first() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        pair.peer.replies("Welcome");
        pair.client.receives("Welcome");
        pair.client.send("a");
        pair.peer.expects_message("a");
    }
}

#[test]
fn messages_that_share_a_chunk_come_one_by_one_and_before_the_end_in_it() {
    for pair in bidi().on_every_wire() {
        pair.talks();
        let wire = pair.peer.wire;
        pair.peer.sends(&[wire.message(b"a"), wire.message(b""), wire.message(b"c")].concat());
        pair.client.receives("a");
        pair.client.receives("");
        pair.client.receives("c");
        pair.peer.replies("d");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.receives("d");
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn the_other_three_kinds_are_the_same_conversation_cut_short() {
    for pair in unary().on_every_wire() {
        pair.client.open();
        pair.peer.expects_open("/greet.GreetService/Greet");
        pair.client.send("a");
        pair.client.close_send();
        pair.peer.expects_message("a");
        pair.peer.expects_half_close();
        pair.peer.headers();
        pair.client.receives_headers();
        pair.peer.replies("A");
        pair.client.receives("A");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
    for pair in server_stream().on_every_wire() {
        pair.client.open();
        pair.peer.expects_open("/greet.GreetService/GreetServerStream");
        pair.client.send("a");
        pair.client.close_send();
        pair.peer.expects_message("a");
        pair.peer.expects_half_close();
        pair.peer.headers();
        pair.client.receives_headers();
        for reply in ["A 1", "A 2", "A 3"] {
            pair.peer.replies(reply);
            pair.client.receives(reply);
        }
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
    for pair in client_stream().on_every_wire() {
        pair.client.open();
        pair.peer.expects_open("/greet.GreetService/GreetClientStream");
        for request in ["a", "b"] {
            pair.client.send(request);
            pair.peer.expects_message(request);
        }
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.peer.headers();
        pair.client.receives_headers();
        pair.peer.replies("a, b");
        pair.client.receives("a, b");
        pair.peer.ends_ok();
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
    }
}

#[test]
fn open_is_said_once() {
    for pair in bidi().on_every_wire() {
        pair.opens();
        let status = pair.client.try_open().unwrap_err();
        assert_eq!((status.code, status.fault), (Code::FailedPrecondition, Fault::Misuse));
        assert!(status.message.contains("opened before"), "{status}");
        pair.client.send("the call goes on");
        pair.peer.expects_message("the call goes on");
    }
}
