//! Who sends next.

use super::code;
use super::connection::{Connection, Phase};
use super::event::Event;
use super::frame;
use super::limits::MAX_COALESCED;
use super::stream::{Half, Turn};

/// Below this a stream's queue wants more.
const LOW_MARK: usize = 32 * 1024;
/// Kept free for the RESET that may follow the last answer in a message.
const RESET_LEN: usize = frame::HEADER_LEN + 4;

impl Connection {
    /// One message: control frames, OPENs in the order of their ids, then the streams in turn.
    pub(super) fn transmit(&mut self, budget: usize) -> Vec<u8> {
        let budget = budget.min(MAX_COALESCED).saturating_sub(RESET_LEN);
        let mut out = Vec::new();
        self.write_control(&mut out, budget);
        // What is ahead must leave first: a RESET makes the room that the peer counts for the next OPEN.
        if self.control.is_empty() && self.phase != Phase::Closed {
            self.write_opens(&mut out, budget);
            self.write_streams(&mut out, budget);
        }
        out
    }

    fn write_control(&mut self, out: &mut Vec<u8>, budget: usize) {
        if self.phase != Phase::Closed
            && let Some(increment) = self.recv_window.give_back_shared()
        {
            frame::write_window(&mut self.control, 0, increment);
        }
        if self.control.len() <= budget {
            return out.append(&mut self.control);
        }
        let mut length = frame::whole_len(&self.control);
        while length < budget {
            let next = frame::whole_len(&self.control[length..]);
            if length + next > budget {
                break;
            }
            length += next;
        }
        out.extend(self.control.drain(..length));
    }

    fn write_opens(&mut self, out: &mut Vec<u8>, budget: usize) {
        while let Some(&id) = self.waiting.first() {
            let sent = self.streams.len() - self.waiting.len();
            if sent >= self.peer.max_streams as usize || self.write_frame(id, out, budget) != Turn::Wrote {
                return;
            }
            self.waiting.remove(0);
            self.last_opened = id;
            self.schedule(id);
        }
    }

    fn write_streams(&mut self, out: &mut Vec<u8>, budget: usize) {
        // Streams in a row that wait for the connection's window; once it is all of them, nothing moves.
        let mut stuck = 0;
        while stuck < self.ready.len() {
            let id = self.ready.remove(0);
            match self.write_frame(id, out, budget) {
                Turn::Wrote => {
                    stuck = 0;
                    self.unschedule(id);
                    self.after_turn(id, out);
                }
                Turn::Nothing => self.unschedule(id),
                Turn::NoCredit => {
                    stuck += 1;
                    self.ready.push(id);
                }
                Turn::NoRoom => return self.ready.insert(0, id),
            }
        }
    }

    fn write_frame(&mut self, id: u32, out: &mut Vec<u8>, budget: usize) -> Turn {
        let Some(stream) = self.streams.get_mut(id) else { return Turn::Nothing };
        let before = stream.queued();
        let turn = stream.write(out, budget, &mut self.send_window, self.peer.max_frame);
        if before >= LOW_MARK && stream.queued() < LOW_MARK {
            self.events.push_back(Event::Writable { id });
        }
        turn
    }

    fn unschedule(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.scheduled = false;
        }
    }

    /// Takes the stream to the end of the line, or out of it.
    fn after_turn(&mut self, id: u32, out: &mut Vec<u8>) {
        let Some(stream) = self.streams.get(id) else { return };
        if stream.has_ended() {
            self.remove(id);
        } else if stream.sent == Half::Ended && self.role.is_gateway() {
            // The answer is complete: nobody reads the rest of the request (RFC 9113 §8.1).
            frame::write_reset(out, id, code::NO_ERROR, "");
            self.remove(id);
        } else {
            self.schedule(id);
        }
    }
}
