import { Deferred, rejected } from "./deferred.js";

/** What a waiting message costs the window beside its bytes; as the core counts. */
const PER_MESSAGE = 64;

/** Messages in one buffer: `offset, length, …`. */
interface Batch {
  readonly buffer: Uint8Array;
  readonly spans: ArrayLike<number>;
  next?: Batch;
}

/** Who is told of what readers got. */
interface Taker {
  taken(messages: number, bytes: number): void;
}

/** Messages that wait for a reader, and readers that wait for a message; never both. */
export class Inbox {
  #first: Batch | undefined;
  #last: Batch | undefined;
  /** Where the next message stands in the first one's spans. A view is made for who takes it: most never live together. */
  #at = 0;
  readonly #readers: Deferred<Uint8Array | undefined>[] = [];
  #ended = false;
  #error: unknown;
  /** Messages that readers got, and their bytes, that nobody was told of. */
  #messages = 0;
  #bytes = 0;
  readonly #portion: number;
  readonly #taker: Taker;

  /** The taker is told in portions that cost about `portion` of the window. */
  constructor(portion: number, taker: Taker) {
    this.#portion = portion;
    this.#taker = taker;
  }

  /** One message or more. */
  put(buffer: Uint8Array, spans: ArrayLike<number>): void {
    const batch = { buffer, spans };
    if (this.#last) this.#last.next = batch;
    else this.#first = batch;
    this.#last = batch;
    for (let message; this.#readers.length > 0 && (message = this.poll());) {
      this.#readers.shift()!.resolve(message);
    }
  }

  /** The next message if it is there. */
  poll(): Uint8Array | undefined {
    if (!this.#first) return undefined;
    const { buffer, spans, next } = this.#first;
    const at = this.#at;
    const start = spans[at]!;
    const length = spans[at + 1]!;
    this.#at = at + 2;
    if (at + 2 === spans.length) {
      this.#at = 0;
      this.#first = next;
      if (!next) this.#last = undefined;
    }
    this.#bytes += length;
    if (this.#bytes + PER_MESSAGE * ++this.#messages >= this.#portion) {
      this.#taker.taken(this.#messages, this.#bytes);
      this.#messages = this.#bytes = 0;
    }
    return buffer.subarray(start, start + length);
  }

  /** The next message, where there is none yet; `undefined` after a clean end; rejects after any other. */
  take(): Promise<Uint8Array | undefined> {
    if (this.#error) return rejected(this.#error);
    if (this.#ended) return Promise.resolve(undefined);
    const reader = new Deferred<Uint8Array | undefined>();
    this.#readers.push(reader);
    return reader.promise;
  }

  /** Messages that still wait after the end are dropped, if there are any, and an error stands in their place. */
  drop(error: unknown): void {
    if (this.#first) this.end(error, true);
  }

  /** No more messages come; an `error` says why. Those that wait can still be taken, unless they are dropped. */
  end(error: unknown, drop: boolean): void {
    if (drop) {
      this.#first = this.#last = undefined;
      this.#at = 0;
    }
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) {
      if (error) reader.reject(error);
      else reader.resolve(undefined);
    }
  }
}
