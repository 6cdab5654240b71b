import { encode, StreamCall, type CallContext } from "./call.js";
import type { Load } from "./core.js";
import { failure, FAULT_MISUSE, INVALID_ARGUMENT } from "./error.js";
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
  readonly #context: CallContext;

  /** `load`: the core that the entry has; `compiled`: where it has the wasm module from. */
  constructor(load: Load, compiled: () => WebAssembly.Module, options: ClientOptions) {
    const { triple, protocol = "auto", transport = "auto", receiveWindowBytes = MIB } = options;
    // `fetch` and `credentials` mean nothing to a socket.
    const { shareSocket = !(options.fetch || options.credentials) } = options;
    const metadata = new Metadata(options.metadata);
    if (triple?.version) metadata.set("tri-service-version", triple.version);
    if (triple?.group) metadata.set("tri-service-group", triple.group);
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
    const client = new RawClient(
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
    this.#context = {
      client,
      options,
      transport,
      metadata: pack(metadata),
      receiveWindowBytes,
      // Who says gRPC-Web means servers that take it themselves.
      sharesSocket: shareSocket && !protocol.startsWith("grpc-web"),
      calls: new Set(),
    };
  }

  unary<Req, Res>(
    path: string,
    request: Req,
    options: CallOptions<Req, Res> = {},
  ): Promise<UnaryResponse<Res>> {
    try {
      return this.#single("unary", path, request, options).reply();
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  serverStream<Req, Res>(
    path: string,
    request: Req,
    options: CallOptions<Req, Res> = {},
  ): ServerStreamCall<Res> {
    return this.#single("server_stream", path, request, options);
  }

  clientStream<Req, Res>(path: string, options: CallOptions<Req, Res> = {}): ClientStreamCall<Req, Res> {
    return new StreamCall("client_stream", path, options, this.#context);
  }

  bidi<Req, Res>(path: string, options: CallOptions<Req, Res> = {}): BidiCall<Req, Res> {
    return new StreamCall("bidi", path, options, this.#context);
  }

  supports(kind: CallKind): Support {
    const { client, transport } = this.#context;
    const found = client.supports(kinds.indexOf(kind), transports.indexOf(transport)) as string;
    return transports.includes(found as TransportName)
      ? { ok: true, transport: found as TransportName }
      : { ok: false, reason: found };
  }

  close(): void {
    const { client, calls } = this.#context;
    for (const call of [...calls]) call.cancel("the client was closed");
    client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #single<Req, Res>(kind: CallKind, path: string, request: Req, options: CallOptions<Req, Res>) {
    const bytes = encode(request, options.codec);
    const call = new StreamCall(kind, path, options, this.#context);
    void call.sendBytes(bytes);
    void call.closeSend();
    return call;
  }
}
