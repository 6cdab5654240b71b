//! The end of the connection: drain, loss, silence.

use core::time::Duration;

use super::{BUDGET, Pair, Told, answered, events, headers, reset};
use crate::codec::tidewire_v1::{Event, Limits, OpenError, code};

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
