// @ts-check
/**
 * What the page says: names of things, times, and the life of a call told in a sentence or two.
 *
 * @import { LaneEvent } from "./lane.js"
 * @import { GreetCall } from "./call.js"
 */

export const KINDS = {
  bidi: "Bidirectional stream",
  unary: "Unary call",
  server_stream: "Server stream",
  client_stream: "Client stream",
};

export const FAULTS = {
  none: "",
  local: "Ended by this page: nobody is at fault.",
  peer: "Ended so by the server.",
  transport: "The connection is at fault, not the server's code.",
  misuse: "The way the call was made is at fault: nothing is wrong with the server.",
};

const CODES =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/** @param {number} ms */
export function time(ms) {
  if (ms < 9.95) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return seconds(ms, 3);
}

/**
 * @param {number} ms
 * @param {number} [digits]
 */
export function seconds(ms, digits = 1) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(digits)} s`;
  const rest = ((ms % 60_000) / 1000).toFixed(digits).padStart(digits + 3, "0");
  return `${Math.floor(ms / 60_000)}:${rest} min`;
}

/**
 * @param {"client" | "server"} side
 * @param {LaneEvent} event
 * @param {GreetCall} call
 * @returns {{ verb: string, quote?: string }}
 */
export function label(side, event, call) {
  const many = event.last === undefined ? 0 : event.last - (event.count ?? 0) + 1;
  if (side === "client") {
    const said = (/** @type {string} */ way) => call.said.get(`${way} ${event.count}`)?.text;
    if (event.what === "send")
      return many ? { verb: `sent ${many} messages` } : { verb: "sent", quote: said("out") };
    if (event.what === "message") {
      return many ? { verb: `got ${many} messages` } : { verb: "got", quote: said("in") };
    }
    if (event.what === "end") return { verb: ended(event.detail.codeName) };
    return { verb: CLIENT[event.what] ?? event.what };
  }
  if (event.what === "message") {
    return many ? { verb: `read ${many} messages` } : { verb: "read", quote: event.detail?.name };
  }
  if (event.what === "reply") {
    return { verb: event.count === 1 ? "sent its first reply" : `sent reply ${event.last ?? event.count}` };
  }
  if (event.what === "end") return { verb: ended(codeName(event.detail?.code)) };
  return { verb: SERVER[event.what] ?? event.what };
}

/** @type {Record<string, string>} */
const CLIENT = { open: "opened", headers: "got headers", "half-close": "half-closed", cancel: "cancelled" };
/** @type {Record<string, string>} */
const SERVER = {
  open: "call arrived",
  "half-close": "saw half-close",
  cancelled: "saw the cancel",
  deadline: "deadline passed",
};

/** The mark says that it is the end; where room is short the code says which. @param {string} code */
function ended(code) {
  return code === "OK" ? "ended OK" : code;
}

/** @param {string | number | undefined} code */
export function codeName(code) {
  return typeof code === "number" ? (CODES[code] ?? `code ${code}`) : String(code ?? "").toUpperCase();
}

/**
 * Whether an end is good, bad, or what this page asked for.
 * @param {"client" | "server"} side
 * @param {LaneEvent} end
 */
export function toneOf(side, end) {
  const name = side === "client" ? end.detail.codeName : codeName(end.detail?.code);
  if (name === "OK") return "ok";
  const wanted =
    side === "client" ? end.detail.fault === "local" : name === "CANCELLED" || name === "DEADLINE_EXCEEDED";
  return wanted ? "plain" : "bad";
}

/**
 * The call so far, told. `offset` puts the server's times on our clock.
 * @param {GreetCall} call
 * @param {number} offset
 */
export function story(call, offset) {
  const sentences = [closing(call, offset), ending(call, offset)].filter(Boolean);
  return sentences.join(" ");
}

/**
 * @param {GreetCall} call
 * @param {number} offset
 */
function closing(call, offset) {
  const ours = call.client.find("half-close");
  if (!ours || !streamsUp(call)) return "";
  const theirs = call.server.find("half-close");
  const got = call.client.events
    .filter((event) => event.what === "message" && event.at >= ours.at)
    .reduce((sum, event) => sum + (event.last ?? event.count ?? 0) - (event.count ?? 0) + 1, 0);
  const server = [
    ...(theirs ? [`saw it at ${time(theirs.at + offset)}`] : []),
    ...(got && call.settings.kind === "bidi" ? [`went on to send ${plural(got, "message")}`] : []),
  ].join(" and ");
  return `We half-closed at ${time(ours.at)}${server && `; the server ${server}`}.`;
}

/**
 * @param {GreetCall} call
 * @param {number} offset
 */
function ending(call, offset) {
  const end = call.client.find("end");
  const cancel = call.client.find("cancel");
  const saw = call.server.find("cancelled");
  const late = call.server.find("deadline");
  if (!end) return waiting(call);
  const at = time(end.at);
  const sawIt = saw ? `; the server saw that at ${time(saw.at + offset)}.` : ".";
  if (!call.client.find("open") && call.server.events.length === 0)
    return "It ended before anything was sent.";
  if (cancel && call.ending?.codeName === "CANCELLED") return `We cancelled at ${time(cancel.at)}${sawIt}`;
  if (call.ending?.codeName === "DEADLINE_EXCEEDED") {
    return `The deadline passed at ${at}${late ? `, the server's own at ${time(late.at + offset)}.` : sawIt}`;
  }
  if (call.ending?.fault === "transport") return `The connection failed at ${at}.`;
  const early = streamsUp(call) && !call.client.find("half-close") ? ", before we had half-closed" : "";
  return `The server ended the call with ${call.ending?.codeName} at ${at}${early}.`;
}

/** @param {GreetCall} call */
function streamsUp(call) {
  return call.settings.kind === "bidi" || call.settings.kind === "client_stream";
}

/** @param {GreetCall} call */
function waiting(call) {
  if (call.state === "opening") return "Opening …";
  if (call.state === "open" && call.canSend) return "Both sides may send.";
  if (call.settings.metadata["x-never-end"] && call.client.find("half-close")) {
    return "The server keeps its half open for good: cancel, or let a deadline end it.";
  }
  return "Waiting for the server.";
}

/**
 * @param {number} n
 * @param {string} word
 */
export function plural(n, word) {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
