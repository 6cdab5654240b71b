//! Calls of one bare message each way: Connect's unary ones, and Triple's bare form.

use tidewire::call::{Call, CallKind, Config, Event, Transmit};
use tidewire::codec::bare::{Bare, Dialect};
use tidewire::codec::gzip::Compression;
use tidewire::codec::{HeaderList, Messages};
use tidewire::status::{Code, Fault, Status};

use crate::harness::{START, headers};

const ALL: [Dialect; 3] = [Dialect::Connect, Dialect::ConnectGet, Dialect::Triple];

/// A call that was opened, and what the transport was told to open.
fn opened(dialect: Dialect, timeout: Option<u64>) -> (Call, bool, HeaderList) {
    opened_with(dialect, timeout, Compression::default())
}

fn opened_with(dialect: Dialect, timeout: Option<u64>, gzip: Compression) -> (Call, bool, HeaderList) {
    let config = Config {
        kind: CallKind::Unary,
        path: "/greet.GreetService/Greet".into(),
        metadata: headers(&[("x-user", "me"), ("tri-service-group", "g")]),
        timeout: timeout.map(std::time::Duration::from_millis),
        triple: dialect == Dialect::Triple,
        receive_window: 1 << 20,
    };
    let messages = Messages { gzip, ..Messages::new(1000) };
    let mut call = Call::new(config, Box::new(Bare::new(dialect, messages, false)));
    call.open(START).unwrap();
    let Some(Transmit::Open { get, path, headers }) = call.poll_transmit() else {
        panic!("an open call begins with its head")
    };
    assert_eq!(path, "/greet.GreetService/Greet");
    (call, get, headers)
}

/// One that has sent its message and heard the answer's head.
fn answered(dialect: Dialect, http: u16, head: &[(&str, &str)]) -> Call {
    let (mut call, ..) = opened(dialect, None);
    call.send(b"Ada").unwrap();
    call.close_send().unwrap();
    while call.poll_transmit().is_some() {}
    call.handle_headers(START, http, headers(head));
    call
}

fn told(call: &mut Call, chunk: &[u8]) -> (Vec<Vec<u8>>, Option<(Status, HeaderList)>) {
    let mut messages = Vec::new();
    while let Some(event) = call.poll_event() {
        match event {
            Event::Headers(_) => {}
            Event::Message(payload) => messages.push(payload.bytes(chunk).to_vec()),
            Event::End(status, trailers) => return (messages, Some((status, trailers))),
        }
    }
    (messages, None)
}

#[test]
fn what_a_request_says_of_itself() {
    let user = [("x-user", "me"), ("tri-service-group", "g")];
    let table = [
        (
            Dialect::Connect,
            false,
            vec![
                ("content-type", "application/proto"),
                ("connect-protocol-version", "1"),
                ("connect-timeout-ms", "300"),
            ],
        ),
        (Dialect::ConnectGet, true, vec![("connect-timeout-ms", "300")]),
        (
            Dialect::Triple,
            false,
            vec![
                ("content-type", "application/proto"),
                ("tri-service-timeout", "300"),
                ("triple-timeout-ms", "300"),
            ],
        ),
    ];
    for (dialect, get, own) in table {
        let (_, sent, list) = opened(dialect, Some(300));
        assert_eq!((sent, list), (get, headers(&[own, user.to_vec()].concat())), "{dialect:?}");
        let (_, _, list) = opened(dialect, None);
        assert!(!format!("{list:?}").contains("timeout"), "{list:?}");
    }
}

#[test]
fn a_message_is_the_body_or_the_query() {
    for (dialect, body) in [
        (Dialect::Connect, &b"\xfb\xff\xfe?"[..]),
        (Dialect::Triple, b"\xfb\xff\xfe?"),
        (Dialect::ConnectGet, b"?connect=v1&base64=1&encoding=proto&message=-__-Pw"),
    ] {
        let (mut call, ..) = opened(dialect, None);
        call.send(b"\xfb\xff\xfe?").unwrap();
        call.close_send().unwrap();
        assert_eq!(call.poll_transmit(), Some(Transmit::Data(body.to_vec())), "{dialect:?}");
        assert_eq!(call.poll_transmit(), Some(Transmit::Finish));
        assert_eq!(call.poll_transmit(), None);
    }
}

#[test]
fn the_message_is_told_when_the_body_ends_and_then_the_end() {
    for dialect in ALL {
        let mut call =
            answered(dialect, 200, &[("content-type", "application/proto"), ("trailer-greeted", "1")]);
        for piece in ["Hel", "lo"] {
            call.handle_data(START, piece.as_bytes());
            assert_eq!(told(&mut call, piece.as_bytes()), (vec![], None));
        }
        // What came is held by the call, and the transport may have the room again.
        assert_eq!(call.poll_transmit(), Some(Transmit::Release(3)));
        assert_eq!(call.poll_transmit(), Some(Transmit::Release(2)));
        call.handle_end(START, None);
        assert_eq!(call.poll_transmit(), Some(Transmit::Done));
        let expected = (Status::ok(), headers(&[("greeted", "1")]));
        assert_eq!(told(&mut call, b""), (vec![b"Hello".to_vec()], Some(expected)));
        assert!(call.is_ended());
    }
}

#[test]
fn a_body_of_no_bytes_is_a_message_of_no_bytes() {
    for dialect in ALL {
        let mut call = answered(dialect, 200, &[("content-type", "application/proto")]);
        call.handle_end(START, None);
        let (messages, end) = told(&mut call, b"");
        assert_eq!((messages, end.unwrap().0), (vec![vec![]], Status::ok()));
    }
}

#[test]
fn an_error_is_told_when_all_of_it_has_come() {
    for dialect in ALL {
        let head = [("content-type", "application/json"), ("trailer-greeted", "0")];
        let mut call = answered(dialect, 404, &head);
        call.handle_data(START, br#"{"code":"not_found","mess"#);
        assert_eq!(told(&mut call, b""), (vec![], None));
        call.handle_data(START, br#"age":"no such guest"}"#);
        call.handle_end(START, None);
        let (messages, end) = told(&mut call, b"");
        let (status, trailers) = end.unwrap();
        assert_eq!((messages, status.code, status.fault), (vec![], Code::NotFound, Fault::Peer));
        assert_eq!(status.message, "no such guest");
        assert_eq!(trailers, headers(&[("content-type", "application/json"), ("greeted", "0")]));
    }
}

#[test]
fn a_cancel_and_a_deadline_end_it_wherever_it_stands() {
    for dialect in ALL {
        let mut call = answered(dialect, 200, &[("content-type", "application/proto")]);
        call.handle_data(START, b"Hel");
        while call.poll_transmit().is_some() {}
        call.cancel(START, "enough");
        assert_eq!(call.poll_transmit(), Some(Transmit::Reset));
        assert_eq!(told(&mut call, b"").1.unwrap().0.code, Code::Cancelled);
        call.handle_end(START, None);
        assert_eq!((call.poll_transmit(), call.poll_event()), (None, None));

        let (mut call, ..) = opened(dialect, Some(1));
        call.handle_timeout(START + std::time::Duration::from_millis(1));
        assert_eq!(call.poll_transmit(), Some(Transmit::Reset));
        assert_eq!(told(&mut call, b"").1.unwrap().0.code, Code::DeadlineExceeded);
    }
}
