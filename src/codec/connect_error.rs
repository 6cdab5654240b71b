//! Connect's `Error` (protocol reference, "Error and EndStreamResponse"): the name of a code, words and details, in
//! JSON. Triple's bare form has it from there.

use super::json::Json;
use super::trailers::parse_code;
use super::{HeaderList, details};
use crate::base64;
use crate::status::{Code, Status};
use crate::words::words;

/// An error as it came.
#[derive(Debug, Default, PartialEq)]
pub struct WireError {
    /// The number that its code stands for; `None` where the code is missing or unknown.
    pub raw_code: Option<i32>,
    /// For a person.
    pub message: String,
    /// For a program: those of [`details`].
    pub details: Vec<u8>,
}

/// The error that a body is; `None` where it is something else.
pub fn parse(body: &[u8]) -> Option<WireError> {
    let mut error = WireError::default();
    let mut json = Json::new(body);
    let is_error = json.is_object() && read(&mut json, &mut error).is_some() && json.is_at_end();
    is_error.then_some(error)
}

/// Reads an error. What has another type than it should have counts as missing; what is unknown is passed over.
///
/// What is read goes to where the caller wants it: a result would be let go of after each step that may fail.
pub(super) fn read(json: &mut Json<'_>, error: &mut WireError) -> Option<()> {
    json.enter(b'{')?;
    while json.more(b'}')? {
        match json.name()? {
            b"code" => error.raw_code = number(&json.text()?),
            b"message" => error.message = json.text()?,
            b"details" if json.enter(b'[')? => {
                while json.more(b']')? {
                    read_detail(json, &mut error.details)?;
                }
            }
            b"details" => {}
            _ => json.skip()?,
        }
    }
    Some(())
}

/// Reads one detail. One that cannot be used is left out, since it must not hide the error. Its `debug` is for people.
fn read_detail(json: &mut Json<'_>, details: &mut Vec<u8>) -> Option<()> {
    if !json.enter(b'{')? {
        return Some(());
    }
    let (mut kind, mut value) = (String::new(), Some(Vec::new()));
    while json.more(b'}')? {
        match json.name()? {
            b"type" => kind = json.text()?,
            b"value" => value = base64::decode(json.text()?.as_bytes()),
            _ => json.skip()?,
        }
    }
    if let (false, Some(value)) = (kind.is_empty(), value) {
        details::push(&words!["type.googleapis.com/", kind], &value, details);
    }
    Some(())
}

/// dubbo-go and connect-go write `code_17` for a number that has no name. There is no error with code OK.
fn number(name: &str) -> Option<i32> {
    match name.strip_prefix("code_") {
        Some(digits) => parse_code(digits.as_bytes()).filter(|number| *number != 0),
        None => Code::from_connect(name).map(|code| code as i32),
    }
}

impl WireError {
    /// As a status, with the code that HTTP gives where the error itself has none. Its details are put into the trailers.
    pub(super) fn status(mut self, inferred: Code, trailers: &mut HeaderList) -> Status {
        let status = Status::from_peer(self.raw_code.unwrap_or(inferred as i32), self.message);
        if !self.details.is_empty() {
            details::push_trailer(&status, &mut self.details, trailers);
        }
        status
    }
}
