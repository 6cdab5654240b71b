//! JSON: whatever comes is read without a panic, a value that is skipped is one that could have been entered, and both
//! stand at the same place after it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidewire::codec::connect_error;
use tidewire::codec::json::Json;
use tidewire::status::Code;

fuzz_target!(|text: &[u8]| {
    let (mut skipped, mut read) = (Json::new(text), Json::new(text));
    let passed = skipped.skip();
    if walk(&mut read).is_some() {
        assert_eq!(passed, Some(()), "what can be read can be skipped");
        assert_eq!(read.is_at_end(), skipped.is_at_end());
    }
    if let Some(error) = connect_error::parse(text) {
        assert_ne!(error.raw_code, Some(Code::Ok as i32));
    }
});

/// Reads one value to its first depth.
fn walk(json: &mut Json<'_>) -> Option<()> {
    if json.is_object() {
        json.enter(b'{')?;
        while json.more(b'}')? {
            json.name()?;
            json.text()?;
        }
        return Some(());
    }
    if json.enter(b'[')? {
        while json.more(b']')? {
            json.text()?;
        }
    }
    Some(())
}
