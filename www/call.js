// @ts-check
/**
 * One call as the page remembers it: what was said, what happened on this side, how it ended. No DOM in here.
 *
 * @import { Client, CallEvent, CallKind, Status, TransportName, Metadata } from "../pkg-config/src/types.ts"
 * @import { LaneEvent } from "./lane.js"
 * @typedef {{
 *   server: { name: string, observed: boolean }, kind: CallKind, transport: "auto" | TransportName,
 *   timeoutMs?: number, metadata: Record<string, string>, name: string,
 * }} Settings
 * @typedef {{ way: "in" | "out" | "note", text: string, at: number }} Said
 * @typedef {Partial<Status> & { codeName: string, message: string }} Ending
 */
import { codec } from "./greet.js";
import { Lane } from "./lane.js";

const METHODS = {
  unary: "Greet",
  bidi: "GreetStream",
  client_stream: "GreetClientStream",
  server_stream: "GreetServerStream",
};
const MOST_SAID = 300;

/** @type {Map<string, Promise<Client>>} */
const clients = new Map();

/**
 * The client for a server and transport: made once, so that its calls share a socket.
 * @param {string} server
 * @param {"auto" | TransportName} transport
 */
export function clientFor(server, transport) {
  const key = `${server} ${transport}`;
  const known = clients.get(key);
  if (known) return known;
  const baseUrl = `${location.origin}/${encodeURIComponent(server)}`;
  const made = import("tidewire").then(({ createClient }) => createClient({ baseUrl, transport }));
  clients.set(key, made);
  made.catch(() => clients.delete(key));
  return made;
}

export class GreetCall {
  id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
  date = new Date();
  /** @type {TransportName | undefined} */
  transport;
  /** @type {Map<string, Said>} under `out N`, `in N` and `note N` */
  said = new Map();
  client = new Lane();
  server = new Lane();
  /** The last entry of the server's log that we have. */
  seen = 0;
  /** What is to be said of the server's log, when it cannot be shown. */
  blind = "";
  /** @type {"opening" | "open" | "half-closed" | "ended"} */
  state = "opening";
  /** @type {Metadata | undefined} */
  headers;
  /** @type {Ending | undefined} */
  ending;
  /** @type {() => void} */
  #setEnded = () => {};
  /** @type {Promise<void>} */
  ended = new Promise((resolve) => (this.#setEnded = resolve));
  /** When the call began, on the clock of `performance.now()`. */
  start = performance.now();

  #abort = new AbortController();
  /** @type {Promise<any>} */
  #stream;
  /** Settles when the last reply has been taken: the end is told after it. */
  #reading = Promise.resolve();
  #changed;
  #sent = 0;
  #received = 0;
  #notes = 0;

  /**
   * @param {Settings} settings
   * @param {() => void} changed
   */
  constructor(settings, changed) {
    this.settings = settings;
    this.#changed = changed;
    this.#stream = this.#open();
    this.#stream.catch((error) => this.#fail(error));
  }

  get canSend() {
    return this.#streamsUp && (this.state === "opening" || this.state === "open");
  }

  get running() {
    return this.state !== "ended";
  }

  /** @param {string} name */
  async send(name) {
    this.#say("out", name);
    try {
      await (await this.#stream).send(name);
    } catch (error) {
      this.#note(`Not sent: ${text(error)}`);
    }
  }

  async halfClose() {
    try {
      await (await this.#stream).closeSend();
    } catch (error) {
      this.#note(`Not half-closed: ${text(error)}`);
    }
  }

  cancel() {
    if (!this.running) return;
    this.#mark("cancel");
    this.#note("You cancelled the call.");
    this.#abort.abort(new DOMException("cancelled on the page", "AbortError"));
  }

  get #streamsUp() {
    return this.settings.kind === "bidi" || this.settings.kind === "client_stream";
  }

  async #open() {
    const { kind, server, transport, timeoutMs, metadata, name } = this.settings;
    const client = await clientFor(server.name, transport);
    const path = `/greet.GreetService/${METHODS[kind]}`;
    const options = {
      codec,
      timeoutMs,
      metadata: { ...metadata, "x-call-id": this.id },
      signal: this.#abort.signal,
      observer: (/** @type {CallEvent} */ event) => this.#observe(event),
    };
    this.start = performance.now();
    if (!this.#streamsUp) this.#say("out", name);
    if (kind === "unary") return (this.#reading = this.#answer(client.unary(path, name, options)));
    if (kind === "client_stream") {
      const call = client.clientStream(path, options);
      this.#reading = this.#answer(call.response.then((message) => ({ message })));
      call.status.then((status) => this.#end(status));
      return call;
    }
    const call = kind === "bidi" ? client.bidi(path, options) : client.serverStream(path, name, options);
    this.#reading = this.#read(call);
    call.status.then((status) => this.#end(status));
    return call;
  }

  /** @param {{ receive(): Promise<string | undefined> }} call */
  async #read(call) {
    try {
      for (let reply = await call.receive(); reply !== undefined; reply = await call.receive())
        this.#say("in", reply);
    } catch (error) {
      // An RpcError is the call's own end, which is told anyway.
      if (!isRpcError(error)) this.#note(text(error));
    }
  }

  /** @param {Promise<{ message: string, status?: Status }>} response */
  async #answer(response) {
    try {
      const { message, status } = await response;
      this.#say("in", message);
      if (status) this.#end(status);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {CallEvent} event */
  #observe(event) {
    const at = event.at - this.start;
    if (event.type === "open") {
      this.transport = event.transport;
      if (this.state === "opening") this.state = "open";
      this.#mark("open", { at, detail: { transport: event.transport } });
    } else if (event.type === "headers") {
      this.headers = event.headers;
      this.#mark("headers", { at });
    } else if (event.type === "close-send") {
      if (this.running) this.state = "half-closed";
      this.#mark("half-close", { at });
      if (this.#streamsUp) this.#note("You closed your half.");
    } else if (event.type === "end") {
      this.#end(event.status, at);
    } else {
      this.#mark(event.type, { at, count: event.count, detail: { bytes: event.bytes } });
    }
  }

  /** An end without an end event: the package did not load, or the call was refused before it began. @param {any} error */
  #fail(error) {
    if (!isRpcError(error)) return this.#end({ codeName: "NOT STARTED", message: text(error) });
    const { code, rawCode, codeName, rawMessage, fault, trailers } = error;
    this.#end({ code, rawCode, codeName, message: rawMessage, fault, trailers });
  }

  /**
   * @param {Ending} ending
   * @param {number} [at]
   */
  #end(ending, at) {
    if (this.ending) return;
    this.ending = ending;
    this.state = "ended";
    this.#setEnded();
    this.#mark("end", { at, detail: ending });
    this.#reading.then(() => this.#note(`The call ended: ${ending.codeName}.`));
  }

  /**
   * @param {string} what
   * @param {Partial<LaneEvent>} [event]
   */
  #mark(what, event = {}) {
    this.client.add({ what, ...event, at: event.at ?? performance.now() - this.start });
    this.#changed();
  }

  /** @param {string} words */
  #note(words) {
    this.#put(`note ${++this.#notes}`, "note", words);
  }

  /**
   * @param {"in" | "out"} way
   * @param {string} words
   */
  #say(way, words) {
    this.#put(`${way} ${way === "in" ? ++this.#received : ++this.#sent}`, way, words);
  }

  /**
   * @param {string} key
   * @param {Said["way"]} way
   * @param {string} words
   */
  #put(key, way, words) {
    this.said.set(key, { way, text: words, at: performance.now() - this.start });
    const [oldest] = this.said.keys();
    if (this.said.size > MOST_SAID && oldest) this.said.delete(oldest);
    this.#changed();
  }
}

/** By its marks, not by its class: the package is loaded late. @param {any} error */
function isRpcError(error) {
  return error?.rawCode !== undefined;
}

/** @param {any} error */
function text(error) {
  return error instanceof Error ? error.message : String(error);
}
