//! Unary calls of Connect and of Triple's bare form.

use tidewire::codec::HeaderList;
use tidewire::codec::gzip::Compression;
use tidewire::status::{Code, Fault};

use super::gzip::deflate;
use super::replay::{Answer, BARE, MAX_MESSAGE, Wire, answer};

fn error(http: u16, json: &str) -> Answer {
    answer().http(http).header("content-type", "application/json").body(json)
}

fn list(pairs: &[(&str, &str)]) -> HeaderList {
    pairs.iter().copied().collect()
}

#[test]
fn row_49_a_body_is_a_message_and_prefixed_headers_are_trailers() {
    for body in ["", "one", "a longer message"] {
        let answer =
            answer().header("x-tag", "1").header("trailer-greeted", "1").header("trailer-t-bin", "/wA");
        for heard in answer.header("trailer-greeted", "2").body(body).on(&BARE) {
            assert!(heard.status.is_ok(), "{heard:?}");
            assert_eq!(heard.messages, [body.as_bytes()]);
            assert_eq!(heard.trailers, list(&[("greeted", "1"), ("t-bin", "/wA"), ("greeted", "2")]));
            let headers = heard.headers.unwrap();
            assert_eq!(headers, list(&[("content-type", "application/proto"), ("x-tag", "1")]));
            assert!(heard.waited_for_end_of_body);
        }
    }
}

#[test]
fn row_47_an_error_is_json_under_an_http_status() {
    let json = r#"{"code":"out_of_range","message":"oops","details":[{"type":"t","value":"AQ","debug":{}}],"more":1}"#;
    for heard in error(422, json).header("x-tag", "1").header("trailer-greeted", "0").on(&BARE) {
        assert_eq!((heard.status.code, heard.status.fault), (Code::OutOfRange, Fault::Peer), "{heard:?}");
        assert_eq!(heard.status.message, "oops");
        assert_eq!(heard.details(), [("type.googleapis.com/t".to_string(), vec![1])]);
        assert!(heard.messages.is_empty());
        // Its headers are metadata of the error as much as its trailers.
        assert_eq!([heard.trailer("x-tag"), heard.trailer("greeted")], [["1"], ["0"]]);
    }
}

#[test]
fn row_47_without_a_known_code_http_gives_one_and_the_words_stay() {
    for json in [
        r#"{"message":"oops"}"#,
        r#"{"code":null,"message":"oops"}"#,
        r#"{"message":"oops","code":"foobar"}"#,
    ] {
        for (http, code) in
            [(401, Code::Unauthenticated), (403, Code::PermissionDenied), (503, Code::Unavailable)]
        {
            for heard in error(http, json).on(&BARE) {
                assert_eq!((heard.status.code, heard.status.message.as_str()), (code, "oops"), "{heard:?}");
            }
        }
        assert_eq!(error(429, json).replay(Wire::ConnectUnary).status.code, Code::Unavailable);
    }
}

#[test]
fn row_47_what_is_no_error_in_json_leaves_the_http_status() {
    for json in [
        "",
        "null",
        "[]",
        "\"code\"",
        "{",
        r#"{"code":"not_found"}}"#,
        r#"{"code":"not_found" "message":""}"#,
    ] {
        for heard in error(401, json).on(&BARE) {
            assert_eq!(heard.status.code, Code::Unauthenticated, "{json}");
            assert!(heard.status.message.contains("HTTP 401 with application/json"), "{heard:?}");
        }
    }
    for kind in ["text/html", "application/proto", ""] {
        let page = answer().http(403).header("content-type", kind).body(r#"{"code":"not_found"}"#);
        for heard in page.on(&BARE) {
            assert_eq!(heard.status.code, Code::PermissionDenied, "{kind}");
            assert!(!heard.waited_for_end_of_body);
        }
    }
}

#[test]
fn row_47_a_number_without_a_name_is_kept() {
    for heard in error(500, r#"{"code":"code_17","message":"biz"}"#).on(&BARE) {
        assert_eq!((heard.status.code, heard.status.raw_code), (Code::Unknown, 17));
        assert_eq!(heard.status.message, "biz");
    }
}

#[test]
fn row_47_http_errors_map_by_the_table_where_nothing_else_is_said() {
    let table = [
        (400, Code::Internal),
        (404, Code::Unimplemented),
        (409, Code::Unknown),
        (418, Code::Unknown),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (504, Code::Unavailable),
        (800, Code::Unknown),
    ];
    for (http, code) in table {
        for heard in answer().http(http).header("content-type", "").on(&BARE) {
            assert_eq!(heard.status.code, code, "{heard:?}");
        }
    }
}

#[test]
fn an_error_of_dubbo_java_has_its_code_in_the_http_status() {
    let table = [
        (400, Code::InvalidArgument),
        (404, Code::NotFound),
        (408, Code::DeadlineExceeded),
        (429, Code::ResourceExhausted),
        (499, Code::Cancelled),
        (500, Code::Unknown),
        (501, Code::Unimplemented),
        (504, Code::DeadlineExceeded),
    ];
    for (http, code) in table {
        let json = format!(r#"{{"message":"said so","status":"{http}"}}"#);
        let status = error(http, &json).replay(Wire::Triple).status;
        assert_eq!((status.code, status.message.as_str()), (code, "said so"), "{http}");
    }
}

#[test]
fn row_51_another_content_type_is_another_service_or_a_broken_promise() {
    let typed = |kind: &str| answer().header("content-type", kind).body("{}");
    for kind in ["Application/Proto", "application/proto; charset=utf-8"] {
        assert!(typed(kind).on(&BARE).iter().all(|heard| heard.status.is_ok()), "{kind}");
    }
    for heard in typed("application/json").on(&BARE) {
        heard.is_broken("expected content-type application/proto, the server sent \"application/json\"");
    }
    for kind in ["image/jpeg", "text/html", "application/grpc", "application/connect+proto", ""] {
        for heard in typed(kind).on(&BARE) {
            assert_eq!((heard.status.code, heard.status.fault), (Code::Unknown, Fault::Peer), "{kind}");
            assert!(heard.messages.is_empty());
        }
    }
}

#[test]
fn row_21_an_encoding_that_nobody_undoes_is_refused() {
    for heard in answer().header("content-encoding", "foo").body("one").on(&BARE) {
        heard.is_broken("did not offer to take any");
    }
    for heard in answer().accepting_gzip().header("content-encoding", "foo").body("one").on(&BARE) {
        heard.is_broken("in \"foo\"; this call takes gzip");
    }
    let gzip = answer().header("content-encoding", "gzip").body("inflated by fetch");
    assert_eq!(gzip.replay(Wire::ConnectUnary).messages, [b"inflated by fetch"]);
    gzip.replay(Wire::Triple).is_broken("did not offer to take any");
    for named in ["identity", ""] {
        let heard = answer().header("content-encoding", named).on(&BARE);
        assert!(heard.iter().all(|heard| heard.status.is_ok()), "{named:?}");
    }
}

#[test]
fn row_19_gzip_that_was_accepted_is_inflated_where_the_transport_does_not() {
    let gzip = answer().accepting_gzip().header("content-encoding", "gzip").header("trailer-greeted", "1");
    for heard in gzip.clone().body(deflate(b"Hello")).on(&[Wire::ConnectGet, Wire::Triple]) {
        assert!(heard.status.is_ok(), "{heard:?}");
        assert_eq!(heard.messages, [b"Hello"]);
        assert_eq!(heard.trailer("greeted"), ["1"]);
    }
    // `fetch` has done it.
    assert_eq!(gzip.clone().body("Hello").replay(Wire::ConnectUnary).messages, [b"Hello"]);
    // No bytes are none of gzip's.
    assert_eq!(gzip.body("").replay(Wire::Triple).messages, [b""]);

    let json = br#"{"code":"out_of_range","message":"oops"}"#;
    let error = answer().accepting_gzip().http(422).header("content-type", "application/json");
    let heard = error.header("content-encoding", "gzip").body(deflate(json)).replay(Wire::Triple);
    assert_eq!((heard.status.code, heard.status.message.as_str()), (Code::OutOfRange, "oops"));
}

#[test]
fn what_a_request_says_of_gzip() {
    let gzip = Compression { accept: true, send: true };
    let of = |wire: Wire, gzip| {
        let headers = wire.protocol_with(gzip).request_headers(None);
        let named = headers.iter().filter(|(name, _)| name.ends_with(b"encoding"));
        let line = |(name, value): (&[u8], &[u8])| String::from_utf8([name, b"=", value].concat()).unwrap();
        named.map(line).collect::<Vec<_>>()
    };
    assert_eq!(of(Wire::Triple, gzip), ["content-encoding=gzip", "accept-encoding=gzip"]);
    // What `fetch` accepts it says itself, and a page may not.
    assert_eq!(of(Wire::ConnectUnary, gzip), ["content-encoding=gzip"]);
    assert_eq!(of(Wire::ConnectUnary, Compression { send: false, ..gzip }), [""; 0]);
    assert_eq!(of(Wire::ConnectGet, gzip), ["accept-encoding=gzip"]);
    assert_eq!(of(Wire::Connect, gzip), ["connect-content-encoding=gzip", "connect-accept-encoding=gzip"]);
    for wire in [Wire::Triple, Wire::ConnectUnary, Wire::ConnectGet, Wire::Connect] {
        assert_eq!(of(wire, Compression::default()), [""; 0]);
    }
    let asked = |gzip| Wire::ConnectGet.protocol().encode(b"x", gzip);
    assert_eq!(asked(true), b"?connect=v1&base64=1&compression=gzip&encoding=proto&message=eA");
    assert_eq!(asked(false), b"?connect=v1&base64=1&encoding=proto&message=eA");
}

#[test]
fn row_23_a_body_above_the_limit_is_refused_before_it_is_kept() {
    for heard in answer().body("x".repeat(MAX_MESSAGE)).on(&BARE) {
        assert!(heard.status.is_ok());
    }
    for heard in answer().body("x".repeat(MAX_MESSAGE + 1)).on(&BARE) {
        assert_eq!(heard.status.code, Code::ResourceExhausted, "{heard:?}");
        assert!(heard.messages.is_empty() && !heard.waited_for_end_of_body);
    }
    // An error may be longer than a message, but has its limit too.
    let json = format!(r#"{{"code":"aborted","message":"{}"}}"#, "x".repeat(2 * MAX_MESSAGE));
    let body = [json.as_bytes()];
    assert_eq!(error(500, &json).heard(Wire::Triple, &body).status.code, Code::Aborted);
    let endless = "x".repeat(100_000);
    let heard = error(503, &endless).heard(Wire::Triple, &[endless.as_bytes()]);
    assert_eq!(heard.status.code, Code::Unavailable);
    assert!(!heard.waited_for_end_of_body);
}
