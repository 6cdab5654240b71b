//! `grpc-status`, `grpc-message` and `grpc-status-details-bin`, as peers really send them.

use tidewire::status::{Code, Fault};

use super::replay::{ALL, Wire, answer};

/// `google.rpc.Status { code: 5, message: "m", details: [Any { type_url: "t", value: [1] }] }`.
const DETAILS: &str = "CAUSAW0aBgoBdBIBAQ";

#[test]
fn row_09_a_status_sent_twice_is_no_status() {
    for second in ["0", "5"] {
        let answer = answer().message("one").trailers(&[("grpc-status", "0"), ("grpc-status", second)]);
        for heard in answer.on(&ALL) {
            assert_eq!(heard.messages, [b"one"]);
            heard.is_broken("more than once");
        }
    }
}

#[test]
fn row_31_a_message_is_percent_decoded_where_it_can_be() {
    let table = [
        ("100%25 gr%C3%BC%C3%9Ft", "100% grüßt"),
        ("gr%c3%bc", "grü"),
        ("100%", "100%"),
        ("%4", "%4"),
        ("50% off %zz", "50% off %zz"),
        ("%E4%BD%A0 100%", "你 100%"),
        ("%FF%FE", "\u{fffd}\u{fffd}"),
        ("%00", "\0"),
        ("", ""),
    ];
    for (sent, told) in table {
        for heard in answer().trailers(&[("grpc-status", "3"), ("grpc-message", sent)]).on(&ALL) {
            assert_eq!(heard.status.code, Code::InvalidArgument, "{heard:?}");
            assert_eq!(heard.status.message, told);
        }
    }
}

#[test]
fn row_32_raw_utf8_and_latin_1_do_not_cost_the_status() {
    let latin_1: &[u8] = b"gr\xfc\xdf";
    for (sent, told, kept) in [("grüß".as_bytes(), "grüß", "grüß"), (latin_1, "grüß", "gr\u{fffd}\u{fffd}")]
    {
        let list: [(&str, &[u8]); 3] = [("x-who", sent), ("grpc-message", sent), ("grpc-status", b"3")];
        for heard in answer().trailers(&list).on(&ALL) {
            assert_eq!(heard.status.code, Code::InvalidArgument, "{heard:?}");
            assert_eq!(heard.status.message, told);
            assert_eq!(heard.trailer("x-who"), [kept]);
        }
    }
}

#[test]
fn row_33_a_number_that_grpc_does_not_know_is_unknown_and_is_kept() {
    for raw in [17, 99, -1, i32::MAX, i32::MIN] {
        for heard in
            answer().trailers(&[("grpc-status", &*raw.to_string()), ("grpc-message", "biz")]).on(&ALL)
        {
            assert_eq!((heard.status.code, heard.status.raw_code), (Code::Unknown, raw), "{heard:?}");
            assert_eq!((heard.status.message.as_str(), heard.status.fault), ("biz", Fault::Peer));
        }
    }
}

#[test]
fn row_33_a_status_that_is_no_number_is_unknown_and_is_quoted() {
    for text in ["abc", "", "0x0", "1.0", "99999999999", "0, 0"] {
        for heard in answer().trailers(&[("grpc-status", text), ("grpc-message", "biz")]).on(&ALL) {
            assert_eq!(heard.status.code, Code::Unknown, "{heard:?}");
            assert!(heard.status.message.contains(&["\"", text, "\""].concat()), "{heard:?}");
            assert!(heard.status.message.contains("biz"));
        }
    }
}

#[test]
fn row_37_details_stay_where_they_are_and_hide_neither_status_nor_message() {
    for details in [DETAILS, "CAUSAW0aBgoBdBIBAQ==", "!!!", "AAAA////", "C", ""] {
        let list = [("grpc-status", "7"), ("grpc-message", "no"), ("grpc-status-details-bin", details)];
        let in_headers = list.iter().fold(answer(), |answer, (name, value)| answer.header(name, value));
        for heard in answer().trailers(&list).on(&ALL).into_iter().chain(in_headers.on(&ALL)) {
            assert_eq!(heard.status.code, Code::PermissionDenied, "{details}: {heard:?}");
            assert_eq!(heard.status.message, "no");
            assert_eq!(heard.trailer("grpc-status-details-bin"), [details]);
        }
    }
}

#[test]
fn row_37_where_the_details_name_another_code_grpc_status_counts() {
    let list = [("grpc-status", "9"), ("grpc-message", "mine"), ("grpc-status-details-bin", DETAILS)];
    let heard = answer().trailers(&list).replay(Wire::Binary);
    assert_eq!((heard.status.code, heard.status.message.as_str()), (Code::FailedPrecondition, "mine"));
}
