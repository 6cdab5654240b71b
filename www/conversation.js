// @ts-check
/**
 * What was said in a call, and the controls to say more.
 *
 * @import { GreetCall, Said } from "./call.js"
 */
import { byId, el } from "./dom.js";
import { chosenKind } from "./setup.js";
import { time } from "./words.js";

const list = byId("messages", HTMLElement);

/** @type {GreetCall | undefined} */
let shown;
/** @type {Map<string, HTMLElement>} */
let items = new Map();

/** @param {GreetCall | undefined} call */
export function drawConversation(call) {
  if (call !== shown) {
    list.replaceChildren();
    items = new Map();
    shown = call;
  }
  byId("steps", HTMLElement).hidden = Boolean(call);
  list.hidden = !call;
  drawControls(call);
  if (!call) return;
  const atBottom = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  for (const [key, item] of items) {
    if (!call.said.has(key)) item.remove();
  }
  for (const [key, said] of call.said) {
    if (!items.has(key)) items.set(key, list.appendChild(newItem(said)));
  }
  if (atBottom) list.scrollTop = list.scrollHeight;
}

/** @param {Said} said */
function newItem({ way, text, at }) {
  if (way === "note") return el("li", { className: "note" }, text);
  return el(
    "li",
    { className: way, "data-testid": `message-${way}` },
    el("span", { className: "visually-hidden" }, way === "in" ? "Server: " : "You: "),
    el("span", { className: "text" }, text),
    el("time", {}, time(at)),
  );
}

/** @param {GreetCall | undefined} call */
function drawControls(call) {
  const atOnce = !call?.running && (chosenKind() === "unary" || chosenKind() === "server_stream");
  const canSend = call?.canSend || atOnce;
  byId("send", HTMLButtonElement).disabled = !canSend;
  byId("send", HTMLButtonElement).classList.toggle("primary", Boolean(call?.canSend));
  byId("half-close", HTMLButtonElement).disabled = !call?.canSend;
  byId("cancel", HTMLButtonElement).disabled = !call?.running;
  byId("open", HTMLButtonElement).classList.toggle("primary", !call?.running);
  byId("composer-hint", HTMLElement).textContent = hint(call, atOnce);
}

/**
 * @param {GreetCall | undefined} call
 * @param {boolean} atOnce
 */
function hint(call, atOnce) {
  if (atOnce) return "This kind of call takes one name: Enter makes the call.";
  if (!call) return "Open the stream first, then send.";
  if (call.canSend) return "Enter sends. Half-close when you are done.";
  if (call.state === "half-closed") return "Your half is closed; the server's is still open.";
  if (call.running) return "The request is out; the answer is on its way.";
  return "This call has ended.";
}
