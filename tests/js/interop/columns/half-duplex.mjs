/** Servers that let no reply out before the requests have ended, over HTTP/1.1: what a bidi call meets there. */
import { equal, watch } from "../../assert.mjs";
import { serverSawCancel } from "../../scenarios/cancel.mjs";

/** All kinds but bidi; where the runtime could carry that, `sentence` says why the server does not. */
export function exceptBidi(sentence, shown) {
  const cell = { cannot: sentence, shown, kind: "bidi", runtimes: ["node"] };
  return { kinds: ["client_stream", "server_stream", "unary"], cells: { send: cell, "half-close": cell } };
}

/** The server is in the call, and nothing comes back; a whole call later still nothing does. */
export async function staysSilent(t) {
  const call = t.bidi();
  const headers = watch(call.headers);
  const reply = watch(call.receive());
  await call.send("Ada");
  const { observed } = t;
  await observed.until("open");
  t.renew();
  await t.unary("fence");
  equal([headers.state, reply.state], ["pending", "pending"], "headers and reply, the request side open");
  call.cancel();
  t.observed = observed;
  await serverSawCancel(t);
}

/** The server refuses the call for its HTTP version, before its handler. */
export async function isRefusedByVersion(t) {
  const { call, reply } = t.begin();
  await call.send("Ada").catch(() => {});
  await t.endedWith({ call, reply }, { code: 2, fault: "peer", message: /505.*another version of HTTP/ });
  equal(await t.observed.now(), [], "what the server saw");
}
