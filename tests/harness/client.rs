//! The caller's side: its commands, and what it is told.

use std::cell::RefCell;
use std::rc::Rc;

use tidewire::codec::HeaderList;
use tidewire::status::{Code, Fault, Status};

use super::exchange::{Exchange, Told};
use super::{has, readable};

/// The caller.
pub(crate) struct Client(pub(crate) Rc<RefCell<Exchange>>);

impl Client {
    pub(crate) fn open(&self) {
        self.try_open().unwrap();
    }

    pub(crate) fn try_open(&self) -> Result<(), Status> {
        self.0.borrow_mut().step("client: open".into(), |call, now| call.open(now))
    }

    pub(crate) fn send(&self, message: &str) {
        self.try_send(message.as_bytes()).unwrap();
    }

    pub(crate) fn try_send(&self, message: &[u8]) -> Result<(), Status> {
        self.0
            .borrow_mut()
            .step(format!("client: send {} bytes", message.len()), |call, _| call.send(message))
    }

    /// A send is refused, by words that name the caller's mistake, and nothing else happens.
    pub(crate) fn cannot_send(&self, words: &str) {
        let told = self.0.borrow().told.len();
        let status = self.try_send(b"too late").unwrap_err();
        assert_eq!((status.code, status.fault), (Code::FailedPrecondition, Fault::Misuse));
        assert!(status.message.contains(words), "expected {words:?}, got {:?}", status.message);
        assert_eq!(self.0.borrow().told.len(), told, "a refused send does not touch the call");
    }

    pub(crate) fn close_send(&self) {
        self.0.borrow_mut().step("client: closeSend".into(), |call, _| {
            call.close_send().expect("gRPC can half-close");
        });
    }

    pub(crate) fn cancel(&self, reason: &str) {
        self.0.borrow_mut().step(format!("client: cancel {reason:?}"), |call, now| call.cancel(now, reason));
    }

    /// The reader takes messages out of the queue.
    pub(crate) fn takes(&self, messages: &[usize]) {
        let bytes = messages.iter().sum();
        let what = format!("client: takes {} messages of {bytes} bytes", messages.len());
        self.0.borrow_mut().step(what, |call, _| call.taken(messages.len(), bytes));
    }

    /// The reader waits: there is nothing to tell it yet.
    pub(crate) fn waits(&self) {
        let told = &self.0.borrow().told;
        assert!(told.is_empty(), "expected nothing to be told, the caller was told {told:?}");
    }

    pub(crate) fn receives_headers(&self) -> HeaderList {
        match self.0.borrow_mut().told.pop_front() {
            Some(Told::Headers(headers)) => headers,
            other => panic!("expected the headers, the caller was told {other:?}"),
        }
    }

    pub(crate) fn receives(&self, message: &str) {
        self.receives_bytes(message.as_bytes());
    }

    pub(crate) fn receives_bytes(&self, message: &[u8]) {
        match self.0.borrow_mut().told.pop_front() {
            Some(Told::Message(bytes)) => {
                assert!(bytes == message, "expected {message:02x?}, got {bytes:02x?}");
            }
            other => panic!("expected a message, the caller was told {other:?}"),
        }
    }

    /// The end is told, with this code, and it is the last thing told.
    pub(crate) fn ends(&self, code: Code) -> Ending {
        let told = self.0.borrow_mut().told.pop_front();
        let Some(Told::End(status, trailers)) = told else {
            panic!("expected the end, the caller was told {told:?}")
        };
        assert_eq!(status.code, code, "{status}");
        self.waits();
        Ending { status, trailers }
    }
}

/// How a call ended.
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) trailers: HeaderList,
}

impl Ending {
    pub(crate) fn by(self, fault: Fault) -> Self {
        assert_eq!(self.status.fault, fault, "{}", self.status);
        self
    }

    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.status.message.contains(words), "expected {words:?}, got {:?}", self.status.message);
        self
    }

    pub(crate) fn with_trailer(self, name: &str, value: &str) -> Self {
        assert!(has(&self.trailers, name, value), "no {name}: {value} in [{}]", readable(&self.trailers));
        self
    }

    pub(crate) fn without_trailers(self) -> Self {
        assert_eq!(self.trailers, HeaderList::new());
        self
    }
}
