import { equal, match, nextTask, ok, rejection, within } from "../assert.mjs";
import { INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from "../codes.mjs";
import { allKinds, allTransports, carries, hasFullDuplexFetch } from "../harness.mjs";

/** What a call that cannot be carried may be told to use instead, for each kind: whatever does carry it here. */
const namesOf = (transports) => new RegExp(transports.map((name) => name.replace(".", "\\.")).join("|"));

export default (suite, env) => {
  for (const kind of allKinds) {
    for (const transport of allTransports) {
      const name = `${kind} / ${transport} / tonic / `;
      const place = { kind, transport, server: "tonic" };
      if (carries(env, transport, kind)) {
        suite.scenario(`${name}supports() says that it is carried here`, isSupported, place);
      } else {
        const others = allTransports.filter((other) => carries(env, other, kind));
        const says = `fails at once with UNIMPLEMENTED and names ${others.join(" or ")}`;
        suite.scenario(name + says, (t) => isRefused(t, namesOf(others)), place);
      }
    }
    suite.scenario(`${kind} / auto / tonic / is carried by a transport that it names`, isCarriedByAuto, {
      kind,
      transport: "auto",
      server: "tonic",
    });
  }

  suite.scenario("a call's own transport is stronger than the client's", ownTransport, {
    transport: "fetch",
    server: "tonic",
    kind: "bidi",
  });

  const wrong = [
    [{ transport: "websocket" }, /no transport "websocket"; there are fetch, .*tidewire\.v1/],
    [{ protocol: "connect-web" }, /no protocol "connect-web"; there are .*grpc-web-text, connect/],
    [{ baseUrl: "api.example.com" }, /http:\/\/ or https:\/\/; it is "api\.example\.com"/],
  ];
  for (const [options, message] of wrong) {
    const [[name, value]] = Object.entries(options);
    suite.scenario(`no client has the ${name} "${value}"`, async (t) => {
      const error = await within(1_000, rejection(t.newClient(options)), "the client");
      t.isError(error, { code: INVALID_ARGUMENT, fault: "misuse", message });
    });
  }
  suite.scenario(
    "unary / auto / tonic / a call's own transport that there is not ends it",
    ownWrongTransport,
    {
      kind: "unary",
      transport: "auto",
      server: "tonic",
    },
  );

  for (const transport of ["fetch", "grpc-websockets"]) {
    suite.scenario(
      `unary / ${transport} / tonic / native gRPC is refused and tidewire.v1 named`,
      nativeRefused,
      {
        kind: "unary",
        transport,
        protocol: "grpc",
        server: "tonic",
      },
    );
  }

  for (const kind of ["client_stream", "bidi"]) {
    const place = { kind, transport: "fetch", server: "tonic" };
    const name = `${kind} / fetch / tonic / bufferRequestBytes: `;
    suite.scenario(`${name}requests reach the server`, bufferedRequests, place);
    if (!hasFullDuplexFetch(env)) suite.scenario(`${name}a limit, and nothing leaves`, bufferIsFull, place);
  }

  if (env.runtime !== "node") return;
  for (const transport of ["grpc-websockets", "tidewire.v1"]) {
    suite.scenario(
      `bidi / ${transport} / tonic / without a WebSocket: UNIMPLEMENTED, and fetch is named`,
      withoutSocket,
      {
        kind: "bidi",
        transport,
        server: "tonic",
      },
    );
  }
  for (const kind of allKinds) {
    suite.scenario(`${kind} / auto / tonic / without a WebSocket: fetch carries it`, fetchOnly, {
      kind,
      transport: "auto",
      server: "tonic",
    });
  }
};

function isSupported(t) {
  const support = t.client.supports(t.kind);
  equal([support.ok, support.transport], [true, t.transport], "support");
}

export async function isRefused(t, names) {
  const support = t.client.supports(t.kind);
  equal(support.ok, false, "support");
  match(support.reason, names, "the reason");

  const { call, reply } = t.begin();
  await nextTask();
  equal(reply.state, "rejected", "the reply, one task after the open");
  const error = await t.endedWith({ call, reply }, { code: UNIMPLEMENTED, fault: "misuse", message: names });
  match(error.message, new RegExp(t.transport.replace(".", "\\.")), "what was asked for");
  if (t.sends) t.isError(await within(1_000, rejection(call.send("x")), "a send"), { code: UNIMPLEMENTED });
  equal(await t.observed.now(), [], "what the server saw");
}

async function isCarriedByAuto(t) {
  const { ok: supported, transport } = t.client.supports(t.kind);
  ok(supported, "support");
  ok(carries(t.env, transport, t.kind), `a transport that carries it here, got ${transport}`);
  await completes(t, transport);
}

async function ownTransport(t) {
  const call = t.bidi({ transport: "tidewire.v1" });
  equal(call.transport, "tidewire.v1", "the call's transport");
  await call.send("Ada");
  equal(await call.receive(), "Hello, Ada", "the answer");
  await call.closeSend();
  await t.endsOk(call);
}

async function ownWrongTransport(t) {
  const { reply } = t.begin({ transport: "websocket" });
  await t.endedWith(
    { reply },
    { code: INVALID_ARGUMENT, fault: "misuse", message: /no transport "websocket"/ },
  );
  equal(await t.observed.now(), [], "what the server saw");
}

async function nativeRefused(t) {
  const { reply } = t.begin();
  await t.endedWith({ reply }, { code: UNIMPLEMENTED, fault: "misuse", message: /tidewire\.v1/ });
  equal(await t.observed.now(), [], "what the server saw");
}

async function withoutSocket(t) {
  t.client = await t.newClient({ WebSocket: undefined });
  const support = t.client.supports("bidi");
  equal(support.ok, false, "support");
  match(support.reason, /fetch/, "the reason");
  const { call, reply } = t.begin();
  await t.endedWith({ call, reply }, { code: UNIMPLEMENTED, fault: "misuse", message: /WebSocket/ });
  equal(await t.observed.now(), [], "what the server saw");
}

async function fetchOnly(t) {
  t.client = await t.newClient({ WebSocket: undefined });
  equal(t.client.supports(t.kind).transport, "fetch", "the transport");
  await completes(t, "fetch");
}

async function bufferedRequests(t) {
  t.client = await t.newClient({ bufferRequestBytes: 1_000 });
  equal(t.client.supports(t.kind).transport, "fetch", "the transport");
  const { call, reply } = t.begin();
  for (const name of ["Ada", "Bo"]) await call.send(name);
  // A fetch that is full-duplex streams all the same.
  if (hasFullDuplexFetch(t.env)) await t.observed.until("message");
  else equal(await t.observed.now(), [], "what the server saw before the half-close");
  await call.closeSend();
  const expected = t.kind === "bidi" ? "Hello, Ada" : "Hello, Ada, Bo";
  equal(await within(10_000, reply.promise, "the reply"), expected, "the reply");
  if (t.receives) equal(await t.receiveAll(call), ["Hello, Bo"], "the other replies");
  await t.endsOk(call);
  equal((await t.observed.until("half-close")).detail.count, 2, "requests before the half-close");
}

async function bufferIsFull(t) {
  t.client = await t.newClient({ bufferRequestBytes: 100 });
  const { call, reply } = t.begin();
  await call.send("x".repeat(100));
  await t.endedWith(
    { call, reply },
    { code: RESOURCE_EXHAUSTED, fault: "misuse", message: /bufferRequestBytes/ },
  );
  await t.neverSeen();
}

async function completes(t, transport) {
  const { call, reply } = t.begin();
  if (call) equal(call.transport, transport, "the call's transport");
  if (t.sends) {
    await call.send("Ada");
    await call.closeSend();
  }
  await within(10_000, reply.promise, "the reply");
  if (t.receives) await t.receiveAll(call);
  if (call) await t.endsOk(call);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
}
