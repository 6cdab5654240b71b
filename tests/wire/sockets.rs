//! `grpc-websockets`: what one socket per call adds.

use tidewire::codec::HeaderList;
use tidewire::codec::envelope;
use tidewire::codec::grpc_websockets::{self, MAX_DATA, close_status};
use tidewire::status::{Code, Fault};

use super::replay::{Wire, answer};

#[test]
fn row_52_a_call_as_a_proxy_in_front_of_a_go_server_answers_it() {
    let prefixes_apart: [&[u8]; 8] = [
        b"\x80\0\0\0\x36",
        b"Content-Type: application/grpc+proto\r\nX-Greeting: hi\r\n",
        b"\0\0\0\0\x03",
        b"one",
        b"\0\0\0\0\0",
        b"\x80\0\0\0\x10",
        b"grpc-status: 0\r\n",
        b"",
    ];
    let answer = answer().body(prefixes_apart.concat());
    let heard = answer.heard(Wire::Sockets, &prefixes_apart);
    assert_eq!(heard, answer.replay(Wire::Sockets));
    assert_eq!(heard.messages, [&b"one"[..], b""]);
    assert!(heard.status.is_ok());
    assert_eq!(heard.headers.unwrap().first("x-greeting"), Some(&b"hi"[..]));
}

#[test]
fn row_52_a_status_in_the_first_block_is_the_end() {
    let heard = answer().body(envelope::encode(0x80, b"Grpc-Status: 12\r\n")).replay(Wire::Sockets);
    assert_eq!(heard.status.code, Code::Unimplemented);
    assert!(heard.headers.is_none() && !heard.waited_for_end_of_body);
}

#[test]
fn row_52_only_the_first_block_may_be_headers() {
    let twice = answer().block("x-late: 1\r\n").block("grpc-status: 0\r\n");
    let end_of_first =
        twice.clone().written(Wire::Sockets).len() - envelope::encode(0x80, b"grpc-status: 0\r\n").len();
    let body = twice.written(Wire::Sockets);
    let heard = twice.heard(Wire::Sockets, &[&body[..end_of_first], &body[end_of_first..]]);
    assert_eq!(heard.trailer("x-late"), ["1"]);
    heard.is_broken("without grpc-status");

    let after_a_message = [envelope::encode(0, b"one"), envelope::encode(0x80, b"x-late: 1\r\n")].concat();
    let heard = answer().body(after_a_message).replay(Wire::Sockets);
    assert_eq!((heard.headers.as_ref(), heard.messages.len()), (None, 1));
    heard.is_broken("without grpc-status");
}

#[test]
fn row_52_a_page_of_the_handler_behind_the_socket_is_named() {
    let answer = answer().header("content-type", "text/plain; charset=utf-8").raw("404 page not found\n");
    let heard = answer.replay(Wire::Sockets);
    assert_eq!(heard.status.code, Code::Unknown, "{heard:?}");
    assert!(heard.status.message.contains("text/plain"));
}

#[test]
fn row_52_a_close_without_trailers_is_told_by_its_code() {
    let table = [
        (1000, Code::Internal, Fault::Peer),
        (4000, Code::Internal, Fault::Peer),
        (1001, Code::Unavailable, Fault::Transport),
        (1005, Code::Unavailable, Fault::Transport),
        (1006, Code::Unavailable, Fault::Transport),
        (1012, Code::Unavailable, Fault::Transport),
        (1008, Code::PermissionDenied, Fault::Peer),
        (1009, Code::ResourceExhausted, Fault::Peer),
        (1011, Code::Unknown, Fault::Peer),
        (4007, Code::PermissionDenied, Fault::Peer),
        (4016, Code::Unauthenticated, Fault::Peer),
        (4017, Code::Unknown, Fault::Peer),
    ];
    for (close, code, fault) in table {
        let status = close_status(close, "said so");
        assert_eq!((status.code, status.fault), (code, fault), "{close}");
        assert!(status.message.contains(&close.to_string()) && status.message.contains("said so"));
    }
}

#[test]
fn row_52_requests_go_out_in_messages_that_servers_read() {
    let headers = HeaderList::from_iter([("content-type", "application/grpc-web+proto")]);
    assert_eq!(grpc_websockets::encode_headers(&headers), b"content-type: application/grpc-web+proto\r\n");

    let message = Wire::Sockets.protocol().encode(&vec![7; 3 * MAX_DATA], false);
    let sent: Vec<_> = grpc_websockets::encode_data(&message).collect();
    assert!(sent.iter().all(|message| message[0] == 0 && message.len() <= MAX_DATA + 1));
    assert_eq!(sent.iter().flat_map(|message| message[1..].to_vec()).collect::<Vec<_>>(), message);
    assert_eq!(grpc_websockets::FINISH, [1]);
}
