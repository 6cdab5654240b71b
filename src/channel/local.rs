//! The one place where what belongs to one thread gets the types of what does not.

use std::pin::Pin;
use std::task::{Context, Poll};

use fragile::Fragile;
use futures_core::Stream;

/// JavaScript's objects belong to the thread that made them, and tonic demands `Send` of bodies. Used on another thread
/// this panics; `unsafe impl Send` would be undefined behaviour there.
pub(super) type Confined<T> = Fragile<T>;

/// A request stream that is not `Send`, for tonic, which demands it: see [`local`].
#[derive(Debug)]
pub struct Local<S>(Confined<S>);

/// Lets a stream that is not `Send` (it holds an `Rc`, a signal, a JavaScript value) be a request stream:
///
/// ```ignore
/// client.greet_stream(tidewire::channel::local(stream)).await?;
/// ```
///
/// Panics where the stream is polled or dropped on another thread, which a channel never does.
pub fn local<S: Stream>(stream: S) -> Local<S> {
    Local(Confined::new(stream))
}

impl<S: Stream + Unpin> Stream for Local<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        Pin::new(self.0.get_mut()).poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.get().size_hint()
    }
}
