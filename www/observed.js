// @ts-check
/**
 * What the server saw of a call, as it sees it: a long poll on the server's own log.
 *
 * @typedef {{ n: number, at: number, what: string, detail: Record<string, any> }} Seen
 */

const WAIT_MS = 15_000;
const TRIES = 4;

/**
 * Yields the log's entries after number `after` until the call has ended on the server or `signal` aborts.
 * Throws when the log cannot be read.
 *
 * @param {string} server
 * @param {string} id
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Seen>}
 */
export async function* observe(server, id, after, signal) {
  for (let failures = 0; !signal.aborted;) {
    try {
      const events = await poll(server, id, after, signal);
      failures = 0;
      for (const event of events) {
        after = event.n;
        yield event;
        if (event.what === "end") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (++failures === TRIES) throw error;
      await pause(250 * 2 ** failures, signal);
    }
  }
}

/**
 * @param {string} server
 * @param {string} id
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {Promise<Seen[]>}
 */
async function poll(server, id, after, signal) {
  const url = `/observed/${encodeURIComponent(server)}/${encodeURIComponent(id)}?after=${after}&wait=${WAIT_MS}`;
  const started = performance.now();
  const response = await fetch(url, { signal, cache: "no-store" });
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  const { events } = await response.json();
  // A log that answers "nothing yet" at once must not be asked in a tight loop.
  if (events.length === 0 && performance.now() - started < 200) await pause(200, signal);
  return events;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
