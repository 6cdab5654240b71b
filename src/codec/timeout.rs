//! The timeout headers: `grpc-timeout` (`PROTOCOL-HTTP2.md`, "Timeout") and Triple's two.

use std::time::Duration;

/// dubbo-java and dubbo-js read this one, in milliseconds, on the bare protocol.
pub const TRI_SERVICE_TIMEOUT: &str = "tri-service-timeout";
/// dubbo-go reads this one, in milliseconds of at most ten digits, on the bare protocol.
pub const TRIPLE_TIMEOUT_MS: &str = "triple-timeout-ms";

const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// At most eight digits and a unit: the finest unit that holds the value, rounded up, so that the server never gives
/// up before we do.
pub fn encode_grpc(timeout: Duration) -> String {
    let nanos = timeout.as_nanos();
    for (unit, size) in UNITS {
        let count = nanos.div_ceil(size);
        if count <= 99_999_999 {
            return format_unit(count, unit);
        }
    }
    format_unit(99_999_999, b'H')
}

/// Reads a `grpc-timeout`; `None` where it is not of the grammar.
pub fn decode_grpc(header: &[u8]) -> Option<Duration> {
    let (unit, digits) = header.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count: u128 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (_, size) = UNITS.iter().find(|(u, _)| u == unit)?;
    let nanos = count * size;
    Some(Duration::new(u64::try_from(nanos / 1_000_000_000).ok()?, (nanos % 1_000_000_000) as u32))
}

/// Milliseconds for both of Triple's headers, rounded up, at most ten digits.
pub fn encode_triple(timeout: Duration) -> String {
    timeout.as_nanos().div_ceil(1_000_000).min(9_999_999_999).to_string()
}

fn format_unit(count: u128, unit: u8) -> String {
    let mut text = (count as u64).to_string();
    text.push(unit as char);
    text
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
    fn triple_counts_whole_milliseconds() {
        assert_eq!(encode_triple(Duration::from_micros(1_001)), "2");
        assert_eq!(encode_triple(Duration::from_secs(u64::MAX)), "9999999999");
    }
}
