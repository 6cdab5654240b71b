//! What each side takes, announced in HELLO.

use super::frame::{HEADER_LEN, MAX_PAYLOAD};
use super::window::MAX_WINDOW;

/// What one side takes. The default is what the wire allows before HELLO; HELLO only raises it (`max_streams` may
/// also be lower), so [`Connection::new`](super::Connection::new) takes smaller values for the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// DATA bytes that one stream may have sent and its reader not taken.
    pub stream_window: u32,
    /// The same over all streams. Bounds the memory of the connection; as many stalled readers as it holds stream
    /// windows hold up the other streams, too.
    pub connection_window: u32,
    /// The largest DATA payload.
    pub max_frame: u32,
    /// Streams that the client may have open at once.
    pub max_streams: u32,
    /// The largest OPEN, HEADERS or TRAILERS payload, each header counted with 32 bytes more than it has.
    pub max_headers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stream_window: 65_536,
            connection_window: 1_048_576,
            max_frame: 16_384,
            max_streams: 100,
            max_headers: 16_384,
        }
    }
}

/// A value of a HELLO that the wire forbids.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forbidden {
    pub(super) name: &'static str,
    pub(super) value: u32,
    pub(super) least: u32,
    pub(super) most: u32,
}

/// The largest WebSocket message of more than one frame.
pub(super) const MAX_COALESCED: usize = 65_536;

impl Limits {
    /// The largest WebSocket message that a peer under these limits may send: 65,536 bytes, or one frame if that is
    /// larger. A server may refuse larger ones before it reads them.
    #[must_use]
    pub fn max_message(&self) -> usize {
        let payload = self.max_frame.max(self.max_headers) as usize;
        MAX_COALESCED.max(HEADER_LEN + payload)
    }

    /// These limits within what the wire allows.
    pub(super) fn announceable(self) -> Self {
        let least = Self::default();
        Self {
            stream_window: self.stream_window.clamp(least.stream_window, MAX_WINDOW),
            connection_window: self.connection_window.clamp(least.connection_window, MAX_WINDOW),
            max_frame: self.max_frame.clamp(least.max_frame, MAX_PAYLOAD),
            max_streams: self.max_streams.max(1),
            max_headers: self.max_headers.clamp(least.max_headers, MAX_PAYLOAD),
        }
    }

    /// The pairs of a HELLO: those that differ from the defaults.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u16, u32)> {
        let (ours, defaults) = (self.numbered(), Self::default().numbered());
        ours.into_iter().zip(defaults).filter(|(our, default)| our != default).map(|(our, _)| our)
    }

    /// Takes one pair of the peer's HELLO; an unknown id is skipped.
    pub(super) fn set(&mut self, id: u16, value: u32) -> Result<(), Forbidden> {
        let defaults = Self::default();
        let (field, name, least, most) = match id {
            1 => (&mut self.stream_window, "stream window", defaults.stream_window, MAX_WINDOW),
            2 => (&mut self.connection_window, "connection window", defaults.connection_window, MAX_WINDOW),
            3 => (&mut self.max_frame, "max frame", defaults.max_frame, u32::MAX),
            4 => (&mut self.max_streams, "max streams", 1, u32::MAX),
            5 => (&mut self.max_headers, "max headers", defaults.max_headers, u32::MAX),
            _ => return Ok(()),
        };
        if value < least || value > most {
            return Err(Forbidden { name, value, least, most });
        }
        *field = if id == 3 || id == 5 { value.min(MAX_PAYLOAD) } else { value };
        Ok(())
    }

    fn numbered(&self) -> [(u16, u32); 5] {
        [
            (1, self.stream_window),
            (2, self.connection_window),
            (3, self.max_frame),
            (4, self.max_streams),
            (5, self.max_headers),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_says_only_what_differs_from_the_defaults() {
        assert!(Limits::default().pairs().eq([]));
        let limits = Limits { stream_window: 100_000, max_streams: 7, ..Limits::default() };
        assert!(limits.pairs().eq([(1, 100_000), (4, 7)]));
    }

    #[test]
    fn a_value_below_the_default_is_raised_to_it_before_it_is_announced() {
        let none =
            Limits { stream_window: 0, connection_window: 0, max_frame: 0, max_streams: 0, max_headers: 0 };
        assert_eq!(none.announceable(), Limits { max_streams: 1, ..Limits::default() });
        let all = Limits {
            stream_window: u32::MAX,
            connection_window: u32::MAX,
            max_frame: u32::MAX,
            max_streams: u32::MAX,
            max_headers: u32::MAX,
        };
        let most = all.announceable();
        assert_eq!((most.stream_window, most.connection_window), (MAX_WINDOW, MAX_WINDOW));
        assert_eq!((most.max_frame, most.max_headers), (MAX_PAYLOAD, MAX_PAYLOAD));
    }

    #[test]
    fn a_peer_may_raise_every_limit_and_lower_only_the_number_of_streams() {
        let mut limits = Limits::default();
        for (id, value) in limits.numbered() {
            assert_eq!(limits.set(id, value + 1), Ok(()), "id {id}");
            assert_eq!(limits.set(id, value - 1).is_ok(), id == 4, "id {id}");
        }
        assert!(limits.set(4, 0).is_err());
        assert!(limits.set(1, MAX_WINDOW + 1).is_err());
        assert_eq!(limits.set(99, 0), Ok(()));
    }
}
