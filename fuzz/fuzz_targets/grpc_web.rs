//! Bodies of every dialect: the same messages and the same end come out of every cutting.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::{Messages, Protocol, text};
use tidewire_fuzz::{Part, answered};

const MAX_MESSAGE: usize = 1000;

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
    let heard = tidewire_fuzz::replay(seed, body, || match content_type {
        "" => protocol(),
        kind => answered(protocol(), 200, kind),
    });
    assert!(heard.messages.iter().all(|message| message.len() <= MAX_MESSAGE));
    assert!(!heard.waited || !heard.status.is_ok(), "a body without trailers is never OK");
}
