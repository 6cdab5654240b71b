//! Bodies as servers send them, and what stands around their messages.

use std::hint::black_box;

use tidewire::codec::connect::Connect;
use tidewire::codec::envelope::{self, Decoder};
use tidewire::codec::framed::{Framed, Own, Shape};
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::{Frame, HeaderList, Messages, Protocol, text, trailers as block};
use tidewire::metadata::check;

use crate::{CHUNK, Case, MAX, Run};

/// Trailers of a call that failed, as servers write them.
pub(crate) const BLOCK: &str = "grpc-status: 9\r\n\
    grpc-message: asked to fail: 100%25 %22gr%C3%BC%C3%9Ft%22\r\n\
    grpc-status-details-bin: CAUSAW0aBgoBdBIBAQ\r\n\
    x-request-id: 0f8fad5b-d9cb-469f-a165-70867728950e\r\n\
    server-timing: db;dur=53, app;dur=47.2\r\n\
    trace-bin: AAECAwQFBgcICQoLDA0ODw\r\n\
    Date: Thu, 26 Nov 2026 03:34:58 GMT\r\n";

pub(crate) fn envelopes(case: &Case, chunk: usize) -> Run {
    let body = body(case);
    Box::new(move || {
        let mut decoder = Decoder::default();
        let mut messages = 0;
        for chunk in body.chunks(chunk) {
            let mut at = 0;
            while let Some(one) = decoder.next(chunk, &mut at, &|_| MAX).expect("envelopes of our own") {
                black_box(one);
                messages += 1;
            }
        }
        messages
    })
}

pub(crate) fn grpc_web(case: &Case) -> Run {
    stream(web_body(case), "application/grpc-web+proto", case.size, || web(Form::Binary))
}

pub(crate) fn grpc_web_text(case: &Case) -> Run {
    let body = text::encode(&web_body(case));
    stream(body, "application/grpc-web-text+proto", case.size, || web(Form::Text))
}

pub(crate) fn connect(case: &Case) -> Run {
    let body = [body(case), envelope::encode(2, br#"{"metadata":{"x-tag":["a","b"]}}"#)].concat();
    stream(body, "application/connect+proto", case.size, || Box::new(Connect::new(Messages::new(MAX))))
}

/// As tonic's generated clients read: its messages are pieces of the framed body.
pub(crate) fn framed(case: &Case) -> Run {
    let protocol = || -> Box<dyn Protocol> {
        let own = Own { max: MAX, ..Own::default() };
        Box::new(Framed::new(web(Form::Binary), Shape::Grpc { last: 0x80 }, own))
    };
    let size = envelope::encode(0, &vec![0; case.size]).len();
    stream(web_body(case), "application/grpc-web+proto", size, protocol)
}

/// Headers and all of the body, of which each message has `size` bytes.
fn stream(body: Vec<u8>, kind: &'static str, size: usize, protocol: fn() -> Box<dyn Protocol>) -> Run {
    Box::new(move || {
        let mut protocol = protocol();
        let mut headers = HeaderList::from_iter([("content-type", kind)]);
        protocol.handle_headers(200, &mut headers).expect("the type that was asked for");
        let mut bytes = 0;
        for chunk in body.chunks(CHUNK) {
            let mut at = 0;
            while let Some(frame) = protocol.next(chunk, &mut at).expect("a body of our own") {
                match black_box(frame) {
                    Frame::Message(payload) => bytes += payload.len(),
                    Frame::End(status, _) => assert!(status.is_ok(), "{status:?}"),
                    other => panic!("{other:?}"),
                }
            }
        }
        bytes / size
    })
}

fn web(form: Form) -> Box<dyn Protocol> {
    Box::new(GrpcWeb::new(form, Messages::new(MAX)))
}

pub(crate) fn body(case: &Case) -> Vec<u8> {
    envelope::encode(0, &vec![7; case.size]).repeat(case.messages)
}

fn web_body(case: &Case) -> Vec<u8> {
    [body(case), envelope::encode(0x80, b"grpc-status: 0\r\ngrpc-message: \r\n")].concat()
}

pub(crate) fn encode(case: &Case) -> Run {
    let (messages, message) = (case.messages, vec![7; case.size]);
    Box::new(move || {
        let protocol = web(Form::Binary);
        (0..messages).filter(|_| !black_box(protocol.encode(black_box(&message), false)).is_empty()).count()
    })
}

/// Read, with the status.
pub(crate) fn trailers(case: &Case) -> Run {
    let blocks = case.messages;
    let is_read = |_: &usize| {
        let list = block::parse_block(black_box(BLOCK.as_bytes()));
        let status = block::status(&list).expect("a status is in it");
        status.raw_code == 9 && black_box(list).iter().count() == 7
    };
    Box::new(move || (0..blocks).filter(is_read).count())
}

/// Looked at, whether it may be sent.
pub(crate) fn metadata(case: &Case) -> Run {
    let list = [
        ("authorization", "Bearer 0123456789abcdef"),
        ("x-request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("x-tag", "a"),
        ("trace-bin", "AAECAwQFBgcICQoLDA0ODw"),
    ];
    let blocks = case.messages;
    let may_be_sent = move |_: &usize| {
        black_box(list).iter().all(|(name, value)| check(name.as_bytes(), value.as_bytes()).is_ok())
    };
    Box::new(move || (0..blocks).filter(may_be_sent).count())
}
