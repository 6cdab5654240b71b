//! Sentences for people, put together without the formatting machinery of the standard library, which would be a tenth
//! of what a page downloads.

/// One `String` of texts and whole numbers: `words!["stream ", id, " is gone"]`.
macro_rules! words {
    ($($part:expr),+ $(,)?) => {{
        let mut text = String::new();
        $($crate::words::Word::add_to(&$part, &mut text);)+
        text
    }};
}
pub(crate) use words;

/// What stands in a sentence.
pub(crate) trait Word {
    fn add_to(&self, text: &mut String);
}

impl<T: Word + ?Sized> Word for &T {
    fn add_to(&self, text: &mut String) {
        (**self).add_to(text);
    }
}

impl Word for str {
    // A call at each of a hundred places is smaller than its body there.
    #[inline(never)]
    fn add_to(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl Word for String {
    fn add_to(&self, text: &mut String) {
        self.as_str().add_to(text);
    }
}

impl Word for std::borrow::Cow<'_, str> {
    fn add_to(&self, text: &mut String) {
        (**self).add_to(text);
    }
}

impl Word for u64 {
    #[inline(never)]
    fn add_to(&self, text: &mut String) {
        text.push_str(&decimal(*self));
    }
}

impl Word for u32 {
    fn add_to(&self, text: &mut String) {
        u64::from(*self).add_to(text);
    }
}

impl Word for u16 {
    fn add_to(&self, text: &mut String) {
        u64::from(*self).add_to(text);
    }
}

impl Word for u8 {
    fn add_to(&self, text: &mut String) {
        u64::from(*self).add_to(text);
    }
}

impl Word for usize {
    fn add_to(&self, text: &mut String) {
        (*self as u64).add_to(text);
    }
}

/// A number in decimal digits.
pub(crate) fn decimal(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
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
    fn parts_stand_one_after_the_other() {
        assert_eq!(words!["stream ", 7u32, " of ", String::from("9"), ""], "stream 7 of 9");
    }
}
