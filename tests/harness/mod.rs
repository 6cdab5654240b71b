//! A call, a scripted peer and a virtual clock: no socket, no sleep.

mod client;
pub(crate) mod exchange;
pub(crate) mod gzip;
mod peer;
mod platform;
pub(crate) mod wire;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tidewire::call::{Call, CallKind, Config};
use tidewire::codec::gzip::Compression;
use tidewire::codec::{HeaderList, Messages};

use client::Client;
use exchange::Exchange;
use peer::Peer;
use platform::Platform;
use wire::Wire;

/// Where the clock stands at the start: any origin will do, so not zero.
pub(crate) const START: Duration = Duration::from_secs(7);

pub(crate) fn unary() -> Setup {
    Setup::new(CallKind::Unary)
}

pub(crate) fn server_stream() -> Setup {
    Setup::new(CallKind::ServerStream)
}

pub(crate) fn client_stream() -> Setup {
    Setup::new(CallKind::ClientStream)
}

pub(crate) fn bidi() -> Setup {
    Setup::new(CallKind::Bidi)
}

pub(crate) fn headers(list: &[(&str, &str)]) -> HeaderList {
    list.iter().copied().collect()
}

pub(crate) fn has(headers: &HeaderList, name: &str, value: &str) -> bool {
    headers.iter().any(|header| header == (name.as_bytes(), value.as_bytes()))
}

/// For whoever reads a failure.
pub(crate) fn readable(headers: &HeaderList) -> String {
    let text = String::from_utf8_lossy;
    headers
        .iter()
        .map(|(name, value)| format!("{}: {}", text(name), text(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a call is to be, before it is said over which wire.
#[derive(Clone)]
pub(crate) struct Setup {
    kind: CallKind,
    metadata: HeaderList,
    timeout: Option<Duration>,
    triple: bool,
    window: usize,
    max_message: usize,
    gzip: Compression,
}

impl Setup {
    pub(crate) fn new(kind: CallKind) -> Self {
        Self {
            kind,
            metadata: HeaderList::new(),
            timeout: None,
            triple: false,
            window: 1 << 20,
            max_message: 4 << 20,
            gzip: Compression::default(),
        }
    }

    pub(crate) fn deadline(self, millis: u64) -> Self {
        Self { timeout: Some(Duration::from_millis(millis)), ..self }
    }

    pub(crate) fn metadata(self, list: &[(&str, &str)]) -> Self {
        Self { metadata: headers(list), ..self }
    }

    pub(crate) fn triple(self) -> Self {
        Self { triple: true, ..self }
    }

    pub(crate) fn window(self, window: usize) -> Self {
        Self { window, ..self }
    }

    pub(crate) fn max_message(self, max_message: usize) -> Self {
        Self { max_message, ..self }
    }

    /// Both ways.
    pub(crate) fn gzip(self) -> Self {
        Self { gzip: Compression { accept: true, send: true }, ..self }
    }

    /// The same conversation over each wire, with the peer's bytes whole and one by one.
    pub(crate) fn on_every_wire(self) -> impl Iterator<Item = Pair> {
        let cuts = |wire| [usize::MAX, 1].map(|cut| (wire, cut));
        let connect = (self.kind != CallKind::Unary).then_some(Wire::Connect);
        Wire::GRPC
            .into_iter()
            .chain(connect)
            .flat_map(cuts)
            .map(move |(wire, cut)| Pair::new(self.clone(), wire, cut))
    }

    pub(crate) fn over(self, wire: Wire) -> Pair {
        Pair::new(self, wire, usize::MAX)
    }

    pub(crate) fn call(self, wire: Wire) -> Call {
        let config = Config {
            kind: self.kind,
            path: path(self.kind).into(),
            metadata: self.metadata,
            timeout: self.timeout,
            triple: self.triple,
            receive_window: self.window,
        };
        Call::new(config, wire.protocol(Messages { gzip: self.gzip, ..Messages::new(self.max_message) }))
    }
}

/// The two sides of a conversation. What a test leaves unread fails it.
pub(crate) struct Pair {
    pub(crate) client: Client,
    pub(crate) peer: Peer,
    path: &'static str,
}

impl Pair {
    fn new(setup: Setup, wire: Wire, cut: usize) -> Self {
        let path = path(setup.kind);
        let exchange = Rc::new(RefCell::new(Exchange::new(setup.call(wire), START)));
        Self { client: Client(exchange.clone()), peer: Peer { exchange, wire, cut }, path }
    }

    /// The client opens, and the peer has seen it.
    pub(crate) fn opens(&self) -> peer::Head {
        self.client.open();
        self.peer.expects_open(self.path)
    }

    /// What inflates and compresses.
    pub(crate) fn platform(&self) -> Platform {
        Platform(self.client.0.clone())
    }

    /// Headers have gone both ways.
    pub(crate) fn talks(&self) {
        self.opens();
        self.peer.headers();
        self.client.receives_headers();
    }

    /// Time passes and the timer fires when it is due.
    pub(crate) fn after(&self, millis: u64) {
        let exchange = &self.client.0;
        let until = exchange.borrow().now + Duration::from_millis(millis);
        let due = exchange.borrow().call.poll_timeout().filter(|due| *due <= until);
        if let Some(due) = due {
            exchange.borrow_mut().now = due;
            exchange.borrow_mut().step("timer fires".into(), |call, now| call.handle_timeout(now));
        }
        exchange.borrow_mut().now = until;
    }

    /// Time passes, but the timer is late: a busy page.
    pub(crate) fn after_without_timer(&self, millis: u64) {
        self.client.0.borrow_mut().now += Duration::from_millis(millis);
    }

    /// The timer's turn, due or not.
    pub(crate) fn timer_fires(&self) {
        self.client.0.borrow_mut().step("timer fires".into(), |call, now| call.handle_timeout(now));
    }

    /// When the timer is to fire, in milliseconds since the start.
    pub(crate) fn timer(&self) -> Option<u128> {
        self.client.0.borrow().call.poll_timeout().map(|due| (due - START).as_millis())
    }

    /// Everything that either side can still do after the end: none of it may have an effect.
    pub(crate) fn is_over(&self) {
        self.client.cannot_send("after the end");
        self.client.close_send();
        self.client.cancel("too late");
        self.client.takes(&[1]);
        self.peer.headers();
        self.peer.replies("too late");
        self.peer.ends(&[("grpc-status", "13")]);
        self.peer.resets(8, "too late");
        self.peer.connection_fails("too late");
        self.after_without_timer(86_400_000);
        self.timer_fires();
        self.client.waits();
        self.peer.expects_nothing();
        assert_eq!(self.timer(), None);
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.client.0.try_borrow().map(|exchange| exchange.log.join("\n")).unwrap_or_default();
            eprintln!("over {:?}, cut {}:\n{log}", self.peer.wire, self.peer.cut);
        } else {
            self.client.waits();
            self.peer.expects_nothing();
        }
    }
}

fn path(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Unary => "/greet.GreetService/Greet",
        CallKind::ServerStream => "/greet.GreetService/GreetServerStream",
        CallKind::ClientStream => "/greet.GreetService/GreetClientStream",
        CallKind::Bidi => "/greet.GreetService/GreetStream",
    }
}
