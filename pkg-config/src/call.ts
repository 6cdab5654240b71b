import { Deferred, ignore, rejected } from "./deferred.js";
import {
  CANCELLED,
  failure,
  FAILED_PRECONDITION,
  FAULT_LOCAL,
  FAULT_MISUSE,
  FAULT_PEER,
  INTERNAL,
  INVALID_ARGUMENT,
  RpcError,
  toStatus,
  type RawStatus,
} from "./error.js";
import type { RawCall, RawClient } from "./generated/tidewire_bg.js";
import { Inbox } from "./inbox.js";
import { Metadata } from "./metadata.js";
import { kinds, transports, unknownName } from "./names.js";
import { pack, unpack, type Unpacked } from "./packed.js";
import type {
  BidiCall,
  CallEvent,
  CallKind,
  CallOptions,
  ClientOptions,
  ClientStreamCall,
  Codec,
  Observer,
  Status,
  TransportName,
  UnaryResponse,
} from "./types.js";

/** Messages in one batch: thousands of views that live at once cost the collector more than promises would. */
const MOST = 256;

type EventBody = CallEvent extends infer E
  ? E extends CallEvent
    ? Omit<E, "at" | "path" | "kind">
    : never
  : never;

/** What calls have from their client. */
export interface CallContext {
  readonly client: RawClient;
  /** In place of what a call does not say itself. */
  readonly options: ClientOptions;
  readonly transport: "auto" | TransportName;
  /** Packed. */
  readonly metadata: string;
  readonly receiveWindowBytes: number;
  readonly sharesSocket: boolean;
  /** The open ones. */
  readonly calls: Set<{ cancel(reason?: unknown): void }>;
}

/** What many promises are that need not wait. */
const done = Promise.resolve();

/** One call of any kind; the public interfaces show the part that its kind has. */
export class StreamCall<Req, Res> implements BidiCall<Req, Res>, ClientStreamCall<Req, Res> {
  /** The core tells by this what becomes of the call. None of it may throw. Arrays but `buffer` are views of its memory. */
  static readonly #Face = class {
    readonly #call: StreamCall<any, any>;

    constructor(call: StreamCall<any, any>) {
      this.#call = call;
    }

    opened(transport: number): void {
      this.#call.transport = transports[transport] as TransportName;
    }

    headers(packed: Uint8Array): void {
      const { metadata: headers } = unpack(packed.slice());
      this.#call.#headers.resolve(headers);
      this.#call.#tell({ type: "headers", headers });
    }

    messages(buffer: Uint8Array, spans: Uint32Array): void {
      // Of one, which most have, a typed array would be the dearest part.
      this.#call.#arrived(buffer, spans.length > 2 ? spans.slice() : [...spans]);
    }

    room(): void {
      this.#call.#senders.splice(0).forEach((sender) => sender.resolve());
    }

    end(
      code: number,
      rawCode: number,
      message: string,
      fault: number,
      trailers: Uint8Array,
      cause: unknown,
    ): void {
      this.#call.#end([code, rawCode, message, fault], unpack(trailers.slice()), cause);
    }

    /** By the reader, of whom the core is told. */
    taken(messages: number, bytes: number): void {
      this.#call.#raw?.taken(messages, bytes);
    }
  };

  transport: TransportName;

  readonly #path: string;
  readonly #kind: CallKind;
  readonly #context: CallContext;
  readonly #codec: Codec<Req, Res> | undefined;
  readonly #observer: Observer | undefined;
  readonly #inbox: Inbox;
  readonly #headers = new Deferred<Metadata>();
  readonly #ended = new Deferred<Status>();
  /** Absent until the call is opened, and where an aborted signal forbade it. */
  #raw: RawCall | undefined;
  /** What `cancel` was given; the core knows only its words. */
  #reason: unknown;
  #signal: AbortSignal | undefined;
  #senders: Deferred<void>[] = [];
  #stopListening: () => void = ignore;
  #response: Promise<Res> | undefined;
  #closedSend = false;
  #sent = 0;
  #received = 0;

  constructor(kind: CallKind, path: string, options: CallOptions<Req, Res>, context: CallContext) {
    this.#path = path;
    this.#kind = kind;
    this.#context = context;
    this.#codec = options.codec;
    this.#observer = options.observer;
    // In portions, so that the border is not crossed for each message; small ones, so that the window never closes on a
    // reader that keeps up.
    const face = new StreamCall.#Face(this);
    this.#inbox = new Inbox(context.receiveWindowBytes / 4, face);
    const transport = options.transport ?? context.transport;
    // What a call is said to be on that was never opened.
    this.transport = transport === "auto" ? "fetch" : transport;
    this.#open(options, transport, face);
  }

  #open(own: CallOptions<Req, Res>, transport: "auto" | TransportName, face: unknown): void {
    const { client, options, metadata, sharesSocket, calls } = this.#context;
    const { signal } = own;
    const sendCompression = own.sendCompression ?? options.sendCompression;
    const packed = own.metadata ? metadata + pack(new Metadata(own.metadata)) : metadata;
    if (signal?.aborted) {
      this.#reason = signal.reason;
      return this.#refuse(CANCELLED, wordsOf(signal.reason), FAULT_LOCAL);
    }
    const unknown = unknownName("transport", transports, transport);
    if (unknown) return this.#refuse(INVALID_ARGUMENT, unknown, FAULT_MISUSE);
    const raw = client.open(
      kinds.indexOf(this.#kind),
      this.#path,
      packed,
      own.timeoutMs ?? options.timeoutMs ?? NaN,
      transports.indexOf(transport),
      this.#codec?.contentSubtype ?? "proto",
      bitsOf(own.acceptCompression ?? options.acceptCompression) |
        (2 * bitsOf(sendCompression && [sendCompression])) |
        // What a GET asks for is a cache.
        (own.useHttpGet ? 16 : sharesSocket && transport === "auto" && this.#kind === "unary" ? 32 : 0),
      face,
    );
    if (this.#status) return raw?.free();
    this.#raw = raw;
    calls.add(this);
    this.#tell({ type: "open", transport: this.transport });
    if (signal) {
      this.#signal = signal;
      const abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", abort);
      this.#stopListening = () => signal.removeEventListener("abort", abort);
    }
  }

  get #status(): Status | undefined {
    return this.#ended.value;
  }

  get headers(): Promise<Metadata> {
    return this.#headers.promise;
  }

  get status(): Promise<Status> {
    return this.#ended.promise;
  }

  #refuse(code: number, words: string, fault: number): void {
    this.#end([code, code, words, fault]);
  }

  send(message: Req): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = encode(message, this.#codec);
    } catch (thrown) {
      return rejected(thrown);
    }
    return this.sendBytes(bytes);
  }

  /** @internal */
  sendBytes(bytes: Uint8Array): Promise<void> {
    if (!this.#raw) return rejected(this.#notSent());
    const room = this.#raw.send(bytes) as boolean | string;
    if (typeof room === "string") return rejected(failure(FAILED_PRECONDITION, room, FAULT_MISUSE));
    this.#tell({ type: "send", count: ++this.#sent, bytes: bytes.length });
    if (room || this.#status) return done;
    const sender = new Deferred<void>();
    this.#senders.push(sender);
    return sender.promise;
  }

  closeSend(): Promise<void> {
    if (this.#raw && !this.#closedSend) {
      const refused = this.#raw.closeSend() as string | undefined;
      if (refused) return rejected(failure(FAILED_PRECONDITION, refused, FAULT_MISUSE));
      this.#closedSend = true;
      this.#tell({ type: "close-send", count: this.#sent });
    }
    return done;
  }

  async receive(): Promise<Res | undefined> {
    this.#heed();
    const bytes = this.#inbox.poll() ?? (await this.#inbox.take());
    return bytes && this.#decode(bytes);
  }

  async receiveBatch(): Promise<Res[] | undefined> {
    this.#heed();
    let bytes = this.#inbox.poll() ?? (await this.#inbox.take());
    if (!bytes) return undefined;
    const batch = [];
    do batch.push(this.#decode(bytes));
    while (batch.length < MOST && (bytes = this.#inbox.poll()));
    return batch;
  }

  get trailers(): Promise<Metadata> {
    return this.status.then((status) => status.trailers);
  }

  get response(): Promise<Res> {
    if (!this.#response) {
      this.#response = this.reply().then(({ message }) => message);
      this.#response.catch(ignore);
    }
    return this.#response;
  }

  closeAndReceive(): Promise<Res> {
    void this.closeSend();
    return this.response;
  }

  cancel(reason?: unknown): void {
    if (this.#status?.code === 0) {
      // What the server had sent before its end is no more wanted than what comes after a cancel.
      const words = wordsOf(reason) || "the call was cancelled here";
      this.#inbox.drop(failure(CANCELLED, words, FAULT_LOCAL, reason));
    }
    if (this.#status || !this.#raw) return;
    this.#reason = reason;
    this.#raw.cancel(wordsOf(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel("the call was disposed of before its end");
    await this.status;
  }

  [Symbol.asyncIterator](): AsyncIterator<Res, undefined, undefined> {
    const leave = async (): Promise<IteratorReturnResult<undefined>> => {
      this.cancel("the reader left the loop");
      await this.status;
      return { done: true, value: undefined };
    };
    return {
      next: async (): Promise<IteratorResult<Res, undefined>> => {
        this.#heed();
        const bytes = this.#inbox.poll() ?? (await this.#inbox.take());
        return bytes ? { done: false, value: this.#decode(bytes) } : { done: true, value: undefined };
      },
      return: leave,
      throw: async (thrown) => {
        await leave();
        throw thrown;
      },
    };
  }

  /** @internal The one reply, and all that came with it. One promise where it came at once: each costs a small call. */
  async reply(): Promise<UnaryResponse<Res>> {
    this.#heed();
    const bytes = this.#inbox.poll() ?? (await this.#inbox.take());
    const message = bytes && this.#decode(bytes);
    const status = this.#status ?? (await this.status);
    // Without a message the status is not OK: the core sees to it.
    if (status.code !== 0 || message === undefined) throw new RpcError(status);
    return { message, headers: this.#headers.value!, trailers: status.trailers, status };
  }

  /** The signal is not listened to behind the end: what it has said since counts when somebody reads on. */
  #heed(): void {
    if (this.#status && this.#signal?.aborted) this.cancel(this.#signal.reason);
  }

  #decode(bytes: Uint8Array): Res {
    if (!this.#codec) return bytes as Res;
    try {
      return this.#codec.decode(bytes);
    } catch (thrown) {
      this.cancel(thrown);
      const words = `the codec cannot decode a message of ${bytes.length} bytes from ${this.#path}: ${wordsOf(thrown)}`;
      throw failure(INTERNAL, words, FAULT_MISUSE, thrown);
    }
  }

  #arrived(buffer: Uint8Array, spans: ArrayLike<number>): void {
    for (let i = 1; i < spans.length; i += 2) {
      this.#tell({ type: "message", count: ++this.#received, bytes: spans[i]! });
    }
    this.#inbox.put(buffer, spans);
  }

  #end(raw: RawStatus, trailers?: Unpacked, cause?: unknown): void {
    const [code, , , fault] = raw;
    const cancelled = code === CANCELLED && fault === FAULT_LOCAL;
    const status = toStatus(raw, trailers, cancelled ? this.#reason : cause);
    this.#stopListening();
    const freed = this.#raw;
    this.#raw = undefined;
    // Not from within the core's own call.
    if (freed) void done.then(() => freed.free());

    // An error is dear, and a call that ends well, which it does not without headers, needs none.
    const failed = status.code !== 0 && new RpcError(status);
    this.#inbox.end(failed, cancelled);
    if (this.#senders.length > 0) {
      const error = this.#notSent(status);
      this.#senders.splice(0).forEach((sender) => sender.reject(error));
    }
    if (failed) this.#headers.reject(failed);
    this.#ended.resolve(status);
    this.#tell({ type: "end", status, sent: this.#sent, received: this.#received });
    this.#context.calls.delete(this);
  }

  #notSent(status = this.#status): RpcError {
    if (status && status.code !== 0) return new RpcError(status);
    const words =
      "the server has ended the call with OK: a message that it had not taken by then was not delivered";
    return failure(FAILED_PRECONDITION, words, FAULT_PEER);
  }

  #tell(body: EventBody): void {
    const { observer } = this.#context.options;
    if (!(observer ?? this.#observer)) return;
    const event = { at: performance.now(), path: this.#path, kind: this.#kind, ...body } as CallEvent;
    for (const told of [observer, this.#observer]) {
      try {
        told?.(event);
      } catch (thrown) {
        // An observer's mistake is its own: it surfaces, and the call goes on.
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}

/** A message's bytes. */
export function encode<Req>(
  message: Req,
  codec: Codec<Req, never> | Codec<Req, unknown> | undefined,
): Uint8Array {
  const bytes: unknown = codec ? codec.encode(message) : message;
  if (bytes instanceof Uint8Array) return bytes;
  const cure = codec ? "codec.encode is to return one" : "pass one, or give a codec";
  throw new TypeError(`a message is sent as a Uint8Array, this is ${typeof bytes}: ${cure}`);
}

/** 1 for gzip, more for what is not known. */
function bitsOf(compressions?: readonly string[]): number {
  return compressions?.reduce((bits, name) => bits | (name === "gzip" ? 1 : 4), 0) ?? 0;
}

function wordsOf(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : "";
}
