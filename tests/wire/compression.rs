//! Compressed messages and trailers.

use tidewire::codec::gzip::Compression;
use tidewire::codec::{Frame, HeaderList, envelope, text};
use tidewire::status::{Code, Fault};

use super::gzip::deflate;
use super::replay::{ALL, HTTP, MAX_MESSAGE, WEB, Wire, answer};

#[test]
fn row_17_a_compressed_message_under_no_encoding_is_refused_by_who_accepts_gzip_too() {
    for encoding in [None, Some("identity"), Some("")] {
        let start = encoding.into_iter().fold(answer(), |answer, name| answer.header("grpc-encoding", name));
        for heard in start.accepting_gzip().message("one").compressed("zip").ok().on(&ALL) {
            assert_eq!(heard.messages, [b"one"]);
            heard.is_broken("named no encoding");
        }
    }
}

#[test]
fn row_18_a_message_of_an_unknown_encoding_is_refused_with_its_name() {
    let start = answer().accepting_gzip().header("grpc-encoding", "foo");
    for heard in start.message("one").compressed("zip").ok().on(&ALL) {
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("compressed message in \"foo\"; this call takes gzip");
    }
}

#[test]
fn row_18_gzip_that_nobody_accepted_is_refused() {
    for heard in answer().header("grpc-encoding", "gzip").compressed("zip").ok().on(&ALL) {
        heard.is_broken("did not offer to take any");
    }
}

#[test]
fn row_18_who_sends_gzip_reads_it_too() {
    for wire in HTTP {
        let mut protocol = wire.protocol_with(Compression { accept: false, send: true });
        let headers = [("content-type", wire.family()), ("grpc-encoding", "gzip")];
        protocol.handle_headers(200, &mut HeaderList::from_iter(headers)).unwrap();
        let envelope = envelope::encode(1, &deflate(b"zip"));
        let body =
            if matches!(wire, Wire::Text | Wire::PaddedText) { text::encode(&envelope) } else { envelope };
        assert!(matches!(protocol.next(&body, &mut 0), Ok(Some(Frame::Compressed { flags: 1, .. }))));
    }
}

#[test]
fn row_18_compressed_and_plain_messages_come_in_any_order() {
    for heard in
        answer().gzip().message("one").compressed("two").compressed("three").message("four").ok().on(&ALL)
    {
        assert_eq!(heard.messages, [b"one".as_slice(), b"two", b"three", b"four"]);
        assert!(heard.status.is_ok(), "{heard:?}");
    }
}

#[test]
fn row_19_compressed_trailers_are_trailers() {
    let block = deflate(b"grpc-status: 9\r\ngrpc-message: error\r\nx-custom-trailer: bing\r\n");
    for heard in answer().gzip().message("one").raw(envelope::encode(0x81, &block)).on(&WEB) {
        assert_eq!(heard.messages, [b"one"]);
        assert_eq!((heard.status.code, heard.status.message.as_str()), (Code::FailedPrecondition, "error"));
        assert_eq!(heard.trailer("x-custom-trailer"), ["bing"]);
        assert!(!heard.waited_for_end_of_body);
    }
    answer().gzip().raw(envelope::encode(0x81, &block)).replay(Wire::Native).is_broken("flags 129");
}

#[test]
fn row_19_compressed_trailers_under_no_encoding_are_refused() {
    let block = deflate(b"grpc-status: 0\r\n");
    for answer in [answer(), answer().accepting_gzip()] {
        for heard in answer.message("one").raw(envelope::encode(0x81, &block)).on(&WEB) {
            heard.is_broken("compressed message");
        }
    }
}

#[test]
fn row_20_a_message_of_no_bytes_is_empty_whatever_its_flag_says() {
    for heard in answer().gzip().raw(envelope::encode(1, b"")).message("").ok().on(&ALL) {
        assert_eq!(heard.messages, [b"", b""]);
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_23_the_limit_holds_for_what_comes_too() {
    for heard in answer().gzip().raw([1, 0xff, 0xff, 0xff, 0xff]).on(&HTTP) {
        assert_eq!(
            (heard.status.code, heard.status.fault),
            (Code::ResourceExhausted, Fault::Peer),
            "{heard:?}"
        );
        assert!(heard.status.message.contains(&format!("at most {MAX_MESSAGE}")));
    }
    for heard in answer().gzip().message("one").raw([0x81, 0xff, 0xff, 0xff, 0xff]).on(&WEB) {
        heard.is_broken("a trailer block of 4294967295 bytes");
    }
}

#[test]
fn a_request_says_what_it_sends_and_what_it_takes() {
    let header = |wire: Wire, accept, send, name| {
        let headers = wire.protocol_with(Compression { accept, send }).request_headers(None);
        headers.first(name).map(<[u8]>::to_vec)
    };
    for wire in ALL {
        for (accept, send) in [(false, false), (false, true), (true, false), (true, true)] {
            let gzip = |on: bool| on.then(|| b"gzip".to_vec());
            assert_eq!(header(wire, accept, send, "grpc-accept-encoding"), gzip(accept));
            assert_eq!(header(wire, accept, send, "grpc-encoding"), gzip(send));
        }
    }
}
