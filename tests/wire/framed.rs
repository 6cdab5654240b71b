//! Bodies for a caller that frames and compresses for itself: envelopes pass as they stand, whatever the cutting, and the
//! end is told as to any other caller.

use tidewire::codec::envelope::{self, Payload};
use tidewire::codec::framed::{Framed, Shape};
use tidewire::codec::{Frame, Protocol, text};
use tidewire::status::Code;

use super::replay::{ALL, Answer, HTTP, Heard, MAX_MESSAGE, WEB, Wire, answer};

fn framed(wire: Wire, answer: &Answer) -> Framed {
    let last = match wire {
        Wire::Native => 0,
        Wire::Connect => 0x02,
        _ => 0x80,
    };
    let shape = Shape { last, text: matches!(wire, Wire::Text | Wire::PaddedText) };
    Framed::new(wire.protocol_with(answer.accepted()), shape, MAX_MESSAGE)
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
    protocol.handle_headers(200, &mut vec![("content-type".into(), "application/grpc".into())]).unwrap();
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
fn what_is_refused_is_refused_behind_what_came_before() {
    for flags in [0x04, 0x7e, 0xff] {
        for wire in HTTP {
            let heard = passed(&answer().message("one").raw(envelope::encode(flags, b"x")), wire);
            assert_eq!(heard.messages, [envelope::encode(0, b"one")], "{wire:?}");
            heard.is_broken(&format!("flags {flags}"));
        }
    }
    let large = answer().message("one").raw([0, 0, 0, 0x10, 0]);
    for wire in ALL {
        let heard = passed(&large, wire);
        assert!(heard.messages[0].starts_with(&envelope::encode(0, b"one")));
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
