//! A client and a gateway in any order of commands, turns and reads: neither ever finds fault with the other.
#![no_main]

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tidewire::codec::HeaderList;
use tidewire::codec::tidewire_v1::{Connection, Limits, Role, code};

// Three bytes a step: what, which stream, how much.
fuzz_target!(|steps: &[u8]| {
    let [first, steps @ ..] = steps else { return };
    let limits = Limits { max_streams: u32::from(first % 8) + 1, ..Limits::default() };
    let mut pair = [Side::new(Role::Client, limits), Side::new(Role::Gateway, limits)];
    for &[what, which, much] in steps.as_chunks::<3>().0 {
        let (side, id, bytes) = (usize::from(what & 1), u32::from(which % 16), usize::from(much) * 257);
        step(&mut pair, what >> 1, side, id, bytes);
    }
    // A step opens one stream at most.
    run_to_the_end(&mut pair, 1..=(steps.len() / 3) as u32);
});

struct Side {
    connection: Connection,
    inbox: VecDeque<Vec<u8>>,
}

impl Side {
    fn new(role: Role, limits: Limits) -> Self {
        Self { connection: Connection::new(role, limits, Duration::ZERO), inbox: VecDeque::new() }
    }
}

fn step(pair: &mut [Side; 2], what: u8, side: usize, id: u32, bytes: usize) {
    let connection = &mut pair[side].connection;
    match what % 9 {
        0 => drop(pair[0].connection.open("POST", "/a.B/C", &HeaderList::new(), bytes % 2 == 0)),
        1 => connection.send_headers(id, 200, &HeaderList::new(), bytes % 7 == 0),
        2 => connection.send_data(id, vec![0; bytes], bytes % 5 == 0),
        3 => connection.send_trailers(id, &HeaderList::new()),
        4 => connection.reset(id, code::CANCEL, ""),
        5 => connection.release(id, bytes),
        6 if bytes == 0 => pair[1].connection.go_away(code::NO_ERROR, ""),
        6 | 7 => drop(transmit(pair, side, bytes)),
        _ => drop(deliver(pair, side)),
    }
}

fn transmit(pair: &mut [Side; 2], side: usize, budget: usize) -> bool {
    let Some(message) = pair[side].connection.poll_transmit(budget) else { return false };
    pair[1 - side].inbox.push_back(message);
    true
}

fn deliver(pair: &mut [Side; 2], side: usize) -> bool {
    let Some(message) = pair[side].inbox.pop_front() else { return false };
    let handled = pair[side].connection.handle_message(Duration::ZERO, &message);
    handled.expect("the peer runs the same code");
    while pair[side].connection.poll_event().is_some() {}
    true
}

/// Everybody ends and reads: no stream may be left.
fn run_to_the_end(pair: &mut [Side; 2], ids: RangeInclusive<u32>) {
    let mut quiet = 0;
    while quiet < 2 {
        quiet += 1;
        for side in [0, 1] {
            for id in ids.clone() {
                if pair[side].connection.is_open(id) {
                    pair[side].connection.release(id, usize::MAX);
                    pair[1].connection.send_headers(id, 200, &HeaderList::new(), false);
                    pair[side].connection.send_data(id, [], true);
                }
            }
            while deliver(pair, side) || transmit(pair, side, 65_536) {
                quiet = 0;
            }
        }
    }
    assert_eq!([0, 1].map(|side| pair[side].connection.open_streams()), [0, 0]);
}
