// A `fetch` that answers when it is told to.

export class FakeFetch {
  /** What was asked, in order. */
  exchanges = [];
  /** Thrown instead of an answer. */
  throws;
  /** Called from within `fetch`. */
  inside;
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  fetch = (url, init) => {
    this.#stage.note(`fetch ${init.method} ${url}`);
    this.inside?.();
    if (this.throws) throw this.throws;
    const exchange = new Exchange(this.#stage, init);
    this.exchanges.push(exchange);
    return exchange.answer;
  };

  exchange(i) {
    return this.exchanges[i];
  }
}

class Exchange {
  init;
  answer;
  #stage;
  #answered;
  #reads = [];
  #chunks = [];
  #upload;

  constructor(stage, init) {
    this.#stage = stage;
    this.init = init;
    this.#answered = Promise.withResolvers();
    this.answer = this.#answered.promise;
    init.signal.addEventListener("abort", () => {
      stage.note("abort");
      this.#answered.reject(init.signal.reason);
      this.#settle(({ reject }) => reject(init.signal.reason));
    });
  }

  header(name) {
    return this.init.headers.get(name) ?? undefined;
  }

  option(name) {
    return this.init[name];
  }

  /** The whole body. */
  body() {
    return this.init.body;
  }

  /** The server reads once from an upload: bytes, or nothing at its end. */
  async takes() {
    this.#upload ??= this.init.body.getReader();
    return (await this.#upload.read()).value;
  }

  /** Status and headers come, with a body that is read piece by piece. */
  responds(status, headers) {
    const read = () => {
      this.#stage.note("read");
      return new Promise((resolve, reject) => {
        this.#reads.push({ resolve, reject });
        this.#flow();
      });
    };
    this.answers({ status, headers: new Headers(headers), body: { getReader: () => ({ read }) } });
  }

  /** The promise resolves with anything. */
  answers(value) {
    this.#answered.resolve(value);
  }

  /** The network fails before the headers. */
  fails(error) {
    this.#answered.reject(error);
  }

  chunk(bytes) {
    this.#chunks.push({ done: false, value: bytes });
    this.#flow();
  }

  ends() {
    this.#chunks.push({ done: true, value: undefined });
    this.#flow();
  }

  /** The network fails within the body. */
  breaks(error) {
    this.#settle(({ reject }) => reject(error));
  }

  #flow() {
    if (this.#chunks.length > 0) this.#settle(({ resolve }) => resolve(this.#chunks.shift()));
  }

  #settle(how) {
    const read = this.#reads.shift();
    if (read) how(read);
  }
}
