import { equal } from "../../assert.mjs";
import { INTERNAL, UNAVAILABLE, UNIMPLEMENTED } from "../../codes.mjs";
import { encodeText, paths } from "../../greet.mjs";
import { throughGateway } from "./gateway.mjs";

const versions = ["v3.2.0-rc2", "v3.3.0", "v3.3.2"];
const SOURCE = "`protocol/triple/triple_protocol/`";

/** What comes of a group or version that a server does not have. */
export const isNamed = {
  says: "the words name the group or the version",
  comes: (name) => ({ code: UNIMPLEMENTED, fault: "peer", message: new RegExp(name.replaceAll(".", "\\.")) }),
};
const isLost = {
  says: "this version hangs up; the words say that it does so where it has no such group or version",
  comes: () => ({
    code: [INTERNAL, UNAVAILABLE],
    message: /v3\.2\.0-rc2 hangs up where it has no such tri-service-group/,
  }),
};

/** Since v3.3.0 dubbo-go drops the details of a failure: tests/peers/dubbo-go/README.md. */
const peer = (version) => ({
  peer: `dubbo-go-${version}`,
  title: `dubbo-go ${version}`,
  details: version === "v3.2.0-rc2",
  routes: version === "v3.2.0-rc2" ? isLost : isNamed,
});

/** Triple's bare form. */
const bare = (version) => ({
  protocol: "triple",
  names: version === "v3.2.0-rc2" ? "fileName" : "file_name",
  kinds: ["unary"],
  lacks: {
    note: `Triple's bare form has unary calls only; for a stream dubbo-go answers 415, to gRPC-Web always (${SOURCE}: \`newProtocolHandlers\` in \`handler.go\`, \`protocol_triple.go\`). The client refuses at once with UNIMPLEMENTED and names gRPC`,
    shown: streamsAreNotTaken,
  },
});

/** dubbo-go itself, without a gateway. Only the newest answers pages of other origins. */
const direct = (version) => ({
  ...peer(version),
  ...bare(version),
  way: "directly, Triple's bare form",
  transport: "fetch",
  url: (env) => `http://${env.peers[`dubbo-go-${version}`].on}`,
});
const withoutCors = {
  note: `this version has no CORS: it answers a preflight with 405 (${SOURCE}: \`ServeHTTP\` in \`handler.go\`), so the browser makes no call`,
  shown: isKeptByCors,
};

export default [
  ...versions.flatMap((version) => throughGateway(peer(version))),
  ...versions.flatMap((version) =>
    throughGateway({ ...peer(version), ...bare(version) })
      .filter(({ transport }) => transport === "tidewire.v1")
      .map((column) => ({ ...column, way: `${column.way}, Triple's bare form` })),
  ),
  { ...direct("v3.2.0-rc2"), barred: { chromium: withoutCors } },
  { ...direct("v3.3.0"), barred: { chromium: withoutCors } },
  { ...direct("v3.3.2"), way: "directly, Triple's bare form, its own CORS" },
  {
    ...direct("v3.3.2"),
    peer: "dubbo-go-v3.3.2-tls",
    way: "directly, Triple's bare form, its own CORS, TLS, HTTP/2",
    runtimes: ["chromium"],
    url: (env) => `https://${env.peers["dubbo-go-v3.3.2-tls"].on}`,
  },
];

async function streamsAreNotTaken(t) {
  const { call, reply } = t.begin();
  await t.endedWith({ call, reply }, { code: UNIMPLEMENTED, fault: "misuse", message: /"grpc"/ });
  // What it would have met.
  if (t.transport !== "fetch") return;
  const message = encodeText("Ada");
  const frame = Uint8Array.of(0, 0, 0, 0, message.length, ...message);
  for (const [type, body] of [
    ["application/proto", message],
    ["application/grpc-web+proto", frame],
  ]) {
    const headers = { "content-type": type };
    const { status } = await fetch(t.baseUrl + paths.server_stream, { method: "POST", headers, body });
    equal(status, 415, `the HTTP status of a stream as ${type}`);
  }
}

async function isKeptByCors(t) {
  t.kind = "unary";
  await t.endedWith(t.begin(), { code: UNAVAILABLE, fault: "transport", message: /CORS/ });
  const { type } = await fetch(t.baseUrl, { mode: "no-cors" });
  equal(type, "opaque", "an answer that is not shown: the server is there");
}
