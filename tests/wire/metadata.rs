//! User metadata on the wire. `-bin` values are read and written by the faces: `tests/js/packed.test.mjs`, and tonic.

use tidewire::metadata::check;
use tidewire::status::{Code, Fault};

#[test]
fn row_39_names_that_are_not_the_users_are_refused_and_named() {
    let protocol = ["grpc-timeout", "grpc-status", "grpc-encoding", "grpc-anything", "te", "content-type"];
    let http =
        [":path", "host", "connection", "content-length", "transfer-encoding", "upgrade", "keep-alive"];
    let fetch =
        ["cookie", "origin", "referer", "date", "sec-fetch-mode", "proxy-authorization", "accept-encoding"];
    let grammar = ["", "Upper", "sp ace", "ü", "a:b", "a\r\nb", "a/b"];
    for name in [&protocol[..], &http, &fetch, &grammar].concat() {
        let status = check(name.as_bytes(), b"1").unwrap_err();
        assert_eq!((status.code, status.fault), (Code::InvalidArgument, Fault::Misuse), "{name:?}");
        assert!(status.message.contains(&["\"", name, "\""].concat()), "{status}");
    }
}

#[test]
fn row_39_names_that_only_look_like_the_protocols_pass() {
    for name in
        ["x-grpc-timeout", "grpcish", "authorization", "tri-service-version", "a.b_c-d", "0", "user-agent"]
    {
        assert_eq!(check(name.as_bytes(), b"1"), Ok(()));
    }
}

#[test]
fn row_39_values_that_http_forbids_are_refused_before_anything_is_sent() {
    for value in ["line\r\nx-injected: 1", "\0", "tab\there", "grüßt", "\x7f"] {
        let status = check(b"x-tag", value.as_bytes()).unwrap_err();
        assert_eq!((status.code, status.fault), (Code::InvalidArgument, Fault::Misuse), "{value:?}");
        assert!(status.message.contains("x-tag") && status.message.contains("-bin"));
    }
    assert_eq!(check(b"x-tag", b" !~"), Ok(()));
}
