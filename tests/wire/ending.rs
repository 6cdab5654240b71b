//! Where the end of an answer is, and what speaks for it.

use tidewire::codec::envelope;
use tidewire::status::Code;

use super::replay::{ALL, HTTP, WEB, Wire, answer};

#[test]
fn row_01_trailers_only_a_status_in_the_headers_of_an_empty_answer_is_the_end() {
    let answer =
        answer().header("grpc-status", "5").header("grpc-message", "no%20such").header("x-tag", "one");
    for heard in answer.on(&ALL) {
        assert_eq!(heard.status.code, Code::NotFound, "{heard:?}");
        assert_eq!(heard.status.message, "no such");
        assert_eq!(heard.trailer("x-tag"), ["one"]);
    }
}

#[test]
fn row_02_a_status_in_the_trailers_wins_over_one_in_the_headers() {
    for heard in answer().header("grpc-status", "8").trailers(&[("grpc-status", "9")]).on(&HTTP) {
        assert_eq!(heard.status.code, Code::FailedPrecondition, "{heard:?}");
    }
}

#[test]
fn row_02_where_the_trailer_frame_is_empty_the_status_in_the_headers_counts() {
    let early = answer().header("grpc-status", "8").header("x-early", "1");
    for heard in early.clone().block("").on(&WEB[..3]) {
        assert_eq!(heard.status.code, Code::ResourceExhausted, "{heard:?}");
    }
    for heard in early.trailers(&[("x-late", "2")]).on(&HTTP) {
        assert_eq!(heard.status.code, Code::ResourceExhausted, "{heard:?}");
        assert_eq!((heard.trailer("x-early").len(), heard.trailer("x-late").len()), (1, 1));
    }
}

#[test]
fn row_02_a_status_in_the_headers_does_not_vouch_for_messages_that_no_trailers_follow() {
    for foretold in ["0", "9"] {
        for heard in answer().header("grpc-status", foretold).message("one").on(&HTTP) {
            assert_eq!(heard.messages, [b"one"]);
            heard.is_broken("without grpc-status");
        }
    }
}

#[test]
fn row_03_an_empty_answer_without_status_is_never_ok() {
    for heard in answer().on(&ALL) {
        assert!(heard.headers.is_some());
        heard.is_broken("Access-Control-Expose-Headers");
    }
}

#[test]
fn row_04_a_body_that_ends_without_trailers_is_an_error_after_its_messages() {
    for heard in answer().message("one").message("two").on(&ALL) {
        assert_eq!(heard.messages, [b"one", b"two"]);
        heard.is_broken("without grpc-status");
    }
}

#[test]
fn row_05_trailers_without_a_status_are_an_error_and_are_not_lost() {
    let answer = answer().message("one").trailers(&[("grpc-message", "fine"), ("x-tag", "late")]);
    for heard in answer.on(&ALL) {
        assert_eq!(heard.messages, [b"one"]);
        assert_eq!(heard.trailer("x-tag"), ["late"]);
        heard.is_broken("without grpc-status");
    }
}

#[test]
fn row_10_a_second_trailer_frame_changes_no_status_unseen() {
    let second = envelope::encode(0x80, b"grpc-status: 0\r\n");
    what_follows_the_trailers_is_refused_and_never_told(&second);
}

#[test]
fn row_11_a_message_after_the_trailers_is_not_told() {
    what_follows_the_trailers_is_refused_and_never_told(&envelope::encode(0, b"late"));
}

/// The one place where a cut shows: the call ends with its trailers (row 12), so what a later chunk brings is not even
/// looked at; what the same chunk brings is seen, and the answer is no good.
fn what_follows_the_trailers_is_refused_and_never_told(surplus: &[u8]) {
    for wire in [Wire::Binary, Wire::Sockets] {
        let proper = answer().message("one").block("grpc-status: 9\r\n");
        let end = proper.written(wire).len();
        let whole = proper.raw(surplus).written(wire);
        for cut in 0..=whole.len() {
            let (head, tail) = whole.split_at(cut);
            let heard = answer().heard(wire, &[head, tail]);
            assert_eq!(heard.messages, [b"one"], "cut at {cut}");
            if cut == end {
                assert_eq!(heard.status.code, Code::FailedPrecondition);
            } else {
                heard.is_broken("after the trailers");
            }
        }
    }
}

#[test]
fn row_12_the_trailer_frame_ends_the_call_though_the_body_stays_open() {
    for heard in answer().message("one").ok().on(&WEB) {
        assert!(heard.status.is_ok(), "{heard:?}");
        assert!(!heard.waited_for_end_of_body);
    }
}

#[test]
fn row_15_an_answer_that_is_cut_anywhere_is_never_ok() {
    let answer = answer().message("one").message("").ok();
    for wire in WEB {
        let body = answer.written(wire);
        for cut in 0..body.len() {
            let heard = answer.heard(wire, &[&body[..cut]]);
            assert_eq!(heard.status.code, Code::Internal, "cut at {cut}: {heard:?}");
        }
        assert!(answer.heard(wire, &[&body]).status.is_ok());
    }
}

#[test]
fn row_15_a_cut_message_tells_what_was_promised_and_what_came() {
    let cut_prefix = answer().message("one").raw([0, 0, 0]);
    for heard in cut_prefix.clone().on(&HTTP).into_iter().chain(cut_prefix.ok().on(&[Wire::Native])) {
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("5 bytes were promised, 3 came");
    }
    let cut_message = answer().message("one").raw([0, 0, 0, 0, 9, 1, 2]);
    for heard in cut_message.clone().on(&ALL).into_iter().chain(cut_message.ok().on(&[Wire::Native])) {
        assert_eq!(heard.messages, [b"one"]);
        heard.is_broken("9 bytes were promised, 2 came");
    }
}

#[test]
fn row_15_a_peer_that_says_why_it_broke_off_is_believed() {
    let answer = answer().raw([0, 0, 0, 0, 9, 1, 2]).trailers(&[("grpc-status", "14")]);
    assert_eq!(answer.replay(Wire::Native).status.code, Code::Unavailable);
}

#[test]
fn row_36_an_error_status_after_messages_takes_none_of_them_back() {
    for heard in answer().message("one").message("two").trailers(&[("grpc-status", "10")]).on(&ALL) {
        assert_eq!(heard.messages, [b"one", b"two"]);
        assert_eq!(heard.status.code, Code::Aborted, "{heard:?}");
    }
}
