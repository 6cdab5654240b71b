import { equal, match, nextTask, within } from "../../assert.mjs";
import {
  CANCELLED,
  FAILED_PRECONDITION,
  INVALID_ARGUMENT,
  UNAVAILABLE,
  UNIMPLEMENTED,
  UNKNOWN,
} from "../../codes.mjs";
import { greetJson } from "../../greet.mjs";
import { cancelBeforeHeaders, metadata } from "../rows.mjs";
import { throughGateway } from "./gateway.mjs";

/** The name of a failure's code stands before its words, and its details are lost: tests/peers/dubbo-java/README.md. */
const peer = {
  peer: "dubbo-java-3.3.6",
  title: "dubbo-java 3.3.6",
  details: false,
  prefix: "FAILED_PRECONDITION : ",
  routes: {
    says: "the service that there is answers (`TriplePathResolver`, `resolve`), unless `dubbo.rpc.tri.resolve-fallback-to-default` is off",
  },
};

// By native gRPC, through the gateway.

const UNARY_NEVER_TOLD =
  "the call settles; dubbo-java never tells a unary handler (`GenericHttp2ServerTransportListener`: its cancellation context is that of the connection's thread)";

const unaryCancel = {
  differs: UNARY_NEVER_TOLD,
  kind: "unary",
  runtimes: ["chromium"],
  shown: cancelsWithoutBeingSeen,
};

/** Chromium sends the headers of an upload that is broken off in the same task, then the reset. */
const earlyCancel = {
  differs:
    "the call settles; a reset that comes before the handler is entered is lost, and the handler stays: `GenericHttp2ServerTransportListener`, where `cancelByRemote` runs at once and the handler is entered by a queued task, which makes itself another `responseObserver` to be cancelled",
  kind: "client_stream",
  runtimes: ["chromium"],
  shown(t) {
    t.kept = 1;
    return cancelBeforeHeaders(t);
  },
};

const byGateway = throughGateway(peer).map((column) => {
  if (column.transport !== "fetch") return column;
  return { ...column, cells: { "cancel-before-headers": column.secure ? earlyCancel : unaryCancel } };
});

// By JSON, which it takes without a gateway.

const lost = (differs) => ({ differs });

const json = {
  ...peer,
  protocol: "triple",
  codec: greetJson,
  names: "fileName",
  kinds: ["unary"],
  lacks: {
    note: "Triple's bare form has unary calls only; dubbo-java answers a stream in JSON as an event stream, and refuses one of requests (`DefaultHttp11ServerTransportListener`). The client refuses at once with UNIMPLEMENTED and names gRPC",
    shown: streamsAreNotTaken,
  },
  told: false,
  trailers: false,
  failure: { code: INVALID_ARGUMENT, name: "INVALID_ARGUMENT" },
  cells: {
    "cancel-before-headers": lost(UNARY_NEVER_TOLD),
    deadline: lost(UNARY_NEVER_TOLD),
    "server-error": lost(
      "an error in JSON has words and no code; FAILED_PRECONDITION comes as HTTP 400, which is read as INVALID_ARGUMENT: `AbstractServerHttpChannelObserver`, `buildErrorResponse`",
    ),
    freed: lost(UNARY_NEVER_TOLD),
  },
};

/** Of JSON: `cells` with what becomes of the attachments of a reply, which are trailers elsewhere. */
const overHttp1 = {
  ...json.cells,
  metadata: {
    differs:
      "a reply's attachments, trailers elsewhere, are not sent: `Http1UnaryServerChannelObserver` takes none",
    shown: (t) => attachmentsComeAs(t, undefined),
  },
};
const overHttp2 = {
  ...json.cells,
  metadata: {
    differs:
      "a reply's attachments, trailers elsewhere, come among its headers: `Http2UnaryServerChannelObserver`, `doOnNext`",
    shown: (t) => attachmentsComeAs(t, "1"),
  },
};

const inJson = [
  {
    ...json,
    cells: overHttp1,
    way: "directly, Triple's bare form in JSON",
    transport: "fetch",
    url: directly,
    barred: {
      chromium: {
        note: "it answers a preflight before its own CORS filter is asked, without a word of CORS, so the browser makes no call: `RestRequestHandlerMapping`, `handleOptionsRequest`",
        shown: isKeptByCors,
      },
    },
  },
  {
    ...json,
    cells: overHttp1,
    ...behindEnvoy(),
    way: "Triple's bare form in JSON, Envoy's CORS",
    transport: "fetch",
    runtimes: ["chromium"],
  },
  ...throughGateway({ ...json, cells: overHttp2 })
    .filter(({ transport }) => transport === "tidewire.v1")
    .map((column) => ({ ...column, way: `${column.way}, Triple's bare form in JSON` })),
];

// By its own WebSocket.

const NEVER_TOLD =
  "the call settles; of a WebSocket's closes dubbo-java tells a handler 1000 only, which is the half-close, and answers no other, so that the socket stays until the runtime's own limit: `WebSocketFrameCodec`, `onCloseFrame`, whose reset `NettyHttp2FrameHandler`, `channelRead`, hands on to nobody";
const NO_CODE =
  "any failure is close 1011 with its words and no code, read as UNKNOWN: `WebSocketFrameCodec`, `encodeCloseWebSocketFrame`";
const noHalfClose = {
  cannot:
    'the half-close is the client\'s close of the socket, behind which a runtime drops what still comes: `WebSocketFrameCodec`, `onCloseFrame`; WebSockets Standard, "close the WebSocket". `closeSend` is refused with FAILED_PRECONDITION, names `tidewire.v1`, and the call goes on',
  kind: "bidi",
  shown: closeSendIsRefused,
};

const webSocket = {
  ...peer,
  transport: "triple-websocket",
  kinds: ["bidi", "server_stream", "unary"],
  codec: { encode: greetJson.encode, decode: greetJson.decode },
  metadata: false,
  halfCloses: false,
  told: false,
  closing: true,
  failure: { code: UNKNOWN, name: "UNKNOWN" },
  routes: undefined,
  cells: {
    metadata: {
      cannot:
        "a WebSocket of a page has no headers of its own, and dubbo-java drops those of a reply: `WebSocketFrameCodec`, `write`. Metadata are refused with UNIMPLEMENTED, and `tidewire.v1` is named",
      kind: "unary",
      shown: metadataIsRefused,
    },
    "half-close": noHalfClose,
    leave: lost(NEVER_TOLD),
    "cancel-blocked": lost(NEVER_TOLD),
    "cancel-before-headers": { differs: NEVER_TOLD, kind: "bidi", shown: cancelsBeforeReplies },
    "cancel-after-half-close": noHalfClose,
    deadline: lost(NEVER_TOLD),
    "server-error": lost(NO_CODE),
    "never-ends": lost(NEVER_TOLD),
    afterwards: lost(NO_CODE),
    freed: lost(NEVER_TOLD),
  },
};

const bySocket = [
  {
    ...webSocket,
    way: "its own WebSocket",
    url: directly,
    client: ({ clientOptions: { WebSocket } }) => WebSocket && { WebSocket: withoutCompression(WebSocket) },
    barred: {
      chromium: {
        note: "every browser offers `permessage-deflate`, to which dubbo-java agrees and which it cannot read: the first compressed message ends the socket, and the error says so (`TripleHttp2Protocol`, `buildWebSocketServerProtocolHandler`: no `allowExtensions`)",
        shown: breaksOnCompression,
      },
    },
  },
  {
    ...webSocket,
    ...behindEnvoy(),
    way: "its own WebSocket, the offer of compression taken away",
    runtimes: ["chromium"],
  },
];

export default [...byGateway, ...inJson, ...bySocket];

function directly(env) {
  return `http://${env.peers[peer.peer].on}`;
}

/** It speaks HTTP/1.1 with the server, answers for CORS, and takes away what WebSockets offer. */
function behindEnvoy() {
  return {
    peer: "envoy-dubbo-java",
    server: peer.peer,
    title: `${peer.title} behind Envoy 1.40.0`,
    url: (env) => `http://${env.peers["envoy-dubbo-java"].on}`,
  };
}

/** As `ws` has to be used; a close that nobody answers is not to keep the process for long. */
function withoutCompression(WebSocket) {
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { perMessageDeflate: false, closeTimeout: 1_000 });
    }
  };
}

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

async function attachmentsComeAs(t, header) {
  await metadata(t);
  t.renew();
  const { headers, trailers } = await t.unary("Ada");
  equal([headers.get("greeted"), trailers.get("greeted")], [header, undefined], "in headers and trailers");
}

async function streamsAreNotTaken(t) {
  const { call, reply } = t.begin();
  await t.endedWith({ call, reply }, { code: UNIMPLEMENTED, fault: "misuse", message: /"grpc"/ });
}

async function isKeptByCors(t) {
  t.kind = "unary";
  await t.endedWith(t.begin(), { code: UNAVAILABLE, fault: "transport", message: /CORS/ });
  const { type } = await fetch(t.baseUrl, { mode: "no-cors" });
  equal(type, "opaque", "an answer that is not shown: the server is there");
}

/** There are no headers to wait for: the first reply is what has not come. */
async function cancelsBeforeReplies(t) {
  const controller = new AbortController();
  const { call, reply } = t.begin({ ask: { "x-stall": 1 }, signal: controller.signal });
  await t.observed.until("open");
  controller.abort("too slow");
  await nextTask();
  equal(reply.state, "rejected", "what waited, one task after the abort");
  await t.endedWith({ call, reply }, { code: CANCELLED, fault: "local", cause: "too slow" });
  await t.sawLeaving("cancelled");
}

async function closeSendIsRefused(t) {
  const call = t.bidi({ ask: { "x-end-after": 2 } });
  await call.send("Ada");
  equal(await call.receive(), "Hello, Ada", "the answer");
  const error = await call.closeSend().catch((error) => error);
  t.isError(error, { code: FAILED_PRECONDITION, fault: "misuse", message: /tidewire\.v1/ });
  await call.send("Bo");
  equal(await call.receive(), "Hello, Bo", "the answer behind the refusal");
  await t.endsOk(call);
}

async function metadataIsRefused(t) {
  const { reply } = t.begin({ metadata: [["echo-word", "kept"]] });
  await t.endedWith(
    { reply },
    { code: UNIMPLEMENTED, fault: "misuse", message: /"echo-word".*tidewire\.v1/ },
  );
  equal(await t.observed.now(), [], "what the server saw");
}

async function breaksOnCompression(t) {
  t.kind = "unary";
  const failing = t.unary("Ada".repeat(1_000)).catch((error) => error);
  const error = await within(10_000, failing, "the call");
  t.isError(error, { code: UNAVAILABLE, fault: "transport" });
  match(error.message, /permessage-deflate/, "the cause");
}
