/** A peer's port with TLS, which browsers want for HTTP/2; Node's fetch has to be one that can. */
import { CANCELLED, DEADLINE_EXCEEDED } from "../../codes.mjs";

const client =
  typeof process === "undefined" ? {} : { fetch: (await import("../../http2-fetch.mjs")).default };

const HALF_CLOSES =
  "in Node, undici's fetch over HTTP/2 closes the stream of an aborted upload without a code, which ends the requests before the reset: the server may see a half-close, then the cancel: nodejs/undici v7.30.2, `lib/dispatcher/client-h2.js`, `abort` in `writeH2`";

/** The rows that leave an open upload, in Node. */
const leavingAnUpload = {
  leave: left("bidi", (call) => call[Symbol.asyncIterator]().return()),
  "cancel-blocked": left("bidi", (call) => call.cancel()),
  "cancel-before-headers": left("client_stream", (call) => call.cancel()),
  deadline: left("bidi", () => {}, DEADLINE_EXCEEDED),
};

function left(kind, leave, code = CANCELLED) {
  return {
    differs: HALF_CLOSES,
    kind,
    async shown(t) {
      const { call, reply } = await (code === CANCELLED ? t.endless() : t.endlessWithDeadline());
      leave(call);
      await t.endedWith({ call, reply }, { code });
      await t.observed.until(["cancelled", "deadline"]);
      await t.observed.until("end");
    },
  };
}

/** The column in each runtime. `column`: without `url`. */
export function overHttp2(column) {
  const over = {
    ...column,
    way: `${column.way} over HTTP/2`,
    transport: "fetch",
    url: (env) => `https://${env.peers[column.peer].tls}`,
  };
  return [
    { ...over, secure: true, runtimes: ["chromium"] },
    { ...over, client, runtimes: ["node"], cells: { ...column.cells, ...leavingAnUpload } },
  ];
}
