// WebSockets that do what they are told.

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

export class FakeSockets {
  /** Those that were made, in order. */
  sockets = [];
  /** Thrown by the constructor. */
  throws;
  WebSocket;

  constructor(stage) {
    const sockets = this;
    this.WebSocket = class extends Socket {
      constructor(url, subprotocol) {
        super(stage);
        stage.note(`connect ${url} ${subprotocol}`);
        if (sockets.throws) throw sockets.throws;
        sockets.sockets.push(this);
      }
    };
  }

  socket(i) {
    return this.sockets[i];
  }
}

class Socket {
  binaryType = "blob";
  bufferedAmount = 0;
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  #stage;
  #sent = [];

  constructor(stage) {
    this.#stage = stage;
  }

  send(data) {
    if (this.readyState === 0) throw new Error("send before the socket opened");
    this.#stage.note("send");
    this.#sent.push(data.slice());
  }

  close(code) {
    if (this.readyState >= CLOSING) return;
    this.#stage.note(`close ${code}`);
    this.readyState = CLOSING;
  }

  // What follows is the script's.

  /** What was sent since the last time. */
  takeSent() {
    return this.#sent.splice(0);
  }

  /** The bytes that wait in the runtime's buffer. */
  buffers(bytes) {
    this.bufferedAmount = bytes;
  }

  opens() {
    this.readyState = OPEN;
    this.onopen?.({});
  }

  /** Gives back what it handed over. */
  message(bytes) {
    const { buffer } = bytes.slice();
    this.onmessage?.({ data: this.binaryType === "arraybuffer" ? buffer : new Blob([buffer]) });
    return buffer;
  }

  text(data) {
    this.onmessage?.({ data });
  }

  closes(code, reason) {
    this.readyState = CLOSED;
    this.onclose?.({ code, reason });
  }

  /** An error; `closed`: the socket is closed by it, and some runtimes say no more. */
  errs(closed) {
    if (closed) this.readyState = CLOSED;
    this.onerror?.({});
  }

  /** Which handlers would tell the core of something. */
  listens() {
    return ["onopen", "onmessage", "onclose"].filter((name) => this[name]).join(" ");
  }
}
