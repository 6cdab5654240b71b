//! What the greeter says on each kind of call, as the call's [`Behaviour`](crate::behaviour::Behaviour) asks.

use tonic::{Status, Streaming};

use crate::call::Call;
use crate::proto::{GreetRequest, GreetResponse};
use crate::streaming;

/// The longest list of names that a client stream gets back.
const MAX_JOINED_BYTES: usize = 1 << 20;

type Sender = streaming::Sender<GreetResponse>;

pub(crate) async fn greet(call: &Call, name: &str) -> Result<GreetResponse, Status> {
    call.behaviour.ends_after(0)?;
    call.message(name);
    tokio::time::sleep(call.behaviour.delay).await;
    call.behaviour.ends_after(call.greeted())?;
    stay(call.behaviour.never_end || call.behaviour.stall).await;
    call.reply();
    Ok(hello(name))
}

pub(crate) async fn greet_each(
    call: &Call,
    requests: &mut Streaming<GreetRequest>,
    replies: &Sender,
) -> Result<(), Status> {
    let behaviour = &call.behaviour;
    if behaviour.greet_first {
        send(call, replies, "Welcome".into()).await;
    }
    stay(behaviour.stall).await;
    if behaviour.ends_after(0)? {
        return Ok(());
    }
    while let Some(request) = next(call, requests).await? {
        send(call, replies, hello(&request.name).greeting).await;
        if behaviour.ends_after(call.greeted())? {
            return Ok(());
        }
    }
    for n in 1..=behaviour.after_close {
        send(call, replies, format!("Goodbye {n}")).await;
    }
    stay(behaviour.never_end).await;
    Ok(())
}

pub(crate) async fn greet_all(
    call: &Call,
    requests: &mut Streaming<GreetRequest>,
) -> Result<GreetResponse, Status> {
    let behaviour = &call.behaviour;
    stay(behaviour.stall).await;
    let mut names = Names::default();
    let mut done = behaviour.ends_after(0)?;
    while !done {
        let Some(request) = next(call, requests).await? else { break };
        names.push(&request.name);
        done = behaviour.ends_after(call.greeted())?;
    }
    stay(behaviour.never_end).await;
    call.reply();
    Ok(hello(&names.joined))
}

pub(crate) async fn greet_often(call: &Call, name: &str, replies: &Sender) -> Result<(), Status> {
    let behaviour = &call.behaviour;
    call.message(name);
    stay(behaviour.stall).await;
    for n in 1..=behaviour.count {
        let mut greeting = format!("Hello, {name} {n}");
        let padding = behaviour.size.saturating_sub(greeting.len());
        greeting.extend(std::iter::repeat_n('.', padding));
        send(call, replies, greeting).await;
    }
    behaviour.ends_after(call.greeted())?;
    stay(behaviour.never_end).await;
    Ok(())
}

async fn next(call: &Call, requests: &mut Streaming<GreetRequest>) -> Result<Option<GreetRequest>, Status> {
    streaming::next(call, requests, |request| &request.name).await
}

async fn send(call: &Call, replies: &Sender, greeting: String) {
    streaming::send(call, replies, GreetResponse { greeting }).await;
}

async fn stay(for_ever: bool) {
    if for_ever {
        std::future::pending::<()>().await;
    }
}

fn hello(name: &str) -> GreetResponse {
    GreetResponse { greeting: format!("Hello, {name}") }
}

/// `<name>, <name>, …`, cut at [`MAX_JOINED_BYTES`]: a client may stream names for ever.
#[derive(Default)]
struct Names {
    joined: String,
    full: bool,
}

impl Names {
    fn push(&mut self, name: &str) {
        if self.full {
            return;
        }
        if self.joined.len() + name.len() > MAX_JOINED_BYTES {
            self.full = true;
        }
        let separator = if self.joined.is_empty() { "" } else { ", " };
        self.joined.push_str(separator);
        self.joined.push_str(if self.full { "…" } else { name });
    }
}
