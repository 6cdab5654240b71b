// What stands around the calls of src/js/tests/: a clock and a guard, the TypeScript side, a `fetch`, and sockets, all of
// which do what they are told and write into one log what they see.
//
// One file, not five: the web server of wasm-bindgen's test runner may leave a connection waiting for ever when more
// than four come at once, and a browser opens one for each module that it loads at the same time.

const real = {
  clearTimeout: globalThis.clearTimeout,
  now: performance.now.bind(performance),
  ReadableStream: globalThis.ReadableStream,
  setTimeout: globalThis.setTimeout,
};

export class Stage {
  #log = [];
  #timers = new Map();
  #nextTimer = 1;
  /** The clock stands still, at a time that is not a whole millisecond. */
  #now = real.now();
  #unhandled = [];
  #guard = (event) => {
    event.preventDefault();
    this.#unhandled.push(String(event.reason ?? event.message));
  };

  constructor() {
    addEventListener("unhandledrejection", this.#guard);
    addEventListener("error", this.#guard);
    performance.now = () => this.#now;
    globalThis.setTimeout = (callback, delay = 0) => {
      this.#timers.set(this.#nextTimer, { callback, due: this.#now + delay });
      return this.#nextTimer++;
    };
    globalThis.clearTimeout = (id) => void this.#timers.delete(id);
    globalThis.ReadableStream = watchedStream((text) => this.note(text));
  }

  note(text) {
    this.#log.push(text);
  }

  /** What was noted since the last time. */
  drain() {
    return this.#log.splice(0);
  }

  timers() {
    return this.#timers.size;
  }

  /** Time passes; timers fire when they are due. */
  advance(millis) {
    const until = this.#now + millis;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.due <= until);
      if (due.length === 0) break;
      const [id, { callback, due: at }] = due.reduce((a, b) => (b[1].due < a[1].due ? b : a));
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = until;
  }

  /** A task of its own, after all microtasks. */
  settle() {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(0);
    });
  }

  /** Puts the globals back. Resolves with what nobody handled. */
  async leave() {
    Object.assign(globalThis, {
      clearTimeout: real.clearTimeout,
      ReadableStream: real.ReadableStream,
      setTimeout: real.setTimeout,
    });
    delete performance.now;
    // An unhandled rejection is told in a task of its own.
    await new Promise((resolve) => real.setTimeout.call(globalThis, resolve, 1));
    await this.settle();
    removeEventListener("unhandledrejection", this.#guard);
    removeEventListener("error", this.#guard);
    return this.#unhandled;
  }
}

/** A stream whose source is seen to close or to fail when it does so: a reader sees it only later. */
function watchedStream(note) {
  const watch = (controller) => ({
    get desiredSize() {
      return controller.desiredSize;
    },
    enqueue: (chunk) => controller.enqueue(chunk),
    close() {
      controller.close();
      note("upload closes");
    },
    error(reason) {
      note(`upload fails: ${reason.message}`);
      controller.error(reason);
    },
  });
  return class extends real.ReadableStream {
    constructor(source = {}, strategy = undefined) {
      super({ ...source, start: (controller) => source.start?.(watch(controller)) }, strategy);
    }
  };
}

/** The TypeScript side of a call, as far as the core sees it. */
export class Face {
  /** The core's call; freed after its end, as the package does it. */
  call;
  ended = false;
  /** The last message that is a buffer of its own. */
  joined;
  /** Of the last that lie in what came: what was handed over. */
  buffer;
  spans;
  cause;
  trailers;
  #note;
  #reactions = {};
  #end = Promise.withResolvers();

  constructor(stage, name) {
    this.#note = (text) => stage.note(name ? `${name}: ${text}` : text);
  }

  /** What it does when it is told of something: `headers`, `messages`, `room` or `end`. */
  react(event, callback) {
    this.#reactions[event] = callback;
  }

  holds(call) {
    this.call = call;
    if (this.ended) this.#free();
  }

  /** Resolves at the end. */
  over() {
    return this.#end.promise;
  }

  opened() {}

  headers(packed) {
    this.#note(`headers ${readable(packed)}`.trim());
    this.#reactions.headers?.(this.call);
  }

  messages(buffer, spans) {
    const isWhole = spans.length === 2 && spans[1] === buffer.length;
    if (isWhole) this.joined = buffer;
    // They are a view of the core's memory.
    else Object.assign(this, { buffer, spans: spans.slice() });
    for (let i = 0; i < spans.length; i += 2) {
      const message = text(buffer.subarray(spans[i], spans[i] + spans[i + 1]));
      this.#note(`${isWhole ? "joined" : "message"} ${message}`);
    }
    this.#reactions.messages?.(this.call);
  }

  room() {
    this.#note("room");
    this.#reactions.room?.(this.call);
  }

  end(code, raw, message, fault, trailers, cause) {
    const faults = ["", " by peer", " by transport", " by misuse", " by us"];
    this.#note(`end ${code}${faults[fault]}: ${message}`);
    if (this.ended) this.#note("a second end");
    Object.assign(this, { cause, ended: true, trailers });
    this.#reactions.end?.(this.call);
    if (this.call) this.#free();
    this.#end.resolve();
  }

  #free() {
    // Not from within the core's own call.
    queueMicrotask(() => this.call?.free());
  }
}

function readable(packed) {
  const parts = new TextDecoder().decode(packed).split("\0");
  const lines = [];
  for (let i = 0; i + 1 < parts.length; i += 2) lines.push(`${parts[i]}: ${parts[i + 1]}`);
  return lines.join(", ");
}

/** Long messages by their length. */
function text(bytes) {
  return bytes.length > 100 ? `of ${bytes.length} bytes` : new TextDecoder().decode(bytes);
}

/** A `fetch` that answers when it is told to. */
export class FakeFetch {
  /** What was asked, in order. */
  exchanges = [];
  /** Thrown instead of an answer. */
  throws;
  /** Called from within `fetch`. */
  inside;
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  fetch = (url, init) => {
    this.#stage.note(`fetch ${init.method} ${url}`);
    this.inside?.();
    if (this.throws) throw this.throws;
    const exchange = new Exchange(this.#stage, init);
    this.exchanges.push(exchange);
    return exchange.answer;
  };

  exchange(i) {
    return this.exchanges[i];
  }
}

class Exchange {
  init;
  answer;
  #stage;
  #answered;
  #reads = [];
  #chunks = [];
  #ended = false;
  #upload;

  constructor(stage, init) {
    this.#stage = stage;
    this.init = init;
    this.#answered = Promise.withResolvers();
    this.answer = this.#answered.promise;
    init.signal.addEventListener("abort", () => {
      stage.note("abort");
      this.#answered.reject(init.signal.reason);
      this.#settle(({ reject }) => reject(init.signal.reason));
    });
  }

  header(name) {
    return this.init.headers.get(name) ?? undefined;
  }

  option(name) {
    return this.init[name];
  }

  /** The whole body. */
  body() {
    return this.init.body;
  }

  /** The server reads once from an upload: bytes, or nothing at its end. */
  async takes() {
    this.#upload ??= this.init.body.getReader();
    return (await this.#upload.read()).value;
  }

  /** Status and headers come, with a body that is read piece by piece. */
  responds(status, headers) {
    const read = () => {
      if (this.#ended) return Promise.resolve({ done: true, value: undefined });
      this.#stage.note("read");
      return new Promise((resolve, reject) => {
        this.#reads.push({ resolve, reject });
        this.#flow();
      });
    };
    this.answers({ status, headers: new Headers(headers), body: { getReader: () => ({ read }) } });
  }

  /** The promise resolves with anything. */
  answers(value) {
    this.#answered.resolve(value);
  }

  /** The network fails before the headers. */
  fails(error) {
    this.#answered.reject(error);
  }

  chunk(bytes) {
    this.#chunks.push({ done: false, value: bytes });
    this.#flow();
  }

  ends() {
    this.#chunks.push({ done: true, value: undefined });
    this.#flow();
  }

  /** The network fails within the body. */
  breaks(error) {
    this.#settle(({ reject }) => reject(error));
  }

  #flow() {
    if (this.#chunks.length === 0) return;
    this.#settle(({ resolve }) => {
      const chunk = this.#chunks.shift();
      this.#ended = chunk.done;
      resolve(chunk);
    });
  }

  #settle(how) {
    const read = this.#reads.shift();
    if (read) how(read);
  }
}

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A `WebSocket`, and those that were made of it. */
export class FakeSockets {
  /** Those that were made, in order. */
  sockets = [];
  /** Thrown by the constructor. */
  throws;
  WebSocket;

  constructor(stage) {
    const sockets = this;
    this.WebSocket = class extends Socket {
      constructor(url, subprotocol) {
        super(stage);
        stage.note(`connect ${url} ${subprotocol}`);
        if (sockets.throws) throw sockets.throws;
        sockets.sockets.push(this);
      }
    };
  }

  socket(i) {
    return this.sockets[i];
  }
}

class Socket {
  binaryType = "blob";
  bufferedAmount = 0;
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  #stage;
  #sent = [];

  constructor(stage) {
    this.#stage = stage;
  }

  send(data) {
    if (this.readyState === 0) throw new Error("send before the socket opened");
    this.#stage.note("send");
    this.#sent.push(data.slice());
  }

  close(code) {
    if (this.readyState >= CLOSING) return;
    this.#stage.note(`close ${code}`);
    this.readyState = CLOSING;
  }

  // What follows is the script's.

  /** What was sent since the last time. */
  takeSent() {
    return this.#sent.splice(0);
  }

  /** The bytes that wait in the runtime's buffer. */
  buffers(bytes) {
    this.bufferedAmount = bytes;
  }

  opens() {
    this.readyState = OPEN;
    this.onopen?.({});
  }

  /** Gives back what it handed over. */
  message(bytes) {
    const { buffer } = bytes.slice();
    this.onmessage?.({ data: this.binaryType === "arraybuffer" ? buffer : new Blob([buffer]) });
    return buffer;
  }

  text(data) {
    this.onmessage?.({ data });
  }

  closes(code, reason) {
    this.readyState = CLOSED;
    this.onclose?.({ code, reason });
  }

  /** An error; `closed`: the socket is closed by it, and some runtimes say no more. */
  errs(closed) {
    if (closed) this.readyState = CLOSED;
    this.onerror?.({});
  }

  /** Which handlers would tell the core of something. */
  listens() {
    return ["onopen", "onmessage", "onclose"].filter((name) => this[name]).join(" ");
  }
}
