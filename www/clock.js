// @ts-check
/**
 * Puts both sides on one clock. The server counts from when its handler was entered, by its own clock; how far that
 * is from ours is bounded by cause and effect: it cannot have read what we had not sent, nor we what it had not.
 *
 * @import { GreetCall } from "./call.js"
 * @import { LaneEvent } from "./lane.js"
 * @typedef {{ client: LaneEvent, server: LaneEvent, toServer: boolean }} Link one thing, seen at both ends
 */

/**
 * The events of both lanes that are cause and effect of each other.
 * @param {GreetCall} call
 * @returns {Link[]}
 */
export function links(call) {
  const [client, server] = [call.client.events, call.server.events];
  /** @type {Link[]} */
  const found = [];
  /** @type {(c: LaneEvent | undefined, s: LaneEvent | undefined, toServer: boolean) => void} */
  const link = (c, s, toServer) => {
    if (c && s) found.push({ client: c, server: s, toServer });
  };
  const on = (/** @type {LaneEvent[]} */ lane, /** @type {string} */ what) =>
    lane.find((e) => e.what === what);

  link(on(client, "open"), on(server, "open"), true);
  link(on(client, "headers"), on(server, "open"), false);
  const sent = byCount(client, "send");
  for (const read of server) {
    if (read.what === "message") link(sent.get(read.count ?? 0), read, true);
  }
  link(on(client, "half-close"), on(server, "half-close"), true);
  link(on(client, "cancel"), on(server, "cancelled"), true);
  const causes = replies(call);
  for (const got of client) {
    if (got.what === "message") link(got, causes.get(got.count ?? 0), false);
  }
  const end = on(client, "end");
  if (end && ["none", "peer"].includes(end.detail?.fault)) link(end, on(server, "end"), false);
  return found;
}

/**
 * What to add to the server's times to have ours, and by how much that may be wrong (unknown: null).
 * @param {Link[]} linked
 */
export function align(linked) {
  const gaps = (/** @type {boolean} */ toServer) =>
    linked.filter((l) => l.toServer === toServer).map((l) => l.client.at - l.server.at);
  const earliest = Math.max(0, ...gaps(true));
  const latest = Math.min(...gaps(false));
  if (latest === Infinity) return { offset: earliest, slack: null };
  return { offset: (earliest + latest) / 2, slack: Math.abs(latest - earliest) / 2 };
}

/**
 * What brought about the reply of each number. The log has few replies; but a greeter answers each name it reads, so
 * having read one stands for having answered it.
 * @param {GreetCall} call
 */
function replies(call) {
  const { kind, metadata } = call.settings;
  const replied = byCount(call.server.events, "reply");
  if (kind !== "bidi") return replied;
  const first = metadata["x-greet-first"] ? 1 : 0;
  const reads = Array.from(
    byCount(call.server.events, "message"),
    ([n, read]) => /** @type {const} */ ([n + first, read]),
  );
  const closed = call.server.events.find((event) => event.what === "half-close");
  if (!closed) return new Map([...reads, ...replied]);
  // What comes after the last answer is said because of the half-close.
  return new Map([...reads, [(closed.count ?? 0) + first + 1, closed], ...replied]);
}

/**
 * @param {LaneEvent[]} lane
 * @param {string} what
 */
function byCount(lane, what) {
  return new Map(lane.filter((e) => e.what === what).map((e) => [e.count ?? 0, e]));
}
