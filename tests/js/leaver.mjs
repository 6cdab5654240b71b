/**
 * A process of its own that fills every buffer on the way to a server that reads nothing, cancels, tells its parent
 * how the cancel went, and waits to be killed.
 */
import { WebSocket } from "ws";
import { nextTask, watch } from "./assert.mjs";
import { greetCodec, paths } from "./greet.mjs";

const QUIET_MS = 1_000;
const large = "x".repeat(16 * 1024);

const { id, kind, ...options } = JSON.parse(process.argv[2]);
const { createClient } = await import(new URL("../../pkg-config/dist/index.js", import.meta.url));
const client = await createClient({ ...options, WebSocket });
const metadata = [
  ["x-call-id", id],
  ["x-stall", "1"],
];
const open = kind === "bidi" ? client.bidi : client.clientStream;
const call = open.call(client, paths[kind], { codec: greetCodec, metadata });
if (kind === "client_stream") watch(call.response);

const sends = Array.from({ length: 1_024 }, () => watch(call.send(large)));
const taken = () => sends.filter(({ state }) => state === "resolved").length;
// That nothing more is taken can only be seen by waiting.
for (let before = -1; before !== taken();) {
  before = taken();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}
const sent = taken() * large.length;
call.cancel();
await nextTask();
const pending = sends.filter(({ state }) => state === "pending").length;
const { code } = await call.status;
process.send({ sent, pending, code });
