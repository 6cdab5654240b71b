// What the transports need of the web, in the web's own language: a promise or an event handled here costs a tenth of
// the bytes that it costs in WebAssembly, and no crossing. Each object tells what happens by `tell(event, a, b)`, always
// from a task of its own, and nothing more once it was silenced. No RPC is known here.

/** What may wait in a runtime's own buffer before a sender is asked to wait, in bytes. */
const HIGH_WATER = 64 * 1024;

/** There is no event for a `bufferedAmount` that falls. */
const POLL_MS = 4;

/** How long a response that is complete may stay open. */
const GRACE_MS = 200;

const nothing = () => {};

/** Its `then` runs things in a microtask: in Chromium's profiles that is cheaper than `queueMicrotask`. */
const soon = Promise.resolve();

/** One `fetch`. Tells: 0 headers (status, block), 1 data (bytes), 2 end, 3 failed (words, cause), 4 room, 5 buffer full. */
export class WebFetch {
  #fetch;
  #url;
  #init;
  #tell;
  #abort = new AbortController();
  /** The controller of a request body that streams. */
  #upload;
  /** The parts of one that does not. */
  #whole = [];
  #buffer;
  /** Of the response's body, until that ends. */
  #reader;
  /** Bytes told and not released: the next read waits for them. */
  #unreleased = 0;
  /** The timer of a response that is complete and stays open. */
  #grace;

  /**
   * `headers` are names and values, a NUL behind each. With a `buffer` (bytes) the request leaves when its body is
   * complete, without it is streamed. What would be the body of a GET ends its URL.
   */
  constructor(fetch, get, url, headers, credentials, buffer, tell) {
    this.#fetch = fetch;
    this.#url = url;
    this.#buffer = buffer;
    this.#tell = tell;
    const members = membersOf(headers);
    const init = (this.#init = {
      method: get ? "GET" : "POST",
      // A fetch of the caller's own may count on methods; the runtime's reads an object in half the time.
      headers: fetch !== globalThis.fetch || Array.isArray(members) ? new Headers(members) : { ...members },
      signal: this.#abort.signal,
    });
    // Some runtimes refuse the member, whatever its value.
    if (credentials) init.credentials = credentials;
    if (!buffer) {
      init.duplex = "half";
      const source = { start: (controller) => void (this.#upload = controller), pull: () => this.#room() };
      this.#start(new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER })));
    }
  }

  async #start(body) {
    const fetch = this.#fetch;
    if (this.#init.method === "GET") this.#url += new TextDecoder().decode(body);
    else this.#init.body = body;
    try {
      // It may throw at once, and its answer may be none, or be read by someone else.
      this.#respond(await fetch(this.#url, this.#init));
    } catch (thrown) {
      // Not from within `finish`.
      await 0;
      this.#tell(
        3,
        `fetch of ${this.#url} failed: ${words(thrown)}; the server is down, or in a page CORS refused it (the gateway must allow its origin)`,
        thrown,
      );
    }
  }

  send(bytes) {
    // The bytes are a view of memory that is not ours.
    const copy = bytes.slice();
    if (!this.#upload) {
      this.#buffer -= copy.length;
      if (this.#buffer >= 0) this.#whole.push(copy);
      else queueMicrotask(() => this.#tell(5));
      return;
    }
    try {
      this.#upload.enqueue(copy);
    } catch {
      // The runtime has given the upload up; how the call ends is told by the response.
    }
  }

  finish() {
    if (this.#upload) return this.#close();
    const body = join(this.#whole);
    // Over HTTP/2 undici never ends a body of no bytes.
    this.#start(body.length > 0 ? body : undefined);
  }

  reset() {
    this.silence();
    // The body first: `abort` alone ends an upload in Chromium as if it were complete. There the error ends the request
    // too, and an `abort` behind it would be an unhandled rejection. A body that is complete cannot be errored any more:
    // its size is 0 then, and not null.
    this.#upload?.error(new Error("the call was cancelled"));
    if (this.#upload?.desiredSize !== null || this.#reader || isServer()) this.#abort.abort();
  }

  done() {
    const more = this.#tell !== nothing;
    this.silence();
    // Not every runtime stops an upload whose response has ended.
    if (this.#upload) this.#close();
    // Where the headers have ended the call, there is no reader yet.
    if (more && this.#reader) this.#leave();
  }

  release(bytes) {
    if (this.#unreleased <= 0) return;
    this.#unreleased -= bytes;
    if (this.#unreleased <= 0) this.#read();
  }

  queued() {
    return this.#upload ? HIGH_WATER - (this.#upload.desiredSize ?? HIGH_WATER) : 0;
  }

  silence() {
    this.#tell = nothing;
  }

  #close() {
    try {
      this.#upload.close();
    } catch {
      // Closed or errored before.
    }
  }

  /** `pull` may come from within `enqueue`. */
  #room() {
    queueMicrotask(() => this.queued() <= HIGH_WATER && this.#tell(4));
  }

  #respond(response) {
    let block = "";
    response.headers.forEach((value, name) => (block += `${name}\0${value}\0`));
    // Header values are bytes, one in each unit of the string.
    const bytes = new Uint8Array(block.length);
    for (let i = 0; i < block.length; i++) bytes[i] = block.charCodeAt(i);
    this.#tell(0, response.status, bytes);
    if (!response.body) return this.#tell(2);
    this.#reader = response.body.getReader();
    if (this.#tell === nothing) this.#leave();
    else this.#read();
  }

  /**
   * One more read sees the end of the body, and leaves the connection fit for the next request; a body that stays open is
   * not waited for.
   */
  #leave() {
    // Not once more by a release.
    this.#unreleased = 0;
    this.#read();
    // A timer is dear, and most have ended by then.
    soon.then(() => {
      if (this.#reader) this.#grace = setTimeout(() => this.#abort.abort(), GRACE_MS);
    });
  }

  #read() {
    this.#reader?.read().then(
      ({ done, value }) => {
        if (done) return this.#end(2);
        // Complete, and yet more comes: nobody will read it.
        if (this.#tell === nothing) {
          this.#abort.abort();
          return this.#end();
        }
        // One more than was told, so that a release from within does not read at once.
        this.#unreleased = value.length + 1;
        this.#tell(1, value);
        this.release(1);
      },
      (thrown) => this.#end(3, `the response of ${this.#url} broke off: ${words(thrown)}`, thrown),
    );
  }

  #end(...told) {
    clearTimeout(this.#grace);
    this.#reader = undefined;
    this.#tell(...told);
  }
}

/**
 * One WebSocket, binary messages. Tells: 1 message (bytes), 3 failed (words, cause), 4 room, 6 closed (code, reason),
 * 7 opened; without a subprotocol that is 0: the answer to the upgrade is all the headers there will be. Of closed and
 * failed one is told, once.
 */
export class WebSocketLink {
  #tell;
  #socket;
  #opened = false;
  #waiting = [];
  #timer;
  /** `ws` may send later what it was given now. */
  #copies;
  /** What we close with: 1000, unless that is the half-close of dubbo-java, whose wire has no subprotocol. */
  #farewell;

  constructor(constructor, url, subprotocol, tell) {
    this.#tell = tell;
    this.#farewell = subprotocol ? 1000 : 4001;
    this.#copies = constructor !== globalThis.WebSocket;
    try {
      this.#connect(new constructor(url, subprotocol || []), url, subprotocol || "WebSocket");
    } catch (thrown) {
      queueMicrotask(() => this.#last(3, `no WebSocket to ${url} could be made: ${words(thrown)}`, thrown));
    }
  }

  #connect(socket, url, subprotocol) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#opened = true;
      for (const message of this.#waiting.splice(0)) socket.send(message);
      this.#tell(this.#farewell === 1000 ? 7 : 0, 101, new Uint8Array());
      this.watch(HIGH_WATER);
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#tell(1, new Uint8Array(data));
      else this.#last(6, 1003, `a text message came, which ${subprotocol} does not have`);
    };
    const closed = (code, reason) => {
      if (this.#opened) return this.#last(6, code, reason);
      const why = `no ${subprotocol} is served there, the server is down, or it does not allow this origin`;
      this.#last(3, `the WebSocket to ${url} did not open (close ${code}): ${why}`);
    };
    // Deno says 0 where a connection was lost; the standard says 1006.
    socket.onclose = ({ code, reason }) => closed(code || 1006, reason ?? "");
    // Node 22 tells no close after a refused upgrade.
    socket.onerror = () => socket.readyState === 3 && closed(1006, "");
  }

  isOpen() {
    return this.#socket?.readyState === 1;
  }

  /** Sends, or keeps until the socket opens. Once it is closed, that is told and nothing is sent. */
  send(bytes) {
    if (!this.#opened) this.#waiting.push(bytes.slice());
    else if (this.isOpen()) this.#socket.send(this.#copies ? bytes.slice() : bytes);
  }

  queued() {
    let bytes = this.#socket?.bufferedAmount ?? 0;
    for (const message of this.#waiting) bytes += message.length;
    return bytes;
  }

  /** Tells of room when at most `limit` bytes are queued. */
  watch(limit) {
    clearTimeout(this.#timer);
    if (!this.#opened) return;
    if (this.queued() <= limit) queueMicrotask(() => this.#tell(4));
    else this.#timer = setTimeout(() => this.watch(limit), POLL_MS);
  }

  close() {
    this.silence();
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // `ws` throws an error that nobody listens to at the whole process.
    socket.onerror = nothing;
    socket.close(this.#farewell);
  }

  silence() {
    this.#tell = nothing;
  }

  #last(event, a, b) {
    const tell = this.#tell;
    this.close();
    tell(event, a, b);
  }
}

/**
 * gzip, of bytes that are whole. Tells: 0 deflated (bytes), 1 not deflated (words), 2 inflated (bytes), 3 not inflated
 * (words), 4 inflated to more than the limit (words).
 */
export class WebGzip {
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  deflate(bytes) {
    this.#run(new CompressionStream("gzip"), bytes, Infinity, 0);
  }

  inflate(bytes, limit) {
    this.#run(new DecompressionStream("gzip"), bytes, limit, 2);
  }

  silence() {
    this.#tell = nothing;
  }

  #run({ writable, readable }, bytes, limit, event) {
    const gzip = bytes.slice();
    const writer = writable.getWriter();
    // A piece becomes at most 1,032 times as long, and an engine inflates all of a piece: so none is large.
    const step = limit / 1024 + 1024;
    // Nothing is waited for: an engine takes no more before somebody reads. The reader is told what goes wrong.
    for (let at = 0; at < gzip.length; at += step) writer.write(gzip.subarray(at, at + step)).catch(nothing);
    writer.close().catch(nothing);
    const reader = readable.getReader();
    const parts = [];
    let length = 0;
    const read = ({ done, value }) => {
      if (done) {
        // gzip ends with the length of what it holds. Not every engine minds what stands behind the end.
        if (event && new DataView(gzip.buffer).getUint32(gzip.length - 4, true) !== length)
          throw "surplus bytes";
        return [event, join(parts)];
      }
      parts.push(value);
      length += value.length;
      if (length <= limit && this.#tell !== nothing) return reader.read().then(read);
      reader.cancel().catch(nothing);
      return [4, `${gzip.length} bytes of gzip become more than ${limit}`];
    };
    reader
      .read()
      .then(read)
      .catch((thrown) => [
        event + 1,
        `${gzip.length} bytes cannot be ${event ? "inflated" : "compressed"}: ${words(thrown)}`,
      ])
      .then((told) => this.#tell(...told));
  }
}

/**
 * What the runtime can do: 1 its `fetch` streams request bodies, 2 and shows the response meanwhile, 4 gzip. `fetch` by
 * runtime where the runtime is known, since several stream requests and never look at `duplex`; by the standard probe
 * elsewhere, since Firefox sends a stream as the text "[object ReadableStream]".
 */
export function abilities(secure) {
  const server = isServer();
  // Browsers stream uploads over HTTP/2 only, which they speak over TLS only.
  const streams = server || (secure && streamsRequests());
  const gzip = globalThis.CompressionStream && globalThis.DecompressionStream;
  return (streams ? 1 : 0) | (server ? 2 : 0) | (gzip ? 4 : 0);
}

/** Runs it in a microtask, or once the task has ended. A timer would wait for milliseconds. */
export function later(callback, endsTask) {
  if (!endsTask) return void soon.then(callback);
  if (globalThis.setImmediate) return void setImmediate(callback);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    // An open one keeps Deno's process alive.
    port1.close();
    callback();
  };
  port2.postMessage(0);
}

function isServer() {
  const { Bun, Deno, navigator, process } = globalThis;
  return !!(process?.versions?.node || Deno || Bun || navigator?.userAgent === "Cloudflare-Workers");
}

function streamsRequests() {
  let looked = false;
  try {
    const init = {
      body: new ReadableStream(),
      method: "POST",
      get duplex() {
        looked = true;
        return "half";
      },
    };
    return !new Request("https://probe.invalid/", init).headers.has("content-type") && looked;
  } catch {
    return false;
  }
}

/** The last block of headers, and what stood in it: most calls have those of the call before. */
let known = "";
let members;

function membersOf(block) {
  if (block !== known) {
    const pairs = Array.from(block.matchAll(/(.+?)\0(.*?)\0/g), ([, ...pair]) => pair);
    members = Object.fromEntries(pairs);
    // workerd sends apart what is repeated.
    if (Object.keys(members).length < pairs.length) members = pairs;
    known = block;
  }
  return members;
}

function join(parts) {
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The words of something thrown, and of what caused it: Node's "fetch failed" says nothing else. */
function words(thrown) {
  const message = thrown?.message || String(thrown);
  const cause = thrown?.cause?.message || thrown?.cause?.code;
  return cause ? `${message} (${cause})` : message;
}
