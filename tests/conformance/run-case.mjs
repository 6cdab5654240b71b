/**
 * One case of the suite on the package's public API: a `ClientCompatRequest` comes, a `ClientCompatResponse` goes.
 * What the five stream types do is prescribed: docs/testing_clients.md of connectrpc/conformance.
 */

const protocols = { CONNECT: "connect", GRPC: "grpc", GRPC_WEB: "grpc-web" };

/** `clientOptions(request)`: how this runtime reaches the request's server. `text`: gRPC-Web is written in base64. */
export class CaseRunner {
  #tidewire;
  #messages;
  #clientOptions;
  #protocols;
  #clients = new Map();

  constructor({ tidewire, messages, clientOptions, text }) {
    this.#protocols = { ...protocols, ...(text && { GRPC_WEB: "grpc-web-text" }) };
    this.#tidewire = tidewire;
    this.#messages = messages;
    this.#clientOptions = clientOptions;
  }

  async run(bytes) {
    const request = this.#messages.decode("ClientCompatRequest", bytes);
    const result = await this.#result(request).then(
      (value) => ({ case: "response", value }),
      (error) => ({ case: "error", value: { message: error.stack ?? String(error) } }),
    );
    return this.#messages.encode("ClientCompatResponse", { testName: request.testName, result });
  }

  async #result(request) {
    const messages = this.#messages;
    if (request.rawRequest) throw new Error("raw requests are for the suite's own client");
    const method = messages.method(request.service, request.method);
    const requests = request.requestMessages.map((any) => messages.request(method, any));
    const gzip = request.compression === messages.number("Compression", "GZIP");
    const call = new Case({
      client: await this.#client(request),
      path: `/${request.service}/${request.method}`,
      requests,
      cancel: cancelOf(request.cancel),
      delayMs: request.requestDelayMs,
      RpcError: this.#tidewire.RpcError,
      options: {
        codec: messages.codec(method, request.codec === messages.number("Codec", "JSON")),
        metadata: request.requestHeaders.flatMap(({ name, value }) =>
          value.map((one) => [name, toMetadata(name, one)]),
        ),
        ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
        ...(request.useGetHttpMethod && { useHttpGet: true }),
        ...(gzip && { acceptCompression: ["gzip"], sendCompression: "gzip" }),
      },
    });
    const kinds = [
      "UNARY",
      "CLIENT_STREAM",
      "SERVER_STREAM",
      "HALF_DUPLEX_BIDI_STREAM",
      "FULL_DUPLEX_BIDI_STREAM",
    ];
    const kind = kinds.find((kind) => messages.number("StreamType", kind) === request.streamType);
    return call[kind]();
  }

  /** One for each server and protocol, so that cases share what a page's calls share. */
  #client(request) {
    const names = Object.entries(this.#protocols);
    const [, protocol] = names.find(([name]) => this.#messages.number("Protocol", name) === request.protocol);
    const options = { protocol, ...this.#clientOptions(request) };
    const key = `${options.baseUrl} ${protocol}`;
    if (!this.#clients.has(key)) this.#clients.set(key, this.#tidewire.createClient(options));
    return this.#clients.get(key);
  }
}

/** A call as its case wants it, and what came of it. */
class Case {
  #payloads = [];
  #unsent = 0;
  #error;

  constructor({ client, path, requests, cancel, delayMs, options, RpcError }) {
    Object.assign(this, { client, path, requests, cancel, delayMs, options, RpcError });
  }

  async UNARY() {
    const abort = new AbortController();
    // The headers of a failed unary call are told to observers only.
    let headers = [];
    const observer = (event) => event.type === "headers" && (headers = event.headers);
    if (this.cancel.case === "afterCloseSendMs") setTimeout(() => abort.abort(), this.cancel.value);
    let trailers = [];
    const options = { ...this.options, signal: abort.signal, observer };
    await this.#attempt(
      async () => {
        const response = await this.client.unary(this.path, this.requests[0], options);
        trailers = response.trailers;
        this.#took(response.message);
      },
      (error) => (trailers = error.trailers),
    );
    return this.#result(headers, trailers);
  }

  async SERVER_STREAM() {
    const call = this.client.serverStream(this.path, this.requests[0], this.options);
    await this.#afterCloseSend(call);
    await this.#receiveAll(call);
    return this.#resultOf(call);
  }

  async CLIENT_STREAM() {
    const call = this.client.clientStream(this.path, this.options);
    await this.#sendAll(call);
    await this.#closeSend(call);
    await this.#attempt(async () => this.#took(await call.response));
    return this.#resultOf(call);
  }

  async HALF_DUPLEX_BIDI_STREAM() {
    const call = this.client.bidi(this.path, this.options);
    await this.#sendAll(call);
    await this.#closeSend(call);
    await this.#receiveAll(call);
    return this.#resultOf(call);
  }

  async FULL_DUPLEX_BIDI_STREAM() {
    const call = this.client.bidi(this.path, this.options);
    await this.#sendAll(call, () => this.#receive(call));
    await this.#closeSend(call);
    await this.#receiveAll(call);
    return this.#resultOf(call);
  }

  /** `between`: what is done after each message; false ends the sending. */
  async #sendAll(call, between = () => true) {
    for (const [sent, message] of this.requests.entries()) {
      await delay(this.delayMs);
      const delivered = await this.#attempt(() => call.send(message));
      if (!delivered) this.#unsent = this.requests.length - sent;
      if (!delivered || !(await between())) return;
    }
  }

  async #closeSend(call) {
    if (this.cancel.case === "beforeCloseSend") call.cancel();
    await call.closeSend();
    await this.#afterCloseSend(call);
  }

  async #afterCloseSend(call) {
    if (this.cancel.case !== "afterCloseSendMs") return;
    await delay(this.cancel.value);
    call.cancel();
  }

  async #receiveAll(call) {
    while (await this.#receive(call));
  }

  async #receive(call) {
    let message;
    const received = await this.#attempt(async () => (message = await call.receive()));
    if (!received || message === undefined) return false;
    this.#took(message);
    if (this.cancel.case === "afterNumResponses" && this.#payloads.length === this.cancel.value)
      call.cancel();
    return true;
  }

  #took(message) {
    this.#payloads.push(message.payload ?? {});
  }

  /** Whether it went well. How a call fails is a result; anything else is the client's own mistake. */
  async #attempt(action, failed = () => {}) {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof this.RpcError)) throw error;
      this.#error ??= error;
      failed(error);
      return false;
    }
  }

  async #resultOf(call) {
    const headers = await call.headers.catch(() => []);
    // A send that was refused says less than the call's own end.
    const status = await call.status;
    if (status.code !== 0) this.#error = { ...status, rawMessage: status.message };
    return this.#result(headers, status.trailers);
  }

  #result(headers, trailers) {
    const error = this.#error;
    return {
      responseHeaders: toHeaders(headers),
      responseTrailers: toHeaders(trailers),
      payloads: this.#payloads,
      numUnsentRequests: this.#unsent,
      ...(error && { error: { code: error.code, message: error.rawMessage, details: error.details } }),
    };
  }
}

/** Set and empty is to mean: right after the half-close. */
function cancelOf(cancel) {
  if (!cancel) return { case: undefined };
  return cancel.cancelTiming.case ? cancel.cancelTiming : { case: "afterCloseSendMs", value: 0 };
}

function delay(ms) {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}

function toMetadata(name, value) {
  return isBinary(name) ? Uint8Array.from(atob(value), (char) => char.charCodeAt(0)) : value;
}

function toHeaders(metadata) {
  const headers = new Map();
  for (const [name, value] of metadata) {
    if (!headers.has(name)) headers.set(name, { name, value: [] });
    headers
      .get(name)
      .value.push(isBinary(name) ? btoa(String.fromCharCode(...value)).replace(/=+$/, "") : value);
  }
  return [...headers.values()];
}

function isBinary(name) {
  return name.toLowerCase().endsWith("-bin");
}
