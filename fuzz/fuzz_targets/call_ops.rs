//! Commands and inputs of a call in any order: nothing panics, and the rules of `tests/harness/exchange.rs` hold.
#![no_main]

#[path = "../../tests/harness/exchange.rs"]
mod exchange;

use std::time::Duration;

use exchange::{Exchange, Told};
use libfuzzer_sys::fuzz_target;
use tidewire::call::{Call, CallKind, Config};
use tidewire::codec::bare::{Bare, Dialect};
use tidewire::codec::connect::Connect;
use tidewire::codec::grpc::Grpc;
use tidewire::codec::grpc_web::{Form, GrpcWeb};
use tidewire::codec::gzip::{Compression, Unfit};
use tidewire::codec::{HeaderList, Messages, Protocol};
use tidewire::status::Status;

const MAX_MESSAGE: usize = 1000;

/// What to do, a number for it, bytes for it.
type Op = (u8, u16, Vec<u8>);

fuzz_target!(|input: (u8, u8, Vec<Op>)| {
    let (kind, dialect, ops) = input;
    let mut exchange = Exchange::new(call(kind, dialect), Duration::ZERO);
    for op in &ops {
        play(&mut exchange, op);
    }
    exchange.step("cancel".into(), |call, now| call.cancel(now, ""));
    assert!(matches!(exchange.told.back(), Some(Told::End(..))), "a cancel ends whatever has not ended");
});

fn play(exchange: &mut Exchange, (what, number, bytes): &Op) {
    let number = usize::from(*number);
    // Body bytes more often than the rest: they are what has the most to say.
    match what % 16 {
        0 => drop(exchange.step("open".into(), Call::open)),
        1 => drop(exchange.step("send".into(), |call, _| call.send(bytes))),
        2 => drop(exchange.step("closeSend".into(), |call, _| call.close_send())),
        3 => exchange.step("taken".into(), |call, _| call.taken(1, number)),
        4 => exchange.step("headers".into(), |call, now| call.handle_headers(now, 200, good_headers(number))),
        5 => {
            let list = HeaderList::from_iter([("grpc-status", &bytes)]);
            exchange.step("headers".into(), |call, now| call.handle_headers(now, number as u16, list));
        }
        6 => exchange.step("end".into(), |call, now| call.handle_end(now, None)),
        7 => {
            let list = HeaderList::from_iter([("grpc-status", &bytes)]);
            exchange.step("end".into(), |call, now| call.handle_end(now, Some(list)));
        }
        8 => {
            let sent = number % 2 == 0;
            exchange.step("reset".into(), |call, now| call.handle_reset(now, number as u32, "", sent));
        }
        9 => exchange.step("failure".into(), |call, now| call.handle_failure(now, Status::internal("lost"))),
        10 => {
            exchange.now += Duration::from_millis(number as u64);
            exchange.step("timer".into(), Call::handle_timeout);
        }
        11 if number % 4 == 0 => {
            exchange.inflated(Err(Unfit { too_large: number % 8 == 0, words: String::new() }));
        }
        11 => exchange.inflated(Ok(bytes.clone())),
        12 => exchange.deflated(bytes),
        _ => exchange.feed(bytes, number.max(1)),
    }
}

fn good_headers(number: usize) -> HeaderList {
    let kinds = [
        "application/grpc",
        "application/grpc-web",
        "application/grpc-web-text",
        "application/connect+proto",
        "application/proto",
    ];
    let mut headers = HeaderList::from_iter([("content-type", kinds[number % kinds.len()])]);
    for name in ["grpc-encoding", "connect-content-encoding", "content-encoding"] {
        headers.push(name, ["gzip", "identity"][number / kinds.len() % 2]);
    }
    headers
}

fn call(kind: u8, dialect: u8) -> Call {
    let kinds = [CallKind::Unary, CallKind::ServerStream, CallKind::ClientStream, CallKind::Bidi];
    let config = Config {
        kind: kinds[usize::from(kind % 4)],
        path: "/greet.GreetService/Greet".into(),
        metadata: HeaderList::new(),
        timeout: (kind & 4 != 0).then(|| Duration::from_millis(u64::from(kind))),
        triple: kind & 8 != 0,
        receive_window: usize::from(kind),
    };
    let gzip = Compression { accept: dialect & 8 != 0, send: dialect & 16 != 0 };
    let messages = Messages { gzip, ..Messages::new(MAX_MESSAGE) };
    let protocol: Box<dyn Protocol> = match dialect % 8 {
        0 => Box::new(Grpc::new(messages)),
        1 => Box::new(GrpcWeb::new(Form::Binary, messages)),
        2 => Box::new(GrpcWeb::new(Form::Text, messages)),
        3 => Box::new(GrpcWeb::new(Form::WebSockets, messages)),
        4 | 5 => Box::new(Connect::new(messages)),
        _ => Box::new(Bare::new(Dialect::Triple, messages, false)),
    };
    Call::new(config, protocol)
}
