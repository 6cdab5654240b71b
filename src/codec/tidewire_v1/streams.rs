//! The streams of a connection by id.

use super::stream::Stream;

/// Ids only grow, so a sorted list does what a map would, in a fraction of a map's code.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "one that ends moves the pointers behind it, not the streams")]
pub(super) struct Streams(Vec<Box<Stream>>);

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        Some(&self.0[self.place(id)?])
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let place = self.place(id)?;
        Some(&mut self.0[place])
    }

    /// Its id is above all before it.
    pub(super) fn push(&mut self, stream: Stream) {
        debug_assert!(self.0.last().is_none_or(|last| last.id < stream.id));
        self.0.push(Box::new(stream));
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        Some(self.0.remove(self.place(id)?))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.0.iter_mut().map(|stream| &mut **stream)
    }

    /// A copy, so that the streams can be changed on the way.
    pub(super) fn ids(&self) -> Vec<u32> {
        self.0.iter().map(|stream| stream.id).collect()
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.0.binary_search_by_key(&id, |stream| stream.id).ok()
    }
}
