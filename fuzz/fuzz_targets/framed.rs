//! Bodies for a caller that frames for itself: what passes is what the dialect below reads, and so is the end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewire::codec::connect::Connect;
use tidewire::codec::envelope::{self, Decoder};
use tidewire::codec::framed::{Framed, Own, Shape};
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::{Messages, Protocol, text};
use tidewire_fuzz::{Part, answered, cuttings, hear};

const MAX_MESSAGE: usize = 1000;

const WIRES: [(Shape, &str); 4] = [
    (Shape::Grpc { last: 0 }, "application/grpc"),
    (Shape::Grpc { last: 0x80 }, "application/grpc-web"),
    (Shape::Text, "application/grpc-web-text"),
    (Shape::Connect, "application/connect+proto"),
];

fuzz_target!(|input: (u8, u8, bool, Vec<Part<'_>>)| {
    let (wire, seed, single, parts) = input;
    let (shape, kind) = WIRES[usize::from(wire) % WIRES.len()];
    let body: Vec<u8> = parts.iter().flat_map(Part::written).collect();
    let body = if shape == Shape::Text { text::encode(&body) } else { body };
    for chunks in cuttings(&body, seed) {
        let framed = Framed::new(below(shape), shape, Own { single, max: MAX_MESSAGE, ..Own::default() });
        let ours = hear(answered(Box::new(framed), 200, kind), &chunks);
        let passed = ours.messages.concat();
        if single {
            assert!(!ours.status.is_ok() || count(&passed) == 1, "OK with {} messages", count(&passed));
            continue;
        }
        let theirs = hear(answered(below(shape), 200, kind), &chunks);
        let framed = theirs.messages.iter().flat_map(|message| envelope::encode(0, message));
        assert!(passed.starts_with(&framed.collect::<Vec<u8>>()));
        // Of one that is compressed no more than the flags are looked at here.
        if !theirs.status.message.contains("a compressed message") {
            assert_eq!((ours.status.code, ours.status.fault), (theirs.status.code, theirs.status.fault));
        }
    }
});

fn below(shape: Shape) -> Box<dyn Protocol> {
    let messages = Messages::new(MAX_MESSAGE);
    match shape {
        Shape::Grpc { last: 0 } => Box::new(Grpc::new(messages)),
        Shape::Connect => Box::new(Connect::new(messages)),
        Shape::Text => Box::new(GrpcWeb::new(Form::Text, messages)),
        _ => Box::new(GrpcWeb::new(Form::Binary, messages)),
    }
}

/// Whole messages.
fn count(framed: &[u8]) -> usize {
    let (mut decoder, mut at) = (Decoder::default(), 0);
    std::iter::from_fn(|| decoder.next(framed, &mut at, &|_| MAX_MESSAGE).expect("what passed")).count()
}
