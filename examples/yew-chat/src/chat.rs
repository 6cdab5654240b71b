//! What the page shows: pure, so that it could be tested without a browser.

use std::rc::Rc;

use tonic::Status;
use yew::Reducible;

use crate::conversation::Event;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No call; the next message opens one.
    Idle,
    Open,
    /// Half-closed: only the server speaks.
    Closed,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Line {
    Said(String),
    Heard(String),
    /// How a call ended.
    Note(String),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Chat {
    pub phase: Phase,
    pub lines: Vec<Line>,
}

impl Default for Chat {
    fn default() -> Self {
        Self { phase: Phase::Idle, lines: Vec::new() }
    }
}

pub enum Action {
    Say(String),
    Close,
    HangUp,
    Call(Event),
}

impl Reducible for Chat {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let (phase, line) = match action {
            Action::Say(name) => (Phase::Open, Some(Line::Said(name))),
            Action::Close => (Phase::Closed, None),
            Action::HangUp => (Phase::Idle, Some(Line::Note("You hung up.".into()))),
            Action::Call(Event::Heard(greeting)) => (self.phase, Some(Line::Heard(greeting))),
            Action::Call(Event::Ended(status)) => (Phase::Idle, Some(Line::Note(ending(&status)))),
        };
        let lines = self.lines.iter().cloned().chain(line).collect();
        Rc::new(Self { phase, lines })
    }
}

fn ending(status: &Status) -> String {
    match status.message() {
        "" => format!("The call ended: {:?}.", status.code()),
        message => format!("The call ended: {:?}: {message}", status.code()),
    }
}
