//! Bodies of every dialect: the same messages and the same end come out of every cutting.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::{Messages, Protocol, envelope, text};

const MAX_MESSAGE: usize = 1000;

/// What a body is made of. Random bytes alone would never find a status.
#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Message(&'a [u8]),
    Status(i8),
    Block(&'a [u8]),
    Envelope(u8, &'a [u8]),
    Raw(&'a [u8]),
}

impl Part<'_> {
    fn written(&self) -> Vec<u8> {
        match self {
            Self::Message(bytes) => envelope::encode(0, bytes),
            Self::Status(code) => {
                envelope::encode(0x80, format!("grpc-status: {code}\r\nx-tag: 1\r\n").as_bytes())
            }
            Self::Block(bytes) => envelope::encode(0x80, bytes),
            Self::Envelope(flags, bytes) => envelope::encode(*flags, bytes),
            Self::Raw(bytes) => bytes.to_vec(),
        }
    }

    fn written_as_text(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.to_vec(),
            framed => text::encode(&framed.written()),
        }
    }
}

fuzz_target!(|input: (u8, u8, Vec<Part<'_>>)| {
    let (dialect, seed, parts) = input;
    let bytes: Vec<u8> = parts.iter().flat_map(Part::written).collect();
    match dialect % 5 {
        0 => replay(seed, &bytes, || Box::new(Grpc::new(Messages::new(MAX_MESSAGE))), "application/grpc"),
        1 => replay(seed, &bytes, || web(Form::Binary), "application/grpc-web"),
        2 => replay(seed, &text::encode(&bytes), || web(Form::Text), "application/grpc-web-text"),
        3 => {
            let padded: Vec<u8> = parts.iter().flat_map(Part::written_as_text).collect();
            replay(seed, &padded, || web(Form::Text), "application/grpc-web-text");
        }
        _ => replay(seed, &bytes, || web(Form::WebSockets), ""),
    }
});

fn web(form: Form) -> Box<dyn Protocol> {
    Box::new(GrpcWeb::new(form, Messages::new(MAX_MESSAGE)))
}

fn replay(seed: u8, body: &[u8], protocol: impl Fn() -> Box<dyn Protocol>, content_type: &str) {
    let heard = tidewire_fuzz::replay(seed, body, || {
        let mut protocol = protocol();
        if !content_type.is_empty() {
            let mut headers = vec![("content-type".to_string(), content_type.as_bytes().to_vec())];
            protocol.handle_headers(200, &mut headers).unwrap();
        }
        protocol
    });
    assert!(heard.messages.iter().all(|message| message.len() <= MAX_MESSAGE));
    assert!(!heard.waited || !heard.status.is_ok(), "a body without trailers is never OK");
}
