//! Credit: how many DATA bytes may travel, on one stream or on the whole connection.

/// The largest window, as in HTTP/2.
pub(super) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// What a reader owes at most before a WINDOW says so. Of a large window half would be too late: on a long way the peer
/// would wait for it.
const MOST_OWED: u32 = 128 * 1024;

/// What we may still send.
#[derive(Debug)]
pub(super) struct SendWindow {
    available: u32,
}

/// The peer's WINDOW or HELLO takes a window above [`MAX_WINDOW`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

impl SendWindow {
    pub(super) fn new(size: u32) -> Self {
        Self { available: size }
    }

    pub(super) fn available(&self) -> usize {
        self.available as usize
    }

    /// At most [`Self::available`] bytes go out.
    pub(super) fn take(&mut self, bytes: usize) {
        self.available = self.available.saturating_sub(to_u32(bytes));
    }

    pub(super) fn grow(&mut self, by: u32) -> Result<(), Overflow> {
        match self.available.checked_add(by) {
            Some(sum) if sum <= MAX_WINDOW => self.available = sum,
            _ => return Err(Overflow),
        }
        Ok(())
    }
}

/// What the peer may still send.
///
/// Every byte of `size` is in one of three places: `available` to the peer, unread by our consumer, or `owed`:
/// read, but not yet given back. So the unread bytes, which are the memory held, never exceed `size`.
#[derive(Debug)]
pub(super) struct RecvWindow {
    size: u32,
    available: u32,
    owed: u32,
}

impl RecvWindow {
    pub(super) fn new(size: u32) -> Self {
        Self { size, available: size, owed: 0 }
    }

    /// Bytes arrived. The error is how many were allowed.
    pub(super) fn receive(&mut self, bytes: usize) -> Result<(), u32> {
        match self.available.checked_sub(to_u32(bytes)) {
            Some(rest) => self.available = rest,
            None => return Err(self.available),
        }
        Ok(())
    }

    /// Bytes that arrived and were not released.
    pub(super) fn unread(&self) -> usize {
        (self.size - self.available - self.owed) as usize
    }

    /// The consumer took bytes. Returns how many counted: never more than were unread.
    pub(super) fn release(&mut self, bytes: usize) -> usize {
        let counted = bytes.min(self.unread());
        self.owed += to_u32(counted);
        counted
    }

    /// The increment to give back once half the window is owed, or 128 KiB. Its consumer reads on or stalls on its own.
    pub(super) fn give_back(&mut self) -> Option<u32> {
        self.give_back_from((self.size / 2).min(MOST_OWED))
    }

    /// The same for a window that many streams share: also when the peer has less left than we owe it, because a
    /// stream that is read must not wait for the readers of the others.
    pub(super) fn give_back_shared(&mut self) -> Option<u32> {
        self.give_back_from((self.size / 2).min(self.available))
    }

    fn give_back_from(&mut self, mark: u32) -> Option<u32> {
        if self.owed == 0 || self.owed < mark {
            return None;
        }
        self.available += self.owed;
        Some(std::mem::take(&mut self.owed))
    }
}

/// Saturating: whatever does not fit is above every window.
fn to_u32(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_window_holds_what_it_was_given_and_no_more_than_the_maximum() {
        let mut window = SendWindow::new(10);
        window.take(10);
        assert_eq!(window.available(), 0);
        assert_eq!(window.grow(MAX_WINDOW), Ok(()));
        assert_eq!(window.grow(1), Err(Overflow));
        assert_eq!(window.grow(u32::MAX), Err(Overflow));
        assert_eq!(window.available(), MAX_WINDOW as usize);
    }

    #[test]
    fn more_bytes_than_allowed_are_refused_and_change_nothing() {
        let mut window = RecvWindow::new(10);
        assert_eq!(window.receive(6), Ok(()));
        assert_eq!(window.receive(5), Err(4));
        assert_eq!(window.unread(), 6);
        assert_eq!(window.receive(4), Ok(()));
    }

    #[test]
    fn window_comes_back_in_halves() {
        let mut window = RecvWindow::new(10);
        assert_eq!(window.receive(10), Ok(()));
        assert_eq!(window.release(4), 4);
        assert_eq!(window.give_back(), None);
        assert_eq!(window.release(1), 1);
        assert_eq!(window.give_back(), Some(5));
        assert_eq!(window.give_back(), None);
        assert_eq!(window.receive(6), Err(5));
    }

    #[test]
    fn a_large_window_comes_back_in_smaller_parts() {
        let mut window = RecvWindow::new(1024 * 1024);
        assert_eq!(window.receive(1024 * 1024), Ok(()));
        assert_eq!(window.release(128 * 1024 - 1), 128 * 1024 - 1);
        assert_eq!(window.give_back(), None);
        assert_eq!(window.release(1), 1);
        assert_eq!(window.give_back(), Some(128 * 1024));
    }

    #[test]
    fn bytes_are_released_once() {
        let mut window = RecvWindow::new(10);
        assert_eq!(window.receive(6), Ok(()));
        assert_eq!(window.release(100), 6);
        assert_eq!(window.release(100), 0);
        assert_eq!(window.give_back(), Some(6));
        assert_eq!(window.unread(), 0);
    }

    #[test]
    fn a_shared_window_does_not_wait_for_half_of_it_while_others_hold_it() {
        let mut window = RecvWindow::new(10);
        assert_eq!(window.receive(9), Ok(()));
        assert_eq!(window.release(1), 1);
        assert_eq!(window.give_back(), None);
        assert_eq!(window.give_back_shared(), Some(1));
        assert_eq!(window.give_back_shared(), None);
    }
}
