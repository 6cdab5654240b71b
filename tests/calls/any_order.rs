//! Commands, inputs and time in any order: the contract of a call holds.
//!
//! The harness checks the rules that need no history (see `harness/exchange.rs`: one end and it is last, the transport
//! lets go first, nothing after that, no data after the half-close, no more given back than came). Here a second, much
//! simpler account of the call is kept beside it, and the two have to agree after every step.

mod account;

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::Setup;
use crate::harness::wire::Wire;
use account::Account;
use tidewire::call::CallKind;

/// Small enough that random messages reach them.
const WINDOW: usize = 300;
const MAX_MESSAGE: usize = 60;

/// One thing that may happen.
#[derive(Clone, Debug)]
enum Op {
    Open,
    Send(Vec<u8>),
    CloseSend,
    Cancel,
    /// The reader takes the oldest message that it was told.
    Take,
    /// The peer writes into the pipe to us.
    Writes(Written),
    /// So many bytes of the pipe arrive as one chunk.
    Arrives(usize),
    /// HTTP's own headers: good, or an answer of something else.
    Http(u16),
    /// The body ends, with or without trailers of this status.
    Ends(Option<u8>),
    Reset(u32, bool),
    ConnectionFails,
    /// The platform has inflated what it was to.
    Inflates,
    /// The platform has compressed what it was to.
    Deflates,
    /// Time passes; the timer fires when due, or is late.
    Passes(u64, bool),
}

#[derive(Clone, Debug)]
enum Written {
    Message(Vec<u8>),
    /// In gzip.
    Compressed(Vec<u8>),
    Headers,
    Trailers(u8),
    CompressedTrailers(u8),
    Garbage(Vec<u8>),
}

/// What may end a call is rare, or none would live long enough to be interesting.
fn op() -> impl Strategy<Value = Op> {
    prop_oneof![50 => goes_on(), 1 => may_end()]
}

fn goes_on() -> impl Strategy<Value = Op> {
    let message = || bytes(0..MAX_MESSAGE + 1).prop_map(|payload| Op::Writes(Written::Message(payload)));
    prop_oneof![
        3 => bytes(0..20).prop_map(Op::Send),
        5 => Just(Op::Take),
        5 => message(),
        3 => Just(Op::Writes(Written::Message(Vec::new()))),
        2 => compressed(0..MAX_MESSAGE + 1),
        5 => Just(Op::Inflates),
        3 => Just(Op::Deflates),
        8 => prop_oneof![1..8usize, 8..200usize].prop_map(Op::Arrives),
        2 => (0..20u64, any::<bool>()).prop_map(|(millis, late)| Op::Passes(millis, late)),
    ]
}

fn may_end() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Open),
        Just(Op::CloseSend),
        Just(Op::Cancel),
        Just(Op::Writes(Written::Headers)),
        Just(Op::Writes(Written::Message(vec![7; MAX_MESSAGE + 1]))),
        prop_oneof![Just(0), 0..20u8].prop_map(|code| Op::Writes(Written::Trailers(code))),
        prop_oneof![Just(0), 0..20u8].prop_map(|code| Op::Writes(Written::CompressedTrailers(code))),
        compressed(MAX_MESSAGE + 1..1_000),
        vec(any::<u8>(), 1..30).prop_map(|garbage| Op::Writes(Written::Garbage(garbage))),
        prop_oneof![Just(200u16), any::<u16>()].prop_map(Op::Http),
        proptest::option::of(0..2u8).prop_map(Op::Ends),
        (0..0x10u32, any::<bool>()).prop_map(|(code, sent)| Op::Reset(code, sent)),
        Just(Op::ConnectionFails),
    ]
}

/// Of one byte again and again, since what comes compressed has a limit too.
fn compressed(length: Range<usize>) -> impl Strategy<Value = Op> {
    (length, any::<u8>()).prop_map(|(length, byte)| Op::Writes(Written::Compressed(vec![byte; length])))
}

/// Not byte by byte: that costs most of the time of a run.
fn bytes(length: Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    (length, any::<u8>())
        .prop_map(|(length, first)| (0..length).map(|i| first.wrapping_add(i as u8)).collect())
}

fn kind() -> impl Strategy<Value = CallKind> {
    prop_oneof![
        1 => Just(CallKind::Unary),
        3 => Just(CallKind::ServerStream),
        1 => Just(CallKind::ClientStream),
        3 => Just(CallKind::Bidi),
    ]
}

/// Most calls begin as they should, or few would come far.
fn beginning() -> impl Strategy<Value = Vec<Op>> {
    let headers = [Op::Http(200), Op::Writes(Written::Headers), Op::Arrives(400)];
    let opens = |then: &[Op]| Just([&[Op::Open], then].concat());
    prop_oneof![
        1 => Just(vec![]),
        1 => opens(&[]),
        1 => opens(&[&[Op::CloseSend], headers.as_slice()].concat()),
        8 => opens(&headers),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    (beginning(), vec(op(), 0..120)).prop_map(|(first, then)| [first, then].concat())
}

fn holds_over(wire: Wire) {
    // Four kinds share the cases.
    let config = ProptestConfig { cases: 2 * ProptestConfig::default().cases, ..no_files() };
    let deadline = || proptest::option::of(0..200u64);
    proptest!(config, |(kind in kind(), gzip in any::<bool>(), deadline in deadline(), ops in ops())| {
        let setup = Setup::new(kind).window(WINDOW).max_message(MAX_MESSAGE);
        let setup = deadline.into_iter().fold(setup, Setup::deadline);
        let setup = if gzip { setup.gzip() } else { setup };
        let mut account = Account::new(setup.over(wire), kind, gzip);
        for op in ops {
            account.plays(op);
        }
        account.closes();
    });
}

fn no_files() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn the_contract_holds_over_native_grpc() {
    holds_over(Wire::Grpc);
}

#[test]
fn the_contract_holds_over_grpc_web() {
    holds_over(Wire::GrpcWeb);
}

#[test]
fn the_contract_holds_over_grpc_web_text() {
    holds_over(Wire::GrpcWebText);
}

#[test]
fn the_contract_holds_over_grpc_websockets() {
    holds_over(Wire::GrpcWebSockets);
}
