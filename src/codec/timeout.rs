//! How timeouts are written: `grpc-timeout` (`PROTOCOL-HTTP2.md`, "Timeout") has its own grammar, Connect and Triple count
//! milliseconds.

use std::time::Duration;

use super::trailers::parse_digits;
use crate::words::decimal;

/// The units, finest first, and how many of the one before make one; the first is a nanosecond.
const UNITS: [(u8, u64); 6] = [(b'n', 1), (b'u', 1_000), (b'm', 1_000), (b'S', 1_000), (b'M', 60), (b'H', 60)];
const MOST: u64 = 99_999_999;

/// At most eight digits and a unit: the finest unit that holds the value, rounded up, so that the server never gives
/// up before we do.
pub fn encode_grpc(timeout: Duration) -> String {
    let mut count = nanos(timeout);
    let mut text = String::new();
    for (unit, size) in UNITS {
        count = count.div_ceil(size);
        if count <= MOST {
            text = decimal(count);
            text.push(char::from(unit));
            break;
        }
    }
    text
}

/// Reads a `grpc-timeout`; `None` where it is not of the grammar.
pub fn decode_grpc(header: &[u8]) -> Option<Duration> {
    let (unit, digits) = header.split_last()?;
    let count = parse_digits(digits, 8)?;
    let mut nanos = 1;
    for (known, size) in UNITS {
        nanos *= size;
        if known == *unit {
            return Some(Duration::from_nanos(count.min(u64::MAX / nanos) * nanos));
        }
    }
    None
}

/// Milliseconds, rounded up, at most ten digits.
pub fn encode_millis(timeout: Duration) -> String {
    decimal(millis(timeout).min(9_999_999_999))
}

/// Milliseconds, rounded up.
pub(crate) fn millis(timeout: Duration) -> u64 {
    nanos(timeout).div_ceil(1_000_000)
}

/// Five centuries at most: to look for an overflow takes 128 bits.
fn nanos(timeout: Duration) -> u64 {
    let timeout = timeout.min(Duration::from_nanos(u64::MAX));
    timeout.as_secs() * 1_000_000_000 + u64::from(timeout.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_unit_that_fits_eight_digits_rounded_up() {
        let table = [
            (Duration::from_nanos(1), "1n"),
            (Duration::from_millis(300), "300000u"),
            (Duration::from_micros(1_500_500), "1500500u"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(200_000), "200000S"),
            (Duration::from_secs(100_000_000), "1666667M"),
            (Duration::from_secs(u64::MAX), "5124096H"),
        ];
        for (timeout, text) in table {
            assert_eq!(encode_grpc(timeout), text, "{timeout:?}");
        }
    }

    #[test]
    fn what_we_send_is_never_shorter_than_what_was_asked() {
        proptest::proptest!(|(nanos in 1u64..)| {
            let asked = Duration::from_nanos(nanos);
            let header = encode_grpc(asked);
            proptest::prop_assert!(header.len() <= 9);
            proptest::prop_assert!(decode_grpc(header.as_bytes()).unwrap() >= asked);
        });
    }

    #[test]
    fn headers_outside_the_grammar_are_no_timeout() {
        for bad in ["", "m", "5", "-1m", "1.5m", "123456789m", "5 m", "5x", "m5"] {
            assert_eq!(decode_grpc(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(decode_grpc(b"0n"), Some(Duration::ZERO));
    }

    #[test]
    fn millis_are_whole_and_rounded_up() {
        assert_eq!(encode_millis(Duration::from_micros(1_001)), "2");
        assert_eq!(encode_millis(Duration::from_secs(u64::MAX)), "9999999999");
    }
}
