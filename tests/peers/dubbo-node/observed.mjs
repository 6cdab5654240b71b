/** What the greeter saw of each call, as tests/README.md has it: kept here, and read over HTTP. */
import { createServer } from "node:http";

const MAX_CALLS = 10_000;
const MAX_EVENTS = 2_000;
const MAX_WAIT_MS = 60_000;

export class Observed {
  #logs = new Map();
  open = 0;

  /** The log of one call, made if there is none: a reader may come before its call. */
  log(id) {
    if (!this.#logs.has(id)) {
      if (this.#logs.size >= MAX_CALLS) this.#logs.delete(this.#logs.keys().next().value);
      this.#logs.set(id, new Log());
    }
    return this.#logs.get(id);
  }

  /** `GET /observed/<call id>?after=N&wait=MS` and `GET /observed/stats`. */
  server() {
    return createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url, "http://here");
      const id = decodeURIComponent(pathname.replace(/^\/observed\//, ""));
      const number = (name) => Number(searchParams.get(name) ?? 0);
      const answer =
        id === "stats"
          ? { open: this.open, rss: process.memoryUsage.rss() }
          : { events: await this.log(id).after(number("after"), Math.min(number("wait"), MAX_WAIT_MS)) };
      response.writeHead(200, {
        "access-control-allow-origin": "*",
        "cache-control": "no-store",
        "content-type": "application/json",
      });
      response.end(JSON.stringify(answer));
    });
  }
}

class Log {
  #events = [];
  #waiting = new Set();
  #opened;

  record(what, detail, always) {
    if (!always && this.#events.length >= MAX_EVENTS) return;
    this.#opened ??= performance.now();
    const at = Math.round((performance.now() - this.#opened) * 1e3) / 1e3;
    this.#events.push({ n: this.#events.length + 1, at, what, detail });
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async after(count, waitMs) {
    if (count >= this.#events.length && waitMs > 0) {
      await new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          this.#waiting.delete(wake);
          resolve();
        }, waitMs);
        this.#waiting.add(wake);
      });
    }
    return this.#events.slice(count);
  }
}
