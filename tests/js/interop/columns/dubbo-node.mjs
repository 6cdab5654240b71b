import { equal, nextTask, watch } from "../../assert.mjs";
import { CANCELLED, UNIMPLEMENTED } from "../../codes.mjs";
import { overHttp2 } from "./http2.mjs";
import { exceptBidi, isRefusedByVersion } from "./half-duplex.mjs";

const overHttp1 = exceptBidi(
  "dubbo-node refuses bidi calls over HTTP/1.1 with 505: apache/dubbo-js, `packages/dubbo/src/protocol/universal-handler.ts`, `negotiateProtocol`",
  isRefusedByVersion,
);

/** Of the calls over HTTP/2 in Chromium. */
const leavesUploadOpen = {
  cannot:
    "Node's HTTP/2 server leaves the request open when it has ended the response, and Chromium shows no response before the request has ended; a cancel frees the call: nodejs/node, `lib/internal/http2/core.js`, `[kMaybeDestroy]`",
  kind: "client_stream",
  runtimes: ["chromium"],
  async shown(t) {
    const { call, reply } = t.begin({ ask: { "x-end-after": 2 } });
    await call.send("Ada");
    await call.send("Bo");
    equal((await t.observed.until("end")).detail.code, 0, "the server's code");
    const { observed } = t;
    t.renew();
    await t.unary("fence");
    t.observed = observed;
    const status = watch(call.status);
    equal([reply.state, status.state], ["pending", "pending"], "reply and status, after the server's end");
    call.cancel();
    await nextTask();
    await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local" });
  },
};

const dubboNode = {
  peer: "dubbo-node",
  title: "dubbo-node 3.0.0-alpha",
  routes: {
    says: "HTTP 404",
    comes: () => ({ code: UNIMPLEMENTED, fault: "peer", message: /HTTP 404/ }),
  },
};

export default [
  {
    ...dubboNode,
    way: "gRPC-Web",
    transport: "fetch",
    url: (env) => `http://${env.peers["dubbo-node"].on}`,
    ...overHttp1,
  },
  ...overHttp2({ ...dubboNode, way: "gRPC-Web", cells: { "ends-early": leavesUploadOpen } }),
];
