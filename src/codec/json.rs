//! A reader for the JSON of the protocol itself: Connect's errors and the last message of its streams. Messages in JSON
//! are the codec's, and never come here.
//!
//! It pulls: the caller asks for what it expects, and everything else is skipped, without recursion and without being
//! kept. What is skipped has to be in balance; its grammar is not judged. `None` means that the text is no JSON.

use crate::words::lossy;

/// A text, and how far it has been read.
///
/// ```text
/// if json.enter(b'{')? {
///     while json.more(b'}')? {
///         match json.name()? {
///             b"code" => code = json.text()?,
///             _ => json.skip()?,
///         }
///     }
/// }
/// ```
pub struct Json<'a> {
    text: &'a [u8],
    at: usize,
    /// Nothing of the object or array has been read that was entered last.
    is_first: bool,
}

impl<'a> Json<'a> {
    /// Starts before the first value.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, is_first: false }
    }

    /// Whether an object comes next.
    pub fn is_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Goes into the object or array that comes next. Any other value is skipped, which gives `Some(false)`.
    pub fn enter(&mut self, opening: u8) -> Option<bool> {
        self.is_first = self.take(opening);
        if !self.is_first {
            self.skip()?;
        }
        Some(self.is_first)
    }

    /// Whether another member or element comes. It has to be read or skipped before this is asked again.
    pub fn more(&mut self, closing: u8) -> Option<bool> {
        let is_first = std::mem::take(&mut self.is_first);
        if self.take(closing) {
            return Some(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Some(true)
    }

    /// The name of a member, whose value comes next, as it is written: nobody escapes the names that are looked for.
    pub fn name(&mut self) -> Option<&'a [u8]> {
        let name = self.raw()?;
        self.expect(b':').map(|()| name)
    }

    /// A string. Any other value is skipped, and counts as an empty one.
    pub fn text(&mut self) -> Option<String> {
        if self.peek()? == b'"' {
            return unescape(self.raw()?);
        }
        self.skip().map(|()| String::new())
    }

    /// Passes over one value.
    pub fn skip(&mut self) -> Option<()> {
        // Its length is bounded by the text's.
        let mut open = Vec::new();
        loop {
            let byte = self.peek()?;
            match byte {
                b'"' => drop(self.raw()?),
                b'{' | b'[' => {
                    self.at += 1;
                    open.push(byte);
                }
                b'}' | b']' => {
                    self.at += 1;
                    // In ASCII a closing bracket comes two after its opening one.
                    (open.pop()? + 2 == byte).then_some(())?;
                }
                b',' | b':' if !open.is_empty() => self.at += 1,
                _ => self.scalar()?,
            }
            if open.is_empty() {
                return Some(());
            }
        }
    }

    /// Whether nothing but blanks is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// A number or a word: whatever it says, nobody asks for it.
    fn scalar(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(byte) = self.text.get(self.at)
            && (byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// What stands between quotes, escapes and all.
    fn raw(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return self.text.get(start..self.at - 1);
            }
        }
    }

    /// The first byte that is no blank, which stays.
    fn peek(&mut self) -> Option<u8> {
        while let b' ' | b'\t' | b'\n' | b'\r' = self.text.get(self.at)? {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }
}

/// Broken UTF-8, and a half of a UTF-16 pair that stands alone, become replacement characters.
fn unescape(mut raw: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    while let [byte, rest @ ..] = raw {
        raw = rest;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let [escaped, rest @ ..] = raw else { return None };
        raw = rest;
        bytes.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'"' | b'\\' | b'/' => *escaped,
            b'u' => {
                let mut unit = take_unit(&mut raw)?;
                if (0xd800..0xdc00).contains(&unit)
                    && let [b'\\', b'u', rest @ ..] = raw
                    && let mut rest = rest
                    && let Some(low @ 0xdc00..0xe000) = take_unit(&mut rest)
                {
                    raw = rest;
                    unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                }
                let char = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        });
    }
    Some(lossy(&bytes).into_owned())
}

/// Takes four hexadecimal digits.
fn take_unit(raw: &mut &[u8]) -> Option<u32> {
    let (digits, rest) = raw.split_at_checked(4)?;
    *raw = rest;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Option<String> {
        let mut json = Json::new(json.as_bytes());
        json.text().filter(|_| json.is_at_end())
    }

    #[test]
    fn strings_as_servers_write_them() {
        let table = [
            (r#""""#, ""),
            (r#" "plain" "#, "plain"),
            (r#""a\"b\\c\/d""#, "a\"b\\c/d"),
            (r#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
            (r#""gr\u00fc\u00DFt""#, "grüßt"),
            (r#""\ud83d\ude00 \uD83D\uDE00""#, "😀 😀"),
            (r#""\u0000""#, "\0"),
            ("\"gr\u{fc}\u{df}t \u{1f600}\"", "grüßt 😀"),
            // Halves of pairs that stand alone.
            (r#""\ud83d!""#, "\u{fffd}!"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            // Line ends have to be escaped; not all writers know.
            ("\"a\nb\"", "a\nb"),
            // What is no string counts as an empty one.
            ("7", ""),
            ("null", ""),
            (r#"{"a":["]}",{}]}"#, ""),
        ];
        for (json, expected) in table {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        assert_eq!(Json::new(b"\"gr\xfc\"").text().as_deref(), Some("gr\u{fffd}"));
    }

    #[test]
    fn what_is_no_json_is_none() {
        for json in [
            "",
            "\"",
            "\"a",
            r#""\""#,
            r#""\x""#,
            r#""\u12""#,
            r#""\u12g4""#,
            "'a'",
            "[",
            "]",
            "[}",
            "{]",
            "[1",
            ",",
            ":",
            "\"a\" \"b\"",
            "@",
        ] {
            assert_eq!(text(json), None, "{json}");
        }
    }

    fn members(json: &str) -> Option<Vec<(String, String)>> {
        let mut json = Json::new(json.as_bytes());
        let mut members = Vec::new();
        if json.enter(b'{')? {
            while json.more(b'}')? {
                let name = String::from_utf8_lossy(json.name()?).into_owned();
                members.push((name, json.text()?));
            }
        }
        json.is_at_end().then_some(members)
    }

    #[test]
    fn members_come_in_their_order_and_their_commas_are_looked_at() {
        let read = members(r#" { "a" : "1" , "b":[{"a":"no"},[]],"a":"2" } "#).unwrap();
        let expected = [("a", "1"), ("b", ""), ("a", "2")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_string(), value.to_string())));
        assert_eq!(members("{}"), Some(vec![]));
        assert_eq!(members("[]"), Some(vec![]), "another value has no members");
        for broken in [
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{a:1}"#,
            r#"{"a":1]"#,
        ] {
            assert_eq!(members(broken), None, "{broken}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
        assert_eq!(Json::new(deep.as_bytes()).skip(), Some(()));
        assert_eq!(Json::new(&deep.as_bytes()[..1_500_000]).skip(), None);
    }

    #[test]
    fn what_the_usual_crate_reads_is_read_the_same() {
        proptest::proptest!(|(strings in proptest::collection::vec(proptest::prelude::any::<(String, String)>(), 0..6))| {
            let map: serde_json::Map<_, _> =
                strings.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            let written = serde_json::Value::from(map.clone()).to_string();
            let read = members(&written).unwrap();
            let values: Vec<_> = read.into_iter().map(|(_, value)| value).collect();
            let expected: Vec<_> = map.values().map(|value| value.as_str().unwrap_or_default()).collect();
            proptest::prop_assert_eq!(values, expected);
        });
        proptest::proptest!(|(text in r#"[\[\]{}",:\\a0 u-]{0,24}"#)| {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                proptest::prop_assert_eq!(Json::new(text.as_bytes()).skip(), Some(()));
            }
        });
    }
}
