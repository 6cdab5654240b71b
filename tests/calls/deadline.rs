//! The deadline: told to the peer, kept here.

use std::time::Duration;

use tidewire::call::Transmit;
use tidewire::status::{Code, Fault};

use crate::harness::wire::Wire;
use crate::harness::{Pair, START, bidi};

#[test]
fn a_pending_receive_is_freed_when_it_passes() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        assert_eq!(pair.timer(), Some(300));
        pair.after(299);
        pair.client.waits();
        pair.peer.expects_nothing();
        pair.after(1);
        pair.peer.expects_reset();
        pair.client.ends(Code::DeadlineExceeded).by(Fault::Local).says("300 ms").without_trailers();
        pair.is_over();
    }
}

#[test]
fn it_passes_before_the_peer_says_a_word_and_after_the_half_close() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.opens();
        pair.client.close_send();
        pair.peer.expects_half_close();
        pair.after(300);
        pair.peer.expects_reset();
        pair.client.ends(Code::DeadlineExceeded);
        pair.is_over();
    }
}

#[test]
fn a_deadline_of_zero_sends_nothing() {
    for pair in bidi().deadline(0).on_every_wire() {
        pair.client.open();
        pair.peer.expects_nothing();
        pair.client.ends(Code::DeadlineExceeded).by(Fault::Local);
        pair.is_over();
    }
}

/// All that can come to a call that awaits its headers, and would end or change it.
const LATE: [fn(&Pair); 8] = [
    |pair| pair.client.cancel("at the same time"),
    |pair| pair.peer.headers(),
    |pair| pair.peer.replies("too late"),
    |pair| pair.peer.ends_ok(),
    |pair| pair.peer.body_ends(None),
    |pair| pair.peer.resets(8, "the server's deadline passed too"),
    |pair| pair.peer.is_not_reached(7, "at the same time"),
    |pair| pair.peer.connection_fails("at the same time"),
];

#[test]
fn it_wins_over_whatever_comes_at_or_after_it_even_where_the_timer_is_late() {
    for late in LATE {
        for millis in [300, 301, 10_000] {
            for pair in bidi().deadline(300).on_every_wire() {
                pair.opens();
                pair.after_without_timer(millis);
                late(&pair);
                pair.peer.expects_reset();
                pair.client.ends(Code::DeadlineExceeded).by(Fault::Local);
                pair.is_over();
            }
        }
    }
}

#[test]
fn it_wins_over_the_status_of_a_stream_that_has_begun() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        pair.after_without_timer(300);
        pair.peer.ends_ok();
        pair.peer.expects_reset();
        pair.client.ends(Code::DeadlineExceeded).by(Fault::Local);
        pair.is_over();
    }
}

#[test]
fn a_status_just_before_it_is_the_one_told() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        pair.after_without_timer(299);
        pair.peer.ends_ok();
        pair.after(1);
        pair.peer.expects_done();
        pair.client.ends(Code::Ok);
        pair.is_over();
    }
}

#[test]
fn a_cancel_just_before_it_is_the_one_told() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        pair.after_without_timer(299);
        pair.client.cancel("enough");
        pair.after(1);
        pair.peer.expects_reset();
        pair.client.ends(Code::Cancelled);
    }
}

#[test]
fn a_timer_that_fires_too_early_does_nothing() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.timer_fires();
        pair.talks();
        pair.timer_fires();
        pair.after_without_timer(299);
        pair.timer_fires();
        pair.peer.expects_nothing();
        pair.client.waits();
        assert_eq!(pair.timer(), Some(300));
    }
}

#[test]
fn messages_that_came_in_time_are_told_before_it() {
    for pair in bidi().deadline(300).on_every_wire() {
        pair.talks();
        pair.peer.replies("in time");
        pair.after_without_timer(300);
        pair.peer.replies("too late");
        pair.peer.expects_reset();
        pair.client.receives("in time");
        pair.client.ends(Code::DeadlineExceeded);
    }
}

#[test]
fn it_counts_from_the_open() {
    for pair in bidi().deadline(300).on_every_wire() {
        assert_eq!(pair.timer(), None);
        pair.after(5_000);
        pair.talks();
        assert_eq!(pair.timer(), Some(5_300));
        pair.after(299);
        pair.client.waits();
    }
}

#[test]
fn the_peer_is_told_and_never_less_than_was_asked() {
    let table = [(1, "1000000n", "1"), (99_999, "99999000u", "99999"), (100_000, "100000m", "100000")];
    for (millis, header, whole) in table {
        for pair in bidi().deadline(millis).on_every_wire() {
            let told = if pair.peer.wire == Wire::Connect { whole } else { header };
            pair.opens()
                .with(pair.peer.wire.timeout(), told)
                .without("tri-service-timeout")
                .without("triple-timeout-ms");
        }
    }
    for pair in bidi().on_every_wire() {
        pair.opens().without("grpc-timeout").without("connect-timeout-ms");
        assert_eq!(pair.timer(), None);
        pair.after(1_000_000_000);
        pair.client.waits();
    }
}

#[test]
fn triple_servers_are_told_in_their_own_headers_too() {
    for pair in bidi().deadline(300).triple().on_every_wire() {
        let told = if pair.peer.wire == Wire::Connect { "300" } else { "300000u" };
        pair.opens()
            .with(pair.peer.wire.timeout(), told)
            .with("tri-service-timeout", "300")
            .with("triple-timeout-ms", "300");
    }
    for pair in bidi().triple().on_every_wire() {
        pair.opens().without("grpc-timeout").without("tri-service-timeout").without("triple-timeout-ms");
    }
}

#[test]
fn the_longest_of_all_does_not_wrap_around_into_the_past() {
    let pair = bidi().deadline(u64::MAX).over(Wire::Grpc);
    pair.talks();
    pair.after(86_400_000);
    pair.client.waits();

    let mut call = bidi().deadline(u64::MAX).call(Wire::Grpc);
    call.open(Duration::MAX - Duration::from_secs(1)).unwrap();
    assert!(matches!(call.poll_transmit(), Some(Transmit::Open { .. })));
    assert_eq!(call.poll_timeout(), Some(Duration::MAX));
    call.handle_timeout(START);
    assert_eq!(call.poll_event(), None);
}
