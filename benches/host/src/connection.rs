//! `tidewire.v1`: the client's end alone, and both ends joined without a network.

use std::hint::black_box;
use std::time::Duration;

use tidewire::codec::tidewire_v1::{Connection, Event, Limits, Role};
use tidewire::codec::{HeaderList, envelope};

use crate::{Case, Run};

const NOW: Duration = Duration::ZERO;
/// Of one WebSocket message.
const BUDGET: usize = 64 << 10;
/// Messages that are sent in one task.
const BURST: usize = 64;

/// As the client announces them.
fn limits(stream_window: u32) -> Limits {
    let connection_window = 64 << 20;
    Limits {
        stream_window,
        connection_window,
        max_frame: 64 << 10,
        max_headers: 64 << 10,
        ..Limits::default()
    }
}

fn open(client: &mut Connection) -> u32 {
    let te = HeaderList::from_iter([("te", "trailers")]);
    client.open("POST", "/bench.Bench/Echo", &te, false).expect("a connection of our own")
}

/// A client that reads what a gateway has sent.
pub(crate) fn receive(case: &Case) -> Run {
    // Wide enough for all of it, so that what was recorded once stands in every run.
    let limits = limits(32 << 20);
    let size = envelope::encode(0, &vec![0; case.size]).len();
    let messages = recorded(case, limits);
    Box::new(move || {
        let mut client = Connection::new(Role::Client, limits, NOW);
        open(&mut client);
        black_box(client.poll_transmit(BUDGET));
        let bytes: usize = messages.iter().map(|message| read(&mut client, message)).sum();
        black_box(client.poll_transmit(BUDGET));
        bytes / size
    })
}

/// All that a gateway sends, each message in a WebSocket message of its own.
fn recorded(case: &Case, limits: Limits) -> Vec<Vec<u8>> {
    let mut client = Connection::new(Role::Client, limits, NOW);
    let mut gateway = Connection::new(Role::Gateway, Limits::default(), NOW);
    let id = open(&mut client);
    let asked = client.poll_transmit(BUDGET).expect("HELLO and OPEN");
    gateway.handle_message(NOW, &asked).expect("what a client says first");
    gateway.send_headers(id, 200, &content_type(), false);
    let mut messages = Vec::new();
    for _ in 0..case.messages {
        gateway.send_data(id, envelope::encode(0, &vec![7; case.size]), false);
        messages.extend(gateway.poll_transmit(BUDGET));
    }
    gateway.send_trailers(id, &trailers());
    messages.extend(gateway.poll_transmit(BUDGET));
    messages
}

/// Each message goes to the other end and back, within the windows of both.
pub(crate) fn echo(case: &Case) -> Run {
    let (count, message) = (case.messages, envelope::encode(0, &vec![7; case.size]));
    Box::new(move || {
        let mut client = Connection::new(Role::Client, limits(256 << 10), NOW);
        let mut gateway = Connection::new(Role::Gateway, Limits::default(), NOW);
        let id = open(&mut client);
        let mut back = 0;
        for sent in 1..=count {
            client.send_data(id, &message, sent == count);
            if sent % BURST == 0 {
                back += turn(&mut client, &mut gateway);
            }
        }
        while client.is_open(id) {
            back += turn(&mut client, &mut gateway);
        }
        back / message.len()
    })
}

/// All that either end has to say. Gives the body bytes that came back.
fn turn(client: &mut Connection, gateway: &mut Connection) -> usize {
    while let Some(message) = client.poll_transmit(BUDGET) {
        gateway.handle_message(NOW, &message).expect("a client of our own");
        while let Some(event) = gateway.poll_event() {
            answer(gateway, event, &message);
        }
    }
    let mut back = 0;
    while let Some(message) = gateway.poll_transmit(BUDGET) {
        back += read(client, &message);
    }
    back
}

fn answer(gateway: &mut Connection, event: Event, message: &[u8]) {
    match event {
        Event::Open { id, .. } => gateway.send_headers(id, 200, &content_type(), false),
        Event::Data { id, range, fin } => {
            gateway.release(id, range.len());
            gateway.send_data(id, &message[range], false);
            if fin {
                gateway.send_trailers(id, &trailers());
            }
        }
        _ => {}
    }
}

/// Gives the body bytes in it.
fn read(client: &mut Connection, message: &[u8]) -> usize {
    client.handle_message(NOW, message).expect("a gateway of our own");
    let mut bytes = 0;
    while let Some(event) = client.poll_event() {
        if let Event::Data { id, range, .. } = black_box(event) {
            bytes += range.len();
            client.release(id, range.len());
        }
    }
    bytes
}

fn content_type() -> HeaderList {
    HeaderList::from_iter([("content-type", "application/grpc")])
}

fn trailers() -> HeaderList {
    HeaderList::from_iter([("grpc-status", "0")])
}
