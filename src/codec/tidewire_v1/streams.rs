//! The streams of a connection by id.

use super::stream::Stream;

/// Ids only grow, so a sorted list does what a map would, in a fraction of a map's code.
#[derive(Debug, Default)]
pub(super) struct Streams(Vec<Stream>);

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.0.get(self.place(id)?)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let place = self.place(id)?;
        self.0.get_mut(place)
    }

    /// Its id is above all before it.
    pub(super) fn push(&mut self, stream: Stream) {
        debug_assert!(self.0.last().is_none_or(|last| last.id < stream.id));
        self.0.push(stream);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        Some(self.0.remove(self.place(id)?))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.0.iter_mut()
    }

    /// A copy, so that the streams can be changed on the way.
    pub(super) fn ids(&self) -> Vec<u32> {
        self.0.iter().map(|stream| stream.id).collect()
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.0.binary_search_by_key(&id, |stream| stream.id).ok()
    }
}
