//! A client and a gateway joined without a network: what each of the two promises.

use core::time::Duration;

use bytes::Bytes;

use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Connection, Event, Limits, OpenError, Role, code};

const NOW: Duration = Duration::ZERO;
const BUDGET: usize = 64 * 1024;

/// What one side was told, DATA with its bytes.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Bytes(u32, Vec<u8>, bool),
    Other(Event),
}

struct Pair {
    client: Connection,
    gateway: Connection,
}

impl Pair {
    fn new() -> Self {
        Self::with(Limits::default(), Limits::default())
    }

    fn with(client: Limits, gateway: Limits) -> Self {
        Self {
            client: Connection::new(Role::Client, client, NOW),
            gateway: Connection::new(Role::Gateway, gateway, NOW),
        }
    }

    /// One whose two HELLOs have been read.
    fn greeted(client: Limits, gateway: Limits) -> Self {
        let mut pair = Self::with(client, gateway);
        assert_eq!(pair.client_speaks(), []);
        assert_eq!(pair.gateway_speaks(), []);
        pair
    }

    /// Carries all that the client has to say; returns what the gateway was told.
    fn client_speaks(&mut self) -> Vec<Told> {
        carry(&mut self.client, &mut self.gateway)
    }

    fn gateway_speaks(&mut self) -> Vec<Told> {
        carry(&mut self.gateway, &mut self.client)
    }

    fn open(&mut self, fin: bool) -> u32 {
        self.client.open("POST", "/a.B/C", &headers(&[("te", "trailers")]), fin).expect("open")
    }
}

fn carry(from: &mut Connection, to: &mut Connection) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(message) = from.poll_transmit(BUDGET) {
        to.handle_message(NOW, &message).expect("a well-behaved peer");
        told.extend(events(to, &message));
    }
    told
}

fn events(of: &mut Connection, message: &[u8]) -> Vec<Told> {
    std::iter::from_fn(|| of.poll_event())
        .map(|event| match event {
            Event::Data { id, range, fin } => Told::Bytes(id, message[range].to_vec(), fin),
            other => Told::Other(other),
        })
        .collect()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn opened(id: u32, fin: bool) -> Told {
    let headers = headers(&[("te", "trailers")]);
    Told::Other(Event::Open { id, method: "POST".into(), path: "/a.B/C".into(), headers, fin })
}

fn answered(id: u32, fin: bool) -> Told {
    Told::Other(Event::Headers { id, status: 200, headers: headers(&[]), fin })
}

fn bytes(id: u32, data: &str, fin: bool) -> Told {
    Told::Bytes(id, data.as_bytes().to_vec(), fin)
}

fn reset(id: u32, code: u32, reason: &str, sent: bool) -> Told {
    Told::Other(Event::Reset { id, code, reason: reason.into(), sent })
}

fn writable(id: u32) -> Told {
    Told::Other(Event::Writable { id })
}

fn body(told: &[Told], id: u32) -> usize {
    told.iter()
        .map(|told| {
            if let Told::Bytes(of, data, _) = told
                && *of == id
            {
                data.len()
            } else {
                0
            }
        })
        .sum()
}

#[test]
fn a_bidirectional_stream_from_open_to_trailers() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from_static(b"one"), false);
    assert_eq!(pair.client_speaks(), [opened(id, false), bytes(id, "one", false)]);

    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    pair.gateway.send_data(id, Bytes::from_static(b"hello one"), false);
    assert_eq!(pair.gateway_speaks(), [answered(id, false), bytes(id, "hello one", false)]);

    pair.client.send_data(id, Bytes::new(), true);
    assert_eq!(pair.client_speaks(), [bytes(id, "", true)]);

    pair.gateway.send_data(id, Bytes::from_static(b"bye"), false);
    pair.gateway.send_trailers(id, &headers(&[("grpc-status", "0")]));
    let trailers = Told::Other(Event::Trailers { id, headers: headers(&[("grpc-status", "0")]) });
    assert_eq!(pair.gateway_speaks(), [bytes(id, "bye", false), trailers]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn hello_open_body_and_half_close_leave_in_one_message() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client.send_data(id, Bytes::from_static(b"all"), false);
    pair.client.send_data(id, Bytes::from_static(b" of it"), true);
    let message = pair.client.poll_transmit(BUDGET).expect("a message");
    assert_eq!(pair.client.poll_transmit(BUDGET), None);
    pair.gateway.handle_message(NOW, &message).expect("well-behaved");
    let told = events(&mut pair.gateway, &message);
    assert_eq!(told, [opened(id, false), bytes(id, "all of it", true)]);
}

#[test]
fn an_answer_without_a_body_is_one_frame() {
    let mut pair = Pair::new();
    let id = pair.open(true);
    assert_eq!(pair.client_speaks(), [opened(id, true)]);
    pair.gateway.send_headers(id, 200, &headers(&[]), true);
    assert_eq!(pair.gateway_speaks(), [answered(id, true)]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn data_waits_for_the_head_of_its_half() {
    let mut pair = Pair::new();
    let id = pair.open(true);
    pair.client_speaks();
    pair.gateway.send_data(id, Bytes::from_static(b"early"), true);
    assert_eq!(pair.gateway_speaks(), []);
    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    assert_eq!(pair.gateway_speaks(), [answered(id, false), bytes(id, "early", true)]);
}

#[test]
fn an_answer_that_ends_before_the_request_stops_the_request() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.gateway.send_headers(id, 200, &headers(&[]), false);
    pair.gateway.send_trailers(id, &headers(&[]));
    pair.gateway.reset(id, code::NO_ERROR, "as a relay might, too");
    let trailers = Told::Other(Event::Trailers { id, headers: headers(&[]) });
    assert_eq!(pair.gateway_speaks(), [answered(id, false), trailers, reset(id, code::NO_ERROR, "", true)]);

    pair.client.send_data(id, Bytes::from_static(b"late"), true);
    assert_eq!(pair.client_speaks(), []);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn a_reset_crosses_with_its_code_and_reason_and_drops_what_was_queued() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.client.send_data(id, Bytes::from_static(b"never sent"), false);
    pair.client.reset(id, code::CANCEL, "left the page");
    assert_eq!(pair.client_speaks(), [reset(id, code::CANCEL, "left the page", true)]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
    assert_eq!(events(&mut pair.client, &[]), []);
}

#[test]
fn both_sides_may_reset_at_once() {
    let mut pair = Pair::new();
    let id = pair.open(false);
    pair.client_speaks();
    pair.client.reset(id, code::CANCEL, "");
    pair.gateway.reset(id, code::INTERNAL_ERROR, "");
    assert_eq!(pair.client_speaks(), []);
    assert_eq!(pair.gateway_speaks(), []);
}

#[test]
fn a_stream_whose_open_was_not_sent_vanishes_without_a_byte() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let gone = pair.open(false);
    let kept = pair.open(true);
    pair.client.reset(gone, code::CANCEL, "");
    assert_eq!(pair.client_speaks(), [opened(kept, true)]);
}

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
fn a_gateway_that_drains_finishes_what_is_open_and_takes_nothing_new() {
    let mut pair = Pair::greeted(Limits::default(), Limits { max_streams: 2, ..Limits::default() });
    let open = pair.open(true);
    pair.client_speaks();
    pair.gateway.go_away(code::NO_ERROR, "restart");
    let crossing = pair.open(true);
    let waiting = pair.open(true);
    assert_eq!(pair.client_speaks(), []);
    let goaway = Told::Other(Event::GoAway { last: open, code: code::NO_ERROR, reason: "restart".into() });
    assert_eq!(
        pair.gateway_speaks(),
        [
            goaway,
            reset(crossing, code::REFUSED_STREAM, "restart", true),
            reset(waiting, code::REFUSED_STREAM, "restart", false),
        ]
    );
    assert_eq!(pair.client.open("POST", "/a", &headers(&[]), true), Err(OpenError::GoingAway));

    pair.gateway.send_headers(open, 200, &headers(&[]), true);
    assert_eq!(pair.gateway_speaks(), [answered(open, true)]);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn a_lost_socket_ends_every_stream_and_tells_which_never_left() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let left = pair.open(false);
    pair.client_speaks();
    let unsent = pair.open(false);
    pair.client.handle_closed("the socket closed with 1006");
    assert_eq!(
        events(&mut pair.client, &[]),
        [
            reset(left, code::CONNECT_ERROR, "the socket closed with 1006", true),
            reset(unsent, code::REFUSED_STREAM, "the socket closed with 1006", false),
        ]
    );
    assert_eq!(pair.client.open("POST", "/a", &headers(&[]), true), Err(OpenError::Closed));
    assert_eq!(pair.client.poll_transmit(BUDGET), None);
    assert_eq!(pair.client.poll_timeout(), None);
}

#[test]
fn a_silent_peer_is_pinged_and_an_answer_keeps_it_alive() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let at = pair.client.poll_timeout().expect("keep-alive");
    assert_eq!(at, Duration::from_secs(20));
    pair.client.handle_timeout(at).expect("only asks");
    let ping = pair.client.poll_transmit(BUDGET).expect("PING");
    pair.gateway.handle_message(at, &ping).expect("PING");
    let pong = pair.gateway.poll_transmit(BUDGET).expect("ACK");
    pair.client.handle_message(at, &pong).expect("ACK");
    assert_eq!(pair.client.poll_transmit(BUDGET), None, "an ACK is not answered");
    assert_eq!(pair.client.poll_timeout(), Some(at + Duration::from_secs(20)));
}

#[test]
fn a_dead_peer_ends_every_stream() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let id = pair.open(false);
    pair.client_speaks();
    pair.client.handle_timeout(Duration::from_secs(20)).expect("only asks");
    let error = pair.client.handle_timeout(Duration::from_secs(40)).expect_err("dead");
    let said = "the gateway has sent nothing for 40 s and did not answer a PING";
    assert_eq!(error.message, said);
    assert_eq!(events(&mut pair.client, &[]), [reset(id, code::CONNECT_ERROR, said, true)]);
}

#[test]
fn headers_that_the_peer_does_not_take_are_not_sent() {
    let mut pair = Pair::greeted(Limits::default(), Limits::default());
    let many: HeaderList = (0..500).map(|n| (format!("h{n}"), Vec::new())).collect();
    let Err(OpenError::TooLarge { size, limit: 16_384 }) = pair.client.open("POST", "/a", &many, true) else {
        panic!("500 headers count 16,000 bytes more than they have");
    };
    assert!(size > 500 * 32);
    assert_eq!(pair.client.open_streams(), 0);

    let (large, bad) = (pair.open(true), pair.open(true));
    pair.client_speaks();
    pair.gateway.send_headers(large, 200, &headers(&[("x", &"y".repeat(20_000))]), false);
    pair.gateway.send_headers(bad, 200, &headers(&[]), false);
    pair.gateway.send_trailers(bad, &headers(&[("Upper", "")]));
    let too_large = reset(
        large,
        code::ENHANCE_YOUR_CALM,
        "the response headers take 20038 bytes (each header counts 32 more), the client takes 16384",
        true,
    );
    let forbidden = "the trailers have a header name that is no lower-case HTTP token";
    let forbidden = reset(bad, code::INTERNAL_ERROR, forbidden, true);
    assert_eq!(events(&mut pair.gateway, &[]), [too_large, forbidden]);
    assert_eq!(pair.gateway_speaks().len(), 2);
    assert_eq!((pair.client.open_streams(), pair.gateway.open_streams()), (0, 0));
}

#[test]
fn what_http_forbids_is_not_opened() {
    let mut pair = Pair::new();
    for (method, path, name, value) in [
        ("", "/a", "x", "y"),
        ("PO ST", "/a", "x", "y"),
        ("POST", "a", "x", "y"),
        ("POST", "/a b", "x", "y"),
        ("POST", "/a\r\n", "x", "y"),
        ("POST", "/a", "", "y"),
        ("POST", "/a", "X", "y"),
        ("POST", "/a", ":path", "y"),
        ("POST", "/a", "x", "a\nb"),
        ("POST", "/a", "x", "a\0b"),
    ] {
        let opened = pair.client.open(method, path, &headers(&[(name, value)]), true);
        assert!(matches!(opened, Err(OpenError::Invalid(_))), "{method:?} {path:?} {name:?} {value:?}");
    }
    assert_eq!(pair.client.open_streams(), 0);
    assert!(matches!(pair.gateway.open("POST", "/", &headers(&[]), true), Err(OpenError::Invalid(_))));
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
