//! Bodies for a caller that frames and compresses for itself: envelopes pass as they stand, whatever the cutting, and the
//! end is told as to any other caller.

use proptest::collection::vec;
use proptest::prelude::*;
use tidewire::codec::envelope::{self, Payload};
use tidewire::codec::framed::{Framed, Own, Shape};
use tidewire::codec::{Frame, HeaderList, Protocol, text};
use tidewire::status::Code;

use super::replay::{ALL, Answer, BARE, HTTP, Heard, MAX_MESSAGE, WEB, Wire, answer};

fn shape(wire: Wire) -> Shape {
    match wire {
        Wire::Native => Shape::Grpc { last: 0 },
        Wire::Binary | Wire::Sockets => Shape::Grpc { last: 0x80 },
        Wire::Text | Wire::PaddedText => Shape::Text,
        Wire::Connect => Shape::Connect,
        bare => Shape::Bare { is_inflated: bare == Wire::ConnectUnary },
    }
}

fn framed(wire: Wire, answer: &Answer) -> Framed {
    let accept = Some(b"zstd, gzip".to_vec());
    let own = Own { accept, max: MAX_MESSAGE, single: answer.is_single(), ..Own::default() };
    Framed::new(wire.protocol_with(answer.accepted()), shape(wire), own)
}

/// All that passes, as one message.
fn passed(answer: &Answer, wire: Wire) -> Heard {
    answer.replay_as(wire, &|chunks| {
        let mut heard = answer.heard_by(Box::new(framed(wire, answer)), wire, chunks);
        heard.messages = vec![heard.messages.concat()];
        heard
    })
}

#[test]
fn messages_pass_with_their_envelopes_and_the_end_is_that_of_any_caller() {
    let answer = answer().message("one").message("").message([7; 300]);
    let framed =
        [envelope::encode(0, b"one"), envelope::encode(0, b""), envelope::encode(0, &[7; 300])].concat();
    let ended = answer.clone().trailers(&[("grpc-status", "5"), ("grpc-message", "none"), ("x-last", "1")]);
    for wire in ALL {
        let heard = passed(&ended, wire);
        assert_eq!(heard.messages, std::slice::from_ref(&framed), "{wire:?}");
        assert_eq!((heard.status.code, heard.status.message.as_str()), (Code::NotFound, "none"));
        assert_eq!(heard.trailers, ended.replay(wire).trailers);
    }
    let connect = answer.end_stream(r#"{"metadata":{"x-last":["1"]}}"#);
    let heard = passed(&connect, Wire::Connect);
    assert_eq!(heard.messages, [framed]);
    assert!(heard.status.is_ok());
    assert_eq!(heard.trailer("x-last"), ["1"]);
}

#[test]
fn messages_of_one_chunk_are_one_piece_of_it() {
    let answer = answer().message("one").message("two");
    let body = answer.written(Wire::Native);
    let mut protocol = framed(Wire::Native, &answer);
    protocol.handle_headers(200, &mut HeaderList::from_iter([("content-type", "application/grpc")])).unwrap();
    for chunk in [&body[..], &body[..7], &body[7..]] {
        let mut at = 0;
        let frame = protocol.next(chunk, &mut at).unwrap();
        assert_eq!(frame, Some(Frame::Message(Payload::InChunk(0..chunk.len()))));
        assert_eq!(protocol.next(chunk, &mut at).unwrap(), None);
    }
}

#[test]
fn compressed_messages_pass_whatever_the_encoding_while_trailers_are_read() {
    for encoding in ["gzip", "zstd"] {
        let answer = answer().header("grpc-encoding", encoding).raw(envelope::encode(1, b"zip")).ok();
        for wire in ALL {
            let heard = passed(&answer, wire);
            assert_eq!(heard.messages, [envelope::encode(1, b"zip")], "{wire:?}");
            assert!(heard.status.is_ok(), "{heard:?}");
        }
    }
    let block = super::gzip::deflate(b"grpc-status: 0\r\n");
    let answer = answer().gzip().message("one").raw(envelope::encode(0x81, &block));
    for wire in WEB {
        assert!(passed(&answer, wire).status.is_ok(), "{wire:?}");
    }
}

#[test]
fn an_encoding_that_the_caller_does_not_take_harms_nothing_before_a_message_has_it() {
    let named = answer().accepting_gzip().header("grpc-encoding", "foo").message("one");
    for wire in HTTP {
        let heard = passed(&named.clone().ok(), wire);
        assert_eq!(heard.messages, [envelope::encode(0, b"one")], "{wire:?}");
        assert!(heard.status.is_ok(), "{heard:?}");
        assert!(heard.headers.iter().all(|headers| headers.first("grpc-encoding").is_none()), "{heard:?}");
        let heard = passed(&named.clone().raw(envelope::encode(1, b"zip")).ok(), wire);
        assert_eq!(heard.messages, [envelope::encode(0, b"one")], "{wire:?}");
        heard.is_broken("compressed message");
    }
}

#[test]
fn what_is_refused_is_refused_behind_what_came_before() {
    for flags in [0x04, 0x7e, 0xff] {
        for wire in HTTP {
            let heard = passed(&answer().message("one").raw(envelope::encode(flags, b"x")), wire);
            assert_eq!(heard.messages, [envelope::encode(0, b"one")], "{wire:?}");
            heard.is_broken(&format!("flags {flags}"));
        }
    }
    // Where it is cut decides how much of the prefix passes; never all of it, which the caller would refuse in other words.
    let large = answer().message("one").raw([0, 0, 0, 0x10, 0]);
    let before = envelope::encode(0, b"one");
    for wire in ALL {
        let heard = large.replay_as(wire, &|chunks| {
            let mut heard = large.heard_by(Box::new(framed(wire, &large)), wire, chunks);
            let mut messages = heard.messages.concat();
            assert!((before.len()..before.len() + 5).contains(&messages.len()), "{heard:?}");
            messages.truncate(before.len());
            heard.messages = vec![messages];
            heard
        });
        assert_eq!(heard.messages, std::slice::from_ref(&before), "{wire:?}");
        assert_eq!(heard.status.code, Code::ResourceExhausted, "{heard:?}");
        assert!(heard.status.message.contains("4096 bytes"), "{heard:?}");
    }
}

#[test]
fn an_end_inside_a_message_is_no_end() {
    let cut = answer().message("one").raw(&envelope::encode(0, b"two")[..6]);
    for wire in ALL {
        passed(&cut, wire).is_broken("3 bytes were promised, 1 came");
    }
    passed(&cut.clone().ok(), Wire::Native).is_broken("3 bytes were promised, 1 came");
    // A peer that says why it broke off is believed.
    let said = passed(&cut.trailers(&[("grpc-status", "14")]), Wire::Native);
    assert_eq!(said.status.code, Code::Unavailable);
    passed(&answer().message("one"), Wire::Binary).is_broken("without grpc-status");
}

#[test]
fn requests_go_out_as_they_are_framed() {
    let two = [envelope::encode(0, b"one"), envelope::encode(1, b"zip")].concat();
    for wire in ALL {
        let sent = framed(wire, &answer()).encode(&two, false);
        let is_text = matches!(wire, Wire::Text | Wire::PaddedText);
        assert_eq!(sent, if is_text { text::encode(&two) } else { two.clone() });
    }
}

#[test]
fn a_bare_message_gets_the_envelope_that_it_lacks() {
    for wire in BARE {
        let heard = passed(&answer().body("one").header("trailer-x-last", "1"), wire);
        assert_eq!(heard.messages, [envelope::encode(0, b"one")], "{wire:?}");
        assert!(heard.status.is_ok());
        assert_eq!(heard.trailer("x-last"), ["1"]);
    }
    let zip = super::gzip::deflate(b"one");
    let answer = answer().accepting_gzip().header("content-encoding", "gzip").body(&zip);
    let heard = passed(&answer, Wire::ConnectGet);
    assert_eq!(heard.messages, [envelope::encode(1, &zip)]);
    assert!(heard.status.is_ok());
    let headers = heard.headers.unwrap();
    assert_eq!(headers.first("grpc-encoding"), Some(&b"gzip"[..]));
}

#[test]
fn a_bare_error_is_inflated_here() {
    let json = br#"{"code":"not_found","message":"none"}"#;
    let headers = answer().accepting_gzip().http(404).header("content-type", "application/json");
    let answer = headers.header("content-encoding", "gzip").body(super::gzip::deflate(json));
    let heard = passed(&answer, Wire::ConnectGet);
    assert_eq!((heard.status.code, heard.status.message.as_str()), (Code::NotFound, "none"));
}

#[test]
fn a_method_of_one_answer_has_neither_none_nor_two() {
    for wire in ALL {
        let none = passed(&answer().ok().single(), wire);
        assert_eq!(none.status.code, Code::Unimplemented, "{wire:?}");
        let two = passed(&answer().message("one").message("two").ok().single(), wire);
        assert_eq!(two.messages, [envelope::encode(0, b"one")]);
        assert_eq!(two.status.code, Code::Unimplemented, "{wire:?}");
        let cut = answer().message("one").raw(&envelope::encode(0, b"two")[..6]).single();
        passed(&cut, wire).is_broken("3 bytes were promised, 1 came");
        assert!(passed(&answer().message("one").ok().single(), wire).status.is_ok());
    }
}

#[test]
fn compression_is_named_as_the_dialect_names_it() {
    for (wire, encoding, accept) in [
        (Wire::Binary, "grpc-encoding", Some("grpc-accept-encoding")),
        (Wire::Connect, "connect-content-encoding", Some("connect-accept-encoding")),
        (Wire::Triple, "content-encoding", Some("accept-encoding")),
        // fetch offers what it undoes.
        (Wire::ConnectUnary, "content-encoding", None),
    ] {
        let (encoded, accepted) = (Some(b"zstd".to_vec()), Some(b"zstd,gzip".to_vec()));
        let own = Own { encoding: encoded, accept: accepted, ..Own::default() };
        let headers = Framed::new(wire.protocol(), shape(wire), own).request_headers(None);
        let value = |name: &str| headers.first(name);
        assert_eq!(value(encoding), Some(&b"zstd"[..]), "{wire:?}");
        assert_eq!(accept.and_then(value), accept.map(|_| &b"zstd,gzip"[..]), "{wire:?}");
        assert_eq!(
            headers.iter().filter(|(name, _)| name.ends_with(b"encoding")).count(),
            1 + usize::from(accept.is_some())
        );
    }
}

#[test]
fn whatever_comes_is_judged_as_for_any_caller() {
    let flags = prop_oneof![8 => Just(0), 1 => Just(0x80), 1 => Just(0x02), 1 => any::<u8>()];
    let envelope = (flags, vec(any::<u8>(), 0..20)).prop_map(|(flags, payload)| {
        let flags = if flags & 1 == 1 { 0 } else { flags };
        envelope::encode(flags, if flags == 0x80 { b"grpc-status: 0\r\n" } else { &payload })
    });
    let wild = prop_oneof![8 => envelope, 1 => vec(any::<u8>(), 0..9)];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(parts in vec(wild, 0..8), cut: usize)| {
        let answer = parts.iter().fold(answer(), |answer, part| answer.raw(part)).ok();
        for wire in [Wire::Native, Wire::Binary, Wire::Text, Wire::Connect] {
            let body = answer.written(wire);
            let (head, tail) = body.split_at(cut.checked_rem(body.len()).unwrap_or(0));
            let any = answer.heard(wire, &[head, tail]);
            // Which pass here, for the caller to inflate.
            if any.status.message.contains("a compressed message") {
                continue;
            }
            let ours = answer.heard_by(Box::new(framed(wire, &answer)), wire, &[head, tail]);
            // A bad flag is seen here before its envelope is whole: the words may differ.
            let code = |heard: &Heard| (heard.status.code, heard.status.fault);
            prop_assert_eq!(code(&ours), code(&any), "{:?}: {} {}", wire, ours.status, any.status);
            if any.status.is_ok() {
                prop_assert_eq!(&ours.trailers, &any.trailers);
            }
            let framed = any.messages.iter().flat_map(|message| envelope::encode(0, message));
            prop_assert!(ours.messages.concat().starts_with(&framed.collect::<Vec<_>>()));
        }
    });
}
