import { equal, eventually, fail, ok, show, within } from "./assert.mjs";

/** What the server saw of one call, read from its log by long-polling. */
export class Observed {
  events = [];

  constructor(origin, server, id) {
    this.url = `${origin}/observed/${server}/${encodeURIComponent(id)}`;
  }

  /** Waits until the server has seen `what` (one of several names, if it may be called several things). */
  async until(what, limitMs = 10_000) {
    const wanted = [what].flat();
    const end = performance.now() + limitMs;
    for (let from = 0; ;) {
      const found = this.events.slice(from).find((event) => wanted.includes(event.what));
      if (found) return found;
      from = this.events.length;
      const left = end - performance.now();
      if (left <= 0)
        fail(`the server did not see "${wanted.join('" or "')}" in ${limitMs} ms; it saw ${this}`);
      await this.#read(Math.min(left, 2_000));
    }
  }

  /** What the server has seen up to now. */
  async now() {
    await this.#read(0);
    return this.events;
  }

  all(what) {
    return this.events.filter((event) => event.what === what);
  }

  /** To be asked after `until("end")`: until then something may still come. */
  never(what) {
    ok(this.all(what).length === 0, `the server never to see "${what}"; it saw ${this}`);
  }

  /** The names of the events, in order, without the uninteresting ones. */
  story(...without) {
    return this.events.map((event) => event.what).filter((what) => !without.includes(what));
  }

  async #read(waitMs) {
    const after = this.events.at(-1)?.n ?? 0;
    const response = await fetch(`${this.url}?after=${after}&wait=${Math.ceil(waitMs)}`, {
      cache: "no-store",
    });
    if (!response.ok) fail(`the observed log answers ${response.status} at ${this.url}`);
    this.events.push(...(await response.json()).events);
  }

  toString() {
    return this.events.map(({ what, detail }) => `${what} ${show(detail)}`).join("; ") || "nothing";
  }
}

/** Calls now open at a server, and its memory. */
export async function stats(origin, server) {
  const response = await fetch(`${origin}/observed/${server}/stats`, { cache: "no-store" });
  if (!response.ok) fail(`the statistics of ${server} answer ${response.status}`);
  return response.json();
}

export async function openCallsFallTo(count, origin, server, limitMs) {
  const question = async () => {
    const { open } = await stats(origin, server);
    return open <= count || `${open} open calls`;
  };
  await eventually(question, `${server} has at most ${count} open calls`, limitMs);
}

/** The fake server agrees that the exchange is over, so nothing was left open here. */
export async function exchangeEnds({ fakeOrigin }, tag) {
  const response = await within(12_000, fetch(`${fakeOrigin}/ended/${tag}`), "the fake server's word");
  equal(await response.text(), "closed", "the exchange at the fake server");
}
