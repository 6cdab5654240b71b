//! Prefixes, lengths and flags.

use tidewire::codec::envelope;
use tidewire::status::{Code, Fault};

use super::replay::{ALL, HTTP, MAX_MESSAGE, WEB, Wire, answer};

#[test]
fn row_13_a_trailer_block_is_read_whole_however_it_is_cut() {
    let block = "grpc-message: late%20but%20whole\r\nx-one: 1\r\nx-two: 2\r\ngrpc-status: 3\r\n";
    for heard in answer().message("one").block(block).on(&WEB) {
        assert_eq!(heard.status.code, Code::InvalidArgument, "{heard:?}");
        assert_eq!(heard.status.message, "late but whole");
        assert_eq!([heard.trailer("x-one"), heard.trailer("x-two")], [["1"], ["2"]]);
    }
}

#[test]
fn row_14_a_message_of_no_bytes_is_a_message() {
    for heard in answer().message("").message("").ok().on(&ALL) {
        assert_eq!(heard.messages, [b"", b""], "{heard:?}");
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_14_many_messages_of_one_chunk_come_out_in_order() {
    let sent: Vec<Vec<u8>> = (0..100u8).map(|n| vec![n; usize::from(n) % 7]).collect();
    let answer = sent.iter().fold(answer(), |answer, message| answer.message(message)).ok();
    for heard in answer.on(&ALL) {
        assert_eq!(heard.messages, sent);
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_16_flags_that_mean_nothing_are_refused_at_the_prefix() {
    for flags in [0x02, 0x03, 0x04, 0x40, 0x7f, 0x82, 0xc0, 0xff] {
        // 100 bytes are promised and none comes: only the prefix can have been judged.
        for heard in answer().message("one").raw([flags, 0, 0, 0, 100]).on(&HTTP) {
            assert_eq!(heard.messages, [b"one"]);
            heard.is_broken(&format!("flags {flags}"));
        }
        for heard in answer().raw(envelope::encode(flags, b"")).on(&ALL) {
            heard.is_broken(&format!("flags {flags}"));
        }
    }
}

#[test]
fn row_16_a_trailer_frame_has_no_place_in_native_grpc() {
    answer().block("grpc-status: 0\r\n").replay(Wire::Native).is_broken("flags 128");
}

#[test]
fn row_16_a_page_is_not_taken_for_a_message_too_large() {
    for heard in answer().body("<html>not base64, not gRPC").on(&[Wire::Native, Wire::Binary]) {
        heard.is_broken("flags 60");
    }
}

#[test]
fn row_17_a_compressed_message_under_no_encoding_is_refused() {
    for encoding in [None, Some("identity")] {
        let start = encoding.into_iter().fold(answer(), |answer, name| answer.header("grpc-encoding", name));
        for heard in start.message("one").raw(envelope::encode(1, b"zip")).ok().on(&ALL) {
            assert_eq!(heard.messages, [b"one"]);
            heard.is_broken("compressed");
        }
    }
}

#[test]
fn row_18_a_message_of_an_unknown_encoding_is_refused() {
    let start = answer().header("grpc-encoding", "foo");
    for heard in start.clone().message("one").raw(envelope::encode(1, b"zip")).ok().on(&ALL) {
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("compressed");
    }
    // Named but not used: each message says for itself whether it is compressed.
    for heard in start.message("plain").ok().on(&ALL) {
        assert_eq!(heard.messages, [b"plain"]);
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_23_a_length_above_the_limit_is_refused_before_its_bytes_come() {
    for declared in [MAX_MESSAGE as u32 + 1, u32::MAX] {
        let [a, b, c, d] = declared.to_be_bytes();
        for heard in answer().message("one").raw([0, a, b, c, d]).on(&HTTP) {
            assert_eq!(heard.messages, [b"one"]);
            assert_eq!(heard.status.code, Code::ResourceExhausted, "{heard:?}");
            assert_eq!(heard.status.fault, Fault::Peer);
            assert!(heard.status.message.contains(&declared.to_string()));
            assert!(heard.status.message.contains("maxReceiveMessageBytes"));
            assert!(!heard.waited_for_end_of_body);
        }
    }
}

#[test]
fn row_23_a_message_of_just_the_limit_is_taken() {
    for heard in answer().message(vec![7; MAX_MESSAGE]).ok().on(&ALL) {
        assert_eq!(heard.messages, [[7; MAX_MESSAGE]]);
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_23_trailers_have_a_limit_of_their_own() {
    let filler = "a".repeat(2 * MAX_MESSAGE);
    for heard in answer().trailers(&[("grpc-status", "0"), ("x-long", &filler)]).on(&WEB) {
        assert!(heard.status.is_ok(), "{heard:?}");
        assert_eq!(heard.trailer("x-long"), [filler.as_str()]);
    }
    for heard in answer().message("one").raw([0x80, 0xff, 0xff, 0xff, 0xff]).on(&WEB) {
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("a trailer block of 4294967295 bytes");
    }
}
