//! Many streams at once: whose turn it is, how many may be open, how much goes into a message.

use bytes::Bytes;

use super::{BUDGET, NOW, Pair, Told, body, bytes, events, headers, opened, reset};
use crate::codec::tidewire_v1::{Event, Limits, code};

#[test]
fn streams_take_turns_so_that_a_small_call_passes_a_large_one() {
    let limits = Limits { stream_window: 1 << 20, ..Limits::default() };
    let mut pair = Pair::greeted(limits, limits);
    let large = pair.open(false);
    pair.client.send_data(large, Bytes::from(vec![1; 500_000]), true);
    let small = pair.open(false);
    pair.client.send_data(small, Bytes::from_static(b"quick"), true);
    let message = pair.client.poll_transmit(BUDGET).expect("a message");
    pair.gateway.handle_message(NOW, &message).expect("well-behaved");
    let told = events(&mut pair.gateway, &message);
    assert!(told.contains(&bytes(small, "quick", true)), "the first message holds the small call");
    assert!(body(&told, large) > 40_000, "and the large one has the rest of it");
}

#[test]
fn frames_are_no_larger_than_the_receiver_takes() {
    let gateway = Limits { max_frame: 20_000, ..Limits::default() };
    let mut pair = Pair::greeted(Limits::default(), gateway);
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from(vec![0; 50_000]), false);
    let sizes: Vec<usize> = pair
        .client_speaks()
        .iter()
        .filter_map(|told| if let Told::Bytes(_, data, _) = told { Some(data.len()) } else { None })
        .collect();
    assert_eq!(sizes, [20_000, 20_000, 10_000]);
}

#[test]
fn above_the_peers_limit_open_waits_for_a_stream_to_end() {
    let mut pair = Pair::greeted(Limits::default(), Limits { max_streams: 2, ..Limits::default() });
    let ids: Vec<u32> = (0..4).map(|_| pair.open(false)).collect();
    pair.client.send_data(ids[2], Bytes::from_static(b"third"), true);
    assert_eq!(pair.client_speaks(), [opened(ids[0], false), opened(ids[1], false)]);
    assert_eq!(pair.client.open_streams(), 4);

    pair.client.reset(ids[1], code::CANCEL, "");
    let third = [reset(ids[1], code::CANCEL, "", true), opened(ids[2], false), bytes(ids[2], "third", true)];
    assert_eq!(pair.client_speaks(), third);
    pair.client.reset(ids[3], code::CANCEL, "");
    assert_eq!(pair.client_speaks(), []);
}

#[test]
fn streams_above_a_limit_that_hello_had_not_told_yet_are_refused() {
    let mut pair = Pair::with(Limits::default(), Limits { max_streams: 1, ..Limits::default() });
    let (first, second) = (pair.open(false), pair.open(false));
    assert_eq!(pair.client_speaks(), [opened(first, false)]);
    let reason = "1 streams are open, no more are allowed";
    assert_eq!(pair.gateway_speaks(), [reset(second, code::REFUSED_STREAM, reason, true)]);
}

#[test]
fn a_reset_leaves_before_the_open_that_it_makes_room_for_whatever_the_budget() {
    let reason = "for a reason that takes more room than an OPEN, ".repeat(4);
    for budget in 0..800 {
        let mut pair = Pair::greeted(Limits::default(), Limits { max_streams: 3, ..Limits::default() });
        let ids: Vec<u32> = (0..6).map(|_| pair.open(true)).collect();
        pair.client_speaks();
        for &id in &ids[..3] {
            pair.client.reset(id, code::CANCEL, &reason);
        }
        let mut opened = 0;
        while let Some(message) = pair.client.poll_transmit(budget) {
            pair.gateway.handle_message(NOW, &message).expect("well-behaved");
            let told = events(&mut pair.gateway, &message);
            opened += told.iter().filter(|told| matches!(told, Told::Other(Event::Open { .. }))).count();
        }
        assert_eq!(opened, 3, "with a budget of {budget}");
        assert_eq!(pair.gateway_speaks(), [], "nothing was refused");
    }
}

#[test]
fn messages_keep_to_their_budget_unless_one_frame_is_larger() {
    for budget in 0..400 {
        let mut pair = Pair::new();
        let ids = [pair.open(false), pair.open(false)];
        pair.client_speaks();
        for id in ids {
            pair.gateway.send_headers(id, 200, &headers(&[("x", "y")]), false);
            pair.gateway.send_data(id, Bytes::from(vec![0; 50]), false);
            pair.gateway.send_trailers(id, &headers(&[("grpc-status", "0")]));
        }
        while let Some(message) = pair.gateway.poll_transmit(budget) {
            // TRAILERS and the RESET that belongs to them stay together.
            assert!(message.len() <= budget.max(9 + 50), "{} bytes for {budget}", message.len());
            pair.client.handle_message(NOW, &message).expect("well-behaved");
        }
        assert_eq!(pair.gateway.open_streams(), 0);
    }
}

#[test]
fn streams_that_come_and_go_while_nothing_is_sent_leave_no_turns_behind() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    for _ in 0..100 {
        let id = pair.open(false);
        pair.client_speaks();
        pair.gateway.send_headers(id, 200, &headers(&[]), false);
        pair.client.reset(id, code::CANCEL, "");
        pair.client_speaks();
    }
    assert_eq!(pair.gateway.ready.len(), 0);
    assert_eq!(pair.gateway.poll_transmit(BUDGET), None);
}
