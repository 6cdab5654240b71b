//! Connect's streams: what ends them, and what may not.

use tidewire::codec::{HeaderList, envelope};
use tidewire::status::{Code, Fault};

use super::gzip::deflate;
use super::replay::{Answer, Heard, MAX_MESSAGE, Wire, answer};

fn ended(json: impl AsRef<[u8]>) -> Heard {
    answer().message("one").end_stream(json).replay(Wire::Connect)
}

fn list(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().copied().collect()
}

#[test]
fn row_48_a_stream_ends_with_its_last_envelope() {
    let answer = answer().message("one").message("").end_stream(r#"{"metadata":{"Greeted":["2"]}}"#);
    let heard = answer.replay(Wire::Connect);
    assert_eq!(heard.messages, [&b"one"[..], b""]);
    assert!(heard.status.is_ok());
    assert_eq!(heard.trailers, list(&[("greeted", "2")]));
    assert!(!heard.waited_for_end_of_body);
}

#[test]
fn row_48_metadata_keep_their_order_and_repeats() {
    let json = r#"{"metadata": {"a-bin": ["/wA", "AQ=="], "b": ["1", "", "grüßt"], "none": [], "odd": 7, "a": ["2"]}}"#;
    let expected = [("a-bin", "/wA"), ("a-bin", "AQ=="), ("b", "1"), ("b", ""), ("b", "grüßt"), ("a", "2")];
    assert_eq!(ended(json).trailers, list(&expected));
}

#[test]
fn row_48_what_counts_as_success() {
    for json in [
        "{}",
        " { } \n",
        r#"{"error":null}"#,
        r#"{"error": null, "metadata": null}"#,
        r#"{"code":"internal"}"#,
    ] {
        let heard = ended(json);
        assert!(heard.status.is_ok(), "{json}: {heard:?}");
        assert_eq!(heard.messages, [b"one"]);
    }
}

#[test]
fn row_48_an_error_without_a_known_code_is_unknown() {
    for error in [
        r#"{"message":"oops"}"#,
        r#"{"code":null,"message":"oops"}"#,
        r#"{"code":"foobar","message":"oops"}"#,
        r#"{"code":"ok","message":"oops"}"#,
        r#"{"code":"code_0","message":"oops"}"#,
        r#"{"code":14,"message":"oops"}"#,
    ] {
        let heard = ended(format!("{{\"error\":{error}}}"));
        assert_eq!((heard.status.code, heard.status.fault), (Code::Unknown, Fault::Peer), "{error}");
        assert_eq!(heard.status.message, "oops");
    }
}

#[test]
fn row_48_every_code_has_its_name() {
    let names = "canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied \
        resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss \
        unauthenticated";
    for (name, number) in names.split_whitespace().zip(1..) {
        let status = ended(format!(r#"{{"error":{{"code":"{name}"}}}}"#)).status;
        assert_eq!((status.raw_code, status.code), (number, Code::from_wire(number)), "{name}");
    }
}

#[test]
fn row_48_an_error_keeps_words_details_and_metadata() {
    let json = r#"{
        "error": {
            "code": "out_of_range",
            "message": "100% \"gr\u00fc\u00dft\" \ud83d\ude00\n",
            "foobar": [{"a": [1, 2.5e-3, true]}, "}"],
            "details": [
                {"type": "google.protobuf.FileDescriptorProto", "value": "Cgp0ZXN0LnByb3Rv", "debug": "garbage"},
                {"type": "t", "value": "/wA=", "debug": {"value": "AAAA"}, "frob": null},
                {"type": "t", "value": "!!!"}, {"type": "empty"}, {"value": "AAAA"}, "no detail", null
            ]
        },
        "metadata": {"x-who": ["server"]}
    }"#;
    let heard = ended(json);
    assert_eq!(heard.status.code, Code::OutOfRange);
    assert_eq!(heard.status.message, "100% \"grüßt\" 😀\n");
    assert_eq!(heard.trailer("x-who"), ["server"]);
    let details = heard.details();
    let details: Vec<_> = details.iter().map(|(url, value)| (url.as_str(), value.as_slice())).collect();
    assert_eq!(
        details,
        [
            ("type.googleapis.com/google.protobuf.FileDescriptorProto", &b"\x0a\x0atest.proto"[..]),
            ("type.googleapis.com/t", b"\xff\0"),
            ("type.googleapis.com/empty", b""),
        ]
    );
}

#[test]
fn row_48_an_end_that_is_no_json_is_a_broken_one() {
    for json in [
        "",
        "null",
        "[]",
        "\"{}\"",
        "{",
        "{}}",
        "{} {}",
        r#"{"error":{}"#,
        r#"{"error":{"code":}}"#,
        "grpc-status: 0",
    ] {
        let heard = ended(json);
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("JSON of Connect");
    }
}

#[test]
fn row_48_a_stream_without_its_end_was_cut() {
    let heard = answer().message("one").replay(Wire::Connect);
    assert_eq!(heard.messages, [b"one"]);
    heard.is_broken("without Connect's end");
    let cut = answer().message("one").raw([0, 0, 0, 0, 10, 1, 2, 3]).replay(Wire::Connect);
    assert_eq!(cut.messages, [b"one"]);
    cut.is_broken("10 bytes were promised, 3 came");
    answer().raw([0, 0, 0]).replay(Wire::Connect).is_broken("5 bytes were promised, 3 came");
}

#[test]
fn row_48_nothing_may_follow_the_end() {
    for after in [answer().end_stream("{}").message("late"), answer().end_stream("{}").end_stream("{}")] {
        let body = after.written(Wire::Connect);
        after.heard(Wire::Connect, &[&body]).is_broken("more after the trailers");
        // Nobody reads on for it.
        let (head, tail) = body.split_at(7);
        let heard = after.heard(Wire::Connect, &[head, tail]);
        assert!(heard.status.is_ok() && heard.messages.is_empty());
    }
}

#[test]
fn row_48_flags_that_connect_does_not_have_are_refused_at_the_prefix() {
    for flags in [0x04, 0x40, 0x80, 0x82, 0xff] {
        let heard = answer().message("one").raw([flags, 0, 0, 0, 100]).replay(Wire::Connect);
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken(&format!("flags {flags}"));
    }
}

#[test]
fn row_17_compression_that_nobody_offered_to_take_is_refused() {
    for flags in [0x01, 0x03] {
        for encoding in ["identity", "gzip", "foo"] {
            let answer = answer().header("connect-content-encoding", encoding).raw([flags, 0, 0, 0, 100]);
            answer.replay(Wire::Connect).is_broken("compressed message");
        }
    }
    let accepting = answer().accepting_gzip().header("connect-content-encoding", "identity");
    accepting.raw([1, 0, 0, 0, 100]).replay(Wire::Connect).is_broken("must list connect-content-encoding");
}

#[test]
fn row_19_gzip_that_was_accepted_is_inflated_message_by_message_and_in_the_end() {
    let gzip = answer().accepting_gzip().header("connect-content-encoding", "gzip");
    let end = br#"{"error":{"code":"aborted"},"metadata":{"greeted":["3"]}}"#;
    let stream = gzip.compressed("zip").message("plain").raw(envelope::encode(1, b""));
    let heard = stream.raw(envelope::encode(3, &deflate(end))).replay(Wire::Connect);
    assert_eq!(heard.messages, [&b"zip"[..], b"plain", b""]);
    assert_eq!(heard.status.code, Code::Aborted);
    assert_eq!(heard.trailer("greeted"), ["3"]);
}

#[test]
fn row_23_lengths_above_the_limit_are_refused_at_the_prefix() {
    let large = answer().raw([0, 0xff, 0xff, 0xff, 0xff]).replay(Wire::Connect);
    assert_eq!((large.status.code, large.status.fault), (Code::ResourceExhausted, Fault::Peer));
    answer().raw([2, 0xff, 0xff, 0xff, 0xff]).replay(Wire::Connect).is_broken("trailer block");
    // The end may be longer than a message, as trailers may.
    let metadata = "x".repeat(2 * MAX_MESSAGE);
    let ended = answer().end_stream(format!("{{\"metadata\":{{\"long\":[\"{metadata}\"]}}}}"));
    let body = ended.written(Wire::Connect);
    assert_eq!(ended.heard(Wire::Connect, &[&body]).trailer("long"), [metadata]);
}

#[test]
fn row_51_another_content_type_is_another_service_or_a_broken_promise() {
    let typed = |kind: &str| {
        answer().header("content-type", kind).message("one").end_stream("{}").replay(Wire::Connect)
    };
    for kind in ["application/connect+proto", "Application/Connect+Proto; charset=utf-8"] {
        assert!(typed(kind).status.is_ok(), "{kind}");
    }
    for kind in ["text/html", "application/proto", "application/grpc-web+proto", "image/jpeg", ""] {
        let heard = typed(kind);
        assert_eq!((heard.status.code, heard.status.fault), (Code::Unknown, Fault::Peer), "{kind}");
        assert!(heard.status.message.contains("expected content-type application/connect+proto"));
    }
    typed("application/connect+json").is_broken("application/connect+json");
}

#[test]
fn row_51_an_http_error_maps_by_the_table() {
    let table =
        [(400, Code::Internal), (404, Code::Unimplemented), (415, Code::Unknown), (503, Code::Unavailable)];
    for (http, code) in table {
        let page: Answer = answer().http(http).body("{}").header("content-type", "text/plain");
        let heard = page.replay(Wire::Connect);
        assert_eq!(heard.status.code, code, "{http}");
        assert!(heard.status.message.contains("no error in JSON"), "{heard:?}");
    }
}
