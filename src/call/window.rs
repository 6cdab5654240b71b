//! How much may wait for the reader before the peer is held back.

/// Bytes come in, messages wait, the reader takes them. While at most `limit` bytes wait, every byte that came is given
/// back to the transport at once; above it, none is until the reader has caught up. So what waits is bounded by the limit
/// and what the transport itself had under way, and a message larger than the transport's window still passes.
#[derive(Debug)]
pub struct ReceiveWindow {
    /// Message bytes that may wait without holding the peer back.
    limit: usize,
    /// Message bytes handed to the face and not yet taken by the reader.
    unread: usize,
    /// Body bytes that came and were not yet given back to the transport.
    owed: usize,
}

impl ReceiveWindow {
    /// A window of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, unread: 0, owed: 0 }
    }

    /// A chunk of `bytes` came from the transport, with `messages` bytes of whole messages in it.
    pub fn received(&mut self, bytes: usize, messages: usize) {
        self.owed += bytes;
        self.unread += messages;
    }

    /// The reader took `bytes` of messages.
    pub fn taken(&mut self, bytes: usize) {
        self.unread = self.unread.saturating_sub(bytes);
    }

    /// What to give back to the transport now; zero while the reader is behind.
    pub fn give_back(&mut self) -> usize {
        if self.unread > self.limit { 0 } else { std::mem::take(&mut self.owed) }
    }

    /// Message bytes that wait for the reader.
    pub fn unread(&self) -> usize {
        self.unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_keeps_up_never_holds_the_peer_back() {
        let mut window = ReceiveWindow::new(100);
        window.received(60, 55);
        assert_eq!(window.give_back(), 60);
        window.taken(55);
        assert_eq!(window.give_back(), 0);
    }

    #[test]
    fn a_reader_that_stops_holds_the_peer_back_until_it_catches_up() {
        let mut window = ReceiveWindow::new(100);
        window.received(120, 110);
        assert_eq!(window.give_back(), 0);
        window.taken(9);
        assert_eq!(window.give_back(), 0);
        window.taken(1);
        assert_eq!(window.give_back(), 120);
    }

    #[test]
    fn the_parts_of_a_message_larger_than_the_window_pass() {
        let mut window = ReceiveWindow::new(100);
        for _ in 0..10 {
            window.received(64, 0);
            assert_eq!(window.give_back(), 64);
        }
        window.received(64, 704);
        assert_eq!(window.give_back(), 0);
        window.taken(704);
        assert_eq!(window.give_back(), 64);
    }
}
