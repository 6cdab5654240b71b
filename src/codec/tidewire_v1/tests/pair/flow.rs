//! Windows: who may send how much, and what gives it back.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{BUDGET, NOW, Pair, answered, body, events, headers, writable};
use crate::codec::tidewire_v1::{Limits, code};

#[test]
fn a_sender_stops_at_the_window_and_goes_on_as_the_reader_reads() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from(vec![7; 100_000]), true);
    let told = pair.client_speaks();
    assert_eq!(body(&told, id), 65_536);
    assert_eq!(pair.client.queued(id), 100_000 - 65_536);

    pair.gateway.release(id, 65_536 / 2 - 1);
    assert_eq!(pair.gateway_speaks(), [], "a WINDOW is worth sending at half the window");
    assert_eq!(body(&pair.client_speaks(), id), 0);
    pair.gateway.release(id, 1);
    pair.gateway_speaks();
    assert_eq!(body(&pair.client_speaks(), id), 32_768);
    pair.gateway.release(id, 65_536);
    pair.gateway_speaks();
    assert_eq!(body(&pair.client_speaks(), id), 100_000 - 65_536 - 32_768);
    assert_eq!(pair.client.queued(id), 0);
}

#[test]
fn the_sender_is_told_once_when_its_queue_runs_low() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from(vec![7; 65_536 + 40_000]), false);
    pair.client_speaks();
    assert_eq!(events(&mut pair.client, &[]), []);
    pair.gateway.release(id, 65_536);
    pair.gateway_speaks();
    pair.client_speaks();
    assert_eq!(events(&mut pair.client, &[]), [writable(id)]);
}

#[test]
fn a_stalled_reader_holds_up_only_its_own_stream() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let stalled: Vec<u32> = (0..15).map(|_| pair.open(false)).collect();
    for &id in &stalled {
        pair.client.send_data(id, Bytes::from(vec![0; 100_000]), true);
    }
    pair.client_speaks();
    // 15 of the 16 stream windows that fit the connection's are held; the rest must go round for ever.
    let read = pair.open(false);
    let mut arrived = 0;
    pair.client.send_data(read, Bytes::from(vec![0; 10_000_000]), true);
    for _ in 0..1000 {
        let came = body(&pair.client_speaks(), read);
        pair.gateway.release(read, came);
        pair.gateway_speaks();
        arrived += came;
    }
    assert_eq!(arrived, 10_000_000);
}

#[test]
fn hello_raises_the_windows_of_streams_that_did_not_wait_for_it() {
    let gateway = Limits { stream_window: 200_000, connection_window: 3_000_000, ..Limits::default() };
    let mut pair = Pair::with(Limits::default(), gateway);
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from(vec![0; 300_000]), false);
    assert_eq!(body(&pair.client_speaks(), id), 65_536);
    pair.gateway_speaks();
    assert_eq!(body(&pair.client_speaks(), id), 200_000 - 65_536);
}

#[test]
fn what_ended_unread_is_given_back_to_the_connection_once() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    for round in 0..100 {
        let id = pair.open(false);
        pair.client.send_data(id, Bytes::from(vec![0; 65_536]), false);
        assert_eq!(body(&pair.client_speaks(), id), 65_536, "round {round}");
        match round % 3 {
            0 => pair.client.reset(id, code::CANCEL, ""),
            1 => pair.gateway.reset(id, code::CANCEL, ""),
            _ => {
                pair.client.send_data(id, Bytes::new(), true);
                pair.client_speaks();
                pair.gateway.send_headers(id, 200, &headers(&[]), true);
            }
        }
        pair.client_speaks();
        pair.gateway_speaks();
        pair.gateway.release(id, 65_536);
        pair.gateway_speaks();
    }
}

#[test]
fn bytes_for_a_stream_that_we_reset_do_not_use_up_the_connection() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    for round in 0..100 {
        let id = pair.open(false);
        pair.client_speaks();
        pair.client.send_data(id, Bytes::from(vec![0; 65_536]), false);
        pair.gateway.reset(id, code::CANCEL, "");
        assert_eq!(pair.client_speaks(), [], "round {round}");
        assert_eq!(pair.client.queued(id), 0, "round {round}: all of it was sent");
        pair.gateway_speaks();
        events(&mut pair.client, &[]);
    }
}

#[test]
fn all_streams_together_stop_at_the_connections_window_and_the_rest_still_passes() {
    let limits = Limits { stream_window: 1 << 20, ..Limits::default() };
    let mut pair = Pair::greeted(limits, limits);
    let ids: Vec<u32> = (0..3).map(|_| pair.open(true)).collect();
    pair.client_speaks();
    for &id in &ids[..2] {
        pair.gateway.send_headers(id, 200, &headers(&[]), false);
        pair.gateway.send_data(id, Bytes::from(vec![0; 700_000]), true);
    }
    let told = pair.gateway_speaks();
    assert_eq!(body(&told, ids[0]) + body(&told, ids[1]), 1 << 20);

    // What needs no window does not wait for it.
    pair.gateway.send_headers(ids[2], 200, &headers(&[]), true);
    assert_eq!(pair.gateway_speaks(), [answered(ids[2], true)]);

    // A reader cannot give back what is another's.
    let read = body(&told, ids[0]);
    pair.client.release(ids[0], 10_000_000);
    pair.client_speaks();
    let told = pair.gateway_speaks();
    assert_eq!(body(&told, ids[0]) + body(&told, ids[1]), read.min(1_400_000 - (1 << 20)));
}

#[test]
fn a_reader_that_releases_too_much_gives_back_only_its_own() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let ids: Vec<u32> = (0..16).map(|_| pair.open(false)).collect();
    for &id in &ids {
        pair.client.send_data(id, Bytes::from(vec![0; 65_536]), false);
    }
    pair.client_speaks();
    pair.gateway.release(ids[0], 10_000_000);
    pair.gateway_speaks();
    let late = [pair.open(false), pair.open(false)];
    for &id in &late {
        pair.client.send_data(id, Bytes::from(vec![0; 65_536]), false);
    }
    let told = pair.client_speaks();
    assert_eq!(body(&told, late[0]) + body(&told, late[1]), 65_536);
}

/// Rounds until all of a body has come: the client's line carries one message a round, and each message is on its way
/// for `way` rounds.
fn rounds(gateway: Limits, total: usize, way: usize) -> usize {
    let mut pair = Pair::greeted(Limits::default(), gateway);
    let id = pair.open(false);
    pair.client.send_data(id, vec![7; total], true);
    let mut under_way = [VecDeque::new(), VecDeque::new()];
    let mut read = 0;
    for round in 0.. {
        let sent = [pair.client.poll_transmit(BUDGET), pair.gateway.poll_transmit(BUDGET)];
        for (sent, way) in sent.into_iter().zip(&mut under_way) {
            way.push_back(sent);
        }
        if round < way {
            continue;
        }
        let [up, down] = under_way.each_mut().map(|way| way.pop_front().flatten());
        if let Some(message) = up {
            pair.gateway.handle_message(NOW, &message).expect("a well-behaved peer");
            let came = body(&events(&mut pair.gateway, &message), id);
            pair.gateway.release(id, came);
            read += came;
        }
        if let Some(message) = down {
            pair.client.handle_message(NOW, &message).expect("a well-behaved peer");
            events(&mut pair.client, &message);
        }
        if read == total {
            return round;
        }
    }
    unreachable!()
}

#[test]
fn a_line_is_full_as_long_as_a_window_less_what_is_owed_covers_the_way() {
    // There and back it takes ten messages, 640 KiB.
    let (total, way) = (16 << 20, 5);
    let line = total / BUDGET;
    let short = Limits { stream_window: 256 * 1024, connection_window: 16 << 20, ..Limits::default() };
    let long = Limits { stream_window: 1024 * 1024, ..short };
    assert!(rounds(short, total, way) > 2 * line, "{} rounds", rounds(short, total, way));
    assert!(rounds(long, total, way) < line * 11 / 10, "{} rounds", rounds(long, total, way));
}
