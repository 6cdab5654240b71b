//! The trailer block of gRPC-Web, as servers and proxies really write it.

use tidewire::status::Code;

use super::replay::{ALL, WEB, answer};

#[test]
fn row_06_trailer_names_match_whatever_their_case() {
    let block = "Grpc-Status: 9\r\ngRPC-Message: error\r\nX-Custom-Trailer: bing\r\n";
    for heard in answer().message("one").block(block).on(&WEB) {
        assert_eq!(heard.status.code, Code::FailedPrecondition, "{heard:?}");
        assert_eq!(heard.status.message, "error");
        assert_eq!(heard.trailer("x-custom-trailer"), ["bing"]);
    }
}

#[test]
fn row_07_lines_are_read_as_peers_write_them() {
    let table = [
        ("no blank after the colon", "grpc-status:9\r\ngrpc-message:a b\r\n"),
        ("bare line feeds", "grpc-status: 9\ngrpc-message: a b\n"),
        ("no end of the last line", "grpc-status: 9\r\ngrpc-message: a b"),
        ("a blank line at the end", "grpc-status: 9\r\ngrpc-message: a b\r\n\r\n"),
        ("blank lines before and between", "\r\ngrpc-status: 9\r\n\r\ngrpc-message: a b\r\n"),
        ("blanks and tabs around values", "grpc-status: \t9 \r\ngrpc-message:  a b \t\r\n"),
        ("a line without a colon", "HTTP/1.1 200 OK\r\ngrpc-status: 9\r\ngrpc-message: a b\r\n"),
        ("the message first", "grpc-message: a b\r\ngrpc-status: 9\r\n"),
    ];
    for (case, block) in table {
        for heard in answer().block(block).on(&WEB) {
            assert_eq!(heard.status.code, Code::FailedPrecondition, "{case}: {heard:?}");
            assert_eq!(heard.status.message, "a b", "{case}");
        }
    }
}

#[test]
fn row_07_empty_values_and_colons_inside_values_stay() {
    for heard in
        answer().block("grpc-message:\r\ngrpc-status: 0\r\nx-url: http://a:1/b\r\nx-none:\r\n").on(&WEB)
    {
        assert!(heard.status.is_ok(), "{heard:?}");
        assert_eq!(heard.trailer("x-url"), ["http://a:1/b"]);
        assert_eq!(heard.trailer("x-none"), [""]);
    }
}

#[test]
fn row_08_repeated_names_keep_every_value_in_order() {
    let list = [("x-tag", "b"), ("grpc-status", "0"), ("x-tag", "a"), ("x-other", "-"), ("x-tag", "b")];
    for heard in answer().message("one").trailers(&list).on(&ALL) {
        assert!(heard.status.is_ok());
        assert_eq!(heard.trailer("x-tag"), ["b", "a", "b"], "{heard:?}");
    }
}

#[test]
fn row_08_repeated_response_headers_keep_every_value_in_order() {
    for heard in answer().header("x-tag", "b").header("x-tag", "a").message("one").ok().on(&ALL) {
        let headers = heard.headers.unwrap();
        let tags: Vec<_> = headers.all("x-tag").collect();
        assert_eq!(tags, [b"b", b"a"], "{:?}", heard.wire);
    }
}
