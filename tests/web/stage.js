// What stands around a scripted call: one log that everybody writes to, a clock that only moves when it is told to, and
// a guard that sees what nobody handled.

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
