//! When to ask whether the peer still lives, and when to give it up.

use core::time::Duration;

/// Silence before a PING, and again before the peer counts as dead.
pub(super) const INTERVAL: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) enum KeepAlive {
    /// The peer was heard.
    Heard { at: Duration },
    /// It was silent, and was sent a PING.
    Asked { at: Duration },
}

/// What the passing of time asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    Dead,
}

impl KeepAlive {
    pub(super) fn new(now: Duration) -> Self {
        Self::Heard { at: now }
    }

    pub(super) fn heard(&mut self, now: Duration) {
        *self = Self::Heard { at: now };
    }

    pub(super) fn deadline(&self) -> Duration {
        match *self {
            Self::Heard { at } | Self::Asked { at } => at.saturating_add(INTERVAL),
        }
    }

    pub(super) fn due(&mut self, now: Duration) -> Due {
        if now < self.deadline() {
            return Due::Nothing;
        }
        match self {
            Self::Heard { .. } => {
                *self = Self::Asked { at: now };
                Due::Ping
            }
            Self::Asked { .. } => Due::Dead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_peer_is_asked_once_and_then_given_up() {
        let mut keep_alive = KeepAlive::new(SECOND);
        assert_eq!(keep_alive.due(SECOND * 20), Due::Nothing);
        assert_eq!(keep_alive.due(SECOND * 21), Due::Ping);
        assert_eq!(keep_alive.deadline(), SECOND * 41);
        assert_eq!(keep_alive.due(SECOND * 40), Due::Nothing);
        assert_eq!(keep_alive.due(SECOND * 41), Due::Dead);
    }

    #[test]
    fn any_message_starts_again() {
        let mut keep_alive = KeepAlive::new(Duration::ZERO);
        assert_eq!(keep_alive.due(SECOND * 20), Due::Ping);
        keep_alive.heard(SECOND * 30);
        assert_eq!(keep_alive.due(SECOND * 40), Due::Nothing);
        assert_eq!(keep_alive.due(SECOND * 50), Due::Ping);
    }

    #[test]
    fn a_timer_that_comes_hours_late_asks_first() {
        let mut keep_alive = KeepAlive::new(Duration::ZERO);
        assert_eq!(keep_alive.due(SECOND * 10_000), Due::Ping);
        assert_eq!(keep_alive.deadline(), SECOND * 10_020);
    }
}
