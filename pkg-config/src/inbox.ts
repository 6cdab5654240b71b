import { Deferred } from "./deferred.js";

/** What a waiting message costs the window beside its bytes; as the core counts. */
const PER_MESSAGE = 64;

/** Messages in one buffer: `offset, length, …`. */
interface Batch {
  readonly buffer: Uint8Array;
  readonly spans: ArrayLike<number>;
}

/** Messages that wait for a reader, and readers that wait for a message; never both. */
export class Inbox {
  #batches: (Batch | undefined)[] = [];
  /** Where the next batch stands: shifting an array costs its length. */
  #next = 0;
  /** Where the next message stands in its spans. A view is made for who takes it: most never live together. */
  #at = 0;
  readonly #readers: Deferred<Uint8Array | undefined>[] = [];
  #ended = false;
  #error: unknown;
  /** Messages that readers got, and their bytes, that nobody was told of. */
  #messages = 0;
  #bytes = 0;
  readonly #portion: number;
  readonly #taken: (messages: number, bytes: number) => void;

  /** `taken` is told of what readers got, in portions that cost about `portion` of the window. */
  constructor(portion: number, taken: (messages: number, bytes: number) => void) {
    this.#portion = portion;
    this.#taken = taken;
  }

  /** One message or more. */
  put(buffer: Uint8Array, spans: ArrayLike<number>): void {
    this.#batches.push({ buffer, spans });
    for (let message; this.#readers.length > 0 && (message = this.poll());) {
      this.#readers.shift()!.resolve(message);
    }
  }

  /** The next message if it is there. */
  poll(): Uint8Array | undefined {
    const batch = this.#batches[this.#next];
    if (!batch) return undefined;
    const { buffer, spans } = batch;
    const at = this.#at;
    const start = spans[at]!;
    const length = spans[at + 1]!;
    this.#at = at + 2;
    if (at + 2 === spans.length) {
      this.#at = 0;
      this.#batches[this.#next++] = undefined;
      if (this.#next === this.#batches.length) this.#clear();
    }
    this.#bytes += length;
    if (this.#bytes + PER_MESSAGE * ++this.#messages >= this.#portion) {
      this.#taken(this.#messages, this.#bytes);
      this.#messages = this.#bytes = 0;
    }
    return buffer.subarray(start, start + length);
  }

  /** The next message; `undefined` after a clean end; rejects after any other. */
  take(): Promise<Uint8Array | undefined> {
    const message = this.poll();
    if (message) return Promise.resolve(message);
    const reader = new Deferred<Uint8Array | undefined>();
    if (this.#ended) this.#settle(reader);
    else this.#readers.push(reader);
    return reader.promise;
  }

  /** Messages that still wait after the end are dropped, if there are any, and an error stands in their place. */
  drop(error: unknown): void {
    if (this.#next < this.#batches.length) this.end(error, true);
  }

  /** No more messages come; an `error` says why. Those that wait can still be taken, unless they are dropped. */
  end(error: unknown, drop: boolean): void {
    if (drop) this.#clear();
    this.#ended = true;
    this.#error = error;
    this.#readers.splice(0).forEach((reader) => this.#settle(reader));
  }

  #settle(reader: Deferred<Uint8Array | undefined>): void {
    if (this.#error) reader.reject(this.#error);
    else reader.resolve(undefined);
  }

  #clear(): void {
    this.#batches = [];
    this.#next = this.#at = 0;
  }
}
