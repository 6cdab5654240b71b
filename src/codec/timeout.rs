//! How timeouts are written: `grpc-timeout` (`PROTOCOL-HTTP2.md`, "Timeout") has its own grammar, Connect and Triple count
//! milliseconds.

use std::time::Duration;

use super::trailers::parse_digits;
use crate::words::decimal;

/// Units below a second, in nanoseconds, and from a second up, in seconds.
const FINE: [(u8, u64); 3] = [(b'n', 1), (b'u', 1_000), (b'm', 1_000_000)];
const COARSE: [(u8, u64); 3] = [(b'S', 1), (b'M', 60), (b'H', 3_600)];
const MOST: u64 = 99_999_999;

/// At most eight digits and a unit: the finest unit that holds the value, rounded up, so that the server never gives
/// up before we do.
pub fn encode_grpc(timeout: Duration) -> String {
    let (seconds, nanos) = (timeout.as_secs(), u64::from(timeout.subsec_nanos()));
    // Of more seconds even the milliseconds are more than eight digits.
    let (units, value) = if seconds < MOST / 1_000 {
        (FINE, seconds * 1_000_000_000 + nanos)
    } else {
        (COARSE, seconds.saturating_add((nanos > 0).into()))
    };
    let mut text = String::new();
    for (unit, size) in units {
        let count = value.div_ceil(size);
        text = decimal(count.min(MOST));
        text.push(char::from(unit));
        if count <= MOST {
            break;
        }
    }
    text
}

/// Reads a `grpc-timeout`; `None` where it is not of the grammar.
pub fn decode_grpc(header: &[u8]) -> Option<Duration> {
    let (unit, digits) = header.split_last()?;
    let count = parse_digits(digits, 8)?;
    let of = |units: &[(u8, u64)]| units.iter().find(|(u, _)| u == unit).map(|(_, size)| size * count);
    of(&FINE).map(Duration::from_nanos).or_else(|| of(&COARSE).map(Duration::from_secs))
}

/// Milliseconds, rounded up, at most ten digits.
pub fn encode_millis(timeout: Duration) -> String {
    decimal(millis(timeout).min(9_999_999_999))
}

/// Milliseconds, rounded up, of at most a century: to look for an overflow takes 128 bits.
pub(crate) fn millis(timeout: Duration) -> u64 {
    timeout.as_secs().min(u32::MAX.into()) * 1_000 + u64::from(timeout.subsec_nanos().div_ceil(1_000_000))
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
            (Duration::from_secs(u64::MAX), "99999999H"),
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
