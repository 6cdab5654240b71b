/** The public types of `tidewire`. */
import type { Metadata, MetadataInit } from "./metadata.js";
import type { RpcError } from "./error.js";

/**
 * What is spoken to the service.
 * - `auto`: native gRPC where trailers can travel (`tidewire.v1`), gRPC-Web elsewhere.
 * - `grpc`: native gRPC; only `tidewire.v1` carries it.
 * - `grpc-web`, `grpc-web-text`: gRPC-Web over fetch and `grpc-websockets`. In text, several requests of a stream are
 *   read by few servers: each ends with padding, after which improbable's and tonic-web's decoders take no more.
 * - `connect`: Connect, over fetch and `tidewire.v1`.
 * - `triple`: the bare form of Dubbo's Triple, unary only, over fetch and `tidewire.v1`.
 */
export type Protocol = "auto" | "grpc" | "grpc-web" | "grpc-web-text" | "connect" | "triple";

/**
 * How bytes travel.
 * - `fetch`: unary and server streams everywhere; the other two where the runtime can stream uploads.
 * - `grpc-websockets`: improbable's wire, one socket a call.
 * - `tidewire.v1`: Tidewire's gateway, all calls on one socket.
 * - `triple-websocket`: dubbo-java's own WebSocket, one socket a call, bare messages (JSON, by your codec); no metadata,
 *   no status codes, no client streams, no `closeSend`. Never chosen by `auto`.
 * - `auto`: by ability: fetch where it carries the kind, else a WebSocket; unary calls over an open `tidewire.v1` socket
 *   (`shareSocket`).
 */
export type TransportName = "fetch" | "grpc-websockets" | "tidewire.v1" | "triple-websocket";

/** Of messages, one by one, by the platform's `CompressionStream`. */
export type Compression = "gzip";

export type CallKind = "unary" | "server_stream" | "client_stream" | "bidi";

/** Turns messages into bytes and back: protobuf-es, ts-proto, protobufjs, JSON … */
export interface Codec<Req, Res> {
  encode(message: Req): Uint8Array;
  decode(bytes: Uint8Array): Res;
  /** What the bytes are, as the content type names it: `proto`, which is the default, `json`, … */
  contentSubtype?: string;
}

/** Dubbo Triple's routing: sent as `tri-service-version`, `tri-service-group`; adds Triple's timeout headers. */
export interface TripleOptions {
  version?: string;
  group?: string;
}

export interface ClientOptions {
  /** `https://host[:port][/prefix]`; the path of a call is appended. */
  baseUrl: string | URL;
  protocol?: Protocol;
  transport?: "auto" | TransportName;
  /** Sent with every call, before the call's own. */
  metadata?: MetadataInit;
  /** Default deadline of a call, in milliseconds. None unless given. */
  timeoutMs?: number;
  /** Largest message taken, in bytes; default 4 MiB. A larger one ends the call with RESOURCE_EXHAUSTED. */
  maxReceiveMessageBytes?: number;
  /** Bytes a call may hold that its reader has not taken; default 1 MiB. */
  receiveWindowBytes?: number;
  /**
   * Lets fetch carry client streams and bidi calls in browsers: messages are kept until `closeSend`, at most this many
   * bytes with their framing, and leave as one request. Until then the server hears nothing, not even of the call, so
   * a bidi call is half-duplex. More than fits ends the call with RESOURCE_EXHAUSTED. Without it browsers leave such
   * calls to a WebSocket; runtimes whose fetch is full-duplex stream with or without it.
   */
  bufferRequestBytes?: number;
  /** Cookies on fetch: as in `RequestInit.credentials`. */
  credentials?: RequestCredentials;
  /**
   * Whether `auto` sends unary calls over the client's `tidewire.v1` socket while one is open, which is several times
   * faster than fetch. Default: yes, unless `fetch` or `credentials` is given, which a socket knows nothing of. Cookies of
   * such calls are those of the time when the socket was opened. Not for protocols `grpc-web` and `grpc-web-text`.
   */
  shareSocket?: boolean;
  /** What the server may compress its messages by; none unless given. Its CORS must allow `grpc-accept-encoding`. */
  acceptCompression?: readonly Compression[];
  /** What our messages are compressed by; none unless given. The server must know it. */
  sendCompression?: Compression;
  /** A `fetch` to use instead of the global one. */
  fetch?: typeof globalThis.fetch;
  /** A `WebSocket` constructor to use instead of the global one (Node 20: that of `ws`). */
  WebSocket?: unknown;
  triple?: TripleOptions;
  observer?: Observer;
}

export interface CallOptions<Req = Uint8Array, Res = Uint8Array> {
  /** Cancels the call; its `reason` becomes the cause. */
  signal?: AbortSignal;
  /** Deadline in milliseconds from now; 0 or less fails at once, before anything is sent. */
  timeoutMs?: number;
  metadata?: MetadataInit;
  /** Without one, messages are bytes. */
  codec?: Codec<Req, Res>;
  /** In place of the client's. */
  acceptCompression?: readonly Compression[];
  /** In place of the client's. */
  sendCompression?: Compression;
  transport?: "auto" | TransportName;
  /**
   * Unary calls of protocol `connect`, of methods without side effects: asks with a GET, which browsers and proxies may
   * cache. The message stands in the URL, of which many servers take 8 KiB.
   */
  useHttpGet?: boolean;
  observer?: Observer;
}

/** gRPC status codes by number. */
export type Code = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16;

/** Who is at fault for an end other than OK. `local`: this side ended it (cancel, deadline). */
export type Fault = "none" | "peer" | "transport" | "misuse" | "local";

/** One entry of `google.rpc.Status.details`. */
export interface Detail {
  typeUrl: string;
  value: Uint8Array;
}

export interface Status {
  readonly code: Code;
  /** `OK`, `CANCELLED`, … */
  readonly codeName: string;
  /** The number on the wire; differs from `code` when the peer sent one that gRPC does not know. */
  readonly rawCode: number;
  readonly message: string;
  readonly details: readonly Detail[];
  readonly trailers: Metadata;
  readonly fault: Fault;
  /** What was given to `cancel`, the abort's reason, or the transport's own error. */
  readonly cause?: unknown;
}

/** What every call has. */
export interface Call extends AsyncDisposable {
  /** Which transport carries it. */
  readonly transport: TransportName;
  /** The peer's headers, as soon as they arrive. Rejects if the call ends without; never as an unhandled rejection. */
  readonly headers: Promise<Metadata>;
  /** Trailing metadata, when the call has ended. Never rejects. */
  readonly trailers: Promise<Metadata>;
  /** How the call ended. Never rejects. */
  readonly status: Promise<Status>;
  /**
   * Resets the stream: the server sees it cancelled; pending receives and sends settle within one task. Where the server
   * had ended before, messages that were not received are dropped, and the next receive rejects with CANCELLED.
   */
  cancel(reason?: unknown): void;
  /** Cancels if the call has not ended, and waits for its end: `await using call = …`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The receiving side of a stream. */
export interface Receiver<Res> extends AsyncIterable<Res> {
  /**
   * The next message, or `undefined` once the server has ended with OK. Rejects with {@link RpcError} on any other
   * end, after all messages that came before it. One receive per message; several may be pending.
   */
  receive(): Promise<Res | undefined>;
  /**
   * The messages that are there, one to 256; else like `receive`. For floods: a promise for each batch instead of one for
   * each message. A message that the codec cannot decode takes its batch with it.
   */
  receiveBatch(): Promise<Res[] | undefined>;
  /** `break`, `return` and `throw` inside `for await` cancel the call. */
  [Symbol.asyncIterator](): AsyncIterator<Res, undefined, undefined>;
}

/** The sending side of a stream. */
export interface Sender<Req> {
  /**
   * Resolves when the message fits the window (back-pressure), not when it is delivered. Rejects after
   * `closeSend`, the end of the call or a cancel.
   */
  send(message: Req): Promise<void>;
  /**
   * Half-close: the server's receive loop ends. Idempotent. Receiving goes on. Resolves when it is handed over. Over
   * `triple-websocket` it rejects with FAILED_PRECONDITION, and the call goes on: the answers would be lost.
   */
  closeSend(): Promise<void>;
}

export interface ServerStreamCall<Res> extends Call, Receiver<Res> {}

export interface BidiCall<Req, Res> extends Call, Sender<Req>, Receiver<Res> {}

export interface ClientStreamCall<Req, Res> extends Call, Sender<Req> {
  /** The one reply. Rejects with {@link RpcError}; never as an unhandled rejection. */
  readonly response: Promise<Res>;
  /** `closeSend`, then the reply. */
  closeAndReceive(): Promise<Res>;
}

export interface UnaryResponse<Res> {
  readonly message: Res;
  readonly headers: Metadata;
  readonly trailers: Metadata;
  readonly status: Status;
}

/** Whether this client can carry a kind of call here, by which transport, and if not what would. */
export interface Support {
  readonly ok: boolean;
  readonly transport?: TransportName;
  readonly reason?: string;
}

export interface Client {
  /** Rejects with {@link RpcError} on any end but OK. */
  unary<Req = Uint8Array, Res = Uint8Array>(
    path: string,
    request: Req,
    options?: CallOptions<Req, Res>,
  ): Promise<UnaryResponse<Res>>;
  serverStream<Req = Uint8Array, Res = Uint8Array>(
    path: string,
    request: Req,
    options?: CallOptions<Req, Res>,
  ): ServerStreamCall<Res>;
  clientStream<Req = Uint8Array, Res = Uint8Array>(
    path: string,
    options?: CallOptions<Req, Res>,
  ): ClientStreamCall<Req, Res>;
  bidi<Req = Uint8Array, Res = Uint8Array>(path: string, options?: CallOptions<Req, Res>): BidiCall<Req, Res>;
  supports(kind: CallKind): Support;
  /** Cancels what is open and closes the shared socket. */
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The life of a call, for logs, tracing and the console. `at` is `performance.now()`. */
export type CallEvent = { readonly at: number; readonly path: string; readonly kind: CallKind } & (
  | { readonly type: "open"; readonly transport: TransportName }
  | { readonly type: "headers"; readonly headers: Metadata }
  | { readonly type: "send"; readonly count: number; readonly bytes: number }
  | { readonly type: "close-send"; readonly count: number }
  | { readonly type: "message"; readonly count: number; readonly bytes: number }
  | { readonly type: "end"; readonly status: Status; readonly sent: number; readonly received: number }
);

export type Observer = (event: CallEvent) => void;

export type { Metadata, MetadataInit, RpcError };
