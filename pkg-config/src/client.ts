import { encode, kinds, StreamCall } from "./call.js";
import { toError } from "./error.js";
import type { RawClient } from "./generated/tidewire_bg.js";
import { Metadata } from "./metadata.js";
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
import { load } from "./wasm.js";

const MIB = 1024 * 1024;

/** A client for the services below one base URL. Nothing is sent until the first call. */
export async function createClient(options: ClientOptions): Promise<Client> {
  return new TidewireClient(options);
}

class TidewireClient implements Client {
  readonly #raw: RawClient;
  readonly #options: ClientOptions;
  readonly #metadata: Metadata;
  readonly #receiveWindowBytes: number;
  readonly #calls = new Set<{ cancel(reason?: unknown): void }>();

  constructor(options: ClientOptions) {
    const { triple } = options;
    this.#options = options;
    this.#receiveWindowBytes = options.receiveWindowBytes ?? MIB;
    this.#metadata = new Metadata(options.metadata);
    if (triple?.version) this.#metadata.set("tri-service-version", triple.version);
    if (triple?.group) this.#metadata.set("tri-service-group", triple.group);
    const RawClient = load();
    try {
      this.#raw = new RawClient({
        ...options,
        fetch: options.fetch ?? globalThis.fetch,
        WebSocket: options.WebSocket ?? globalThis.WebSocket,
        baseUrl: String(options.baseUrl).replace(/\/+$/, ""),
        protocol: options.protocol ?? "auto",
        transport: options.transport ?? "auto",
        maxReceiveMessageBytes: options.maxReceiveMessageBytes ?? 4 * MIB,
        receiveWindowBytes: this.#receiveWindowBytes,
        bufferRequestBytes: options.bufferRequestBytes ?? 0,
      });
    } catch (thrown) {
      throw toError(thrown);
    }
  }

  async unary<Req, Res>(
    path: string,
    request: Req,
    options: CallOptions<Req, Res> = {},
  ): Promise<UnaryResponse<Res>> {
    const call = this.#single("unary", path, request, options);
    const message = await call.response;
    const [headers, status] = await Promise.all([call.headers, call.status]);
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
    const [ok, text] = this.#raw.supports(kinds.indexOf(kind)) as [boolean, string];
    return ok ? { ok, transport: text as TransportName } : { ok, reason: text };
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
    const metadata = new Metadata(this.#metadata);
    for (const [name, value] of new Metadata(options.metadata)) metadata.append(name, value);
    const observers = [this.#options.observer, options.observer].filter((observer) => observer !== undefined);
    return new StreamCall(kind, path, options, {
      client: this.#raw,
      metadata,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs,
      acceptCompression: options.acceptCompression ?? this.#options.acceptCompression,
      sendCompression: options.sendCompression ?? this.#options.sendCompression,
      receiveWindowBytes: this.#receiveWindowBytes,
      observers,
      calls: this.#calls,
    });
  }
}
