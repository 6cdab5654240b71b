import { Deferred, rejected } from "./deferred.js";

/** Messages that wait for a reader, and readers that wait for a message; never both. */
export class Inbox {
  readonly #messages: (Uint8Array | undefined)[] = [];
  /** Where the next message stands: shifting an array costs its length. */
  #next = 0;
  readonly #readers: Deferred<Uint8Array | undefined>[] = [];
  #end: { readonly error?: unknown } | undefined;
  readonly #taken: (message: Uint8Array) => void;

  /** `taken` is told of each message that a reader got. */
  constructor(taken: (message: Uint8Array) => void) {
    this.#taken = taken;
  }

  put(message: Uint8Array): void {
    const reader = this.#readers.shift();
    if (reader) {
      this.#taken(message);
      reader.resolve(message);
    } else {
      this.#messages.push(message);
    }
  }

  /** The next message if it is there. */
  poll(): Uint8Array | undefined {
    if (this.#next === this.#messages.length) return undefined;
    const message = this.#messages[this.#next]!;
    this.#messages[this.#next++] = undefined;
    if (this.#next === this.#messages.length) this.#messages.length = this.#next = 0;
    this.#taken(message);
    return message;
  }

  /** The next message; `undefined` after a clean end; rejects after any other. */
  take(): Promise<Uint8Array | undefined> {
    const message = this.poll();
    if (message) return Promise.resolve(message);
    if (this.#end) return "error" in this.#end ? rejected(this.#end.error) : Promise.resolve(undefined);
    const reader = new Deferred<Uint8Array | undefined>();
    this.#readers.push(reader);
    return reader.promise;
  }

  /** Messages that still wait after the end are dropped, if there are any, and an error stands in their place. */
  drop(error: unknown): void {
    if (this.#next < this.#messages.length) this.end({ error }, true);
  }

  /** No more messages come. Those that wait can still be taken, unless they are dropped. */
  end(end: { readonly error?: unknown }, drop: boolean): void {
    if (drop) this.#messages.length = this.#next = 0;
    this.#end = end;
    for (const reader of this.#readers.splice(0)) {
      if ("error" in end) reader.reject(end.error);
      else reader.resolve(undefined);
    }
  }
}
