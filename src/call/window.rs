//! How much may wait for the reader before the peer is held back.

/// What a message costs beside its bytes: its place in the reader's queue. Without it, empty messages would cost
/// nothing, and a flood of them would never be held back.
const PER_MESSAGE: usize = 64;

/// Bytes come in, messages wait, the reader takes them. While what waits costs at most `limit`, every byte that came is
/// given back to the transport at once; above it, none is until the reader has caught up. So what waits is bounded by
/// the limit and what the transport itself had under way, and a message larger than the transport's window still passes.
#[derive(Debug)]
pub struct ReceiveWindow {
    /// The cost of messages that may wait without holding the peer back.
    limit: usize,
    /// The cost of messages handed to the face and not yet taken by the reader.
    unread: usize,
    /// Body bytes that came and were not yet given back to the transport.
    owed: usize,
}

impl ReceiveWindow {
    /// A window of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, unread: 0, owed: 0 }
    }

    /// A chunk of `chunk` bytes came from the transport, and ended `messages` messages of `bytes` bytes in all.
    pub fn received(&mut self, chunk: usize, messages: usize, bytes: usize) {
        self.owed += chunk;
        self.unread = self.unread.saturating_add(cost(messages, bytes));
    }

    /// The reader took `messages` messages of `bytes` bytes in all.
    pub fn taken(&mut self, messages: usize, bytes: usize) {
        self.unread = self.unread.saturating_sub(cost(messages, bytes));
    }

    /// Whether more waits than may wait without holding the peer back.
    pub fn is_exceeded(&self) -> bool {
        self.unread > self.limit
    }

    /// What to give back to the transport now; zero while the reader is behind.
    pub fn give_back(&mut self) -> usize {
        if self.is_exceeded() { 0 } else { std::mem::take(&mut self.owed) }
    }

    /// The cost of the messages that wait for the reader: their bytes, and 64 for each.
    pub fn unread(&self) -> usize {
        self.unread
    }
}

fn cost(messages: usize, bytes: usize) -> usize {
    messages.saturating_mul(PER_MESSAGE).saturating_add(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_keeps_up_never_holds_the_peer_back() {
        let mut window = ReceiveWindow::new(100);
        window.received(41, 1, 36);
        assert_eq!(window.give_back(), 41);
        window.taken(1, 36);
        assert_eq!(window.give_back(), 0);
    }

    #[test]
    fn a_reader_that_stops_holds_the_peer_back_until_it_catches_up() {
        let mut window = ReceiveWindow::new(200);
        window.received(83, 2, 73);
        assert_eq!(window.give_back(), 0);
        window.taken(1, 1);
        assert_eq!(window.give_back(), 83);
    }

    #[test]
    fn the_limit_itself_does_not_hold_the_peer_back_one_more_byte_does() {
        let mut window = ReceiveWindow::new(100);
        window.received(41, 1, 36);
        assert_eq!((window.unread(), window.give_back()), (100, 41));
        window.received(1, 0, 1);
        assert_eq!((window.unread(), window.give_back()), (101, 0));
    }

    #[test]
    fn the_parts_of_a_message_larger_than_the_window_pass() {
        let mut window = ReceiveWindow::new(100);
        for _ in 0..10 {
            window.received(64, 0, 0);
            assert_eq!(window.give_back(), 64);
        }
        window.received(64, 1, 699);
        assert_eq!(window.give_back(), 0);
        window.taken(1, 699);
        assert_eq!(window.give_back(), 64);
    }

    #[test]
    fn empty_messages_cost_their_place_in_the_queue() {
        let mut window = ReceiveWindow::new(1000);
        window.received(5 * 15, 15, 0);
        assert_eq!(window.give_back(), 75);
        window.received(5, 1, 0);
        assert_eq!(window.give_back(), 0);
        window.taken(1, 0);
        assert_eq!(window.give_back(), 5);
    }

    #[test]
    fn a_reader_that_says_it_took_more_than_there_was_is_no_underflow() {
        let mut window = ReceiveWindow::new(100);
        window.received(10, 1, 5);
        window.taken(usize::MAX, usize::MAX);
        assert_eq!(window.unread(), 0);
    }
}
