//! The open streams of a `tidewire.v1` socket: between its [`Connection`] and the tasks that relay.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use h2::{FlowControl, Reason};
use http::HeaderMap;
use tidewire::codec::tidewire_v1::Connection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::stream::{Denied, News, Opened, Route, What};
use crate::config::Limits;
use crate::exchange::{Ending, Part};
use crate::gateway::Shared;
use crate::headers;
use crate::status::reset_sentence;

/// Some small messages' worth: to wake the socket's task for each would cost more than to relay it.
const MOST_UNTOLD: u32 = 8 * 1024;

/// Never waits and never does I/O: the socket's task calls it with what came.
pub(crate) struct Streams {
    shared: Arc<Shared>,
    /// Headers of the upgrade request that were allowed to reach upstreams.
    of_upgrade: HeaderMap,
    open: HashMap<u32, Stream>,
    /// The streams whose `held` is not 0.
    holding: Vec<u32>,
    tasks: JoinSet<()>,
    teller: mpsc::UnboundedSender<News>,
    /// What a stream may keep untold of the bytes that its upstream took.
    untold: usize,
}

/// A stream that has not ended on this side.
struct Stream {
    parts: mpsc::UnboundedSender<Part>,
    upstream: String,
    flow: Option<FlowControl>,
    /// Bytes of the answer that the socket has not taken; the upstream's window counts them.
    held: usize,
    /// The answer broke off; told once what came before it is on its way.
    broken: Option<(u32, String)>,
}

impl Streams {
    /// `teller`: where the tasks put their news.
    pub(crate) fn new(
        shared: Arc<Shared>,
        of_upgrade: HeaderMap,
        teller: mpsc::UnboundedSender<News>,
    ) -> Self {
        let untold = untold(&shared.limits);
        Self {
            shared,
            of_upgrade,
            open: HashMap::new(),
            holding: Vec::new(),
            tasks: JoinSet::new(),
            teller,
            untold,
        }
    }

    /// Starts a stream's task, or answers by itself.
    pub(crate) fn open(&mut self, connection: &mut Connection, opened: Opened) {
        let id = opened.id;
        // A client may reset and open faster than upstreams can follow.
        if self.tasks.len() >= 2 * self.shared.limits.max_streams as usize {
            let reason = "the client opens and resets streams faster than they can end";
            return connection.reset(id, u32::from(Reason::ENHANCE_YOUR_CALM), reason);
        }
        match Route::find(opened, &self.shared, &self.of_upgrade) {
            Ok(route) => {
                let (parts, taker) = mpsc::unbounded_channel();
                let upstream = route.upstream();
                self.open.insert(id, Stream { parts, upstream, flow: None, held: 0, broken: None });
                // Bound, too: the last resets are waited for only once all tasks have ended.
                // Boxed before it is wrapped: it is large, and each layer would move it.
                let relayed = Box::pin(route.run(taker, self.teller.clone(), self.untold));
                self.tasks.spawn(self.shared.drain.bound(relayed));
            }
            Err(Denied::Reset { code, sentence }) => connection.reset(id, u32::from(code), &sentence),
            Err(Denied::Answer { status, headers, sentence }) => {
                connection.send_headers(id, status.as_u16(), &headers::to_list(&headers), false);
                connection.send_data(id, sentence, true);
            }
        }
    }

    /// Bytes of the client's, and its half-close.
    pub(crate) fn pass_on(&mut self, connection: &mut Connection, id: u32, chunk: Bytes, fin: bool) {
        let Some(stream) = self.open.get(&id) else {
            // The answer is complete, nobody takes this.
            return connection.release(id, chunk.len());
        };
        let _ = stream.parts.send(Part::Data(chunk));
        if fin {
            let _ = stream.parts.send(Part::End);
        }
    }

    /// The client reset a stream.
    pub(crate) fn leave(&mut self, id: u32, code: u32) {
        if let Some(stream) = self.open.remove(&id) {
            let _ = stream.parts.send(Part::Left(Reason::from(code)));
        }
    }

    /// All upstreams see CANCEL: that is what a task does whose client is gone without a word.
    pub(crate) fn cancel_all(&mut self) {
        self.open.clear();
    }

    /// One task has ended; waits for ever if there is none.
    pub(crate) async fn one_ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) async fn all_ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// What a stream's task told.
    pub(crate) fn hear(&mut self, connection: &mut Connection, News { id, what }: News) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        match what {
            What::Head { status, headers, fin, flow } => {
                stream.flow = Some(flow);
                connection.send_headers(id, status.as_u16(), &headers, fin);
            }
            What::Data(chunk) => {
                if stream.held == 0 {
                    self.holding.push(id);
                }
                stream.held += chunk.len();
                connection.send_data(id, chunk, false);
            }
            What::Taken(bytes) => connection.release(id, bytes),
            What::Ended(ending) => self.end(connection, id, ending),
        }
    }

    /// Lets upstreams send as much more as the socket took.
    pub(crate) fn give_back(&mut self, connection: &mut Connection) {
        let Self { open, holding, .. } = self;
        holding.retain(|&id| {
            let Some(stream) = open.get_mut(&id) else { return false };
            let queued = connection.queued(id);
            if let Some(flow) = &mut stream.flow {
                let _ = flow.release_capacity(stream.held.saturating_sub(queued));
            }
            stream.held = queued;
            if queued == 0
                && let Some((code, reason)) = stream.broken.take()
            {
                connection.reset(id, code, &reason);
                open.remove(&id);
            }
            queued > 0
        });
    }

    fn end(&mut self, connection: &mut Connection, id: u32, ending: Ending) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        let (code, reason) = match ending {
            Ending::Complete(trailers) => {
                match trailers {
                    Some(trailers) => connection.send_trailers(id, &headers::to_list(&trailers)),
                    None => connection.send_data(id, [], true),
                }
                self.open.remove(&id);
                return;
            }
            Ending::Reset(code) => (code, reset_sentence(code, &stream.upstream)),
            Ending::Broken(sentence) => (Reason::CONNECT_ERROR, sentence),
            Ending::Unreachable(sentence) => (Reason::REFUSED_STREAM, sentence),
            Ending::Invalid(sentence) => (Reason::INTERNAL_ERROR, sentence),
            Ending::Left(code) => (code, "the client left".to_owned()),
            Ending::Refused(status) => (Reason::INTERNAL_ERROR, status.message),
        };
        let code = u32::from(code);
        if stream.held > 0 {
            stream.broken = Some((code, reason));
        } else {
            connection.reset(id, code, &reason);
            self.open.remove(&id);
        }
    }
}

/// Little enough that all streams together keep no more than half of the connection's window, and each a part of its own.
fn untold(limits: &Limits) -> usize {
    let share = limits.connection_window / 2 / limits.max_streams.max(1);
    MOST_UNTOLD.min(share).min(limits.upload_window / 4) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_streams_keep_untold_leaves_half_of_every_window() {
        let default = Limits::default();
        assert_eq!(untold(&default), 8 * 1024);
        for (max_streams, upload_window) in [(1, 1 << 20), (1_000, 4), (100_000, 1 << 20), (0, 1 << 20)] {
            let limits = Limits { max_streams, upload_window, ..default.clone() };
            assert!(untold(&limits) * max_streams as usize <= limits.connection_window as usize / 2);
            assert!(untold(&limits) <= upload_window as usize / 4);
        }
    }
}
