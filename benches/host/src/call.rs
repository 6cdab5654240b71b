//! Whole calls from open to end, each command and input followed by its outputs as a driver takes them.

use std::hint::black_box;
use std::time::Duration;

use tidewire::call::{Call, CallKind, Config, Event};
use tidewire::codec::grpc::Grpc;
use tidewire::codec::{HeaderList, Messages, envelope};

use crate::{CHUNK, Case, MAX, Run, codec};

const NOW: Duration = Duration::ZERO;

pub(crate) fn unary(case: &Case) -> Run {
    let (calls, request) = (case.messages, vec![7; case.size]);
    let reply = envelope::encode(0, &request);
    Box::new(move || (0..calls).map(|_| exchange(CallKind::Unary, 1, &request, &reply)).sum())
}

pub(crate) fn server_stream(case: &Case) -> Run {
    let (request, replies) = (vec![7; case.size], codec::body(case));
    Box::new(move || exchange(CallKind::ServerStream, 1, &request, &replies))
}

/// Counts what was sent: of replies there is one.
pub(crate) fn client_stream(case: &Case) -> Run {
    let (requests, request) = (case.messages, vec![7; case.size]);
    let reply = envelope::encode(0, &request);
    Box::new(move || requests * exchange(CallKind::ClientStream, requests, &request, &reply))
}

/// Gives the number of replies that were read.
fn exchange(kind: CallKind, requests: usize, request: &[u8], replies: &[u8]) -> usize {
    let mut call = Call::new(config(kind), Box::new(Grpc::new(Messages::new(MAX))));
    call.open(NOW).expect("a new call");
    drain(&mut call);
    for _ in 0..requests {
        call.send(request).expect("an open call");
        drain(&mut call);
    }
    call.close_send().expect("HTTP/2 has a half-close");
    drain(&mut call);
    call.handle_headers(NOW, 200, list(&[("content-type", "application/grpc"), ("x-request-id", "42")]));
    let mut read = drain(&mut call);
    for chunk in replies.chunks(CHUNK) {
        call.handle_data(NOW, chunk);
        read += drain(&mut call);
    }
    call.handle_end(NOW, Some(list(&[("grpc-status", "0"), ("x-took", "12 ms")])));
    read += drain(&mut call);
    assert!(call.is_ended(), "the server has ended it");
    read
}

fn config(kind: CallKind) -> Config {
    Config {
        kind,
        path: "/bench.Bench/Call".to_owned(),
        metadata: list(&[("authorization", "Bearer 0123456789abcdef")]),
        timeout: Some(Duration::from_secs(30)),
        triple: false,
        receive_window: 256 << 10,
    }
}

/// The transport does what it is to do; the reader takes what there is, and its number is given.
fn drain(call: &mut Call) -> usize {
    while let Some(transmit) = call.poll_transmit() {
        black_box(transmit);
    }
    let (mut messages, mut bytes) = (0, 0);
    while let Some(event) = call.poll_event() {
        match black_box(event) {
            Event::Headers(_) => {}
            Event::Message(payload) => {
                messages += 1;
                bytes += payload.len();
            }
            Event::End(status, _) => assert!(status.is_ok(), "{status:?}"),
        }
    }
    if messages > 0 {
        call.taken(messages, bytes);
        while let Some(transmit) = call.poll_transmit() {
            black_box(transmit);
        }
    }
    messages
}

fn list(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}
