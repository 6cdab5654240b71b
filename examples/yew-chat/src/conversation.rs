//! One bidi call, as the page sees it.

use futures_channel::mpsc::{self, UnboundedSender};
use futures_util::future::{AbortHandle, abortable};
use tidewire::Channel;
use tonic::{Code, Status};
use wasm_bindgen_futures::spawn_local;
use yew::Callback;

use crate::proto::GreetRequest;
use crate::proto::greet_service_client::GreetServiceClient;

/// What the call brings.
pub enum Event {
    Heard(String),
    Ended(Status),
}

/// An open call. Dropping it cancels, and the server sees that.
pub struct Conversation {
    /// Gone after the half-close.
    requests: Option<UnboundedSender<GreetRequest>>,
    task: AbortHandle,
}

impl Conversation {
    pub fn open(channel: Channel, events: Callback<Event>) -> Self {
        let (requests, outgoing) = mpsc::unbounded();
        let (talk, task) = abortable(async move {
            let end = talk(channel, outgoing, &events).await.err();
            events.emit(Event::Ended(end.unwrap_or_else(|| Status::new(Code::Ok, ""))));
        });
        spawn_local(async {
            let _ = talk.await;
        });
        Self { requests: Some(requests), task }
    }

    pub fn say(&self, name: String) {
        if let Some(requests) = &self.requests {
            // It fails when the call has ended, which the page hears of by itself.
            let _ = requests.unbounded_send(GreetRequest { name });
        }
    }

    /// Half-close: no more requests, and what the server still has to say goes on coming.
    pub fn close(&mut self) {
        self.requests = None;
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(
    channel: Channel,
    outgoing: mpsc::UnboundedReceiver<GreetRequest>,
    events: &Callback<Event>,
) -> Result<(), Status> {
    let mut client = GreetServiceClient::new(channel);
    let mut replies = client.greet_stream(outgoing).await?.into_inner();
    while let Some(reply) = replies.message().await? {
        events.emit(Event::Heard(reply.greeting));
    }
    Ok(())
}
