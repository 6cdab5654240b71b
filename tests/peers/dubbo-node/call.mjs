/** One call as the greeter sees it: what its metadata ask for, counts, and every event written down once. */
import { Code, DubboError } from "@apachedubbo/dubbo";
import { proto3 } from "@bufbuild/protobuf";

/** Needs escaping on the wire: a percent sign, quotes and an umlaut. */
const ASKED_TO_FAIL = 'asked to fail: 100% "grüßt"';
const ErrorInfo = proto3.makeMessageType("google.rpc.ErrorInfo", () => [
  { no: 1, name: "reason", kind: "scalar", T: 9 },
]);

export class Call {
  requests = 0;
  replies = 0;
  #log;
  #echo;
  #observed;
  #http;
  #ended = false;
  #gone = false;
  #stop;
  #timer;
  /** Rejects when the client has left or the deadline has passed. */
  #over = new Promise((_, reject) => (this.#stop = reject));

  constructor(observed, method, context, http) {
    const header = context.requestHeader;
    this.#over.catch(() => {});
    this.asked = behaviour(header);
    this.#observed = observed;
    const id = header.get("x-call-id");
    this.#log = id ? observed.log(id) : undefined;
    observed.open += 1;
    const metadata = Object.fromEntries([...header].map(([name, value]) => [name, [value]]));
    this.#record("open", { method, timeout: header.get("grpc-timeout"), metadata });
    this.#echo = [...header].filter(([name]) => name.startsWith("echo-"));
    for (const [name, value] of this.#echo) context.responseHeader.append(name, value);

    // A handler's own signal does not tell a client that left from a request that was read to its end.
    this.#http = http;
    if (http.left) this.#cancelled("the client had left");
    http.onLeft = () => this.#cancelled("the response was closed before its end");
    const timeoutMs = context.timeoutMs();
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#late(), timeoutMs);
  }

  /** Runs the work of a stream under this call. */
  async *streams(context, work) {
    let code = 0;
    let finished = false;
    try {
      yield* work;
      finished = true;
    } catch (error) {
      finished = true;
      code = DubboError.from(error).code;
      throw error;
    } finally {
      this.#end(context, finished ? code : Code.Canceled);
    }
  }

  /** Runs the work of a call with one reply. */
  async answers(context, work) {
    let code = 0;
    try {
      return await work;
    } catch (error) {
      code = DubboError.from(error).code;
      throw error;
    } finally {
      this.#end(context, code);
    }
  }

  /** The requests, up to a half-close. */
  async *read(requests) {
    const iterator = requests[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await this.race(iterator.next());
      if (done) break;
      this.message(value.name);
      yield value.name;
    }
    if (this.#http.isReset()) this.#cancelled("the stream was reset");
    await this.race(Promise.resolve());
    this.#record("half-close", { count: this.requests });
  }

  race(promise) {
    promise.catch(() => {});
    return Promise.race([this.#over, promise]);
  }

  async stay(forEver) {
    if (forEver) await this.#over;
  }

  /** Whether to end now, by OK; throws the failure that was asked for. */
  isEnd() {
    if (this.requests >= this.asked.failAfter) {
      const detail = new ErrorInfo({ reason: "ASKED_TO_FAIL" });
      throw new DubboError(ASKED_TO_FAIL, this.asked.failCode, undefined, [detail]);
    }
    return this.requests >= this.asked.endAfter;
  }

  message(name) {
    const count = ++this.requests;
    if (count <= 100 || count % 1000 === 0) this.#record("message", { count, name: name.slice(0, 64) });
  }

  reply(greeting) {
    const count = ++this.replies;
    if (count === 1 || count % 1000 === 0) this.#record("reply", { count });
    return { greeting };
  }

  #cancelled(why) {
    if (this.#ended || this.#gone) return;
    this.#gone = true;
    this.#record("cancelled", { error: why }, true);
    this.#stop(new DubboError(why, Code.Canceled));
  }

  #late() {
    if (this.#ended) return;
    this.#record("deadline", {}, true);
    this.#stop(new DubboError("the deadline has passed", Code.DeadlineExceeded));
  }

  #end(context, code) {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const [name, value] of this.#echo) context.responseTrailer.append(name, value);
    context.responseTrailer.set("greeted", String(this.requests));
    this.#record("end", { code, count: this.requests }, true);
    this.#observed.open -= 1;
  }

  #record(what, detail, always = false) {
    this.#log?.record(what, detail, always);
  }
}

/** What the metadata ask for; a value that is no number is the caller's mistake and says so. */
function behaviour(header) {
  const number = (name, otherwise, least, most) => {
    const text = header.get(name);
    if (text === null || text === undefined) return otherwise;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    const expected = `the greeter takes a whole number from ${least} to ${most}`;
    throw new DubboError(
      `the metadata \`${name}\` of this call is "${text}"; ${expected}`,
      Code.InvalidArgument,
    );
  };
  const has = (name) => Boolean(header.get(name));
  return {
    neverEnd: has("x-never-end"),
    greetFirst: has("x-greet-first"),
    stall: has("x-stall"),
    endAfter: number("x-end-after", Infinity, 0, Infinity),
    failAfter: number("x-fail-after", Infinity, 0, Infinity),
    failCode: number("x-fail-code", 9, 1, 16),
    afterClose: number("x-after-close", 0, 0, Infinity),
    count: number("x-count", 10, 0, Infinity),
    size: number("x-size", 0, 0, 64 << 20),
    delay: number("x-delay", 0, 0, 3_600_000),
  };
}
