import { equal, nextTask } from "../../assert.mjs";
import { CANCELLED } from "../../codes.mjs";
import { throughGateway } from "./gateway.mjs";

/** The name of a failure's code stands before its words, and its details are lost: tests/peers/dubbo-java/README.md. */
const peer = {
  peer: "dubbo-java-3.3.6",
  title: "dubbo-java 3.3.6",
  details: false,
  prefix: "FAILED_PRECONDITION : ",
};

const UNARY_CANCEL = {
  differs:
    "the call settles; dubbo-java never tells a unary handler (`GenericHttp2ServerTransportListener`: its cancellation context is that of the connection's thread)",
  kind: "unary",
  runtimes: ["chromium"],
  shown: cancelsWithoutBeingSeen,
};

export default throughGateway(peer).map((column) => {
  const unary = column.transport === "fetch";
  return unary ? { ...column, cells: { "cancel-before-headers": UNARY_CANCEL } } : column;
});

async function cancelsWithoutBeingSeen(t) {
  const controller = new AbortController();
  const { reply } = t.begin({ ask: { "x-delay": 1_000 }, signal: controller.signal });
  await t.observed.until("message");
  controller.abort("too slow");
  await nextTask();
  equal(reply.state, "rejected", "what waited, one task after the abort");
  t.isError(reply.error, { code: CANCELLED, fault: "local", cause: "too slow" });
  await t.observed.until("end");
  equal(t.observed.story(), ["open", "message", "reply", "end"], "what the server saw");
}
