//! A chat in which each message is a request, and each answer a reply, of one open bidi call.
#![forbid(unsafe_code)]

mod chat;
mod conversation;

use tidewire::Channel;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use chat::{Action, Chat, Line, Phase};
use conversation::Conversation;

mod proto {
    tonic::include_proto!("greet");
}

/// The gateway in front of the greeter, on the page's own origin.
const SERVER: &str = "/tonic";

fn main() {
    yew::Renderer::<App>::new().render();
}

#[function_component]
fn App() -> Html {
    let chat = use_reducer(Chat::default);
    let conversation = use_mut_ref(|| None::<Conversation>);
    let channel = use_memo((), |()| Channel::builder(SERVER).build().expect("a path is a base URL"));
    let (input, list) = (use_node_ref(), use_node_ref());
    use_effect_with((list.clone(), chat.lines.len()), |(list, _)| {
        // The newest line is the one to be seen.
        list.cast::<Element>().iter().for_each(|list| list.set_scroll_top(list.scroll_height()));
    });

    let say = {
        let (chat, conversation, input) = (chat.clone(), conversation.clone(), input.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(field) = input.cast::<HtmlInputElement>() else { return };
            let name = field.value();
            if name.is_empty() {
                return;
            }
            field.set_value("");
            let mut conversation = conversation.borrow_mut();
            if chat.phase == Phase::Idle {
                let dispatch = chat.dispatcher();
                let events = Callback::from(move |event| dispatch.dispatch(Action::Call(event)));
                *conversation = Some(Conversation::open((*channel).clone(), events));
            }
            conversation.iter().for_each(|open| open.say(name.clone()));
            chat.dispatch(Action::Say(name));
        })
    };
    let close = {
        let (chat, conversation) = (chat.clone(), conversation.clone());
        Callback::from(move |_| {
            conversation.borrow_mut().iter_mut().for_each(Conversation::close);
            chat.dispatch(Action::Close);
        })
    };
    let hang_up = {
        let (chat, conversation) = (chat.clone(), conversation.clone());
        Callback::from(move |_| {
            conversation.borrow_mut().take();
            chat.dispatch(Action::HangUp);
        })
    };

    let (idle, closed) = (chat.phase == Phase::Idle, chat.phase == Phase::Closed);
    html! {
        <main>
            <h1>{ "Chat" }</h1>
            <p class="about">{ "Every message goes out on one open call, and every answer comes back on it." }</p>
            <ol ref={list} aria-live="polite">{ for chat.lines.iter().map(line) }</ol>
            <form onsubmit={say}>
                <input ref={input} id="name" aria-label="Your message" placeholder="A name to be greeted"
                    autocomplete="off" maxlength="64" disabled={closed} />
                <button id="send" disabled={closed}>{ "Send" }</button>
            </form>
            <footer>
                <output id="phase">{ words(chat.phase) }</output>
                <button id="close" class="quiet" onclick={close} disabled={idle || closed}>{ "Close send" }</button>
                <button id="hang-up" class="quiet" onclick={hang_up} disabled={idle}>{ "Hang up" }</button>
            </footer>
        </main>
    }
}

fn line(line: &Line) -> Html {
    let (class, text) = match line {
        Line::Said(text) => ("said", text),
        Line::Heard(text) => ("heard", text),
        Line::Note(text) => ("note", text),
    };
    html! { <li {class}>{ text }</li> }
}

fn words(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "No call is open",
        Phase::Open => "The call is open",
        Phase::Closed => "Half-closed: the server may still speak",
    }
}
