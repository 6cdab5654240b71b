// The TypeScript side of a call, as far as the core sees it: notes what it is told.

export class Face {
  /** The core's call; freed after its end, as the package does it. */
  call;
  ended = false;
  /** Of the last messages: what was handed over. */
  joined;
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

  headers(entries) {
    this.#note(`headers ${readable(entries)}`.trim());
    this.#reactions.headers?.(this.call);
  }

  messages(joined, buffer, spans) {
    Object.assign(this, { joined, buffer, spans });
    for (const message of joined) this.#note(`joined ${text(message)}`);
    for (let i = 0; i < spans.length; i += 2) {
      this.#note(`message ${text(buffer.subarray(spans[i], spans[i] + spans[i + 1]))}`);
    }
    this.#reactions.messages?.(this.call);
  }

  room() {
    this.#note("room");
    this.#reactions.room?.(this.call);
  }

  end([code, raw, message, fault], details, trailers, cause) {
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
    queueMicrotask(() => this.call.free());
  }
}

function readable(entries) {
  const lines = [];
  for (let i = 0; i < entries.length; i += 2) lines.push(`${entries[i]}: ${entries[i + 1]}`);
  return lines.join(", ");
}

/** Long messages by their length. */
function text(bytes) {
  return bytes.length > 100 ? `of ${bytes.length} bytes` : new TextDecoder().decode(bytes);
}
