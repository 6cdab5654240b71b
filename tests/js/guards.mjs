import { eventually, fail, inFull, nextTask } from "./assert.mjs";

/** Of a WebSocket's `readyState`. */
const CLOSING = 2;

/**
 * What no scenario may leave behind: an unhandled rejection, an uncaught error, an open WebSocket.
 * Install before the package is imported, so that it only ever sees the counting WebSocket.
 */
export class Guards {
  #problems = [];
  #open = new Set();
  /** WebSockets made since the page was loaded. */
  opened = 0;

  get problems() {
    return this.#problems.splice(0);
  }

  note(what) {
    this.#problems.push(what);
  }

  /** The given WebSocket class, counting its instances. */
  counting(WebSocket) {
    const guards = this;
    return class CountedWebSocket extends WebSocket {
      constructor(...args) {
        super(...args);
        guards.opened += 1;
        guards.#open.add(this);
        this.addEventListener("close", () => guards.#open.delete(this));
      }
    };
  }

  /**
   * Throws if something was left behind. `closed` is called by then on every client. `closing`: sockets may still wait
   * for the peer's half of the closing handshake.
   */
  async check({ closing = false } = {}) {
    // Browsers report a rejection as unhandled in a task after the one in which it was made.
    for (let i = 0; i < 3; i++) await nextTask();
    const none = (sockets) => sockets.length === 0 || `${sockets.length} open: ${urls(sockets)}`;
    const ours = () => [...this.#open].filter(({ readyState }) => readyState !== CLOSING);
    try {
      await eventually(() => none(ours()), "every WebSocket is closed", 3_000);
      // A peer that cut its reading short may wait five seconds for what it does not read (nhooyr.io/websocket).
      if (!closing) await eventually(() => none([...this.#open]), "every peer has closed its half", 10_000);
    } finally {
      this.#open.clear();
    }
    const problems = this.problems;
    if (problems.length > 0) fail(problems.join("; "));
  }
}

function urls(sockets) {
  return sockets.map(({ url, readyState }) => `${url} (readyState ${readyState})`).join(", ");
}

export function guardPage() {
  const guards = new Guards();
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    guards.note(`unhandled rejection: ${inFull(event.reason)}`);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    guards.note(`uncaught: ${inFull(event.error ?? event.message)}`);
  });
  globalThis.WebSocket = guards.counting(globalThis.WebSocket);
  return guards;
}

export function guardNode() {
  const guards = new Guards();
  process.on("unhandledRejection", (reason) => guards.note(`unhandled rejection: ${inFull(reason)}`));
  process.on("uncaughtException", (error) => guards.note(`uncaught: ${inFull(error)}`));
  return guards;
}

/** An AbortController whose signal counts the listeners that are on it. */
export function countingAbortController() {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type, listener, options) => {
    listeners.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type, listener, options) => {
    listeners.delete(listener);
    remove(type, listener, options);
  };
  return { controller, signal, listeners };
}
