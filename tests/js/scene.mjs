import { equal, fail, match, ok, rejection, watch, within } from "./assert.mjs";
import { DEADLINE_EXCEEDED, FAILED_PRECONDITION } from "./codes.mjs";
import { greetCodec, paths } from "./greet.mjs";
import { Observed } from "./observed.mjs";

const SETTLE_MS = 10_000;
let calls = 0;

/** What most servers and ways to them have in common; a place says where it is otherwise. */
const COMMON = {
  /** The kinds that a scenario about several of them is to go through. */
  kinds: [],
  codec: greetCodec,
  /** Whether metadata travel, both ways. Without, what is asked of the server stands in the query. */
  metadata: true,
  /** Whether trailers come as trailers. */
  trailers: true,
  halfCloses: true,
  /** Whether a handler is told that its client has left. */
  told: true,
  /** What FAILED_PRECONDITION becomes on the way. */
  failure: { code: FAILED_PRECONDITION, name: "FAILED_PRECONDITION" },
  /** What the server puts before the words of its failures. */
  prefix: "",
  /** What comes of a group or version that it does not have. */
  routes: undefined,
  /** How it writes a field of two words in JSON. */
  names: undefined,
};

/** What a scenario is handed: a client for its transport and server, calls, and the server's view of them. */
export class Scene {
  #clients = [];
  /** How many calls the server may keep, as it is not told that they were left. */
  kept = 0;

  /** With the default client already made, as nearly every scenario wants it. */
  static async create(env, place) {
    const scene = new Scene(env, place);
    if (place.transport) scene.client = await scene.newClient();
    return scene;
  }

  /** `client`: more options for its clients, or what makes them of `env`; `details`: whether the server sends those of
   * its failures. */
  constructor(env, place) {
    const { kind, transport, server, protocol, client = {}, details = server !== "dubbo-go" } = place;
    Object.assign(this, { env, kind, transport, server, protocol, details, clientOptions: client });
    for (const name in COMMON) this[name] = place[name] ?? COMMON[name];
    this.baseUrl = place.baseUrl ?? `${env.origin}/${server}`;
    this.renew();
  }

  /** From here on: another call id, another log. */
  renew() {
    this.id = `${this.env.runtime}-${Math.random().toString(36).slice(2, 8)}-${++calls}`;
    this.observed = new Observed(this.env.origin, this.server, this.id);
  }

  /** Whether calls of this kind have a request stream, and a response stream. */
  get sends() {
    return this.kind === "client_stream" || this.kind === "bidi";
  }

  get receives() {
    return this.kind === "server_stream" || this.kind === "bidi";
  }

  /** A client that the scene closes at its end. */
  async newClient(options = {}) {
    const { transport, protocol, baseUrl, env, clientOptions } = this;
    const client = await env.tidewire.createClient({
      baseUrl,
      ...(transport && { transport }),
      ...(protocol && { protocol }),
      ...env.clientOptions,
      ...(typeof clientOptions === "function" ? clientOptions(env) : clientOptions),
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  closeClients() {
    for (const client of this.#clients) client.close();
  }

  // The four kinds. `ask`: what is wanted of the server (tests/README.md); the rest are CallOptions.

  unary(text, options) {
    return this.client.unary(this.#path("unary", options), text, this.options(options));
  }

  serverStream(text, options) {
    this.#keeps();
    return this.client.serverStream(this.#path("server_stream", options), text, this.options(options));
  }

  clientStream(options) {
    return this.client.clientStream(this.#path("client_stream", options), this.options(options));
  }

  bidi(options) {
    this.#keeps();
    return this.client.bidi(this.#path("bidi", options), this.options(options));
  }

  options({ ask, metadata = [], ...rest } = {}) {
    const asked = this.metadata ? this.#asked(ask) : [];
    return { codec: this.codec, ...rest, metadata: [...asked, ...metadata] };
  }

  #keeps() {
    if (!this.told) this.kept++;
  }

  #path(kind, { ask } = {}) {
    return this.metadata ? paths[kind] : `${paths[kind]}?${new URLSearchParams(this.#asked(ask))}`;
  }

  #asked(ask = {}) {
    return [["x-call-id", this.id], ...Object.entries(ask).map(([name, value]) => [name, String(value)])];
  }

  /** What asks for the end after so many requests, where no half-close can tell it. */
  endAfter(count) {
    return this.halfCloses ? {} : { "x-end-after": count };
  }

  /** The end of our requests, where it can be told. */
  async finish(call) {
    if (this.halfCloses) await call.closeSend();
  }

  /** The server says in its trailers how many requests it has read. */
  greeted(status, count) {
    if (this.metadata && this.trailers) equal(status.trailers.get("greeted"), `${count}`, "greeted");
  }

  /** How a call's requests ended that the client half-closed, where it could. */
  async requestsEnded(count) {
    if (this.halfCloses)
      equal((await this.observed.until("half-close")).detail.count, count, "requests before the half-close");
    else equal((await this.observed.until("end")).detail.count, count, "requests before the end");
  }

  /**
   * A call of this scene's kind, begun and not waited for: `{ call, reply }`, where `reply` is the first promise
   * that the kind has for its user. A unary call has no `call`.
   */
  begin(options) {
    if (this.kind === "unary") return { reply: watch(this.unary("Ada", options)) };
    const call =
      this.kind === "server_stream"
        ? this.serverStream("Ada", options)
        : this.kind === "client_stream"
          ? this.clientStream(options)
          : this.bidi(options);
    return { call, reply: watch(this.kind === "client_stream" ? call.response : call.receive()) };
  }

  /**
   * A call of this scene's kind that the server keeps open, in mid-conversation: `reply` waits for what does not
   * come. Requests of streams stay open.
   */
  async endless(options = {}) {
    const ask = { "x-count": 1, ...this.staying(options.timeoutMs), ...options.ask };
    const { call, reply } = this.begin({ ...options, ask });
    if (this.sends) await call.send("Ada");
    const opened = this.observed.until("open");
    opened.catch(() => {});
    // An end that comes before is not waited out.
    await Promise.race([opened, reply.promise.then(() => opened)]);
    if (!this.receives) return { call, reply };
    match(await within(SETTLE_MS, reply.promise, "the first reply"), /^Hello, Ada/, "the first reply");
    return { call, reply: watch(call.receive()) };
  }

  /** What keeps a call open. A unary handler that is not told goes on to its end: there it has to have one. */
  staying(deadlineMs = 0) {
    if (this.told || this.kind !== "unary") return { "x-delay": 60_000, "x-never-end": 1 };
    return { "x-delay": deadlineMs + 2_000 };
  }

  /** `endless` with a deadline. */
  endlessWithDeadline(options = {}) {
    return this.withDeadline((timeoutMs) => this.endless({ ...options, timeoutMs }));
  }

  /** What `open` makes of a deadline: a short one, unless this machine is too busy to get as far as `open` goes. */
  async withDeadline(open) {
    for (let timeoutMs = 400; ; timeoutMs *= 4) {
      this.renew();
      try {
        return await open(timeoutMs);
      } catch (error) {
        if (error.code !== DEADLINE_EXCEEDED || timeoutMs > SETTLE_MS) throw error;
      }
    }
  }

  /** The call ended like this, in the words of each promise that tells of it. Answers the error. */
  async endedWith({ call, reply }, expected) {
    const error = await within(SETTLE_MS, rejection(reply.promise, "the reply"), "the reply");
    this.isError(error, expected);
    if (call) this.isStatus(await within(SETTLE_MS, call.status, "the status"), expected);
    return error;
  }

  /** `error` is an RpcError with `code` (one, or one of several), `fault`, `message` (a pattern), `cause`. */
  isError(error, expected) {
    if (!(error instanceof this.env.tidewire.RpcError)) fail(`expected an RpcError, got ${describe(error)}`);
    this.isStatus(error, expected);
  }

  /** The same of a Status: the two share their names. */
  isStatus(status, { code, fault, message, cause }) {
    const words = wordsOf(status);
    const came = `${status.code} by fault of ${status.fault}: ${words}`;
    if (code !== undefined)
      ok([code].flat().includes(status.code), `code ${[code].flat().join(" or ")}, got ${came}`);
    if (fault)
      ok([fault].flat().includes(status.fault), `fault "${[fault].flat().join('" or "')}", got ${came}`);
    if (message) match(words, message, "message");
    if (cause !== undefined)
      ok(status.cause === cause, `the cause to be what was given, got ${describe(status.cause)}`);
  }

  /** The status of a call that ended well. */
  async endsOk(call) {
    const status = await within(SETTLE_MS, call.status, "the status");
    if (status.code !== 0) fail(`expected OK, got ${status.codeName}: ${status.message}`);
    equal(status.fault, "none", "fault");
    return status;
  }

  /** Everything up to the end, by `receive`. */
  async receiveAll(call) {
    const messages = [];
    for (;;) {
      const message = await within(SETTLE_MS, call.receive(), `message ${messages.length + 1}`);
      if (message === undefined) return messages;
      messages.push(message);
    }
  }

  /** To be asked after the end. workerd's fetch ends an upload that it breaks off as if it were complete, then resets. */
  sawNoHalfClose() {
    if (this.env.runtime !== "workerd" || this.transport !== "fetch") this.observed.never("half-close");
  }

  /** The handler was told that the client left, or, where it never is, went on as if it had not. */
  async sawLeaving(...ways) {
    if (!this.told) return this.#sawNothing();
    await this.observed.until(ways);
    await this.observed.until("end");
  }

  async #sawNothing() {
    const { observed } = this;
    if (this.kind === "unary") await observed.until("end", 20_000);
    // A later call has come and gone.
    else await this.fence();
    await observed.now();
    const story = this.kind === "unary" ? ["open", "end"] : ["open"];
    equal(observed.story("message", "reply"), story, "what the server saw");
  }

  /** Another call, from its beginning to its end. */
  async fence() {
    const { observed } = this;
    this.renew();
    await this.unary("fence");
    this.observed = observed;
  }

  /**
   * Proof that the server never saw this scene's call: a later call on the same client has come and gone, and the
   * log is empty.
   */
  async neverSeen() {
    await this.fence();
    equal(await this.observed.now(), [], "what the server saw");
  }
}

/** What was said, without the code's name that an error carries in front. */
export function wordsOf(status) {
  return status.rawMessage ?? status.message;
}

function describe(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : JSON.stringify(value);
}
