//! Peers that break the rules, by hand-written frames: who is told what, and that nothing grows.

use core::time::Duration;

use bytes::Bytes;

use crate::codec::HeaderList;
use crate::codec::tidewire_v1::{Connection, ConnectionError, Event, Limits, Role, code};

const NOW: Duration = Duration::ZERO;
const BUDGET: usize = 64 * 1024;

const HELLO: u8 = 0;
const OPEN: u8 = 1;
const HEADERS: u8 = 2;
const DATA: u8 = 3;
const TRAILERS: u8 = 4;
const RESET: u8 = 5;
const WINDOW: u8 = 6;
const PING: u8 = 7;
const GOAWAY: u8 = 8;
const FIN: u8 = 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(&u32::try_from(payload.len()).expect("small").to_be_bytes()[1..]);
    frame.extend(payload);
    frame
}

fn hello(pairs: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> =
        pairs.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    frame(HELLO, 0, 0, &payload)
}

fn block(headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).expect("short"));
        block.extend(name.as_bytes());
        block.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
        block.extend(*value);
    }
    block
}

fn open_with(id: u32, flags: u8, headers: &[(&str, &[u8])]) -> Vec<u8> {
    frame(OPEN, flags, id, &[&b"\x04POST\x00\x02/a"[..], &block(headers)].concat())
}

fn open(id: u32) -> Vec<u8> {
    open_with(id, 0, &[])
}

fn headers(id: u32, headers: &[(&str, &[u8])]) -> Vec<u8> {
    frame(HEADERS, 0, id, &[&[0, 200][..], &block(headers)].concat())
}

/// A gateway that a client has greeted.
fn gateway() -> Connection {
    let mut gateway = Connection::new(Role::Gateway, Limits::default(), NOW);
    gateway.handle_message(NOW, &hello(&[])).expect("HELLO");
    transmitted(&mut gateway);
    gateway
}

/// A client that a gateway has greeted, with `streams` open.
fn client(streams: u32) -> Connection {
    let mut client = Connection::new(Role::Client, Limits::default(), NOW);
    client.handle_message(NOW, &hello(&[])).expect("HELLO");
    for _ in 0..streams {
        client.open("POST", "/a", &HeaderList::new(), false).expect("open");
    }
    transmitted(&mut client);
    client
}

fn transmitted(of: &mut Connection) -> Vec<u8> {
    std::iter::from_fn(|| of.poll_transmit(BUDGET)).flatten().collect()
}

fn events(of: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| of.poll_event()).collect()
}

fn reset(id: u32, code: u32, reason: &str) -> Event {
    Event::Reset { id, code, reason: reason.into(), sent: true }
}

fn reset_frame(id: u32, code: u32, reason: &str) -> Vec<u8> {
    frame(RESET, 0, id, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

/// The message must end the connection; returns the error, having seen that its owner and the peer are told.
fn fails(connection: &mut Connection, message: &[u8]) -> ConnectionError {
    let error = connection.handle_message(NOW, message).expect_err("the peer broke a rule");
    assert_eq!(connection.open_streams(), 0);
    let said = transmitted(connection);
    let goaway = frame(GOAWAY, 0, 0, &[&error.code.to_be_bytes()[..], error.message.as_bytes()].concat());
    assert!(said.ends_with(&goaway[frame(GOAWAY, 0, 0, &[]).len()..]), "GOAWAY is the last word");
    events(connection);
    connection.handle_message(NOW, &open(99)).expect("nothing is heard any more");
    assert_eq!((events(connection), transmitted(connection)), (vec![], vec![]));
    error
}

#[test]
fn a_broken_grammar_ends_the_connection() {
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("nothing", vec![], "the client sent an empty WebSocket message; each holds at least one frame"),
        (
            "half a frame header",
            vec![DATA, 0, 0],
            "the client sent a WebSocket message that ends inside a frame: 3 of its 9 bytes came",
        ),
        (
            "a length beyond the message",
            [&open(1)[..], &frame(DATA, 0, 1, b"abc")[..11]].concat(),
            "the client sent a WebSocket message that ends inside a frame: 11 of its 12 bytes came",
        ),
        ("a second HELLO", hello(&[]), "the client sent a second HELLO"),
        (
            "a string beyond its payload",
            frame(OPEN, 0, 1, b"\x04POS"),
            "the client sent OPEN with a payload that breaks the grammar",
        ),
        (
            "PING of 7 bytes",
            frame(PING, 0, 0, &[0; 7]),
            "the client sent PING with a payload that breaks the grammar",
        ),
        (
            "PING on a stream",
            frame(PING, 0, 3, &[0; 8]),
            "the client sent a frame of type 7 on stream 3, it belongs on 0",
        ),
        (
            "WINDOW of nothing",
            frame(WINDOW, 0, 0, &[0; 4]),
            "the client sent WINDOW with a payload that breaks the grammar",
        ),
        (
            "RESET without a code",
            frame(RESET, 0, 1, &[0; 3]),
            "the client sent RESET with a payload that breaks the grammar",
        ),
        (
            "GOAWAY without a code",
            frame(GOAWAY, 0, 0, &[0; 7]),
            "the client sent GOAWAY with a payload that breaks the grammar",
        ),
        (
            "DATA on no stream",
            frame(DATA, 0, 0, b"x"),
            "the client sent a frame for stream 0, which was never opened",
        ),
        (
            "DATA before OPEN",
            frame(DATA, 0, 1, b"x"),
            "the client sent a frame for stream 1, which was never opened",
        ),
        (
            "RESET before OPEN",
            reset_frame(1, 8, ""),
            "the client sent a frame for stream 1, which was never opened",
        ),
        (
            "WINDOW before OPEN",
            frame(WINDOW, 0, 7, &[0, 0, 0, 1]),
            "the client sent a frame for stream 7, which was never opened",
        ),
        (
            "an id again",
            [open(1), open(1)].concat(),
            "the client opened stream 1 after stream 1; ids must grow",
        ),
        (
            "a smaller id",
            [open(5), open(3)].concat(),
            "the client opened stream 3 after stream 5; ids must grow",
        ),
        (
            "HEADERS from a client",
            [open(1), headers(1, &[])].concat(),
            "the client sent a frame of type 2, which is not its to send",
        ),
        (
            "TRAILERS from a client",
            [open(1), frame(TRAILERS, 0, 1, &[])].concat(),
            "the client sent a frame of type 4, which is not its to send",
        ),
    ];
    for (what, message, said) in cases {
        let error = fails(&mut gateway(), message);
        assert_eq!((error.code, error.message.as_str()), (code::PROTOCOL_ERROR, *said), "{what}");
    }
    let error = fails(&mut client(0), &open(1));
    assert_eq!(error.message, "the gateway sent a frame of type 1, which is not its to send");
}

#[test]
fn hello_comes_first_and_lowers_nothing() {
    for (message, said) in [
        (open(1), "the client began with a frame of type 1, not with HELLO"),
        (frame(HELLO, 0, 0, &[0; 5]), "the client sent HELLO with a payload that breaks the grammar"),
        (
            hello(&[(1, 100)]),
            "the client announced a stream window of 100 in HELLO; 65536 to 2147483647 are allowed",
        ),
        (
            hello(&[(2, 1 << 31)]),
            "the client announced a connection window of 2147483648 in HELLO; 1048576 to 2147483647 are allowed",
        ),
    ] {
        let error = fails(&mut Connection::new(Role::Gateway, Limits::default(), NOW), &message);
        assert_eq!((error.code, error.message.as_str()), (code::PROTOCOL_ERROR, said));
    }
}

#[test]
fn what_a_later_v1_may_add_is_skipped() {
    let mut gateway = Connection::new(Role::Gateway, Limits::default(), NOW);
    let message = [
        hello(&[(77, 0)]),
        frame(0x42, 0xff, 5, b"whatever"),
        open_with(1, 0xfe, &[]),
        frame(DATA, 0xfe, 1, b"x"),
        frame(0xff, 0, 0, &[]),
    ]
    .concat();
    gateway.handle_message(NOW, &message).expect("skipped");
    let told = events(&mut gateway);
    assert!(matches!(told[0], Event::Open { id: 1, fin: false, .. }));
    assert!(matches!(told[1], Event::Data { id: 1, fin: false, .. }));
    assert_eq!(told.len(), 2);
}

#[test]
fn more_data_than_the_windows_allow_ends_the_connection() {
    let piece = |id| frame(DATA, 0, id, &[0; 16_000]);
    let mut one = gateway();
    one.handle_message(NOW, &open(3)).expect("OPEN");
    for _ in 0..4 {
        one.handle_message(NOW, &piece(3)).expect("within the window");
    }
    let error = fails(&mut one, &piece(3));
    assert_eq!(error.code, code::FLOW_CONTROL_ERROR);
    assert_eq!(error.message, "the client sent 16000 bytes on stream 3, 1536 were allowed");

    let mut many = gateway();
    for id in 1..=16 {
        many.handle_message(NOW, &open(id)).expect("OPEN");
        for _ in 0..4 {
            many.handle_message(NOW, &piece(id)).expect("within both windows");
        }
    }
    many.handle_message(NOW, &[open(17), piece(17)].concat()).expect("the last that fits");
    let error = fails(&mut many, &[piece(17), piece(17)].concat());
    assert_eq!(error.message, "the client sent 16000 bytes on the connection, 8576 were allowed");
}

#[test]
fn a_frame_or_message_above_the_limit_ends_the_connection() {
    let error = fails(&mut gateway(), &[open(1), frame(DATA, 0, 1, &[0; 16_385])].concat());
    assert_eq!(error.code, code::FRAME_SIZE_ERROR);
    assert_eq!(error.message, "the client sent 16385 bytes in one DATA frame, 16384 were allowed");

    let error = fails(&mut gateway(), &frame(0x42, 0, 0, &[0; 65_536]));
    assert_eq!(error.code, code::FRAME_SIZE_ERROR);
    assert_eq!(error.message, "the client sent a WebSocket message of 65545 bytes, 65536 were allowed");
}

#[test]
fn a_window_above_the_maximum_ends_the_connection() {
    let most = frame(WINDOW, 0, 0, &0x7fff_ffff_u32.to_be_bytes());
    let error = fails(&mut gateway(), &most);
    assert_eq!(error.code, code::FLOW_CONTROL_ERROR);
    assert_eq!(error.message, "the client raised the window of stream 0 above 2^31-1 (0 is the connection)");

    let stream = frame(WINDOW, 0, 1, &u32::MAX.to_be_bytes());
    assert_eq!(fails(&mut gateway(), &[open(1), stream].concat()).code, code::FLOW_CONTROL_ERROR);
}

#[test]
fn what_is_wrong_in_one_call_ends_only_that_call() {
    let long = [b'y'; 16_384];
    let many: Vec<(&str, &[u8])> = (0..500).map(|_| ("x", &b""[..])).collect();
    let cases: &[(Vec<u8>, u32, &str)] = &[
        (
            open_with(1, 0, &[("Upper", b"")]),
            code::PROTOCOL_ERROR,
            "the client sent a header name that is no lower-case HTTP token in OPEN",
        ),
        (
            open_with(1, 0, &[(":path", b"")]),
            code::PROTOCOL_ERROR,
            "the client sent a header name that is no lower-case HTTP token in OPEN",
        ),
        (
            open_with(1, 0, &[("x", b"a\r\nb: c")]),
            code::PROTOCOL_ERROR,
            "the client sent a control character in a header value in OPEN",
        ),
        (
            frame(OPEN, 0, 1, b"\x01 \x00\x02/a"),
            code::PROTOCOL_ERROR,
            "the client sent a method that is no HTTP token in OPEN",
        ),
        (
            frame(OPEN, 0, 1, b"\x03GET\x00\x03/\xc3\xa4"),
            code::PROTOCOL_ERROR,
            "the client sent a path that does not begin with '/' or is not printable ASCII in OPEN",
        ),
        (
            open_with(1, 0, &[("x", &long)]),
            code::ENHANCE_YOUR_CALM,
            "the client sent 16397 bytes of OPEN (each header counts 32 more), 16384 are allowed",
        ),
        (
            open_with(1, 0, &many),
            code::ENHANCE_YOUR_CALM,
            "the client sent 16409 bytes of OPEN (each header counts 32 more), 16384 are allowed",
        ),
    ];
    for (message, code, reason) in cases {
        let mut gateway = gateway();
        let rest = [frame(DATA, 0, 1, b"for a stream that is no more"), open(2)].concat();
        gateway.handle_message(NOW, &[message.clone(), rest].concat()).expect("one call");
        assert!(matches!(events(&mut gateway)[..], [Event::Open { id: 2, .. }]), "{reason}");
        assert_eq!(transmitted(&mut gateway), reset_frame(1, *code, reason));
    }
}

#[test]
fn an_answer_out_of_order_ends_only_that_call() {
    let ended = frame(DATA, FIN, 1, b"");
    let cases: &[(&[Vec<u8>], u32, &str)] = &[
        (&[frame(DATA, 0, 1, b"x")], code::PROTOCOL_ERROR, "the gateway sent DATA before HEADERS"),
        (&[frame(TRAILERS, 0, 1, b"")], code::PROTOCOL_ERROR, "the gateway sent TRAILERS before HEADERS"),
        (&[headers(1, &[]), headers(1, &[])], code::PROTOCOL_ERROR, "the gateway sent HEADERS twice"),
        (
            &[headers(1, &[]), ended.clone(), frame(DATA, 0, 1, b"x")],
            code::STREAM_CLOSED,
            "the gateway sent DATA after the end",
        ),
        (
            &[headers(1, &[]), ended.clone(), ended.clone()],
            code::STREAM_CLOSED,
            "the gateway sent DATA after the end",
        ),
        (
            &[frame(HEADERS, 0, 1, &[0, 100])],
            code::PROTOCOL_ERROR,
            "the gateway sent a status outside 200 to 999 in HEADERS",
        ),
        (
            &[headers(1, &[("x", &[b'y'; 16_384])])],
            code::ENHANCE_YOUR_CALM,
            "the gateway sent 16390 bytes of HEADERS (each header counts 32 more), 16384 are allowed",
        ),
    ];
    for (frames, code, reason) in cases {
        let mut client = client(2);
        client.handle_message(NOW, &[frames.concat(), headers(2, &[])].concat()).expect("one call");
        let told = events(&mut client);
        assert!(told.contains(&reset(1, *code, reason)), "{reason}: {told:?}");
        assert!(matches!(told.last(), Some(Event::Headers { id: 2, .. })));
        assert_eq!(transmitted(&mut client), reset_frame(1, *code, reason));
        assert_eq!(client.open_streams(), 1);
    }
}

#[test]
fn data_after_a_streams_half_ended_is_given_back() {
    let mut gateway = gateway();
    for id in 1..=200 {
        let frames = [open_with(id, FIN, &[]), frame(DATA, 0, id, &[0; 16_000])].concat();
        gateway.handle_message(NOW, &frames).expect("1 MiB would be used up at stream 66");
        let reason = "the client sent DATA after the end";
        assert_eq!(events(&mut gateway).last(), Some(&reset(id, code::STREAM_CLOSED, reason)));
        transmitted(&mut gateway);
    }
}

#[test]
fn pings_that_flood_are_answered_while_the_answers_are_read_and_end_the_connection_when_not() {
    let pings = frame(PING, 0, 0, &[7; 8]).repeat(3000);
    let mut gateway = gateway();
    for _ in 0..100 {
        gateway.handle_message(NOW, &pings).expect("they are read");
        assert_eq!(transmitted(&mut gateway), frame(PING, 1, 0, &[7; 8]).repeat(3000));
    }
    let error = (0..100).find_map(|_| gateway.handle_message(NOW, &pings).err()).expect("a bound");
    assert_eq!(error.code, code::ENHANCE_YOUR_CALM);
    assert_eq!(error.message, "the client asks and does not read the answers");
    assert!(transmitted(&mut gateway).len() < 2 * 1024 * 1024);
}

#[test]
fn opens_that_flood_are_refused_and_the_refusals_are_bounded() {
    let mut gateway = gateway();
    let mut id = 0;
    let error = std::iter::from_fn(|| {
        let message: Vec<u8> = (0..1000)
            .flat_map(|_| {
                id += 1;
                open(id)
            })
            .collect();
        Some(gateway.handle_message(NOW, &message).err())
    })
    .take(100)
    .find_map(|error| error);
    assert_eq!(error.expect("a bound").code, code::ENHANCE_YOUR_CALM);
    let told = events(&mut gateway);
    assert_eq!(told.iter().filter(|event| matches!(event, Event::Open { .. })).count(), 100);
}

#[test]
fn frames_that_say_nothing_leave_nothing_behind() {
    let mut gateway = gateway();
    gateway.handle_message(NOW, &[open(1), open(2), reset_frame(2, 8, "")].concat()).expect("fine");
    events(&mut gateway);
    for flood in
        [frame(DATA, 0, 1, b""), frame(DATA, 0, 2, b""), reset_frame(2, 8, ""), frame(0x42, 0, 1, b"")]
    {
        gateway.handle_message(NOW, &flood.repeat(5000)).expect("allowed");
        assert_eq!((events(&mut gateway), transmitted(&mut gateway)), (vec![], vec![]));
    }
    let windows = [frame(WINDOW, 0, 1, &[0, 0, 0, 1]), frame(WINDOW, 0, 0, &[0, 0, 0, 1])].concat();
    gateway.handle_message(NOW, &windows.repeat(2000)).expect("allowed");
    assert_eq!((events(&mut gateway), transmitted(&mut gateway)), (vec![], vec![]));
}

#[test]
fn windows_that_trickle_in_still_carry_all() {
    let mut client = client(1);
    client.send_data(1, Bytes::from(vec![1; 65_536 + 10]), true);
    transmitted(&mut client);
    for left in (0..10).rev() {
        client.handle_message(NOW, &frame(WINDOW, 0, 1, &[0, 0, 0, 1])).expect("WINDOW");
        assert_eq!(transmitted(&mut client), frame(DATA, u8::from(left == 0), 1, &[1]));
    }
}

#[test]
fn a_reason_is_cut_at_a_character_and_read_whatever_its_bytes() {
    let mut client = client(2);
    client.reset(1, code::CANCEL, &"ä".repeat(1000));
    assert_eq!(transmitted(&mut client), reset_frame(1, code::CANCEL, &"ä".repeat(128)));
    client.handle_message(NOW, &frame(RESET, 0, 2, &[0, 0, 0, 8, b'a', 0xff])).expect("RESET");
    assert_eq!(events(&mut client), [reset(2, code::CANCEL, "a\u{fffd}")]);
}

#[test]
fn when_the_connection_fails_every_stream_is_told_why() {
    let mut client = client(1);
    client.open("POST", "/a", &HeaderList::new(), false).expect("open");
    let message = [headers(1, &[]), frame(DATA, 0, 9, b"")].concat();
    client.handle_message(NOW, &message).expect_err("stream 9");
    let said = "the gateway sent a frame for stream 9, which was never opened";
    let unsent = Event::Reset { id: 2, code: code::REFUSED_STREAM, reason: said.into(), sent: false };
    assert_eq!(events(&mut client)[1..], [reset(1, code::PROTOCOL_ERROR, said), unsent]);
}
