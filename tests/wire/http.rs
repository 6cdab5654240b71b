//! What HTTP's own part of an answer means: status, content type, encoding.

use tidewire::status::{Code, Fault};

use super::replay::{ALL, HTTP, WEB, Wire, answer};

#[test]
fn row_21_content_encoding_is_the_browsers_business() {
    for heard in answer().header("content-encoding", "gzip").message("already inflated").ok().on(&HTTP) {
        assert_eq!(heard.messages, [b"already inflated"]);
        assert!(heard.status.is_ok());
    }
}

#[test]
fn row_26_content_types_match_whatever_their_case_and_parameters() {
    for suffix in ["", "+proto", "; charset=utf-8", "+proto;charset=UTF-8", " ; a=b; c=d"] {
        for wire in ALL {
            let lower = [wire.family(), suffix].concat();
            for kind in [lower.to_ascii_uppercase(), lower] {
                let heard = answer().header("content-type", &kind).message("one").ok().replay(wire);
                assert!(heard.status.is_ok(), "{kind}: {heard:?}");
            }
        }
    }
}

#[test]
fn row_26_native_grpc_is_not_grpc_web_nor_the_other_way_round() {
    let table = [
        (Wire::Binary, "application/grpc"),
        (Wire::Text, "application/grpc+proto"),
        (Wire::Native, "application/grpc-web"),
        (Wire::Native, "application/grpc-web-text"),
        (Wire::Binary, "application/grpc-websomething"),
        (Wire::Binary, "application/grpc-web-textual"),
    ];
    for (wire, kind) in table {
        let heard = answer().header("content-type", kind).message("one").ok().replay(wire);
        assert_eq!(heard.status.code, Code::Unknown, "{kind} on {wire:?}");
        assert!(heard.status.message.contains(kind) && heard.status.message.contains("another dialect"));
        assert!(heard.messages.is_empty());
    }
}

#[test]
fn row_27_a_page_in_the_place_of_an_answer_is_named() {
    for kind in ["text/html", "text/html; charset=utf-8", "image/jpeg", "application/json", ""] {
        for heard in answer().header("content-type", kind).body("<!doctype html>").on(&HTTP) {
            assert_eq!((heard.status.code, heard.status.fault), (Code::Unknown, Fault::Peer), "{heard:?}");
            assert!(heard.status.message.contains(&["\"", kind, "\""].concat()), "{heard:?}");
        }
    }
}

#[test]
fn row_28_another_subtype_is_a_broken_promise_of_the_service() {
    for wire in ALL {
        let kind = [wire.family(), "+json"].concat();
        let answer = answer().header("content-type", &kind).message("{}").ok();
        answer.replay(wire).is_broken(&kind);
    }
}

#[test]
fn row_29_an_http_error_without_grpc_status_maps_by_grpcs_own_table() {
    // The specification's table once more, by hand (http-grpc-status-mapping.md): the code's own would only agree with
    // itself.
    let table = [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
        (204, Code::Unknown),
        (302, Code::Unknown),
        (409, Code::Unknown),
        (412, Code::Unknown),
        (413, Code::Unknown),
        (415, Code::Unknown),
        (418, Code::Unknown),
        (431, Code::Unknown),
        (500, Code::Unknown),
        (505, Code::Unknown),
    ];
    for (http, code) in table {
        let page = answer().http(http).header("content-type", "text/plain").body("upstream says no");
        for heard in page.on(&HTTP) {
            assert_eq!(heard.status.code, code, "{heard:?}");
            assert!(heard.status.message.contains(&http.to_string()));
            assert!(heard.status.message.contains("text/plain"));
        }
    }
}

#[test]
fn row_29_http_505_says_that_another_version_of_http_is_wanted() {
    for (http, says) in [(505, true), (500, false)] {
        for heard in answer().http(http).on(&HTTP) {
            assert_eq!(heard.status.message.contains("another version of HTTP"), says, "{heard:?}");
        }
    }
}

#[test]
fn row_29_a_proper_body_does_not_make_an_http_error_a_success() {
    for heard in answer().http(503).message("one").ok().on(&HTTP) {
        assert_eq!(heard.status.code, Code::Unavailable, "{heard:?}");
        assert!(heard.messages.is_empty());
    }
}

#[test]
fn row_30_a_grpc_status_in_the_headers_wins_over_the_http_status() {
    for http in [400, 401, 404, 500, 503] {
        let answer = answer().http(http).header("grpc-status", "9").header("grpc-message", "mine");
        for heard in answer.header("x-tag", "kept").body("Service Unavailable").on(&HTTP) {
            assert_eq!(heard.status.code, Code::FailedPrecondition, "{heard:?}");
            assert_eq!(heard.status.message, "mine");
            assert_eq!(heard.trailer("x-tag"), ["kept"]);
        }
    }
    for heard in answer().http(500).header("grpc-status", "0").on(&WEB[..3]) {
        assert!(heard.status.is_ok(), "{heard:?}");
    }
}
