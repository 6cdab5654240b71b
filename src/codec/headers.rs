//! Headers and trailers, whatever brought them.

use std::fmt;

use crate::words::lossy;

/// HTTP headers or trailers as they travel: lower-case names, raw values, order and repeats kept.
///
/// It is one text, names and values with a NUL behind each: so it crosses the border to JavaScript as it is, and a list of
/// any length is one piece of memory. HTTP allows a NUL in neither.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderList(Vec<u8>);

impl HeaderList {
    /// An empty one.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What [`as_packed`](Self::as_packed) gave. What is behind the last whole header is not looked at.
    pub const fn from_packed(packed: Vec<u8>) -> Self {
        Self(packed)
    }

    /// Names and values, a NUL behind each.
    pub fn as_packed(&self) -> &[u8] {
        &self.0
    }

    /// Adds a header behind the others. A NUL in it becomes a line break, which is refused wherever a NUL is.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.push_bytes(name.as_ref(), value.as_ref());
    }

    fn push_bytes(&mut self, name: &[u8], value: &[u8]) {
        self.0.reserve(name.len() + value.len() + 2);
        for part in [name, value] {
            self.0.extend(part.iter().map(|byte| if *byte == 0 { b'\n' } else { *byte }));
            self.0.push(0);
        }
    }

    /// Moves all of `other` behind the others.
    pub fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// Names and values, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(&self.0)
    }

    /// The values under `name`, in any case.
    pub fn all(&self, name: impl AsRef<[u8]>) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_ref())).map(|(_, value)| value)
    }

    /// The first of them.
    pub fn first(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Names and values of a [`HeaderList`], in order.
#[derive(Clone)]
pub struct Iter<'a>(&'a [u8]);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.part()?, self.part()?))
    }
}

impl<'a> Iter<'a> {
    fn part(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let part = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(part)
    }
}

impl<'a> IntoIterator for &'a HeaderList {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderList {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut list = Self::new();
        for (name, value) in headers {
            list.push(name, value);
        }
        list
    }
}

impl fmt::Debug for HeaderList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, value)| (lossy(name), lossy(value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_comes_in_order_with_repeats_and_under_any_case() {
        let list = HeaderList::from_iter([("x-tag", "a"), ("empty", ""), ("x-tag", "b")]);
        let pairs = [("x-tag", "a"), ("empty", ""), ("x-tag", "b")];
        assert!(list.iter().eq(pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()))));
        assert!(list.all("X-Tag").eq([b"a", b"b"]));
        assert_eq!((list.first("empty"), list.first("none")), (Some(&b""[..]), None));
        assert_eq!(list.as_packed(), b"x-tag\0a\0empty\0\0x-tag\0b\0");
        assert_eq!(HeaderList::from_packed(list.as_packed().to_vec()), list);
    }

    #[test]
    fn a_nul_makes_no_other_headers() {
        let list = HeaderList::from_iter([("x-a", "1\0grpc-status\0 0")]);
        assert!(list.iter().eq([(&b"x-a"[..], &b"1\ngrpc-status\n 0"[..])]));
    }

    #[test]
    fn half_a_header_is_none() {
        for (packed, count) in [("", 0), ("a", 0), ("a\0", 0), ("a\0b", 0), ("a\0b\0c\0", 1), ("\0\0", 1)] {
            assert_eq!(HeaderList::from_packed(packed.into()).iter().count(), count, "{packed:?}");
        }
    }
}
