//! The half-close machine of one call, seen from the client.

use crate::status::{Code, Status};

/// ```text
///          open              close_send
///  Idle ─────────► Open ────────────────► HalfClosed
///    │              │                         │
///    │   end: the peer's status, cancel, deadline, a broken transport or protocol
///    └──────────────┴────────► Ended ◄────────┘
/// ```
///
/// In `Open` and `HalfClosed` the peer first awaits headers, then streams. A forbidden event is an error value: the
/// caller's fault for what we do ([`State::send`], [`State::close_send`]), the peer's for what it does.
#[derive(Debug)]
pub struct State(Inner);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    Idle,
    Open(Peer),
    HalfClosed(Peer),
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    OwesHeaders,
    Streams,
}

use Inner::{Ended, HalfClosed, Idle, Open};
use Peer::{OwesHeaders, Streams};

impl Default for State {
    fn default() -> Self {
        Self(Idle)
    }
}

impl State {
    /// The request headers go out. Only once.
    pub fn open(&mut self) -> Result<(), Status> {
        match self.0 {
            Idle => self.0 = Open(OwesHeaders),
            Open(_) | HalfClosed(_) => return Err(misuse("the call was opened before")),
            Ended => return Err(misuse("open after the end of the call: nothing was sent")),
        }
        Ok(())
    }

    /// A message goes out.
    pub fn send(&self) -> Result<(), Status> {
        match self.0 {
            Open(_) => Ok(()),
            Idle => Err(misuse("send before the call was opened")),
            HalfClosed(_) => Err(misuse("send after closeSend: this side has said that it sends no more")),
            Ended => Err(misuse("send after the end of the call: the message was not sent")),
        }
    }

    /// Our half ends. `false` where it has ended before: idempotent.
    pub fn close_send(&mut self) -> bool {
        let Open(peer) = self.0 else { return false };
        self.0 = HalfClosed(peer);
        true
    }

    /// The peer's headers came.
    pub fn recv_headers(&mut self) -> Result<(), Status> {
        self.0 = match self.0 {
            Open(OwesHeaders) => Open(Streams),
            HalfClosed(OwesHeaders) => HalfClosed(Streams),
            Open(Streams) | HalfClosed(Streams) => {
                return Err(Status::internal("the server sent its headers twice"));
            }
            Idle | Ended => return Err(Status::internal("the server sent headers outside the call")),
        };
        Ok(())
    }

    /// Body bytes came.
    pub fn recv_data(&self) -> Result<(), Status> {
        match self.0 {
            Open(Streams) | HalfClosed(Streams) => Ok(()),
            _ => Err(Status::internal("the server sent a message before its headers")),
        }
    }

    /// The call is over, whoever ended it. `true` the first time: first cause wins.
    pub fn end(&mut self) -> bool {
        !matches!(std::mem::replace(&mut self.0, Ended), Ended)
    }

    /// Whether the peer has not said a word yet.
    pub fn owes_headers(&self) -> bool {
        matches!(self.0, Open(OwesHeaders) | HalfClosed(OwesHeaders))
    }

    /// Whether the call has been opened and is not over.
    pub fn is_active(&self) -> bool {
        matches!(self.0, Open(_) | HalfClosed(_))
    }

    /// Whether the call is over.
    pub fn is_ended(&self) -> bool {
        self.0 == Ended
    }
}

fn misuse(words: &str) -> Status {
    // A channel has nobody to tell.
    let words = if cfg!(any(feature = "js", not(target_family = "wasm"))) { words } else { "" };
    Status::misuse(Code::FailedPrecondition, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Inner; 6] =
        [Idle, Open(OwesHeaders), Open(Streams), HalfClosed(OwesHeaders), HalfClosed(Streams), Ended];

    /// What each event makes of each state; `None` where it is forbidden.
    fn table(event: impl Fn(&mut State) -> bool) -> [Option<Inner>; 6] {
        ALL.map(|from| {
            let mut state = State(from);
            event(&mut state).then_some(state.0)
        })
    }

    #[test]
    fn open_only_from_idle() {
        assert_eq!(table(|s| s.open().is_ok()), [Some(Open(OwesHeaders)), None, None, None, None, None]);
    }

    #[test]
    fn send_only_while_our_half_is_open() {
        let allowed = [None, Some(Open(OwesHeaders)), Some(Open(Streams)), None, None, None];
        assert_eq!(table(|s| s.send().is_ok()), allowed);
    }

    #[test]
    fn close_send_half_closes_once_and_leaves_the_peers_half_alone() {
        let moved = [None, Some(HalfClosed(OwesHeaders)), Some(HalfClosed(Streams)), None, None, None];
        assert_eq!(table(State::close_send), moved);
        for from in [Idle, HalfClosed(Streams), Ended] {
            let mut state = State(from);
            state.close_send();
            assert_eq!(state.0, from);
        }
    }

    #[test]
    fn headers_once_before_all_else() {
        let moved = [None, Some(Open(Streams)), None, Some(HalfClosed(Streams)), None, None];
        assert_eq!(table(|s| s.recv_headers().is_ok()), moved);
        let allowed = [None, None, Some(Open(Streams)), None, Some(HalfClosed(Streams)), None];
        assert_eq!(table(|s| s.recv_data().is_ok()), allowed);
    }

    #[test]
    fn every_state_ends_once() {
        assert_eq!(
            table(State::end),
            [Some(Ended), Some(Ended), Some(Ended), Some(Ended), Some(Ended), None]
        );
    }

    #[test]
    fn what_we_do_wrong_is_misuse_and_what_the_peer_does_wrong_is_the_peers() {
        use crate::status::Fault;
        assert_eq!(State(Ended).send().unwrap_err().fault, Fault::Misuse);
        assert_eq!(State(HalfClosed(Streams)).send().unwrap_err().code, Code::FailedPrecondition);
        assert_eq!(State(Open(OwesHeaders)).recv_data().unwrap_err().fault, Fault::Peer);
        assert_eq!(State(Open(Streams)).recv_headers().unwrap_err().code, Code::Internal);
    }
}
