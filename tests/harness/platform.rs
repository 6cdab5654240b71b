//! The platform's gzip: it is asked, and answers in its own time.

use std::cell::RefCell;
use std::rc::Rc;

use tidewire::call::Transmit;
use tidewire::codec::gzip::Unfit;

use super::exchange::Exchange;
use super::gzip::{deflate, inflate};

pub(crate) struct Platform(pub(super) Rc<RefCell<Exchange>>);

impl Platform {
    /// It is to inflate, and does.
    pub(crate) fn inflates(&self) {
        let (bytes, limit) = self.is_to_inflate();
        self.has_inflated(inflate(&bytes, limit));
    }

    /// It is to compress this message, and does.
    pub(crate) fn deflates(&self, message: &str) {
        self.is_to_deflate(message);
        self.has_deflated(&deflate(message.as_bytes()));
    }

    pub(crate) fn is_to_inflate(&self) -> (Vec<u8>, usize) {
        match self.0.borrow_mut().asked.pop_front() {
            Some(Transmit::Inflate { bytes, limit }) => (bytes, limit),
            other => panic!("expected that it is to inflate, it was to do {other:?}"),
        }
    }

    pub(crate) fn is_to_deflate(&self, message: &str) {
        match self.0.borrow_mut().asked.pop_front() {
            Some(Transmit::Deflate(bytes)) => assert_eq!(String::from_utf8_lossy(&bytes), message),
            other => panic!("expected that it is to compress {message:?}, it was to do {other:?}"),
        }
    }

    pub(crate) fn has_inflated(&self, result: Result<Vec<u8>, Unfit>) {
        self.0.borrow_mut().inflated(result);
    }

    pub(crate) fn has_deflated(&self, gzip: &[u8]) {
        self.0.borrow_mut().deflated(gzip);
    }
}
