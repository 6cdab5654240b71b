import { encode, StreamCall } from "./call.js";
import type { Load } from "./core.js";
import { failure, FAULT_MISUSE, INVALID_ARGUMENT } from "./error.js";
import type { RawClient } from "./generated/tidewire_bg.js";
import { Metadata } from "./metadata.js";
import { kinds, protocols, transports, unknownName } from "./names.js";
import { pack } from "./packed.js";
import type {
  BidiCall,
  CallKind,
  CallOptions,
  Client,
  ClientOptions,
  ClientStreamCall,
  ServerStreamCall,
  Support,
  TransportName,
  UnaryResponse,
} from "./types.js";

const MIB = 1024 * 1024;

export class TidewireClient implements Client {
  readonly #raw: RawClient;
  readonly #options: ClientOptions;
  readonly #transport: "auto" | TransportName;
  /** Packed. */
  readonly #metadata: string;
  readonly #receiveWindowBytes: number;
  readonly #sharesSocket: boolean;
  readonly #calls = new Set<{ cancel(reason?: unknown): void }>();

  /** `load`: the core that the entry has; `compiled`: where it has the wasm module from. */
  constructor(load: Load, compiled: () => WebAssembly.Module, options: ClientOptions) {
    const { triple, protocol = "auto", transport = "auto", receiveWindowBytes = MIB } = options;
    // `fetch` and `credentials` mean nothing to a socket.
    const { shareSocket = !(options.fetch || options.credentials) } = options;
    this.#options = options;
    this.#transport = transport;
    this.#receiveWindowBytes = receiveWindowBytes;
    // Who says gRPC-Web means servers that take it themselves.
    this.#sharesSocket = shareSocket && !protocol.startsWith("grpc-web");
    const metadata = new Metadata(options.metadata);
    if (triple?.version) metadata.set("tri-service-version", triple.version);
    if (triple?.group) metadata.set("tri-service-group", triple.group);
    this.#metadata = pack(metadata);
    const baseUrl = String(options.baseUrl).replace(/\/+$/, "");
    const wrong =
      unknownName("protocol", protocols, protocol) ??
      unknownName("transport", transports, transport) ??
      (/^https?:\/\//.test(baseUrl)
        ? undefined
        : `baseUrl is to start with http:// or https://; it is "${baseUrl}"`);
    if (wrong) throw failure(INVALID_ARGUMENT, wrong, FAULT_MISUSE);
    const fetch: unknown = options.fetch ?? globalThis.fetch;
    const WebSocket: unknown = options.WebSocket ?? globalThis.WebSocket;
    const RawClient = load(compiled);
    this.#raw = new RawClient(
      (fetch ? 1 : 0) | (WebSocket ? 2 : 0),
      baseUrl,
      baseUrl.replace("http", "ws"),
      protocols.indexOf(protocol),
      options.maxReceiveMessageBytes ?? 4 * MIB,
      receiveWindowBytes,
      options.bufferRequestBytes ?? 0,
      !!triple,
      fetch,
      WebSocket,
      options.credentials,
    );
  }

  async unary<Req, Res>(
    path: string,
    request: Req,
    options: CallOptions<Req, Res> = {},
  ): Promise<UnaryResponse<Res>> {
    const call = this.#single("unary", path, request, options);
    const message = await call.response;
    const headers = await call.headers;
    const status = await call.status;
    return { message, headers, trailers: status.trailers, status };
  }

  serverStream<Req, Res>(
    path: string,
    request: Req,
    options: CallOptions<Req, Res> = {},
  ): ServerStreamCall<Res> {
    return this.#single("server_stream", path, request, options);
  }

  clientStream<Req, Res>(path: string, options: CallOptions<Req, Res> = {}): ClientStreamCall<Req, Res> {
    return this.#call("client_stream", path, options);
  }

  bidi<Req, Res>(path: string, options: CallOptions<Req, Res> = {}): BidiCall<Req, Res> {
    return this.#call("bidi", path, options);
  }

  supports(kind: CallKind): Support {
    const found = this.#raw.supports(kinds.indexOf(kind), transports.indexOf(this.#transport)) as string;
    return transports.includes(found as TransportName)
      ? { ok: true, transport: found as TransportName }
      : { ok: false, reason: found };
  }

  close(): void {
    for (const call of [...this.#calls]) call.cancel("the client was closed");
    this.#raw.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #single<Req, Res>(kind: CallKind, path: string, request: Req, options: CallOptions<Req, Res>) {
    const bytes = encode(request, options.codec);
    const call = this.#call(kind, path, options);
    void call.sendBytes(bytes);
    void call.closeSend();
    return call;
  }

  #call<Req, Res>(kind: CallKind, path: string, options: CallOptions<Req, Res>): StreamCall<Req, Res> {
    const observers = [this.#options.observer, options.observer].filter((observer) => observer !== undefined);
    return new StreamCall(kind, path, options, {
      client: this.#raw,
      transport: options.transport ?? this.#transport,
      metadata: this.#metadata + (options.metadata ? pack(new Metadata(options.metadata)) : ""),
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs,
      acceptCompression: options.acceptCompression ?? this.#options.acceptCompression,
      sendCompression: options.sendCompression ?? this.#options.sendCompression,
      receiveWindowBytes: this.#receiveWindowBytes,
      sharesSocket: this.#sharesSocket,
      observers,
      calls: this.#calls,
    });
  }
}
