import { equal, match } from "../assert.mjs";
import { UNIMPLEMENTED } from "../codes.mjs";
import { allKinds } from "../harness.mjs";

const leftOut = {
  "grpc-websockets": { transport: "grpc-websockets" },
  "triple-websocket": { transport: "triple-websocket" },
  connect: { protocol: "connect" },
  triple: { protocol: "triple" },
  "grpc-web-text": { protocol: "grpc-web-text" },
  gzip: { acceptCompression: ["gzip"] },
};

/** The entry `tidewire/slim`: the same package with less in it. */
export default (suite) => {
  for (const kind of allKinds) {
    for (const transport of ["auto", "tidewire.v1"]) {
      const name = `slim / ${kind} / ${transport} / tonic / is carried to its end`;
      suite.scenario(name, isCarried, { kind, transport, server: "tonic" });
    }
  }
  for (const [name, options] of Object.entries(leftOut)) {
    suite.scenario(
      `slim / unary / tonic / ${name} is refused, and the full entry named`,
      (t) => isRefused(t, name, options),
      {
        kind: "unary",
        server: "tonic",
      },
    );
  }
};

async function isCarried(t) {
  await takeSlim(t);
  const { transport } = t.client.supports(t.kind);
  equal(["fetch", "tidewire.v1"].includes(transport), true, `whether ${transport} is there`);
  if (t.kind === "unary") {
    const { message, status } = await t.unary("Ada");
    return equal([message, status.code], ["Hello, Ada", 0], "the reply and the status");
  }
  const { call, reply } = t.begin();
  equal(call.transport, transport, "the transport");
  if (t.sends) {
    await call.send("Ada");
    await call.closeSend();
  }
  match(await reply.promise, /^Hello, Ada/, "the reply");
  if (t.receives) await t.receiveAll(call);
  await t.endsOk(call);
}

async function isRefused(t, name, options) {
  await takeSlim(t, options);
  const { reply } = t.begin();
  const message = new RegExp(`"${name}" is left out of tidewire/slim: import tidewire`);
  await t.endedWith({ reply }, { code: UNIMPLEMENTED, fault: "misuse", message });
  equal(await t.observed.now(), [], "what the server saw");
}

async function takeSlim(t, options) {
  t.env = { ...t.env, tidewire: await t.env.slim() };
  t.client = await t.newClient(options);
}
