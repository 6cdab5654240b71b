// @ts-check
/**
 * The page: one call is shown, others may run beside it or be gone back to.
 */
import { GreetCall } from "./call.js";
import { drawConversation } from "./conversation.js";
import { byId, everyFrame } from "./dom.js";
import { observe } from "./observed.js";
import { drawOutcome, drawRecent } from "./outcome.js";
import { loadServers, onChange, onOpen, settings } from "./setup.js";
import { drawTimeline } from "./timeline.js";

const MOST_CALLS = 12;
/** How long the server's side is watched after ours has ended. */
const GRACE_MS = 4000;
/** While a call runs its time line runs too. */
const TICK_MS = 100;

const message = byId("message", HTMLInputElement);

/** @type {GreetCall[]} newest first */
const calls = [];
/** @type {GreetCall | undefined} */
let selected;
let watching = new AbortController();

const draw = everyFrame(drawNow);

onOpen(open);
onChange(draw);
byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
byId("half-close", HTMLButtonElement).addEventListener("click", () => selected?.halfClose());
byId("cancel", HTMLButtonElement).addEventListener("click", () => selected?.cancel());
loadServers().catch(showProblem);
setInterval(() => selected?.running && draw(), TICK_MS);
draw();

function open() {
  const asked = settings(message.value || message.placeholder);
  if (!asked) return;
  makeRoom();
  const call = new GreetCall(asked, draw);
  calls.unshift(call);
  select(call);
  if (call.canSend) message.focus();
}

function send() {
  if (selected?.running) {
    if (!selected.canSend) return;
    selected.send(message.value || message.placeholder);
    message.value = "";
  } else {
    open();
  }
}

/** @param {GreetCall} call */
function select(call) {
  selected = call;
  watch(call);
  drawNow();
}

function drawNow() {
  drawConversation(selected);
  drawOutcome(selected, drawTimeline(selected));
  drawRecent(calls, selected, select);
}

/**
 * Follows the server's log of the call that is shown, and only that: a long poll holds one of the six connections
 * that a browser has for a host.
 * @param {GreetCall} call
 */
async function watch(call) {
  watching.abort();
  if (!call.settings.server.observed) call.blind = "This server keeps no log that could be shown here.";
  if (call.blind || call.server.find("end")) return;
  const mine = (watching = new AbortController());
  call.ended.then(() => setTimeout(() => giveUp(call, mine), GRACE_MS));
  try {
    for await (const event of observe(call.settings.server.name, call.id, call.seen, mine.signal)) {
      if (event.n <= call.seen) continue;
      call.seen = event.n;
      call.server.add({
        what: event.what,
        at: event.at,
        count: event.detail?.["count"],
        detail: event.detail,
      });
      draw();
    }
  } catch (error) {
    call.blind ||= `The server's log cannot be read: ${error instanceof Error ? error.message : error}`;
    draw();
  }
}

/**
 * @param {GreetCall} call
 * @param {AbortController} watch
 */
function giveUp(call, watch) {
  if (watch.signal.aborted || call.server.find("end")) return;
  watch.abort();
  if (call.server.events.length === 0) call.blind ||= "The server saw nothing of this call.";
  draw();
}

/** The oldest call that has ended makes room; one that runs is cancelled only when all do. */
function makeRoom() {
  if (calls.length < MOST_CALLS) return;
  const ended = calls.findLastIndex((call) => !call.running);
  const [gone] = calls.splice(ended === -1 ? calls.length - 1 : ended, 1);
  gone?.cancel();
}

/** @param {unknown} error */
function showProblem(error) {
  const box = byId("problem", HTMLElement);
  box.hidden = false;
  box.textContent = `The demo server does not answer as it should (${error instanceof Error ? error.message : error}). Is it running? Start it with "cargo xtask demo" and load this page again.`;
}
