//! Sentences for people, put together without the formatting machinery of the standard library, which would be a tenth
//! of what a page downloads.

use std::borrow::Cow;

/// One `String` of texts and whole numbers: `words!["stream ", id, " is gone"]`.
///
/// Literals become one text with a gap for each other part: a call for each part, at a hundred places, would be a
/// kilobyte more.
macro_rules! words {
    (@ [$($text:expr),*] [$($part:expr),*]) => {
        $crate::words::fill(concat!($($text),*), &[$($crate::words::Word::part(&$part)),*])
    };
    (@ [$($text:expr),*] [$($part:expr),*] $next:literal $(, $($rest:tt)*)?) => {
        words!(@ [$($text,)* $next] [$($part),*] $($($rest)*)?)
    };
    (@ [$($text:expr),*] [$($part:expr),*] $next:expr $(, $($rest:tt)*)?) => {
        words!(@ [$($text,)* "\0"] [$($part,)* $next] $($($rest)*)?)
    };
    ($($parts:tt)+) => { words!(@ [] [] $($parts)+) };
}
pub(crate) use words;

/// What stands in a gap.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Text(&'a str),
    Number(usize),
}

/// What can stand in a sentence.
pub(crate) trait Word {
    fn part(&self) -> Part<'_>;
}

impl<T: Word + ?Sized> Word for &T {
    fn part(&self) -> Part<'_> {
        (**self).part()
    }
}

impl Word for str {
    fn part(&self) -> Part<'_> {
        Part::Text(self)
    }
}

impl Word for String {
    fn part(&self) -> Part<'_> {
        Part::Text(self)
    }
}

impl Word for Cow<'_, str> {
    fn part(&self) -> Part<'_> {
        Part::Text(self)
    }
}

impl Word for usize {
    fn part(&self) -> Part<'_> {
        Part::Number(*self)
    }
}

impl Word for u32 {
    fn part(&self) -> Part<'_> {
        Part::Number(*self as usize)
    }
}

impl Word for u16 {
    fn part(&self) -> Part<'_> {
        Part::Number(usize::from(*self))
    }
}

impl Word for u8 {
    fn part(&self) -> Part<'_> {
        Part::Number(usize::from(*self))
    }
}

/// Puts the parts into the gaps of `text`, which are NULs.
#[inline(never)]
pub(crate) fn fill(text: &str, parts: &[Part<'_>]) -> String {
    let mut parts = parts.iter();
    let mut filled = String::new();
    for char in text.chars() {
        if char != '\0' {
            filled.push(char);
            continue;
        }
        match parts.next() {
            Some(Part::Text(text)) => filled.push_str(text),
            Some(Part::Number(number)) => push_decimal(&mut filled, *number as u64),
            None => {}
        }
    }
    filled
}

/// What stands for bytes that are no UTF-8.
#[cfg(any(test, all(target_family = "wasm", feature = "channel")))]
const REPLACEMENT: &str = "\u{fffd}";

/// `String::from_utf8_lossy`. Where `from_utf8` is there anyway, as it is under tonic, the rest of it is little.
#[cfg(any(test, all(target_family = "wasm", feature = "channel")))]
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) if text.is_empty() => return Cow::Borrowed(valid),
            Ok(valid) => {
                text.push_str(valid);
                return Cow::Owned(text);
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                text.push_str(REPLACEMENT);
                rest = &broken[error.error_len().unwrap_or(broken.len())..];
            }
        }
    }
}

#[cfg(not(any(test, all(target_family = "wasm", feature = "channel"))))]
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A number in decimal digits.
pub(crate) fn decimal(number: u64) -> String {
    let mut digits = String::new();
    push_decimal(&mut digits, number);
    digits
}

fn push_decimal(text: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_their_order() {
        for number in [0, 7, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn words_that_are_no_utf8_are_read_as_the_standard_library_reads_them() {
        proptest::proptest!(|(bytes: Vec<u8>, text: String, cut: usize)| {
            let mut broken = text.into_bytes();
            broken.truncate(cut % (broken.len() + 1));
            for bytes in [&bytes[..], &broken, &[broken.clone(), bytes.clone()].concat()] {
                let standard = String::from_utf8_lossy(bytes);
                let is_borrowed = |text: &Cow<'_, str>| matches!(text, Cow::Borrowed(_));
                proptest::prop_assert_eq!(is_borrowed(&lossy(bytes)), is_borrowed(&standard));
                proptest::prop_assert_eq!(lossy(bytes), standard);
            }
        });
    }

    #[test]
    fn parts_stand_one_after_the_other() {
        assert_eq!(words!["stream ", 7u32, " of ", String::from("9"), ""], "stream 7 of 9");
    }
}
